"""The thesis's one-bar rock beat, and the similarity of a rhythm to it (4.4)."""

import numpy as np

from drumlib.music.grid import STEPS_PER_BAR, Grid
from drumlib.music.kit import CLOSED_HAT, CRASH, DRUMS, KICK, OPEN_HAT, SNARE


def rock_bar() -> np.ndarray:
    """One bar of the thesis's rock beat, as hits (16, 9)."""
    bar = np.zeros((STEPS_PER_BAR, len(DRUMS)))
    bar[[0, 8, 10], KICK] = 1
    bar[[4, 12], SNARE] = 1
    bar[::2, CLOSED_HAT] = 1
    bar[14, OPEN_HAT] = 1
    bar[0, CRASH] = 1
    return bar


def rock_beat(grid: Grid) -> np.ndarray:
    """The rock beat in every bar of a grid, as hits (steps, 9)."""
    return np.tile(rock_bar(), (grid.steps // STEPS_PER_BAR, 1))


def rock_beat_similarity(hits: np.ndarray, grid: Grid) -> float:
    """The share of a rhythm's cells that equal the rock beat's, in [0, 1]: the thesis's ranking function (4.4).

    (The thesis's code never reset its accuracy between rhythms, so it averaged each with all those before.)
    """
    return float((hits == rock_beat(grid))[grid.played].mean())
