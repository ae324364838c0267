"""A chart: one song as the network meets it, note by note on the grid, and the places where its windows start.

Session drummers read charts: who plays, how many bars, where to come in. Ours is kept note by note, for most cells of
a piano roll are empty: a song takes some 50 kB so, and megabytes as rolls. The rolls are made window by window.

A *window* is eight bars of a band and the drums that go with them (thesis, 3.3). One starts every two bars. It is left
out where it is not in 4/4 throughout, and where the drums or one of the three families do not strike for more than two
bars in a row: there is nothing to learn from silence.
"""

from dataclasses import dataclass, field

import numpy as np

from drumlib.music.grid import STEPS_PER_BAR, STEPS_PER_BEAT, Grid, Groove, merge_notes, quantize_hits
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.music.song import Song, Track

WINDOW_BARS = 8
HOP_BARS = 2
MAX_SILENT_BARS = 2
WINDOW_STEPS = WINDOW_BARS * STEPS_PER_BAR

GRID_NOTE = np.dtype(
    [("step", "<u4"), ("pitch", "u1"), ("velocity", "u1"), ("offset", "<f4"), ("length", "<f4")]  # 14 bytes
)
"""A note on the grid. Offset and length are in steps; the velocity is MIDI's; a drum's pitch is its number, 0 to 8."""

ODD_METER = "not in 4/4"
"""One of the reasons for which a window is left out. The others are "no drums", "no piano", "no guitar", "no bass"."""


@dataclass(frozen=True, eq=False)
class GridPart:
    """What one track of the band plays: its family, its program (0-127), and its notes (``GRID_NOTE``) by step."""

    family: str
    program: int
    notes: np.ndarray


@dataclass(frozen=True, eq=False)
class GridSong:
    """One song on the grid, and its windows.

    Attributes
    ----------
    name : the song's name.
    steps : how many steps it has.
    drums : what the drums play, one stroke a cell (``GRID_NOTE``), in order of step.
    parts : what the piano, the guitar and the bass play, track by track.
    starts : the steps on which a window starts.
    heard : bool (windows, parts): which parts play enough to be heard in a window.
    left_out : how many windows were left out for which reason; each counts once, under the first that holds.
    """

    name: str
    steps: int
    drums: np.ndarray
    parts: tuple[GridPart, ...]
    starts: tuple[int, ...]
    audible: np.ndarray
    left_out: dict[str, int] = field(default_factory=dict)

    def window(self, i: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, ...]:
        """Window number ``i``: piano, guitar, bass, each uint8 (128, 128), and drums, float32 (128, 27).

        With ``rng``, one track of each family is drawn among those that are heard; without, all tracks of a family
        are laid over each other. The thesis makes a sample of every combination instead: see ``tracks_heard``.
        """
        if rng is None:
            chosen = range(len(self.parts))
        else:
            chosen = [rng.choice(numbers) for numbers in self.tracks_heard(i) if len(numbers)]
        return *self.band(i, chosen), self.groove(i).to_array()

    def band(self, i: int, chosen) -> list[np.ndarray]:
        """The piano rolls of window ``i``, uint8 (128, 128) a family, of the parts with these numbers."""
        rolls = {family: np.zeros((WINDOW_STEPS, 128), dtype=np.uint8) for family in FAMILIES}
        for number in chosen:
            notes = between(self.parts[number].notes, self.starts[i])
            rolls[self.parts[number].family][notes["step"] - self.starts[i], notes["pitch"]] = 1
        return list(rolls.values())

    def groove(self, i: int | None = None) -> Groove:
        """The drums of window ``i``, 128 steps; without a number, of the whole song."""
        start, steps = (0, self.steps) if i is None else (self.starts[i], WINDOW_STEPS)
        notes = between(self.drums, start, steps)
        hits, velocities, offsets = np.zeros((3, steps, len(DRUMS)), dtype=np.float32)
        cells = notes["step"] - start, notes["pitch"]
        hits[cells], velocities[cells], offsets[cells] = 1, notes["velocity"] / 127, notes["offset"]
        return Groove(hits, velocities, offsets)

    def tracks_heard(self, i: int) -> list[np.ndarray]:
        """For each family, the numbers of its parts that are heard in window ``i``."""
        return [np.flatnonzero(row & self.audible[i]) for row in self.of_family()]

    def of_family(self) -> np.ndarray:
        """Which parts are of which family: bool (3, parts)."""
        families = [part.family for part in self.parts]
        return np.array([[own == family for own in families] for family in FAMILIES], dtype=bool).reshape(3, -1)

    def combinations(self) -> np.ndarray:
        """How many samples the thesis makes of each window: one for every piano x guitar x bass that is heard."""
        counts = self.audible.astype(np.int64) @ self.of_family().T  # (windows, parts) @ (parts, 3) -> (windows, 3)
        return np.maximum(counts, 1).prod(axis=1)

    def combination(self, i: int, number: int) -> list[int]:
        """The parts of combination ``number`` of window ``i``, one of each family that is heard."""
        chosen = []
        for numbers in self.tracks_heard(i):
            if len(numbers):
                number, which = divmod(number, len(numbers))
                chosen.append(int(numbers[which]))
        return chosen


