"""The notes of one player of a composed band: onsets, pitches, timing and velocities.

An onset is probable where the role's habit and a hit of the drums coincide, possible where there is only one of the
two, and never certain.
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
"""The probability of an onset where habit and drums coincide."""

WITH_CRASH = 0.9
"""The least probability of an onset on a crash."""


@dataclass(frozen=True, eq=False)
class Harmony:
    """A song's chords, one a half bar; its key, in semitones above C; and whether chords are anticipated."""

    chords: tuple[Chord, ...]
    key: int
    pushed: bool

    @cached_property
    def changes(self) -> list[int]:
        """The numbers of the chords that differ from the one before, and the number after the last."""
        new = [i for i in range(1, len(self.chords)) if self.chords[i] != self.chords[i - 1]]
        return [*new, len(self.chords)]

    def until(self, step: int) -> int:
        """The step on which the chord of a note on this step ends."""
        return SLOT * self.changes[bisect_right(self.changes, self.slot(step))]

    def slot(self, step: int) -> int:
        """The number of the chord that a note on this step belongs to; behind the end, the last."""
        slot = min(step // SLOT, len(self.chords) - 1)
        coming = min((step + PUSH) // SLOT, len(self.chords) - 1)
        return coming if self.pushed and self.chords[coming] != self.chords[slot] else slot


@dataclass(frozen=True)
class Performer:
    """A player: the pitch ranges of chords and of lines, the number of notes in a chord, and the manner of playing.

    ``late``, ``spread`` and ``strum`` (from one note of a chord to the next) are in milliseconds. ``density``: from 0,
    the fewest onsets of a role, to 1, the most. ``degrees`` are what a bass plays beside the root.
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
    """One onset of a part: its step, the latest step of its end, its pitches, velocity, and relative length."""

    step: int
    end: int
    pitches: tuple[int, ...]
    velocity: float
    hold: float


def perform(
    player: Performer,
    roles: Sequence[Role | None],
    drums: DrumAnalysis,
    harmony: Harmony,
    context: "BandContext",
    rng: Random,
) -> np.ndarray:
    """All notes of one player, int64 (notes, 4). ``roles``: the role in each section; None is a rest."""
    voicings, played = VoicingState(player, harmony, rng), []
    for section, role in zip(drums.sections, roles, strict=True):
        if role is None:
            continue
        onsets = rhythm(role, section, drums, player.density, rng)
        voice = drums.voices[role.listens]
        ends = [*onsets, (section.bar + section.bars) * STEPS_PER_BAR][1:]  # a short section may have no onset
        for step, coming in zip(onsets, ends, strict=True):
            beat = 4 if step % STEPS_PER_BAR == 0 else 2 if step % STEPS_PER_BEAT == 0 else 0
            energy = min(1.15, max(0.7, 0.5 + 0.5 * drums.energy[step // STEPS_PER_BAR]))
            velocity = role.level * drums.level * energy * (0.9 + 0.2 * voice[step]) + beat
            end = min(coming, harmony.until(step))
            played.append(Onset(step, end, voicings.pitches(role, step, coming), velocity, role.hold))
    return _notes(played, player, drums, context, rng)


def rhythm(role: Role, section: DrumSection, drums: DrumAnalysis, density: float, rng: Random) -> list[int]:
    """The steps of a player's onsets in a section: a pattern of two bars, varied by the drums."""
    first, bars = section.bar * STEPS_PER_BAR, section.bars
    here = slice(first, first + bars * STEPS_PER_BAR)
    hits = drums.voices[role.listens][here].reshape(bars, STEPS_PER_BAR) > 0
    often = hits.mean(axis=0)  # (bars, 16) -> (16,)
    habit = _habit(role.habit, drums.swings)
    weights = (habit * (0.4 + often) + role.extra * often).tolist()
    count = round(role.count[0] + density * (role.count[1] - role.count[0]))
    pattern = _draw(weights, count, rng)
    answer = set(rng.sample(sorted(pattern), max(1, len(pattern) - 1))) | _draw(weights, 1, rng)
    crash = drums.crash[here].reshape(bars, STEPS_PER_BAR).tolist()
    is_bass = role.shape in ("bass", "walk")
    onsets = []
    for bar, hits_of_bar in enumerate(hits.tolist()):
        number = section.bar + bar
        fills = number + 1 < drums.bars and drums.turns[number + 1] >= TURN
        for position, hit in enumerate(hits_of_bar):
            if position in (answer if bar % 2 else pattern):
                probability = WITH_DRUMMER if hit else role.alone
            else:
                probability = role.extra if hit else 0
            if fills and not is_bass and position >= SLOT:
                probability *= 0.6  # room for the fill
            if crash[bar][position] > 0.3:
                probability = max(probability, WITH_CRASH)
            if rng.random() < probability:
                onsets.append(first + bar * STEPS_PER_BAR + position)
    return [step for step in onsets if step <= drums.last]


def _habit(digits: str, swings: bool) -> np.ndarray:
    """A role's habit as weights in [0, 1], (16,). In swing, the off-beat moves to the fourth sixteenth."""
    habit = np.array([int(digit) for digit in digits]).reshape(-1, STEPS_PER_BEAT) / 9
    if swings:
        habit[:, 3] = habit[:, 2:].max(axis=1)
        habit[:, 1:3] = 0
    return habit.ravel()


def _draw(weights: list[float], count: int, rng: Random) -> set[int]:
    """Weighted sampling of positions without replacement (Efraimidis and Spirakis 2006)."""
    keys = [(rng.random() ** (1 / weight), position) for position, weight in enumerate(weights) if weight > 0]
    return {position for _, position in sorted(keys)[-count:]}


class VoicingState:
    """A player's current voicing: from chord to chord it changes as little as possible."""

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
    """The time of a performance: its grid, and the length of a step in each bar, in milliseconds, (bars,)."""

    grid: Grid
    step_ms: np.ndarray


def _notes(
    onsets: list[Onset], player: Performer, drums: DrumAnalysis, context: BandContext, rng: Random
) -> np.ndarray:
    """Onsets as notes, (notes, 4): with the drummer's timing, random deviations, and no overlap with the next onset."""
    if not onsets:
        return np.empty((0, 4), np.int64)
    rows = []  # onset, its place in the strum, pitch, velocity
    for number, onset in enumerate(onsets):
        down = rng.random() < 0.8  # most strums go from the low strings to the high
        loud = onset.velocity + rng.gauss(0, 3)
        for place, pitch in enumerate(onset.pitches if down else onset.pitches[::-1]):
            inner = 0 if pitch == onset.pitches[-1] else 5  # the top voice carries the line
            rows.append((number, place, pitch, round(min(112, max(20, loud - inner + rng.gauss(0, 1.5))))))
    which, places, pitches, velocities = np.array(rows).T
    steps, ends = (np.array([getattr(onset, name) for onset in onsets]) for name in ("step", "end"))
    step_ms = context.step_ms[steps // STEPS_PER_BAR]
    own = np.array([player.late + rng.gauss(0, player.spread) for _ in onsets]) / step_ms
    offsets = (drums.pocket[steps] + own)[which] + places * player.strum / step_ms[which]
    ticks = context.grid.ticks(steps[which], np.clip(offsets, -0.49, 0.49))  # (notes,)
    ends = ends * context.grid.ticks_per_beat // STEPS_PER_BEAT
    starts = np.full(len(onsets) + 1, ends[-1])
    np.minimum.at(starts, which, ticks)
    ends = np.minimum(ends, starts[1:])
    holds = np.array([onset.hold for onset in onsets])
    lengths = np.maximum(1, (holds[which] * (ends[which] - ticks)).astype(np.int64))
    return np.stack([ticks, pitches, velocities, lengths], axis=1)
