"""Sets of bars: distributions of features, distances to training bars, diversity of performances.

Two performances of one song may both be right and share few hits. Sets of bars can still be compared.

Conventions: bars are hits (n, 16, 9) of 0 and 1; a feature is one number a bar; distances of bars are in cells, 0 to
144. What is undefined is nan.

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
"""Points at which two densities are compared."""

FLOOR = 1e-6
"""The share of a uniform distribution in each density, so that the divergence stays finite."""

CHUNK_CELLS = 4_000_000
"""Distances computed at once: 16 MB of them."""


def all_bars(grooves: Iterable[Groove]) -> np.ndarray:
    """The hits of all bars of all grooves, concatenated: float32 (bars, 16, 9).

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
    """Features of each bar, each float (bars,), of all bars of all grooves, concatenated.

    - ``hits``: hits in the bar, 0 to 144;
    - ``drums``: how many of the nine drums have a hit, 0 to 9;
    - ``kicks``, ``snares``, ``hats`` (hats and ride), ``toms and crash``: hits of each, 0 or more;
    - ``on beats``: the share of hits on steps 0, 4, 8, 12; nan in a silent bar;
    - ``off sixteenths``: the share of hits on odd steps; nan in a silent bar;
    - ``velocity``: mean velocity of the hits, in [0, 1]; nan in a silent bar;
    - ``offset``: mean offset of the hits, in steps, in [-0.5, 0.5), plus is late; nan in a silent bar;
    - ``change``: cells that differ from the groove's bar before, 0 to 144; nan in each groove's first bar.

    Source: Yang & Lerch (2020), who count pitches and intervals; drums have none, so steps and drums stand in.
    """
    grooves = list(grooves)
    hits = all_bars(grooves)  # (B, 16, 9)
    velocities, offsets = (
        np.concatenate([getattr(groove, name) for groove in grooves]).reshape(hits.shape)  # (B, 16, 9)
        for name in ("velocities", "offsets")
    )
    number = hits.sum(axis=(1, 2))  # (B,)
    some = np.where(number > 0, number, np.nan)
    change = np.full(len(hits), np.nan)
    change[1:] = (hits[1:] != hits[:-1]).sum(axis=(1, 2))
    firsts = np.cumsum([0] + [len(groove) // STEPS_PER_BAR for groove in grooves])[:-1]
    change[firsts[firsts < len(hits)]] = np.nan

    def of(*drums):
        return hits[:, :, list(drums)].sum(axis=(1, 2))

    found = {
        "hits": number,
        "drums": hits.any(axis=1).sum(axis=1),
        "kicks": of(KICK),
        "snares": of(SNARE),
        "hats": of(CLOSED_HAT, OPEN_HAT, RIDE),
        "toms and crash": of(LOW_TOM, MID_TOM, HIGH_TOM, CRASH),
        "on beats": hits[:, ::4].sum(axis=(1, 2)) / some,
        "off sixteenths": hits[:, 1::2].sum(axis=(1, 2)) / some,
        "velocity": (velocities * hits).sum(axis=(1, 2)) / some,
        "offset": (offsets * hits).sum(axis=(1, 2)) / some,
        "change": change,
    }
    return {name: values.astype(np.float64) for name, values in found.items()}


def divergence(one: np.ndarray, other: np.ndarray) -> float:
    """The KL divergence of two kernel density estimates of a feature, KL(one || other), in nats.

    Range [0, 18.4], the most that ``FLOOR`` allows; 0 for equal sets. It is not symmetric. Both densities have Gaussian
    kernels of one width on one grid (``densities``); nan where a set has no value that is not nan. Source: Kullback &
    Leibler (1951); Yang & Lerch (2020).
    """
    p, q = densities(one, other)
    return float(max(0.0, (p * np.log(p / q)).sum())) if len(p) else float("nan")


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """The overlapping area of two kernel density estimates of a feature: 1 for equal sets, 0 for disjoint ones.

    Symmetric; nan where a set has no value that is not nan. Densities as in ``divergence``. Source: Yang
    & Lerch (2020).
    """
    p, q = densities(one, other)
    return float(np.minimum(p, q).sum()) if len(p) else float("nan")


def densities(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian kernel density estimates of two sets on one grid: probabilities (points,), each adding up to 1.

    The grid spans both sets, and three bandwidths on either side. The bandwidth is by Scott's rule, 1.06 s n^(-1/5),
    of the smaller spread s and the smaller number n of the two sets, and never below a hundredth of the span: a set of
    one value is a narrow peak. Values that are nan are left out; if none is left in a set, both are empty.

    Raises
    ------
    ValueError
        If a set is not one number a bar.
    """
    one, other = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if one.ndim != 1 or other.ndim != 1:
        raise ValueError(f"shapes {one.shape} and {other.shape}: one feature at a time, features(grooves)['hits']?")
    one, other = one[~np.isnan(one)], other[~np.isnan(other)]
    if not len(one) or not len(other):
        return np.empty(0), np.empty(0)
    both = np.concatenate([one, other])
    span = np.ptp(both) or 1.0
    width = max(1.06 * min(one.std(), other.std()) * min(len(one), len(other)) ** -0.2, span / GRID_POINTS)
    points = np.linspace(both.min() - 3 * width, both.max() + 3 * width, GRID_POINTS)
    return _density(one, points, width), _density(other, points, width)


def nearest_bars(bars: np.ndarray, training_bars: np.ndarray) -> np.ndarray:
    """The Hamming distance of each bar to the nearest training bar: int (bars,), in cells, 0 to 144.

    0 is a copy, 1 a hit more or less, 2 a hit moved. The commonest beats have 0, too: compare with the real drummers'
    own distance. Computed by matrix products, ``|a| + |b| - 2 ab``, some millions of pairs at once.

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
    """The mean Hamming distance of the same bar in two performances, over all pairs of performances, in cells.

    Range [0, 144]; velocities do not count; nan under two performances. More is not better: noise is the most diverse.
    It is Yang & Lerch's (2020) intra-set distance, bar against the same bar.

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
