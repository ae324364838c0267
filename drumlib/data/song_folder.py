"""A folder of MIDI files: which songs it holds, the split of each, and their windows.

A table ``songs.csv`` in the folder decides, by its columns ``file``, ``split`` and, if they are there, ``good`` (only
songs with a 1 are used) and ``group`` (songs with the same value belong together). Without a table, all MIDI files of
the folder and its subfolders are used, and split by what they play.
"""

import csv
import os
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from drumlib.data.grid_song import grid_song
from drumlib.data.splitting.fingerprints import song_fingerprints
from drumlib.data.splitting.related_songs import related_groups
from drumlib.data.splitting.splits import SPLITS, split_groups
from drumlib.data.windows import Windows
from drumlib.music import MidiError, Song
from drumlib.music.fast_midi import read_song_fast

TABLE = "songs.csv"

MAX_TRACKS, MAX_BARS = 256, 20_000
"""Songs with more are refused: no song has as many, but a small file can claim them and take minutes to process."""


def midi_files(folder: str | os.PathLike) -> list[Path]:
    """All MIDI files in a folder and its subfolders, sorted by path. Links to folders are not followed."""
    files = (Path(where, name) for where, _, names in os.walk(folder) for name in names)
    return sorted(file for file in files if file.suffix.lower() in (".mid", ".midi"))


def list_songs(folder: str | os.PathLike, split: str) -> list[Path]:
    """The songs of one split: ``"train"``, ``"validation"`` or ``"test"``.

    Without ``songs.csv``, about eight windows of ten are for training, one for validation and one for testing, and
    songs that belong together by what they play (``related_groups``) stay together.

    Raises
    ------
    FileNotFoundError
        If there are no songs in the folder, or none of this split.
    ValueError
        If there is no such split, or ``songs.csv`` is not such a table or names an unknown split.
    """
    folder = Path(folder)
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}: there is {', '.join(SPLITS)}")
    if (folder / TABLE).is_file():
        rows = read_table(folder / TABLE)
        songs = [folder / row["file"] for row in rows if row["split"] == split and is_good(row)]
        found = f"{TABLE} names {len(rows)}"
    else:
        files = midi_files(folder)
        songs = [path for path, its_split in zip(files, splits_by_content(files), strict=True) if its_split == split]
        found = f"{len(files)} MIDI files, by what they play" if files else f"no {TABLE}, and no MIDI files"
    if not songs:
        raise FileNotFoundError(f"{folder}: no songs for {split} here ({found})")
    return songs


def splits_by_content(files: list[Path]) -> list[str]:
    """The split of each file, by what the songs play. Files that cannot be read count as training songs."""
    songs = {}
    for number, path in enumerate(files):
        try:
            songs[number] = grid_song(read_plausible(path))
        except MidiError:  # reported by the function that reads the songs of the split
            pass
    fingerprints = [song_fingerprints(song) for song in songs.values()]
    groups = related_groups([None] * len(songs), fingerprints)
    splits = split_groups(groups, [len(song.starts) for song in songs.values()], fingerprints=fingerprints)
    decided = dict(zip(songs, splits, strict=True))
    return [decided.get(number, "train") for number in range(len(files))]


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a ``songs.csv``.

    Raises ValueError if it is not a table with the columns ``file`` and ``split``, if a file lies outside the folder,
    or if a row that is used (see ``is_good``) names an unknown split.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: not a table of songs ({error})") from None
    missing = {"file", "split"} - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"{path}: it has no column {' and no column '.join(sorted(missing))}")
    for row in rows:
        file = PurePosixPath(row["file"])
        if file.is_absolute() or ".." in file.parts:
            raise ValueError(f"{path}: {row['file']!r} leads out of the folder")
    check_splits(path, [row for row in rows if is_good(row)])
    return rows


def is_good(row: dict[str, str]) -> bool:
    """Whether a row's song is used: the table has no column ``good``, or it is 1."""
    return row.get("good", "1") == "1"


def check_splits(path: Path, rows: list[dict[str, str]]) -> None:
    """Raise ValueError if one of these rows of a ``songs.csv`` names an unknown split."""
    for row in rows:
        if row["split"] not in SPLITS:
            strange = f"{row['file']!r}: no split is called {row['split']!r}"
            raise ValueError(f"{path}: {strange}; there is {', '.join(SPLITS)}")


def read_plausible(path: str | os.PathLike) -> Song:
    """Read a MIDI file, without ``Song.events``. Raises MidiError, also for a song with ``implausible_reason``."""
    song = read_song_fast(path)
    if reason := implausible_reason(song):
        raise MidiError(f"{path}: it has {reason}")
    return song


def implausible_reason(song: Song) -> str | None:
    """Which limit a song exceeds (``MAX_TRACKS``, ``MAX_BARS``), in a few words; None if it exceeds none."""
    if len(song.tracks) > MAX_TRACKS or len(song.bars) > MAX_BARS:
        return f"more than {MAX_TRACKS} parts, or {MAX_BARS:,} bars"
    return None


def read_windows(
    songs: Iterable[Path],
    refused: dict[str, str] | None = None,
    progress: Callable[[list[Path]], Iterable[Path]] = lambda songs: songs,
) -> Windows:
    """Read songs and cut them into windows.

    Files that are not songs are left out, and listed with the reason in ``refused``. ``progress`` may wrap the list of
    songs in a progress bar.
    """
    grid_songs = []
    for path in progress(list(songs)):
        try:
            grid_songs.append(grid_song(read_plausible(path)))
        except MidiError as error:
            if refused is not None:
                refused[str(path)] = str(error)
    return Windows(grid_songs)
