"""What Keras finds in ``~/.keras/keras.json``, or in the environment, changes no drums."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PLAY = """
import hashlib
from drumlib.drummer import accompany
from drumlib.music import songbook
drums = accompany(songbook.song("swing"), seed=1).drums[0].notes
import keras
print(keras.config.backend(), keras.config.dtype_policy().name, hashlib.sha256(drums.array.tobytes()).hexdigest())
"""


def play(home, **environment) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KERAS_")}
    environment = {**kept, "KERAS_HOME": str(home), **environment}
    return subprocess.run([sys.executable, "-c", PLAY], capture_output=True, text=True, env=environment, timeout=300)


def settings(home, **said):
    home.mkdir()
    (home / "keras.json").write_text(json.dumps(said))
    return home


def test_settings_in_the_home_folder_change_no_drums(tmp_path):
    usual = settings(tmp_path / "usual", floatx="float32", epsilon=1e-7, backend="tensorflow")
    odd = settings(
        tmp_path / "odd",
        **{"floatx": "float16", "epsilon": 1e-3, "backend": "torch", "image_data_format": "channels_first"},
    )
    told = [play(home) for home in (usual, odd)]
    assert [done.returncode for done in told] == [0, 0], told[1].stderr
    assert told[0].stdout == told[1].stdout and told[0].stdout.startswith("tensorflow float32 ")


def test_a_backend_that_is_missing_is_one_clear_line(tmp_path):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('No module', name='torch')")  # even if it is there
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = play(tmp_path, KERAS_BACKEND="torch", PYTHONPATH=path)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("ImportError")]
    assert "KERAS_BACKEND is torch, and torch is not installed: install it, or unset KERAS_BACKEND" in line
