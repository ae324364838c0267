"""Scores of hits: does a groove have its hits where the real drummer's groove has them?

Conventions
-----------
``truth`` is the reference, ``played`` the estimate: arrays of 0 and 1 of one shape, a groove's hits (steps, 9) or many
of them stacked; where whole grooves are asked for, ``music.Groove``. A *cell* is one drum on one step. Scores are in
[0, 1]; one that is undefined (the precision of silence) is nan. Every function validates its input first.

Metrics
-------
- ``confusion``, ``hit_scores``, ``f1``: accuracy, precision, recall, F1 of cells;
- ``by_drum``, ``by_position``: the same for each drum, for each step of the bar;
- ``tolerant_f1``: F1 of onsets matched within a tolerance (``mir_eval.onset.f_measure``, drum by drum);
- ``errors_on_shared``, ``error_on_played``: mean absolute errors of velocity and offset.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from drumlib.evaluation.metrics.checks import check_pair
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import DRUMS


class HitScores(NamedTuple):
    """The four scores of hits, in the order of the thesis's table (5.1), and F1."""

    accuracy: float
    precision: float
    recall: float
    f1: float


class Confusion(NamedTuple):
    """Counts of cells. They can be added up over songs; scores cannot: ``Confusion(*map(sum, zip(*confusions)))``."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


def confusion(truth: np.ndarray, played: np.ndarray) -> Confusion:
    """Count the cells.

    Raises
    ------
    ValueError
        If the shapes differ, or if ``played`` holds probabilities: apply a threshold first.
    """
    truth, played = np.asarray(truth), np.asarray(played)
    if truth.shape != played.shape:
        raise ValueError(f"truth has shape {truth.shape}, played {played.shape}: are both on the same grid?")
    for name, array in (("truth", truth), ("played", played)):
        if not np.isin(array, (0, 1)).all():
            raise ValueError(f"{name} holds other values than 0 and 1: are these probabilities, without a threshold?")
    truth, played = truth.astype(bool), played.astype(bool)
    return Confusion(*(int(np.sum(x)) for x in (truth & played, ~truth & played, truth & ~played, ~truth & ~played)))


def hit_scores(counts: Confusion) -> HitScores:
    """Accuracy (TP + TN) / all, precision TP / (TP + FP), recall TP / (TP + FN), F1 2 TP / (2 TP + FP + FN).

    Nine cells in ten are silent: predicting silence everywhere has an accuracy of 0.9, and no precision (nan).
    """
    true, false, missed, silent = counts
    return HitScores(
        ratio(true + silent, sum(counts)), ratio(true, true + false), ratio(true, true + missed), f1(counts)
    )


def f1(counts: Sequence[float]) -> float:
    """F1 = 2 TP / (2 TP + FP + FN) of counts (TP, FP, FN, ...); nan without any note."""
    true, false, missed = counts[:3]
    return ratio(2 * true, 2 * true + false + missed)


def ratio(part: float, whole: float) -> float:
    """A quotient; nan where it is undefined."""
    return float(part / whole) if whole else float("nan")


def error_on_played(truth: np.ndarray, value: np.ndarray, struck: np.ndarray) -> float:
    """The mean absolute error over the cells that the real drummer struck; nan if there are none.

    The thesis's squared error averages over silent cells as well, where being right is easy.
    """
    struck = np.asarray(struck, dtype=bool)
    return float(np.abs(np.asarray(truth) - np.asarray(value))[struck].mean()) if struck.any() else float("nan")


def by_drum(truth: Groove, played: Groove) -> dict[str, HitScores]:
    """The four scores of each of the nine drums, by its name. A drum without any note has an F1 of nan."""
    check_pair(truth, played)
    return {name: hit_scores(confusion(truth.hits[:, d], played.hits[:, d])) for d, name in enumerate(DRUMS)}


def by_position(truth: Groove, played: Groove) -> list[HitScores]:
    """The four scores of each of the 16 steps of a bar, all drums together. The groove begins on a bar line."""
    check_pair(truth, played)
    return [
        hit_scores(confusion(truth.hits[step::STEPS_PER_BAR], played.hits[step::STEPS_PER_BAR]))
        for step in range(STEPS_PER_BAR)
    ]


def tolerant_f1(truth: Groove, played: Groove, tolerance: float = 0.5) -> float:
    """F1 = 2 pairs / notes of onsets of the same drum matched within ``tolerance`` steps; nan without any note.

    Onsets are step + offset. Each note is matched with one other at most, by a maximum matching, as in
    ``mir_eval.onset.f_measure`` (Raffel et al. 2014). With half a step, a note that slipped into the next cell by a
    hair, which F1 of cells counts as two errors, is correct.

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
    return ratio(2 * pairs, float(np.sum(truth.hits) + np.sum(played.hits)))


def onsets_of(groove: Groove, drum: int) -> list[float]:
    """The onsets of one drum, in steps from the beginning, in order of time."""
    steps = np.flatnonzero(groove.hits[:, drum])
    return np.sort(steps + groove.offsets[steps, drum].astype(float)).tolist()


def matched(ones: list[float], others: list[float], tolerance: float) -> int:
    """The size of a maximum matching of two sorted lists of times, pairs no further apart than ``tolerance``.

    In order of time, the first that fits is taken: in one dimension, this greedy matching is maximal.
    """
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
    """Mean absolute errors over true positives; nan if there are none."""

    notes: int
    velocity: float  # in [0, 1]
    offset: float  # in steps, in [0, 1]


def errors_on_shared(truth: Groove, played: Groove) -> SharedErrors:
    """Mean absolute errors of velocity and offset over true positives (``error_on_played``: over all true hits).

    Times the length of a step, the error of the offset is in seconds.
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
