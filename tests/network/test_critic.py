"""The critic: what it hears and what not, line-ups, learning to listen, and a network that learns from it."""

import os
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from drumbook.critic import (
    CRITIC_CONFIG,
    Critic,
    CriticBatches,
    CriticPreset,
    CriticTunedModel,
    LineUps,
    judge,
    judge_all,
    sampled_drums,
    tune,
)
from drumlib.data.grid_song import GRID_NOTE, GridPart, GridSong
from drumlib.data.windows import Windows
from drumlib.inference.sampling import Sampler
from drumlib.inference.weights_file import read_arrays
from drumlib.network.band_conv.model import BandConvNetwork, BandConvPreset
from drumlib.network.registry import build, pretrained
from drumlib.network.training import train
from drumlib.network.training_config import TrainingConfig
from drumlib.network.weights import load_weights, save_weights

pytestmark = pytest.mark.slow

FAMILIES = ("piano", "guitar", "bass")
SMALL = CriticPreset(units=16, dilations=(1,), band_dropout=0.0)


def band(batch: int = 2, steps: int = 128, seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    return {name: (rng.random((batch, steps, 128)) < 0.02).astype("uint8") for name in FAMILIES}


def drums(batch: int = 2, steps: int = 128, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hits = (rng.random((batch, steps, 9)) < 0.2).astype("float32")
    return np.concatenate([hits, hits * rng.random(hits.shape), hits * (rng.random(hits.shape) - 0.5)], -1).astype("f4")


def answer(critic, rolls, played) -> np.ndarray:
    return keras.ops.convert_to_numpy(critic({**rolls, "drums": played}))


def song(name: str, rng: np.random.Generator, bars: int = 16) -> GridSong:
    """A song in which the kick strikes where the bass does, on three steps of every bar, and nothing else strikes."""
    steps = np.concatenate([16 * bar + np.sort(rng.choice(16, 3, replace=False)) for bar in range(bars)])
    bass, kick = np.zeros((2, len(steps)), GRID_NOTE)
    bass["step"] = kick["step"] = steps
    bass["pitch"], kick["pitch"], kick["velocity"] = 40, 0, 100
    starts = tuple(range(0, 16 * bars - 127, 32))
    return GridSong(name, 16 * bars, kick, (GridPart("bass", 32, bass),), starts, np.ones((len(starts), 1), bool))


def songs(count: int, seed: int) -> Windows:
    rng = np.random.default_rng(seed)
    return Windows([song(f"{seed}/{number}", rng) for number in range(count)])


def deaf(windows: Windows, seed: int) -> np.ndarray:
    """Drums as those of ``songs``, by one who does not listen: (1, windows, 128, 27)."""
    rng = np.random.default_rng(seed)
    played = np.zeros((1, len(windows), 128, 27), "float16")
    for number in range(len(windows)):
        for bar in range(8):
            played[0, number, 16 * bar + rng.choice(16, 3, replace=False), 0] = 1
    return played


@pytest.fixture(scope="module")
def critic():
    made = build("critic")
    rng = np.random.default_rng(0)
    for weight in made.weights:  # no weight stays at zero, or what hangs on it would not be tested
        weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    return made


def test_shapes_and_size(critic):
    assert answer(critic, band(), drums()).shape == (2, 1)
    bars = keras.ops.convert_to_numpy(critic.bars({**band(), "drums": drums()}))
    assert bars.shape == (2, 8)
    np.testing.assert_allclose(bars.mean(axis=1, keepdims=True), answer(critic, band(), drums()), atol=1e-5)
    assert critic.count_params() < 100_000


def test_it_hears_the_hits_and_the_band_and_nothing_else(critic):
    one = answer(critic, band(), drums())
    np.testing.assert_allclose(answer(critic, band(), drums()[..., :9]), one, atol=1e-6)
    assert np.abs(answer(critic, band(), drums(seed=5)) - one).min() > 1e-3
    assert np.abs(answer(critic, band(seed=5), drums()) - one).min() > 1e-3


def test_who_hears_everything_hears_it_coarsely():
    everything = Critic(replace(SMALL, everything=True), seed=1)
    hits = drums()[..., :9]

    def verdict(velocity: float, offset: float) -> np.ndarray:
        return answer(everything, band(), np.concatenate([hits, hits * velocity, hits * offset], axis=-1))

    np.testing.assert_array_equal(verdict(100 / 127, 0), verdict(100.4 / 127, 0.03))  # fractions settle nothing
    assert np.abs(verdict(100 / 127, 0) - verdict(60 / 127, 0)).max() > 1e-4
    assert np.abs(verdict(100 / 127, 0) - verdict(100 / 127, 0.3)).max() > 1e-4


def test_performances_side_by_side_do_not_hear_each_other(critic):
    alone = answer(critic, {name: roll[1:] for name, roll in band().items()}, drums()[1:])
    np.testing.assert_allclose(answer(critic, band(), drums())[1:], alone, atol=1e-5)


def test_a_long_song_is_judged_eight_bars_at_a_time(critic):
    rolls, played = band(1, 256), drums(1, 256)
    found = judge(critic, rolls, played)
    assert found.shape == (1, 16)
    second = critic.bars({**{name: x[:, 128:] for name, x in rolls.items()}, "drums": played[:, 128:]})
    np.testing.assert_allclose(found[:, 8:], second, atol=1e-5)


@pytest.mark.parametrize(("steps", "bars"), [(5, 1), (16, 1), (100, 7), (128, 8), (200, 13)])
def test_any_length(critic, steps, bars):
    found = judge(critic, band(1, steps), drums(1, steps))
    assert found.shape == (1, bars) and found.all()


def test_bars_at_the_end_are_heard_with_those_before_them(critic):
    rolls, played = band(1, 176), drums(1, 176)
    last = critic.bars({**{name: x[:, 48:] for name, x in rolls.items()}, "drums": played[:, 48:]})
    found = judge(critic, rolls, played)
    np.testing.assert_allclose(found[:, 8:], keras.ops.convert_to_numpy(last)[:, 5:], atol=1e-5)
    first = critic.bars({**{name: x[:, :128] for name, x in rolls.items()}, "drums": played[:, :128]})
    np.testing.assert_allclose(found[:, :8], first, atol=1e-5)


def test_a_line_up_has_the_real_drummer_and_another_for_the_same_band():
    windows = songs(3, seed=1)
    inputs, real = CriticBatches(LineUps(windows, deaf(windows, 2)), (0,), batch=4, others=0.0)[1]
    assert real.tolist() == [[1]] * 4 + [[0]] * 4
    np.testing.assert_array_equal(inputs["bass"][:4], inputs["bass"][4:])
    np.testing.assert_array_equal(inputs["drums"][:4], windows.batch(range(4, 8))["drums"])
    np.testing.assert_array_equal(inputs["drums"][4:], deaf(windows, 2)[0, 4:8])


def test_another_songs_drummer_is_real_and_of_another_song():
    windows = songs(3, seed=1)
    lineup = CriticBatches(LineUps(windows, deaf(windows, 2)), (0,), batch=len(windows), others=1.0)
    beside = lineup[0][0]["drums"][len(windows) :]
    every = windows.batch(range(len(windows)))["drums"]
    for number, played in enumerate(beside):
        same = [other for other in range(len(windows)) if np.array_equal(every[other], played)]
        assert same and all(windows.index[other, 0] != windows.index[number, 0] for other in same)


def test_the_same_numbers_the_same_line_ups():
    windows = songs(3, seed=1)
    lineups = LineUps(windows, deaf(windows, 2))
    one, same, other = (CriticBatches(lineups, seed, augmentation=(5, 0.0))[0][0] for seed in ((0,), (0,), (1,)))
    for name in one:
        np.testing.assert_array_equal(one[name], same[name])
    assert (one["drums"] != other["drums"]).any()


def test_one_song_makes_no_line_up():
    windows = songs(1, seed=1)
    with pytest.raises(ValueError, match="at least two songs"):
        CriticBatches(LineUps(windows, deaf(windows, 2)), (0,))


def learned(windows: Windows, others: Windows, out, epochs: int, resume=False):
    plan = replace(CRITIC_CONFIG, epochs=epochs, batch=16, learning_rate=1e-2, instrument_dropout=0.0, transpose=0)
    sets = (LineUps(x, deaf(x, seed)) for seed, x in enumerate((windows, others)))
    return train(SMALL, *sets, out, plan, resume, verbose=0)


def test_it_learns_to_tell_who_listens(tmp_path):
    """The only clue is whether the kick strikes with the bass: who does not compare the two can only guess."""
    held_out = songs(12, seed=8)
    history = learned(songs(24, seed=7), songs(8, seed=9), tmp_path / "run", epochs=8)
    critic = build(SMALL)
    load_weights(critic, tmp_path / "run" / "best.npz")
    real, order = held_out.batch(range(len(held_out)))["drums"], np.arange(len(held_out))
    own = judge_all(critic, held_out, real)
    other = judge_all(critic, held_out, real, np.roll(order, len(order) // 2))  # another song's band
    assert history["epochs"][0]["val_accuracy"] < 0.9 < max(epoch["val_accuracy"] for epoch in history["epochs"])
    assert (own > other).mean() > 0.9
    assert (own > judge_all(critic, held_out, deaf(held_out, 5)[0])).mean() > 0.9


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path):
    windows, others = songs(3, seed=7), songs(2, seed=9)
    learned(windows, others, tmp_path / "whole", epochs=2)
    learned(windows, others, tmp_path / "parts", epochs=1)
    assert len(learned(windows, others, tmp_path / "parts", epochs=2, resume=True)["epochs"]) == 2
    whole, parts = (read_arrays(tmp_path / run / "last.npz") for run in ("whole", "parts"))
    for name in whole.keys() - {"history"}:
        np.testing.assert_allclose(whole[name], parts[name], atol=1e-6, err_msg=name)
    two = LineUps(windows, np.concatenate([deaf(windows, 0), deaf(windows, 1)]))
    with pytest.raises(ValueError, match="sampled_sets 1, not 2"):
        train(SMALL, two, LineUps(others, deaf(others, 1)), tmp_path / "parts", CRITIC_CONFIG, True, verbose=0)


LISTENER = BandConvPreset(
    units=8, decoder_units=8, dilations=(1,), band_dropout=0.0, history_dropout=0.0, joint_dropout=0.0
)


def test_the_critics_word_reaches_the_networks_probabilities(critic):
    network = BandConvNetwork(LISTENER, seed=0)
    tuned = CriticTunedModel(network, critic, weight=1.0)
    inputs = {**band(), "drums": drums(), "rollout": drums(seed=4)}
    np.testing.assert_allclose(tuned(inputs)["hits"], network(inputs)["hits"], atol=1e-6)
    assert not tuned.losses  # nothing is said outside of training
    tuned(inputs, training=True)
    verdict = answer(critic, band(), drums(seed=4))  # the strokes themselves are what was judged
    assert float(tuned.losses[0]) == pytest.approx(float(np.log1p(np.exp(-verdict)).mean()), rel=1e-4)
    assert {weight.path for weight in tuned.trainable_weights} == {weight.path for weight in network.trainable_weights}


def test_a_network_is_tuned_and_its_critic_is_not(tmp_path):
    windows, plan = (
        songs(3, seed=7),
        TrainingConfig(
            epochs=2,
            batch=8,
            learning_rate=3e-3,
            clipnorm=1.0,
            weight_decay=0.01,
            transpose=0,
            instrument_dropout=0.0,
            kl_weight=0.0,
            rollout_share=0.0,
        ),
    )
    critic = build(SMALL, seed=3)
    before = [keras.ops.convert_to_numpy(weight) for weight in critic.weights]
    verdicts = {}

    def luck(epoch: int) -> Sampler:
        return Sampler(1.0, epoch, calibrated=True)

    for weight in (0.0, 10.0):
        network = build(LISTENER, 0)  # both begin with the same weights, whatever ran before
        history = tune(network, critic, windows, windows, tmp_path / str(weight), plan, weight, luck)
        verdicts[weight] = judge_all(critic, windows, sampled_drums(network, windows, [luck(9)])[0]).mean()
    assert len(history["epochs"]) == 2
    assert verdicts[10.0] > verdicts[0.0]  # it now plays what this critic likes to hear
    for weight, old in zip(critic.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)
    load_weights(BandConvNetwork(LISTENER), tmp_path / "10.0" / "best.npz")  # no weights of a critic in there


def test_nothing_flows_back_through_ears_that_hear_in_steps():
    with pytest.raises(ValueError, match="no gradient"):
        CriticTunedModel(BandConvNetwork(LISTENER), Critic(replace(SMALL, everything=True)), 1.0)


IN_JAX = """
import sys
import numpy as np
from drumbook.critic import CriticPreset, CriticTunedModel, judge
from drumlib.network.band_conv.model import BandConvNetwork, BandConvPreset
from drumlib.network.registry import build
from drumlib.network.training import compile_network
from drumlib.network.batches import targets_for
from drumlib.network.weights import load_weights
import keras
assert keras.backend.backend() == "jax"
given = dict(np.load(sys.argv[1], allow_pickle=False))
critic = build(CriticPreset(units=16, dilations=(1,), band_dropout=0.0), seed=4)
load_weights(critic, sys.argv[2])
np.save(sys.argv[3], judge(critic, given, given["drums"]))
small = BandConvPreset(units=8, decoder_units=8, dilations=(1,))
tuned = CriticTunedModel(BandConvNetwork(small), critic, 1.0)
compile_network(tuned)
loss = tuned.train_on_batch({**given, "rollout": given["drums"]}, targets_for(given["drums"], "masked-two-heads"))
assert np.isfinite(loss).all()
"""


def test_jax_gives_the_same_verdicts_and_tunes_too(tmp_path):
    pytest.importorskip("jax")
    critic = build(SMALL, seed=3)
    save_weights(critic, tmp_path / "critic.npz", "float32")
    np.savez(tmp_path / "given.npz", **band(), drums=drums())
    command = [sys.executable, "-c", IN_JAX, *(str(tmp_path / x) for x in ("given.npz", "critic.npz", "verdicts.npy"))]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, done.stderr
    verdicts = np.load(tmp_path / "verdicts.npy", allow_pickle=False)
    np.testing.assert_allclose(verdicts, judge(critic, band(), drums()), atol=1e-4)


def test_the_shipped_critic_mostly_prefers_our_songs_as_they_are(root):
    """It learned from other songs and from what networks draw, never from drums like these: three in four, not all."""
    from drumlib.data.grid_song import grid_song
    from drumlib.music import songbook

    windows = Windows([grid_song(songbook.song(name)) for name in songbook.names()])
    real = windows.batch(range(len(windows)))["drums"]
    critic = pretrained("critic")
    liked = judge_all(critic, windows, real)
    steps = np.random.default_rng(0).permutation(real.reshape(-1, real.shape[-1])).reshape(real.shape)
    for spoiled in (np.roll(real, 1, axis=1), steps):  # a step late; the steps of all songs in no order
        assert (liked > judge_all(critic, windows, spoiled)).mean() > 0.7
    assert (root / "drumlib" / "weights" / "critic.npz").stat().st_size < 1_000_000
