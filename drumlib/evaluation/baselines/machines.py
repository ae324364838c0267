"""Rivals that have learned nothing: the drum machine, the drum machine with a shaky hand, the bar before again."""

import numpy as np

from drumlib.evaluation.baselines.base import Baseline, humanized, length_of, repeated
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.rock_beat import rock_bar

VELOCITY = 100 / 127
"""How loud a drum machine strikes: what most of them do, unless told otherwise."""


def bar_before(hits: np.ndarray) -> np.ndarray:
    """The drummer who plays, in every bar, what was really played in the bar before; silence in the first.

    ``hits`` is (steps, 9), from the beginning of a song. Like a teacher-forced network, this drummer is told the
    truth after each bar; unlike it, he has learned nothing and does not listen to the band.
    """
    before = np.zeros_like(hits)
    before[STEPS_PER_BAR:] = hits[:-STEPS_PER_BAR]
    return before


class DrumMachine(Baseline):
    """The thesis's one-bar rock beat (4.4), in every bar, on the grid, all strokes equally loud."""

    name = "drum-machine"

    def play(self, rolls, truth=None, seed=0):
        bar = rock_bar()  # (16, 9)
        return repeated(Groove(bar, VELOCITY * bar, np.zeros_like(bar)), length_of(rolls))


class HumanizedMachine(DrumMachine):
    """The same beat with what drum machines and sequencers call "humanize": each stroke's velocity and timing drawn.

    A real drummer's deviations are not random: they depend on the drum, the place in the bar and the style (Gillick
    et al. 2019). That is the difference that a learned humanizer has to show.
    """

    name = "humanized-machine"
    loud, late = 0.08, 0.08  # 10 of MIDI's 127; at 120 bpm, where a step lasts 125 ms, 10 ms

    def play(self, rolls, truth=None, seed=0):
        return humanized(super().play(rolls), self.loud, self.late, seed)


class BarBefore(Baseline):
    """The true bar before, again, loudness and timing included: what one is told, and nothing else."""

    name = "bar-before"
    teacher_forced = True

    def play(self, rolls, truth=None, seed=0):
        if truth is None:
            raise ValueError("who plays the bar before again must be told the true drums")
        return Groove(*(bar_before(x) for x in (truth.hits, truth.velocities, truth.offsets)))
