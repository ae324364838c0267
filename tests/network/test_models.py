"""The thesis's network: its size, its shapes, and one set of weights for training and for playing."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from drumlib.network.registry import PRESETS, build
from drumlib.network.weights import load_weights, named_weights, save_weights


@pytest.fixture(scope="module")
def network():
    return build("thesis", seed=3)


def band(batch: int, steps: int, seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    return {name: (rng.random((batch, steps, 128)) < 0.02).astype("uint8") for name in ("piano", "guitar", "bass")}


def drums(batch: int, steps: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hits = (rng.random((batch, steps, 9)) < 0.2).astype("float32")
    values = [hits, hits * rng.random(hits.shape), hits * (rng.random(hits.shape) - 0.5)]
    return np.concatenate(values, axis=-1).astype("float32")


def arrays(outputs: dict) -> dict:
    return {name: keras.ops.convert_to_numpy(x) for name, x in outputs.items()}


def test_parameters_block_by_block(network):
    assert [network.encoders[family].count_params() for family in ("piano", "guitar", "bass")] == [448_672] * 3
    assert network.bottleneck.count_params() == 857_012
    assert network.conductor.count_params() == 525_312
    assert network.decoder.embedding.count_params() == 131_584
    assert network.decoder.count_params() - network.decoder.embedding.count_params() == 1_085_211
    assert network.count_params() == 3_945_135


@pytest.mark.slow
def test_shapes_and_ranges(network):
    outputs = arrays(network({**band(2, 128), "drums": drums(2, 128)}))
    assert {name: x.shape for name, x in outputs.items()} == dict.fromkeys(
        ("hits", "velocities", "offsets"), (2, 128, 9)
    )
    assert 0 <= outputs["hits"].min() and outputs["hits"].max() <= 1
    assert np.abs(outputs["offsets"]).max() <= 1


@pytest.mark.slow
def test_playing_and_teacher_forcing_agree_on_the_networks_own_history(network):
    played = network.generate(band(2, 128))
    told = arrays(network({**band(2, 128), "drums": np.concatenate(list(played.values()), axis=-1)}))
    for name in played:
        np.testing.assert_allclose(played[name], told[name], atol=1e-5)


@pytest.mark.slow
def test_playing_and_teacher_forcing_agree_on_the_true_history(network):
    truth, given = drums(2, 128), band(2, 128)
    told = arrays(network({**given, "drums": truth}))
    steps = iter(truth.reshape(2 * 4, 32, 27).transpose(1, 0, 2))
    said = []

    class Truth:
        """A sampler that notes the heads, and plays the truth instead."""

        def uniform(self, *shape):
            return np.zeros(shape)

        def sample(self, heads, uniform):
            said.append(arrays(heads))
            return dict(zip(("hits", "velocities", "offsets"), np.split(next(steps), 3, axis=-1), strict=True))

    network.generate(given, Truth())
    for name in told:
        stepwise = np.stack([heads[name] for heads in said], axis=1).reshape(2, 128, 9)
        np.testing.assert_allclose(stepwise, told[name], atol=1e-5)


@pytest.mark.slow
def test_a_step_knows_nothing_of_what_comes_after_it(network):
    truth = drums(1, 128)
    changed = truth.copy()
    changed[:, 40:] = 0
    one, other = (arrays(network({**band(1, 128), "drums": x}))["hits"] for x in (truth, changed))
    np.testing.assert_allclose(one[:, :41], other[:, :41], atol=1e-6)
    assert np.abs(one[:, 41:64] - other[:, 41:64]).max() > 1e-4
    np.testing.assert_allclose(one[:, 64], other[:, 64], atol=1e-6)  # a sub-sequence begins as if after silence


@pytest.mark.slow
@pytest.mark.parametrize("steps", [16, 37, 128, 200])
def test_any_length(network, steps):
    assert network.generate(band(1, steps))["hits"].shape == (1, steps, 9)


@pytest.mark.slow
def test_songs_side_by_side_do_not_hear_each_other(network):
    both = network.generate(band(2, 128))
    alone = network.generate({name: roll[1:] for name, roll in band(2, 128).items()})
    np.testing.assert_allclose(both["hits"][1:], alone["hits"], atol=1e-5)


def test_the_conductor_hears_itself(network):
    z = keras.random.normal((2, 256), seed=0)
    plan = keras.ops.convert_to_numpy(network.conductor(z, subsequences=3))
    zero = keras.ops.zeros((2, 256))
    x, state = network.conductor.cell(z, [zero, zero])
    np.testing.assert_allclose(plan[:, 0], x, atol=1e-6)
    x, state = network.conductor.cell(x, state)
    np.testing.assert_allclose(plan[:, 1], x, atol=1e-6)


def test_z_is_the_mean_unless_a_draw_is_asked_for(network):
    heard = network.encode(band(2, 128))
    mean, log_var = network.bottleneck.posterior(heard)
    np.testing.assert_allclose(network.bottleneck(heard), mean)
    one, same, other = (np.asarray(network.bottleneck(heard, z_seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1


def test_the_bottleneck_adds_its_divergence_in_training_only(network):
    heard = network.encode(band(2, 128))
    mean, log_var = (np.asarray(x, dtype=float) for x in network.bottleneck.posterior(heard))
    network.bottleneck(heard, training=True)
    by_hand = -0.5 * np.mean(1 + log_var - mean**2 - np.exp(log_var))
    assert float(network.bottleneck.losses[0]) == pytest.approx(by_hand * network.bottleneck.kl_weight, rel=1e-4)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_network():
    one, same, other = (build("thesis", seed).conductor.get_weights()[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01


def test_an_unknown_preset_is_named():
    with pytest.raises(ValueError, match="no preset 'jazz': there is thesis"):
        build("jazz")
    assert "thesis" in PRESETS


@pytest.mark.slow
def test_weights_there_and_back(network, tmp_path):
    save_weights(network, tmp_path / "w.npz", "float32")
    other = build("thesis", seed=9)
    load_weights(other, tmp_path / "w.npz")
    for mine, theirs in zip(network.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_other_weights_are_refused(network, tmp_path):
    np.savez(tmp_path / "w.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="not the weights of this network"):
        load_weights(network, tmp_path / "w.npz")


def test_a_pickle_is_never_opened(network, tmp_path):
    names = {name: np.array([{}], dtype=object) for name in named_weights(network)}
    np.savez(tmp_path / "w.npz", **names)
    with pytest.raises(ValueError, match="not a whole file of plain arrays"):
        load_weights(network, tmp_path / "w.npz")


IN_JAX = """
import json, sys
import numpy as np
from drumlib.network.registry import build
from drumlib.network.weights import load_weights
import keras
assert keras.backend.backend() == "jax"
network = build("thesis", seed=1)
load_weights(network, sys.argv[1])
inputs = dict(np.load(sys.argv[2]))
told = network(inputs)
played = network.generate({name: inputs[name] for name in ("piano", "guitar", "bass")})
print(json.dumps({"told": np.asarray(told["hits"]).tolist(), "played": played["hits"].tolist()}))
"""


@pytest.mark.slow
def test_jax_gives_the_same_probabilities(network, tmp_path):
    pytest.importorskip("jax")
    save_weights(network, tmp_path / "w.npz", "float32")
    inputs = {**band(1, 64), "drums": drums(1, 64)}
    np.savez(tmp_path / "inputs.npz", **inputs)
    command = [sys.executable, "-c", IN_JAX, str(tmp_path / "w.npz"), str(tmp_path / "inputs.npz")]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    other = json.loads(done.stdout.splitlines()[-1])
    np.testing.assert_allclose(other["told"], arrays(network(inputs))["hits"], atol=1e-4)
    np.testing.assert_allclose(other["played"], network.generate(band(1, 64))["hits"], atol=1e-4)
