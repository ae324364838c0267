"""Validation of the metrics' input: each message names the likely mistake."""

from collections.abc import Mapping

import numpy as np

from drumlib.music.grid import Groove
from drumlib.music.kit import DRUMS


def check_groove(groove: Groove, name: str = "the groove") -> None:
    """Raise ValueError if a groove has impossible shapes or values."""
    hits, velocities, offsets = (np.asarray(x) for x in (groove.hits, groove.velocities, groove.offsets))
    if hits.ndim != 2 or hits.shape[1] != len(DRUMS) or not hits.shape == velocities.shape == offsets.shape:
        raise ValueError(f"{name} has shapes {hits.shape}, {velocities.shape}, {offsets.shape}, not three times (T, 9)")
    if not hits.size:
        return
    struck = hits != 0
    if not np.array_equal(hits, struck):  # also where a hit is nan
        raise ValueError(f"{name} has hits other than 0 and 1: are these probabilities, without a threshold?")
    softest, loudest, earliest, latest = velocities.min(), velocities.max(), offsets.min(), offsets.max()
    if not np.isfinite([softest, loudest, earliest, latest]).all():  # a nan anywhere is the least and the most
        raise ValueError(f"{name} has velocities or offsets that are no numbers: did a training diverge?")
    if softest < 0 or loudest > 1:
        raise ValueError(f"{name} has velocities outside 0 to 1: are these MIDI's 0 to 127, to be divided by 127?")
    if earliest < -0.5 or latest > 0.5:
        raise ValueError(f"{name} has offsets of more than half a step: are these ticks, or milliseconds?")
    if (((velocities != 0) | (offsets != 0)) & ~struck).any():
        raise ValueError(f"{name} has velocities or offsets where nothing is struck: multiply them by the hits")


def check_pair(truth: Groove, played: Groove) -> None:
    """Raise ValueError if two grooves cannot be compared."""
    check_groove(truth, "the real drummer's groove")
    check_groove(played, "the groove that is scored")
    if len(truth) != len(played):
        raise ValueError(f"truth has {len(truth)} steps, played {len(played)}: are both on the same grid?")


def check_band(band: Mapping[str, np.ndarray], steps: int) -> None:
    """Raise ValueError if a band's rolls are not (steps, 128)."""
    for family, roll in band.items():
        if np.shape(roll) != (steps, 128):
            raise ValueError(f"the {family}'s roll has shape {np.shape(roll)}, not {(steps, 128)}: another grid?")
