"""What the network is told about its mistakes (thesis, 5.1), and what that does to its probabilities."""

from keras import ops


def weighted_focal_loss(truth, probability):
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


EXPRESSION_WEIGHT = 0.3
"""How much a mended loss minds how a note is played (velocity, offset), beside whether it is."""


def cross_entropy(truth, probability):
    """The plain log loss on hits, averaged over all cells: it costs least when probabilities are what they say."""
    p = ops.clip(probability, 1e-7, 1 - 1e-7)
    return -ops.mean(truth * ops.log(p) + (1 - truth) * ops.log(1 - p))


def masked_squared_error(truth_and_hits, value):
    """Mean squared error over the cells that the real drummer struck: elsewhere there is nothing to be right about.

    ``truth_and_hits`` has the true values and, beside them, the hits: (B, T, 18). A batch without a hit costs nothing.
    """
    truth, struck = ops.split(truth_and_hits, 2, axis=-1)  # (B, T, 18) -> 2 x (B, T, 9)
    return ops.sum(struck * ops.square(truth - value)) / ops.maximum(ops.sum(struck), 1.0)


def masked_loss(truth, answer):
    """All three mended losses in one, where the three answers come side by side: both arguments are (B, T, 27)."""
    hits, velocities, offsets = ops.split(answer, 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
    struck, *true = ops.split(truth, 3, axis=-1)  # 3 x (B, T, 9)
    errors = sum(
        masked_squared_error(ops.concatenate([x, struck], axis=-1), value)
        for x, value in zip(true, (velocities, offsets), strict=True)
    )
    return cross_entropy(struck, hits) + EXPRESSION_WEIGHT * errors


LOSSES = {
    "thesis": {"hits": weighted_focal_loss, "velocities": squared_error, "offsets": squared_error},
    "mended": {"hits": cross_entropy, "velocities": masked_squared_error, "offsets": masked_squared_error},
    "listening": {
        "hits": cross_entropy,
        "velocities": masked_squared_error,
        "offsets": masked_squared_error,
        "alone": masked_loss,
    },
}
"""The losses that a preset can choose. What is mended: probabilities that mean what they say, and velocities and
offsets that are judged where there is a note. "listening" judges what the band alone tells, too."""

LOSS_WEIGHTS = {
    "thesis": None,
    "mended": {"hits": 1.0, "velocities": EXPRESSION_WEIGHT, "offsets": EXPRESSION_WEIGHT},
    "listening": {"hits": 1.0, "velocities": EXPRESSION_WEIGHT, "offsets": EXPRESSION_WEIGHT, "alone": 1.0},
}
