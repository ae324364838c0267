"""The four layers of the thesis's network (4.2), in the order of the forward pass.

    piano, guitar, bass -> Encoder (one each) -> Bottleneck -> z -> Conductor -> Decoder -> drums

Each is a Keras layer made of Keras's own layers. Letters in the shape comments: B songs or windows in a batch, T steps,
M encoder states (half a bar apart, M = T/8 - 1), U sub-sequences of S steps each (U * S = T).
"""

import math

import keras
import numpy as np
from keras import ops

from drumlib.music.kit import DRUMS
from drumlib.network.fast_lstm import LSTM


class Encoder(keras.layers.Layer):
    """Encoder of one instrument: two strided convolutions, then a bidirectional LSTM; (B, T, 128) -> (B, 400).

    The convolutions are linear, as in the thesis: ``beat`` has kernel and stride of one beat, ``bar`` has a kernel of
    four beats and a stride of two. The summary is the LSTM's last state in each direction. 448,672 parameters.
    ``stacked`` is the number of bidirectional LSTMs (thesis, 5.4): each but the last hands on its states.
    """

    def __init__(self, filters=(32, 64), units=200, stacked=1, **options):
        super().__init__(**options)
        self.beat = keras.layers.Conv1D(filters[0], kernel_size=4, strides=4, name="beat")
        self.bar = keras.layers.Conv1D(filters[1], kernel_size=4, strides=2, name="bar")
        self.lower_lstms = [self.bidirectional(units, f"lower_lstm_{i}") for i in range(stacked - 1)]
        self.lstm = self.bidirectional(units, "lstm")

    @staticmethod
    def bidirectional(units, name):
        return keras.layers.Bidirectional(LSTM(units, return_sequences=True, name="lstm"), name=name)

    def build(self, shape):
        self.beat.build(shape)
        self.bar.build((None, None, self.beat.filters))
        width = self.bar.filters
        for lstm in (*self.lower_lstms, self.lstm):
            lstm.build((None, None, width))
            width = 2 * lstm.forward_layer.units

    def convolve(self, roll):
        x = self.beat(roll)  # (B, T, 128) -> (B, T/4, 32)
        return self.bar(x)  # (B, T/4, 32) -> (B, M, 64)

    def recurrent_states(self, x):
        for lstm in self.lower_lstms:
            x = lstm(x)  # (B, M, 64 or 400) -> (B, M, 400)
        return self.lstm(x)  # (B, M, 64 or 400) -> (B, M, 400)

    def encoder_states(self, roll):
        """The LSTM's states, half a bar apart: (B, T, 128) -> (B, M, 400). State m covers the steps 8m to 8m + 15."""
        return self.recurrent_states(self.convolve(roll))

    def call(self, roll):
        return last_states(self.encoder_states(roll))  # (B, M, 400) -> (B, 400)


def last_states(states):
    """The last state in each direction of a bidirectional LSTM: (B, M, 2H) -> (B, 2H).

    The forward LSTM ends at the last position, the backward LSTM at the first.
    """
    forward, backward = ops.split(states, 2, axis=-1)  # (B, M, 400) -> 2 x (B, M, 200)
    return ops.concatenate([forward[:, -1], backward[:, 0]], axis=-1)  # (B, 400)


