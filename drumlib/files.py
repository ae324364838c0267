"""Files written whole or not at all: a reader never sees half a song, half a checkpoint or half a result."""

import errno
import os
import tempfile
from pathlib import Path

UNFINISHED = ".unfinished-"
"""How the names of files begin that are being written; one stays behind only where its writer was killed."""


def write_whole(path: str | os.PathLike, data: bytes) -> None:
    """Write ``data`` to ``path`` so that the file is either the old one or the whole new one, never a part.

    The bytes go to a new file in the same folder, which then takes the place of ``path`` in one step.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, or ``path`` is a folder or a device.
    """
    path = Path(path).resolve()
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "it is there already, and is no ordinary file", str(path))
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
    except OSError as error:  # it names the temporary file, of which nobody has heard
        raise type(error)(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes private files; a result should be an ordinary one
        os.replace(temporary, path)
    except OSError as error:  # a full disk does not say whose it was
        Path(temporary).unlink(missing_ok=True)
        raise type(error)(error.errno, error.strerror, str(path)) from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
