"""The network behind the preset ``band-conv``: a drummer that listens.

What goes where::

    band -> Ears -> Listening ------------------+-> heads: what the band alone tells
                        |                       |
                        +-> Memory -> Recall ---+-> heads: that, and what he has played so far
                               ^
                   his own drums so far

The thesis's network hears raw pitches through one narrow z, and a network that sees its own past soon does nothing but
copy it. This one differs in three ways:

- **Ears**: it hears what transfers from song to song (does a part strike, how many notes, how low, how high, is it
  news), step by step, not 128 pitches of which most songs use few.
- **Two answers**: at every step it says what the band alone makes likely, and what follows when it also knows what
  was played so far. Both are judged in training. So the way from the band to the drums must carry its own weight, and
  cannot starve beside the easier way of copying.
- **Memory**: its past is not a state that must be carried through 128 steps; it is looked up, at the distances that
  matter in music (a step, a beat, a bar, ...), and where the band played what it plays now.

Letters in the shape comments: B windows, T steps, K bars (16 * K = T), H units.
"""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.network.steps import beat_before, lagged, step_of_bar

N = len(DRUMS)
LAGS = (1, 2, 3, 4, 6, 8, 12, 15, 16, 17, 20, 24, 28, 31, 32, 33, 48, 64, 96)
"""How many steps back the drummer remembers, each by itself: the last beat, a bar, two, three, four, six, ..."""

MEMORY_BARS = 7
"""How many bars back he looks for a bar in which the band played the same: all there are in a window of eight."""

HEARD_AT_ONCE = 64
"""How many windows are heard at a time: hearing one takes far more memory than what was heard of it."""


@dataclass(frozen=True)
class BandConvPreset:
    """What a listening network is made of."""

    name: str = "band-conv"
    units: int = 64  # where it listens: few, for there are few songs
    decoder_units: int = 128  # units where it plays: more, for every step is a lesson in going on from the steps before
    dilations: tuple[int, ...] = (1, 4, 16)  # of each convolution: neighbouring steps, beats, bars
    band_dropout: float = 0.5  # dropout where it listens, against knowing songs by heart
    history_dropout: float = 0.1  # dropout of what it remembers
    joint_dropout: float = 0.2  # dropout where the two meet
    loss: str = "listening"
    thresholds: tuple[float, ...] = (0.34,)  # where the validation songs' F1 is best
    whole_song: bool = True  # it cuts what it hears into windows by itself, and remembers across them
    clip: float | None = 1.0  # gradients are no longer than this
    decay: float = 0.01  # of the weights (AdamW)
    kl_weight: float = 0.0  # there is no bottleneck


class BandFeatures(keras.layers.Layer):
    """What can be heard of the band at every step, in whatever key it plays: rolls (B, T, 128) -> (B, T, 31).

    Of each family: whether it strikes, how many notes, the lowest, the highest, and which share of its pitch classes
    is news, not heard in the beat before. Beside them, which of the 16 steps of the bar it is.
    """

    def call(self, band):
        heard = []
        for family in FAMILIES:
            roll = ops.cast(band[family], "float32")
            count = ops.sum(roll, axis=-1, keepdims=True)  # (B, T, 128) -> (B, T, 1)
            strikes = ops.minimum(count, 1.0)
            lowest = ops.cast(ops.argmax(roll, axis=-1, keepdims=True), "float32")
            highest = 127 - ops.cast(ops.argmax(ops.flip(roll, axis=-1), axis=-1, keepdims=True), "float32")
            classes = ops.pad(roll, ((0, 0), (0, 0), (0, 4)))  # (B, T, 132): eleven octaves
            classes = ops.max(ops.reshape(classes, (*ops.shape(classes)[:2], 11, 12)), axis=2)  # (B, T, 12)
            news = ops.sum(classes * (1 - beat_before(classes)), axis=-1, keepdims=True)  # (B, T, 1)
            news = news / ops.maximum(ops.sum(classes, axis=-1, keepdims=True), 1.0)
            heard += [strikes, ops.log1p(count), strikes * (lowest - 50) / 24, strikes * (highest - 60) / 24, news]
        heard.append(step_of_bar(heard[0]))
        return ops.concatenate(heard, axis=-1)  # (B, T, 31)


