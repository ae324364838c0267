"""Sets: is what a drummer plays, taken all together, like what drummers play?

Two performances of one song may both be right and share few strokes. Sets of them can still be compared: by the
distribution of a few features a bar, by the distance to the nearest bar of the training data, and by the distance of
several performances of one song from each other.

Conventions: bars are hits (n, 16, 9) of 0 and 1; a feature is one number a bar; distances of bars are in cells, 0 to
144. What is not defined is nan.

Source: Yang & Lerch (2020), "On the evaluation of generative models in music". They compare distances within a set
with distances between two; we compare the features themselves, which needs no distance of all pairs. Their code looks
at each set's density on a grid of its own; ours share one grid, or the divergence would compare different places.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from drumlib.evaluation.metrics.form import bars_of
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import CLOSED_HAT, CRASH, HIGH_TOM, KICK, LOW_TOM, MID_TOM, OPEN_HAT, RIDE, SNARE

GRID_POINTS = 100
"""So many places at which two densities are compared."""

FLOOR = 1e-6
"""Mixed into each density, as a uniform share: where a set never goes, the other's divergence stays finite."""

CHUNK_CELLS = 4_000_000
"""So many distances at once: 16 MB of them."""


def all_bars(grooves: Iterable[Groove]) -> np.ndarray:
    """All bars of all grooves, one behind the other: hits, float32 (bars, 16, 9).

    Raises
    ------
    ValueError
        If a groove is not whole bars of hits of 0 and 1, or there is none.
    """
    bars = [bars_of(groove) for groove in grooves]
    if not bars:
        raise ValueError("no grooves: is the list of songs empty, or an iterator that was used up?")
    return np.concatenate(bars).astype(np.float32)  # (B, 16, 9)


