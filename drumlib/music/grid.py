"""The grid of sixteenths, and the two arrays that live on it: the groove of the drums and the piano roll of the band.

Conventions, used everywhere in this package (thesis, 3.1; Gillick et al. 2019):

- a *step* is a sixteenth, a quarter of a beat; a bar of 4/4 has 16;
- an onset belongs to the nearest step; its *offset* is onset - grid, in steps, in [-0.5, 0.5): **plus is late**
  (GrooVAE's own files have it the other way round, and twice as large);
- a *velocity* is MIDI's number over 127;
- where several notes fall in one cell, the loudest wins; among equally loud ones, the first.
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

    Each bar takes 16 steps, or 32, 48, ... if it is longer than 4/4: a network that learned to count in four
    always finds the bar line where it expects it. In a bar shorter than its steps (3/4 fills 12 of 16), the steps
    that are left over are not played. In a song that is in 4/4 throughout, this is the plain grid of the thesis:
    step = round(tick * 4 / ticks_per_beat).

    Attributes
    ----------
    steps : int
        How many steps the song has, those that are not played included.
    bars : tuple of Bar
        The song's bars.
    first_steps : array of int, shape (bars,)
        The step on which each bar begins.
    played : array of bool, shape (steps,)
        False for the left-over steps of bars that are not in four.
    """

    def __init__(self, song: Song):
        self.ticks_per_beat = tpb = song.ticks_per_beat
        self.bars = song.bars
        last = max((track.notes[-1].tick for track in song.tracks if track.notes), default=0)
        if self.bars and 8 * last + tpb >= 8 * self.bars[-1].end:  # an onset just before the end rounds to the next bar
            end = self.bars[-1].end
            _, numerator, denominator = [meter for meter in song.meters if meter.tick <= end][-1]
            length = max(1, tpb * 4 * numerator // denominator)
            self.bars += (Bar(end, end + length, numerator, denominator),)
        played = []
        self.first_steps = np.zeros(len(self.bars), dtype=np.int64)
        for i, bar in enumerate(self.bars):
            self.first_steps[i] = len(played)
            own = max(1, -(-(bar.end - bar.tick) * STEPS_PER_BEAT // tpb))  # rounded up
            played += [True] * own + [False] * (-own % STEPS_PER_BAR)
        self.steps = len(played)
        self.played = np.array(played, dtype=bool)
        self._bar_ticks = np.array([bar.tick for bar in self.bars], dtype=np.int64)
        self._bar_ends = np.array([bar.end for bar in self.bars], dtype=np.int64)

    @property
    def odd_bars(self) -> list[Bar]:
        """The bars that are not four beats long: in another meter, or cut short by one."""
        return [bar for bar in self.bars if bar.end - bar.tick != 4 * self.ticks_per_beat]

    def locate(self, ticks) -> tuple[np.ndarray, np.ndarray]:
        """The step and the offset of each tick. Ticks behind the last bar get steps past the grid's end."""
        ticks, tpb = np.asarray(ticks, dtype=np.int64), self.ticks_per_beat
        if not self.bars:
            return np.zeros(ticks.shape, np.int64), np.zeros(ticks.shape)
        # Whole numbers throughout: 8 * tick + tpb >= 8 * line says "no more than half a step before the line".
        bar = np.searchsorted(8 * self._bar_ticks, 8 * ticks + tpb, side="right") - 1
        inside = ticks - self._bar_ticks[bar]
        step = (8 * inside + tpb) // (2 * tpb)  # floor(inside * 4 / tpb + 1/2)
        return self.first_steps[bar] + step, inside * STEPS_PER_BEAT / tpb - step

    def ticks(self, steps, offsets=0.0) -> np.ndarray:
        """The tick nearest to each step and offset; it always lies in that step's own cell, and never before 0."""
        steps, tpb = np.asarray(steps, dtype=np.int64), self.ticks_per_beat
        bar = np.searchsorted(self.first_steps, steps, side="right") - 1
        inside = steps - self.first_steps[bar]
        ticks = np.rint((inside + offsets) * tpb / STEPS_PER_BEAT).astype(np.int64)
        lowest = -((tpb - 2 * tpb * inside) // 8)
        highest = -(-(2 * inside + 1) * tpb // 8) - 1
        # Half a step before the next bar line, that bar's first step begins.
        highest = np.minimum(highest, -((tpb - 8 * (self._bar_ends - self._bar_ticks)[bar]) // 8) - 1)
        return np.maximum(self._bar_ticks[bar] + np.clip(ticks, lowest, highest), 0)


@dataclass(frozen=True, eq=False)
class Groove:
    """What a drummer plays, on the grid: three arrays of shape (steps, 9), one column a drum (``kit.DRUMS``).

    Attributes
    ----------
    hits : 1 where a drum is struck, 0 elsewhere.
    velocities : how loud, in [0, 1] (MIDI / 127); 0 where nothing is struck.
    offsets : how far from the grid, in steps, in [-0.5, 0.5), plus is late; 0 where nothing is struck.
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
        """From one array (steps, 27): hits, velocities, offsets side by side, as the network reads them."""
        return cls(*np.split(np.asarray(array), 3, axis=-1))

    def to_array(self) -> np.ndarray:
        """One array (steps, 27): hits, velocities, offsets side by side."""
        return np.concatenate([self.hits, self.velocities, self.offsets], axis=-1)

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
    """Drum notes on the grid. Pitches that are no drum of the kit are left out; the loudest note wins a cell.

    ``drum_of_pitch`` says which drum (0-8) a pitch is: General MIDI's map, unless the kit has one of its own.
    """
    hits, velocities, offsets = np.zeros((3, grid.steps, len(DRUMS)), dtype=np.float32)
    steps, drums, loud, shifts = quantize_hits(notes, grid, drum_of_pitch)
    hits[steps, drums] = 1
    velocities[steps, drums] = loud / 127
    offsets[steps, drums] = shifts
    return Groove(hits, velocities, offsets)


def quantize_hits(
    notes: Iterable[Note], grid: Grid, drum_of_pitch: Mapping[int, int] = DRUM_OF_PITCH
) -> tuple[np.ndarray, ...]:
    """Drum notes as strokes, one a cell, in order of step: their steps, drums (0-8), velocities (1-127) and offsets."""
    notes = Notes(notes)
    table = np.full(128, -1)
    table[list(drum_of_pitch)] = list(drum_of_pitch.values())
    drums = table[notes.pitches]
    steps, offsets = grid.locate(notes.ticks)
    kept = np.flatnonzero((drums >= 0) & (steps < grid.steps))
    cells = (steps * len(DRUMS) + drums)[kept]
    order = np.lexsort((-notes.velocities[kept], cells))  # by cell, the loudest first; the sort keeps ties in order
    first = np.unique(cells[order], return_index=True)[1]
    won = kept[order[first]]
    return steps[won], drums[won], notes.velocities[won], offsets[won]


def merge_notes(tracks: Iterable[Track]) -> Notes:
    """The notes of several tracks, in order of time."""
    return Notes(np.concatenate([np.empty((0, 4), np.int64), *(track.notes.array for track in tracks)]))


def groove_of(song: Song, grid: Grid | None = None, drum_of_pitch: Mapping[int, int] = DRUM_OF_PITCH) -> Groove:
    """The groove of all of a song's drum tracks together. ``drum_of_pitch`` as in ``groove_from_notes``."""
    return groove_from_notes(merge_notes(song.drums), grid or Grid(song), drum_of_pitch)


def notes_from_groove(groove: Groove, grid: Grid) -> tuple[Note, ...]:
    """Drum notes from a groove, in order of time. Steps that the grid does not play are left out.

    The way there and back is exact: ``groove_from_notes(notes_from_groove(groove, grid), grid)`` is the same groove,
    with offsets to the tick. (A stroke on the song's very first step cannot be early: it is put on tick 0.)

    Raises
    ------
    ValueError
        If the groove and the grid have different numbers of steps.
    """
    if len(groove) != grid.steps:
        raise ValueError(f"the groove has {len(groove)} steps, the grid {grid.steps}")
    steps, drums = np.nonzero(groove.hits * grid.played[:, None])
    ticks = grid.ticks(steps, groove.offsets[steps, drums])
    loud = np.clip(np.rint(groove.velocities[steps, drums] * 127), 1, 127).astype(int)
    length = max(1, grid.ticks_per_beat // 8)  # a drum's sound does not depend on it
    notes = zip(ticks.tolist(), drums.tolist(), loud.tolist(), strict=True)
    return tuple(sorted(Note(tick, PITCH_OF_DRUM[drum], velocity, length) for tick, drum, velocity in notes))


def roll_from_notes(notes: Iterable[Note], grid: Grid) -> np.ndarray:
    """Onsets as a many-hot array (steps, 128) of 0 and 1: which pitches begin on each step (thesis, 3.1)."""
    roll = np.zeros((grid.steps, 128), dtype=np.uint8)
    notes = Notes(notes)
    steps, _ = grid.locate(notes.ticks)
    inside = steps < grid.steps
    roll[steps[inside], notes.pitches[inside]] = 1
    return roll


def piano_roll(song: Song, family: str, grid: Grid | None = None) -> np.ndarray:
    """The onsets of all tracks of one family (``"piano"``, ``"guitar"``, ``"bass"``): (steps, 128), 0 or 1."""
    return roll_from_notes(merge_notes(song.parts(family)), grid or Grid(song))


MAX_STEPS = 64_000
"""Songs with more steps are refused: that is 4,000 bars of 4/4, or very many tiny ones."""


def step_lengths(song: Song, grid: Grid) -> np.ndarray:
    """How long a step lasts at the beginning of each bar of the grid, in milliseconds: (steps / 16,)."""
    starts = grid.ticks(np.arange(0, grid.steps, STEPS_PER_BAR))
    changes = np.array([tempo.tick for tempo in song.tempos])
    lengths = np.array([tempo.microseconds for tempo in song.tempos]) / 1000 / STEPS_PER_BEAT
    return lengths[np.searchsorted(changes, starts, side="right") - 1]
