"""Training can be stopped at any time, and goes on exactly where it was."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from drumlib.data.grid_song import grid_song
from drumlib.data.windows import Windows
from drumlib.music import songbook
from drumlib.network.batches import Batches
from drumlib.network.checkpoints import OLD_FIELDS
from drumlib.network.devices import precision
from drumlib.network.registry import PRESETS, build
from drumlib.network.training import compile_network, train
from drumlib.network.training_config import SCHEDULES, TrainingConfig, TrainingStage, config_for
from drumlib.network.weights import load_weights, named_weights, save_weights

pytestmark = pytest.mark.slow

PLAN = TrainingConfig(epochs=2, batch=4, seed=1)


@pytest.fixture(scope="module")
def windows():
    every = Windows([grid_song(songbook.song("rock"))])
    few = Windows(every.grid_songs)
    few.index = every.index[:8]
    return few


def weights(folder) -> dict:
    with np.load(folder / "last.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if name != "history"}


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(windows, tmp_path):
    whole = train("thesis", windows, windows, tmp_path / "whole", PLAN, verbose=0)
    train("thesis", windows, windows, tmp_path / "halves", TrainingConfig(epochs=1, batch=4, seed=1), verbose=0)
    resumed = train("thesis", windows, windows, tmp_path / "halves", PLAN, resume=True, verbose=0)
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
        train("thesis", windows, windows, tmp_path / "whole", PLAN, verbose=0)
    with pytest.raises(ValueError, match="was configured as"):
        train("thesis", windows, windows, tmp_path / "whole", TrainingConfig(batch=8, seed=1), resume=True, verbose=0)
    with pytest.raises(FileNotFoundError, match="no run to resume"):
        train("thesis", windows, windows, tmp_path / "nowhere", PLAN, resume=True, verbose=0)


def test_a_loss_that_is_no_number_ends_the_run_and_spoils_nothing(windows, tmp_path, monkeypatch):
    # `band-conv`: it compiles sooner
    train("band-conv", windows, windows, tmp_path, replace(PLAN, epochs=1), verbose=0)
    before = {name: (tmp_path / name).read_bytes() for name in ("best.npz", "last.npz")}
    for lost in ("loss", "val_loss"):

        def diverging(network, *_, lost=lost, **__):
            network.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
            return SimpleNamespace(history={"loss": [1.0], "val_loss": [1.0], lost: [float("nan")]})

        monkeypatch.setattr(keras.Model, "fit", diverging)
        with pytest.raises(ValueError, match="epoch 2 the loss is no number any more; try a lower rate"):
            train("band-conv", windows, windows, tmp_path, PLAN, resume=True, verbose=0)
        assert {name: (tmp_path / name).read_bytes() for name in before} == before
        assert len(json.loads((tmp_path / "history.json").read_bytes())["epochs"]) == 1


def test_no_windows_is_said(tmp_path):
    with pytest.raises(ValueError, match="0 windows to train on"):
        train("thesis", Windows([]), Windows([]), tmp_path, verbose=0)


def test_batches_hold_every_window_once(windows):
    batches = Batches(windows, 3)
    shapes = [batches[i][0]["bass"].shape for i in range(len(batches))]
    assert shapes == [(3, 128, 128), (3, 128, 128), (2, 128, 128)]
    inputs, targets = batches[0]
    np.testing.assert_array_equal(inputs["drums"][..., :9], targets["hits"])


def test_the_networks_own_playing_stands_in_for_the_truth_but_is_never_the_target(windows):
    played = np.full((len(windows), 128, 27), 0.5, dtype="float16")
    batches = Batches(windows, 8, rng=np.random.default_rng(0), rollout_share=0.5, rollouts=played)
    inputs, targets = batches[0]
    own = [bool((given == 0.5).all()) for given in inputs["drums"]]
    assert 0 < sum(own) < 8
    assert set(np.unique(targets["hits"])) == {0, 1}


def test_a_frozen_part_stands_still_and_thaws_again(windows):
    network = build("thesis", seed=1)
    compile_network(network)
    inputs, targets = Batches(windows, 4)[0]

    def moved(*parts) -> set[str]:
        before = {weight.path: np.array(weight) for weight in network.trainable_variables}
        network.optimizer.activate_stage(TrainingStage(parts, 1, 1e-3))
        network.train_on_batch(inputs, targets)
        after = {weight.path: np.array(weight) for weight in network.trainable_variables}
        return {path.split("/")[0] for path in before if not np.array_equal(before[path], after[path])}

    assert moved("decoder") == {"decoder"}
    assert moved("middle") == {"bottleneck", "conductor"}
    assert moved("encoder", "middle") == {"piano", "guitar", "bass", "bottleneck", "conductor"}
    assert moved("everything") == {"piano", "guitar", "bass", "bottleneck", "conductor", "decoder"}


def test_a_stage_of_nothing_is_refused():
    network = build("band-conv")
    compile_network(network)
    with pytest.raises(ValueError, match="no weights that are its decoder"):
        network.optimizer.activate_stage(TrainingStage(("decoder",), 1, 1e-3))


@pytest.mark.parametrize("preset, whose", [("band-conv", "stage 2 of 8"), ("flat", None), ("thesis", None)])
def test_a_stage_of_nothing_is_named_before_the_first_epoch(preset, whose, windows, tmp_path, monkeypatch):
    """Not when its turn comes, after fifteen epochs."""

    def fit(*_, **__):
        raise InterruptedError("it began")

    monkeypatch.setattr(keras.Model, "fit", fit)
    plan = config_for(preset, schedule="layer-wise", rollout_share=0.0)
    reason = f"{whose} of the schedule 'layer-wise' cannot be trained: the network has no weights that are its decoder"
    with pytest.raises(ValueError if whose else InterruptedError, match=reason if whose else "it began"):
        train(preset, windows, windows, tmp_path / "run", plan, verbose=0)
    assert whose is None or not (tmp_path / "run").exists()


def test_a_schedule_is_not_cut_off_by_the_presets_own_epochs(windows, tmp_path, monkeypatch):
    stages = (TrainingStage(("everything",), 20, 1e-3), TrainingStage(("everything",), 6, 5e-4))
    monkeypatch.setitem(SCHEDULES, "two", stages)
    told = []

    def fit(network, *_, **__):
        told.append(1 / (1 + len(told)))  # it never stalls
        return SimpleNamespace(history={"loss": [told[-1]], "val_loss": [told[-1]]})

    monkeypatch.setattr(keras.Model, "fit", fit)
    epochs = train("band-conv", windows, windows, tmp_path, config_for("band-conv", schedule="two"), verbose=0)[
        "epochs"
    ]
    assert [epoch["rate"] for epoch in epochs] == pytest.approx([1e-3] * 20 + [5e-4] * 6)


def test_a_transplanted_decoder_is_the_donors(windows, tmp_path):
    donor = build("thesis", seed=5)
    save_weights(donor, tmp_path / "donor.npz", "float32")
    network = build("thesis", seed=6)
    load_weights(network, tmp_path / "donor.npz", part="decoder")
    theirs, ours = named_weights(donor), named_weights(network)
    same = {name for name in ours if np.array_equal(ours[name], theirs[name])}
    assert {name for name in ours if name.startswith("decoder")} <= same
    assert "piano/beat/kernel" not in same
    with pytest.raises(ValueError, match="no decoder"):
        load_weights(build("band-conv"), tmp_path / "donor.npz", part="decoder")


def test_best_learns_and_is_resumed_exactly(windows, tmp_path):
    plans = [config_for("band-conv", epochs=epochs, batch=4) for epochs in (2, 1)]
    whole = train("band-conv", windows, windows, tmp_path / "whole", plans[0], verbose=0)
    train("band-conv", windows, windows, tmp_path / "halves", plans[1], verbose=0)
    resumed = train("band-conv", windows, windows, tmp_path / "halves", plans[0], resume=True, verbose=0)
    assert whole["epochs"] == resumed["epochs"] and whole["epochs"][1]["val_loss"] < whole["epochs"][0]["val_loss"]
    one, other = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_a_run_of_version_0_1_is_resumed(windows, tmp_path):
    """Its history has other keys and fields, an old preset name, and no gradient clipping (the preset had it then)."""
    preset = replace(PRESETS["band-conv"], units=8, decoder_units=8, dilations=(1,))
    config = config_for("band-conv", epochs=2, batch=8)
    train(preset, windows, windows, tmp_path / "new", replace(config, epochs=1), verbose=0)
    shutil.copytree(tmp_path / "new", tmp_path / "old")
    history = json.loads((tmp_path / "new" / "history.json").read_text())
    new = history["config"]
    plan = {old: new[name] for old, name in OLD_FIELDS.items()} | {"fall": "stalls"}
    names = ("epochs", "batch", "transpose", "kl_weight", "free_bits", "windows", "seed", "schedule", "mixed")
    plan |= {name: new[name] for name in names}
    kept = {name: history[name] for name in ("windows", "songs", "versions", "epochs")}
    text = json.dumps({"preset": "best", "transplant": None, "plan": plan, **kept})
    old = weights(tmp_path / "old") | {"history": np.frombuffer(text.encode(), dtype=np.uint8)}
    np.savez(tmp_path / "old" / "last.npz", **old)
    with pytest.raises(ValueError, match="was configured as"):
        train(preset, windows, windows, tmp_path / "old", replace(config, transpose=0), resume=True, verbose=0)
    runs = [tmp_path / run for run in ("new", "old")]
    new, old = (train(preset, windows, windows, run, config, resume=True, verbose=0)["epochs"] for run in runs)
    assert new == old and len(old) == 2
    one, other = map(weights, runs)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_half_precision_keeps_whole_weights():
    with precision(True):
        network = build("thesis")
    assert {weight.dtype for weight in network.trainable_variables} == {"float32"}
    assert network.decoder.lower.compute_dtype == "bfloat16" and keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("preset", ["thesis", "band-conv"])
def test_it_learns_in_half_precision(preset, windows):
    with precision(True):
        network = build(preset)
    compile_network(network)
    network.run_eagerly = True  # for one batch, tracing would take longer
    batch = Batches(windows, 2, np.arange(2), np.random.default_rng(0), loss=network.preset.loss)[0]
    given, wanted = ({name: x[:, :32] for name, x in part.items()} for part in batch)
    before = network.get_weights()
    history = network.fit(given, wanted, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert any((old != new).any() for old, new in zip(before, network.get_weights(), strict=True))
