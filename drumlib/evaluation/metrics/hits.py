"""Scores of hits: do two drummers strike the same drums on the same steps?

Conventions: ``truth`` is what the real drummer played, ``played`` what is judged; both are arrays of 0 and 1 of one
shape, a groove's hits (steps, 9) or many of them stacked. A *cell* is one drum on one step. All scores are in [0, 1].
Where whole grooves are asked for, they are ``music.Groove``.
"""

from typing import NamedTuple

import numpy as np

from drumlib.evaluation.metrics.checks import check_pair
from drumlib.music.grid import STEPS_PER_BAR, Groove


class HitScores(NamedTuple):
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


def hit_scores(counts: Confusion) -> HitScores:
    """Accuracy, precision, recall and F1 of counted cells.

    Accuracy counts the silent cells too, and nine cells in ten are silent: a drummer who never plays has an accuracy
    of 0.9. Precision is the share of right notes among those played, recall among those that should have been; F1 is
    their harmonic mean. Where nothing was played, or nothing should have been, the score in question is 0.
    """
    both, false, missed, neither = counts
    precision = both / (both + false) if both + false else 0.0
    recall = both / (both + missed) if both + missed else 0.0
    f1 = 2 * both / (2 * both + false + missed) if both + false + missed else 0.0
    return HitScores((both + neither) / max(1, sum(counts)), precision, recall, f1)


def error_on_played(truth: np.ndarray, value: np.ndarray, struck: np.ndarray) -> float:
    """The mean absolute error over the cells that the real drummer struck: what a listener hears of it.

    The thesis's squared error averages over silent cells as well, where being right is easy.
    """
    struck = np.asarray(struck, dtype=bool)
    return float(np.abs(np.asarray(truth) - np.asarray(value))[struck].mean()) if struck.any() else 0.0


def by_drum(truth: Groove, played: Groove) -> list[HitScores]:
    """The four scores for each of the nine drums, in ``kit.DRUMS``'s order. Range [0, 1].

    A drum that nobody plays has an F1 of 0, and an accuracy of 1: look at how often it is struck as well.
    """
    check_pair(truth, played)
    return [hit_scores(confusion(truth.hits[:, d], played.hits[:, d])) for d in range(truth.hits.shape[1])]


def by_position(truth: Groove, played: Groove) -> list[HitScores]:
    """The four scores for each of the 16 steps of a bar, all drums together. Range [0, 1].

    The groove begins on a bar line. On beats nearly all drummers agree; between them a drummer is told from another.
    """
    check_pair(truth, played)
    return [
        hit_scores(confusion(truth.hits[step::STEPS_PER_BAR], played.hits[step::STEPS_PER_BAR]))
        for step in range(STEPS_PER_BAR)
    ]


def tolerant_f1(truth: Groove, played: Groove, tolerance: float = 0.5) -> float:
    """F1 in which a note is right if the real drummer strikes the same drum no more than ``tolerance`` steps away.

    Range [0, 1]. Onsets are step + offset. Each note is matched with one other at most; going through both in order
    of time and taking the first that fits gives the most pairs there can be. Half a step: a note that slipped into the
    next cell by a hair, which plain F1 counts as two mistakes, is forgiven. (As onsets are scored in transcription:
    Raffel et al. 2014, mir_eval.) 0 if nothing is played and nothing should be.

    Raises
    ------
    ValueError
        If the tolerance is below 0, or the grooves cannot be compared.
    """
    check_pair(truth, played)
    if tolerance < 0:
        raise ValueError(f"a tolerance of {tolerance} steps: it cannot be below 0")
    pairs = sum(
        matched(onsets_of(truth, drum), onsets_of(played, drum), tolerance) for drum in range(truth.hits.shape[1])
    )
    notes = float(np.sum(truth.hits) + np.sum(played.hits))
    return 2 * pairs / notes if notes else 0.0


def onsets_of(groove: Groove, drum: int) -> list[float]:
    """When a drum is struck, in steps from the beginning, in order of time."""
    steps = np.flatnonzero(groove.hits[:, drum])
    return np.sort(steps + groove.offsets[steps, drum].astype(float)).tolist()


def matched(ones: list[float], others: list[float], tolerance: float) -> int:
    """How many pairs can be made of two rising lists of times, no further apart than ``tolerance``."""
    i = j = pairs = 0
    while i < len(ones) and j < len(others):
        if abs(ones[i] - others[j]) <= tolerance + 1e-9:
            pairs, i, j = pairs + 1, i + 1, j + 1
        elif ones[i] < others[j]:
            i += 1
        else:
            j += 1
    return pairs


class SharedErrors(NamedTuple):
    """Mean absolute errors over the notes that both play; nan if there is none."""

    notes: int
    velocity: float  # in [0, 1]
    offset: float  # in steps, in [0, 1]


def errors_on_shared(truth: Groove, played: Groove) -> SharedErrors:
    """How far loudness and timing are from the real drummer's, over the cells that both strike.

    ``error_on_played`` asks about all cells that the real drummer strikes; this, only where there is something to hear.
    Times the length of a step, the offset's error is in seconds.
    """
    check_pair(truth, played)
    both = (np.asarray(truth.hits) > 0) & (np.asarray(played.hits) > 0)
    if not both.any():
        return SharedErrors(0, float("nan"), float("nan"))
    velocity, offset = (
        float(np.abs(np.asarray(one, dtype=float) - other)[both].mean())
        for one, other in ((truth.velocities, played.velocities), (truth.offsets, played.offsets))
    )
    return SharedErrors(int(both.sum()), velocity, offset)