class Bottleneck(keras.layers.Layer):
    """Variational information bottleneck: an approximate posterior over z, a Gaussian with 256 independent dimensions.

    In training, z is sampled from the posterior, and the layer adds ``kl_weight`` times its Kullback-Leibler
    divergence from the prior, a standard Gaussian, to the loss: ``-0.5 mean(1 + log_var - mean^2 - exp(log_var))``.
    Otherwise z is the posterior mean, or a sample with the seed ``z_seed``. With ``free_bits``, only the divergence
    above so many bits a window counts (Kingma et al. 2016); the thesis has none. 857,012 parameters, with the layer
    ``merge``. (Alemi et al. 2017; thesis, 2.5 and 4.2.)
    """

    def __init__(self, merged=500, latent=256, kl_weight=1.0, free_bits=0.0, seed=0, **options):
        super().__init__(**options)
        self.kl_weight, self.free_bits = kl_weight, free_bits
        self.merge = keras.layers.Dense(merged, activation="tanh", name="merge")
        self.mean = keras.layers.Dense(latent, name="mean")
        self.log_var = keras.layers.Dense(latent, name="log_var")
        self.noise = keras.random.SeedGenerator(seed)

    def build(self, shape):
        self.merge.build(shape)
        self.mean.build((None, self.merge.units))
        self.log_var.build((None, self.merge.units))

    def posterior(self, encoded):
        """The mean and the log-variance of z, each (B, 256)."""
        x = self.merge(encoded)  # (B, 3 * 400) -> (B, 500)
        # z and its divergence are computed in float32 in mixed precision too.
        return ops.cast(self.mean(x), "float32"), ops.cast(self.log_var(x), "float32")  # 2 x (B, 256)

    def call(self, encoded, training=False, z_seed=None):
        mean, log_var = self.posterior(encoded)
        if training:
            kl = -0.5 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var))  # nats, of each dimension of z
            if self.free_bits:
                kl = ops.maximum(kl - self.free_bits * math.log(2) / self.mean.units, 0.0)
            self.add_loss(self.kl_weight * kl)
        if training or z_seed is not None:
            seed = self.noise if training else z_seed
            return mean + ops.exp(log_var / 2) * keras.random.normal(ops.shape(mean), seed=seed)
        return mean


class Conductor(keras.layers.Layer):
    """Autoregressive LSTM cell that makes one vector for each sub-sequence of z: (B, 256) -> (B, U, 256).

    Its first input is z, every later one its own output before. (MusicVAE's conductor is not autoregressive: Roberts
    et al. 2018.) 525,312 parameters.
    """

    def __init__(self, units=256, **options):
        super().__init__(**options)
        self.cell = keras.layers.LSTMCell(units, name="cell")

    def build(self, shape):
        self.cell.build(shape)

    def call(self, z, subsequences):
        x, zero = z, ops.zeros((ops.shape(z)[0], self.cell.units))
        state, vectors = [zero, zero], []
        for _ in range(subsequences):
            x, state = self.cell(x, state)  # (B, 256)
            vectors.append(x)
        return ops.stack(vectors, axis=1)  # (B, U, 256)


