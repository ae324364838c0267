"""The evaluation protocol on held-out windows, with confidence intervals, beside baselines that hear no band.

``compare_on_windows`` scores one network under the four conditions (``drumlib.evaluation.predict``), its free-running
threshold chosen on the validation windows; ``window_baselines`` scores the baselines. Scores are of all cells pooled,
intervals 95 %, by bootstrap over songs (``drumlib.evaluation.statistics``).
"""

import numpy as np

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.data.windows import Windows
from drumlib.evaluation.evaluate import conditioning_gain, density_over_songs, score
from drumlib.evaluation.metrics import confusion
from drumlib.evaluation.predict import (
    FREE_RUNNING,
    MISMATCHED,
    SAMPLED,
    TEACHER_FORCED,
    free_running_windows,
    has_other_band,
    predict_windows,
    true_drums,
)
from drumlib.evaluation.thesis_protocol import previous_bars
from drumlib.evaluation.thresholds import best_f1_threshold
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS
from drumlib.music.rock_beat import rock_bar

N = len(DRUMS)
AVERAGE, ORACLE = "average bar of the training songs", "best bar of each song (oracle)"
SCORES = ("accuracy", "precision", "recall", "f1", "f1 interval", "density")


def compare_on_windows(network, validation: Windows, test: Windows, seed: int = 0) -> dict:
    """A network's scores on test windows: see the module's docstring. ``seed`` is that of the sampled condition."""
    truth, other = true_hits(test), has_other_band(test)  # (windows, 128, 9), (windows,)
    threshold = best_f1_threshold(free_running_windows(network, validation)["hits"], true_hits(validation))
    hits = predict_windows(network, test, threshold, seed)
    counts = {name: counts_by_song(test, truth, played) for name, played in hits.items()}  # each (songs, 4)
    own, mismatched = (counts_by_song(test, truth, hits[name], other) for name in (FREE_RUNNING, MISMATCHED))
    return {
        "songs": test.song_count,
        "windows": len(test),
        "notes": int(truth.sum()),
        TEACHER_FORCED: scored(counts[TEACHER_FORCED]),
        FREE_RUNNING: {"threshold": round(float(threshold), 2), **scored(counts[FREE_RUNNING])},
        MISMATCHED: {"windows": int(other.sum()), **scored(mismatched)},
        **conditioning_gain(own, mismatched),
        SAMPLED: {
            **scored(counts[SAMPLED]),
            "density, interval over songs": density_over_songs(counts[SAMPLED]),
        },
        "counts": {name: counts[name][:, :3].tolist() for name in (FREE_RUNNING, SAMPLED)},
    }


def window_baselines(training: Windows, validation: Windows, test: Windows) -> dict:
    """The baselines on the same windows: the bar before, the rock beat, the average bar of the training songs.

    And an upper bound, ``ORACLE``: of each test song, the one bar that agrees best with its drummer, in all windows.
    """
    truth, bars = true_hits(test), WINDOW_STEPS // STEPS_PER_BAR
    average = true_hits(training).reshape(-1, STEPS_PER_BAR, N).mean(axis=0)  # (16, 9)

    def always(bar, windows: Windows) -> np.ndarray:
        return np.tile(bar, (len(windows), bars, 1))  # (windows, 128, 9)

    threshold = best_f1_threshold(always(average, validation), true_hits(validation))
    rows = {
        "bar before (teacher-forced)": previous_bars(test),
        "rock beat": always(rock_bar(), test),
        AVERAGE: always(average > threshold, test),
        ORACLE: oracle_bars(test, truth),
    }
    counts = {name: counts_by_song(test, truth, played) for name, played in rows.items()}
    return {
        **{name: scored(one) for name, one in counts.items()},
        "counts": {name: one[:, :3].tolist() for name, one in counts.items()},
        "average bar's threshold": round(float(threshold), 2),
    }


def oracle_bars(windows: Windows, truth: np.ndarray) -> np.ndarray:
    """Each song's own average bar in all its windows, at the threshold of the best F1: (windows, 128, 9)."""
    played, numbers = np.zeros_like(truth), windows.index[:, 0]
    for song in np.unique(numbers):
        mine = truth[numbers == song]  # (its windows, 128, 9)
        bar = mine.reshape(-1, STEPS_PER_BAR, N).mean(axis=0)  # (16, 9)
        everywhere = np.tile(bar, (len(mine), WINDOW_STEPS // STEPS_PER_BAR, 1))  # (its windows, 128, 9)
        played[numbers == song] = everywhere > best_f1_threshold(everywhere, mine)
    return played


def true_hits(windows: Windows) -> np.ndarray:
    """The true hits of windows, bool (windows, 128, 9)."""
    return true_drums(windows)["hits"] > 0


def counts_by_song(windows: Windows, truth: np.ndarray, hits: np.ndarray, which=None) -> np.ndarray:
    """The ``Confusion`` of each song's windows, of those in ``which`` (bool) only: int (songs, 4)."""
    which = np.ones(len(windows), dtype=bool) if which is None else which
    numbers, hits = windows.index[:, 0], hits.astype(bool)
    masks = [(numbers == song) & which for song in np.unique(numbers)]
    return np.array([confusion(truth[mine], hits[mine]) for mine in masks])


def scored(counts: np.ndarray) -> dict:
    """Scores of songs' counts (songs, 4): pooled, with F1's interval over songs, and density."""
    found = score(counts)
    return {name: found[name] for name in SCORES}
