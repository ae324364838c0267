"""The thesis's network, transcribed plainly from its description (4.2 to 4.4, 5.1): what ours is timed against.

The same 3,945,135 weights as the preset ``thesis``, the same losses, and the same answers. It differs in how it gets
there. The conductor's cell is called in a Python loop, and one sub-sequence is decoded after another, each by the two
stacked LSTMs, each begun anew by the conductor; ``drumlib.network`` decodes all sub-sequences side by side. To play, it
takes one song, one step at a time, from Python. (Transcribed from the thesis's text, not from its code.)

Letters in the shape comments: B windows, T steps, S steps in a sub-sequence.
"""

import keras
import numpy as np
from keras import layers, ops

from drumlib.network.losses import squared_error, weighted_focal_loss

BAND = ("piano", "guitar", "bass")
STEPS = 32
"""Steps in a sub-sequence while training. It plays with 16 (thesis, 4.4)."""


class Transcription(keras.Model):
    """The thesis's network. For teacher forcing, input and output are those of ``models.DrummerNetwork``.

    With ``noise`` False nothing is drawn, in training neither: no z, no dropout. Only a test wants that.
    """

    def __init__(self, noise: bool = True, **options):
        super().__init__(**options)
        self.noise = noise
        self.encoders = {
            family: [
                layers.Conv1D(32, 4, strides=4, name=f"{family}_conv_1"),
                layers.Conv1D(64, 4, strides=2, name=f"{family}_conv_2"),
                layers.Bidirectional(layers.LSTM(200), name=f"{family}_lstm"),
            ]
            for family in BAND
        }
        self.merge = layers.Dense(500, activation="tanh", name="merge")
        self.mean, self.log_var = layers.Dense(256, name="mean"), layers.Dense(256, name="log_var")
        self.conductor = layers.LSTMCell(256, name="conductor")
        self.embedding = layers.Dense(512, activation="tanh", name="embedding")
        self.lower = layers.LSTM(256, return_sequences=True, name="lower")
        self.upper = layers.LSTM(256, return_sequences=True, name="upper")
        self.dropout = layers.GaussianDropout(0.25)
        self.hits = layers.Dense(9, activation="sigmoid", name="hits")
        self.velocities = layers.Dense(9, activation="sigmoid", name="velocities")
        self.offsets = layers.Dense(9, activation="tanh", name="offsets")

    def posterior(self, band):
        """From what is heard, (B, T, 128) an instrument, to the mean and log-variance of z, each (B, 256)."""
        heard = []
        for family in BAND:
            x = ops.cast(band[family], "float32")
            for layer in self.encoders[family]:
                x = layer(x)  # (B, T, 128) -> (B, T/4, 32) -> (B, T/8 - 1, 64) -> (B, 400)
            heard.append(x)
        x = self.merge(ops.concatenate(heard, axis=-1))  # (B, 1200) -> (B, 500)
        return self.mean(x), self.log_var(x)  # 2 x (B, 256)

    def conduct(self, vector, state):
        """The next conductor vector (B, 256), the conductor's new state, and those with which both LSTMs begin."""
        vector, state = self.conductor(vector, state)
        h, c = ops.split(self.embedding(vector), 2, axis=-1)  # (B, 512) -> 2 x (B, 256)
        return vector, state, [h, c], [ops.zeros_like(h), ops.zeros_like(c)]

    def heads(self, x):
        """Hits, velocities and offsets, each (..., 9)."""
        return [self.hits(x), self.velocities(x), self.offsets(x)]

    def call(self, inputs, training=False):
        mean, log_var = self.posterior(inputs)
        z = mean
        if training:
            self.add_loss(-0.5 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var)))
        if training and self.noise:
            z = mean + ops.exp(log_var / 2) * keras.random.normal(ops.shape(mean))
        drums = ops.cast(inputs["drums"], "float32")  # (B, T, 27)
        vector, state, parts = z, [ops.zeros_like(z), ops.zeros_like(z)], []
        for start in range(0, drums.shape[1], STEPS):
            vector, state, lower, upper = self.conduct(vector, state)
            before = ops.pad(drums[:, start : start + STEPS - 1], ((0, 0), (1, 0), (0, 0)))  # (B, S, 27)
            beside = ops.repeat(vector[:, None], STEPS, axis=1)  # (B, 256) -> (B, S, 256)
            x = self.lower(
                ops.concatenate([before, beside], axis=-1), initial_state=lower
            )  # (B, S, 283) -> (B, S, 256)
            x = self.upper(x, initial_state=upper)  # (B, S, 256)
            parts.append(self.heads(self.dropout(x, training=training and self.noise)))  # 3 x (B, S, 9)
        hits, velocities, offsets = (ops.concatenate(x, axis=1) for x in zip(*parts, strict=True))  # 3 x (B, T, 9)
        return {"hits": hits, "velocities": velocities, "offsets": offsets}

    def step(self, before, vector, lower, upper):
        """One step, (B, 27) and (B, 256), played on its own word: the next step (B, 27), and the new states."""
        x, lower = self.lower.cell(ops.concatenate([before, vector], axis=-1), lower)  # (B, 283) -> (B, 256)
        x, upper = self.upper.cell(x, upper)  # (B, 256)
        return ops.concatenate(self.heads(x), axis=-1), lower, upper

    def play(self, band, steps: int = 16, step=None) -> np.ndarray:
        """Play to a band of any length, (1, T, 128) an instrument, one step after another: (1, T, 27).

        ``steps`` make a sub-sequence. ``step`` may be a compiled version of the method of that name. z is the mean of
        its posterior: the thesis draws it, which takes as long.
        """
        step = step or self.step
        vector, _ = self.posterior(band)
        length, state, played = np.shape(band["bass"])[1], [ops.zeros_like(vector), ops.zeros_like(vector)], []
        for start in range(0, length, steps):
            vector, state, lower, upper = self.conduct(vector, state)
            drums = ops.zeros((1, 27))  # every sub-sequence begins as if after silence
            for _ in range(min(steps, length - start)):
                drums, lower, upper = step(drums, vector, lower, upper)
                played.append(ops.convert_to_numpy(drums))  # (1, 27)
        return np.stack(played, axis=1)  # (1, T, 27)


def compile_transcription(network: Transcription, rate: float = 1e-3) -> None:
    """Adam, the thesis's losses, and the metrics that ours has too (the thesis has a fourth, and pays for it)."""
    metrics = [keras.metrics.BinaryAccuracy(), keras.metrics.Precision(), keras.metrics.Recall()]
    losses = {"hits": weighted_focal_loss, "velocities": squared_error, "offsets": squared_error}
    network.compile(keras.optimizers.Adam(rate), loss=losses, metrics={"hits": metrics})


def transcribe(ours, noise: bool = True) -> Transcription:
    """A transcription with the weights of ``ours``, a ``DrummerNetwork`` of the preset ``thesis``."""
    network = Transcription(noise)
    network({**{family: np.zeros((1, STEPS, 128)) for family in BAND}, "drums": np.zeros((1, STEPS, 27))})  # builds it
    pairs = [(getattr(network, name), getattr(ours.bottleneck, name)) for name in ("merge", "mean", "log_var")]
    pairs.append((network.conductor, ours.conductor.cell))
    for family in BAND:
        encoder = ours.encoders[family]
        pairs += zip(network.encoders[family], (encoder.beat, encoder.bar, encoder.lstm), strict=True)
    for name in ("embedding", "lower", "upper", "hits", "velocities", "offsets"):
        pairs.append((getattr(network, name), getattr(ours.decoder, name)))
    for mine, its in pairs:
        mine.set_weights(its.get_weights())
    return network
