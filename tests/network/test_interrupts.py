"""A real ``train``, stopped in the middle of an epoch, by Ctrl-C and by kill -9: it goes on, and ends the same."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from drumlib.inference.weights_file import read_arrays
from drumlib.music import songbook, write_song

pytestmark = pytest.mark.slow

EPOCHS = 5


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    for name in songbook.names():
        write_song(songbook.song(name), folder / f"{name}.mid")
    return folder


def training(songs, out, *more) -> list[str]:
    options = ["--preset", "band-conv", "--epochs", str(EPOCHS), "--batch", "4", "--seed", "1"]
    return [sys.executable, "-m", "drumlib", "train", "--songs", str(songs), "--out", str(out), *options, *more]


@pytest.fixture(scope="module")
def undisturbed(songs, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    subprocess.run(training(songs, out), check=True, capture_output=True, timeout=600)
    return out


def listening_to_ctrl_c() -> None:
    """A child of a job in the background is born deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def epochs(out) -> list[dict]:
    """The epochs that are written down."""
    history = out / "history.json"
    return json.loads(history.read_text())["epochs"] if history.exists() else []


def stop(command, out, how: int, after: int) -> int:
    """Start it, wait until so many epochs are done and the next has begun, send it a signal; returns how it ended."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet, preexec_fn=listening_to_ctrl_c) as process:
        while len(epochs(out)) < after:
            assert process.poll() is None, "it ended before it could be stopped"
            time.sleep(0.05)
        time.sleep(0.5)
        process.send_signal(how)
        return process.wait(timeout=60)


@pytest.mark.skipif(os.name == "nt", reason="signals are another thing there")
def test_stopped_twice_it_ends_as_if_it_had_not_been(songs, undisturbed, tmp_path):
    out = tmp_path / "run"
    assert stop(training(songs, out), out, signal.SIGINT, after=1) == 130
    assert stop(training(songs, out, "--resume"), out, signal.SIGKILL, after=3) == -signal.SIGKILL
    before = epochs(out)
    assert len(before) == 3  # the whole epochs: the halves are gone
    subprocess.run(training(songs, out, "--resume"), check=True, capture_output=True, timeout=600)
    histories = [json.loads((run / "history.json").read_text()) for run in (undisturbed, out)]
    assert histories[0] == histories[1]
    assert histories[1]["epochs"][:3] == before
    for name in ("best.npz", "last.npz"):
        one, other = (read_arrays(run / name) for run in (undisturbed, out))
        assert set(one) == set(other)
        for key in one:
            np.testing.assert_array_equal(one[key], other[key], err_msg=f"{name}: {key}")
    assert not list(out.glob("*.part*")) and not list(out.glob("*.tmp*"))
