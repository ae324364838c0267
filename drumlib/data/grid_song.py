"""A song on the grid of sixteenths, kept as notes, and the windows that networks learn from.

A *window* is eight bars of a band and the drums that go with them (thesis, 3.3). One starts every two bars. A window is
left out if a bar of it is not in 4/4, or if the drums or one of the three families have no onset for more than two bars
in a row. A song takes some 50 kB in this form, and megabytes as piano rolls, which are made window by window.
"""

from collections.abc import Iterable
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
    """One track of the band on the grid: its family, its program (0-127), and its notes (``GRID_NOTE``) by step."""

    family: str
    program: int
    notes: np.ndarray


@dataclass(frozen=True, eq=False)
class GridSong:
    """A song on the grid, and its windows.

    Attributes
    ----------
    name : the song's name.
    steps : how many steps it has.
    drums : the drum hits, one a cell (``GRID_NOTE``), by step.
    parts : the tracks of piano, guitar and bass.
    starts : the steps on which the windows start.
    audible : bool (windows, parts): in which windows a part has no silence of more than two bars.
    left_out : how many windows were left out for each reason; each counts once, under the first that applies.
    """

    name: str
    steps: int
    drums: np.ndarray
    parts: tuple[GridPart, ...]
    starts: tuple[int, ...]
    audible: np.ndarray
    left_out: dict[str, int] = field(default_factory=dict)

    def window(self, i: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, ...]:
        """Window ``i``: piano, guitar, bass, each uint8 (128 steps, 128 pitches), and drums, float32 (128, 27).

        With ``rng``, one audible track of each family is sampled; without, all tracks of a family are merged. (The
        thesis makes an example of every combination of tracks: see ``combination``.)
        """
        chosen: Iterable[int] = range(len(self.parts))
        if rng is not None:
            chosen = [rng.choice(numbers) for numbers in self.audible_parts(i) if len(numbers)]
        return *self.band(i, chosen), self.groove(i).to_array()

    def band(self, i: int, chosen: Iterable[int]) -> list[np.ndarray]:
        """The piano rolls of window ``i``, uint8 (128, 128) for each family, of the parts with these numbers."""
        rolls = {family: np.zeros((WINDOW_STEPS, 128), dtype=np.uint8) for family in FAMILIES}
        for number in chosen:
            notes = notes_between(self.parts[number].notes, self.starts[i])
            rolls[self.parts[number].family][notes["step"] - self.starts[i], notes["pitch"]] = 1
        return list(rolls.values())

    def groove(self, i: int | None = None) -> Groove:
        """The drums of window ``i``, 128 steps; without a number, of the whole song."""
        start, steps = (0, self.steps) if i is None else (self.starts[i], WINDOW_STEPS)
        notes = notes_between(self.drums, start, steps)
        hits, velocities, offsets = np.zeros((3, steps, len(DRUMS)), dtype=np.float32)
        cells = notes["step"] - start, notes["pitch"]
        hits[cells], velocities[cells], offsets[cells] = 1, notes["velocity"] / 127, notes["offset"]
        return Groove(hits, velocities, offsets)

    def audible_parts(self, i: int) -> list[np.ndarray]:
        """For each family, the numbers of its parts that are audible in window ``i``."""
        return [np.flatnonzero(row & self.audible[i]) for row in self.family_masks()]

    def family_masks(self) -> np.ndarray:
        """Which parts are of which family: bool (3, parts)."""
        families = [part.family for part in self.parts]
        return np.array([[own == family for own in families] for family in FAMILIES], dtype=bool).reshape(3, -1)

    def combinations(self) -> np.ndarray:
        """The number of audible piano x guitar x bass combinations of each window, int (windows,)."""
        counts = self.audible.astype(np.int64) @ self.family_masks().T  # (windows, parts) @ (parts, 3) -> (windows, 3)
        return np.maximum(counts, 1).prod(axis=1)

    def combination(self, i: int, number: int) -> list[int]:
        """The parts of combination ``number`` of window ``i``: one of each family that has an audible part."""
        chosen = []
        for numbers in self.audible_parts(i):
            if len(numbers):
                number, which = divmod(number, len(numbers))
                chosen.append(int(numbers[which]))
        return chosen


