"""Where probabilities are cut into notes, and the F1 that such a cut is chosen by."""

from collections.abc import Sequence

import numpy as np

THRESHOLDS = np.arange(0.10, 0.81, 0.02)
"""Where a network's own playing may be cut; the validation songs choose."""


def best_f1_threshold(probability: np.ndarray, truth: np.ndarray) -> float:
    """Where to cut probabilities for the highest F1: one of ``CUTS``, the lowest of equals."""
    found = []
    for cut in THRESHOLDS:
        played = probability > cut
        found.append(2 * np.sum(played & truth) / max(1, played.sum() + truth.sum()))
    return float(THRESHOLDS[int(np.argmax(found))])


def f1(counts: Sequence[float]) -> float:
    """F1 of counted cells (both, false, missed, ...); nan where there is no note at all."""
    both, false, missed = counts[:3]
    return float(2 * both / (2 * both + false + missed)) if both + false + missed else float("nan")
