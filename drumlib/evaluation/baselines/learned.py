"""Baselines that learn bars: the average bar, the most common bar, the nearest neighbour."""

import numpy as np

from drumlib.data.grid_song import WINDOW_BARS
from drumlib.data.windows import Windows
from drumlib.evaluation.baselines.base import Baseline, N, length_of, repeated
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import FAMILIES

THRESHOLDS = np.arange(0.05, 0.81, 0.02)
"""The thresholds of the average bar among which the validation songs choose."""


class Bars:
    """Every bar that a window of the songs covers, each once, although windows overlap.

    Attributes
    ----------
    drums : float32 (bars, 16, 27): hits, velocities, offsets.
    band : float32 (bars, F): the band's rhythm (``rhythm_of``).
    """

    def __init__(self, windows: Windows):
        drums, band = [], []
        for s in np.unique(windows.index[:, 0]).tolist():
            song = windows.grid_songs[s]
            covered = np.zeros(song.steps // STEPS_PER_BAR, dtype=bool)
            for i in windows.index[windows.index[:, 0] == s, 1].tolist():
                first = song.starts[i] // STEPS_PER_BAR
                covered[first : first + WINDOW_BARS] = True
            counts = np.zeros((len(FAMILIES), song.steps, 128), dtype=np.uint8)
            for part in song.parts:
                counts[list(FAMILIES).index(part.family), part.notes["step"], part.notes["pitch"]] = 1
            rolls = dict(zip(FAMILIES, counts, strict=True))
            band.append(rhythm_of(rolls)[covered])
            groove = song.groove().to_array()
            drums.append(groove.reshape(-1, STEPS_PER_BAR, 3 * N)[covered])  # (T, 27) -> (bars, 16, 27)
        self.drums, self.band = np.concatenate(drums), np.concatenate(band)

    @property
    def hits(self) -> np.ndarray:
        """Bool (bars, 16, 9)."""
        return self.drums[..., :N] > 0


def rhythm_of(rolls: dict[str, np.ndarray]) -> np.ndarray:
    """The rhythm of a band in each bar, independent of key: (bars, 48).

    For each family and each step, log2(1 + how many notes begin): a chord counts more than a note, but not six times.
    """
    counts = [np.log2(1 + rolls[family].sum(axis=-1, dtype=np.float32)) for family in FAMILIES]  # 3 x (T,)
    bars = np.stack(counts, axis=-1).reshape(-1, STEPS_PER_BAR, len(FAMILIES))  # (bars, 16, 3)
    return bars.reshape(len(bars), -1)  # (bars, 48)


def with_mean_expression(bars: Bars, hits: np.ndarray) -> Groove:
    """A bar with these hits (16, 9), and the mean velocity and offset of each cell in the bars that have it."""
    struck = bars.drums[..., :N].sum(axis=0)  # (16, 9)
    velocities, offsets = (bars.drums[..., k * N : (k + 1) * N].sum(axis=0) / np.maximum(struck, 1) for k in (1, 2))
    return Groove(hits, velocities * hits, np.clip(offsets, -0.5, 0.499) * hits)


class AverageBar(Baseline):
    """The rate of each drum on each sixteenth of the training bars, at the threshold of the best F1 on validation bars.

    Without validation songs, the training songs choose. It is nearly the best F1 that one bar throughout can have: a
    network that does not beat it has learned nothing from the band.
    """

    name = "average-bar"
    learns = True

    def __init__(self, training: Windows, validation: Windows | None = None):
        bars = Bars(training)
        average = bars.hits.mean(axis=0)  # (16, 9)
        scored = Bars(validation).hits if validation is not None and len(validation) else bars.hits
        truth = scored.sum(axis=0)  # (16, 9)

        def f1(threshold: float) -> float:
            played = average > threshold
            return 2 * truth[played].sum() / (truth.sum() + played.sum() * len(scored))

        self.threshold = round(float(max(THRESHOLDS, key=f1)), 2)
        self.bar = with_mean_expression(bars, average > self.threshold)

    def play(self, rolls, truth=None, seed=0):
        return repeated(self.bar, length_of(rolls))


class CommonBar(Baseline):
    """The most frequent bar of the training songs, hit for hit; silent bars do not count.

    Velocities and offsets are means over its occurrences.
    """

    name = "common-bar"
    learns = True

    def __init__(self, training: Windows, validation: Windows | None = None):
        bars = Bars(training)
        flat = np.packbits(bars.hits.reshape(len(bars.hits), -1), axis=1)  # (bars, 18)
        kinds, which, counts = np.unique(flat, axis=0, return_inverse=True, return_counts=True)
        counts = np.where(kinds.any(axis=1), counts, 0)
        mine = which.reshape(-1) == counts.argmax()
        self.times, self.share = int(mine.sum()), float(mine.mean())
        self.bar = Groove.from_array(bars.drums[mine].mean(axis=0))

    def play(self, rolls, truth=None, seed=0):
        return repeated(self.bar, length_of(rolls))


class NearestBar(Baseline):
    """1-nearest-neighbour (Fix and Hodges 1951): in each bar, the drums of the training bar with the nearest band.

    The distance is Euclidean, of two bars' ``rhythm_of``; of equally near bars the first is taken. This is memory
    without generalization.
    """

    name = "nearest-bar"
    listens = True
    learns = True

    def __init__(self, training: Windows, validation: Windows | None = None):
        bars = Bars(training)
        self.band, self.drums = bars.band, bars.drums
        self.lengths = np.square(self.band).sum(axis=1)  # (bars,)

    def play(self, rolls, truth=None, seed=0):
        length_of(rolls)
        asked = rhythm_of(rolls)  # (A, 48)
        distance = self.lengths - 2 * asked @ self.band.T  # (A, bars): |a - b|^2 less |a|^2, which is the same for all
        return Groove.from_array(self.drums[distance.argmin(axis=1)].reshape(-1, 3 * N))  # (A, 16, 27) -> (T, 27)
