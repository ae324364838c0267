"""Humanizing: a song whose drums are stiff comes out with the same strokes, played as a drummer would play them.

song -> hits on the grid -> a distribution of loudness and lateness for every note -> one readout of it -> song

The network (``network.humanizer``) answers with histograms. How to make one number of a histogram is a choice, and
there is no best one:

- the **middle** (median): note by note nobody is nearer to the real drummer; but middles vary too little;
- a **draw**: as loud, late and varied as real drummers are; but *another* drummer than the real one, on another day,
  and so further from him;
- the **lively middle**: the middle, moved away from the average as far as real drummers are. Nothing is drawn. It
  has the spread of real drummers, and pays for it with most of the middle's nearness (``bench/results/humanize.json``).

A draw is not drawn note by note: whoever plays late now plays late in the next bar too. ``feel`` draws what a whole
performance has in common, what a drum has in common, what a place in the bar has in common, and only the rest freely,
in the shares that real performances showed (``fit_shares``). The histograms stay exactly what they are: this is a
Gaussian copula.
"""

import json
import math
from functools import lru_cache
from importlib import resources
from statistics import NormalDist

import numpy as np

from drumlib.music import STEPS_PER_BAR, Grid, Note, Song, Track, with_tracks, without_drums
from drumlib.music.grid import MAX_STEPS, merge_notes, step_lengths
from drumlib.music.kit import DRUM_CHANNEL, DRUM_OF_PITCH, DRUMS

WINDOW = 2 * STEPS_PER_BAR
"""The network hears two bars at once."""

READOUTS = ("draw", "middle", "lively")


def humanize(song: Song, seed: int = 0, amount: float = 1.0, readout: str = "draw") -> Song:
    """Return the song with its drums played by a human hand. All other tracks come back untouched, event for event.

    Every stroke of the nine drums is put on its sixteenth, and then as late, and as loud, as the network says. Which
    sound it is (a rim shot or a plain one) stays. Of several strokes of one drum on one sixteenth the loudest is
    kept. Percussion that is no drum of the kit (a cowbell) stays as it is.

    Parameters
    ----------
    song
        Any song with drums. The network learned 4/4; bars in other meters are played as far as the grid has them.
    seed
        The same seed gives the same performance. It matters for ``"draw"`` only.
    amount
        From 0, all strokes exactly on the grid and as loud as they were, to 1, as the network plays.
    readout
        ``"draw"``, ``"middle"`` or ``"lively"``: see the module's docstring.

    Raises
    ------
    ValueError
        If the song has no drums or far too many bars, or an argument makes no sense.
    """
    if not 0 <= amount <= 1:
        raise ValueError(f"amount is a share, from 0 (on the grid) to 1, not {amount}")
    if readout not in READOUTS:
        raise ValueError(f"no readout {readout!r}: there is {', '.join(READOUTS)}")
    grid, strokes, rest = Grid(song), {}, []
    if grid.steps > MAX_STEPS:
        raise ValueError(f"its {len(grid.bars):,} bars are too many")
    notes = merge_notes(song.drums)
    for note, step in zip(notes, grid.locate(notes.ticks)[0].tolist(), strict=True):
        if note.pitch not in DRUM_OF_PITCH or step >= grid.steps:
            rest.append(note)
            continue
        cell = step, DRUM_OF_PITCH[note.pitch]
        if cell not in strokes or note.velocity > strokes[cell].velocity:
            strokes[cell] = note
    if not strokes:
        raise ValueError("the song has no drums to humanize: put some on it first (drumlib.drummer.accompany)")
    cells = np.array(sorted(strokes), dtype=np.int64)  # (notes, 2): step and drum
    found = histograms_of_song(cells, grid.steps, step_lengths(song, grid))
    answers = read_histograms(found, cells, np.zeros(len(cells), dtype=np.int64), readout_settings(), readout, seed)

    played = [strokes[cell] for cell in map(tuple, cells.tolist())]
    own = np.array([note.velocity for note in played]) / 127
    loud = own + amount * (answers["velocities"] - own)
    loud = np.clip(np.rint(127 * loud), 1, 127).astype(int)
    ticks = grid.ticks(cells[:, 0], amount * answers["offsets"])
    moved = [
        Note(tick, note.pitch, velocity, note.length)
        for note, tick, velocity in zip(played, ticks.tolist(), loud.tolist(), strict=True)
    ]
    track = Track(tuple(sorted(moved + rest)), is_drum=True, channel=DRUM_CHANNEL, name="Drums, humanized")
    return with_tracks(without_drums(song), [track])


