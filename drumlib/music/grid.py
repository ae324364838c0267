"""The grid of sixteenths, and the arrays on it: the drums as a ``Groove``, the band as piano rolls.

Conventions of this package (thesis, 3.1; Gillick et al. 2019):

- a *step* is a sixteenth, a quarter of a beat; a bar of 4/4 has 16 steps;
- an onset is quantized to the nearest step; its *offset* is onset minus grid line, in steps, in [-0.5, 0.5): positive
  is late (GrooVAE's own files have the opposite sign, and twice the value);
- a *velocity* in an array is MIDI's divided by 127;
- of several notes in one cell, the loudest is kept; of equally loud ones, the first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from drumlib.music.kit import DRUM_OF_PITCH, DRUMS, PITCH_OF_DRUM
from drumlib.music.notes import Note, Notes
from drumlib.music.song import Bar, Song, Track

STEPS_PER_BEAT = 4
STEPS_PER_BAR = 16


class Grid:
    """The sixteenths of a song, bar by bar.

    Each bar is padded to a multiple of 16 steps, so that bar lines are where a network trained on 4/4 expects them: a
    bar of 3/4 has 12 steps that are played and 4 that are not. In a song in 4/4 this is the grid of the thesis,
    step = round(tick * 4 / ticks_per_beat).

    Attributes
    ----------
    ticks_per_beat : the song's.
    bars : tuple of ``Bar``: the song's, and one more if its last onset is quantized to the bar line behind them.
    steps : how many steps the song has, the padding included.
    first_steps : int (bars,): the step on which each bar begins.
    played : bool (steps,): False for the padding.
    """

    def __init__(self, song: Song):
        self.ticks_per_beat = tpb = song.ticks_per_beat
        self.bars = song.bars
        last = max((int(track.notes.ticks[-1]) for track in song.tracks if track.notes), default=0)
        if self.bars and 8 * last + tpb >= 8 * self.bars[-1].end:  # the last onset is quantized to the next bar
            end = self.bars[-1].end
            _, numerator, denominator = [meter for meter in song.meters if meter.tick <= end][-1]
            length = max(1, tpb * 4 * numerator // denominator)
            self.bars += (Bar(end, end + length, numerator, denominator),)
        played = []
        self.first_steps = np.zeros(len(self.bars), dtype=np.int64)
        for i, bar in enumerate(self.bars):
            self.first_steps[i] = len(played)
            steps = max(1, -(-(bar.end - bar.tick) * STEPS_PER_BEAT // tpb))  # rounded up
            played += [True] * steps + [False] * (-steps % STEPS_PER_BAR)
        self.steps = len(played)
        self.played = np.array(played, dtype=bool)
        self._bar_ticks = np.array([bar.tick for bar in self.bars], dtype=np.int64)
        self._bar_ends = np.array([bar.end for bar in self.bars], dtype=np.int64)

    @property
    def odd_bars(self) -> list[Bar]:
        """The bars that are not four beats long: in another meter, or cut short by a change of meter."""
        return [bar for bar in self.bars if bar.end - bar.tick != 4 * self.ticks_per_beat]

    def locate(self, ticks) -> tuple[np.ndarray, np.ndarray]:
        """The step (int) and the offset of each tick, as arrays. Ticks behind the last bar get steps >= ``steps``."""
        ticks, tpb = np.asarray(ticks, dtype=np.int64), self.ticks_per_beat
        if not self.bars:
            return np.zeros(ticks.shape, np.int64), np.zeros(ticks.shape)
        # In whole numbers: a tick belongs to a bar from half a step before its line on, 8 * tick + tpb >= 8 * line.
        bar = np.searchsorted(8 * self._bar_ticks, 8 * ticks + tpb, side="right") - 1
        inside = ticks - self._bar_ticks[bar]
        step = (8 * inside + tpb) // (2 * tpb)  # floor(inside * 4 / tpb + 1/2)
        return self.first_steps[bar] + step, inside * STEPS_PER_BEAT / tpb - step

    def ticks(self, steps, offsets: float | np.ndarray = 0.0) -> np.ndarray:
        """The tick nearest to each step and offset, among those that ``locate`` gives that step, and not below 0."""
        steps, tpb = np.asarray(steps, dtype=np.int64), self.ticks_per_beat
        bar = np.searchsorted(self.first_steps, steps, side="right") - 1
        inside = steps - self.first_steps[bar]
        ticks = np.rint((inside + offsets) * tpb / STEPS_PER_BEAT).astype(np.int64)
        lowest = -((tpb - 2 * tpb * inside) // 8)
        highest = -(-(2 * inside + 1) * tpb // 8) - 1
        # The first step of the next bar begins half a step before its line.
        highest = np.minimum(highest, -((tpb - 8 * (self._bar_ends - self._bar_ticks)[bar]) // 8) - 1)
        return np.maximum(self._bar_ticks[bar] + np.clip(ticks, lowest, highest), 0)


@dataclass(frozen=True, eq=False)
class Groove:
    """Drums on the grid: three float32 arrays of shape (steps, 9), a column for each drum (``kit.DRUMS``).

    Attributes
    ----------
    hits : 1 where a drum has an onset, 0 elsewhere.
    velocities : MIDI velocity / 127, in [0, 1]; 0 without a hit.
    offsets : onset minus grid line, in steps, in [-0.5, 0.5), positive is late; 0 without a hit.
    """

    hits: np.ndarray
    velocities: np.ndarray
    offsets: np.ndarray

    def __post_init__(self):
        for name in ("hits", "velocities", "offsets"):
            array = np.asarray(getattr(self, name), dtype=np.float32)
            if array.ndim != 2 or array.shape[1] != len(DRUMS):
                raise ValueError(f"{name} has shape {array.shape}; a groove's arrays are (steps, {len(DRUMS)})")
            if array.shape != np.shape(self.hits):
                raise ValueError(f"{name} has {len(array)} steps, hits has {len(self.hits)}")
            object.__setattr__(self, name, array)

    @classmethod
    def from_array(cls, array: np.ndarray) -> "Groove":
        """From one array (steps, 27): hits, velocities, offsets side by side, as networks read them."""
        return cls(*np.split(np.asarray(array), 3, axis=-1))  # (steps, 27) -> 3 x (steps, 9)

    def to_array(self) -> np.ndarray:
        """One array (steps, 27): hits, velocities, offsets side by side."""
        return np.concatenate([self.hits, self.velocities, self.offsets], axis=-1)  # 3 x (steps, 9) -> (steps, 27)

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, steps: slice) -> "Groove":
        """Some of the steps: ``groove[16:32]`` is the second bar."""
        return Groove(self.hits[steps], self.velocities[steps], self.offsets[steps])

    def __eq__(self, other) -> bool:
        return isinstance(other, Groove) and np.array_equal(self.to_array(), other.to_array())

    def __repr__(self) -> str:
        return f"Groove({len(self)} steps, {int(self.hits.sum())} hits)"


def groove_from_notes(notes: Iterable[Note], grid: Grid, drum_of_pitch: Mapping[int, int] = DRUM_OF_PITCH) -> Groove:
    """Drum notes as a groove. ``drum_of_pitch`` maps pitches to drums (0-8); other pitches are left out."""
    hits, velocities, offsets = np.zeros((3, grid.steps, len(DRUMS)), dtype=np.float32)
    steps, drums, midi_velocities, shifts = quantize_hits(notes, grid, drum_of_pitch)
    hits[steps, drums] = 1
    velocities[steps, drums] = midi_velocities / 127
    offsets[steps, drums] = shifts
    return Groove(hits, velocities, offsets)


def quantize_hits(
    notes: Iterable[Note], grid: Grid, drum_of_pitch: Mapping[int, int] = DRUM_OF_PITCH
) -> tuple[np.ndarray, ...]:
    """The hits of drum notes, one a cell, by step: their steps, drums (0-8), MIDI velocities and offsets: (hits,)."""
    notes = Notes(notes)
    table = np.full(128, -1)
    table[list(drum_of_pitch)] = list(drum_of_pitch.values())
    drums = table[notes.pitches]
    steps, offsets = grid.locate(notes.ticks)
    kept = np.flatnonzero((drums >= 0) & (steps < grid.steps))
    cells = (steps * len(DRUMS) + drums)[kept]
    order = np.lexsort((-notes.velocities[kept], cells))  # by cell, the loudest first; the sort is stable
    first = np.unique(cells[order], return_index=True)[1]
    kept = kept[order[first]]  # one note of each cell
    return steps[kept], drums[kept], notes.velocities[kept], offsets[kept]


def merge_notes(tracks: Iterable[Track]) -> Notes:
    """The notes of several tracks as one sequence."""
    return Notes(np.concatenate([np.empty((0, 4), np.int64), *(track.notes.array for track in tracks)]))


def groove_of(song: Song, grid: Grid | None = None, drum_of_pitch: Mapping[int, int] = DRUM_OF_PITCH) -> Groove:
    """The groove of a song's drum tracks, merged. ``drum_of_pitch`` as in ``groove_from_notes``."""
    return groove_from_notes(merge_notes(song.drums), grid or Grid(song), drum_of_pitch)


