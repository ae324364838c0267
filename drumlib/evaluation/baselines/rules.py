"""The rule-based baseline: nothing is learned."""

import numpy as np

from drumlib.evaluation.baselines.base import Baseline, N, humanized, length_of
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import CLOSED_HAT, CRASH, HIGH_TOM, KICK, LOW_TOM, RIDE, SNARE

PHRASE_BARS = 8
"""A fill ends every phrase."""

FULL = 1.2
"""A phrase with so many times the song's median number of notes a bar is played on the ride."""


class RuleBased(Baseline):
    """What a first drum lesson teaches, applied to what the band plays. The rules, in this order:

    1. Where the band rests for a whole bar, the drums rest.
    2. The snare has the backbeat: beats 2 and 4.
    3. The kick goes with the bass: with its onsets on eighths, but for the backbeat; and always on beat 1. In a bar
       without bass it has beats 1 and 3.
    4. The hi-hat keeps time as finely as the band moves in a phrase: quarters where piano and guitar begin on fewer
       than three steps a bar, sixteenths where on average three or more of their steps lie between the eighths, eighths
       otherwise. In full phrases (``FULL``) the ride keeps time instead.
    5. The last beat of every eighth bar is a fill: snare, snare, high tom, low tom, getting louder; time-keeping stops
       for it.
    6. A crash, with the kick, where the band begins and after every fill.
    7. Accents: the beat louder than the eighth, the eighth louder than the sixteenth. A little humanizing on top.

    Bars are counted from the one in which the band begins. The numbers were set by hand, once, and fitted to nothing.
    """

    name = "rules"
    listens = True
    loud, late = 0.04, 0.05  # the humanizing: shares of full velocity, and of a step

    def play(self, rolls, truth=None, seed=0):
        length_of(rolls)
        onsets = {family: roll.sum(axis=-1).reshape(-1, STEPS_PER_BAR) for family, roll in rolls.items()}  # (bars, 16)
        notes = sum(onsets.values()).sum(axis=1)  # (bars,): of the whole band
        chords = (onsets["piano"] > 0) | (onsets["guitar"] > 0)  # (bars, 16)
        bars = np.zeros((len(notes), STEPS_PER_BAR, N), dtype=np.float32)  # velocity; 0 is silence
        if notes.any():
            first = int(np.argmax(notes > 0))
            median = np.median(notes[notes > 0])
            for start in range(first, len(notes), PHRASE_BARS):
                phrase = slice(start, start + PHRASE_BARS)
                cymbal = RIDE if notes[phrase].mean() > FULL * median else CLOSED_HAT
                for bar in range(start, min(start + PHRASE_BARS, len(notes))):
                    if notes[bar]:
                        keep_time(bars[bar], cymbal, chords[phrase])
                        follow(bars[bar], onsets["bass"][bar])
                        if bar == start:
                            bars[bar, 0, CRASH] = 0.95
                        if bar == start + PHRASE_BARS - 1:
                            fill(bars[bar])
        velocities = bars.reshape(-1, N)  # (bars, 16, 9) -> (T, 9)
        hits = velocities > 0
        return humanized(Groove(hits, velocities, np.zeros_like(velocities)), self.loud, self.late, seed)


def keep_time(bar: np.ndarray, cymbal: int, chords: np.ndarray) -> None:
    """Cymbal and backbeat into a bar (16, 9), as fine as piano and guitar move in the phrase, bool (bars, 16)."""
    between = chords[:, 1::2].sum(axis=1).mean()  # steps a bar that are not eighths
    step = 1 if between >= 3 else 4 if chords.sum(axis=1).mean() < 3 else 2
    bar[::step, cymbal] = 0.4
    bar[:: max(2, step), cymbal] = 0.55
    bar[::4, cymbal] = 0.75
    bar[[4, 12], SNARE] = 0.9


def follow(bar: np.ndarray, bass: np.ndarray) -> None:
    """The kick into a bar (16, 9), with the bass's onsets (16,)."""
    steps = [step for step in range(0, STEPS_PER_BAR, 2) if bass[step] and step not in (4, 12)]
    bar[steps if bass.any() else [8], KICK] = 0.8
    bar[0, KICK] = 0.9


def fill(bar: np.ndarray) -> None:
    """The last beat of a bar (16, 9) is a fill."""
    bar[12:] = 0
    for step, drum, loud in ((12, SNARE, 0.7), (13, SNARE, 0.75), (14, HIGH_TOM, 0.85), (15, LOW_TOM, 0.95)):
        bar[step, drum] = loud
