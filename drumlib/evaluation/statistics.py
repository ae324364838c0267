"""How sure can we be? Intervals by drawing songs, not windows: windows of one song are alike (bootstrap)."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from drumlib.evaluation.thresholds import f1

RESAMPLES = 2_000


def bootstrap(songs: np.ndarray, measure: Callable[[np.ndarray], float], seed: int = 0, draws: int = RESAMPLES) -> dict:
    """A figure over songs, and the interval in which it lies for 95 of 100 draws of as many songs, with repeats.

    Parameters
    ----------
    songs
        Counts, one row a song: (songs, ...).
    measure
        Makes a figure of the counts summed over songs, (...,).

    Returns
    -------
    dict of ``value``, ``low``, ``high``. (Efron and Tibshirani 1993.)

    Raises
    ------
    ValueError
        If there are no songs.
    """
    songs = np.asarray(songs, dtype=float)
    if not len(songs):
        raise ValueError("no songs: there is nothing to measure")
    rng = np.random.default_rng(seed)
    chosen = rng.multinomial(len(songs), np.full(len(songs), 1 / len(songs)), size=draws)  # (draws, songs)
    sums = np.tensordot(chosen, songs, axes=1)  # (draws, ...)
    figures = np.array([measure(one) for one in sums])
    low, high = np.nanquantile(figures, [0.025, 0.975])
    return {"value": float(measure(songs.sum(axis=0))), "low": float(low), "high": float(high)}


def mean_over_songs(values: Sequence[float], seed: int = 0) -> dict:
    """The mean of one figure a song, each song counting once, with its interval; songs without the figure are left out.

    Returns a dict of ``value``, ``low``, ``high``: None where there is nothing to take the mean of, or, for the
    interval, nothing to draw from but one song.
    """
    values = np.array([value for value in values if np.isfinite(value)])
    if not len(values):
        return {"value": None, "low": None, "high": None}
    counted = np.stack([values, np.ones_like(values)], axis=1)  # (songs, 2)
    found = bootstrap(counted, lambda sums: float(sums[0] / sums[1]), seed)
    return found if len(values) > 1 else {"value": found["value"], "low": None, "high": None}


Z = 1.959964
"""95 of 100 draws from a standard Gaussian lie within so many standard deviations."""


def wilson_interval(won: int, of: int, z: float = Z) -> tuple[float, float]:
    """The interval of a share (Wilson 1927): all shares from which ``won`` of ``of`` is no surprise.

    Unlike share plus or minus two standard errors, it never leaves [0, 1] and has a width where all agree. With no
    answers at all it is (0, 1).

    Raises
    ------
    ValueError
        If not 0 <= won <= of.
    """
    if not 0 <= won <= of:
        raise ValueError(f"{won} of {of} is no share: the first is a part of the second")
    if not of:
        return 0.0, 1.0
    share, weight = won / of, z * z / of
    middle = (share + weight / 2) / (1 + weight)
    reach = z * math.sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def sign_test(won: int, of: int) -> float:
    """The sign test: how often a fair coin, thrown ``of`` times, is at least as one-sided as ``won`` of ``of``."""
    if not 0 <= won <= of:
        raise ValueError(f"{won} of {of} is no share: the first is a part of the second")
    return min(1.0, 2 * sum(math.comb(of, k) for k in range(max(won, of - won), of + 1)) / 2**of)


def paired_f1_difference(counts, others) -> dict:
    """By how much one drummer's F1 is above another's on the same songs, with its interval. Both (songs, 3)."""
    return bootstrap(np.stack([counts, others], axis=1), lambda both: f1(both[0]) - f1(both[1]))
