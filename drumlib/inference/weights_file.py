"""Weights files: plain arrays in an .npz, checksums and model cards. No Keras."""

import errno
import hashlib
import json
import os
from importlib import resources
from pathlib import Path

import numpy as np

from drumlib.files import write_whole


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; a pickle is never opened.

    Raises ValueError if it is no such file, or a damaged one, and OSError if it cannot be read.
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
    """A file of the shelf of weights: ``shipped_file("band-conv", "npz")``."""
    return resources.files("drumlib.weights") / ".".join(name)


def write_checksums(folder: str | os.PathLike) -> None:
    """Write the sums of all weights in a folder into its ``SHA256SUMS``, as ``sha256sum`` does (and ``-c`` checks)."""
    files = sorted(Path(folder).glob("*.npz"))
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    write_whole(Path(folder) / "SHA256SUMS", "".join(lines).encode())


def model_card(preset: str = "thesis") -> dict:
    """The figures of the shipped weights' model card: how they were trained, and how they score on held-out songs.

    Raises
    ------
    ValueError
        If no weights of that preset are shipped.
    """
    path = shipped_file(preset, "json")
    if not path.is_file():
        raise ValueError(f"no weights of the preset {preset!r} are shipped")
    return json.loads(path.read_text(encoding="utf-8"))
