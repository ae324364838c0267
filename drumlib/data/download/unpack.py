"""Unpacking untrusted archives: nothing outside the folder, no links, and no more than the allowed sizes.

The sizes that an archive states are not trusted: the bytes are counted while they are unpacked.
"""

import errno
import gzip
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, Protocol, cast

from drumlib.files import open_zip

WANTED_ENDINGS = (".mid", ".midi", ".csv", ".json", ".txt")
WANTED_NAMES = ("README", "LICENSE")

CHUNK = 1 << 16
"""Bytes read at a time."""

HEADER_BYTES = 1 << 16
"""The most bytes between two files of a tar (headers, long names, padding), all of which tarfile reads at once."""


class ArchiveError(ValueError):
    """An archive that is damaged, or has content that is refused. The message says which."""


@dataclass(frozen=True)
class Bounds:
    """Limits for unpacking: the number of entries (files and folders), the bytes of a file, the bytes of all files."""

    entries: int
    file_bytes: int
    all_bytes: int


class ArchiveEntry(NamedTuple):
    """One file or folder of an archive. ``open`` returns a stream; ``is_plain`` is False for a link or a device."""

    name: str
    size: int
    is_folder: bool
    is_plain: bool
    open: Callable[[], IO[bytes]]


def unpack(archive: str | os.PathLike, folder: str | os.PathLike, bounds: Bounds, progress: bool = True) -> int:
    """Unpack a zip or a tar.gz into an empty folder. Returns the number of files written.

    Only songs, tables and texts are written (``WANTED_ENDINGS``, ``WANTED_NAMES``); other files are read and counted.
    Files get default permissions. After an error, the folder holds a part, and should be removed.

    Raises
    ------
    ArchiveError
        If the archive is damaged, encrypted or exceeds ``bounds``; or holds a link, a device, a path that may lead out
        of the folder, two files of the same name, or no file to write.
    OSError
        If the archive cannot be read, or the folder cannot be written to.
    """
    from tqdm import tqdm

    archive, folder = Path(archive), Path(folder)
    size = archive.stat().st_size
    count, written, name = 0, 0, ""
    with (
        open(archive, "rb") as raw,
        tqdm(total=size, desc="unpacking", unit="B", unit_scale=True, disable=not progress) as bar,
    ):
        try:
            for number, entry in enumerate(entries(raw, bounds), 1):
                name = entry.name
                if number > bounds.entries:
                    raise ArchiveError(f"it holds more than {bounds.entries:,} files and folders")
                parts = checked_parts(entry)
                if not entry.is_folder:
                    target = folder.joinpath(*parts) if is_wanted(parts) else None
                    written += read_entry(entry, target, bounds, bounds.all_bytes - written)
                    count += target is not None
                bar.update(max(0, raw.tell() - bar.n))
            if not count:
                raise ArchiveError("it holds no songs")
            bar.update(size - bar.n)
        except ArchiveError as error:
            raise ArchiveError(f"{archive}: {error}") from None
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise ArchiveError(f"{archive}: two of its files have one name: {short(name)}") from None
        except OSError as error:
            if error.errno not in (None, errno.EINVAL):  # none: gzip's own; EINVAL: a zip that points before its start
                raise
            raise ArchiveError(f"{archive}: it is damaged ({error})") from None
        except Exception as error:  # zipfile and tarfile raise many kinds of exception on damage
            raise ArchiveError(f"{archive}: it is damaged ({str(error) or type(error).__name__})") from None
    return count


def checked_parts(entry: ArchiveEntry) -> list[str]:
    """The parts of an entry's path. Raises ArchiveError if it is not a plain file or folder below the root."""
    parts = [part for part in entry.name.split("/") if part not in ("", ".")]
    if entry.name.startswith("/") or ".." in parts or any(character in entry.name for character in "\\:"):
        raise ArchiveError(f"{short(entry.name)}: a path that may lead out of the folder")
    if not entry.is_plain:
        raise ArchiveError(f"{short(entry.name)}: a link or a device, not a file")
    if not entry.is_folder and is_wanted(parts):
        if not entry.name.isprintable() or len(entry.name.encode()) > 200 or len(parts) > 10:
            raise ArchiveError(f"{short(entry.name)}: not a name for a file")
    return parts


