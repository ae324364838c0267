"""The groove VAE: from drums to z and back, told and on its own word."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from drumlib.network.groove.groove_vae import (
    GrooveBatches,
    GrooveVAEPreset,
)
from drumlib.network.losses import summed_cross_entropy, summed_squared_error
from drumlib.network.registry import build, pretrained
from drumlib.network.weights import load_weights, save_weights

SMALL = GrooveVAEPreset(encoder_units=12, latent=6, conductor_units=8, decoder_units=16)


@pytest.fixture(scope="module")
def network():
    return build(SMALL, seed=2)


def grooves(windows: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hits = (rng.random((windows, 32, 9)) < 0.2).astype("float32")
    values = [hits, hits * rng.random(hits.shape), hits * (rng.random(hits.shape) - 0.5)]
    return np.concatenate(values, axis=-1).astype("float32")


def array(heads: dict, *names) -> np.ndarray:
    return np.concatenate([keras.ops.convert_to_numpy(heads[n]) for n in names or heads], axis=-1)


@pytest.mark.slow
def test_shapes_and_ranges(network):
    heads = network({"drums": grooves(3)})
    assert {name: tuple(x.shape) for name, x in heads.items()} == dict.fromkeys(
        ("hits", "velocities", "offsets"), (3, 32, 9)
    )
    assert np.abs(array(heads, "offsets")).max() <= 1
    assert network.encode(grooves(3)).shape == (3, 6)


@pytest.mark.parametrize("bars", [1, 2, 5])
def test_a_groove_is_as_long_as_was_asked(network, bars):
    played = network.sample(4, seed=1, bars=bars)
    assert played.shape == (4, 16 * bars, 27)
    assert played[..., 18:].min() >= -0.5 and played[..., 18:].max() < 0.5
    silent = played[..., :9] == 0
    assert not played[..., 9:18][silent].any() and not played[..., 18:][silent].any()


@pytest.mark.slow
def test_playing_and_teacher_forcing_agree_on_the_networks_own_history(network):
    z = network.encode(grooves(2))
    played = network.decode(z)
    vector = network.conductor(z, bars=2)
    told = array(network.decoder(keras.ops.reshape(vector, (4, -1)), played.reshape(4, 16, 27))).reshape(2, 32, 27)
    np.testing.assert_array_equal(told[..., :9] > network.preset.threshold, played[..., :9] > 0)
    struck = played[..., :9] > 0
    np.testing.assert_allclose(told[..., 9:18][struck], played[..., 9:18][struck], atol=1e-5)


@pytest.mark.slow
def test_its_decoder_fits_into_the_thesiss_network(tmp_path):
    """What was learned from drums alone can be transplanted (thesis, 4.3)."""
    save_weights(build(GrooveVAEPreset(), seed=3), tmp_path / "w.npz", "float32")
    drummer = build("thesis", seed=1)
    load_weights(drummer, tmp_path / "w.npz", part="decoder")
    vector, drums = np.ones((1, 256), "float32"), grooves(1)
    one = array(build(GrooveVAEPreset(), seed=3).decoder(vector, drums))
    np.testing.assert_allclose(array(drummer.decoder(vector, drums)), one, atol=1e-6)


def test_what_is_played_depends_on_z(network):
    z = np.random.default_rng(0).standard_normal((2, 6)).astype("float32")
    vectors = keras.ops.convert_to_numpy(network.conductor(z, bars=2))
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-3
    assert np.abs(vectors[:, 0] - vectors[:, 1]).max() > 1e-4  # a bar is not the bar before


@pytest.mark.slow
def test_the_divergence_costs_what_is_above_the_free_bits():
    drums = grooves(4)
    network = build(replace(SMALL, free_bits=0.0), seed=2)
    mean, log_var = (np.asarray(x, dtype=float) for x in network.encoder(drums))
    nats = float((0.5 * (mean**2 + np.exp(log_var) - log_var - 1)).sum(axis=-1).mean())
    network({"drums": drums}, training=True)
    assert float(network.losses[0]) == pytest.approx(0.2 * nats / 32, rel=1e-4)
    network({"drums": drums})
    assert not network.losses or float(sum(network.losses)) == pytest.approx(0.2 * nats / 32, rel=1e-4)
    free = build(replace(SMALL, free_bits=1 + nats / np.log(2)), seed=2)
    free({"drums": drums}, training=True)
    assert float(free.losses[0]) == 0


def test_the_losses_by_hand():
    truth, answer = np.zeros((1, 2, 9), "float32"), np.full((1, 2, 9), 0.5, "float32")
    assert float(summed_cross_entropy(truth, answer)) == pytest.approx(9 * np.log(2), rel=1e-4)
    struck = truth.copy()
    struck[0, 0, 3] = 1
    both = np.concatenate([0.9 * struck, struck], axis=-1)
    assert float(summed_squared_error(both, answer)) == pytest.approx(0.4**2 / 2, rel=1e-4)


def test_batches():
    inputs, targets = GrooveBatches(grooves(5), batch=3)[1]
    assert inputs["drums"].shape == (2, 32, 27)
    np.testing.assert_array_equal(targets["hits"], inputs["drums"][..., :9])
    np.testing.assert_array_equal(targets["offsets"][..., 9:], targets["hits"])


def test_both_ends_of_a_way_are_what_the_network_makes_of_the_two_grooves(network):
    one, other = grooves(2)
    way = network.interpolate(one, other, steps=5)
    assert way.shape == (5, 32, 27)
    np.testing.assert_allclose(way[[0, -1]], network.decode(network.encode(np.stack([one, other]))), atol=1e-5)


@pytest.mark.slow
def test_the_same_seed_the_same_groove(network):
    np.testing.assert_array_equal(network.sample(3, seed=4), network.sample(3, seed=4))
    z = np.zeros((2, 6), "float32")
    drawn = network.decode(z, seed=1)
    np.testing.assert_array_equal(drawn, network.decode(z, seed=1))
    assert (drawn != network.decode(z, seed=2)).any()


@pytest.mark.slow
def test_weights_there_and_back(network, tmp_path):
    save_weights(network, tmp_path / "w.npz", "float32")
    other = build(SMALL, seed=9)
    load_weights(other, tmp_path / "w.npz")
    for mine, theirs in zip(network.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_shipped_space_is_not_silent(root):
    network = pretrained("groove-vae")
    played = network.sample(64, seed=0)
    assert (played[..., :9].sum(axis=(1, 2)) >= 4).mean() > 0.9
    assert len(np.unique(played[..., :9].reshape(64, -1), axis=0)) > 56
    z = np.random.default_rng(0).standard_normal((64, network.preset.latent)).astype("float32")
    assert len(np.unique(network.decode(z)[..., :9].reshape(64, -1), axis=0)) > 32  # cut, they agree more often
    assert (root / "drumlib" / "weights" / "groove-vae.npz").stat().st_size < 4_000_000
