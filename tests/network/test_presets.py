"""The presets: what each is made of, and what all of them keep to."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest
from test_models import arrays, band, drums

from drumlib.network import registry, training
from drumlib.network import training_config as plans
from drumlib.network.registry import PRESETS, build
from drumlib.network.thesis import Preset
from drumlib.network.variants.any_band import OTHER
from drumlib.network.variants.attention import AttentiveDecoder, positional_encoding
from drumlib.network.variants.variants import VariantPreset
from drumlib.network.weights import save_weights

pytestmark = pytest.mark.slow

PARAMETERS = {
    "thesis": 3_945_135,
    "flat": 3_945_135 - 525_312,  # no conductor
    # The lower LSTM reads 16 steps, the heads say 16 steps: 15 more of each.
    "multistep": 3_945_135 - 525_312 + 15 * 27 * 4 * 256 + 15 * 27 * 257,
    "three-level": 3_945_135 + 525_312,  # a second conductor
    "stacked": 3_945_135 + 3 * 2 * 4 * 200 * (400 + 200 + 1),  # a second LSTM in each encoder, both ways
    "attention": 3_945_135 + 257 * 256 + 2 * 1201 * 256 + 513 * 256,  # query; key and value; join
    "any-band": 3_945_135 - 2 * 448_672 + 4 * 64 - 400 * 500,  # one encoder, four families; two summaries, not three
}
T = 32
"""Steps in these tests' windows: two sub-sequences, or one where there is no conductor."""

SMALL = {
    "filters": (4, 8),
    "encoder_units": 8,
    "merge_units": 16,
    "latent": 16,
    "conductor_units": 16,
    "decoder_units": 16,
}
"""The presets keep their shape when they are made small, and are quicker to test."""


FLOORS = replace(PRESETS["stacked"], name="floors", encoder_summary_states=4)
"""No preset, but a change to one that has a row in bench/presets.py."""


@pytest.fixture(scope="module", params=[*PARAMETERS, "floors"])
def network(request):
    return build(replace({**PRESETS, "floors": FLOORS}[request.param], subsequence_bars=1, **SMALL), seed=3)


@pytest.fixture(scope="module")
def any_band():
    return build("any-band", seed=3)


def sub_sequence(network) -> int:
    return T if without_conductor(network) else 16


def without_conductor(network) -> bool:
    return getattr(network.preset, "levels", 2) == 1


def test_every_preset_is_here_by_its_own_name():
    presets = {name: preset for name, preset in PRESETS.items() if isinstance(preset, Preset)}
    assert list(presets) == list(PARAMETERS)
    assert all(preset.name == name for name, preset in presets.items())
    assert asdict(Preset()) == asdict(PRESETS["thesis"])


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    assert build(name).count_params() == PARAMETERS[name]


def test_an_encoder_in_floors_is_the_stacked_one_with_other_wires():
    stacked, floors = (build(replace(preset, **SMALL)) for preset in (PRESETS["stacked"], FLOORS))
    assert [weight.shape for weight in floors.weights] == [weight.shape for weight in stacked.weights]
    encoder = floors.piano
    x = np.random.default_rng(0).normal(size=(2, 7, 8)).astype("float32")  # seven moments: the second section is short
    parts = x[:, :4], np.pad(x[:, 4:], ((0, 0), (0, 1), (0, 0)))  # 2 x (2, 4, 8)
    read = [arrays({"": encoder.lower_lstms[0](part)})[""] for part in parts]  # 2 x (2, 4, 16)
    by_hand = [np.concatenate([one[:, -1, :8], one[:, 0, 8:]], axis=-1) for one in read]  # each reader's last word
    np.testing.assert_allclose(arrays({"": encoder.summaries(x)})[""], np.stack(by_hand, axis=1), atol=1e-6)
    for wrong in ({"encoder_layers": 1}, {"attention": True}, {"any_band": True}):
        with pytest.raises(ValueError, match="two LSTMs"):
            build(replace(FLOORS, **wrong))


def test_shapes_and_ranges(network):
    outputs = arrays(network({**band(2, T), "drums": drums(2, T)}))
    assert {name: x.shape for name, x in outputs.items()} == dict.fromkeys(("hits", "velocities", "offsets"), (2, T, 9))
    assert 0 <= outputs["hits"].min() and outputs["hits"].max() <= 1
    assert np.abs(outputs["offsets"]).max() <= 1


