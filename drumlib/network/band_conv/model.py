"""Convolutional band encoder with two heads: one sees only the band, one also the drums so far (preset ``band-conv``).

::

    band -> BandFeatures -> BandEncoder ---------------------+-> NoteDecoder: band-only head
                                |                            |
                                +-> DrumHistory -------------+-> NoteDecoder: head with the drums so far
                                        ^
                              the network's own drums so far

It differs from the thesis's network in three ways:

- **BandFeatures**: its inputs are features that do not depend on the key (onset, number of notes, lowest, highest,
  share of new pitch classes), not 128 pitches of which most songs use few.
- **Two heads**, trained together: what the band alone makes likely, and what the drums so far make likely beside it.
  So the path from the band must predict by itself, and cannot be neglected for the easier one of copying the past.
- **DrumHistory**: the past is not carried through 128 steps in a state; it is read at musical lags (a step, a beat, a
  bar, ...), and by attention over the bars before.

Letters in the shape comments: B windows, T steps, K bars (16 * K = T), H units.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.network.steps import lagged, max_of_beat_before, step_of_bar

N = len(DRUMS)
LAGS = (1, 2, 3, 4, 6, 8, 12, 15, 16, 17, 20, 24, 28, 31, 32, 33, 48, 64, 96)
"""The lags, in steps, at which the past drums are inputs: within a beat, a bar, two, three, four, six, ..."""

ATTENTION_BARS = 7
"""The number of preceding bars that the attention covers: all in a window of eight."""

ENCODE_BATCH = 64
"""Windows that are encoded at a time: encoding takes far more memory than its result."""


@dataclass(frozen=True)
class BandConvPreset:
    """The hyperparameters of ``BandConvNetwork``."""

    name: str = "band-conv"
    units: int = 64  # of the band encoder: few, for there are few songs
    decoder_units: int = 128  # of the note decoder
    dilations: tuple[int, ...] = (1, 4, 16)  # of the encoder's convolutions: neighbouring steps, beats, bars
    band_dropout: float = 0.5  # in the band encoder, against overfitting to songs
    history_dropout: float = 0.1  # of the drum history
    joint_dropout: float = 0.2  # where encoder and history are joined
    loss: str = "masked-two-heads"  # a name of losses.LOSSES
    thresholds: tuple[float, ...] = (0.34,)  # the one with the best F1 on the validation songs
    whole_song: bool = True  # generate takes whole songs: it encodes windows of eight bars, and has one drum history


class BandFeatures(keras.layers.Layer):
    """Features of the band at every step, whatever the key: rolls (B, T, 128) of each family -> (B, T, 31).

    For each family: onset (0 or 1), log of the number of notes, lowest and highest pitch (scaled), and the share of its
    pitch classes that did not sound in the beat before. Beside them, the step of the bar, one-hot.
    """

    def call(self, band):
        features = []
        for family in FAMILIES:
            roll = ops.cast(band[family], "float32")
            count = ops.sum(roll, axis=-1, keepdims=True)  # (B, T, 128) -> (B, T, 1)
            onset = ops.minimum(count, 1.0)
            lowest = ops.cast(ops.argmax(roll, axis=-1, keepdims=True), "float32")
            highest = 127 - ops.cast(ops.argmax(ops.flip(roll, axis=-1), axis=-1, keepdims=True), "float32")
            classes = ops.pad(roll, ((0, 0), (0, 0), (0, 4)))  # (B, T, 132): eleven octaves
            classes = ops.max(ops.reshape(classes, (*ops.shape(classes)[:2], 11, 12)), axis=2)  # (B, T, 12)
            new = ops.sum(classes * (1 - max_of_beat_before(classes)), axis=-1, keepdims=True)  # (B, T, 1)
            new = new / ops.maximum(ops.sum(classes, axis=-1, keepdims=True), 1.0)
            features += [onset, ops.log1p(count), onset * (lowest - 50) / 24, onset * (highest - 60) / 24, new]
        features.append(step_of_bar(features[0]))
        return ops.concatenate(features, axis=-1)  # (B, T, 31)


class BandEncoder(keras.layers.Layer):
    """Residual dilated convolutions over the band: features (B, T, F) -> (B, T, H).

    The convolutions are not causal: a band's song is known before the drums begin. After them, a projection of the mean
    over the window is added to every step.
    """

    def __init__(self, preset: BandConvPreset, seed: int = 0, **options):
        super().__init__(**options)
        units, rate = preset.units, preset.band_dropout
        self.input_projection = keras.layers.Dense(units, name="input_projection")
        self.blocks = []
        for i, dilation in enumerate(preset.dilations):
            norm = keras.layers.LayerNormalization(name=f"norm_{i}")
            dropout = keras.layers.Dropout(rate, seed=seed + i)
            conv = keras.layers.Conv1D(
                units, 3, dilation_rate=dilation, padding="same", activation="gelu", name=f"conv_{i}"
            )
            self.blocks.append((norm, dropout, conv, keras.layers.Dense(units, name=f"project_{i}")))
        self.window_mean = keras.layers.Dense(units, activation="gelu", name="window_mean")
        self.norm = keras.layers.LayerNormalization(name="norm")
        self.dropout = keras.layers.Dropout(rate, seed=seed + 10)
        self.output_projection = keras.layers.Dense(units, activation="gelu", name="output_projection")

    def build(self, shape):
        units = self.input_projection.units
        self.input_projection.build(shape)
        for norm, _, conv, project in self.blocks:
            for layer in (norm, conv, project):
                layer.build((None, None, units))
        for layer in (self.window_mean, self.norm):
            layer.build((None, None, units))
        self.output_projection.build((None, None, units + STEPS_PER_BAR))

    def call(self, features, training=False):
        x = self.input_projection(features)  # (B, T, F) -> (B, T, H)
        for norm, dropout, conv, project in self.blocks:
            x = x + project(conv(dropout(norm(x), training=training)))
        mean = self.dropout(ops.mean(x, axis=1, keepdims=True), training=training)  # (B, T, H) -> (B, 1, H)
        x = self.dropout(self.norm(x + self.window_mean(mean)), training=training)
        return self.output_projection(ops.concatenate([x, step_of_bar(x)], axis=-1))  # (B, T, H + 16) -> (B, T, H)


class DrumHistory(keras.layers.Layer):
    """Lagged drums, and attention over the seven preceding bars: (B, T, 27) -> (B, T, 27 + 9 * lags + lags).

    Concatenated: the drums at the same step of the preceding bars, weighted by attention (queries and keys are the bar
    means of the encoded band, values the drums); the hits at ``LAGS``; and whether each lag lies within the song. What
    the attention learned is mostly a fixed preference for two and four bars back, whatever the band plays.
    """

    def __init__(self, units: int = 32, **options):
        super().__init__(**options)
        self.query = keras.layers.Dense(units, name="query")
        self.key = keras.layers.Dense(units, name="key")

    def build(self, shape):
        self.query.build(shape)
        self.key.build(shape)
        self.distance = self.add_weight(shape=(ATTENTION_BARS,), initializer="zeros", name="distance")
        self.built = True

    def attention_weights(self, encoded):
        """Attention weights of each bar over the bars before it: (B, T, H) -> (B, K, 7), rows summing to 1.

        The first of the seven is the bar before. The row of the first bar, which has none before it, is 0.
        """
        batch, length, units = ops.shape(encoded)[0], ops.shape(encoded)[1], encoded.shape[-1]
        bars = ops.reshape(encoded, (batch, length // STEPS_PER_BAR, STEPS_PER_BAR, units))  # (B, K, 16, H)
        bars = ops.mean(bars, axis=2)  # (B, K, H)
        queries, keys = self.query(bars), self.key(bars)  # 2 x (B, K, 32)
        scores = ops.stack([ops.sum(queries * lagged(keys, n), axis=-1) for n in BARS_BACK], axis=-1)  # (B, K, 7)
        scores = ops.clip(scores / self.query.units**0.5 + self.distance, -8.0, 8.0)
        valid = ops.stack([lagged(ops.ones_like(bars[..., 0:1]), n)[..., 0] for n in BARS_BACK], axis=-1)  # (B, K, 7)
        weights = valid * ops.exp(scores)
        return weights / (ops.sum(weights, axis=-1, keepdims=True) + 1e-6)

    def call(self, encoded, drums):
        hits = drums[..., :N]
        lags = [lagged(hits, lag) for lag in LAGS]  # 19 x (B, T, 9)
        valid = ops.concatenate([lagged(ops.ones_like(hits[..., :1]), lag) for lag in LAGS], axis=-1)  # (B, T, 19)
        weights = ops.repeat(self.attention_weights(encoded), STEPS_PER_BAR, axis=1)  # (B, K, 7) -> (B, T, 7)
        bars = ops.stack([lagged(drums, n * STEPS_PER_BAR) for n in BARS_BACK], axis=2)  # (B, T, 7, 27)
        attended = ops.sum(weights[..., None] * bars, axis=2)  # (B, T, 27)
        return ops.concatenate([attended, *lags, valid], axis=-1)  # (B, T, 27 + 19 * 9 + 19)


BARS_BACK = range(1, ATTENTION_BARS + 1)


class NoteDecoder(keras.layers.Layer):
    """From the encoded band, and the drum history, to three heads, each (B, T, 9)."""

    def __init__(self, preset: BandConvPreset, seed: int = 0, **options):
        super().__init__(**options)
        self.history_dropout = keras.layers.Dropout(preset.history_dropout, seed=seed + 20)
        self.dropout = keras.layers.Dropout(preset.joint_dropout, seed=seed + 21)
        self.history_projection = keras.layers.Dense(preset.decoder_units, name="history_projection")
        self.joint = keras.layers.Dense(preset.decoder_units, activation="gelu", name="joint")
        self.residual = keras.layers.Dense(preset.decoder_units, activation="gelu", name="residual")
        self.heads = keras.layers.Dense(3 * N, name="heads")

    def build(self, shape):
        units = self.history_projection.units
        self.history_projection.build((None, None, 3 * N + (N + 1) * len(LAGS)))
        self.joint.build((None, None, shape[-1] + units + 1))
        self.residual.build((None, None, units))
        self.heads.build((None, None, units))

    def call(self, encoded, history=None, training=False):
        """``history`` is None for the band-only head: a flag tells it from a history of silence."""
        has_history = ops.ones_like(encoded[..., :1])
        if history is None:
            past, has_history = ops.repeat(0 * has_history, self.history_projection.units, axis=-1), 0 * has_history
        else:
            history = self.history_dropout(history, training=training)
            past = self.history_projection(history)  # (B, T, 27 + 190) -> (B, T, 128)
        x = self.joint(ops.concatenate([encoded, past, has_history], axis=-1))  # (B, T, H + 128 + 1) -> (B, T, 128)
        x = self.dropout(x, training=training)
        x = x + self.residual(x)
        hits, velocities, offsets = ops.split(self.heads(x), 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
        return {"hits": ops.sigmoid(hits), "velocities": ops.sigmoid(velocities), "offsets": ops.tanh(offsets) / 2}


class BandConvNetwork(keras.Model):
    """Convolutional network from eight bars of piano, guitar and bass to eight bars of drums.

    Inputs and outputs are those of ``thesis.DrummerNetwork``, with a fourth output, ``band_only``, (B, T, 27): hits,
    velocities and offsets of the head that sees only the band. T is a multiple of 16.
    """

    generation_options = ()

    def __init__(self, preset: BandConvPreset = BandConvPreset(), seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.band_features = BandFeatures(name="band_features")
        self.band_encoder = BandEncoder(preset, seed, name="band_encoder")
        self.drum_history = DrumHistory(name="drum_history")
        self.note_decoder = NoteDecoder(preset, seed, name="note_decoder")
        self.band_encoder.build((None, None, 5 * len(FAMILIES) + STEPS_PER_BAR))
        self.drum_history.build((None, None, preset.units))
        self.note_decoder.build((None, None, preset.units))
        self.built = True

    def encode(self, band, training=False):
        """The encoded band at every step: (B, T, 128) of each instrument -> (B, T, H)."""
        return self.band_encoder(self.band_features(band), training=training)

    def call(self, inputs, training=False):
        encoded = self.encode(inputs, training=training)  # (B, T, H)
        drums = ops.cast(inputs["drums"], "float32")
        band_only = self.note_decoder(encoded, training=training)  # 3 x (B, T, 9)
        band_only = ops.concatenate([band_only[name] for name in HEADS], axis=-1)  # (B, T, 27)
        history = self.drum_history(encoded, drums)  # (B, T, 27 + 190)
        return {**self.note_decoder(encoded, history, training=training), "band_only": band_only}

    def generate(self, inputs, sampler=None) -> dict[str, np.ndarray]:
        """Free-running generation for a band of any length T.

        Parameters
        ----------
        inputs : dict of ``piano``, ``guitar``, ``bass``, each (B, T, 128)
        sampler : samples notes step by step, each conditioned on those before (``inference.sampling.Sampler``). If
            None, the outputs of the band-only head are returned for all steps at once.

        Returns
        -------
        dict of ``hits`` (probabilities, or 0 and 1 from a sampler), ``velocities``, ``offsets``, each (B, T, 9)
        """
        batch, length = np.shape(inputs["bass"])[:2]
        rolls = {family: in_windows(inputs[family]) for family in FAMILIES}  # (B * W, 128, 128)
        parts = []
        for first in range(0, len(rolls["bass"]), ENCODE_BATCH):
            some = {family: roll[first : first + ENCODE_BATCH] for family, roll in rolls.items()}
            parts.append(ops.convert_to_numpy(self.encode(some)))
        encoded = np.concatenate(parts)  # (B * W, 128, H)
        encoded = encoded.reshape(batch, -1, encoded.shape[-1])  # (B, W * 128, H)
        heads = self.note_decoder(encoded) if sampler is None else self.sample(encoded, sampler, length)
        return {name: np.asarray(x)[:, :length] for name, x in heads.items()}

    def sample(self, encoded: np.ndarray, sampler, length: int, block: int = STEPS_PER_BAR) -> dict[str, np.ndarray]:
        """Fixed-point sampling of ``length`` steps, a block of a bar at a time: (B, T, H) -> three arrays (B, T, 9).

        All steps of a block are sampled at once, as if it were silent, and sampled again with the same uniforms and
        the notes found as history, until nothing changes. Then each step is sampled given the steps before it, so the
        result equals step-by-step sampling (``block=1``). A bar takes about five rounds instead of sixteen steps.
        """
        weights = ops.convert_to_numpy(self.drum_history.attention_weights(encoded))  # (B, K, 7)
        notes = np.zeros((*encoded.shape[:2], 3 * N), dtype=np.float32)
        for first in range(0, length, block):
            steps = slice(first, first + block)
            uniform = sampler.uniform(block, len(encoded), N).swapaxes(0, 1)  # (B, 16, 9)
            for _ in range(block + 1):
                history = history_features(notes, first, weights[:, first // STEPS_PER_BAR], block)  # (B, 16, 27 + 190)
                heads = sampler.sample(self.note_decoder(encoded[:, steps], history), uniform)  # 3 x (B, 16, 9)
                again = np.concatenate([ops.convert_to_numpy(heads[name]) for name in HEADS], axis=-1)  # (B, 16, 27)
                if np.array_equal(again, notes[:, steps]):
                    break
                notes[:, steps] = again
        return dict(zip(HEADS, np.split(notes, 3, axis=-1), strict=True))


HEADS = ("hits", "velocities", "offsets")


def in_windows(roll: np.ndarray) -> np.ndarray:
    """A roll cut into windows of eight bars, zero-padded at the end: (B, T, 128) -> (B * W, 128, 128).

    A roll shorter than a window is padded to whole bars.
    """
    roll = np.asarray(roll)
    size = min(WINDOW_STEPS, -(-roll.shape[1] // STEPS_PER_BAR) * STEPS_PER_BAR)
    return np.pad(roll, ((0, 0), (0, -roll.shape[1] % size), (0, 0))).reshape(-1, size, roll.shape[-1])


def history_features(notes: np.ndarray, first: int, weights: np.ndarray, steps: int = 1) -> np.ndarray:
    """The output of ``DrumHistory`` for some steps of one bar, from ``first`` on: (B, T, 27) -> (B, steps, 27 + 190).

    ``notes`` are the drums so far, and zeros after them; ``weights`` the bar's attention weights, (B, 7).
    """
    now = np.arange(first, first + steps)

    def at(lag: int) -> np.ndarray:  # (B, steps, 27)
        valid = now >= lag
        return notes[:, np.where(valid, now - lag, 0)] * valid[:, None]

    attended = sum(weights[:, n - 1, None, None] * at(n * STEPS_PER_BAR) for n in BARS_BACK)  # (B, steps, 27)
    valid = np.broadcast_to(now[:, None] >= np.array(LAGS), (len(notes), steps, len(LAGS)))  # (B, steps, 19)
    return np.concatenate([attended, *(at(lag)[..., :N] for lag in LAGS), valid.astype(np.float32)], axis=-1)
