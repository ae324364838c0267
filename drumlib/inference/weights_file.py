"""Weights files: plain arrays in an .npz, their checksums and their model cards."""

import errno
import hashlib
import json
import os
from importlib import resources
from pathlib import Path

import numpy as np

from drumlib.files import write_whole
from drumlib.inference.presets import current_name


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; a pickle is never opened.

    Raises
    ------
    ValueError
        If the file is not an .npz file of plain arrays, or is damaged.
    OSError
        If it cannot be read.
    """
    try:
        with np.load(Path(path), allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
            if strange := [name for name, x in found.items() if not isinstance(x, np.ndarray)]:  # numpy hands out bytes
                raise ValueError(f"{strange[0]} is no array")
            return found
    except Exception as error:  # numpy and zipfile answer damage with many kinds of exception
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # EINVAL: led to before the file's beginning
            raise
        why = str(error).partition(". ")[0][:80]  # behind numpy's first sentence stands how to open a pickle after all
        raise ValueError(f"{path}: not a whole file of plain arrays (.npz): {why}") from None


def shipped_file(*name: str):
    """A file of the folder of shipped weights: ``shipped_file("thesis", "npz")``."""
    return resources.files("drumlib.weights") / ".".join(name)


def write_checksums(folder: str | os.PathLike) -> None:
    """Write the SHA-256 of all .npz files in a folder to its ``SHA256SUMS``, in the format of ``sha256sum``."""
    files = sorted(Path(folder).glob("*.npz"))
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    write_whole(Path(folder) / "SHA256SUMS", "".join(lines).encode())


def model_card(preset: str = "thesis") -> dict:
    """The figures in a preset's model card: how its shipped weights were trained, and their scores on held-out songs.

    Raises
    ------
    ValueError
        If no weights of that preset are shipped.
    """
    path = shipped_file(current_name(preset), "json")
    if not path.is_file():
        raise ValueError(f"no weights of the preset {preset!r} are shipped")
    return json.loads(path.read_text(encoding="utf-8"))
