"""Training can be stopped at any time, and goes on exactly where it was."""

import json

import numpy as np
import pytest

from drumlib.data.chart import chart
from drumlib.data.windows import Windows
from drumlib.music import songbook
from drumlib.network.training import Batches, Plan, rate_at, stalled, train

PLAN = Plan(epochs=2, batch=4, seed=1)


@pytest.fixture(scope="module")
def windows():
    every = Windows([chart(songbook.song("rock"))])
    few = Windows(every.charts)
    few.index = every.index[:8]
    return few


def weights(folder) -> dict:
    with np.load(folder / "last.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if name != "history"}


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(windows, tmp_path):
    whole = train(windows, windows, tmp_path / "whole", plan=PLAN, verbose=0)
    train(windows, windows, tmp_path / "halves", plan=Plan(epochs=1, batch=4, seed=1), verbose=0)
    resumed = train(windows, windows, tmp_path / "halves", plan=PLAN, resume=True, verbose=0)
    assert len(whole["epochs"]) == len(resumed["epochs"]) == 2
    assert whole["epochs"] == resumed["epochs"]
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    assert whole["epochs"][1]["val_loss"] < whole["epochs"][0]["val_loss"]
    assert json.loads((tmp_path / "whole" / "history.json").read_text())["epochs"] == whole["epochs"]
    assert (tmp_path / "whole" / "best.npz").stat().st_size > 1e6

    with pytest.raises(FileExistsError, match="already holds a run"):
        train(windows, windows, tmp_path / "whole", plan=PLAN, verbose=0)
    with pytest.raises(ValueError, match="was planned as"):
        train(windows, windows, tmp_path / "whole", plan=Plan(batch=8, seed=1), resume=True, verbose=0)
    with pytest.raises(FileNotFoundError, match="no run to resume"):
        train(windows, windows, tmp_path / "nowhere", plan=PLAN, resume=True, verbose=0)


def test_no_windows_is_said(tmp_path):
    with pytest.raises(ValueError, match="0 windows to train on"):
        train(Windows([]), Windows([]), tmp_path, verbose=0)


def test_batches_hold_every_window_once(windows):
    batches = Batches(windows, 3)
    shapes = [batches[i][0]["bass"].shape for i in range(len(batches))]
    assert shapes == [(3, 128, 128), (3, 128, 128), (2, 128, 128)]
    inputs, targets = batches[0]
    np.testing.assert_array_equal(inputs["drums"][..., :9], targets["hits"])


def test_the_networks_own_playing_stands_in_for_the_truth_but_is_never_the_target(windows):
    played = np.full((len(windows), 128, 27), 0.5, dtype="float16")
    batches = Batches(windows, 8, rng=np.random.default_rng(0), own=0.5, played=played)
    inputs, targets = batches[0]
    own = [bool((given == 0.5).all()) for given in inputs["drums"]]
    assert 0 < sum(own) < 8
    assert set(np.unique(targets["hits"])) == {0, 1}


def test_the_rate_falls_when_nothing_is_gained():
    plan = Plan(rate=1e-3, slow_after=2)
    losses = [{"val_loss": x} for x in (1.0, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4)]
    assert [rate_at(losses[:n], plan) for n in range(8)] == [1e-3] * 4 + [2.5e-4] * 3 + [6.25e-5]


def test_training_ends_when_nothing_is_gained():
    losses = [{"val_loss": x} for x in (1.0, 0.5, 0.5, 0.6)]
    assert not stalled(losses[:3], 2, 1e-4) and stalled(losses, 2, 1e-4)
