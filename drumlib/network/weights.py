"""Weights in files: plain arrays in an .npz, never a pickle, written whole or not at all."""

import io
import json
import os
import zipfile
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np

from drumlib.files import write_whole
from drumlib.network.models import DrummerNetwork, build


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
        If the file holds other weights than the network (or that part of it) has, by name or by shape.
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
    for name, weight in weights.items():
        weight.assign(arrays[name].astype("float32"))


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name. Raises ValueError if it is none, and never opens a pickle."""
    try:
        with np.load(Path(path), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (EOFError, zipfile.BadZipFile, AttributeError, ValueError):
        raise ValueError(f"{path}: not a whole file of plain arrays (.npz)") from None


@lru_cache(maxsize=2)
def pretrained(preset: str = "thesis") -> DrummerNetwork:
    """The network with the weights that ship with this package. It is built once and kept.

    Raises
    ------
    ValueError
        If there is no such preset, or no weights of it are shipped.
    """
    network = build(preset)
    path = resources.files("drumlib.weights") / f"{preset}.npz"
    if not path.is_file():
        raise ValueError(f"no weights of the preset {preset!r} are shipped")
    with resources.as_file(path) as file:
        load_weights(network, file)
    return network


def card(preset: str = "thesis") -> dict:
    """The figures of the shipped weights' model card: how they were trained, and how they score on held-out songs.

    Raises
    ------
    ValueError
        If no weights of that preset are shipped.
    """
    path = resources.files("drumlib.weights") / f"{preset}.json"
    if not path.is_file():
        raise ValueError(f"no weights of the preset {preset!r} are shipped")
    return json.loads(path.read_text(encoding="utf-8"))
