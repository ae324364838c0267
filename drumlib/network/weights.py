"""Weights in files: plain arrays in an .npz, never a pickle, written whole or not at all."""

import hashlib
import io
import os
import re
from importlib import resources

import numpy as np

from drumlib.files import write_whole
from drumlib.inference.presets import current_name
from drumlib.inference.weights_file import read_arrays, read_headers, shipped_file

OLD_NAMES = {
    r"^listening/": "band_encoder/",
    r"^watching/": "joint_encoder/",
    r"^memory/": "drum_history/",
    r"^recall/": "note_decoder/",
    r"^verdict/": "logit/",
    r"^hearing/": "encoder/",
    r"^playing/forward/": "decoder/lstm/",
    r"^playing/": "decoder/",
    r"^conductor/first/": "conductor/initial_state/",
    r"/memory/": "/lstm/",
    r"/below_(\d+)/": r"/lower_lstm_\1/",
    r"/both_ways/": "/lstm/",
    r"/enter/": "/input_projection/",
    r"/even(_\d+)?/": r"/norm\1/",
    r"/around_(\d+)/": r"/conv_\1/",
    r"/add_(\d+)/": r"/project_\1/",
    r"/whole/": "/window_mean/",
    r"/leave/": "/output_projection/",
    r"^note_decoder/past/": "note_decoder/history_projection/",
    r"^note_decoder/mix/": "note_decoder/joint/",
    r"^note_decoder/again/": "note_decoder/residual/",
    r"^note_decoder/drums/": "note_decoder/heads/",
}
"""What parts of weights' names were in version 0.1, as regular expressions, and what they are now; applied in order."""


def current_weight_name(name: str) -> str:
    """The name of a weight today: ``recall/past/kernel`` -> ``note_decoder/history_projection/kernel``."""
    for old, new in OLD_NAMES.items():
        name = re.sub(old, new, name)
    return name


def named_weights(network) -> dict:
    """The network's weights by name, such as ``piano/beat/kernel``."""
    return {weight.path: weight for weight in network.weights}


def save_weights(network, path: str | os.PathLike, dtype="float16") -> None:
    """Write the weights; float16 halves the file, and is precise enough to play from."""
    write_arrays({name: np.asarray(weight).astype(dtype) for name, weight in named_weights(network).items()}, path)


def write_arrays(arrays: dict[str, np.ndarray], path: str | os.PathLike) -> None:
    """Write an .npz, whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_whole(path, buffer.getvalue())


def convert_weights(path: str | os.PathLike) -> None:
    """Rewrite a weights file of version 0.1 with the names of today."""
    write_arrays({current_weight_name(name): x for name, x in read_arrays(path).items()}, path)


def load_weights(network, path: str | os.PathLike, part: str = "") -> None:
    """Read weights into a network; with ``part``, such as ``"decoder"``, only those of that layer (transfer).

    Files of version 0.1, with old names, are read too.

    Raises
    ------
    ValueError
        If the file is no whole .npz of plain arrays, or its names, shapes or types do not match the network's (or those
        of that part of it).
    OSError
        If the file cannot be read.
    """
    headers = read_headers(path)
    stored = {current_weight_name(name): name for name in headers}  # name today: name in the file
    names, weights = (
        {name: x for name, x in named.items() if name.startswith(part)} for named in (stored, named_weights(network))
    )
    if part and not weights:
        raise ValueError(f"the network has no {part} that the weights of {path} could go to")
    if set(names) != set(weights):
        odd = sorted(set(names) ^ set(weights))
        raise ValueError(f"{path}: not the weights of this network; they differ in {', '.join(odd[:3])}")
    for name, weight in weights.items():
        shape, dtype = headers[names[name]]
        if shape != tuple(weight.shape):
            raise ValueError(f"{path}: {name} is {shape}, the network's is {tuple(weight.shape)}")
        if not np.can_cast(dtype, "float32", "same_kind"):
            raise ValueError(f"{path}: {name} is of {str(dtype)[:40]}, and no numbers")
    arrays = read_arrays(path, names.values())
    for name, weight in weights.items():
        weight.assign(arrays[names[name]].astype("float32"))


def load_shipped(network, name: str) -> None:
    """Read the shipped weights of a preset into its network.

    Raises ValueError if none are shipped, or if the file's checksum is not the one in ``SHA256SUMS``.
    """
    name = current_name(name)
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
    """The network, with the weights of a file, or the shipped ones if there is none. Raises what loading raises."""
    if path is None:
        load_shipped(network, name)
    else:
        load_weights(network, path)
    return network
