"""Weights files: plain arrays in an .npz, their checksums and their model cards."""

import errno
import hashlib
import io
import json
import math
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import numpy as np

from drumlib.files import open_zip, write_whole
from drumlib.inference.presets import current_name

MAX_BYTES = 1 << 30
"""The most bytes that the arrays of one file may take in memory; a whole training state of drumlib takes 50 MB."""

MAX_ARRAYS = 10_000
"""The most arrays in one file; a training state has some hundreds."""

HEADER_BYTES = 1 << 14
"""The most bytes of an array that are read for its shape and dtype; numpy accepts headers of up to 10,000 bytes."""


def read_arrays(path: str | os.PathLike, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name, or those of some names; a pickle is never opened.

    Raises
    ------
    ValueError
        If the file is not an .npz file of plain arrays, is damaged, or its arrays take more than ``MAX_BYTES``.
    OSError
        If it cannot be read.
    """
    headers = read_headers(path)
    with _naming(path), np.load(Path(path), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in headers if names is None or name in names}


def read_headers(path: str | os.PathLike) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """The shape and dtype of each array of an .npz file by name. Only the headers of the arrays are decompressed.

    Raises what ``read_arrays`` raises.
    """
    headers, total = {}, 0
    with _naming(path), open(path, "rb") as file, open_zip(file, MAX_ARRAYS) as archive:
        for info in archive.infolist():
            with archive.open(info) as member:
                start = io.BytesIO(member.read(HEADER_BYTES))
            version = np.lib.format.read_magic(start)
            if version not in ((1, 0), (2, 0)):
                raise ValueError(f"{info.filename} is of another version of .npy")
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(start)
            size = math.prod(shape) * dtype.itemsize
            total += size
            if start.tell() + size != info.file_size:
                raise ValueError(f"{info.filename} claims {size:,} bytes, and there are others")
            if total > MAX_BYTES:
                raise ValueError(f"its arrays take more than {MAX_BYTES:,} bytes")
            headers[info.filename.removesuffix(".npy")] = shape, dtype
    return headers


@contextmanager
def _naming(path: str | os.PathLike) -> Iterator[None]:
    """Turn the many exceptions of numpy and zipfile for a damaged file into one ValueError that names the file."""
    try:
        yield
    except Exception as error:
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
