"""What one player of the band does: which onsets, which pitches, and when and how loud exactly.

The drummer decides most of it, chance the rest. An onset is likely where the role's habit and the drummer's stroke
meet, possible where there is one of both, and never certain.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import NamedTuple

import numpy as np

from drumbook.bands.drum_analysis import TURN, DrumAnalysis, DrumSection
from drumbook.bands.styles import Role
from drumlib.music import STEPS_PER_BAR, STEPS_PER_BEAT, Grid
from drumlib.music.songbook.harmony import Chord, colours, degree, octave, power, voicing

SLOT = STEPS_PER_BAR // 2
"""Chords may change every half bar."""

PUSH = 2
"""How many steps before a chord change a pushed note already belongs to it."""

WHITE_KEYS = (0, 2, 4, 5, 7, 9, 11)

BASS_RANGE = (28, 55)
"""From the low E of a bass to the G of its highest string, at the twelfth fret."""

WITH_DRUMMER = 0.95
"""How likely an onset is where habit and drummer agree."""

WITH_CRASH = 0.9
"""How likely everybody strikes with a crash."""


@dataclass(frozen=True, eq=False)
class Harmony:
    """A song's chords, one a half bar; its key, in semitones above C; and whether chords are anticipated."""

    chords: tuple[Chord, ...]
    key: int
    pushed: bool

    @cached_property
    def changes(self) -> list[int]:
        """The numbers of the chords that are new, and the number after the last."""
        new = [i for i in range(1, len(self.chords)) if self.chords[i] != self.chords[i - 1]]
        return [*new, len(self.chords)]

    def until(self, step: int) -> int:
        """The step on which the chord of a note on this step is over."""
        return SLOT * self.changes[bisect_right(self.changes, self.slot(step))]

    def slot(self, step: int) -> int:
        """The number of the chord that a note on this step belongs to; behind the end, the last."""
        slot = min(step // SLOT, len(self.chords) - 1)
        coming = min((step + PUSH) // SLOT, len(self.chords) - 1)
        return coming if self.pushed and self.chords[coming] != self.chords[slot] else slot


@dataclass(frozen=True)
class Performer:
    """Somebody in the band: a range of pitches for chords, one for lines, notes in a chord, and a touch.

    ``late``, ``spread`` and ``strum`` (from one note of a chord to the next) are milliseconds. ``density`` lies
    between the fewest notes of a role (0) and the most (1). ``degrees`` are what a bass plays beside the root.
    """

    chords: tuple[int, int]
    lines: tuple[int, int]
    size: int
    late: float
    spread: float
    strum: float
    density: float
    degrees: str = "1"


class Onset(NamedTuple):
    """One onset of a part: its step, the step on which it must have ended, its pitches, and its loudness."""

    step: int
    end: int
    pitches: tuple[int, ...]
    velocity: float
    hold: float


def perform(
    player: Performer,
    roles: Sequence[Role | None],
    heard: DrumAnalysis,
    harmony: Harmony,
    stage: "BandContext",
    rng: Random,
) -> np.ndarray:
    """All notes of one player, int64 (notes, 4), as in ``Notes``. ``roles``: what to do in each section, or None."""
    hands, strikes = VoicingState(player, harmony, rng), []
    for section, role in zip(heard.sections, roles, strict=True):
        if role is None:
            continue
        onsets = rhythm(role, section, heard, player.density, rng)
        voice = heard.voices[role.listens]
        ends = [*onsets, (section.bar + section.bars) * STEPS_PER_BAR][1:]  # in a short section, perhaps none strikes
        for step, coming in zip(onsets, ends, strict=True):
            beat = 4 if step % STEPS_PER_BAR == 0 else 2 if step % STEPS_PER_BEAT == 0 else 0
            energy = min(1.15, max(0.7, 0.5 + 0.5 * heard.energy[step // STEPS_PER_BAR]))
            velocity = role.level * heard.level * energy * (0.9 + 0.2 * voice[step]) + beat
            end = min(coming, harmony.until(step))
            strikes.append(Onset(step, end, hands.pitches(role, step, coming), velocity, role.hold))
    return _notes(strikes, player, heard, stage, rng)


def rhythm(role: Role, section: DrumSection, heard: DrumAnalysis, density: float, rng: Random) -> list[int]:
    """The steps on which a player strikes in a section: a pattern of two bars, kept to as the drummer allows."""
    first, bars = section.bar * STEPS_PER_BAR, section.bars
    here = slice(first, first + bars * STEPS_PER_BAR)
    struck = heard.voices[role.listens][here].reshape(bars, STEPS_PER_BAR) > 0
    often = struck.mean(axis=0)  # (16,)
    habit = _habit(role.habit, heard.swings)
    weights = (habit * (0.4 + often) + role.extra * often).tolist()
    count = round(role.count[0] + density * (role.count[1] - role.count[0]))
    pattern = _draw(weights, count, rng)
    answer = set(rng.sample(sorted(pattern), max(1, len(pattern) - 1))) | _draw(weights, 1, rng)
    crash = heard.crash[here].reshape(bars, STEPS_PER_BAR).tolist()
    listening = role.shape not in ("bass", "walk")
    onsets = []
    for bar, strokes in enumerate(struck.tolist()):
        number = section.bar + bar
        fills = number + 1 < heard.bars and heard.turns[number + 1] >= TURN
        for position, stroke in enumerate(strokes):
            if position in (answer if bar % 2 else pattern):
                chance = WITH_DRUMMER if stroke else role.alone
            else:
                chance = role.extra if stroke else 0
            if fills and listening and position >= SLOT:
                chance *= 0.6  # leave room for the fill
            if crash[bar][position] > 0.3:
                chance = max(chance, WITH_CRASH)
            if rng.random() < chance:
                onsets.append(first + bar * STEPS_PER_BAR + position)
    return [step for step in onsets if step <= heard.last]


def _habit(digits: str, swings: bool) -> np.ndarray:
    """A role's habit as numbers in [0, 1], (16,). Where the drummer swings, the off-beat is the fourth sixteenth."""
    habit = np.array([int(digit) for digit in digits]).reshape(-1, STEPS_PER_BEAT) / 9
    if swings:
        habit[:, 3] = habit[:, 2:].max(axis=1)
        habit[:, 1:3] = 0
    return habit.ravel()


def _draw(weights: list[float], count: int, rng: Random) -> set[int]:
    """Some positions, without repetition, each as likely as its weight says (Efraimidis and Spirakis 2006)."""
    keys = [(rng.random() ** (1 / weight), position) for position, weight in enumerate(weights) if weight > 0]
    return {position for _, position in sorted(keys)[-count:]}


class VoicingState:
    """Where a player's hands are: from chord to chord they move as little as they can."""

    def __init__(self, player: Performer, harmony: Harmony, rng: Random):
        self.player, self.harmony, self.rng = player, harmony, rng
        self.before: tuple[int, ...] | None = None
        self.turn = 0  # which note of a broken chord comes next
        self.chord: Chord | None = None
        self.order = rng.choice([(0, 1, 2, 1), (0, 2, 1, 2), (0, 1, 2, 3), (2, 1, 0, 1), (0, 2, 3, 1)])
        self.contour = [rng.choice((-4, -2, -1, 0, 0, 2, 3, 5)) for _ in range(2 * STEPS_PER_BAR)]
        self.low = rng.choice((28, 28, 31, 33))
        self.habits: dict[int, str] = {}  # what the bass plays on a position of the bar

    def pitches(self, role: Role, step: int, coming: int) -> tuple[int, ...]:
        """What to play on a step; the next onset is on step ``coming``."""
        chord = self.harmony.chords[self.harmony.slot(step)]
        changed, self.chord = chord != self.chord, chord
        if role.shape in ("bass", "walk"):
            return (self._bass(role, chord, step, coming, changed),)
        if role.shape == "power":
            return power(chord)
        if role.shape == "octaves":
            return octave(chord)
        if role.shape == "line":
            return (self._line(chord, step),)
        self.before = notes = voicing(chord, self.before, *self.player.chords, self.player.size)
        if role.shape == "top":
            return notes[-2:]
        if role.shape == "broken":
            self.turn = 0 if changed else self.turn + 1
            return (notes[self.order[self.turn % len(self.order)] % len(notes)],)
        return notes

    def _bass(self, role: Role, chord: Chord, step: int, coming: int, changed: bool) -> int:
        """The root where the chord is new; a step into the next chord just before it; else a note of the chord."""
        next_chord = self.harmony.chords[self.harmony.slot(coming)]
        position, low = step % STEPS_PER_BAR, self.low
        if changed or (position == 0 and self.rng.random() < 0.8):
            pitch = low + (chord.bass - low) % 12
        elif next_chord.bass != chord.bass and self.rng.random() < (0.8 if role.shape == "walk" else 0.3):
            pitch = low + (next_chord.bass - low) % 12 + self.rng.choice((-1, -1, 1, 2, -2))
        else:
            if position not in self.habits:
                self.habits[position] = self.rng.choice(self.player.degrees)
            name = self.rng.choice("3553572") if role.shape == "walk" else self.habits[position]
            pitch = low + (chord.root - low) % 12 + degree(chord, name)
        return pitch + 12 * (pitch < BASS_RANGE[0]) - 12 * (pitch > BASS_RANGE[1])

    def _line(self, chord: Chord, step: int) -> int:
        """A note of a riff: the same shape every two bars, bent to the chord on the beats and to the scale between."""
        low, high = self.player.lines
        inside = set(colours(chord, 4))
        if step % STEPS_PER_BEAT:
            scale = {(note + self.harmony.key) % 12 for note in WHITE_KEYS}
            inside |= {note for note in scale if (note - 1) % 12 not in inside and (note + 1) % 12 not in inside}
        wanted = (low + high) / 2 + self.contour[step % (2 * STEPS_PER_BAR)]
        return min((n for n in range(low, high + 1) if n % 12 in inside), key=lambda n: (abs(n - wanted), n))


@dataclass(frozen=True, eq=False)
class BandContext:
    """Where the performance is in time: its grid, and how long a step of each bar lasts, in milliseconds, (bars,)."""

    grid: Grid
    step_ms: np.ndarray


def _notes(strikes: list[Onset], player: Performer, heard: DrumAnalysis, stage: BandContext, rng: Random) -> np.ndarray:
    """Strikes as notes: in the drummer's pocket, uneven as hands are, and none that runs into the next. (notes, 4)"""
    if not strikes:
        return np.empty((0, 4), np.int64)
    rows = []  # strike, its place in the strum, pitch, velocity
    for number, strike in enumerate(strikes):
        down = rng.random() < 0.8  # most strums go from the low strings to the high
        loud = strike.velocity + rng.gauss(0, 3)
        for place, pitch in enumerate(strike.pitches if down else strike.pitches[::-1]):
            inner = 0 if pitch == strike.pitches[-1] else 5  # the top voice carries the line
            rows.append((number, place, pitch, round(min(112, max(20, loud - inner + rng.gauss(0, 1.5))))))
    which, places, pitches, velocities = np.array(rows).T
    steps, ends = (np.array([getattr(strike, name) for strike in strikes]) for name in ("step", "end"))
    step_ms = stage.step_ms[steps // STEPS_PER_BAR]
    own = np.array([player.late + rng.gauss(0, player.spread) for _ in strikes]) / step_ms
    offsets = (heard.pocket[steps] + own)[which] + places * player.strum / step_ms[which]
    ticks = stage.grid.ticks(steps[which], np.clip(offsets, -0.49, 0.49))  # (notes,)
    ends = ends * stage.grid.ticks_per_beat // STEPS_PER_BEAT
    starts = np.full(len(strikes) + 1, ends[-1])
    np.minimum.at(starts, which, ticks)
    ends = np.minimum(ends, starts[1:])
    holds = np.array([strike.hold for strike in strikes])
    lengths = np.maximum(1, (holds[which] * (ends[which] - ticks)).astype(np.int64))
    return np.stack([ticks, pitches, velocities, lengths], axis=1)