class Decoder(keras.layers.Layer):
    """Autoregressive decoder: two stacked LSTMs and three heads, from a conductor vector to one sub-sequence.

    The conductor vector sets the first LSTM's state (the second starts from zero) and is concatenated to every input;
    the other input is the previous drum step. The first step of a sub-sequence gets zeros as its previous step: so
    sub-sequences depend on each other only through the conductor, and all of a song's are decoded in parallel.
    State embedding 131,584 parameters; LSTMs and heads 1,085,211.

    ``steps_at_once`` is the number of grid steps that one step of the LSTMs reads and predicts (1 in the thesis).
    """

    def __init__(self, units=256, steps_at_once=1, noise=0.25, seed=0, **options):
        super().__init__(**options)
        self.steps_at_once = steps_at_once
        self.embedding = keras.layers.Dense(2 * units, activation="tanh", name="embedding")
        self.lower = LSTM(units, return_sequences=True, name="lower")
        self.upper = LSTM(units, return_sequences=True, name="upper")
        self.noise = keras.layers.GaussianDropout(noise, seed=seed)
        cells = steps_at_once * len(DRUMS)
        self.hits = keras.layers.Dense(cells, activation="sigmoid", name="hits")
        self.velocities = keras.layers.Dense(cells, activation="sigmoid", name="velocities")
        self.offsets = keras.layers.Dense(cells, activation="tanh", name="offsets")

    def build(self, vector_shape):
        units, vector = self.lower.units, vector_shape[-1]
        self.embedding.build((None, vector))
        self.lower.build((None, None, 3 * self.hits.units + vector))
        self.upper.build((None, None, units))
        for head in (self.hits, self.velocities, self.offsets):
            head.build((None, None, units))

    def start(self, vector):
        """The initial states of the two LSTMs, (h, c) of each: (B, 256) -> 2 x 2 x (B, 256)."""
        h, c = ops.split(self.embedding(vector), 2, axis=-1)  # (B, 256) -> (B, 512) -> 2 x (B, 256)
        return [h, c], [ops.zeros_like(h), ops.zeros_like(c)]

    def heads(self, x):
        """The outputs: hits (probabilities), velocities and offsets, each (..., 9)."""
        return {"hits": self.hits(x), "velocities": self.velocities(x), "offsets": self.offsets(x)}

    def call(self, vector, drums, training=False):
        """Teacher forcing: ``vector`` (B, 256) and the true ``drums`` (B, S, 27) -> three heads, each (B, S, 9)."""
        x = self.lstm_outputs(vector, drums, training)  # (B, S, 256)
        return self.heads(self.noise(x, training=training))

    def lstm_outputs(self, vector, drums, training=False):
        """The upper LSTM's outputs under teacher forcing: (B, S, 256)."""
        previous = ops.pad(drums[:, :-1], ((0, 0), (1, 0), (0, 0)))  # (B, S, 27): the previous steps, zeros at first
        lower, upper = self.start(vector)
        x = self.lower(previous, initial_state=lower, context=vector, training=training)  # (B, S, 283) -> (B, S, 256)
        return self.upper(x, initial_state=upper, training=training)  # (B, S, 256)

    def step(self, previous, vector, states):
        """One step of generation: ``previous`` (B, 27) and ``vector`` (B, 256) -> three heads (B, 9), new states."""
        x, states = self.lstm_step(previous, vector, states)  # (B, 256)
        return self.heads(x), states

    def lstm_step(self, previous, vector, states):
        """The upper LSTM's output at one step, (B, 256), and the new states."""
        lower, upper = states
        x = ops.concatenate([previous, vector], axis=-1)  # (B, 27 + 256)
        x, lower = self.lower.cell(x, lower)  # (B, 283) -> (B, 256)
        x, upper = self.upper.cell(x, upper)  # (B, 256)
        return x, (lower, upper)

    def generate(self, vector, steps, sampler=None, **context):
        """Free-running generation: ``vector`` (B, 256) -> three arrays (B, steps, 9). Each step is fed the step before.

        A ``sampler`` turns the heads of a step into notes, which are returned and fed back; without one, the heads
        themselves are. ``context`` are functions of the step number that give further arguments of ``step``.
        """
        states, outputs = self.start(vector), []
        previous = ops.zeros((vector.shape[0], 3 * self.hits.units))  # (B, 27): as if after silence
        for step in range(0, steps, self.steps_at_once):
            more = {name: at(step) for name, at in context.items()}
            heads, states = self.step(previous, vector, states, **more)  # 3 x (B, 9), or 9 for each of several steps
            heads = {name: ops.reshape(x, (-1, self.steps_at_once, len(DRUMS))) for name, x in heads.items()}
            for i in range(self.steps_at_once):
                now = {name: x[:, i] for name, x in heads.items()}  # 3 x (B, 9)
                outputs.append(sampler.sample(now, sampler.uniform(*now["hits"].shape)) if sampler else now)
            fed_back = [ops.concatenate(list(now.values()), axis=-1) for now in outputs[-self.steps_at_once :]]
            previous = ops.concatenate(fed_back, axis=-1)  # (B, 27), or 27 for each of several steps
        return {name: np.stack([ops.convert_to_numpy(now[name]) for now in outputs], axis=1) for name in outputs[0]}
