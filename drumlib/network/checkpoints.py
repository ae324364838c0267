"""Checkpoints of training: ``last.npz`` (all that is needed to resume), ``best.npz`` (weights) and ``history.json``."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from drumlib.files import write_whole
from drumlib.inference.presets import OLD_NAMES as PRESETS_OF_0_1
from drumlib.inference.weights_file import read_arrays, read_headers
from drumlib.network.training_config import TrainingConfig, config_for


def check_folder(out: Path, resume: bool) -> None:
    """Check that a run can begin in this folder, or be resumed.

    Raises FileExistsError if there is a run and ``resume`` is false, FileNotFoundError if there is none and it is true,
    NotADirectoryError if there is a file.
    """
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is a file, and a run needs a folder")
    if (out / "last.npz").exists() and not resume:
        raise FileExistsError(f"{out} already holds a run: go on with it (resume), or choose another folder")
    if resume and not (out / "last.npz").is_file():
        raise FileNotFoundError(f"{out}: no run to resume here (there is no last.npz)")


def state(network) -> list:
    """All variables that training changes: weights, the optimizer's variables, and the states of seed generators."""
    weights = {id(weight) for weight in network.weights}
    # The integer variables of a layer that are not weights are the states of its seed generators.
    noise = [v for v in network.non_trainable_variables if id(v) not in weights and "int" in v.dtype]
    return [*network.weights, *network.optimizer.variables, *noise]


def save_state(network, out: Path, history: dict) -> None:
    """Write ``last.npz`` and ``history.json``. The history is in ``last.npz`` too, so that both files always agree."""
    text = json.dumps(history, indent=1)
    arrays = {f"v{i}": keras.ops.convert_to_numpy(variable) for i, variable in enumerate(state(network))}
    buffer = io.BytesIO()
    np.savez(buffer, history=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
    write_whole(out / "last.npz", buffer.getvalue())
    write_whole(out / "history.json", text.encode())


def restore(network, out: Path, fresh: dict) -> dict:
    """Resume a run: put its state into the network and return its history.

    ``fresh`` is the history of a run that would begin now: its settings must be those of the run in ``out``. Settings
    that a run of version 0.1 did not write are not compared.

    Raises ValueError if they are others, or ``last.npz`` does not fit the network.
    """
    headers, variables = read_headers(out / "last.npz"), state(network)
    shapes = {name: shape for name, (shape, _) in headers.items() if name != "history"}
    if "history" not in headers or shapes != {f"v{i}": tuple(variable.shape) for i, variable in enumerate(variables)}:
        raise ValueError(f"{out / 'last.npz'}: not the state of such a run")
    arrays = read_arrays(out / "last.npz")
    history = current_history(json.loads(arrays["history"].tobytes()))
    fresh = json.loads(json.dumps(fresh))  # lists for tuples
    for key in fresh.keys() - {"config", "versions", "epochs"}:
        old, new = history.get(key, fresh[key]), fresh[key]
        if key == "network":  # fields that did not exist then, or do not now
            old, new = ({name: fields[name] for name in old.keys() & new.keys()} for fields in (old, new))
        if old != new:
            raise ValueError(f"{out}: this run has {key} {history[key]}, not {fresh[key]}")
    # More epochs may be asked for later, unless the learning rate of every epoch depends on how many there are.
    free = () if fresh["config"]["lr_schedule"] == "cosine" else ("epochs",)
    old, new = ({k: v for k, v in h["config"].items() if k not in free} for h in (history, fresh))
    if old != new:
        raise ValueError(f"{out}: this run was configured as {old}, not {new}")
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"v{i}"])
    history |= {"config": fresh["config"]}
    write_whole(out / "history.json", json.dumps(history, indent=1).encode())  # in case a stop came between the two
    return history


OLD_KEYS = {"plan": "config", "made of": "network", "transplant": "decoder_from", "drawn sets": "sampled_sets"}
OLD_FIELDS = {
    "rate": "learning_rate",
    "mute": "instrument_dropout",
    "warm_up": "kl_warm_up",
    "own": "rollout_share",
    "fall": "lr_schedule",
    "slow_after": "lr_patience",
    "stop_after": "patience",
    "average": "ema_decay",
}
"""The keys of ``history.json`` and the fields of ``TrainingConfig`` in version 0.1, and what they are now."""


def current_history(history: dict) -> dict:
    """A history as it was written to a file, with the names of today.

    Gradient clipping and weight decay were settings of the preset in version 0.1; they are those of its configuration.
    """
    history = {OLD_KEYS.get(key, key): value for key, value in history.items()}
    if "preset" in history:
        history["preset"] = PRESETS_OF_0_1.get(history["preset"], history["preset"])
    usual = config_for(history.get("preset", ""))
    unwritten = {"clipnorm": usual.clipnorm, "weight_decay": usual.weight_decay}
    config = {OLD_FIELDS.get(name, name): value for name, value in history["config"].items()}
    return {**history, "config": asdict(TrainingConfig(**{**unwritten, **config}))}
