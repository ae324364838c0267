"""Humble rivals. A network that does not beat them has learned less than it seems."""

import numpy as np

from drumlib.music.grid import STEPS_PER_BAR


def bar_before(hits: np.ndarray) -> np.ndarray:
    """The drummer who plays, in every bar, what was really played in the bar before; silence in the first.

    ``hits`` is (steps, 9), from the beginning of a song. Like a teacher-forced network, this drummer is told the
    truth after each bar; unlike it, he has learned nothing and does not listen to the band.
    """
    before = np.zeros_like(hits)
    before[STEPS_PER_BAR:] = hits[:-STEPS_PER_BAR]
    return before
