"""Humanizer: from which drums are hit to the distributions of velocity and timing (preset ``humanize``).

    hits, tempo -> HitsEncoder -> (a bottleneck) -> ExpressionDecoder -> histograms of velocity and offset in each cell

This is GrooVAE's task (Gillick et al. 2019). Their network predicts one number for each note, trained with squared
error: the conditional mean, whose error is small and which varies less than real drummers do. This one predicts a
*distribution*, as a histogram: 40 bins of offset, 32 of velocity. From it one can take the median (a small error) or a
sample (a real drummer's spread); ``inference.histograms`` reads them out.

A field of the preset chooses between two forms:

- ``seq2seq``: the decoder reads the encoder's output at each step;
- ``bottleneck``: one z for the two bars (the thesis's idea), and the decoder reads z and the step, never the hits.

Letters in the shape comments: B windows, T steps, H units, Z dimensions of z, K bins.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.inference.histograms import RANGES, bin_edges
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS
from drumlib.network.batches import balanced_sample, with_hits
from drumlib.network.layers import Bottleneck, last_states
from drumlib.network.steps import step_of_bar

N = len(DRUMS)
REFERENCE_STEP_MS = 125.0
"""How long a step lasts at 120 beats a minute, the reference of the tempo input."""


@dataclass(frozen=True)
class HumanizerPreset:
    """The hyperparameters of ``Humanizer``."""

    name: str = "humanize"
    form: str = "seq2seq"  # or "bottleneck"
    tempo: bool = True  # whether the tempo is an input; in GrooVAE it was not
    units: int = 256  # of the encoder, in each direction, and of the decoder
    latent: int = 64  # dimensions of z, in the form with a bottleneck
    velocity_bins: int = 32  # each 4 MIDI velocities wide
    offset_bins: int = 40  # each a fortieth of a step wide: 3 ms at 120 beats a minute
    dropout: float = 0.5  # the data are ten drummers, and many windows of each

    def __post_init__(self):
        if self.form not in ("seq2seq", "bottleneck"):
            raise ValueError(f"no form {self.form!r}: there is seq2seq, bottleneck")


HUMANIZERS = (
    HumanizerPreset(),
    # As in the paper: no tempo, which is not known where only hits are given.
    HumanizerPreset("humanize-untold", tempo=False),
    # The thesis's idea, in GrooVAE's task: everything passes through one z.
    HumanizerPreset("humanize-bottleneck", form="bottleneck"),
)

TEMPO_JITTER = 0.15
"""The standard deviation of the noise on the tempo in training, in octaves."""


class HitsEncoder(keras.layers.Layer):
    """Bidirectional LSTM over hits and tempo: (B, T, 9), (B,) -> (B, T, 2H)."""

    def __init__(self, preset: HumanizerPreset, seed: int = 0, **options):
        super().__init__(**options)
        self.tempo = preset.tempo
        lstm = keras.layers.LSTM(preset.units, return_sequences=True, name="lstm")
        self.lstm = keras.layers.Bidirectional(lstm, name="lstm")
        self.dropout = keras.layers.Dropout(preset.dropout, seed=seed)

    def build(self, shape):
        self.lstm.build((None, None, N + STEPS_PER_BAR + self.tempo))

    def call(self, hits, step_ms, training=False):
        parts = [hits, step_of_bar(hits)]  # (B, T, 9), (B, T, 16)
        if self.tempo:
            octaves = ops.log(ops.cast(step_ms, "float32") / REFERENCE_STEP_MS) / np.log(2.0)  # (B,): slower is more
            parts.append(ops.ones_like(hits[..., :1]) * octaves[:, None, None])  # (B, T, 1)
        x = self.lstm(ops.concatenate(parts, axis=-1))  # (B, T, 26) -> (B, T, 2H)
        return self.dropout(x, training=training)


class ExpressionDecoder(keras.layers.Layer):
    """From encoded hits to histograms of velocity and offset: (B, T, 2H) -> two sets of logits (B, T, 9, K)."""

    def __init__(self, preset: HumanizerPreset, seed: int = 0, **options):
        super().__init__(**options)
        self.bins = {"velocities": preset.velocity_bins, "offsets": preset.offset_bins}
        self.lstm = keras.layers.LSTM(preset.units, return_sequences=True, name="lstm")
        self.dropout = keras.layers.Dropout(preset.dropout, seed=seed + 1)
        self.velocities = keras.layers.Dense(N * preset.velocity_bins, name="velocities")
        self.offsets = keras.layers.Dense(N * preset.offset_bins, name="offsets")

    def build(self, shape):
        self.lstm.build(shape)
        for head in (self.velocities, self.offsets):
            head.build((None, None, self.lstm.units + shape[-1]))

    def call(self, encoded, training=False):
        x = self.dropout(self.lstm(encoded), training=training)  # (B, T, 2H) -> (B, T, H)
        x = ops.concatenate([x, encoded], axis=-1)  # (B, T, 3H): a skip connection
        heads = {"velocities": self.velocities(x), "offsets": self.offsets(x)}  # (B, T, 9 * K)
        batch, length = ops.shape(x)[:2]
        return {name: ops.reshape(x, (batch, length, N, self.bins[name])) for name, x in heads.items()}  # (B, T, 9, K)


class Humanizer(keras.Model):
    """From two bars of hits to the distributions of velocity and offset in every cell, given a hit there.

    Input is a dictionary: ``hits``, (B, T, 9), and ``step_ms``, (B,), the length of a step in milliseconds. Output is
    a dictionary of logits: ``velocities`` (B, T, 9, 32) and ``offsets`` (B, T, 9, 40), for each bin (``bin_edges``).
    """

    def __init__(self, preset: HumanizerPreset = HumanizerPreset(), seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.encoder = HitsEncoder(preset, seed, name="encoder")
        width = 2 * preset.units
        if preset.form == "bottleneck":
            self.bottleneck = Bottleneck(width, preset.latent, seed=seed, name="bottleneck")
            self.bottleneck.build((None, width))
            width = preset.latent + 2 * STEPS_PER_BAR
        self.decoder = ExpressionDecoder(preset, seed, name="decoder")
        self.encoder.build((None, None, N))
        self.decoder.build((None, None, width))
        self.built = True

    def call(self, inputs, training=False):
        hits = ops.cast(inputs["hits"], "float32")
        encoded = self.encoder(hits, inputs["step_ms"], training=training)  # (B, T, 2H)
        if self.preset.form == "bottleneck":
            z = self.bottleneck(last_states(encoded), training=training)  # (B, T, 2H) -> (B, 2H) -> (B, Z)
            z = ops.ones_like(hits[..., :1]) * z[:, None]  # (B, T, Z)
            encoded = ops.concatenate([z, step_of_bar(hits, 2 * STEPS_PER_BAR)], axis=-1)  # (B, T, Z + 32)
        return self.decoder(encoded, training=training)

    def histograms(self, hits: np.ndarray, step_ms: np.ndarray, batch: int = 256) -> dict[str, np.ndarray]:
        """The distributions of many windows: ``velocities`` and ``offsets``, (windows, T, 9, K), each summing to 1.

        ``hits`` is (windows, T, 9), ``step_ms`` (windows,).
        """
        found = {name: [] for name in RANGES}
        for first in range(0, len(hits), batch):
            some = slice(first, first + batch)
            heads = self({"hits": np.asarray(hits[some]), "step_ms": np.asarray(step_ms[some], dtype="float32")})
            for name, logits in heads.items():
                found[name].append(ops.convert_to_numpy(ops.softmax(logits)))
        bins = self.decoder.bins
        empty = {name: np.zeros((0, *np.shape(hits)[1:], count), "float32") for name, count in bins.items()}
        return {name: np.concatenate([empty[name], *parts]) for name, parts in found.items()}


def crps_loss(name: str, scale: float = 10.0):
    """The continuous ranked probability score of histograms of ``name``, averaged over hits, times ``scale``.

    ``CRPS = integral of (F(x) - [x >= truth])^2 dx``, with F the histogram's cumulative distribution: a proper scoring
    rule (Gneiting and Raftery 2007) that, unlike cross-entropy, knows that bins have an order. In the units of what is
    measured. The loss takes the true values with the hits beside them, (B, T, 18), and logits, (B, T, 9, K).
    """
    low, high = RANGES[name]

    def loss(truth_and_hits, logits):
        truth, hits = ops.split(ops.cast(truth_and_hits, "float32"), 2, axis=-1)  # 2 x (B, T, 9)
        bins = logits.shape[-1]
        right = ops.convert_to_tensor(bin_edges(name, bins)[1:], "float32")  # (K,): where each bin ends
        step = ops.cast(truth[..., None] < right, "float32")  # (B, T, 9, K)
        gap = ops.sum(ops.square(ops.cumsum(ops.softmax(logits), axis=-1) - step), axis=-1)  # (B, T, 9)
        area = gap * (high - low) / bins
        return scale * ops.sum(hits * area) / ops.maximum(ops.sum(hits), 1.0)

    loss.__name__ = f"crps_{name}"
    return loss


class HumanizerBatches(keras.utils.PyDataset):
    """Batches of hits and tempo, with the velocities and offsets that were played as targets.

    ``grooves`` is (windows, T, 27), ``step_ms`` (windows,), ``order`` the numbers of the windows. With ``rng``, windows
    are augmented: every drum is removed with the probability ``drum_dropout``, and the tempo gets noise of
    ``tempo_jitter`` octaves, because the exact tempo identifies the performance, which the network would memorise.
    """

    def __init__(self, grooves, step_ms, batch=128, order=None, rng=None, drum_dropout=0.0, tempo_jitter=0.0):
        super().__init__()
        self.grooves, self.step_ms, self.batch = grooves, np.asarray(step_ms, dtype="float32"), batch
        self.order = np.arange(len(grooves)) if order is None else order
        self.rng, self.drum_dropout, self.tempo_jitter = rng, drum_dropout, tempo_jitter

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch)

    def __getitem__(self, i: int):
        numbers = self.order[i * self.batch : (i + 1) * self.batch]
        hits, velocities, offsets = np.split(self.grooves[numbers], 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
        step_ms = self.step_ms[numbers]
        if self.rng is not None:
            step_ms = step_ms * 2 ** (self.tempo_jitter * self.rng.standard_normal(len(numbers))).astype("float32")
            hits = hits * (self.rng.random((len(numbers), 1, N)) >= self.drum_dropout).astype("float32")
        targets = {"velocities": with_hits(velocities, hits), "offsets": with_hits(offsets, hits)}  # 2 x (B, T, 18)
        return {"hits": hits, "step_ms": step_ms}, targets


def humanizer_batches(network, data, config, epoch=None, rng=None) -> HumanizerBatches:
    """Batches of ``data.groove_dataset.TwoBarWindows``: with ``rng`` to train on, without to validate on."""
    order = None if rng is None else balanced_sample(data.performance, config.windows or len(data), rng)
    augmentation = (config.instrument_dropout, TEMPO_JITTER)
    return HumanizerBatches(data.grooves, data.step_ms, config.batch, order, rng, *augmentation)
