"""Weights in files: plain arrays in an .npz, never a pickle, written whole or not at all."""

import hashlib
import io
import os
from functools import lru_cache
from importlib import resources

import numpy as np

from drumlib.files import write_whole
from drumlib.inference.weights_file import read_arrays, shipped_file
from drumlib.network.registry import build
from drumlib.network.thesis import DrummerNetwork


def named_weights(network: DrummerNetwork) -> dict:
    """The network's weights by name, such as ``piano/beat/kernel``."""
    return {weight.path: weight for weight in network.weights}


def save_weights(network: DrummerNetwork, path: str | os.PathLike, dtype="float16") -> None:
    """Write the weights; float16 halves the file and is more than precise enough to play from."""
    arrays = {name: np.asarray(weight).astype(dtype) for name, weight in named_weights(network).items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_whole(path, buffer.getvalue())


def load_weights(network: DrummerNetwork, path: str | os.PathLike, part: str = "") -> None:
    """Read weights into a network; with ``part``, such as ``"decoder"``, only those of that layer: a transplant.

    Raises
    ------
    ValueError
        If the file is no whole .npz of plain arrays, or holds other weights than the network (or that part of it) has,
        by name, by shape, or by not being numbers.
    OSError
        If the file cannot be read.
    """
    arrays, weights = (
        {name: x for name, x in named.items() if name.startswith(part)}
        for named in (read_arrays(path), named_weights(network))
    )
    if part and not weights:
        raise ValueError(f"the network has no {part} that the weights of {path} could go to")
    if set(arrays) != set(weights):
        odd = sorted(set(arrays) ^ set(weights))
        raise ValueError(f"{path}: not the weights of this network; they differ in {', '.join(odd[:3])}")
    for name, weight in weights.items():
        if arrays[name].shape != tuple(weight.shape):
            raise ValueError(f"{path}: {name} is {arrays[name].shape}, the network's is {tuple(weight.shape)}")
        if not np.can_cast(arrays[name].dtype, "float32", "same_kind"):
            raise ValueError(f"{path}: {name} is of {str(arrays[name].dtype)[:40]}, and no numbers")
    for name, weight in weights.items():
        weight.assign(arrays[name].astype("float32"))


@lru_cache(maxsize=2)
def pretrained(preset: str = "thesis") -> DrummerNetwork:
    """The drummer's network with the weights that ship with this package. It is built once and kept.

    Raises
    ------
    ValueError
        If there is no such preset, or no weights of it are shipped, or they are not what was shipped.
    """
    return load_or_shipped(build(preset), preset)


def load_shipped(network, name: str) -> None:
    """Read the shipped weights of a preset into its network, if they are byte for byte those that were shipped.

    Raises ValueError if none are shipped, or if the file has another sum than ``SHA256SUMS`` says.
    """
    path = shipped_file(name, "npz")
    sums = dict(line.split()[::-1] for line in shipped_file("SHA256SUMS").read_text(encoding="ascii").splitlines())
    if not path.is_file():
        there = ", ".join(file.removesuffix(".npz") for file in sums)
        raise ValueError(f"no weights of the preset {name!r} are shipped; there are those of {there}")
    with resources.as_file(path) as file:
        if hashlib.sha256(file.read_bytes()).hexdigest() != sums.get(file.name):
            raise ValueError(f"{file}: these are not the weights that were shipped (their sha256 is another)")
        load_weights(network, file)


def load_or_shipped(network, name: str, path: str | os.PathLike | None = None):
    """The network, with the weights of a file, or, without one, with those that ship. Raises what loading raises."""
    if path is None:
        load_shipped(network, name)
    else:
        load_weights(network, path)
    return network
