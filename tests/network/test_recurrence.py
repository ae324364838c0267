"""The LSTM that is written out must be Keras's, to the last digits that matter: answers and gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from drumlib.network import fast_lstm as recurrence
from drumlib.network.fast_lstm import LSTM

B, T, INPUTS, BESIDE, UNITS = 3, 7, 5, 4, 6

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="elsewhere Keras's own way is taken")


@pytest.fixture(autouse=True)
def no_layer_is_small(monkeypatch):
    monkeypatch.setattr(recurrence, "MIN_UNITS", 1)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def pair(width=INPUTS, **options):
    """Keras's LSTM and ours, with the same weights, the bias too away from where it begins."""
    layers = keras.layers.LSTM(UNITS, **options), LSTM(UNITS, **options)
    for layer in layers:
        layer.build((None, None, width))
        layer.set_weights([numbers(*w.shape, seed=i) / 2 for i, w in enumerate(layer.weights)])
    return layers


def learned(layer, given, call):
    """What a layer says, and the gradients of a loss by its weights and by what it is given."""
    import tensorflow as tf

    given = [tf.constant(x) for x in given]
    with tf.GradientTape() as tape:
        tape.watch(given)
        said = call(layer, *given)
        loss = ops.sum(ops.sin(said * np.arange(1, UNITS + 1)))
    gradients = tape.gradient(loss, [*layer.trainable_variables, *given])
    return [np.asarray(x) for x in (said, *gradients)]


def alike(ours, keras_own):
    assert len(ours) == len(keras_own)
    for one, other in zip(ours, keras_own, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", [{"return_sequences": True}, {}, {"return_sequences": True, "go_backwards": True}])
def test_it_says_and_learns_what_keras_does(options):
    keras_own, ours = pair(**options)
    given = numbers(B, T, INPUTS), numbers(B, UNITS, seed=1), numbers(B, UNITS, seed=2)

    def call(layer, x, h, c):
        return layer(x, initial_state=[h, c], training=True)

    alike(learned(ours, given, call), learned(keras_own, given, call))


def test_what_stands_beside_every_step_is_as_if_it_were_repeated():
    keras_own, ours = pair(INPUTS + BESIDE, return_sequences=True)
    given = numbers(B, T, INPUTS), numbers(B, BESIDE, seed=1)

    def repeated(layer, x, beside):
        every = ops.repeat(beside[:, None], T, axis=1)
        return layer(ops.concatenate([x, every], axis=-1), training=True)

    for training in (True, False):
        mine = learned(ours, given, lambda layer, x, v, t=training: layer(x, context=v, training=t))
        alike(mine, learned(keras_own, given, repeated))


def test_both_ways_it_is_keras_own_too():
    made = [keras.layers.Bidirectional(kind(UNITS, return_sequences=True)) for kind in (keras.layers.LSTM, LSTM)]
    for layer in made:
        layer.build((None, None, INPUTS))
        layer.set_weights([numbers(*w.shape, seed=i) / 2 for i, w in enumerate(layer.weights)])

    def halves(layer, x):
        return ops.sum(ops.reshape(layer(x, training=True), (B, T, 2, UNITS)), axis=2)

    keras_own, ours = (learned(layer, [numbers(B, T, INPUTS)], halves) for layer in made)
    alike(ours, keras_own)


def test_in_training_the_walk_of_this_file_is_the_one_that_is_taken(monkeypatch):
    walks = []
    walk = recurrence.through_time
    monkeypatch.setattr(recurrence, "through_time", lambda *given: walks.append(1) or walk(*given))
    _, ours = pair(return_sequences=True)
    ours(numbers(B, T, INPUTS))
    assert not walks
    ours(numbers(B, T, INPUTS), training=True)
    assert len(walks) == 1


def test_a_small_layer_is_left_to_keras(monkeypatch):
    monkeypatch.setattr(recurrence, "MIN_UNITS", UNITS + 1)
    monkeypatch.setattr(recurrence, "through_time", None)  # nobody calls it
    _, ours = pair(return_sequences=True)
    ours(numbers(B, T, INPUTS), training=True)


def test_the_whole_network_takes_it_in_training(monkeypatch):
    from drumlib.network.registry import build

    walks = []
    walk = recurrence.through_time
    monkeypatch.undo()  # what is small is small
    monkeypatch.setattr(recurrence, "through_time", lambda *given: walks.append(1) or walk(*given))
    given = {name: numbers(1, 32, 128) for name in ("piano", "guitar", "bass")} | {"drums": numbers(1, 32, 27)}
    build("thesis")(given, training=True)
    assert len(walks) == 3 * 2 + 2  # both ways for each instrument, and the decoder's two


def test_a_compiled_layer_learns_alike():
    import tensorflow as tf

    keras_own, ours = pair(return_sequences=True)

    def gradients(layer):
        @tf.function
        def run(x):
            with tf.GradientTape() as tape:
                loss = ops.sum(ops.square(layer(x, training=True)))
            return tape.gradient(loss, layer.trainable_variables)

        return [np.asarray(g) for g in run(numbers(B, T, INPUTS))]

    alike(gradients(ours), gradients(keras_own))
