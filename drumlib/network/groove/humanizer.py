"""The network behind the preset ``humanize``: told which drums are struck, it says when exactly, and how loud.

    hits, tempo -> Hearing -> (a bottleneck) -> Playing -> for every note, a distribution of velocity and of offset

This is GrooVAE's task (Gillick et al. 2019). Their network answers with one number a note, and so would any network
that learns by squared error: the middle of all that may be right. Its error is small, and its drummer is dull, since
middles vary less than what real drummers do. This one answers with a *distribution* a note, as a histogram: 40 bins
of offset, 32 of velocity. From it one can take the middle (a small error) or draw (a real drummer's spread), and know
which of the two one has. 
``drumlib.inference.histograms`` reads them out.

It comes in two forms, which one field of the preset tells apart:

- ``seq2seq``: the encoder says something about every step, and the decoder hears it at that step;
- ``bottleneck``: all that is known of the two bars must pass through one z (the thesis's idea). The decoder hears z
  and counts steps; it never sees the hits.

Letters in the shape comments: B windows, T steps, H units, K bins.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.inference.histograms import RANGES, bin_edges
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS
from drumlib.network.layers import Bottleneck
from drumlib.network.steps import step_of_bar

N = len(DRUMS)
REFERENCE_STEP_MS = 125.0
"""How long a step lasts at 120 beats a minute: the tempo that the network takes as the middle."""


@dataclass(frozen=True)
class HumanizerPreset:
    """What a humanizing network is made of."""

    name: str = "humanize"
    form: str = "seq2seq"  # or "bottleneck"
    tempo: bool = True  # whether it is told the tempo; GrooVAE was not
    units: int = 256  # of the encoder, each way, and of the decoder
    latent: int = 64  # dimensions of z, in the form with a bottleneck
    kl_weight: float = 0.05  # of the Kullback-Leibler divergence there; in training, the plan's rules
    velocity_bins: int = 32  # each 4 MIDI velocities wide
    offset_bins: int = 40  # each a fortieth of a step wide: 3 ms at 120 beats a minute
    drop: float = 0.5  # dropout: the data are ten drummers, and many windows of each
    clip: float | None = 1.0  # gradients are no longer than this

    def __post_init__(self):
        if self.form not in ("seq2seq", "bottleneck"):
            raise ValueError(f"no form {self.form!r}: there is seq2seq, bottleneck")


TEMPO_JITTER = 0.15
"""By how much the tempo is misstated in training, in octaves."""


class HitsEncoder(keras.layers.Layer):
    """Reads the hits forward and backward: (B, T, 9) and the tempo to (B, T, 2H)."""

    def __init__(self, preset: HumanizerPreset, seed: int = 0, **options):
        super().__init__(**options)
        self.tempo = preset.tempo
        self.both_ways = keras.layers.Bidirectional(
            keras.layers.LSTM(preset.units, return_sequences=True, name="lstm"), name="both_ways"
        )
        self.drop = keras.layers.Dropout(preset.drop, seed=seed)

    def build(self, shape):
        self.both_ways.build((None, None, N + STEPS_PER_BAR + self.tempo))

    def call(self, hits, step_ms, training=False):
        parts = [hits, step_of_bar(hits)]  # (B, T, 9), (B, T, 16)
        if self.tempo:
            speed = ops.log(ops.cast(step_ms, "float32") / REFERENCE_STEP_MS) / np.log(
                2.0
            )  # (B,): in octaves, slower is more
            parts.append(ops.ones_like(hits[..., :1]) * speed[:, None, None])  # (B, T, 1)
        x = self.both_ways(ops.concatenate(parts, axis=-1))  # (B, T, 26) -> (B, T, 2H)
        return self.drop(x, training=training)


class ExpressionDecoder(keras.layers.Layer):
    """Says how every note is struck: (B, T, 2H) to two sets of histograms, as logits (B, T, 9, K)."""

    def __init__(self, preset: HumanizerPreset, seed: int = 0, **options):
        super().__init__(**options)
        self.bins = {"velocities": preset.velocity_bins, "offsets": preset.offset_bins}
        self.forward = keras.layers.LSTM(preset.units, return_sequences=True, name="forward")
        self.drop = keras.layers.Dropout(preset.drop, seed=seed + 1)
        self.velocities = keras.layers.Dense(N * preset.velocity_bins, name="velocities")
        self.offsets = keras.layers.Dense(N * preset.offset_bins, name="offsets")

    def build(self, shape):
        self.forward.build(shape)
        for head in (self.velocities, self.offsets):
            head.build((None, None, self.forward.units + shape[-1]))

    def call(self, heard, training=False):
        x = self.drop(self.forward(heard), training=training)  # (B, T, 2H) -> (B, T, H)
        x = ops.concatenate([x, heard], axis=-1)  # (B, T, 3H): what was heard may take the short way
        heads = {"velocities": self.velocities(x), "offsets": self.offsets(x)}  # (B, T, 9 * K)
        batch, length = ops.shape(x)[:2]
        return {name: ops.reshape(x, (batch, length, N, self.bins[name])) for name, x in heads.items()}  # (B, T, 9, K)


class Humanizer(keras.Model):
    """Two bars of hits in; for every cell, how loud and how late it is struck, if it is struck.

    Input is a dictionary: ``hits``, (B, T, 9), and ``step_ms``, (B,), the length of a step in milliseconds. Output is
    a dictionary of logits: ``velocities`` (B, T, 9, 32) and ``offsets`` (B, T, 9, 40), one for each bin (``bin_edges``).
    """

    def __init__(self, preset: HumanizerPreset = HumanizerPreset(), seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.hearing = HitsEncoder(preset, seed, name="hearing")
        heard = 2 * preset.units
        if preset.form == "bottleneck":
            self.bottleneck = Bottleneck(
                2 * preset.units, preset.latent, preset.kl_weight, seed=seed, name="bottleneck"
            )
            self.bottleneck.build((None, 2 * preset.units))
            heard = preset.latent + 2 * STEPS_PER_BAR
        self.playing = ExpressionDecoder(preset, seed, name="playing")
        self.hearing.build((None, None, N))
        self.playing.build((None, None, heard))
        self.built = True

    def call(self, inputs, training=False):
        hits = ops.cast(inputs["hits"], "float32")
        heard = self.hearing(hits, inputs["step_ms"], training=training)  # (B, T, 2H)
        if self.preset.form == "bottleneck":
            ahead, behind = ops.split(heard, 2, axis=-1)  # 2 x (B, T, H)
            summary = ops.concatenate([ahead[:, -1], behind[:, 0]], axis=-1)  # (B, 2H): the last state of each way
            z = self.bottleneck(summary, training=training)  # (B, Z)
            z = ops.ones_like(hits[..., :1]) * z[:, None]  # (B, T, Z)
            heard = ops.concatenate([z, step_of_bar(hits, 2 * STEPS_PER_BAR)], axis=-1)  # (B, T, Z + 32)
        return self.playing(heard, training=training)

    @staticmethod
    def losses_of() -> dict:
        """What it is trained with: the ranked score of both distributions."""
        return {name: crps_loss(name) for name in RANGES}

    @staticmethod
    def batches_of(windows, plan, order=None, rng=None):
        """Batches of windows of two bars (``data.gmd.TwoBarWindows``): with ``rng`` to train on, without to validate on."""
        return HumanizerBatches(windows.grooves, windows.step_ms, plan.batch, order, rng, plan.mute, TEMPO_JITTER)

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
        bins = self.playing.bins
        nothing = {name: np.zeros((0, *np.shape(hits)[1:], count), "float32") for name, count in bins.items()}
        return {name: np.concatenate([nothing[name], *parts]) for name, parts in found.items()}


def crps_loss(name: str, scale: float = 10.0):
    """A loss for histograms of ``name``: the continuous ranked probability score, over played notes.

    The score is the area between two staircases, squared: the histogram's running sum, and the one that jumps from 0
    to 1 where the truth lies. It costs least to say the true distribution (Gneiting and Raftery 2007). Unlike the log
    loss it knows that bins have an order: to miss by one costs little, to miss by ten much. It is in units of what is
    measured, times ``scale``.

    The loss takes the true values with the hits beside them, (B, T, 18), and logits, (B, T, 9, K).
    """
    low, high = RANGES[name]

    def loss(truth_and_hits, logits):
        truth, struck = ops.split(ops.cast(truth_and_hits, "float32"), 2, axis=-1)  # 2 x (B, T, 9)
        bins = logits.shape[-1]
        right = ops.convert_to_tensor(bin_edges(name, bins)[1:], "float32")  # (K,): where each bin ends
        jump = ops.cast(truth[..., None] < right, "float32")  # (B, T, 9, K)
        gap = ops.sum(ops.square(ops.cumsum(ops.softmax(logits), axis=-1) - jump), axis=-1)  # (B, T, 9)
        area = gap * (high - low) / bins
        return scale * ops.sum(struck * area) / ops.maximum(ops.sum(struck), 1.0)

    loss.__name__ = f"ranked_{name}"
    return loss


class HumanizerBatches(keras.utils.PyDataset):
    """Batches for training: hits and tempo, and how they were really struck.

    ``grooves`` is (windows, T, 27), ``step_ms`` (windows,). ``order`` says which windows, in which order. With
    ``rng``, windows are varied: every drum is left out with the probability ``mute`` (what is left is a groove too),
    and the tempo is misstated by some ``blur`` octaves. A network that is told the tempo to the last digit knows
    which performance it hears, and learns that performance by heart.
    """

    def __init__(self, grooves, step_ms, batch=128, order=None, rng=None, mute=0.0, blur=0.0):
        super().__init__()
        self.grooves, self.step_ms, self.batch = grooves, np.asarray(step_ms, dtype="float32"), batch
        self.order = np.arange(len(grooves)) if order is None else order
        self.rng, self.mute, self.blur = rng, mute, blur

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch)

    def __getitem__(self, i: int):
        numbers = self.order[i * self.batch : (i + 1) * self.batch]
        hits, velocities, offsets = np.split(self.grooves[numbers], 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
        step_ms = self.step_ms[numbers]
        if self.rng is not None:
            step_ms = step_ms * 2 ** (self.blur * self.rng.standard_normal(len(numbers))).astype("float32")
            hits = hits * (self.rng.random((len(numbers), 1, N)) >= self.mute).astype("float32")
        targets = {
            name: np.concatenate([x, hits], axis=-1)  # (B, T, 18)
            for name, x in (("velocities", velocities), ("offsets", offsets))
        }
        return {"hits": hits, "step_ms": step_ms}, targets