def is_wanted(parts: list[str]) -> bool:
    """Whether a path is a song, a table or a text, and not a hidden file (such as macOS's ``._song.mid``)."""
    name = parts[-1] if parts else ""
    return name in WANTED_NAMES or (name.lower().endswith(WANTED_ENDINGS) and not name.startswith("."))


def short(name: str) -> str:
    """A name from the archive, escaped and shortened for a message."""
    return repr(name if len(name) <= 80 else name[:80] + "...")


def read_entry(entry: ArchiveEntry, target: Path | None, bounds: Bounds, room: int) -> int:
    """Read an entry, write it to ``target`` unless that is None, and return its number of bytes."""
    size = 0
    with entry.open() as stream, new_file(target) as write:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > bounds.file_bytes:
                raise ArchiveError(f"{short(entry.name)}: larger than {bounds.file_bytes:,} bytes")
            if size > room:
                raise ArchiveError(f"more than {bounds.all_bytes:,} bytes come out of it")
            write(chunk)
    if size != entry.size:
        raise ArchiveError(f"it is damaged ({short(entry.name)} has {size:,} bytes, and should have {entry.size:,})")
    return size


@contextmanager
def new_file(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    """A function that writes bytes to a new file; without a path, one that discards them."""
    if path is None:
        yield len
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "xb") as file, naming(path):
        yield file.write


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the path to an OSError that has no file name, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def entries(raw: BinaryIO, bounds: Bounds) -> Iterator[ArchiveEntry]:
    """All entries of a zip or a tar.gz. Each must be read before the next one is requested."""
    magic = raw.read(2)
    raw.seek(0)
    if magic == b"PK":
        return zip_entries(raw, bounds)
    if magic == b"\x1f\x8b":
        return tar_entries(raw)
    raise ArchiveError("it is neither a zip nor a tar.gz")


def zip_entries(raw: BinaryIO, bounds: Bounds) -> Iterator[ArchiveEntry]:
    """The entries of a zip."""
    try:
        opened = open_zip(raw, bounds.entries)
    except OverflowError:
        raise ArchiveError(f"it holds more than {bounds.entries:,} files and folders") from None
    with opened as archive:
        for info in archive.infolist():
            if info.flag_bits & 1:
                raise ArchiveError("it is encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others cannot be read in chunks
                raise ArchiveError(f"{short(info.filename)}: compressed by a method that is not supported")
            kind = stat.S_IFMT(info.external_attr >> 16)
            plain = kind in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG)
            yield ArchiveEntry(info.orig_filename, info.file_size, info.is_dir(), plain, partial(archive.open, info))


def tar_entries(raw: BinaryIO) -> Iterator[ArchiveEntry]:
    """The entries of a tar.gz, read once from its beginning to its end."""
    with gzip.open(raw) as unzipped:
        stream = LimitedReader(unzipped)
        with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", bufsize=tarfile.BLOCKSIZE) as archive:
            members: list = archive.members  # pyright: ignore[reportAttributeAccessIssue]  # not in its stubs
            while (member := archive.next()) is not None:
                members.clear()  # or it keeps a record of each, a hundred thousand of them
                plain = member.isreg() or member.isdir()
                stream.allowed = HEADER_BYTES + member.size
                content = cast(Callable[[], IO[bytes]], partial(archive.extractfile, member))
                yield ArchiveEntry(member.name, member.size, member.isdir(), plain, content)
                stream.allowed = HEADER_BYTES
        if stream.last != bytes(tarfile.BLOCKSIZE):  # a block of zeros; tarfile takes a damaged header for the end too
            raise ArchiveError("it is damaged, or cut off: it does not end as a tar does")
        stream.allowed = 1 << 24  # some tars end in many zeros, for the large blocks of tapes
        while stream.read(CHUNK):  # gzip's own checksum comes last
            pass


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int = -1, /) -> bytes: ...


class LimitedReader:
    """A stream that raises after ``allowed`` bytes, so that a header that claims gigabytes is not read into memory."""

    def __init__(self, stream: Readable):
        self.stream, self.allowed, self.last = stream, HEADER_BYTES, b""

    def read(self, size: int) -> bytes:
        """The next bytes. Raises ArchiveError if they are more than what is still allowed."""
        self.last = self.stream.read(size)
        self.allowed -= len(self.last)
        if self.allowed < 0:
            raise ArchiveError("it is damaged: there is too much between two of its files")
        return self.last
