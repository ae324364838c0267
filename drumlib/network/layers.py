"""The four layers of the thesis's network (4.2), in the order in which a song passes through them.

    piano, guitar, bass -> Encoder (one each) -> Bottleneck -> z -> Conductor -> Decoder -> drums

Each is a small Keras layer made of Keras's own. Other presets arrange the same four; two need one more idea, in
``attention.py`` and ``pooling.py``. Letters in the shape comments: B songs or windows in a batch, T steps, M moments
(half bars, M = T/8 - 1), U sub-sequences of S steps each (U * S = T).
"""

import math

import keras
from keras import ops

from drumlib.network.fast_lstm import LSTM


class Encoder(keras.layers.Layer):
    """Hears one instrument: two convolutions, then a bidirectional LSTM whose last states are the summary.

    The convolutions are linear, as in the thesis: the first looks at one beat at a time, the second at four beats, in
    hops of two. 448,672 parameters. The thesis would have liked LSTMs on top of each other here (5.4): ``stacked``
    says how many, and every one but the uppermost hands on what it heard at each moment. Or it would have them in
    floors: with ``section``, the lower of two reads so many moments and hands on one summary of them, then the next.
    """

    def __init__(self, filters=(32, 64), units=200, stacked=1, section=0, **options):
        super().__init__(**options)
        self.section = section
        self.beat = keras.layers.Conv1D(filters[0], kernel_size=4, strides=4, name="beat")
        self.bar = keras.layers.Conv1D(filters[1], kernel_size=4, strides=2, name="bar")
        self.below = [self.both_ways(units, f"below_{i}") for i in range(stacked - 1)]
        self.memory = self.both_ways(units, "memory")

    @staticmethod
    def both_ways(units, name):
        return keras.layers.Bidirectional(LSTM(units, return_sequences=True, name="lstm"), name=name)

    def build(self, shape):
        self.beat.build(shape)
        self.bar.build((None, None, self.beat.filters))
        width = self.bar.filters
        for lstm in (*self.below, self.memory):
            lstm.build((None, None, width))
            width = 2 * lstm.forward_layer.units

    def convolve(self, roll):
        x = self.beat(roll)  # (B, T, 128) -> (B, T/4, 32)
        return self.bar(x)  # (B, T/4, 32) -> (B, T/8 - 1, 64)

    def recurrent_states(self, x):
        if self.section:
            return self.memory(self.sections(x))  # (B, M, 64) -> (B, M / section, 400)
        for lstm in self.below:
            x = lstm(x)  # (B, M, 64 or 400) -> (B, M, 400)
        return self.memory(x)  # (B, M, 64 or 400) -> (B, M, 400)

    def sections(self, x):
        """The lower LSTM's summary of each section: (B, M, 64) -> (B, M / section, 400). Zeros fill up the last one."""
        x = ops.pad(x, ((0, 0), (0, -x.shape[1] % self.section), (0, 0)))  # (B, 15, 64) -> (B, 16, 64)
        apart = ops.reshape(x, (-1, self.section, x.shape[-1]))  # (B, 16, 64) -> (B * 4, 4, 64)
        read = last_states(self.below[0](apart))  # (B * 4, 4, 64) -> (B * 4, 400)
        return ops.reshape(read, (-1, x.shape[1] // self.section, read.shape[-1]))  # (B * 4, 400) -> (B, 4, 400)

    def encoder_states(self, roll):
        """What was heard, moment by moment: (B, T, 128) -> (B, M, 400). Moment m is about the steps 8m to 8m + 15.

        With ``section``, there are not M moments but one for each section.
        """
        return self.recurrent_states(self.convolve(roll))

    def call(self, roll):
        return last_states(self.encoder_states(roll))  # (B, M, 400) -> (B, 400)


def last_states(moments):
    """What each of the two readers says when it is done: the one forward at the end, the other at the beginning."""
    forward, backward = ops.split(moments, 2, axis=-1)  # (B, M, 400) -> 2 x (B, M, 200)
    return ops.concatenate([forward[:, -1], backward[:, 0]], axis=-1)  # (B, 400)


class Bottleneck(keras.layers.Layer):
    """The variational information bottleneck: all that was heard, squeezed into one Gaussian of 256 dimensions.

    While training, z is drawn from that Gaussian (the posterior), and the layer adds the Kullback-Leibler divergence
    from a standard Gaussian to the loss: ``-0.5 mean(1 + log_var - mean^2 - exp(log_var))``. Otherwise z is the mean
    of the posterior, unless ``sample``, a seed, asks for a draw. With ``free_bits``, so much of what z says of a
    window costs nothing, and only what is above is held against it (Kingma et al. 2016); the thesis has none.
    857,012 parameters, with the layer that merges. (Alemi et al. 2017; thesis, 2.5 and 4.2.)
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

    def posterior(self, heard):
        """The mean and the log-variance of z, each (B, 256)."""
        x = self.merge(heard)  # (B, 3 * 400) -> (B, 500)
        # In mixed precision too, what is drawn and what it costs is reckoned in full.
        return ops.cast(self.mean(x), "float32"), ops.cast(self.log_var(x), "float32")  # 2 x (B, 256)

    def call(self, heard, training=False, sample=None):
        mean, log_var = self.posterior(heard)
        if training:
            kl = -0.5 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var))  # nats, of each dimension of z
            if self.free_bits:
                kl = ops.maximum(kl - self.free_bits * math.log(2) / self.mean.units, 0.0)
            self.add_loss(self.kl_weight * kl)
        if training or sample is not None:
            seed = self.noise if training else sample
            return mean + ops.exp(log_var / 2) * keras.random.normal(ops.shape(mean), seed=seed)
        return mean


class Conductor(keras.layers.Layer):
    """Plans the song: one vector for each sub-sequence, from z alone.

    One LSTM cell. Its first input is z, every later one its own output before: the thesis's conductor is
    autoregressive, MusicVAE's is not (Roberts et al. 2018). 525,312 parameters. It can as well conduct a phrase, from
    the vector that another conductor has made for it.
    """

    def __init__(self, units=256, **options):
        super().__init__(**options)
        self.cell = keras.layers.LSTMCell(units, name="cell")

    def build(self, shape):
        self.cell.build(shape)

    def call(self, z, subsequences):
        x, zero = z, ops.zeros((ops.shape(z)[0], self.cell.units))
        state, plan = [zero, zero], []
        for _ in range(subsequences):
            x, state = self.cell(x, state)  # (B, 256)
            plan.append(x)
        return ops.stack(plan, axis=1)  # (B, U, 256)


class Decoder(keras.layers.Layer):
    """Plays: two stacked LSTMs that turn one conductor vector into one sub-sequence of drums, step by step.

    The conductor vector sets the first LSTM's state (the second starts from zero) and stands beside every input; the
    other input is the drum step before. A sub-sequence begins as if after silence, whatever came before it: that
    binds it to the conductor, and lets all sub-sequences of a song be played side by side.
    State embedding 131,584 parameters; LSTMs and heads 1,085,211.

    ``drums`` is how many values each head says in one go: 9, or 9 for each of several steps.
    """

    def __init__(self, units=256, drums=9, noise=0.25, seed=0, **options):
        super().__init__(**options)
        self.drums = drums
        self.embedding = keras.layers.Dense(2 * units, activation="tanh", name="embedding")
        self.lower = LSTM(units, return_sequences=True, name="lower")
        self.upper = LSTM(units, return_sequences=True, name="upper")
        self.noise = keras.layers.GaussianDropout(noise, seed=seed)
        self.hits = keras.layers.Dense(drums, activation="sigmoid", name="hits")
        self.velocities = keras.layers.Dense(drums, activation="sigmoid", name="velocities")
        self.offsets = keras.layers.Dense(drums, activation="tanh", name="offsets")

    def build(self, plan_shape):
        units, vector = self.lower.units, plan_shape[-1]
        self.embedding.build((None, vector))
        self.lower.build((None, None, 3 * self.drums + vector))
        self.upper.build((None, None, units))
        for head in (self.hits, self.velocities, self.offsets):
            head.build((None, None, units))

    def start(self, vector):
        """The states with which a sub-sequence begins: (h, c) of the lower and of the upper LSTM, each (B, 256)."""
        h, c = ops.split(self.embedding(vector), 2, axis=-1)  # (B, 256) -> (B, 512) -> 2 x (B, 256)
        return [h, c], [ops.zeros_like(h), ops.zeros_like(c)]

    def heads(self, x):
        """What is played: hits (probabilities), velocities and offsets, each (..., 9)."""
        return {"hits": self.hits(x), "velocities": self.velocities(x), "offsets": self.offsets(x)}

    def call(self, vector, drums, training=False):
        """Teacher forcing: whole sub-sequences at once, each step told the true step before it.

        ``vector`` is (B, 256), ``drums`` the true sub-sequence (B, S, 27). Returns the three heads, each (B, S, 9).
        """
        x = self.follow(vector, drums, training)  # (B, S, 256)
        return self.heads(self.noise(x, training=training))

    def follow(self, vector, drums, training=False):
        """The upper LSTM's outputs under teacher forcing, (B, S, 256)."""
        before = ops.pad(drums[:, :-1], ((0, 0), (1, 0), (0, 0)))  # (B, S, 27): the step before, silence at first
        lower, upper = self.start(vector)
        x = self.lower(before, initial_state=lower, beside=vector, training=training)  # (B, S, 27 + 256) -> (B, S, 256)
        return self.upper(x, initial_state=upper, training=training)  # (B, S, 256)

    def step(self, before, vector, states):
        """One step: ``before`` (B, 27) and ``vector`` (B, 256) to the three heads, each (B, 9), and the new states."""
        x, states = self.advance(before, vector, states)  # (B, 256)
        return self.heads(x), states

    def advance(self, before, vector, states):
        """The upper LSTM's output at one step, (B, 256), and the new states."""
        lower, upper = states
        x = ops.concatenate([before, vector], axis=-1)  # (B, 27 + 256)
        x, lower = self.lower.cell(x, lower)  # (B, 283) -> (B, 256)
        x, upper = self.upper.cell(x, upper)  # (B, 256)
        return x, (lower, upper)
