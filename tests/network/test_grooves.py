"""Learning from drums alone: it learns, it can be stopped, and it goes on exactly."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from drumlib.data.groove_dataset import TwoBarWindows
from drumlib.evaluation.humanizers import quantized_baseline, timing_errors
from drumlib.inference.weights_file import read_arrays
from drumlib.network.batches import balanced_sample
from drumlib.network.groove.humanizer import bin_edges
from drumlib.network.registry import KINDS, PRESETS, build, preset_names, pretrained
from drumlib.network.training import train
from drumlib.network.training_config import TrainingConfig, learning_rate_at
from drumlib.network.weights import load_weights

pytestmark = pytest.mark.slow

PLAN = TrainingConfig(
    epochs=12,
    batch=32,
    learning_rate=0.02,
    clipnorm=1.0,
    instrument_dropout=0.0,
    lr_schedule="cosine",
    windows=256,
    patience=99,
)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The presets, made small."""
    for name in preset_names("grooves"):
        preset = PRESETS[name]
        size = (
            {"units": 8}
            if hasattr(preset, "units")
            else {"encoder_units": 12, "decoder_units": 24, "history_dropout": 0.0}
        )
        more = {"latent": 4, "conductor_units": 8, "noise": 0.0} if name == "groove-vae" else {"latent": 4}
        monkeypatch.setitem(PRESETS, name, replace(preset, **size, **more))


def windows(count: int, seed: int = 0, kinds: int | None = None) -> TwoBarWindows:
    """Windows whose every note is as late as its place in the bar says."""
    rng = np.random.default_rng(seed)
    hits = (rng.random((kinds or count, 32, 9)) < 0.2).astype("float32")
    late = np.where(np.arange(32) % 2, 0.3, -0.1)[None, :, None]  # (1, 32, 1)
    played = np.concatenate([hits, hits * 0.5, hits * late], axis=-1).astype("float32")
    return TwoBarWindows(np.resize(played, (count, 32, 27)), np.full(count, 125.0), np.arange(count) // 4)


@pytest.mark.parametrize("preset", ["humanize", "humanize-untold", "humanize-bottleneck"])
def test_it_learns_when_a_drummer_is_late(preset, tmp_path):
    history = train(preset, windows(256), windows(32, 1), tmp_path, PLAN, verbose=0)
    assert len(history["epochs"]) == 12
    network, test = build(preset), windows(32, 2)
    load_weights(network, tmp_path / "best.npz")
    found = network.histograms(test.grooves[..., :9], test.step_ms)["offsets"]
    middle = bin_edges("offsets", 40)[:-1][(np.cumsum(found, axis=-1) < 0.5).sum(axis=-1)] + 0.0125
    assert timing_errors(test, middle)["mae_ms"] < 0.4 * quantized_baseline(test)["mae_ms"]


def test_the_groove_vae_learns_to_say_two_grooves_again(tmp_path):
    data = windows(128, seed=7, kinds=2)
    plan = replace(PLAN, epochs=24, windows=128)
    epochs = train("groove-vae", data, data, tmp_path, plan, verbose=0)["epochs"]
    assert epochs[-1]["val_loss"] < 0.6 * epochs[0]["val_loss"]


@pytest.mark.parametrize("preset", ["humanize", "groove-vae"])
def test_a_stopped_training_ends_as_one_that_was_not(preset, tmp_path, monkeypatch):
    plan = replace(PLAN, epochs=3, windows=64, ema_decay=0.9)
    data = windows(64), windows(16, 1)
    whole = train(preset, *data, tmp_path / "whole", plan, verbose=0)

    def stop(*_):
        raise KeyboardInterrupt

    fit = keras.Model.fit
    monkeypatch.setattr(
        keras.Model, "fit", lambda *a, **k: stop() if fits.append(0) or len(fits) == 3 else fit(*a, **k)
    )
    fits: list = []
    with pytest.raises(KeyboardInterrupt):
        train(preset, *data, tmp_path / "stopped", plan, verbose=0)
    monkeypatch.setattr(keras.Model, "fit", fit)
    resumed = train(preset, *data, tmp_path / "stopped", plan, resume=True, verbose=0)
    assert resumed["epochs"] == whole["epochs"]
    for name in ("best.npz", "last.npz"):
        one, other = (read_arrays(tmp_path / run / name) for run in ("whole", "stopped"))
        assert set(one) == set(other)
        for key in set(one) - {"history"}:
            np.testing.assert_array_equal(one[key], other[key], err_msg=f"{name} {key}")


def test_the_best_weights_are_the_averaged_ones(tmp_path):
    """They give the loss that was written down, which the last weights do not."""
    plan, data = replace(PLAN, epochs=1, windows=64, ema_decay=0.9), windows(64)
    history = train("humanize", data, data, tmp_path, plan, verbose=0)
    network = build("humanize")
    kind = KINDS[type(network.preset)]
    network.compile(**kind.objective(network.preset))
    load_weights(network, tmp_path / "best.npz")
    loss = network.evaluate(kind.batches(network, data, plan), verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(history["epochs"][0]["val_loss"], rel=1e-4)
    last = read_arrays(tmp_path / "last.npz")
    assert any((last[f"v{i}"] != x).any() for i, x in enumerate(network.get_weights()))


def test_the_rate_falls_along_half_a_wave():
    plan = TrainingConfig(epochs=4, learning_rate=1.0, lr_schedule="cosine")
    rates = [learning_rate_at([{"val_loss": 9.0}] * n, plan) for n in range(5)]
    assert rates == pytest.approx([1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5, 0])


def test_more_epochs_cannot_be_asked_for_later_where_the_rate_hangs_on_them(tmp_path):
    data, plan = windows(16), replace(PLAN, epochs=1, windows=16)
    train("humanize", data, data, tmp_path, plan, verbose=0)
    with pytest.raises(ValueError, match="configured as"):
        train("humanize", data, data, tmp_path, replace(plan, epochs=2), resume=True, verbose=0)


def test_long_performances_do_not_crowd_out_short_ones():
    performance = np.repeat([0, 1], [900, 9])
    drawn = performance[balanced_sample(performance, 4000, np.random.default_rng(0))]
    assert drawn.mean() == pytest.approx(3 / 33, abs=0.02)


def test_what_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="0 windows to train on"):
        train("humanize", windows(0), windows(1), tmp_path)
    with pytest.raises(ValueError, match="no preset 'thesis'"):
        build("thesis", data="grooves")
    with pytest.raises(ValueError, match="no weights of the preset 'humanize-untold'"):
        pretrained("humanize-untold")
