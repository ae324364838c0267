"""Attention: a decoder that, before it plays a step, looks at the song again.

z is one vector for eight bars, and what the encoders heard at one moment may not have fitted in. The thesis names this
way and leaves it aside (4.1); the preset ``attention`` tries it. The decoder looks at all that the encoders heard, in
the manner of Luong et al. 2015: its LSTMs run first, and what they say asks the question. So teacher forcing still
takes all steps in one go. The weights are those of Vaswani et al. 2017, scaled dot products, and so are the waves that
tell it where in the song it stands. Letters as in ``layers.py``.
"""

import keras
import numpy as np
from keras import ops

from drumlib.network.layers import Decoder

STEPS_PER_MOMENT = 8
"""The encoder's moments are half a bar apart."""


def waves(places, units: int = 256) -> np.ndarray:
    """Where in the song, in steps, as sines and cosines of many wavelengths: (P,) -> (P, units), for any length.

    The product of two such rows is largest for two places that are near to each other.
    """
    slower = 10_000 ** -np.linspace(0, 1, units // 2, endpoint=False)  # radians a step, from fast to slow
    angles = np.asarray(places)[:, None] * slower  # (P, units / 2)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1).astype("float32")


class Attention(keras.layers.Layer):
    """Adds to what the decoder would say what it sees of the song from there."""

    def __init__(self, units=256, **options):
        super().__init__(**options)
        self.query = keras.layers.Dense(units, name="query")
        self.key = keras.layers.Dense(units, name="key")
        self.value = keras.layers.Dense(units, name="value")
        self.join = keras.layers.Dense(units, activation="tanh", name="join")

    def build(self, shape):
        """``shape`` ends in the width of the moments, 1200."""
        units = self.query.units
        self.query.build((None, None, units))
        self.key.build(shape)
        self.value.build(shape)
        self.join.build((None, None, 2 * units))

    def project_memory(self, moments):
        """Keys and values of a song, once for all its steps: (B, M, 1200) -> 2 x (B, M, 256)."""
        middles = STEPS_PER_MOMENT * (np.arange(moments.shape[1]) + 1)  # (M,): of each moment, in steps
        keys = self.key(moments)
        return keys + ops.cast(waves(middles, self.key.units), keys.dtype), self.value(moments)

    def weights_of(self, x, keys, places):
        """How much each place looks at each moment: (B, P, 256) and (B, M, 256) -> (B, P, M), rows summing to 1."""
        query = self.query(x)
        query = query + ops.cast(waves(places, self.query.units), query.dtype)
        scores = ops.matmul(query, ops.transpose(keys, (0, 2, 1)))  # (B, P, 256) x (B, 256, M) -> (B, P, M)
        return ops.softmax(scores / self.query.units**0.5, axis=-1)

    def call(self, x, memory, places):
        """``x`` (B, P, 256) is what the decoder's LSTMs say at the steps ``places``, (P,). Returns (B, P, 256)."""
        keys, values = memory
        seen = ops.matmul(self.weights_of(x, keys, places), values)  # (B, P, M) x (B, M, 256) -> (B, P, 256)
        return self.join(ops.concatenate([x, seen], axis=-1))  # (B, P, 512) -> (B, P, 256)


class AttentiveDecoder(Decoder):
    """The thesis's decoder with attention between its LSTMs and its heads.

    Sub-sequences still stand side by side in the batch, but they look at one song, so attention brings them together
    again: of B * U rows it makes B. ``memory`` is what ``recurrent_states`` returned for the B songs, ``places`` the steps of
    the song that a song's rows are at, in order.
    """

    def __init__(self, units=256, drums=9, noise=0.25, seed=0, **options):
        super().__init__(units, drums, noise, seed, **options)
        self.attention = Attention(units, name="attention")

    def build(self, plan_shape, moments_shape):
        super().build(plan_shape)
        self.attention.build(moments_shape)

    def project_memory(self, moments):
        return self.attention.project_memory(moments)

    def attend(self, x, memory, places):
        """For what is said at some steps, (B * U, S, 256) or (B * U, 256): the same, and what is seen from there."""
        songs = ops.reshape(x, (-1, len(places), x.shape[-1]))  # (B * U, S, 256) -> (B, U * S, 256)
        return ops.reshape(self.attention(songs, memory, places=places), ops.shape(x))

    def call(self, vector, drums, memory, places, training=False):
        x = self.attend(self.follow(vector, drums, training), memory, places)  # (B * U, S, 256)
        return self.heads(self.noise(x, training=training))

    def step(self, before, vector, states, memory, places):
        x, states = self.advance(before, vector, states)  # (B * U, 256)
        return self.heads(self.attend(x, memory, places)), states
