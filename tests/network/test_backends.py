"""With JAX, Keras computes the same: the same loss on the same batch, and the same loss again after a few steps."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from drumlib.data.grid_song import grid_song
from drumlib.data.windows import Windows
from drumlib.music import songbook, write_song
from drumlib.network import registry
from drumlib.network.batches import Batches
from drumlib.network.registry import PRESETS, build
from drumlib.network.training import compile_network
from drumlib.network.training_config import TrainingConfig
from drumlib.network.weights import load_weights, save_weights

pytestmark = pytest.mark.slow

LOSSES = """
import json, sys
from pathlib import Path
import keras
sys.path.insert(0, sys.argv[1])
from test_backends import losses
print(json.dumps([keras.backend.backend(), losses(Path(sys.argv[2]), sys.argv[3])]))
"""

STILL = {"band-conv": {"band_dropout": 0.0, "history_dropout": 0.0, "joint_dropout": 0.0}}
"""Presets without the noise of training, which each backend draws in its own way."""


def losses(folder, name: str) -> list[float]:
    """The loss on a batch, with the weights in ``folder``; and, if nothing is drawn, after each of three steps."""
    registry.PRESETS[name] = replace(PRESETS[name], **STILL.get(name, {}))
    network = build(name, seed=5)
    load_weights(network, folder / "weights.npz")
    compile_network(network, TrainingConfig(learning_rate=1e-2))
    loss = network.preset.loss
    given, wanted = Batches(Windows([grid_song(songbook.song("rock"))]), batch=4, loss=loss)[0]
    found = [network.evaluate(given, wanted, verbose=0, return_dict=True)["loss"]]
    for _ in range(3 if name in STILL else 1):
        network.train_on_batch(given, wanted)
        found.append(network.evaluate(given, wanted, verbose=0, return_dict=True)["loss"])
    return found if name in STILL else found[:1]


@pytest.mark.parametrize("name", ["thesis", "band-conv"])
def test_the_same_loss_on_the_same_batch(name, tmp_path, monkeypatch):
    pytest.importorskip("jax")
    monkeypatch.setitem(registry.PRESETS, name, PRESETS[name])
    save_weights(build(name, seed=3), tmp_path / "weights.npz", "float32")
    mine = losses(tmp_path, name)
    command = [sys.executable, "-c", LOSSES, os.path.dirname(__file__), str(tmp_path), name]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr
    backend, others = json.loads(done.stdout.splitlines()[-1])
    assert backend == "jax"
    np.testing.assert_allclose(others, mine, atol=1e-4, rtol=0)
    assert len(mine) == 1 or mine[3] < mine[0] - 0.01  # it does learn


def test_the_command_trains_with_jax_where_there_is_no_gpu(tmp_path):
    """The whole command: JAX refuses to list the GPUs of a machine that has none."""
    pytest.importorskip("jax")
    for name in ("rock", "funk"):
        write_song(songbook.song(name), tmp_path / f"{name}.mid")
    (tmp_path / "songs.csv").write_text("file,split\nrock.mid,train\nfunk.mid,validation\n")
    command = [sys.executable, "-m", "drumlib", "train", "--backend", "jax", "--songs", ".", "--out", "run"]
    command += ["--epochs", "1", "--windows", "2", "--batch", "2"]
    compiled_quickly = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
    environment = {**os.environ, **compiled_quickly}
    environment.pop("KERAS_BACKEND", None)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert history["versions"]["backend"] == "jax" and len(history["epochs"]) == 1
    assert (tmp_path / "run" / "best.npz").is_file()
    assert "\x1b" not in done.stdout and "\b" not in done.stdout  # no progress bars where nobody looks at them