class BandEncoder(keras.layers.Layer):
    """From what the ears hear at each step to what it means there: (B, T, 31) -> (B, T, H).

    Three residual convolutions: over neighbouring steps, over beats, over bars; they see what comes as well as what
    was, for a band's song is known before the drummer comes in. Then the mean over the whole window is added to every
    step: what kind of song this is.
    """

    def __init__(self, preset: BandConvPreset, seed: int = 0, **options):
        super().__init__(**options)
        units, drop = preset.units, preset.band_dropout
        self.enter = keras.layers.Dense(units, name="enter")
        self.blocks = []
        for i, reach in enumerate(preset.dilations):
            self.blocks.append(
                (
                    keras.layers.LayerNormalization(name=f"even_{i}"),
                    keras.layers.Dropout(drop, seed=seed + i),
                    keras.layers.Conv1D(
                        units, 3, dilation_rate=reach, padding="same", activation="gelu", name=f"around_{i}"
                    ),
                    keras.layers.Dense(units, name=f"add_{i}"),
                )
            )
        self.whole = keras.layers.Dense(units, activation="gelu", name="whole")
        self.even = keras.layers.LayerNormalization(name="even")
        self.drop = keras.layers.Dropout(drop, seed=seed + 10)
        self.leave = keras.layers.Dense(units, activation="gelu", name="leave")

    def build(self, shape):
        units = self.enter.units
        self.enter.build(shape)
        for even, _, around, add in self.blocks:
            for layer in (even, around, add):
                layer.build((None, None, units))
        for layer in (self.whole, self.even):
            layer.build((None, None, units))
        self.leave.build((None, None, units + STEPS_PER_BAR))

    def call(self, heard, training=False):
        x = self.enter(heard)  # (B, T, 31) -> (B, T, H)
        for even, drop, around, add in self.blocks:
            x = x + add(around(drop(even(x), training=training)))
        mean = self.drop(ops.mean(x, axis=1, keepdims=True), training=training)  # (B, 1, H)
        x = self.drop(self.even(x + self.whole(mean)), training=training)
        return self.leave(ops.concatenate([x, step_of_bar(x)], axis=-1))  # (B, T, H + 16) -> (B, T, H)