def histograms_of_song(cells: np.ndarray, steps: int, step_ms: np.ndarray, batch: int = 128) -> dict[str, np.ndarray]:
    """The distributions of a song's notes: ``velocities`` (notes, 32), ``offsets`` (notes, 40).

    The network hears two bars at once, and starts anew on every bar. So each bar is heard twice, and the two answers
    are blended: a window counts most in its middle and next to nothing at its ends. No seam can be heard.

    ``cells`` is (notes, 2), the step and the drum of each note; ``step_ms`` one length for each bar.
    """
    from drumlib.network.groove.training import pretrained_on_grooves  # only now: reading songs must not wait for Keras

    network = pretrained_on_grooves("humanize")
    steps = max(WINDOW, -(-steps // STEPS_PER_BAR) * STEPS_PER_BAR)
    hits = np.zeros((steps, len(DRUMS)), dtype="float32")
    number = np.full((steps, len(DRUMS)), -1)
    hits[tuple(cells.T)], number[tuple(cells.T)] = 1, np.arange(len(cells))
    starts = np.arange(0, steps - WINDOW + 1, STEPS_PER_BAR)
    starts = [start for start in starts.tolist() if hits[start : start + WINDOW].any()]  # silence needs no answer
    trust = np.minimum(np.arange(WINDOW) + 0.5, WINDOW - 0.5 - np.arange(WINDOW))  # (32,)
    found, weight = {}, np.zeros((len(cells), 1))
    for first in range(0, len(starts), batch):
        some = starts[first : first + batch]
        windows = np.stack([hits[start : start + WINDOW] for start in some])  # (B, 32, 9)
        ms = np.array([step_ms[min(start // STEPS_PER_BAR, len(step_ms) - 1)] for start in some])
        heads = network.histograms(windows, ms)  # 2 x (B, 32, 9, K)
        where = np.nonzero(windows)
        notes = number[np.array(some)[where[0]] + where[1], where[2]]
        np.add.at(weight, notes, trust[where[1], None])
        for name, histograms in heads.items():
            total = found.setdefault(name, np.zeros((len(cells), histograms.shape[-1])))
            np.add.at(total, notes, trust[where[1], None] * histograms[where])
    return {name: total / weight for name, total in found.items()}


def read_histograms(
    found: dict[str, np.ndarray],
    cells: np.ndarray,
    performance: np.ndarray,
    settings: dict,
    readout: str = "draw",
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """One number a note: ``velocities`` and ``offsets``, (notes,) each.

    ``found`` has the histograms (notes, K), ``cells`` the step and the drum of each note (notes, 2), ``performance``
    the number of the performance that each belongs to: what a draw has in common ends with it. ``readout_settings`` are those
    of the shipped weights (``readout_settings()``), for each of the two answers: ``shares`` and ``spread_matched``.
    """
    answers = {}
    for number, (name, histograms) in enumerate(found.items()):
        own = settings[name]
        if readout == "draw":
            noise = correlated_noise(cells, performance, own["shares"], np.random.default_rng([seed, number]))
            answers[name] = quantile(histograms, name, normal_cdf(noise))
        elif readout == "middle":
            answers[name] = quantile(histograms, name, 0.5)
        else:
            answers[name] = spread_matched(histograms, name, cells[:, 1], **own["lively"])
    return answers


def quantile(histograms: np.ndarray, name: str, share) -> np.ndarray:
    """Where ``share`` of each histogram (notes, K) lies below: (notes,). Within a bin all values are alike."""
    from drumlib.network.groove.humanizer import bin_edges

    borders = bin_edges(name, histograms.shape[-1])  # (K + 1,)
    sums = np.cumsum(histograms, axis=-1, dtype=float)
    sums /= sums[:, -1:]
    share = np.broadcast_to(share, sums.shape[:1])
    bin_ = np.minimum((sums <= share[:, None]).sum(axis=-1), sums.shape[-1] - 1)  # (notes,)
    rows = np.arange(len(sums))
    before = np.where(bin_ > 0, sums[rows, np.maximum(bin_ - 1, 0)], 0.0)
    inside = (share - before) / np.maximum(sums[rows, bin_] - before, 1e-12)
    return borders[bin_] + np.clip(inside, 0, 1) * (borders[1] - borders[0])


def spread_matched(histograms, name: str, drums: np.ndarray, sharpness: float, stretch: float, centres) -> np.ndarray:
    """The middle of each histogram, moved away from the average: (notes,).

    First the histogram is sharpened (raised to a power): where a note may be straight or swung, the middle is
    neither, and the sharpened one decides. Then its distance from the drum's usual value (``centres``, one a drum) is
    stretched. Both numbers are chosen on validation data, as those that come to the real spread at the least error.
    """
    from drumlib.network.groove.humanizer import RANGES

    centre = np.asarray(centres)[drums]  # (notes,)
    middle = quantile(np.maximum(histograms, 1e-9) ** sharpness, name, 0.5)
    low, high = RANGES[name]
    return np.clip(centre + stretch * (middle - centre), low, high - 1e-3)


VARIANCE_GROUPS = ("performance", "drum", "place", "note")
"""What a draw consists of: what a performance has in common, a drum in it, a drum's place in the bar, a note's own."""


def correlated_noise(
    cells: np.ndarray, performance: np.ndarray, shares: dict[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Standard normal numbers, one a note, that are alike where a drummer's mood is: (notes,).

    ``shares`` says how much of the variance is common to what (``VARIANCE_GROUPS``); they sum to 1.
    """
    total = np.zeros(len(cells))
    for kind, group in zip(VARIANCE_GROUPS, variance_groups(cells, performance), strict=True):
        names, which = np.unique(group, return_inverse=True)
        total += math.sqrt(shares[kind]) * rng.standard_normal(len(names))[which]
    return total


def variance_groups(cells: np.ndarray, performance: np.ndarray) -> list[np.ndarray]:
    """To which performance, to which drum of it, to which place in the bar, each note belongs; and each for itself."""
    drum = performance * len(DRUMS) + cells[:, 1]
    return [performance, drum, drum * STEPS_PER_BAR + cells[:, 0] % STEPS_PER_BAR, np.arange(len(cells))]


def fit_shares(
    found: np.ndarray, name: str, truth: np.ndarray, cells: np.ndarray, performance: np.ndarray
) -> dict[str, float]:
    """How much of what the histograms leave open is common to a performance, a drum, a place in the bar: ``VARIANCE_GROUPS``.

    Where in its histogram each true value lies, as a normal number, is what the drummer "drew". The mean product of
    two such numbers over all pairs of notes of one group says how much the group has in common (analysis of variance).
    """
    from drumlib.network.groove.humanizer import bin_edges

    sums = np.cumsum(found, axis=-1, dtype=float)
    sums = np.concatenate([np.zeros((len(sums), 1)), sums / sums[:, -1:]], axis=-1)  # (notes, K + 1)
    borders = bin_edges(name, found.shape[-1])
    place = np.clip((truth - borders[0]) / (borders[1] - borders[0]), 0, found.shape[-1] - 1e-6)
    bin_ = place.astype(int)
    rows = np.arange(len(sums))
    rank = sums[rows, bin_] + (place - bin_) * (sums[rows, bin_ + 1] - sums[rows, bin_])
    drawn = normal_quantile(np.clip(rank, 0.005, 0.995))
    drawn = (drawn - drawn.mean()) / drawn.std()
    alike = []
    for group in variance_groups(cells, performance)[:3]:
        _, which, sizes = np.unique(group, return_inverse=True, return_counts=True)
        sums_, squares = np.bincount(which, drawn), np.bincount(which, drawn**2)
        alike.append(float((sums_**2 - squares).sum() / max(1, (sizes * (sizes - 1.0)).sum())))
    common = np.clip(np.maximum.accumulate(np.maximum(alike, 0)), 0, 1)  # each group lies within the one before
    return dict(zip(VARIANCE_GROUPS, np.diff([0, *common, 1]).round(4).tolist(), strict=True))


def normal_cdf(x: np.ndarray) -> np.ndarray:
    """The share of a standard normal distribution that lies below each x."""
    return np.vectorize(math.erf, otypes=[float])(np.asarray(x) / math.sqrt(2)) / 2 + 0.5


def normal_quantile(share: np.ndarray) -> np.ndarray:
    """The way back: below which number each share of a standard normal distribution lies."""
    known = np.linspace(0.0005, 0.9995, 2000)
    return np.interp(share, known, [NormalDist().inv_cdf(x) for x in known])


@lru_cache(maxsize=1)
def readout_settings() -> dict:
    """How the shipped network's histograms are read out, from its card ``weights/humanize.json``."""
    path = resources.files("drumlib.weights") / "humanize.json"
    if not path.is_file():
        raise ValueError("no weights of the preset 'humanize' are shipped")
    return json.loads(path.read_text(encoding="utf-8"))["readout"]
