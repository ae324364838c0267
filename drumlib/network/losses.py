"""What the network is told about its mistakes (thesis, 5.1), and what that does to its probabilities."""

import numpy as np
from keras import ops


def hits_loss(truth, probability):
    """The thesis's loss on hits: a focal loss (gamma 1) in which a missed note weighs three times a false one.

    ``6 y (1 - p) (-log p) + 2 (1 - y) p (-log(1 - p))``, averaged over all cells. Few cells hold a note, and most
    of those that do not are easy: this makes the network care about the notes. (Focal loss: Lin et al. 2017.)
    """
    p = ops.clip(probability, 1e-7, 1 - 1e-7)
    missed = 6 * truth * (1 - p) * -ops.log(p)
    false = 2 * (1 - truth) * p * -ops.log(1 - p)
    return ops.mean(missed + false)


def squared_error(truth, value):
    """Mean squared error over all cells, silent ones included, as in the thesis."""
    return ops.mean(ops.square(truth - value))


HOW_WEIGHT = 0.3
"""How much a mended loss minds how a note is played (velocity, offset), beside whether it is."""


def cross_entropy(truth, probability):
    """The plain log loss on hits, averaged over all cells: it costs least when probabilities are what they say."""
    p = ops.clip(probability, 1e-7, 1 - 1e-7)
    return -ops.mean(truth * ops.log(p) + (1 - truth) * ops.log(1 - p))


def squared_error_on_played(truth_and_hits, value):
    """Mean squared error over the cells that the real drummer struck: elsewhere there is nothing to be right about.

    ``truth_and_hits`` has the true values and, beside them, the hits: (B, T, 18). A batch without a hit costs nothing.
    """
    truth, struck = ops.split(truth_and_hits, 2, axis=-1)  # (B, T, 18) -> 2 x (B, T, 9)
    return ops.sum(struck * ops.square(truth - value)) / ops.maximum(ops.sum(struck), 1.0)


def mended(truth, answer):
    """All three mended losses in one, where the three answers come side by side: both arguments are (B, T, 27)."""
    hits, velocities, offsets = ops.split(answer, 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
    struck, *true = ops.split(truth, 3, axis=-1)  # 3 x (B, T, 9)
    errors = sum(
        squared_error_on_played(ops.concatenate([x, struck], axis=-1), value)
        for x, value in zip(true, (velocities, offsets), strict=True)
    )
    return cross_entropy(struck, hits) + HOW_WEIGHT * errors


LOSSES = {
    "thesis": {"hits": hits_loss, "velocities": squared_error, "offsets": squared_error},
    "mended": {"hits": cross_entropy, "velocities": squared_error_on_played, "offsets": squared_error_on_played},
    "listening": {
        "hits": cross_entropy,
        "velocities": squared_error_on_played,
        "offsets": squared_error_on_played,
        "alone": mended,
    },
}
"""The losses that a preset can choose. What is mended: probabilities that mean what they say, and velocities and
offsets that are judged where there is a note. "listening" judges what the band alone tells, too."""

LOSS_WEIGHTS = {
    "thesis": None,
    "mended": {"hits": 1.0, "velocities": HOW_WEIGHT, "offsets": HOW_WEIGHT},
    "listening": {"hits": 1.0, "velocities": HOW_WEIGHT, "offsets": HOW_WEIGHT, "alone": 1.0},
}


def calibrate(probability: np.ndarray) -> np.ndarray:
    """How likely a note really is, where a network trained with ``hits_loss`` says ``probability``.

    The loss weighs notes more, so the network's best answer is higher than the truth. Where notes have the true
    probability q, the answer p that costs least is where the loss's derivative is zero, and that can be solved for q:

        q / (1 - q) = (p / (1 - p) - log(1 - p)) / (3 ((1 - p) / p - log p))

    An answer of 0.5 means a true probability of 0.25. To play a note exactly where it is more likely than not, the
    threshold on the network's answer must be 0.65: the thesis, trying several, settled on 0.60 to 0.64.
    """
    p = np.clip(np.asarray(probability, dtype=np.float64), 1e-6, 1 - 1e-6)
    odds = (p / (1 - p) - np.log(1 - p)) / (3 * ((1 - p) / p - np.log(p)))
    return odds / (1 + odds)