def grid_song(song: Song, missing: int = 0) -> GridSong:
    """Put a song on the grid and find its windows. It may have none: too short, never in 4/4, ...

    ``missing`` is how many of the three families may be silent in a window; the thesis: 0.
    """
    grid = Grid(song)
    steps, drums, velocities, offsets = quantize_hits(merge_notes(song.drums), grid)
    hits = np.zeros(len(steps), GRID_NOTE)
    hits["step"], hits["pitch"], hits["velocity"], hits["offset"] = steps, drums, velocities, offsets
    parts = tuple(grid_part(track, family, grid) for family in FAMILIES for track in song.parts(family))

    starts = np.arange(0, grid.steps - WINDOW_STEPS + 1, HOP_BARS * STEPS_PER_BAR)
    silent = np.stack([is_silent(notes["step"], grid.steps, starts) for notes in (hits, *(p.notes for p in parts))])
    audible = ~silent[1:].T  # (1 + parts, starts) -> (starts, parts)
    lacking = {"no drums": silent[0]}
    for family in FAMILIES:
        lacking[f"no {family}"] = ~audible[:, [part.family == family for part in parts]].any(axis=1)  # (starts,)
    too_few = np.add.reduce([lacking[f"no {family}"] for family in FAMILIES]) > missing
    odd = ~in_four_four(grid, starts)
    good = ~odd & ~silent[0] & ~too_few

    left_out, rest = {}, ~good
    for reason, holds in {ODD_METER: odd, **lacking}.items():
        if (rest & holds).any():
            left_out[reason] = int((rest & holds).sum())
            rest = rest & ~holds
    return GridSong(song.name, grid.steps, hits, parts, tuple(starts[good].tolist()), audible[good], left_out)


def grid_part(track: Track, family: str, grid: Grid) -> GridPart:
    """A track of the band on the grid."""
    steps, offsets = grid.locate(track.notes.ticks)
    notes = np.zeros(len(steps), GRID_NOTE)
    notes["step"], notes["offset"] = steps, offsets
    notes["pitch"], notes["velocity"] = track.notes.pitches, track.notes.velocities
    notes["length"] = track.notes.lengths * STEPS_PER_BEAT / grid.ticks_per_beat
    return GridPart(family, track.program, notes[steps < grid.steps])


def notes_between(notes: np.ndarray, start: int, steps: int = WINDOW_STEPS) -> np.ndarray:
    """The notes (``GRID_NOTE``, by step) on ``steps`` steps from ``start`` on."""
    return notes[slice(*np.searchsorted(notes["step"], [start, start + steps]))]


def in_four_four(grid: Grid, starts: np.ndarray) -> np.ndarray:
    """Which windows are in 4/4 throughout: bool (starts,)."""
    odd, bars = set(grid.odd_bars), np.zeros(grid.steps // STEPS_PER_BAR + 1, dtype=np.int64)
    for bar, first in zip(grid.bars, grid.first_steps, strict=True):
        bars[first // STEPS_PER_BAR] = bar not in odd  # of a bar longer than 16 steps, the further steps stay 0
    counts = np.concatenate([[0], np.cumsum(bars)])  # bars in 4/4 before each bar
    return counts[starts // STEPS_PER_BAR + WINDOW_BARS] - counts[starts // STEPS_PER_BAR] == WINDOW_BARS


def is_silent(steps: np.ndarray, total: int, starts: np.ndarray) -> np.ndarray:
    """In which windows a part with onsets on these steps has none for more than two bars: bool (starts,)."""
    gap = MAX_SILENT_BARS * STEPS_PER_BAR + 1
    played = np.zeros(total, dtype=np.int64)
    played[steps] = 1
    counts = np.concatenate([[0], np.cumsum(played)])  # onsets before each step: (total + 1,)
    gaps = counts[gap:] == counts[:-gap]  # whether a gap starts on this step
    counts = np.concatenate([[0], np.cumsum(gaps)])
    return counts[starts + WINDOW_STEPS - gap + 1] > counts[starts]
