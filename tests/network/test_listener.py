"""The drummer that listens: causal where it must be, the same step by step and bar by bar, and in any key."""

import keras
import numpy as np
import pytest

from drumlib.inference.sampling import Sampler
from drumlib.network.band_conv import model as listener
from drumlib.network.band_conv.model import LAGS, BandConvNetwork, BandFeatures, history_features, in_windows

HEADS = ("hits", "velocities", "offsets")


def band(batch: int = 2, steps: int = 128, seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    rolls = {name: (rng.random((batch, steps, 128)) < 0.02) for name in ("piano", "guitar", "bass")}
    return {
        name: (roll & (np.arange(128) > 20) & (np.arange(128) < 100)).astype("uint8") for name, roll in rolls.items()
    }


def drums(batch: int = 2, steps: int = 128, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hits = (rng.random((batch, steps, 9)) < 0.2).astype("float32")
    return np.concatenate([hits, hits * rng.random(hits.shape), hits * (rng.random(hits.shape) - 0.5)], -1).astype("f4")


def arrays(outputs: dict) -> dict:
    return {name: keras.ops.convert_to_numpy(x) for name, x in outputs.items()}


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    made = BandConvNetwork()
    rng = np.random.default_rng(0)
    for weight in made.weights:  # no weight stays at zero, or what hangs on it would not be tested
        weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    return made


def test_shapes_and_size(network):
    answer = arrays(network({**band(), "drums": drums()}))
    assert {name: x.shape for name, x in answer.items()} == {
        **dict.fromkeys(HEADS, (2, 128, 9)),
        "band_only": (2, 128, 27),
    }
    assert 0 <= answer["hits"].min() and answer["hits"].max() <= 1
    assert np.abs(answer["offsets"]).max() <= 0.5
    assert network.count_params() == 138_338


def test_a_step_knows_its_past_and_nothing_of_its_future(network):
    truth = drums(1)
    changed = truth.copy()
    changed[:, 40:] = 0
    one, other = (arrays(network({**band(1), "drums": x})) for x in (truth, changed))
    np.testing.assert_allclose(one["hits"][:, :41], other["hits"][:, :41], atol=1e-6)
    assert np.abs(one["hits"][:, 41:] - other["hits"][:, 41:]).max() > 1e-3
    np.testing.assert_allclose(
        one["band_only"], other["band_only"], atol=1e-6
    )  # the band alone knows of no drums at all


@pytest.mark.slow
def test_step_by_step_is_teacher_forcing_on_the_true_history(network):
    truth = drums()

    class Truth:
        """A sampler that notes the heads, and plays the truth instead."""

        def __init__(self):
            self.step, self.heads = -1, {}

        def uniform(self, *shape):
            self.step += shape[0]  # one step
            return np.zeros(shape)

        def sample(self, heads, uniform):
            self.heads[self.step] = {name: x[:, 0] for name, x in arrays(heads).items()}
            return dict(zip(HEADS, np.split(truth[:, self.step : self.step + 1], 3, axis=-1), strict=True))

    sampler = Truth()
    network.sample(keras.ops.convert_to_numpy(network.encode(band())), sampler, 128, block=1)
    told = arrays(network({**band(), "drums": truth}))
    for name in HEADS:
        found = np.stack([sampler.heads[step][name] for step in range(128)], axis=1)
        np.testing.assert_allclose(found, told[name], atol=1e-5)


def test_bar_by_bar_is_step_by_step(network):
    bars = network.generate(band(), sampler=Sampler(1.0, seed=5, calibrated=True))
    encoded = keras.ops.convert_to_numpy(network.encode(band()))
    steps = network.sample(encoded, Sampler(1.0, seed=5, calibrated=True), 128, block=1)
    assert 0 < bars["hits"].mean() < 1
    np.testing.assert_array_equal(bars["hits"], steps["hits"])
    np.testing.assert_allclose(bars["velocities"], steps["velocities"], atol=1e-5)


def test_without_a_chooser_the_band_alone_answers(network):
    played = network.generate(band())
    alone = arrays(network({**band(), "drums": drums()}))["band_only"]
    np.testing.assert_allclose(np.concatenate([played[name] for name in HEADS], axis=-1), alone, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [5, 16, 37, 128, 200])
def test_any_length(network, steps):
    assert network.generate(band(1, steps))["hits"].shape == (1, steps, 9)
    assert network.generate(band(1, steps), sampler=Sampler(1.0, 0, True))["hits"].shape == (1, steps, 9)


def test_a_long_song_is_heard_window_by_window(network):
    long = {name: np.concatenate([band()[name], band(seed=3)[name]], axis=1) for name in band()}
    whole, second = network.generate(long)["hits"], network.generate(band(seed=3))["hits"]
    np.testing.assert_allclose(whole[:, 128:], second, atol=1e-5)
    assert in_windows(long["bass"]).shape == (4, 128, 128)


@pytest.mark.parametrize(
    ("bands", "bars", "drawn"), [(3, 8, True), (64, 1, True), (65, 1, True), (130, 1, False), (2, 8 * 33, False)]
)
def test_many_windows_are_heard_some_at_a_time_and_played_as_one(network, monkeypatch, bands, bars, drawn):
    """What is heard, drawn and played is the same to the bit."""
    rolls, windows = band(bands, 16 * bars), bands * -(-bars // 8)
    heard, hear = [], network.encode
    monkeypatch.setattr(network, "encode", lambda some: heard.append(len(some["bass"])) or hear(some))

    def played():
        return network.generate(rolls, sampler=Sampler(1.0, seed=2, calibrated=True) if drawn else None)

    in_parts = played()
    assert sum(heard) == windows and max(heard) <= 64
    monkeypatch.setattr(listener, "ENCODE_BATCH", windows)
    at_once = played()
    assert heard[-1] == windows
    for name in HEADS:
        np.testing.assert_array_equal(in_parts[name], at_once[name])


@pytest.mark.slow
def test_songs_side_by_side_do_not_hear_each_other(network):
    both = network.generate(band())["hits"]
    alone = network.generate({name: roll[1:] for name, roll in band().items()})["hits"]
    np.testing.assert_allclose(both[1:], alone, atol=1e-5)


def test_another_key_changes_nothing_but_the_register():
    rolls = band()
    higher = {name: np.roll(roll, 5, axis=2) for name, roll in rolls.items()}
    one, other = (arrays({"x": BandFeatures()(x)})["x"] for x in (rolls, higher))
    register = [5 * part + which for part in range(3) for which in (2, 3)]
    rest = [i for i in range(one.shape[-1]) if i not in register]
    np.testing.assert_allclose(one[..., rest], other[..., rest], atol=1e-6)
    struck = one[..., 0] > 0
    np.testing.assert_allclose((other - one)[struck][:, 2], 5 / 24, atol=1e-5)


def test_ears_by_hand():
    """A bass that plays C2 and, a beat later, C3 with E3; a pitch class heard in the beat before is no news."""
    rolls = {name: np.zeros((1, 16, 128), dtype="uint8") for name in ("piano", "guitar", "bass")}
    rolls["bass"][0, 0, 36] = 1
    rolls["bass"][0, 4, [48, 52]] = 1
    heard = arrays({"x": BandFeatures()(rolls)})["x"][0]
    np.testing.assert_allclose(heard[0, 10:15], [1, np.log(2), (36 - 50) / 24, (36 - 60) / 24, 1], atol=1e-6)
    np.testing.assert_allclose(heard[4, 10:15], [1, np.log(3), (48 - 50) / 24, (52 - 60) / 24, 0.5], atol=1e-6)
    assert not heard[1, :15].any() and not heard[:, :10].any()
    np.testing.assert_array_equal(heard[:, 15:], np.eye(16))


def test_memory_by_hand():
    played = np.zeros((1, 64, 27), dtype=np.float32)
    played[0, 16, 3] = 1  # a stroke on the first step of the second bar
    now = history_features(played, 32, np.eye(7)[None, 0])[
        0, 0
    ]  # the third bar looks back at the bar before, and only there
    assert now[3] == 1 and now[:27].sum() == 1
    lags = now[27 : 27 + 9 * len(LAGS)].reshape(len(LAGS), 9)
    assert lags[LAGS.index(16), 3] == 1 and lags.sum() == 1
    assert now[-len(LAGS) :].tolist() == [float(lag <= 32) for lag in LAGS]


def test_a_first_bar_has_nothing_to_look_back_at(network):
    likeness = arrays({"x": network.drum_history.attention_weights(network.encode(band()))})["x"]
    assert likeness.shape == (2, 8, 7)
    assert not likeness[:, 0].any()
    np.testing.assert_allclose(likeness[:, 1:].sum(-1), 1, atol=1e-4)
    assert not likeness[:, 1, 1:].any()  # the second bar has only the first
