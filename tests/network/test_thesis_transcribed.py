"""Ours is timed against a transcription of the thesis's network. It is a fair race only if both say the same."""

import keras
import numpy as np
import pytest

from drumlib.network.registry import build

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def networks(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "bench"))
        from thesis_transcribed import transcribe
    ours = build("thesis", seed=4)
    for i, weight in enumerate(ours.trainable_weights):  # biases too: none may stand at zero, where nothing shows
        weight.assign(weight + 0.05 * keras.random.normal(weight.shape, seed=i))
    return ours, transcribe(ours, noise=False)


def windows(batch: int = 2, steps: int = 64) -> dict:
    rng = np.random.default_rng(0)
    band = {name: (rng.random((batch, steps, 128)) < 0.02).astype("uint8") for name in ("piano", "guitar", "bass")}
    hits = (rng.random((batch, steps, 9)) < 0.2).astype("float32")
    return {**band, "drums": np.concatenate([hits, 0.7 * hits, 0.1 * hits], axis=-1)}


def test_it_has_the_thesis_s_number_of_parameters(networks):
    assert [network.count_params() for network in networks] == [3_945_135] * 2


def test_both_answer_the_same_when_told_the_truth(networks):
    ours, transcription = (network(windows()) for network in networks)
    for name in ("hits", "velocities", "offsets"):
        answer = keras.ops.convert_to_numpy(ours[name])
        assert answer.std() > 0.01  # it does say something
        np.testing.assert_allclose(answer, keras.ops.convert_to_numpy(transcription[name]), atol=1e-5)


def test_both_add_the_same_divergence_in_training(networks):
    ours, transcription = networks
    ours.bottleneck(ours.encode(windows()), training=True)
    transcription(windows(), training=True)
    kl = float(ours.bottleneck.losses[0]) / ours.bottleneck.kl_weight
    assert float(transcription.losses[0]) == pytest.approx(kl, rel=1e-4)


def test_both_play_the_same_on_their_own_word(networks):
    ours, transcription = networks
    band = {name: roll for name, roll in windows(1, 40).items() if name != "drums"}
    played = np.concatenate(list(ours.generate(band, subsequence_bars=1).values()), axis=-1)
    np.testing.assert_allclose(transcription.play(band), played, atol=1e-5)
