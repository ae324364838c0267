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
