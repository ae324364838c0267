"""Variational autoencoder of two bars of drums (preset ``groove-vae``).

    drums -> GrooveEncoder -> z -> ZeroInputConductor (one vector a bar) -> Decoder -> drums

A small hierarchical VAE after MusicVAE (Roberts et al. 2018), on grooves as GrooVAE's (Gillick et al. 2019): hits,
velocities and offsets, without a band. z sampled from the prior, a standard Gaussian, decodes to a new groove; the line
between the z of two grooves decodes to grooves in between.

The decoder is the thesis's, so that its weights can be transferred there (thesis, 4.3). The differences from the
thesis's network (``network.thesis``):

- the conductor is MusicVAE's: z sets its initial state, and its inputs are zero, so it is not autoregressive;
- its sub-sequences are bars;
- the loss has the divergence summed over z, of which only what is above ``free_bits`` counts;
- in training, most of the previous step is hidden from the decoder (dropout), so that it depends on z.

Letters in the shape comments: B windows, T = 32 steps, U = 2 bars of S = 16 steps, Z dimensions of z, H units.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS
from drumlib.network.batches import balanced_sample, targets_for
from drumlib.network.layers import Decoder

N = len(DRUMS)


@dataclass(frozen=True)
class GrooveVAEPreset:
    """The hyperparameters of ``GrooveVAE``. MusicVAE's and GrooVAE's values are in brackets where they differ."""

    name: str = "groove-vae"
    encoder_units: int = 96  # in each direction (512)
    latent: int = 64  # dimensions of z (256)
    conductor_units: int = 256  # (1024, twice) as in the thesis, so that the decoder can be transferred
    decoder_units: int = 256  # of each of two LSTMs
    noise: float = 0.25  # (0) rate of the Gaussian dropout before the heads
    free_bits: float = 48.0  # (48) bits of divergence a window that do not count
    beta: float = 0.2  # (0.2) the weight of the divergence above
    history_dropout: float = 0.5  # (0.7, on all inputs) of the previous step, in training
    threshold: float = 0.35  # of the hits in decode: at 0.5 there are too few


class GrooveEncoder(keras.layers.Layer):
    """Bidirectional LSTM: two bars of drums to the mean and log-variance of z, (B, T, 27) -> 2 x (B, Z)."""

    def __init__(self, preset: GrooveVAEPreset, **options):
        super().__init__(**options)
        lstm = keras.layers.LSTM(preset.encoder_units, name="lstm")
        self.lstm = keras.layers.Bidirectional(lstm, name="lstm")
        self.mean = keras.layers.Dense(preset.latent, name="mean")
        self.log_var = keras.layers.Dense(preset.latent, name="log_var")

    def build(self, shape):
        self.lstm.build(shape)
        for head in (self.mean, self.log_var):
            head.build((None, 2 * self.lstm.forward_layer.units))

    def call(self, drums):
        x = self.lstm(drums)  # (B, T, 27) -> (B, 2H)
        return self.mean(x), ops.clip(self.log_var(x), -8.0, 4.0)  # 2 x (B, Z)


class ZeroInputConductor(keras.layers.Layer):
    """LSTM cell with z as its initial state and zeros as its inputs; one vector a bar: (B, Z) -> (B, U, H)."""

    def __init__(self, units: int, **options):
        super().__init__(**options)
        self.initial_state = keras.layers.Dense(2 * units, activation="tanh", name="initial_state")
        self.cell = keras.layers.LSTMCell(units, name="cell")

    def build(self, shape):
        self.initial_state.build(shape)
        self.cell.build((None, 1))

    def call(self, z, bars: int):
        h, c = ops.split(self.initial_state(z), 2, axis=-1)  # (B, Z) -> (B, 2H) -> 2 x (B, H)
        zero, state, vectors = ops.zeros_like(h[:, :1]), [h, c], []
        for _ in range(bars):
            x, state = self.cell(zero, state)  # (B, H)
            vectors.append(x)
        return ops.stack(vectors, axis=1)  # (B, U, H)


class GrooveVAE(keras.Model):
    """Variational autoencoder of grooves: two bars of drums to z, and z to two bars of drums.

    Calling it is teacher forcing: ``{"drums": (B, T, 27)}`` to hits, velocities and offsets, each (B, T, 9). In
    training, z is sampled from the posterior, and the divergence is added to the loss; otherwise z is the posterior
    mean. T is a multiple of 16; it was trained with 32.
    """

    def __init__(self, preset: GrooveVAEPreset = GrooveVAEPreset(), seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.encoder = GrooveEncoder(preset, name="encoder")
        self.conductor = ZeroInputConductor(preset.conductor_units, name="conductor")
        self.decoder = Decoder(preset.decoder_units, 1, preset.noise, seed, name="decoder")
        self.history_dropout = keras.layers.Dropout(preset.history_dropout, seed=seed + 1)
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
        # Bars do not depend on each other, so all of them stand side by side in the batch.
        vector = ops.reshape(vector, (batch * bars, self.conductor.cell.units))  # (B, U, H) -> (B * U, H)
        drums = ops.reshape(drums, (batch * bars, STEPS_PER_BAR, 3 * N))  # (B, T, 27) -> (B * U, S, 27)
        heads = self.decoder(
            vector, self.history_dropout(drums, training=training), training=training
        )  # 3 x (B * U, S, 9)
        return {name: ops.reshape(x, (batch, bars * STEPS_PER_BAR, N)) for name, x in heads.items()}

    def encode(self, drums: np.ndarray) -> np.ndarray:
        """The posterior means of grooves: (windows, T, 27) -> (windows, Z)."""
        return ops.convert_to_numpy(self.encoder(ops.convert_to_tensor(drums, "float32"))[0])

    def decode(self, z: np.ndarray, bars: int = 2, threshold: float | None = None, seed: int | None = None):
        """Free-running generation from z: (windows, Z) -> (windows, 16 * bars, 27).

        Hits are where probabilities exceed ``threshold`` (the preset's if None); with a ``seed``, they are sampled with
        these probabilities. Velocities and offsets are 0 where there is no hit.
        """
        if not len(z) * bars:
            return np.zeros((len(z), bars * STEPS_PER_BAR, 3 * N), "float32")
        vectors = self.conductor(ops.convert_to_tensor(z, "float32"), bars=bars)  # (B, U, H)
        vectors = ops.reshape(vectors, (-1, vectors.shape[-1]))  # (B, U, H) -> (B * U, H)
        sampler = HitSampler(self.preset.threshold if threshold is None else threshold, seed)
        heads = self.decoder.generate(vectors, STEPS_PER_BAR, sampler)  # 3 x (B * U, S, 9)
        notes = np.concatenate(list(heads.values()), axis=-1).astype("float32")  # (B * U, S, 27)
        return notes.reshape(len(z), bars * STEPS_PER_BAR, 3 * N)  # (B * U, S, 27) -> (B, T, 27)

    def sample(self, count: int, seed: int = 0, bars: int = 2) -> np.ndarray:
        """New grooves, (count, 16 * bars, 27): z sampled from the prior, then the hits sampled given z."""
        z = np.random.default_rng(seed).standard_normal((count, self.preset.latent)).astype("float32")
        return self.decode(z, bars, seed=seed)

    def interpolate(self, one: np.ndarray, other: np.ndarray, steps: int = 7) -> np.ndarray:
        """Linear interpolation in z between two grooves, each (T, 27): ``steps`` grooves.

        The first and the last are the reconstructions of the two grooves, not the grooves themselves.
        """
        ends = self.encode(np.stack([one, other]))  # (2, Z)
        share = np.linspace(0, 1, steps)[:, None]  # (steps, 1)
        z = ((1 - share) * ends[0] + share * ends[1]).astype("float32")  # (steps, Z)
        return self.decode(z, len(one) // STEPS_PER_BAR)


class HitSampler:
    """A sampler (see ``sampling.Sampler``) with a fixed threshold, or, with a seed, that samples hits."""

    def __init__(self, threshold: float, seed: int | None = None):
        self.threshold, self.rng = threshold, None if seed is None else np.random.default_rng(seed)

    def uniform(self, *shape: int) -> np.ndarray:
        return np.full(shape, self.threshold) if self.rng is None else self.rng.random(shape)

    def sample(self, heads: dict, uniform: np.ndarray) -> dict[str, np.ndarray]:
        hits, velocities, offsets = (ops.convert_to_numpy(x) for x in heads.values())  # 3 x (B, 9)
        hits = (hits > uniform).astype("float32")
        return {"hits": hits, "velocities": hits * velocities, "offsets": hits * np.clip(offsets, -0.5, 0.499)}


class GrooveBatches(keras.utils.PyDataset):
    """Batches of grooves, (windows, T, 27), as inputs and as targets. ``order`` are the numbers of the windows."""

    def __init__(self, grooves, batch=128, order=None):
        super().__init__()
        self.grooves, self.batch = grooves, batch
        self.order = np.arange(len(grooves)) if order is None else order

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch)

    def __getitem__(self, i: int):
        drums = np.asarray(self.grooves[self.order[i * self.batch : (i + 1) * self.batch]], dtype="float32")
        return {"drums": drums}, targets_for(drums, "masked")


def groove_batches(network, data, config, epoch=None, rng=None) -> GrooveBatches:
    """Batches of ``data.groove_dataset.TwoBarWindows``: with ``rng`` to train on, without to validate on."""
    order = None if rng is None else balanced_sample(data.performance, config.windows or len(data), rng)
    return GrooveBatches(data.grooves, config.batch, order)
