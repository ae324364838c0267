"""Confidence intervals and tests, over songs or over answers.

Songs are resampled, not windows: windows of one song are dependent. Intervals are two-sided, 95 %, of one comparison:
they do not correct for multiple comparisons (Holm 1979). What is undefined is nan, and None in what goes into JSON.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from drumlib.evaluation.metrics.hits import f1

RESAMPLES = 2_000


def bootstrap(
    songs: np.ndarray, measure: Callable[[np.ndarray], float], seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, float]:
    """A statistic of sums over songs, and its bootstrap percentile interval (Efron and Tibshirani 1993).

    Parameters
    ----------
    songs
        Counts, one row a song: (songs, ...).
    measure
        The statistic of the counts summed over songs, (...,).

    Returns
    -------
    dict of ``value``, ``low``, ``high``. Resamples in which the statistic is nan are left out of the interval.

    Raises
    ------
    ValueError
        If there are no songs.
    """
    songs = np.asarray(songs, dtype=float)
    if not len(songs):
        raise ValueError("no songs: there is nothing to measure")
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(songs), np.full(len(songs), 1 / len(songs)), size=resamples)  # (resamples, songs)
    sums = np.tensordot(times, songs, axes=1)  # (resamples, ...)
    low, high = np.nanquantile([measure(one) for one in sums], [0.025, 0.975])
    return {"value": float(measure(songs.sum(axis=0))), "low": float(low), "high": float(high)}


def mean_over_songs(values: Sequence[float], seed: int = 0) -> dict[str, float | None]:
    """The mean of one figure a song, with its interval; songs where the figure is nan are left out.

    Returns a dict of ``value``, ``low``, ``high``: None without songs, and for the interval of a single song.
    """
    values = np.array([value for value in values if np.isfinite(value)])
    if not len(values):
        return {"value": None, "low": None, "high": None}
    counted = np.stack([values, np.ones_like(values)], axis=1)  # (songs, 2)
    found = bootstrap(counted, lambda sums: float(sums[0] / sums[1]), seed)
    return found if len(values) > 1 else {"value": found["value"], "low": None, "high": None}


def paired_f1_difference(counts: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """F1 minus another F1 on the same songs, with its interval: counts (songs, 3 or more) as in ``Confusion``."""
    return bootstrap(np.stack([counts, others], axis=1), lambda both: f1(both[0]) - f1(both[1]))


Z = 1.959964
"""The 0.975 quantile of the standard normal distribution."""


def wilson_interval(won: int, of: int, z: float = Z) -> tuple[float, float]:
    """The Wilson score interval of a proportion ``won / of`` (Wilson 1927); (0, 1) without any trial.

    Unlike the Wald interval, it never leaves [0, 1], and has a width where all agree.

    Raises ValueError if not 0 <= won <= of.
    """
    check_share(won, of)
    if not of:
        return 0.0, 1.0
    share, weight = won / of, z * z / of
    middle = (share + weight / 2) / (1 + weight)
    reach = z * math.sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def sign_test(won: int, of: int) -> float:
    """The two-sided p value of the exact sign test: min(1, 2 P(X >= max(won, of - won))), X ~ Binomial(of, 1/2).

    Raises ValueError if not 0 <= won <= of.
    """
    check_share(won, of)
    return min(1.0, 2 * sum(math.comb(of, k) for k in range(max(won, of - won), of + 1)) / 2**of)


def check_share(won: int, of: int) -> None:
    """Raise ValueError if not 0 <= won <= of."""
    if not 0 <= won <= of:
        raise ValueError(f"{won} of {of} is no share: the first is a part of the second")
