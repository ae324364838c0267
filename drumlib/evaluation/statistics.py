"""How sure can we be? Intervals by drawing songs, not windows: windows of one song are alike (bootstrap)."""

from collections.abc import Callable, Sequence

import numpy as np

DRAWS = 2_000


def bootstrap(songs: np.ndarray, measure: Callable[[np.ndarray], float], seed: int = 0, draws: int = DRAWS) -> dict:
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
