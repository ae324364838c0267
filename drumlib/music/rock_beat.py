"""The one-bar rock beat by which the thesis ranks grooves (4.4)."""

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
    """The one-bar rock beat in every bar of a song, as hits (steps, 9)."""
    return np.tile(rock_bar(), (grid.steps // STEPS_PER_BAR, 1))


def rock_beat_similarity(hits: np.ndarray, grid: Grid) -> float:
    """The share of cells, in [0, 1], in which hits (steps, 9) agree with the rock beat: the thesis's ranking function.

    Each groove is compared by itself. (The thesis's code never reset its accuracy metric, so it averaged over all
    grooves before.)
    """
    return float((hits == rock_beat(grid))[grid.played].mean())
