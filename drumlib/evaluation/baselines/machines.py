"""Baselines that do not learn: a drum machine, a drum machine with random humanizing, the bar before."""

import numpy as np

from drumlib.evaluation.baselines.base import Baseline, humanized, length_of, repeated
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.rock_beat import rock_bar

VELOCITY = 100 / 127
"""The default velocity of most drum machines."""


def bar_before(hits: np.ndarray) -> np.ndarray:
    """In every bar, what was really played in the bar before; silence in the first. ``hits``: (steps, 9), a whole song.

    Like a teacher-forced network, this baseline is given the true past; unlike it, it ignores the band.
    """
    before = np.zeros_like(hits)
    before[STEPS_PER_BAR:] = hits[:-STEPS_PER_BAR]
    return before


class DrumMachine(Baseline):
    """The thesis's one-bar rock beat (4.4), in every bar, on the grid, of one velocity."""

    name = "drum-machine"

    def play(self, rolls, truth=None, seed=0):
        bar = rock_bar()  # (16, 9)
        return repeated(Groove(bar, VELOCITY * bar, np.zeros_like(bar)), length_of(rolls))


class HumanizedMachine(DrumMachine):
    """The same beat with what drum machines and sequencers call "humanize": i.i.d. noise on velocities and offsets.

    A real drummer's deviations depend on the drum, the place in the bar and the style (Gillick et al. 2019): that is
    what a learned humanizer adds.
    """

    name = "humanized-machine"
    loud, late = 0.08, 0.08  # 10 of MIDI's 127; at 120 bpm, where a step lasts 125 ms, 10 ms

    def play(self, rolls, truth=None, seed=0):
        return humanized(super().play(rolls), self.loud, self.late, seed)


class BarBefore(Baseline):
    """The true bar before, velocities and offsets included (teacher-forced)."""

    name = "bar-before"
    teacher_forced = True

    def play(self, rolls, truth=None, seed=0):
        if truth is None:
            raise ValueError("bar-before is teacher-forced: it needs the truth")
        return Groove(*(bar_before(x) for x in (truth.hits, truth.velocities, truth.offsets)))
