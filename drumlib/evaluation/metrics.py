"""Scores of hits: do two drummers strike the same drums on the same steps?

Conventions: ``truth`` is what the real drummer played, ``played`` what is judged; both are arrays of 0 and 1 of one
shape, a groove's hits (steps, 9) or many of them stacked. A *cell* is one drum on one step. All scores are in [0, 1].
"""

from typing import NamedTuple

import numpy as np


class Agreement(NamedTuple):
    """The four scores of hits, in the order of the thesis's table (5.1), and F1."""

    accuracy: float
    precision: float
    recall: float
    f1: float


class Confusion(NamedTuple):
    """How many cells are struck by both, only by the one that is judged, only by the real drummer, by neither.

    Counts can be added up over songs, scores cannot: ``Confusion(*map(sum, zip(*confusions)))``.
    """

    both: int
    false: int
    missed: int
    neither: int


def confusion(truth: np.ndarray, played: np.ndarray) -> Confusion:
    """Count the cells.

    Raises
    ------
    ValueError
        If the shapes differ, or if ``played`` holds probabilities: cut them at a threshold first.
    """
    truth, played = np.asarray(truth), np.asarray(played)
    if truth.shape != played.shape:
        raise ValueError(f"truth has shape {truth.shape}, played {played.shape}: are both on the same grid?")
    for name, array in (("truth", truth), ("played", played)):
        if not np.isin(array, (0, 1)).all():
            raise ValueError(f"{name} holds other values than 0 and 1: are these probabilities, to be cut first?")
    truth, played = truth.astype(bool), played.astype(bool)
    return Confusion(*(int(np.sum(x)) for x in (truth & played, ~truth & played, truth & ~played, ~truth & ~played)))


def agreement(counts: Confusion) -> Agreement:
    """Accuracy, precision, recall and F1 of counted cells.

    Accuracy counts the silent cells too, and nine cells in ten are silent: a drummer who never plays has an accuracy
    of 0.9. Precision is the share of right notes among those played, recall among those that should have been; F1 is
    their harmonic mean. Where nothing was played, or nothing should have been, the score in question is 0.
    """
    both, false, missed, neither = counts
    precision = both / (both + false) if both + false else 0.0
    recall = both / (both + missed) if both + missed else 0.0
    f1 = 2 * both / (2 * both + false + missed) if both + false + missed else 0.0
    return Agreement((both + neither) / max(1, sum(counts)), precision, recall, f1)


def error_on_played(truth: np.ndarray, value: np.ndarray, struck: np.ndarray) -> float:
    """The mean absolute error over the cells that the real drummer struck: what a listener hears of it.

    The thesis's squared error averages over silent cells as well, where being right is easy.
    """
    struck = np.asarray(struck, dtype=bool)
    return float(np.abs(np.asarray(truth) - np.asarray(value))[struck].mean()) if struck.any() else 0.0
