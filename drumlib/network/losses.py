"""Loss functions of all networks (thesis, 5.1, and ours).

Arguments are the truth and the network's output. Where an error counts only at hits ("masked"), the true values come
with the hits concatenated to them, (B, T, 18).
"""

from keras import ops


def weighted_focal_loss(truth, probability):
    """Weighted focal loss on hits (gamma 1): ``mean(6 y (1 - p) (-log p) + 2 (1 - y) p (-log(1 - p)))``, the thesis's.

    A missed note weighs three times a false one. (Focal loss: Lin et al. 2017.) It biases the probabilities; see
    ``inference.calibration.calibrate``.
    """
    p = ops.clip(probability, 1e-7, 1 - 1e-7)
    missed = 6 * truth * (1 - p) * -ops.log(p)
    false = 2 * (1 - truth) * p * -ops.log(1 - p)
    return ops.mean(missed + false)


def squared_error(truth, value):
    """Mean squared error over all cells, silent ones included, as in the thesis."""
    return ops.mean(ops.square(truth - value))


EXPRESSION_WEIGHT = 0.3
"""The weight of velocities and offsets in the masked losses, relative to hits."""


def cross_entropy(truth, probability):
    """Binary cross-entropy on hits, ``-mean(y log p + (1 - y) log(1 - p))``: a proper scoring rule."""
    p = ops.clip(probability, 1e-7, 1 - 1e-7)
    return -ops.mean(truth * ops.log(p) + (1 - truth) * ops.log(1 - p))


def squares_at_hits(truth_and_hits, value):
    """Squared errors where there is a hit, 0 elsewhere, and the hits: (B, T, 18), (B, T, 9) -> 2 x (B, T, 9)."""
    truth, hits = ops.split(truth_and_hits, 2, axis=-1)  # (B, T, 18) -> 2 x (B, T, 9)
    return hits * ops.square(truth - value), hits


def masked_squared_error(truth_and_hits, value):
    """Mean squared error over the cells with a hit; 0 for a batch without one."""
    squares, hits = squares_at_hits(truth_and_hits, value)
    return ops.sum(squares) / ops.maximum(ops.sum(hits), 1.0)


def masked_loss(truth, output):
    """Cross-entropy plus ``EXPRESSION_WEIGHT`` times both masked errors, on concatenated heads: both are (B, T, 27)."""
    hits, velocities, offsets = ops.split(output, 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
    true_hits, *true = ops.split(truth, 3, axis=-1)  # 3 x (B, T, 9)
    errors = sum(
        masked_squared_error(ops.concatenate([x, true_hits], axis=-1), value)
        for x, value in zip(true, (velocities, offsets), strict=True)
    )
    return cross_entropy(true_hits, hits) + EXPRESSION_WEIGHT * errors


def summed_cross_entropy(truth, probability):
    """Cross-entropy summed over the nine drums, averaged over steps and windows: nats a step."""
    p = ops.clip(probability, 1e-6, 1 - 1e-6)
    return -ops.mean(ops.sum(truth * ops.log(p) + (1 - truth) * ops.log(1 - p), axis=-1))


def summed_squared_error(truth_and_hits, value):
    """Squared error at hits summed over the nine drums, averaged over steps and windows."""
    return ops.mean(ops.sum(squares_at_hits(truth_and_hits, value)[0], axis=-1))


MASKED = {"hits": cross_entropy, "velocities": masked_squared_error, "offsets": masked_squared_error}
EXPRESSION_WEIGHTS = {"hits": 1.0, "velocities": EXPRESSION_WEIGHT, "offsets": EXPRESSION_WEIGHT}

LOSSES = {
    "thesis": {"hits": weighted_focal_loss, "velocities": squared_error, "offsets": squared_error},
    "masked": MASKED,
    "masked-two-heads": {**MASKED, "band_only": masked_loss},
}
"""The losses of drummers' networks by the name in their preset. "masked": unbiased probabilities, and velocities and
offsets judged at hits only; "masked-two-heads": the same for the head that sees only the band, too."""

LOSS_WEIGHTS = {
    "thesis": None,
    "masked": EXPRESSION_WEIGHTS,
    "masked-two-heads": {**EXPRESSION_WEIGHTS, "band_only": 1.0},
}
