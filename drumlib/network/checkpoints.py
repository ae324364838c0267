"""Checkpoints of training."""

import io
import json
from pathlib import Path

import keras
import numpy as np

from drumlib.files import write_whole
from drumlib.inference.weights_file import read_arrays
from drumlib.network.training_config import with_new_names


def check_folder(out: Path, resume: bool) -> None:
    """Raise FileExistsError if there is a run that nobody asked to resume, FileNotFoundError if there is none to.

    Raises NotADirectoryError if there is a file.
    """
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is a file, and a run needs a folder")
    if (out / "last.npz").exists() and not resume:
        raise FileExistsError(f"{out} already holds a run: go on with it (resume), or choose another folder")
    if resume and not (out / "last.npz").is_file():
        raise FileNotFoundError(f"{out}: no run to resume here (there is no last.npz)")


def state(network) -> list:
    """All that training changes: the weights, the optimizer's memory, and where the sources of noise are."""
    weights = {id(weight) for weight in network.weights}
    # What a layer keeps beside its weights and its metrics are the states of its noise.
    noise = [v for v in network.non_trainable_variables if id(v) not in weights and "int" in v.dtype]
    return [*network.weights, *network.optimizer.variables, *noise]


def save_state(network, out: Path, history: dict) -> None:
    """Write ``last.npz`` and ``history.json``. The history is inside ``last.npz`` too, so that both always agree."""
    text = json.dumps(history, indent=1)
    arrays = {f"v{i}": keras.ops.convert_to_numpy(variable) for i, variable in enumerate(state(network))}
    buffer = io.BytesIO()
    np.savez(buffer, history=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
    write_whole(out / "last.npz", buffer.getvalue())
    write_whole(out / "history.json", text.encode())


def restore(network, out: Path, fresh: dict, same: tuple[str, ...]) -> dict:
    """Take up a run: put its state into the network and return its history."""
    arrays, variables = read_arrays(out / "last.npz"), state(network)
    if set(arrays) != {"history", *(f"v{i}" for i in range(len(variables)))}:
        raise ValueError(f"{out / 'last.npz'}: not the state of such a run")
    history = json.loads(arrays["history"].tobytes())
    history["plan"] = with_new_names(history["plan"])
    for key in same:
        if history.get(key) != fresh[key]:
            raise ValueError(f"{out}: this run has {key} {history.get(key)}, not {fresh[key]}")
    # More epochs may be asked for later; not where the rate of every epoch hangs on how many there are.
    free = () if fresh["plan"]["lr_schedule"] == "cosine" else ("epochs",)
    old, new = ({k: v for k, v in h["plan"].items() if k not in free} for h in (history, fresh))
    if old != new:
        raise ValueError(f"{out}: this run was planned as {old}, not {new}")
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"v{i}"])
    history |= {"plan": fresh["plan"]}
    write_whole(out / "history.json", json.dumps(history, indent=1).encode())  # should a stop have come between the two
    return history
