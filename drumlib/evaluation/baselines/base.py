"""What all baselines have in common: they are given a whole song's band, and play its drums."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import DRUMS

N = len(DRUMS)


class Baseline(ABC):
    """A drummer without a network.

    Attributes
    ----------
    name : its name on the command line and in tables.
    teacher_forced : whether it is given the true drums of the bars before the one it plays.
    listens : whether its output depends on the band.
    learns : whether it is trained on the training songs' windows.
    """

    name: ClassVar[str]
    teacher_forced: ClassVar[bool] = False
    listens: ClassVar[bool] = False
    learns: ClassVar[bool] = False

    @abstractmethod
    def play(self, rolls: dict[str, np.ndarray], truth: Groove | None = None, seed: int = 0) -> Groove:
        """Play a whole song.

        Parameters
        ----------
        rolls
            ``piano``, ``guitar``, ``bass``: onsets, each (T, 128). T is a multiple of 16.
        truth
            What the real drummer played, T steps: only for a ``teacher_forced`` one, which uses the bars before.
        seed
            For those that sample.
        """


def length_of(rolls: dict[str, np.ndarray]) -> int:
    """The number of steps of a song, T. Raises ValueError if it does not end on a bar line."""
    length = len(rolls["bass"])
    if length % STEPS_PER_BAR:
        raise ValueError(f"the song has {length} steps, which is no whole number of bars")
    return length


def repeated(bar: Groove, length: int) -> Groove:
    """One bar, (16, 9), in every bar of ``length`` steps."""
    bars = -(-length // STEPS_PER_BAR)
    return Groove(*(np.tile(x, (bars, 1))[:length] for x in (bar.hits, bar.velocities, bar.offsets)))


def humanized(groove: Groove, loud: float, late: float, seed: int) -> Groove:
    """The same hits with Gaussian noise on velocities and offsets, of standard deviations ``loud`` and ``late``.

    ``loud`` is a share of full velocity, ``late`` a share of a step.
    """
    rng = np.random.default_rng(seed)
    louder, later = rng.standard_normal((2, *groove.hits.shape))
    velocities = np.clip(groove.velocities + loud * louder, 1 / 127, 1) * groove.hits
    offsets = np.clip(groove.offsets + late * later, -0.5, 0.499) * groove.hits
    return Groove(groove.hits, velocities, offsets)