class DrumHistory(keras.layers.Layer):
    """What the drummer remembers of his own drums at each step: (B, T, 27) -> (B, T, 27 + 9 * lags + lags).

    Three things: his drums at certain distances (``LAGS``); whether there was a step at that distance at all; and
    the drums of the bars before this one in which the band played most alike, at the same place of the bar (attention
    over bars: queries and keys are what was heard, values are the drums). The last is what it could learn; what it did
    learn is for the most part a habit of looking two and four bars back, whatever the band plays.
    """

    def __init__(self, units: int = 32, **options):
        super().__init__(**options)
        self.query = keras.layers.Dense(units, name="query")
        self.key = keras.layers.Dense(units, name="key")

    def build(self, shape):
        self.query.build(shape)
        self.key.build(shape)
        self.distance = self.add_weight(shape=(MEMORY_BARS,), initializer="zeros", name="distance")
        self.built = True

    def attention_weights(self, heard):
        """How much each bar looks back at each of the bars before it: (B, T, H) -> (B, K, 7), rows summing to 1.

        The first of the seven is the bar before. A first bar has nothing to look back at: its row is 0.
        """
        batch, length, units = ops.shape(heard)[0], ops.shape(heard)[1], heard.shape[-1]
        bars = ops.mean(ops.reshape(heard, (batch, length // STEPS_PER_BAR, STEPS_PER_BAR, units)), axis=2)  # (B, K, H)
        asked, offered = self.query(bars), self.key(bars)  # 2 x (B, K, 32)
        scores = ops.stack([ops.sum(asked * lagged(offered, n), axis=-1) for n in BARS_BACK], axis=-1)  # (B, K, 7)
        scores = ops.clip(scores / self.query.units**0.5 + self.distance, -8.0, 8.0)
        there = ops.stack([lagged(ops.ones_like(bars[..., 0:1]), n)[..., 0] for n in BARS_BACK], axis=-1)  # (B, K, 7)
        weights = there * ops.exp(scores)
        return weights / (ops.sum(weights, axis=-1, keepdims=True) + 1e-6)

    def call(self, heard, drums):
        hits = drums[..., :N]
        lags = [lagged(hits, lag) for lag in LAGS]  # 19 x (B, T, 9)
        there = ops.concatenate([lagged(ops.ones_like(hits[..., :1]), lag) for lag in LAGS], axis=-1)  # (B, T, 19)
        weights = ops.repeat(self.attention_weights(heard), STEPS_PER_BAR, axis=1)  # (B, K, 7) -> (B, T, 7)
        bars = ops.stack([lagged(drums, n * STEPS_PER_BAR) for n in BARS_BACK], axis=2)  # (B, T, 7, 27)
        alike = ops.sum(weights[..., None] * bars, axis=2)  # (B, T, 27)
        return ops.concatenate([alike, *lags, there], axis=-1)  # (B, T, 27 + 19 * 9 + 19)


BARS_BACK = range(1, MEMORY_BARS + 1)


class NoteDecoder(keras.layers.Layer):
    """From what is heard, and what is remembered, to the drums of a step: three heads, each (B, T, 9)."""

    def __init__(self, preset: BandConvPreset, seed: int = 0, **options):
        super().__init__(**options)
        self.drop_past = keras.layers.Dropout(preset.history_dropout, seed=seed + 20)
        self.drop = keras.layers.Dropout(preset.joint_dropout, seed=seed + 21)
        self.past = keras.layers.Dense(preset.decoder_units, name="past")
        self.mix = keras.layers.Dense(preset.decoder_units, activation="gelu", name="mix")
        self.again = keras.layers.Dense(preset.decoder_units, activation="gelu", name="again")
        self.drums = keras.layers.Dense(3 * N, name="drums")

    def build(self, shape):
        units = self.past.units
        self.past.build((None, None, 3 * N + (N + 1) * len(LAGS)))
        self.mix.build((None, None, shape[-1] + units + 1))
        self.again.build((None, None, units))
        self.drums.build((None, None, units))

    def call(self, heard, memory=None, training=False):
        """``memory`` is None for a drummer who knows nothing of what he played so far."""
        knows = ops.ones_like(heard[..., :1])
        if memory is None:
            past, knows = ops.repeat(0 * knows, self.past.units, axis=-1), 0 * knows
        else:
            past = self.past(self.drop_past(memory, training=training))  # (B, T, 27 + 190) -> (B, T, 128)
        x = self.mix(ops.concatenate([heard, past, knows], axis=-1))  # (B, T, H + 128 + 1) -> (B, T, 128)
        x = self.drop(x, training=training)
        x = x + self.again(x)
        hits, velocities, offsets = ops.split(self.drums(x), 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
        return {"hits": ops.sigmoid(hits), "velocities": ops.sigmoid(velocities), "offsets": ops.tanh(offsets) / 2}


class BandConvNetwork(keras.Model):
    """Hears eight bars of piano, guitar and bass; plays eight bars of drums; listens all the while.

    Input and output are those of ``models.DrummerNetwork``, with a fourth answer, ``free_running``, (B, T, 27): the
    hits, velocities and offsets that the band alone makes likely. T is a multiple of 16.
    """

    def __init__(self, preset: BandConvPreset = BandConvPreset(), seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.ears = BandFeatures(name="ears")
        self.listening = BandEncoder(preset, seed, name="listening")
        self.memory = DrumHistory(name="memory")
        self.recall = NoteDecoder(preset, seed, name="recall")
        self.listening.build((None, None, 5 * len(FAMILIES) + STEPS_PER_BAR))
        self.memory.build((None, None, preset.units))
        self.recall.build((None, None, preset.units))
        self.built = True

    def encode(self, band, training=False):
        """What the band means at each step: (B, T, H)."""
        return self.listening(self.ears(band), training=training)

    def call(self, inputs, training=False):
        heard = self.encode(inputs, training=training)  # (B, T, H)
        drums = ops.cast(inputs["drums"], "float32")
        alone = self.recall(heard, training=training)  # 3 x (B, T, 9)
        alone = ops.concatenate([alone["hits"], alone["velocities"], alone["offsets"]], axis=-1)  # (B, T, 27)
        return {**self.recall(heard, self.memory(heard, drums), training=training), "alone": alone}

    def generate(self, band, section_bars=None, choose=None, sample=None) -> dict[str, np.ndarray]:
        """Play to a band of any length, without being told any true drums.

        Parameters
        ----------
        band : dict of ``piano``, ``guitar``, ``bass``, each (B, T, 128)
        choose
            A function that makes of the three heads at a step, each (B, 9), what is really played there; or a
            ``drummer.Sampler``, which can draw again with the same luck. With it, the drummer remembers what he
            played. Without it, he answers for all steps at once what the band alone makes likely.
        section_bars, sample
            Of no use here: there are no sub-sequences, and no z to draw.

        Returns
        -------
        dict of ``hits`` (probabilities, or what was chosen), ``velocities``, ``offsets``, each an array (B, T, 9)
        """
        batch, length = np.shape(band["bass"])[:2]
        rolls = {family: in_windows(band[family]) for family in FAMILIES}  # (B * W, 128, 128)
        parts = []
        for first in range(0, len(rolls["bass"]), HEARD_AT_ONCE):
            some = {family: roll[first : first + HEARD_AT_ONCE] for family, roll in rolls.items()}
            parts.append(ops.convert_to_numpy(self.encode(some)))
        heard = np.concatenate(parts)  # (B * W, 128, H)
        heard = heard.reshape(batch, -1, heard.shape[-1])  # (B, W * 128, H)
        if choose is None:
            heads = self.recall(heard)
        elif hasattr(choose, "uniform"):
            heads = self.bar_by_bar(heard, choose, length)
        else:
            heads = self.step_by_step(heard, choose, length)
        return {name: np.asarray(x)[:, :length] for name, x in heads.items()}

    def step_by_step(self, heard: np.ndarray, choose, length: int) -> dict[str, np.ndarray]:
        """Play ``length`` steps, one after the other, each knowing those before it. ``audible`` is (B, T, H)."""
        likeness = ops.convert_to_numpy(self.memory.attention_weights(heard))  # (B, K, 7)
        played = np.zeros((*heard.shape[:2], 3 * N), dtype=np.float32)
        for step in range(length):
            memory = history_features(played, step, likeness[:, step // STEPS_PER_BAR])  # (B, 1, 27 + 190)
            heads = self.recall(heard[:, step : step + 1], memory)  # 3 x (B, 1, 9)
            heads = choose({name: x[:, 0] for name, x in heads.items()})
            played[:, step] = windows_side_by_side(heads)
        return dict(zip(("hits", "velocities", "offsets"), np.split(played, 3, axis=-1), strict=True))

    def bar_by_bar(self, heard: np.ndarray, drawing, length: int) -> dict[str, np.ndarray]:
        """The same as ``step_by_step``, sooner, where every step's luck is known before it is played.

        He draws a whole bar at once, as if it were silent; hears what he played, and draws it again with the same
        luck; until nothing changes. Then every step has been drawn knowing the steps before it, which is what
        playing step by step means. A bar needs some five rounds instead of sixteen steps.
        """
        likeness = ops.convert_to_numpy(self.memory.attention_weights(heard))  # (B, K, 7)
        played = np.zeros((*heard.shape[:2], 3 * N), dtype=np.float32)
        for first in range(0, length, STEPS_PER_BAR):
            bar = slice(first, first + STEPS_PER_BAR)
            luck = drawing.uniform(STEPS_PER_BAR, len(heard), N).swapaxes(0, 1)  # (B, 16, 9)
            for _ in range(STEPS_PER_BAR + 1):
                memory = history_features(played, first, likeness[:, first // STEPS_PER_BAR], STEPS_PER_BAR)
                again = windows_side_by_side(drawing.sample(self.recall(heard[:, bar], memory), luck))  # (B, 16, 27)
                if np.array_equal(again, played[:, bar]):
                    break
                played[:, bar] = again
        return dict(zip(("hits", "velocities", "offsets"), np.split(played, 3, axis=-1), strict=True))


def windows_side_by_side(heads: dict) -> np.ndarray:
    """Three heads (..., 9) as one array (..., 27)."""
    return np.concatenate([ops.convert_to_numpy(heads[name]) for name in ("hits", "velocities", "offsets")], axis=-1)


def in_windows(roll: np.ndarray) -> np.ndarray:
    """A roll of any length cut into windows of eight bars, which is what he learned to listen to, the last one filled
    up with silence: (B, T, 128) -> (B * W, 128, 128). What is shorter than a window stays in bars.
    """
    roll = np.asarray(roll)
    size = min(WINDOW_STEPS, -(-roll.shape[1] // STEPS_PER_BAR) * STEPS_PER_BAR)
    return np.pad(roll, ((0, 0), (0, -roll.shape[1] % size), (0, 0))).reshape(-1, size, roll.shape[-1])


def history_features(played: np.ndarray, first: int, likeness: np.ndarray, steps: int = 1) -> np.ndarray:
    """What ``DrumHistory`` gives for some steps of one bar, from ``first`` on: (B, T, 27) -> (B, steps, 27 + 190).

    ``played`` is what was played so far, and silence after it; ``attention_weights`` is the bar's, (B, 7).
    """
    now = np.arange(first, first + steps)

    def at(distance: int) -> np.ndarray:  # (B, steps, 27)
        there = now >= distance
        return played[:, np.where(there, now - distance, 0)] * there[:, None]

    alike = sum(likeness[:, n - 1, None, None] * at(n * STEPS_PER_BAR) for n in BARS_BACK)  # (B, steps, 27)
    there = np.broadcast_to(now[:, None] >= np.array(LAGS), (len(played), steps, len(LAGS)))  # (B, steps, 19)
    return np.concatenate([alike, *(at(lag)[..., :N] for lag in LAGS), there.astype(np.float32)], axis=-1)