def features(grooves: Iterable[Groove]) -> dict[str, np.ndarray]:
    """A few numbers about each bar, each float (bars,), all bars of all grooves one behind the other.

    - ``quantize_hits``: hits in the bar, 0 to 144;
    - ``drums``: how many of the nine drums are struck, 0 to 9;
    - ``kicks``, ``snares``, ``hats`` (hats and ride), ``toms and crash``: hits of each, 0 or more;
    - ``on beats``: the share of hits on steps 0, 4, 8, 12; nan in a silent bar;
    - ``off sixteenths``: the share of hits on odd steps; nan in a silent bar;
    - ``loudness``: mean velocity of the hits, in [0, 1]; nan in a silent bar;
    - ``lateness``: mean offset of the hits, in steps, in [-0.5, 0.5), plus is late; nan in a silent bar;
    - ``change``: cells that differ from the groove's bar before, 0 to 144; nan in each groove's first bar.

    Source: Yang & Lerch (2020), who count pitches and intervals; drums have none, so steps and drums stand in.
    """
    grooves = list(grooves)
    hits = all_bars(grooves)  # (B, 16, 9)
    velocities, offsets = (
        np.concatenate([getattr(groove, name) for groove in grooves]).reshape(hits.shape)  # (B, 16, 9)
        for name in ("velocities", "offsets")
    )
    strokes = hits.sum(axis=(1, 2))  # (B,)
    some = np.where(strokes > 0, strokes, np.nan)
    change = np.full(len(hits), np.nan)
    change[1:] = (hits[1:] != hits[:-1]).sum(axis=(1, 2))
    firsts = np.cumsum([0] + [len(groove) // STEPS_PER_BAR for groove in grooves])[:-1]
    change[firsts[firsts < len(hits)]] = np.nan

    def of(*drums):
        return hits[:, :, list(drums)].sum(axis=(1, 2))

    found = {
        "strokes": strokes,
        "drums": hits.any(axis=1).sum(axis=1),
        "kicks": of(KICK),
        "snares": of(SNARE),
        "hats": of(CLOSED_HAT, OPEN_HAT, RIDE),
        "toms and crash": of(LOW_TOM, MID_TOM, HIGH_TOM, CRASH),
        "on beats": hits[:, ::4].sum(axis=(1, 2)) / some,
        "off sixteenths": hits[:, 1::2].sum(axis=(1, 2)) / some,
        "loudness": (velocities * hits).sum(axis=(1, 2)) / some,
        "lateness": (offsets * hits).sum(axis=(1, 2)) / some,
        "change": change,
    }
    return {name: values.astype(np.float64) for name, values in found.items()}


def divergence(one: np.ndarray, other: np.ndarray) -> float:
    """How surprised one is by values of a feature who knows the other set's: KL(one || other), in nats.

    Range [0, 18.4], the most that ``FLOOR`` allows: 0 for equal sets, large where ``one`` goes and ``other`` does not.
    It is not symmetric. Both densities are taken with Gaussian kernels of one width on one grid (``densities``); nan
    where a set has no value that is not nan. Source: Kullback & Leibler (1951); Yang & Lerch (2020).
    """
    p, q = densities(one, other)
    return float(max(0.0, (p * np.log(p / q)).sum())) if len(p) else float("nan")


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """The area that two densities of a feature share: 1 for equal sets, 0 for sets that never meet.

    Range [0, 1], symmetric; nan where a set has no value that is not nan. Densities as in ``divergence``. Source: Yang
    & Lerch (2020).
    """
    p, q = densities(one, other)
    return float(np.minimum(p, q).sum()) if len(p) else float("nan")


def densities(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of values of one feature, smoothed on one shared grid: probabilities (points,), each adding up to 1.

    The grid spans both sets, and three kernels' widths on either side. The width is by Scott's rule, 1.06 s n^(-1/5),
    of the smaller spread s and the smaller number n of the two sets, and never below a hundredth of the span: a set of
    one value is a narrow peak. Values that are nan are left out; if none is left in a set, both are empty.

    Raises
    ------
    ValueError
        If a set is not one number a bar.
    """
    one, other = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if one.ndim != 1 or other.ndim != 1:
        raise ValueError(f"shapes {one.shape} and {other.shape}: one feature at a time, features(grooves)['strokes']?")
    one, other = one[~np.isnan(one)], other[~np.isnan(other)]
    if not len(one) or not len(other):
        return np.empty(0), np.empty(0)
    both = np.concatenate([one, other])
    span = np.ptp(both) or 1.0
    width = max(1.06 * min(one.std(), other.std()) * min(len(one), len(other)) ** -0.2, span / GRID_POINTS)
    points = np.linspace(both.min() - 3 * width, both.max() + 3 * width, GRID_POINTS)
    return _density(one, points, width), _density(other, points, width)


def nearest_bars(bars: np.ndarray, training_bars: np.ndarray) -> np.ndarray:
    """How far each bar is from the nearest bar of the training data: int (bars,), in cells, 0 to 144.

    The Hamming distance of hits: 0 is a copy, 1 a stroke more or less, 2 a stroke moved. A drummer who only ever
    copies has 0 everywhere; so does one who plays the commonest beat, as real drummers do. Compare with the real
    drummer's own distance.

    Computed by matrix products, ``|a| + |b| - 2 ab``, some millions of pairs at once, so memory stays small.

    Raises
    ------
    ValueError
        If the bars differ in shape, hold other values than 0 and 1, or there are none to be near to.
    """
    ones, others = _flat(bars, "bars"), _flat(training_bars, "training_bars")
    if ones.shape[1] != others.shape[1]:
        raise ValueError(f"a bar has {ones.shape[1]} cells, a training bar {others.shape[1]}: are both (n, 16, 9)?")
    if not len(others):
        raise ValueError("no training bars to be near to: is the folder of songs empty?")
    sizes = others.sum(axis=1)  # (n,)
    nearest = np.empty(len(ones), dtype=np.int64)
    rows = max(1, CHUNK_CELLS // len(others))
    for at in range(0, len(ones), rows):
        chunk = ones[at : at + rows]  # (rows, 144)
        distances = sizes - 2 * (chunk @ others.T)  # (rows, n)
        nearest[at : at + rows] = np.rint(distances.min(axis=1) + chunk.sum(axis=1))
    return nearest


def diversity(grooves: Sequence[Groove]) -> float:
    """How much several performances of one song differ: the mean distance of a bar's hits, over all pairs, in cells.

    Range [0, 144]; 0 is the same strokes each time, whatever their loudness; nan under two performances. More is not
    better: noise is the most diverse. It is Yang & Lerch's (2020) intra-set distance, bar against the same bar.

    Raises
    ------
    ValueError
        If the performances have different numbers of steps.
    """
    grooves = list(grooves)
    lengths = {len(groove) for groove in grooves}
    if len(lengths) > 1:
        raise ValueError(f"performances of {sorted(lengths)} steps: are they all of the same song?")
    if len(grooves) < 2:
        return float("nan")
    count = len(grooves)
    struck = all_bars(grooves).reshape(count, -1).sum(axis=0)  # how many performances strike each cell: (steps * 9,)
    pairs_that_differ = (struck * (count - struck)).sum()
    bars = lengths.pop() / STEPS_PER_BAR
    return float(pairs_that_differ / (count * (count - 1) / 2) / bars) if bars else float("nan")


def _density(values: np.ndarray, points: np.ndarray, width: float) -> np.ndarray:
    different, counts = np.unique(values, return_counts=True)  # features are mostly counts: few different values
    kernels = np.exp(-0.5 * ((points[:, None] - different) / width) ** 2)  # (points, values)
    density = kernels @ counts
    return (1 - FLOOR) * density / density.sum() + FLOOR / len(points)


def _flat(bars: np.ndarray, name: str) -> np.ndarray:
    bars = np.asarray(bars)
    if bars.ndim < 2:
        raise ValueError(f"{name} has shape {bars.shape}: one bar alone? Bars are (n, 16, 9)")
    if not np.isin(bars, (0, 1)).all():
        raise ValueError(f"{name} hold other values than 0 and 1: are these probabilities, or velocities too?")
    return bars.reshape(len(bars), int(np.prod(bars.shape[1:]))).astype(np.float32)  # (n, 144)