def grid_song(song: Song, missing: int = 0) -> GridSong:
    """Write a song's chart. A song that has no window (too short, never in four, ...) gives one without starts.

    ``missing`` families of the three may be silent in a window; the thesis allows none.
    """
    grid = Grid(song)
    steps, drums, velocities, offsets = quantize_hits(merge_notes(song.drums), grid)
    struck = np.zeros(len(steps), GRID_NOTE)
    struck["step"], struck["pitch"], struck["velocity"], struck["offset"] = steps, drums, velocities, offsets
    parts = tuple(grid_part(track, grid) for family in FAMILIES for track in song.parts(family))

    starts = np.arange(0, grid.steps - WINDOW_STEPS + 1, HOP_BARS * STEPS_PER_BAR)
    silent = np.stack([silences(notes["step"], grid.steps, starts) for notes in (struck, *(p.notes for p in parts))])
    heard = ~silent[1:].T  # (starts, parts)
    lacking = {"no drums": silent[0]}
    for family in FAMILIES:
        lacking[f"no {family}"] = ~heard[:, [part.family == family for part in parts]].any(axis=1)  # (starts,)
    lost = np.add.reduce([lacking[f"no {family}"] for family in FAMILIES]) > missing
    odd = ~in_four(grid, starts)
    good = ~odd & ~silent[0] & ~lost

    left_out, open_ = {}, ~good
    for reason, holds in {ODD_METER: odd, **lacking}.items():
        if (open_ & holds).any():
            left_out[reason] = int((open_ & holds).sum())
            open_ = open_ & ~holds
    return GridSong(song.name, grid.steps, struck, parts, tuple(starts[good].tolist()), heard[good], left_out)


def grid_part(track: Track, grid: Grid) -> GridPart:
    """A track of the band on the grid."""
    steps, offsets = grid.locate(track.notes.ticks)
    notes = np.zeros(len(steps), GRID_NOTE)
    notes["step"], notes["offset"] = steps, offsets
    notes["pitch"], notes["velocity"] = track.notes.pitches, track.notes.velocities
    notes["length"] = track.notes.lengths * STEPS_PER_BEAT / grid.ticks_per_beat
    return GridPart(track.family, track.program, notes[steps < grid.steps])


def between(notes: np.ndarray, start: int, steps: int = WINDOW_STEPS) -> np.ndarray:
    """The notes on ``steps`` steps from ``start`` on."""
    return notes[slice(*np.searchsorted(notes["step"], [start, start + steps]))]


def in_four(grid: Grid, starts: np.ndarray) -> np.ndarray:
    """Which windows are in 4/4 throughout: bool (starts,)."""
    odd, bars = set(grid.odd_bars), np.zeros(grid.steps // STEPS_PER_BAR + 1, dtype=np.int64)
    for bar, first in zip(grid.bars, grid.first_steps, strict=True):
        bars[first // STEPS_PER_BAR] = bar not in odd  # a bar longer than 16 steps is odd, and so is the rest of it
    fours = np.concatenate([[0], np.cumsum(bars)])
    return fours[starts // STEPS_PER_BAR + WINDOW_BARS] - fours[starts // STEPS_PER_BAR] == WINDOW_BARS


def silences(steps: np.ndarray, total: int, starts: np.ndarray) -> np.ndarray:
    """In which windows a part, which plays on these steps, is silent for more than two bars in a row: (starts,)."""
    gap = MAX_SILENT_BARS * STEPS_PER_BAR + 1
    played = np.zeros(total, dtype=np.int64)
    played[steps] = 1
    so_far = np.concatenate([[0], np.cumsum(played)])  # (total + 1,)
    gaps = so_far[gap:] == so_far[:-gap]  # whether silence reigns on this step and the two bars behind it
    so_far = np.concatenate([[0], np.cumsum(gaps)])
    return so_far[starts + WINDOW_STEPS - gap + 1] > so_far[starts]
