"""Windows: eight bars of a band, and the eight bars of drums that go with them (thesis, 3.3).

A window starts every two bars. It is left out where it is not in 4/4 throughout, and where the drums or one of the
three families do not strike for more than two bars in a row: there is nothing to learn from silence.
"""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drumlib.music import STEPS_PER_BAR, Grid, MidiError, Song, groove_of, read_song, roll_from_notes
from drumlib.music.kit import FAMILIES

WINDOW_BARS = 8
HOP_BARS = 2
MAX_SILENT_BARS = 2
WINDOW_STEPS = WINDOW_BARS * STEPS_PER_BAR


@dataclass(frozen=True)
class Sheet:
    """One song as the network meets it, and the places where its windows start.

    Attributes
    ----------
    name : the song's name.
    rolls : for each family, one piano roll a track: uint8 (tracks, steps, 128).
    drums : hits, velocities and offsets side by side: float32 (steps, 27).
    starts : the steps on which a window starts.
    heard : for each start, for each family, which of its tracks play enough to be heard in that window.
    """

    name: str
    rolls: dict[str, np.ndarray]
    drums: np.ndarray
    starts: tuple[int, ...]
    heard: tuple[dict[str, tuple[int, ...]], ...]

    def window(self, i: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, ...]:
        """Window number ``i``: piano, guitar, bass, each uint8 (128, 128), and drums, float32 (128, 27).

        With ``rng``, one track of each family is drawn among those that are heard; without, all tracks of a family
        are laid over each other. The thesis makes a sample of every combination instead.
        """
        steps = slice(self.starts[i], self.starts[i] + WINDOW_STEPS)
        band = []
        for family in FAMILIES:
            if rng is None:
                band.append(self.rolls[family][:, steps].max(axis=0))  # (tracks, 128, 128) -> (128, 128)
            else:
                band.append(self.rolls[family][rng.choice(self.heard[i][family]), steps])
        return *band, self.drums[steps]


def sheet(song: Song) -> Sheet:
    """Cut a song into windows. A song that has none (too short, never in four, ...) gives a sheet without starts."""
    grid = Grid(song)
    rolls = {
        family: np.array([roll_from_notes(track.notes, grid) for track in song.parts(family)], dtype=np.uint8).reshape(
            len(song.parts(family)), grid.steps, 128
        )
        for family in FAMILIES
    }
    drums = groove_of(song, grid).to_array()
    in_four, odd = np.zeros(grid.steps, dtype=bool), set(grid.odd_bars)
    for bar, first in zip(grid.bars, grid.first_steps, strict=True):
        in_four[first : first + STEPS_PER_BAR] = bar not in odd
    starts, heard = [], []
    for start in range(0, grid.steps - WINDOW_STEPS + 1, HOP_BARS * STEPS_PER_BAR):
        steps = slice(start, start + WINDOW_STEPS)
        tracks = {
            family: tuple(i for i, roll in enumerate(rolls[family]) if not is_silent(roll[steps]))
            for family in FAMILIES
        }
        if in_four[steps].all() and all(tracks.values()) and not is_silent(drums[steps, :9]):
            starts.append(start)
            heard.append(tracks)
    return Sheet(song.name, rolls, drums, tuple(starts), tuple(heard))


def is_silent(part: np.ndarray) -> bool:
    """Whether a part, (steps, anything), goes without an onset for more than two bars in a row."""
    struck = np.flatnonzero(part.any(axis=1))
    edges = np.concatenate([[-1], struck, [len(part)]])
    return bool(np.diff(edges).max() - 1 > MAX_SILENT_BARS * STEPS_PER_BAR)


class Windows:
    """All windows of many songs, numbered through, with the songs kept apart.

    Attributes
    ----------
    sheets : the songs.
    index : int (windows, 2): for each window the number of its song, and its number within that song.
    """

    def __init__(self, sheets: Iterable[Sheet]):
        self.sheets = list(sheets)
        self.index = np.array(
            [(s, i) for s, sheet in enumerate(self.sheets) for i in range(len(sheet.starts))], dtype=np.int64
        ).reshape(-1, 2)

    def __len__(self) -> int:
        return len(self.index)

    def batch(
        self, numbers, rng: np.random.Generator | None = None, transpose: int = 0, mute: float = 0.0
    ) -> dict[str, np.ndarray]:
        """The windows with these numbers, as arrays of shape (batch, 128, 128), and (batch, 128, 27) for the drums.

        With ``rng``, tracks are drawn as in ``Sheet.window``; the band of each window is transposed by up to
        ``transpose`` semitones up or down, for a song's drums do not depend on its key; and each instrument of each
        window is silenced with the probability ``mute``, though never all three.
        """
        windows = [self.sheets[s].window(i, rng) for s, i in self.index[numbers]]
        *band, drums = (np.stack(parts) for parts in zip(*windows, strict=True))
        if rng is not None:
            muted = rng.random((len(windows), len(band))) < mute  # (batch, 3)
            muted[muted.all(axis=1)] = False
            shifts = rng.integers(-transpose, transpose + 1, len(windows))
            for number, part in enumerate(band):
                part[muted[:, number]] = 0
                for row, shift in enumerate(shifts):
                    part[row] = _shifted(part[row], shift)
        return dict(zip([*FAMILIES, "drums"], [*band, drums], strict=True))


def _shifted(roll: np.ndarray, semitones: int) -> np.ndarray:
    """A roll (steps, 128) some semitones higher or lower. What would leave the keyboard is not played."""
    moved = np.roll(roll, semitones, axis=1)
    if semitones > 0:
        moved[:, :semitones] = 0
    elif semitones < 0:
        moved[:, semitones:] = 0
    return moved


def list_songs(folder: str | os.PathLike, split: str) -> list[Path]:
    """The songs of one split: ``"train"``, ``"validation"`` or ``"test"``.

    A file ``songs.csv`` in the folder decides, by its columns ``file``, ``split`` and, if there is one, ``good``
    (only songs with a 1 are taken). Without it, all MIDI files are taken in the order of their names, and of every
    ten, eight go to train, one to validation, one to test.

    Raises
    ------
    FileNotFoundError
        If there are no songs in the folder.
    ValueError
        If ``songs.csv`` is no such table.
    """
    folder = Path(folder)
    if (folder / "songs.csv").is_file():
        rows = read_table(folder / "songs.csv")
        songs = [folder / row["file"] for row in rows if row["split"] == split and row.get("good", "1") == "1"]
    else:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
        of_ten = {"train": range(8), "validation": [8], "test": [9]}.get(split, [])
        songs = [path for i, path in enumerate(files) if i % 10 in of_ten]
    if not songs:
        raise FileNotFoundError(
            f"{folder}: no songs for {split} here (neither a songs.csv that names some, nor MIDI files)"
        )
    return songs


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a ``songs.csv``. Raises ValueError if it is no table with the columns ``file`` and ``split``."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: not a table of songs ({error})") from None
    missing = {"file", "split"} - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"{path}: it has no column {' and no column '.join(sorted(missing))}")
    return rows


def read_windows(songs: Iterable[Path], refused: dict[str, str] | None = None, progress=lambda songs: songs) -> Windows:
    """Read songs and cut them into windows.

    Files that are no songs are left out, and named with the reason in ``refused``. ``progress`` may wrap the songs
    in a progress bar.
    """
    sheets = []
    for path in progress(list(songs)):
        try:
            sheets.append(sheet(read_song(path)))
        except MidiError as error:
            if refused is not None:
                refused[str(path)] = str(error)
    return Windows(sheets)
