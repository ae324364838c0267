"""Files written whole or not at all: a reader never sees half a song, half a checkpoint or half a result.

And zip files, opened only if they have no more entries than they should.
"""

import errno
import os
import secrets
import stat
import zipfile
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".unfinished-"
"""How the names of files begin that are being written; one stays behind only where its writer was killed."""


def write_whole(path: str | os.PathLike, data: bytes) -> None:
    """Write ``data`` to ``path`` so that the file is either the old one or the whole new one, never a part.

    The bytes go to a new file in the same folder, which then takes the place of ``path`` in one step. It keeps the
    permissions of the old file, and has those of any new file where there was none.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, or ``path`` is a folder or a device.
    """
    path = Path(path).resolve()
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "it is there already, and is no ordinary file", str(path))
    temporary = path.with_name(UNFINISHED + secrets.token_hex(8))
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
        # O_EXCL: a file or a link of that name is not opened. The system takes the umask off 0o666, in one step.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        handle = os.open(temporary, flags, 0o666 if mode is None else mode & 0o600)
    except OSError as error:  # it names the temporary file, of which nobody has heard
        raise type(error)(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError as error:  # a full disk does not say whose it was
        temporary.unlink(missing_ok=True)
        raise type(error)(error.errno, error.strerror, str(path)) from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


ENTRY_BYTES = 400
"""The most that an entry of a zip takes in its table of contents, on average: 46 bytes, its name, its extra fields."""


def open_zip(file: BinaryIO, most: int) -> zipfile.ZipFile:
    """A zip file to read. Raises OverflowError if its table of contents is that of more than ``most`` entries.

    ``zipfile`` makes an object of each entry while it opens a file: for a million of them that takes 24 s.
    """
    return zipfile.ZipFile(_Bounded(file, most))


class _Bounded:
    """A file of whose bytes no more are read at once than a table of ``most`` entries has; zipfile reads it at once."""

    def __init__(self, file: BinaryIO, most: int):
        self.file, self.most = file, most

    def read(self, size: int = -1) -> bytes:
        usual = 1 << 17  # what zipfile reads else, such as the end of the file, in which it looks for the table
        if size <= max(usual, self.most * ENTRY_BYTES):
            data = self.file.read(size)
            if size <= usual or data.count(b"PK\1\2") <= self.most:  # so each entry begins
                return data
        raise OverflowError(f"it has more than {self.most:,} entries")

    def __getattr__(self, name: str):
        return getattr(self.file, name)
