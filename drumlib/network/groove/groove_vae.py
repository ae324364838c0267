"""The network behind the preset ``groove-vae``: two bars of drums to one point in a space of grooves, and back.

    drums -> Summary -> z -> QuietConductor (one vector a bar) -> Decoder -> drums

A small hierarchical variational autoencoder after MusicVAE (Roberts et al. 2018), on grooves as GrooVAE's (Gillick et
al. 2019): hits, velocities and offsets. It needs no band. What it is good for is its z: draw one from the standard
Gaussian, and it is a groove that nobody played; go in a straight line from one groove to another, and every point on
the way is a groove.

The decoder is the thesis's, so that what it learns here can be transplanted there (thesis, 4.3). What differs from the
thesis's network (``network.models``), piece by piece:

- the conductor is MusicVAE's: z sets its first state, and its inputs are zero, so that it is not autoregressive;
- its sub-sequences are bars;
- the divergence is a sum over z, of which ``free_bits`` cost nothing; only what is above is held against the network;
- in training, what the decoder is told of the step before is mostly hidden from it (dropout), so that it asks z.

Letters in the shape comments: B windows, T = 32 steps, U = 2 bars of S = 16 steps, Z dimensions of z, H units.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS
from drumlib.network.layers import Decoder

N = len(DRUMS)


@dataclass(frozen=True)
class GrooveVAEPreset:
    """What a groove VAE is made of. MusicVAE's and GrooVAE's own numbers stand behind, where they differ."""

    name: str = "groove-vae"
    encoder_units: int = 96  # each way (512)
    latent: int = 64  # (256)
    conductor_units: int = 256  # (1024, twice) what the thesis's decoder is used to
    decoder_units: int = 256  # of each of two LSTMs
    noise: float = 0.25  # (0) Gaussian dropout before the heads, the thesis's
    free_bits: float = 48.0  # (48) a window of two bars has so many bits to tell, whoever tells it
    beta: float = 0.2  # (0.2) the weight of what is above
    history_dropout: float = (
        0.5  # (0.7, on all inputs) how much of the step before is hidden from the decoder in training
    )
    threshold: float = 0.35  # a drum is struck where its probability exceeds this: at 0.5 too few are
    clip: float | None = 1.0  # (1) gradients are no longer than this


class GrooveEncoder(keras.layers.Layer):
    """Hears two bars of drums, forward and backward, and says where in the space they lie: (B, T, 27) -> 2 x (B, Z)."""

    def __init__(self, preset: GrooveVAEPreset, **options):
        super().__init__(**options)
        self.both_ways = keras.layers.Bidirectional(
            keras.layers.LSTM(preset.encoder_units, name="lstm"), name="both_ways"
        )
        self.mean = keras.layers.Dense(preset.latent, name="mean")
        self.log_var = keras.layers.Dense(preset.latent, name="log_var")

    def build(self, shape):
        self.both_ways.build(shape)
        for head in (self.mean, self.log_var):
            head.build((None, 2 * self.both_ways.forward_layer.units))

    def call(self, drums):
        x = self.both_ways(drums)  # (B, T, 27) -> (B, 2H)
        return self.mean(x), ops.clip(self.log_var(x), -8.0, 4.0)  # 2 x (B, Z)


class ZeroInputConductor(keras.layers.Layer):
    """A conductor told nothing but z, which sets his state; one vector a bar comes out: (B, Z) -> (B, U, H)."""

    def __init__(self, units: int, **options):
        super().__init__(**options)
        self.first = keras.layers.Dense(2 * units, activation="tanh", name="first")
        self.cell = keras.layers.LSTMCell(units, name="cell")

    def build(self, shape):
        self.first.build(shape)
        self.cell.build((None, 1))

    def call(self, z, bars: int):
        h, c = ops.split(self.first(z), 2, axis=-1)  # (B, Z) -> (B, 2H) -> 2 x (B, H)
        nothing, state, vectors = ops.zeros_like(h[:, :1]), [h, c], []
        for _ in range(bars):
            x, state = self.cell(nothing, state)  # (B, H)
            vectors.append(x)
        return ops.stack(vectors, axis=1)  # (B, U, H)


class GrooveVAE(keras.Model):
    """Two bars of drums to z, and z to two bars of drums.

    Calling it is teacher forcing: ``{"drums": (B, T, 27)}`` to hits, velocities and offsets, each (B, T, 9). While
    training, z is drawn from the posterior, and the divergence is added to the loss; otherwise z is the mean.
    ``encode``, ``decode`` and ``between`` are for playing. T is a multiple of 16; it was trained with 32.
    """

    def __init__(self, preset: GrooveVAEPreset = GrooveVAEPreset(), seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.encoder = GrooveEncoder(preset, name="encoder")
        self.conductor = ZeroInputConductor(preset.conductor_units, name="conductor")
        self.decoder = Decoder(preset.decoder_units, N, preset.noise, seed, name="decoder")
        self.hide = keras.layers.Dropout(preset.history_dropout, seed=seed + 1)
        self.noise = keras.random.SeedGenerator(seed)
        self.encoder.build((None, None, 3 * N))
        self.conductor.build((None, preset.latent))
        self.decoder.build((None, preset.conductor_units))
        self.built = True

    def call(self, inputs, training=False):
        drums = ops.cast(inputs["drums"], "float32")
        batch, bars = ops.shape(drums)[0], drums.shape[1] // STEPS_PER_BAR
        mean, log_var = self.encoder(drums)  # 2 x (B, Z)
        z = mean
        if training:
            bits = ops.sum(ops.square(mean) + ops.exp(log_var) - log_var - 1, axis=-1) / 2 / np.log(2.0)  # (B,)
            above = ops.maximum(ops.mean(bits) - self.preset.free_bits, 0.0) * np.log(2.0)
            self.add_loss(self.preset.beta * above / drums.shape[1])
            z = mean + ops.exp(log_var / 2) * keras.random.normal(ops.shape(mean), seed=self.noise)
        vector = self.conductor(z, bars=bars)  # (B, U, H)
        # Bars do not need each other, so they stand side by side in the batch.
        vector = ops.reshape(vector, (batch * bars, self.conductor.cell.units))  # (B, U, H) -> (B * U, H)
        told = ops.reshape(drums, (batch * bars, STEPS_PER_BAR, 3 * N))  # (B, T, 27) -> (B * U, S, 27)
        heads = self.decoder(vector, self.hide(told, training=training), training=training)  # 3 x (B * U, S, 9)
        return {name: ops.reshape(x, (batch, bars * STEPS_PER_BAR, N)) for name, x in heads.items()}

    @staticmethod
    def losses_of() -> dict:
        """GrooVAE's losses: sums over a step, so over a window but for a factor, like the divergence."""
        return {"hits": bernoulli_loss, "velocities": masked_sum_squared_error, "offsets": masked_sum_squared_error}

    @staticmethod
    def batches_of(windows, plan, order=None, rng=None):
        """Batches of windows of two bars (``data.gmd.TwoBarWindows``), to train on or to validate on."""
        return GrooveBatches(windows.grooves, plan.batch, order)

    def encode(self, drums: np.ndarray) -> np.ndarray:
        """Where grooves (windows, T, 27) lie in the space: the means of their posteriors, (windows, Z)."""
        return ops.convert_to_numpy(self.encoder(ops.convert_to_tensor(drums, "float32"))[0])

    def decode(self, z: np.ndarray, bars: int = 2, threshold: float | None = None, seed: int | None = None):
        """Play what lies at these points, (windows, Z), on its own word: (windows, 16 * bars, 27).

        A drum is struck where its probability exceeds ``threshold``, the preset's if not given; with ``seed``, where
        chance, with that probability, will have it. Velocities and offsets are 0 where nothing is struck.
        """
        rng = None if seed is None else np.random.default_rng(seed)
        threshold = self.preset.threshold if threshold is None else threshold
        if not len(z) * bars:
            return np.zeros((len(z), bars * STEPS_PER_BAR, 3 * N), "float32")
        vectors = self.conductor(ops.convert_to_tensor(z, "float32"), bars=bars)  # (B, U, H)
        vector = ops.reshape(vectors, (-1, vectors.shape[-1]))  # (B, U, H) -> (B * U, H)
        states, played = self.decoder.start(vector), []
        before = np.zeros((len(z) * bars, 3 * N), dtype="float32")  # every bar begins as if after silence
        for _ in range(STEPS_PER_BAR):
            heads, states = self.decoder.step(before, vector, states)
            hits, velocities, offsets = (ops.convert_to_numpy(x) for x in heads.values())  # 3 x (B * U, 9)
            struck = hits > (threshold if rng is None else rng.random(hits.shape))
            offsets = np.clip(offsets, -0.5, 0.499)
            before = np.concatenate([struck, struck * velocities, struck * offsets], axis=-1).astype("float32")
            played.append(before)
        return np.stack(played, axis=1).reshape(len(z), bars * STEPS_PER_BAR, 3 * N)  # (B * U, S, 27) -> (B, T, 27)

    def sample(self, count: int, seed: int = 0, bars: int = 2) -> np.ndarray:
        """Grooves that nobody played, (count, 16 * bars, 27): z is drawn from the standard Gaussian, and then each
        stroke, with the probability that z gives it. (Cut instead, many places agree on what is likeliest there.)
        """
        z = np.random.default_rng(seed).standard_normal((count, self.preset.latent)).astype("float32")
        return self.decode(z, bars, seed=seed)

    def between(self, one: np.ndarray, other: np.ndarray, steps: int = 7) -> np.ndarray:
        """A straight way from one groove to another, each (T, 27): ``steps`` grooves, both ends included.

        Both ends are what the network makes of the two grooves, not the grooves themselves.
        """
        ends = self.encode(np.stack([one, other]))  # (2, Z)
        share = np.linspace(0, 1, steps)[:, None]  # (steps, 1)
        z = ((1 - share) * ends[0] + share * ends[1]).astype("float32")  # (steps, Z)
        return self.decode(z, len(one) // STEPS_PER_BAR)


def bernoulli_loss(truth, answer):
    """The log loss on hits, summed over a step's nine drums, averaged over steps and windows (in nats a step)."""
    p = ops.clip(answer, 1e-6, 1 - 1e-6)
    return -ops.mean(ops.sum(truth * ops.log(p) + (1 - truth) * ops.log(1 - p), axis=-1))


def masked_sum_squared_error(truth_and_hits, answer):
    """The squared error of velocities or offsets over played notes only, summed over a step, averaged over steps.

    ``truth_and_hits`` has the true values and, beside them, the hits: (B, T, 18).
    """
    truth, struck = ops.split(truth_and_hits, 2, axis=-1)  # (B, T, 18) -> 2 x (B, T, 9)
    return ops.mean(ops.sum(struck * ops.square(truth - answer), axis=-1))


class GrooveBatches(keras.utils.PyDataset):
    """Batches of grooves, (windows, T, 27), to be said again by the network. ``order`` says which, in which order."""

    def __init__(self, grooves, batch=128, order=None):
        super().__init__()
        self.grooves, self.batch = grooves, batch
        self.order = np.arange(len(grooves)) if order is None else order

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch)

    def __getitem__(self, i: int):
        drums = np.asarray(self.grooves[self.order[i * self.batch : (i + 1) * self.batch]], dtype="float32")
        hits, velocities, offsets = np.split(drums, 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
        targets = {"hits": hits}
        targets |= {n: np.concatenate([x, hits], -1) for n, x in (("velocities", velocities), ("offsets", offsets))}
        return {"drums": drums}, targets
