"""The humanizer: what it hears, what it answers, and what its loss rewards."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from drumlib.data.groove_dataset import TwoBarWindows, performances, two_bar_windows
from drumlib.evaluation.humanizers import quantized_baseline, timing_errors
from drumlib.network.groove.humanizer import HumanizerBatches, HumanizerPreset, bin_edges, crps_loss
from drumlib.network.registry import build, pretrained
from drumlib.network.weights import load_weights, save_weights

SMALL = HumanizerPreset(units=8, latent=4)
FORMS = ["seq2seq", "bottleneck"]


def grooves(windows: int, seed: int = 0) -> np.ndarray:
    """Grooves whose every note is as late as its place in the bar says: (windows, 32, 27)."""
    rng = np.random.default_rng(seed)
    hits = (rng.random((windows, 32, 9)) < 0.2).astype("float32")
    late = np.where(np.arange(32) % 2, 0.3, -0.1)[None, :, None]  # (1, 32, 1)
    return np.concatenate([hits, hits * 0.5, hits * late], axis=-1).astype("float32")


def windows(count: int, seed: int = 0) -> TwoBarWindows:
    return TwoBarWindows(grooves(count, seed), np.full(count, 125.0), np.arange(count) // 4)


@pytest.mark.parametrize("form", FORMS)
def test_a_distribution_for_every_cell(form):
    network = build(replace(SMALL, form=form))
    found = network.histograms(grooves(3)[..., :9], np.array([100.0, 125.0, 200.0]))
    assert found["velocities"].shape == (3, 32, 9, 32)
    assert found["offsets"].shape == (3, 32, 9, 40)
    for histograms in found.values():
        np.testing.assert_allclose(histograms.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_it_hears_the_hits_ahead_as_well(form):
    network, hits = build(replace(SMALL, form=form)), grooves(1)[..., :9]
    other = hits.copy()
    other[:, 31] = 1 - other[:, 31]
    one, two = (network.histograms(x, np.array([125.0]))["offsets"][0, 0] for x in (hits, other))
    assert np.abs(one - two).max() > 1e-7


@pytest.mark.slow
@pytest.mark.parametrize(("tempo", "hears"), [(True, True), (False, False)])
def test_the_tempo_is_heard_only_where_it_is_told(tempo, hears):
    network = build(replace(SMALL, tempo=tempo))
    slow, fast = (network.histograms(grooves(1)[..., :9], np.array([ms]))["offsets"] for ms in (200.0, 80.0))
    assert (np.abs(slow - fast).max() > 1e-6) == hears


def test_windows_side_by_side_do_not_hear_each_other():
    network, hits = build(SMALL), grooves(3)[..., :9]
    together = network.histograms(hits, np.full(3, 125.0))["velocities"]
    alone = network.histograms(hits[1:2], np.full(1, 125.0))["velocities"]
    np.testing.assert_allclose(together[1:2], alone, atol=1e-5)


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="no form 'jazz'"):
        HumanizerPreset(form="jazz")


def test_the_loss_is_the_ranked_probability_score_by_hand():
    loss = crps_loss("velocities", scale=1.0)
    truth = np.zeros((1, 1, 18), "float32")
    truth[0, 0, 0], truth[0, 0, 9] = 0.6, 1  # one note, in the third of four bins
    share = np.full((1, 1, 9, 4), 0.25, "float32")
    share[0, 0, 0] = [0.1, 0.2, 0.3, 0.4]
    by_hand = (0.1**2 + 0.3**2 + (0.6 - 1) ** 2 + 0) / 4
    assert float(loss(truth, np.log(share))) == pytest.approx(by_hand, rel=1e-4)


def test_the_loss_counts_played_notes_only():
    loss, logits = crps_loss("offsets"), np.random.default_rng(0).normal(size=(2, 3, 9, 40)).astype("float32")
    truth = np.zeros((2, 3, 18), "float32")
    assert float(loss(truth, logits)) == 0
    truth[0, 0, 9] = 1
    once = float(loss(truth, logits))
    truth[1, 2, 4] = 0.4  # a silent cell's offset, whatever it be
    assert float(loss(truth, logits)) == pytest.approx(once)


def test_to_miss_by_more_costs_more():
    loss, truth = crps_loss("offsets"), np.zeros((1, 1, 18), "float32")
    truth[0, 0, 9] = 1  # on the grid
    costs = []
    for bin_ in (20, 22, 30):
        logits = np.full((1, 1, 9, 40), -20, "float32")
        logits[0, 0, 0, bin_] = 20
        costs.append(float(loss(truth, logits)))
    assert costs[0] < costs[1] < costs[2]


def test_the_bins_cover_all_values():
    assert bin_edges("offsets", 40)[[0, 20, 40]] == pytest.approx([-0.5, 0, 0.5])
    assert bin_edges("velocities", 32)[[0, 32]] == pytest.approx([0, 1])


def test_batches_hold_all_windows_and_their_truth():
    data = windows(10)
    batches = HumanizerBatches(data.grooves, data.step_ms, batch=4)
    assert len(batches) == 3
    inputs, targets = batches[2]
    assert inputs["hits"].shape == (2, 32, 9)
    np.testing.assert_array_equal(targets["offsets"], data.grooves[8:][..., list(range(18, 27)) + list(range(9))])


def test_a_muted_drum_is_neither_heard_nor_judged():
    data = windows(50)
    rng = np.random.default_rng(0)
    inputs, targets = HumanizerBatches(data.grooves, data.step_ms, 50, None, rng, drum_dropout=0.5)[0]
    np.testing.assert_array_equal(inputs["hits"], targets["velocities"][..., 9:])
    kept = inputs["hits"].sum() / data.grooves[..., :9].sum()
    assert 0.4 < kept < 0.6
    there = data.grooves[..., :9].any(axis=1)
    assert np.isin((inputs["hits"].sum(axis=1) / np.maximum(data.grooves[..., :9].sum(axis=1), 1))[there], [0, 1]).all()


@pytest.mark.slow
def test_weights_there_and_back(tmp_path):
    network, other = build(SMALL, seed=1), build(SMALL, seed=2)
    save_weights(network, tmp_path / "w.npz", "float32")
    load_weights(other, tmp_path / "w.npz")
    for mine, theirs in zip(network.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(ValueError, match="not the weights of this network|the network's is"):
        load_weights(build(replace(SMALL, units=9)), tmp_path / "w.npz")


def test_the_same_seed_gives_the_same_network_and_leaves_chance_alone():
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    one, same = build(SMALL, 3), build(SMALL, 3)
    assert np.random.random() == expected
    np.testing.assert_array_equal(one.get_weights()[0], same.get_weights()[0])


def test_the_shipped_weights_beat_the_grid_on_the_test_split(root):
    """On real drummers whom it never heard. The data are not ours to ship."""
    archive = Path(
        os.environ.get("DRUMLIB_GROOVE") or root.parent / "shared" / "data" / "groove" / "groove-v1.0.0-midionly.zip"
    )
    if not archive.exists():
        pytest.skip(f"the Groove MIDI Dataset is not in {archive} (set DRUMLIB_GROOVE)")
    some = two_bar_windows(performances(archive, "test", "beat", "4-4")[::6])
    found = pretrained("humanize").histograms(some.grooves[..., :9], some.step_ms)["offsets"]
    middle = bin_edges("offsets", 40)[:-1][np.minimum((np.cumsum(found, axis=-1) < 0.5).sum(axis=-1), 39)] + 0.0125
    assert timing_errors(some, middle)["mae_ms"] < 0.93 * quantized_baseline(some)["mae_ms"]


def test_it_is_small(root):
    assert (root / "drumlib" / "weights" / "humanize.npz").stat().st_size < 4_500_000