def test_playing_and_teacher_forcing_agree_on_the_networks_own_history(network):
    played = network.generate(band(2, T))
    told = arrays(network({**band(2, T), "drums": np.concatenate(list(played.values()), axis=-1)}))
    for name in played:
        np.testing.assert_allclose(played[name], told[name], atol=1e-5)


def test_playing_and_teacher_forcing_agree_on_the_true_history(network):
    truth, given = drums(2, T), band(2, T)
    told = arrays(network({**given, "drums": truth}))
    steps = iter(truth.reshape(-1, sub_sequence(network), 27).transpose(1, 0, 2))
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
        stepwise = np.stack([heads[name] for heads in said], axis=1).reshape(2, T, 9)
        np.testing.assert_allclose(stepwise, told[name], atol=1e-5)


def test_a_step_knows_what_was_played_and_nothing_of_what_comes_after_it(network):
    truth, at_once, length = drums(1, T), network.decoder.steps_at_once, sub_sequence(network)
    change = 4
    changed = truth.copy()
    changed[:, change] = 1 - changed[:, change]
    one, other = (arrays(network({**band(1, T), "drums": x}))["hits"] for x in (truth, changed))
    differs = np.abs(one - other).max(axis=(0, 2)) > 1e-6  # (T,)
    aware = (change // at_once + 1) * at_once  # the first step that is told of it
    end = (change // length + 1) * length  # a sub-sequence begins as if after silence
    assert not differs[:aware].any() and not differs[end:].any()
    assert differs[aware : min(end, aware + 16)].all()


def test_the_band_is_heard(network):
    one, other = (network({**band(1, T, seed), "drums": drums(1, T)})["hits"] for seed in (0, 5))
    assert np.abs(arrays({"": one})[""] - arrays({"": other})[""]).max() > 1e-4


@pytest.mark.parametrize("steps", [16, 37, 50])
def test_any_length(network, steps):
    played = network.generate(band(1, steps))
    assert {x.shape for x in played.values()} == {(1, steps, 9)}


@pytest.mark.parametrize("bars", [1, 2])
def test_sections_of_another_length(network, bars):
    played = network.generate(band(1, T), subsequence_bars=bars)["hits"]
    assert played.shape == (1, T, 9)
    same = np.allclose(played, network.generate(band(1, T))["hits"], atol=1e-6)
    assert same == (without_conductor(network) or bars == network.preset.subsequence_bars)


def test_songs_side_by_side_do_not_hear_each_other(network):
    both = network.generate(band(2, T))
    alone = network.generate({name: roll[1:] for name, roll in band(2, T).items()})
    np.testing.assert_allclose(both["hits"][1:], alone["hits"], atol=1e-5)
    told = arrays(network({**band(2, T), "drums": drums(2, T)}))["hits"]
    alone = {name: roll[1:] for name, roll in {**band(2, T), "drums": drums(2, T)}.items()}
    np.testing.assert_allclose(told[1:], arrays(network(alone))["hits"], atol=1e-5)


def test_a_seed_draws_z(network):
    one, same, other = (network.generate(band(1, 16), z_seed=seed)["hits"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-5


def test_the_usual_training_loop_takes_it_and_every_weight_learns(network):
    copy = build(network.preset, seed=4)
    copy.bottleneck.kl_weight = 0.5
    training.compile_network(copy, plans.TrainingConfig(learning_rate=0.01))
    # Two phrases: a conductor that speaks only once never uses what it remembers of itself.
    before = [np.array(weight) for weight in copy.trainable_weights]
    answer = dict(zip(("hits", "velocities", "offsets"), np.split(drums(2, 2 * T), 3, axis=-1), strict=True))
    losses = [float(copy.train_on_batch({**band(2, 2 * T), "drums": drums(2, 2 * T)}, answer)[0]) for _ in range(12)]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    pairs = zip(copy.trainable_weights, before, strict=True)
    assert [weight.path for weight, old in pairs if np.array_equal(old, np.array(weight))] == []


IN_JAX = """
import json, sys
import numpy as np
from drumlib.network.registry import build
from drumlib.network.weights import load_weights
import keras
assert keras.backend.backend() == "jax"
inputs = dict(np.load(sys.argv[1]))
answers = {}
for name in sys.argv[2:]:
    network = build(name, seed=1)
    load_weights(network, sys.argv[1].replace("inputs", name))
    told = network(inputs)
    played = network.generate({family: inputs[family] for family in ("piano", "guitar", "bass")})
    answers[name] = {"told": np.asarray(told["hits"]).tolist(), "played": played["hits"].tolist()}
print(json.dumps(answers))
"""


def test_jax_gives_the_same_probabilities(tmp_path):
    pytest.importorskip("jax")
    inputs = {**band(1, 32), "drums": drums(1, 32)}
    np.savez(tmp_path / "inputs.npz", **inputs)
    names = [name for name in PARAMETERS if name != "thesis"]  # it has a test of its own
    networks = {name: build(name, seed=3) for name in names}
    for name, network in networks.items():
        save_weights(network, tmp_path / f"{name}.npz", "float32")
    command = [sys.executable, "-c", IN_JAX, str(tmp_path / "inputs.npz"), *names]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr
    others = json.loads(done.stdout.splitlines()[-1])
    for name, network in networks.items():
        np.testing.assert_allclose(others[name]["told"], arrays(network(inputs))["hits"], atol=1e-4)
        np.testing.assert_allclose(others[name]["played"], network.generate(band(1, 32))["hits"], atol=1e-4)


def test_the_upper_conductor_plans_phrases_and_the_lower_one_their_bars():
    network = build("three-level", seed=3)
    z = keras.random.normal((2, 256), seed=0)
    plan = keras.ops.convert_to_numpy(network.conduct(z, subsequences=5))
    phrases = network.phrases(z, subsequences=3)
    assert plan.shape == (2, 5, 256)
    for phrase in range(3):
        bars = keras.ops.convert_to_numpy(network.conductor(phrases[:, phrase], subsequences=2))
        np.testing.assert_allclose(plan[:, 2 * phrase : 2 * phrase + 2], bars[:, : 5 - 2 * phrase], atol=1e-6)


def test_attention_by_hand():
    network = build("attention", seed=3)
    attention = network.decoder.attention
    rng = np.random.default_rng(0)
    x, moments = (rng.normal(size=shape).astype("float32") for shape in ((1, 2, 256), (1, 3, 1200)))
    places = [5, 30]

    def dense(layer, x):
        return x @ np.array(layer.kernel) + np.array(layer.bias)

    query = dense(attention.query, x) + positional_encoding(places)
    keys, values = dense(attention.key, moments) + positional_encoding([8, 16, 24]), dense(attention.value, moments)
    scores = np.einsum("bpu,bmu->bpm", query, keys) / 16
    weights = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    seen = np.einsum("bpm,bmu->bpu", weights, values)
    expected = np.tanh(dense(attention.join, np.concatenate([x, seen], axis=-1)))
    memory = attention.project_memory(moments)
    np.testing.assert_allclose(attention(x, memory, positions=places), expected, atol=1e-4)
    np.testing.assert_allclose(attention.attention_weights(x, memory[0], places), weights, atol=1e-4)


def test_the_waves_know_what_is_near():
    near = positional_encoding(range(0, 128, 8)) @ positional_encoding(range(0, 128, 8)).T
    assert (near.argmax(axis=1) == np.arange(16)).all()


def test_attention_looks_past_the_bottleneck():
    network = build("attention", seed=3)
    assert isinstance(network.decoder, AttentiveDecoder)
    for weight in network.bottleneck.mean.weights:
        weight.assign(np.zeros(weight.shape))  # z says nothing now
    one, other = (network.generate(band(1, 32, seed))["hits"] for seed in (0, 5))
    assert np.abs(one - other).max() > 1e-4


def as_tracks(rolls: dict, order=(0, 1, 2), families=(0, 1, 2), padding: int = 0) -> dict:
    stacked = np.stack([rolls[name] for name in ("piano", "guitar", "bass")], axis=1)[:, list(order)]  # (B, N, T, 128)
    batch, number = stacked.shape[:2]
    noise = np.ones((batch, padding, *stacked.shape[2:]), dtype=stacked.dtype)  # padding may hold anything
    return {
        "tracks": np.concatenate([stacked, noise], axis=1),
        "families": np.tile(np.array([families[i] for i in order] + [OTHER] * padding), (batch, 1)),
        "present": np.tile(np.array([1] * number + [0] * padding), (batch, 1)),
    }


def test_piano_guitar_and_bass_are_three_tracks_in_any_order(any_band):
    expected = any_band.generate(band(2, T))["hits"]
    for order in ((0, 1, 2), (2, 0, 1)):
        played = any_band.generate(as_tracks(band(2, T), order))["hits"]
        np.testing.assert_allclose(played, expected, atol=1e-5)


def test_padding_and_silent_tracks_are_not_heard(any_band):
    expected = any_band.generate(band(2, T))["hits"]
    np.testing.assert_allclose(any_band.generate(as_tracks(band(2, T), padding=2))["hits"], expected, atol=1e-5)
    two = as_tracks(band(2, T), order=(0, 2))
    silent = {**band(2, T), "guitar": np.zeros((2, T, 128))}
    np.testing.assert_allclose(any_band.generate(silent)["hits"], any_band.generate(two)["hits"], atol=1e-5)
    assert np.abs(any_band.generate(two)["hits"] - expected).max() > 1e-6


def test_the_family_and_the_number_of_tracks_are_heard(any_band):
    rolls, heard = band(1, T), {}
    for name, given in {
        "as they are": as_tracks(rolls),
        "the guitar is strings": as_tracks(rolls, families=(0, OTHER, 2)),
        "two guitars": as_tracks(rolls, order=(0, 1, 2, 0), families=(0, 1, 2)),
    }.items():
        heard[name] = arrays({"": any_band.encode(given)})[""]
        assert heard[name].shape == (1, 800)
    assert np.abs(heard["as they are"] - heard["the guitar is strings"]).max() > 1e-4
    assert np.abs(heard["as they are"] - heard["two guitars"]).max() > 1e-4


def test_pooling_is_the_mean_and_the_maximum_over_the_tracks(any_band):
    given = as_tracks(band(2, T))
    each = [arrays({"": any_band.encoder_states(as_tracks(band(2, T), order=(i,)))[0]})[""] for i in range(3)]
    mean, most = (arrays({"": x})[""] for x in any_band.encoder_states(given))
    np.testing.assert_allclose(mean, np.mean(each, axis=0), atol=1e-5)
    np.testing.assert_allclose(most, np.max(each, axis=0), atol=1e-5)


def test_of_a_silent_band_nothing_is_heard(any_band):
    silence = {name: np.zeros((2, T, 128)) for name in ("piano", "guitar", "bass")}
    np.testing.assert_array_equal(arrays({"": any_band.encode(silence)})[""], 0)
    assert np.isfinite(any_band.generate(silence)["hits"]).all()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"levels": 4}, "1, 2 or 3 levels, not 4"),
        ({"latent": 64}, "conductor_units must be latent"),
        ({"steps_at_once": 5}, "a bar is not a multiple of 5 steps"),
        ({"steps_at_once": 16, "attention": True}, "attention looks from one step at a time"),
    ],
)
def test_presets_that_contradict_themselves(change, message):
    with pytest.raises(ValueError, match=f"odd: .*{message}"):
        build(replace(VariantPreset("odd"), **change))


