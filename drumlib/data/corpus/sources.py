"""Where songs come from. A source lists its songs, and reads each of them when it is asked to.

A source goes to other processes, and to other machines: it holds little, and no open files.
"""

import errno
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from drumbook.bands.compose import compose

from drumlib.data.groove_dataset import performances
from drumlib.data.song_folder import check_splits, is_good, read_table
from drumlib.music import MidiError, Song
from drumlib.music import fast_midi as fast

FILE_ERRORS = {errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EACCES, errno.ELOOP}
"""Errors that cost one song. Any other (the disk, the network, too many open files) ends what was begun."""


@dataclass(frozen=True)
class SourceEntry:
    """A song in a source.

    Attributes
    ----------
    file : where it is, below the source's folder.
    key : what it shares with the songs that it belongs together with, such as its artist; or None.
    split : ``"train"``, ``"validation"`` or ``"test"``, if the source decides that; or None.
    variant : which of the songs that are made of one file, where a source makes several.
    """

    file: str
    key: str | None = None
    split: str | None = None
    variant: int = 0


class Source(Protocol):
    """What a corpus can be built from."""

    def entries(self) -> list[SourceEntry]:
        """The songs, in the same order every time."""

    def size(self, entry: SourceEntry) -> int:
        """The size of the entry's file, in bytes. Where it has changed, so has the file; more is not looked at."""

    def read(self, entry: SourceEntry) -> Song:
        """One of the songs.

        Raises ``MidiError``, or ``DrumsError``, that says why it is none; and OSError if the disk fails.
        """


@dataclass(frozen=True)
class SongFolder:
    """A folder of MIDI files, read by symusic.

    A table ``songs.csv`` in the folder decides, by its columns ``file``, ``split`` and, if they are there, ``good``
    (only songs with a 1 are taken, unless ``all_songs``) and ``group``. Without a table, all MIDI files are taken in
    the order of their names. In the folders of Lakh's ``lmd_matched``, the folder of a file is the recording that it
    is a version of (such as ``TRAAAGR128F425B14B``): its files belong together.
    """

    folder: Path
    all_songs: bool = False

    def entries(self) -> list[SourceEntry]:
        """The songs. Raises FileNotFoundError if there are none, ValueError if the table is no table."""
        table = self.folder / "songs.csv"
        if table.is_file():
            rows = [row for row in read_table(table) if self.all_songs or is_good(row)]
            check_splits(table, rows)
            found = [SourceEntry(row["file"], row.get("group") or None, row["split"]) for row in rows]
        else:
            found = [SourceEntry(file, recording(file)) for file in sorted(midi_files(self.folder))]
        if not found:
            raise FileNotFoundError(f"{self.folder}: no songs here (no songs.csv that names some, and no MIDI files)")
        return found

    def size(self, entry: SourceEntry) -> int:
        """The size of the entry's file, in bytes; -1 if it is not there."""
        try:
            return (self.folder / entry.file).stat().st_size
        except (OSError, ValueError):
            return -1

    def read(self, entry: SourceEntry) -> Song:
        """One of the songs. Raises ``MidiError``, or OSError if the disk fails."""
        path = self.folder / entry.file
        try:
            return fast.read_song(path)
        except MidiError as error:
            raise reading_error(error, path) from None


def reading_error(error: MidiError, path: Path) -> MidiError | OSError:
    """What a source raises where reading a song ended so: the error below it, if that is not the file's own fault.

    Else the same without the path: which file it is, is known; where its folder is, is of no interest elsewhere.
    """
    cause = error.__context__
    if isinstance(cause, OSError) and cause.errno not in FILE_ERRORS:
        return cause
    return MidiError(str(error).removeprefix(f"{path}: "))


def midi_files(folder: Path) -> list[str]:
    """The MIDI files in a folder and its folders, as paths below it. Links to folders are not followed."""
    return [
        Path(where, name).relative_to(folder).as_posix()
        for where, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith((".mid", ".midi"))
    ]


def recording(file: str) -> str | None:
    """The recording that a file of ``lmd_matched`` is a version of: its folder's name. None for other files."""
    name = Path(file).parent.name
    return name if re.fullmatch(r"TR[A-Z]{5}[0-9A-F]{11}", name) else None


@dataclass(frozen=True)
class GrooveBands:
    """The Groove MIDI Dataset's performances in 4/4, each with ``variants`` bands composed to it (see ``bands.py``).

    ``folder`` is the data set's folder, or its archive. The data set says itself what is for training, validation and
    test, and that is kept to, so that figures can be compared. It parts drummers, and even sessions: who trained on it
    has heard the test drummers before.
    """

    folder: Path
    variants: int = 1
    seed: int = 0

    def __post_init__(self):
        if self.variants < 1:
            raise ValueError("at least one band must be composed to each performance")

    def entries(self) -> list[SourceEntry]:
        """The songs: for each variant, one of every performance. Raises as ``gmd.performances`` does."""
        found = _performances(self.folder).items()
        return [
            SourceEntry(file, one.session, one.split, variant)
            for variant in range(self.variants)
            for file, one in found
        ]

    def size(self, entry: SourceEntry) -> int:
        """The size of the file, in bytes; of the archive's, where there is one; -1 if it is not there."""
        one = _performances(self.folder)[entry.file]
        try:
            return (one.archive or one.path).stat().st_size
        except OSError:
            return -1

    def read(self, entry: SourceEntry) -> Song:
        """The performance with its band.

        Raises ``MidiError``, or ``DrumsError`` if no band can be composed to it, or OSError if the disk fails.
        """
        one = _performances(self.folder)[entry.file]
        try:
            song = one.song()
        except MidiError as error:
            raise reading_error(error, one.path) from None
        return compose(song, one.style, seed=self.seed * 1_000_003 + entry.variant)


@lru_cache(maxsize=2)
def _performances(folder: Path) -> dict:
    """The performances in 4/4, by their files."""
    found = performances(folder, beat_type="beat", time_signature="4-4")
    return {f"{one.session}/{one.path.name}": one for one in found}
