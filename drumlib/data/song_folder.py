"""A folder of MIDI files as songs to train, validate and test on: its table ``songs.csv``, or splits by content."""

import csv
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from drumlib.data.corpus.selection import read_plausible
from drumlib.data.grid_song import grid_song
from drumlib.data.splitting.fingerprints import song_fingerprints
from drumlib.data.splitting.related_songs import related_groups
from drumlib.data.splitting.splits import SPLITS, split_groups
from drumlib.data.windows import Windows
from drumlib.music import MidiError


def list_songs(folder: str | os.PathLike, split: str) -> list[Path]:
    """The songs of one split: ``"train"``, ``"validation"`` or ``"test"``.

    A file ``songs.csv`` in the folder decides, by its columns ``file``, ``split`` and, if there is one, ``good``
    (only songs with a 1 are taken). Without it, all MIDI files are taken, and about eight of ten windows are for
    training, one for validation, one for testing; songs that belong together by what they play stay together.

    Raises
    ------
    FileNotFoundError
        If there are no songs in the folder, or none for this split.
    ValueError
        If there is no such split, or ``songs.csv`` is no such table, or names a split that there is not.
    """
    folder = Path(folder)
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}: there is {', '.join(SPLITS)}")
    if (folder / "songs.csv").is_file():
        rows = read_table(folder / "songs.csv")
        songs = [folder / row["file"] for row in rows if row["split"] == split and is_good(row)]
        found = f"songs.csv names {len(rows)}"
    else:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
        songs = [path for path, its_split in zip(files, splits_of(files), strict=True) if its_split == split]
        found = f"{len(files)} MIDI files, by what they play" if files else "no songs.csv, and no MIDI files"
    if not songs:
        raise FileNotFoundError(f"{folder}: no songs for {split} here ({found})")
    return songs


def splits_of(files: list[Path]) -> list[str]:
    """The split of each file, by what the songs play; those that cannot be read are put with the training songs."""
    charts = {}
    for number, path in enumerate(files):
        try:
            charts[number] = grid_song(read_plausible(path))
        except MidiError:  # whoever reads the songs of the split will hear of it
            pass
    prints = [song_fingerprints(song) for song in charts.values()]
    together = related_groups([None] * len(prints), prints)
    splits = split_groups(together, [len(song.starts) for song in charts.values()], prints=prints)
    decided = dict(zip(charts, splits, strict=True))
    return [decided.get(number, "train") for number in range(len(files))]


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a ``songs.csv``.

    Raises ValueError if it is no table with the columns ``file`` and ``split``, or if a row that is taken (see
    ``is_good``) has a split that there is not: passed over, its song would be missing, and nobody would know.
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
    """Whether a row's song is taken: it is marked as ``good``, or the table has no such marks."""
    return row.get("good", "1") == "1"


def check_splits(path: Path, rows: list[dict[str, str]]) -> None:
    """Raise ValueError if one of these rows of a ``songs.csv`` names a split that there is not."""
    for row in rows:
        if row["split"] not in SPLITS:
            strange = f"{row['file']!r}: no split is called {row['split']!r}"
            raise ValueError(f"{path}: {strange}; there is {', '.join(SPLITS)}")


def read_windows(songs: Iterable[Path], refused: dict[str, str] | None = None, progress=lambda songs: songs) -> Windows:
    """Read songs and cut them into windows.

    Files that are no songs are left out, and named with the reason in ``refused``. ``progress`` may wrap the songs
    in a progress bar.
    """
    charts = []
    for path in progress(list(songs)):
        try:
            charts.append(grid_song(read_plausible(path)))
        except MidiError as error:
            if refused is not None:
                refused[str(path)] = str(error)
    return Windows(charts)
