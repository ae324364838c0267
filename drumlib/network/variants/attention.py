"""Decoder with attention over the encoders' states (considered in the thesis, 4.1; preset ``attention``).

Attention follows the LSTMs, as in Luong et al. 2015, so that teacher forcing still takes all steps at once. Scores are
scaled dot products with sinusoidal positional encodings (Vaswani et al. 2017). Letters as in ``layers.py``.
"""

import keras
import numpy as np
from keras import ops

from drumlib.network.layers import Decoder

STEPS_PER_STATE = 8
"""The encoders' states are half a bar apart."""


def positional_encoding(positions, units: int = 256) -> np.ndarray:
    """Sinusoidal positional encoding of positions in steps: (P,) -> (P, units), for a song of any length."""
    frequencies = 10_000 ** -np.linspace(0, 1, units // 2, endpoint=False)  # radians a step, from fast to slow
    angles = np.asarray(positions)[:, None] * frequencies  # (P, units / 2)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1).astype("float32")


class Attention(keras.layers.Layer):
    """Scaled dot-product attention from decoder steps to encoder states, joined with the decoder's output."""

    def __init__(self, units=256, **options):
        super().__init__(**options)
        self.query = keras.layers.Dense(units, name="query")
        self.key = keras.layers.Dense(units, name="key")
        self.value = keras.layers.Dense(units, name="value")
        self.join = keras.layers.Dense(units, activation="tanh", name="join")

    def build(self, shape):
        """``shape`` ends in the width of the states, 1200."""
        units = self.query.units
        self.query.build((None, None, units))
        self.key.build(shape)
        self.value.build(shape)
        self.join.build((None, None, 2 * units))

    def project_memory(self, states):
        """Keys and values of a song, computed once for all its steps: (B, M, 1200) -> 2 x (B, M, 256)."""
        middles = STEPS_PER_STATE * (np.arange(states.shape[1]) + 1)  # (M,): the middle of each state, in steps
        keys = self.key(states)
        return keys + ops.cast(positional_encoding(middles, self.key.units), keys.dtype), self.value(states)

    def attention_weights(self, x, keys, positions):
        """Attention weights: (B, P, 256) and (B, M, 256) -> (B, P, M), rows summing to 1."""
        query = self.query(x)
        query = query + ops.cast(positional_encoding(positions, self.query.units), query.dtype)
        scores = ops.matmul(query, ops.transpose(keys, (0, 2, 1)))  # (B, P, 256) x (B, 256, M) -> (B, P, M)
        return ops.softmax(scores / self.query.units**0.5, axis=-1)

    def call(self, x, memory, positions):
        """``x`` (B, P, 256) are the decoder's LSTM outputs at the steps ``positions``, (P,). Returns (B, P, 256)."""
        keys, values = memory
        seen = ops.matmul(self.attention_weights(x, keys, positions), values)  # (B, P, M) x (B, M, 256) -> (B, P, 256)
        return self.join(ops.concatenate([x, seen], axis=-1))  # (B, P, 512) -> (B, P, 256)


class AttentiveDecoder(Decoder):
    """The thesis's decoder with attention between its LSTMs and its heads.

    The sub-sequences of a song stand side by side in the batch but attend to the same states, so for the attention the
    B * U rows become B again. ``memory`` is what ``project_memory`` returned for the B songs, ``positions``
    the steps of the song at which a song's rows are, in order.
    """

    def __init__(self, units=256, steps_at_once=1, noise=0.25, seed=0, **options):
        super().__init__(units, steps_at_once, noise, seed, **options)
        self.attention = Attention(units, name="attention")

    def build(self, vector_shape, states_shape):
        super().build(vector_shape)
        self.attention.build(states_shape)

    def project_memory(self, states):
        return self.attention.project_memory(states)

    def attend(self, x, memory, positions):
        """LSTM outputs joined with what they attend to: (B * U, S, 256) or (B * U, 256), of the same shape."""
        songs = ops.reshape(x, (-1, len(positions), x.shape[-1]))  # (B * U, S, 256) -> (B, U * S, 256)
        return ops.reshape(self.attention(songs, memory, positions=positions), ops.shape(x))

    def call(self, vector, drums, memory, positions, training=False):
        x = self.attend(self.lstm_outputs(vector, drums, training), memory, positions)  # (B * U, S, 256)
        return self.heads(self.noise(x, training=training))

    def step(self, previous, vector, states, memory, positions):
        x, states = self.lstm_step(previous, vector, states)  # (B * U, 256)
        return self.heads(self.attend(x, memory, positions)), states
