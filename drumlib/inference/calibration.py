"""Calibration of probabilities that the thesis's weighted loss biases."""

import numpy as np


def calibrate(probability: np.ndarray) -> np.ndarray:
    """How likely a note really is, where a network trained with ``weighted_focal_loss`` says ``probability``.

    The loss weighs notes more, so the network's best answer is higher than the truth. Where notes have the true
    probability q, the answer p that costs least is where the loss's derivative is zero, and that can be solved for q:

        q / (1 - q) = (p / (1 - p) - log(1 - p)) / (3 ((1 - p) / p - log p))

    An answer of 0.5 means a true probability of 0.25. To play a note exactly where it is more likely than not, the
    threshold on the network's answer must be 0.65: the thesis, trying several, settled on 0.60 to 0.64.
    """
    p = np.clip(np.asarray(probability, dtype=np.float64), 1e-6, 1 - 1e-6)
    odds = (p / (1 - p) - np.log(1 - p)) / (3 * ((1 - p) / p - np.log(p)))
    return odds / (1 + odds)
