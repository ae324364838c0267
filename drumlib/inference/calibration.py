"""Calibration of the probabilities that the thesis's weighted loss biases."""

import numpy as np


def calibrate(probability: np.ndarray | float) -> np.ndarray:
    """The true probability q of a hit, where a network trained with ``weighted_focal_loss`` outputs p.

    The loss gives hits a larger weight than silence, so the output of least expected loss is biased upwards. The
    derivative of the expected loss with respect to p is zero where

        q / (1 - q) = (p / (1 - p) - log(1 - p)) / (3 ((1 - p) / p - log p))

    An output of 0.5 means q = 0.25. To play exactly the notes that are more probable than not, the threshold on the
    output must be 0.65: the thesis, by trial, settled on 0.60 to 0.64.
    """
    p = np.clip(np.asarray(probability, dtype=np.float64), 1e-6, 1 - 1e-6)
    odds = (p / (1 - p) - np.log(1 - p)) / (3 * ((1 - p) / p - np.log(p)))
    return odds / (1 + odds)