@pytest.mark.parametrize(
    "change",
    [
        {"attention": True, "any_band": True},
        {"attention": True, "levels": 1},
        {"attention": True, "levels": 3},
        {"levels": 2, "steps_at_once": 4},
        {"levels": 1, "latent": 8, "encoder_layers": 3, "any_band": True},
    ],
)
def test_ideas_can_be_joined(change):
    network = build(replace(VariantPreset("joined", subsequence_bars=1), **{**SMALL, **change}))
    played = network.generate(band(2, T))
    told = arrays(network({**band(2, T), "drums": np.concatenate(list(played.values()), axis=-1)}))
    np.testing.assert_allclose(played["hits"], told["hits"], atol=1e-5)


def test_another_kind_of_preset_can_bring_its_own_network(monkeypatch):
    class Other:
        name = "other"

    class OtherNetwork(keras.Model):
        def __init__(self, preset, seed=0, **options):
            super().__init__(**options)
            self.preset, self.seed = preset, seed

    for table in ("KINDS", "PRESETS", "CONFIGS"):
        monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
    registry.register(registry.Kind(OtherNetwork, dict, None, "nothing"), Other())
    assert registry.preset_names("nothing") == ["other"] and "other" not in registry.preset_names("songs")
    network = build("other", 7)
    assert isinstance(network, OtherNetwork) and network.seed == 7 and network.name == "other"