def notes_from_groove(groove: Groove, grid: Grid) -> tuple[Note, ...]:
    """Drum notes from a groove, in order of time. Steps that are padding (``Grid.played``) are left out.

    The inverse of ``groove_from_notes``, with offsets rounded to ticks. (A hit on step 0 cannot be early: it is put on
    tick 0.) Raises ValueError if the groove and the grid have different numbers of steps.
    """
    if len(groove) != grid.steps:
        raise ValueError(f"the groove has {len(groove)} steps, the grid {grid.steps}")
    steps, drums = np.nonzero(groove.hits * grid.played[:, None])
    ticks = grid.ticks(steps, groove.offsets[steps, drums])
    velocities = np.clip(np.rint(groove.velocities[steps, drums] * 127), 1, 127).astype(int)
    length = max(1, grid.ticks_per_beat // 8)  # the sound of a drum does not depend on it
    notes = zip(ticks.tolist(), drums.tolist(), velocities.tolist(), strict=True)
    return tuple(sorted(Note(tick, PITCH_OF_DRUM[drum], velocity, length) for tick, drum, velocity in notes))


def roll_from_notes(notes: Iterable[Note], grid: Grid) -> np.ndarray:
    """Onsets as a multi-hot uint8 array (steps, 128): 1 where a note of this pitch begins (thesis, 3.1)."""
    roll = np.zeros((grid.steps, 128), dtype=np.uint8)
    notes = Notes(notes)
    steps, _ = grid.locate(notes.ticks)
    inside = steps < grid.steps
    roll[steps[inside], notes.pitches[inside]] = 1
    return roll


def piano_roll(song: Song, family: str, grid: Grid | None = None) -> np.ndarray:
    """The onsets of a family's tracks (``"piano"``, ``"guitar"``, ``"bass"``), merged: uint8 (steps, 128)."""
    return roll_from_notes(merge_notes(song.parts(family)), grid or Grid(song))


MAX_STEPS = 64_000
"""Networks are not run on songs with more steps: 4,000 bars of 4/4, or very many tiny bars."""


def step_lengths(song: Song, grid: Grid) -> np.ndarray:
    """The length of a step at the beginning of each 16 steps, in milliseconds: float (steps / 16,)."""
    starts = grid.ticks(np.arange(0, grid.steps, STEPS_PER_BAR))
    changes = np.array([tempo.tick for tempo in song.tempos])
    lengths = np.array([tempo.microseconds for tempo in song.tempos]) / 1000 / STEPS_PER_BEAT
    return lengths[np.searchsorted(changes, starts, side="right") - 1]
