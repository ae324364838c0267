"""Thresholds: from a network's outputs to notes, and the choice of a threshold by F1 on validation songs."""

import numpy as np

from drumlib.music.grid import Groove

THRESHOLDS = np.arange(0.10, 0.81, 0.02)
"""The thresholds among which the validation songs choose."""


def apply_threshold(heads: dict[str, np.ndarray], threshold: float) -> Groove:
    """A groove of a network's three heads, (T, 9) each: a hit where the probability exceeds ``threshold``."""
    hits = heads["hits"] > threshold
    velocities, offsets = np.clip(heads["velocities"], 1 / 127, 1), np.clip(heads["offsets"], -0.5, 0.499)
    return Groove(hits, velocities * hits, offsets * hits)


def best_f1_threshold(probability: np.ndarray, truth: np.ndarray) -> float:
    """argmax over t in ``THRESHOLDS`` of F1(probability > t, truth); the lowest of equals."""
    scores = []
    for threshold in THRESHOLDS:
        played = probability > threshold
        scores.append(2 * np.sum(played & truth) / max(1, played.sum() + truth.sum()))
    return float(THRESHOLDS[int(np.argmax(scores))])


def default_threshold(network) -> float:
    """The middle one of a preset's own thresholds (0.62 for the thesis's), where no songs are there to choose by."""
    own = network.preset.thresholds
    return float(own[len(own) // 2])
