"""Sources of songs for a corpus: a source lists its songs, and reads each of them on request.

A source is sent to other processes and machines, so it holds paths and settings, but no songs and no open files.
"""

import errno
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from drumlib.data.song_folder import TABLE, check_splits, is_good, midi_files, read_table
from drumlib.music import MidiError, Song
from drumlib.music.fast_midi import read_song_fast

FILE_ERRORS = {errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EACCES, errno.ELOOP}
"""System errors that concern one file: it is left out. Any other (disk, network, too many open files) ends a build."""


class UnusableSongError(ValueError):
    """A source cannot make a song of one of its entries; the message has the details.

    ``reason`` is a short category: a corpus's manifest counts the songs left out for each.
    """

    reason = "not a song"


@dataclass(frozen=True)
class SourceEntry:
    """A song in a source.

    Attributes
    ----------
    file : its path below the source's folder.
    key : what it has in common with songs that must stay in the same split, such as its artist; or None.
    split : ``"train"``, ``"validation"`` or ``"test"``, if the source decides that; or None.
    variant : the number of the song among those made of one file, where a source makes several.
    """

    file: str
    key: str | None = None
    split: str | None = None
    variant: int = 0


class Source(Protocol):
    """What a corpus can be built from."""

    def entries(self) -> list[SourceEntry]:
        """The songs, in the same order every time."""
        ...

    def size(self, entry: SourceEntry) -> int:
        """The size of the entry's file, in bytes: a build that is resumed takes a file of equal size for unchanged."""
        ...

    def read(self, entry: SourceEntry) -> Song:
        """One of the songs. Raises MidiError or UnusableSongError if it is not one, OSError if the disk fails."""
        ...


@dataclass(frozen=True)
class SongFolder:
    """A folder of MIDI files (see ``data.song_folder``), read by symusic.

    With ``all_songs``, the songs that ``songs.csv`` does not mark as good are taken too. Without a table, files in a
    folder that is named like a recording of Lakh's ``lmd_matched`` (such as ``TRAAAGR128F425B14B``) belong together.
    """

    folder: Path
    all_songs: bool = False

    def entries(self) -> list[SourceEntry]:
        """The songs. Raises FileNotFoundError if there are none, ValueError if ``songs.csv`` is not such a table."""
        table = self.folder / TABLE
        if table.is_file():
            rows = [row for row in read_table(table) if self.all_songs or is_good(row)]
            check_splits(table, rows)
            found = [SourceEntry(row["file"], row.get("group") or None, row["split"]) for row in rows]
        else:
            files = (path.relative_to(self.folder).as_posix() for path in midi_files(self.folder))
            found = [SourceEntry(file, recording(file)) for file in sorted(files)]
        if not found:
            raise FileNotFoundError(f"{self.folder}: no songs here (no {TABLE} that names some, and no MIDI files)")
        return found

    def size(self, entry: SourceEntry) -> int:
        """The size of the entry's file, in bytes; -1 if it is not there."""
        try:
            return (self.folder / entry.file).stat().st_size
        except (OSError, ValueError):
            return -1

    def read(self, entry: SourceEntry) -> Song:
        """One of the songs. Raises MidiError, or OSError if the disk fails."""
        path = self.folder / entry.file
        try:
            return read_song_fast(path)
        except MidiError as error:
            raise reading_error(error, path) from None


def reading_error(error: MidiError, path: Path) -> MidiError | OSError:
    """The error that a source raises for a ``MidiError``: its OSError cause, unless that concerns the file alone.

    Otherwise the same MidiError without the path: the manifest names the file, and must not depend on its folder.
    """
    cause = error.__context__
    if isinstance(cause, OSError) and cause.errno not in FILE_ERRORS:
        return cause
    return MidiError(str(error).removeprefix(f"{path}: "))


def recording(file: str) -> str | None:
    """The name of the ``lmd_matched`` recording that a file is a version of: its folder's. None for other files."""
    name = Path(file).parent.name
    return name if re.fullmatch(r"TR[A-Z]{5}[0-9A-F]{11}", name) else None
