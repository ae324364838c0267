"""The network behind the preset ``adversary``: a critic that tells real drummers from a network, given the song.

What goes where::

    band  -> Ears -> Listening ---+
                                  +-> Listening -> one number a bar -> their mean: the log odds for "real"
    drums -> what, what is new ---+

The thesis wishes for it (5.4): cell by cell scores say little about music, so let a network judge, as in a GAN
(Goodfellow et al. 2014). It learns from *line-ups*: the real drummer of a song, and beside him either drums that a
network drew for the same band, or what another song's drummer played. Who does not listen cannot tell the latter.

It serves in two ways: to choose among several performances (``judge``), where the thesis compares with a rock beat
(4.4); and to tell a network in training what it would have found out (``CriticTunedModel``).

A critic finds the cheapest clue. A network's velocities and offsets are fractions, a sequenced song's velocities are
whole numbers of 127 and three quarters of its strokes lie exactly on the grid: that would settle it, and teach
nothing. So the critic hears hits alone, which are 0 or 1 on both sides; a preset may have it hear everything, and then
it hears dynamics in eight grades and timing in eighths of a step, whoever played. Both drummers of a line-up play to
the very same rolls.

Letters in the shape comments: B windows, T steps, K bars (16 * K = T), H units.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import keras
import numpy as np
from keras import ops

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.data.windows import Windows
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.network.band_conv.model import BandEncoder, BandFeatures
from drumlib.network.batches import Batches
from drumlib.network.fresh import build_seeded
from drumlib.network.registry import generate_windows
from drumlib.network.steps import lagged
from drumlib.network.training import compile_network, compile_with, run
from drumlib.network.training_config import TrainingConfig
from drumlib.network.weights import load_shipped

N = len(DRUMS)
GRADES = 8
"""How finely a critic hears loudness and timing, if it hears them: in eighths of the loudest, in eighths of a step."""


@dataclass(frozen=True)
class CriticPreset:
    """What a critic is made of."""

    name: str = "adversary"
    units: int = 48  # few: it would know the songs by heart
    dilations: tuple[int, ...] = (1, 4, 16)  # of each convolution: neighbouring steps, beats, bars
    band_dropout: float = 0.3  # dropout in both of its listening parts
    everything: bool = False  # whether it hears velocities and offsets, too
    clip: float | None = 1.0  # gradients are no longer than this
    decay: float = 0.01  # of the weights (AdamW)


CRITIC_CONFIG = TrainingConfig(
    epochs=6,
    batch=32,
    learning_rate=2e-3,
    instrument_dropout=0.1,
    kl_weight=0.0,
    rollout_share=0.0,
    lr_patience=2,
    patience=4,
)
"""How a critic is trained. A batch of 32 windows is 64 performances: each band is heard twice."""


class Critic(keras.Model):
    """Hears a band and drums; says how likely a real drummer played these to it.

    Input: ``piano``, ``guitar``, ``bass``, each (B, T, 128), and ``drums`` (B, T, 27) or hits alone, (B, T, 9). T is a
    multiple of 16; it learned from 128. Output: log odds, (B, 1); 0 is "I cannot tell".
    """

    def __init__(self, preset: CriticPreset = CriticPreset(), seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.ears = BandFeatures(name="ears")
        self.listening = BandEncoder(preset, seed, name="listening")
        self.watching = BandEncoder(preset, seed + 100, name="watching")
        self.verdict = keras.layers.Dense(1, name="verdict")
        self.listening.build((None, None, 5 * len(FAMILIES) + STEPS_PER_BAR))
        self.watching.build((None, None, preset.units + (6 if preset.everything else 2) * N))
        self.verdict.build((None, None, preset.units))
        self.built = True

    def watch(self, drums):
        """What is struck, and how it differs from the bar before: (B, T, 27) or (B, T, 9) -> (B, T, 18), or (B, T, 54).

        With ``everything`` the same of velocities and offsets, coarsely: how loud in eighths, how late in eighths.
        """
        drums = ops.cast(drums, "float32")
        if self.preset.everything:
            hits, velocities, offsets = ops.split(drums, 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
            loud = hits * ops.ceil(velocities * GRADES) / GRADES
            seen = ops.concatenate([hits, loud, hits * ops.round(offsets * GRADES) / GRADES], axis=-1)  # (B, T, 27)
        else:
            seen = drums[..., :N]  # (B, T, 27) -> (B, T, 9)
        return ops.concatenate([seen, ops.abs(seen - lagged(seen, STEPS_PER_BAR))], axis=-1)

    def bars(self, inputs, training=False):
        """The log odds bar by bar: (B, K)."""
        heard = self.listening(self.ears(inputs), training=training)  # (B, T, H)
        both = ops.concatenate([heard, self.watch(inputs["drums"])], axis=-1)  # (B, T, H + 18)
        x = self.watching(both, training=training)  # (B, T, H)
        batch, length, units = ops.shape(x)[0], ops.shape(x)[1], x.shape[-1]
        x = ops.mean(ops.reshape(x, (batch, length // STEPS_PER_BAR, STEPS_PER_BAR, units)), axis=2)  # (B, K, H)
        return self.verdict(x)[..., 0]  # (B, K, 1) -> (B, K)

    def call(self, inputs, training=False):
        return ops.mean(self.bars(inputs, training=training), axis=1, keepdims=True)  # (B, K) -> (B, 1)


class CriticBatches(keras.utils.PyDataset):
    """Line-ups: batches of (bands and drums, which of the drums are real), every window once with each kind of drums.

    Parameters
    ----------
    windows : real songs, of at least two songs.
    drawn : what networks played to these windows, (sets, windows, 128, 27); one of the sets is drawn each time.
    seed : numbers that decide who stands beside the real drummer; the same numbers, the same line-ups.
    others : how often it is another song's drummer, not a network.
    vary : whether tracks are drawn, bands transposed and muted, as ``Windows.batch`` does with random numbers.
    """

    def __init__(self, windows: Windows, drawn, seed, order=None, batch=32, others=0.5, vary=None):
        super().__init__()
        if windows.song_count < 2:
            raise ValueError("line-ups need at least two songs: another song's drummer must come from somewhere")
        self.windows, self.drawn, self.seed, self.batch, self.others = windows, drawn, seed, batch, others
        self.order, self.vary = np.arange(len(windows)) if order is None else order, vary

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch)

    def __getitem__(self, i: int):
        numbers = self.order[i * self.batch : (i + 1) * self.batch]
        rng = np.random.default_rng([*self.seed, i])
        given = self.windows.batch(numbers) if self.vary is None else self.windows.batch(numbers, rng, **self.vary)
        beside = np.stack([self.beside(number, rng) for number in numbers])  # (B, 128, 27)
        inputs = {family: np.concatenate([given[family]] * 2) for family in FAMILIES}  # 3 x (2 * B, 128, 128)
        inputs["drums"] = np.concatenate([given["drums"], beside]).astype("float32")  # (2 * B, 128, 27)
        return inputs, np.repeat([[1.0], [0.0]], len(numbers), axis=0).astype("float32")  # (2 * B, 1)

    def beside(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Who stands beside the real drummer of this window: drums (128, 27)."""
        if rng.random() >= self.others:
            return self.drawn[rng.integers(len(self.drawn))][number]
        songs = self.windows.index[:, 0]
        s, i = self.windows.index[rng.choice(np.flatnonzero(songs != songs[number])), :2].tolist()
        return self.windows.grid_songs[s].groove(i).to_array()


def sampled_drums(network, windows: Windows, choosers: Sequence) -> np.ndarray:
    """What a network plays to every window with each of these ways to choose notes, such as ``drummer.Sampler``:
    (ways, windows, 128, 27).
    """
    return np.stack([generate_windows(network, windows, choose=choose) for choose in choosers])


def judge_all(critic: Critic, windows: Windows, drums: np.ndarray, order=None, batch: int = 128) -> np.ndarray:
    """The log odds of many performances: (windows,). ``drums`` (windows, 128, 27) are heard with the bands of the
    windows with the numbers ``order``; if it is not given, of each one's own."""
    order, verdicts = np.arange(len(windows)) if order is None else order, []
    for first in range(0, len(order), batch):
        given = windows.batch(order[first : first + batch]) | {"drums": drums[first : first + batch].astype("float32")}
        verdicts.append(ops.convert_to_numpy(critic(given))[:, 0])  # (B,)
    return np.concatenate(verdicts)


def judge(critic: Critic, band: dict, drums: np.ndarray) -> np.ndarray:
    """How real drums sound bar by bar, in log odds, in a song of any length: (B, T, ...) -> (B, bars).

    The critic hears eight bars at a time, as it learned to. If bars are left at the end, the last eight are heard
    together, so that nothing is filled up; a shorter song is heard at once. A bar that is not whole is filled up.
    """
    given = {**{family: np.asarray(band[family]) for family in FAMILIES}, "drums": np.asarray(drums)}
    short = -given["drums"].shape[1] % STEPS_PER_BAR
    given = {name: np.pad(x, ((0, 0), (0, short), (0, 0))) for name, x in given.items()}
    length = given["drums"].shape[1]  # T, now a multiple of 16
    size = min(length, WINDOW_STEPS)
    found = np.zeros((len(given["drums"]), length // STEPS_PER_BAR), dtype="float32")  # (B, K)
    for first in reversed([*range(0, length - size + 1, size), *([length - size] if length % size else [])]):
        verdict = critic.bars({name: x[:, first : first + size] for name, x in given.items()})  # (B, 8)
        found[:, first // STEPS_PER_BAR : (first + size) // STEPS_PER_BAR] = ops.convert_to_numpy(verdict)
    return found


def build_critic(preset: CriticPreset = CriticPreset(), seed: int = 0) -> Critic:
    """A critic with fresh weights, drawn with ``seed``."""
    return build_seeded(Critic, preset, seed)


@lru_cache(maxsize=1)
def pretrained_critic() -> Critic:
    """The critic with the weights that ship with this package. It is built once and kept.

    Raises ValueError if none are shipped.
    """
    critic = build_critic()
    load_shipped(critic, critic.preset.name)
    return critic


def train_critic(training, validation, out, preset=CriticPreset(), plan=CRITIC_CONFIG, resume=False, verbose="auto"):
    """Train a critic, or go on with it; return it as it was in its last epoch, and the history of training.

    ``training`` and ``validation`` are pairs: windows, and what networks drew for them (``sampled_drums``). What lies
    in the folder ``out``, and what is raised, are as in ``training.run``.
    """
    critic = build_critic(preset, plan.seed)
    accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    compile_with(critic, plan, keras.losses.BinaryCrossentropy(from_logits=True), metrics=[accuracy])
    vary = {"transpose": plan.transpose, "mute": plan.instrument_dropout}

    def lineups(epoch: int, rng: np.random.Generator) -> CriticBatches:
        return CriticBatches(*training, (plan.seed, epoch), rng.permutation(len(training[0])), plan.batch, vary=vary)

    settings = {
        "preset": preset.name,
        "everything": preset.everything,
        "windows": {"train": len(training[0]), "validation": len(validation[0])},
        "songs": {"train": training[0].song_count, "validation": validation[0].song_count},
        "drawn sets": len(training[1]),
    }
    checking = CriticBatches(*validation, (plan.seed,), batch=plan.batch)
    return critic, run(critic, out, plan, lineups, checking, settings, resume, verbose)


class CriticTunedModel(keras.Model):
    """A listening network, told in training what a critic says of its own playing.

    Beside what ``BandConvNetwork`` is given, it is given ``own`` (B, T, 27): a performance that it drew itself. It says
    how likely it would go on like that at every step; the critic judges the performance; and its verdict flows back
    from the strokes to their probabilities as if each were its probability (straight-through: Bengio et al. 2013).
    What it played before a step is taken as it is. The critic does not learn, and its weights are not among this
    model's.
    """

    def __init__(self, network, critic: Critic, weight: float, **options):
        super().__init__(**options)
        if critic.preset.everything:
            raise ValueError("a critic that hears everything hears in steps: nothing can flow back through it")
        self.network, self.weight, self.preset = network, weight, network.preset
        self.ask = lambda inputs: critic(inputs, training=False)  # a function, for layers become part of the model
        self.built = True

    def call(self, inputs, training=False):
        if training and self.weight and "own" in inputs:
            own = ops.cast(inputs["own"], "float32")
            p = self.network({**inputs, "drums": own}, training=True)["hits"]  # (B, T, 9)
            struck = own[..., :N] + p - ops.stop_gradient(p)  # the strokes, with the gradient of the probabilities
            verdict = self.ask({**inputs, "drums": struck})  # (B, 1)
            self.add_loss(self.weight * ops.mean(ops.softplus(-verdict)))  # it costs to be found out
        return self.network(inputs, training=training)


class RolloutBatches(Batches):
    """Batches with the network's own performances of the windows beside them, as ``own``."""

    def __init__(self, windows, performances: np.ndarray, **options):
        super().__init__(windows, **options)
        self.performances = performances  # (windows, 128, 27)

    def __getitem__(self, i: int):
        inputs, targets = super().__getitem__(i)
        numbers = self.order[i * self.batch : (i + 1) * self.batch]
        return {**inputs, "own": self.performances[numbers].astype("float32")}, targets


def tune(
    network,
    critic,
    training: Windows,
    validation: Windows,
    out,
    plan: TrainingConfig,
    weight: float,
    choose: Callable,
    resume=False,
) -> dict:
    """Train a network on with a critic at its ear, in place, and return the history. With weight 0, without one.

    Each epoch begins with a performance of every training window by the network as it is then; ``choose`` gives for an
    epoch, counted from 0, the way to choose its notes, such as a ``drummer.Sampler``. The validation loss is the
    network's own, without the critic. What lies in ``out`` is as in ``training.run``.
    """
    tuned = CriticTunedModel(network, critic, weight, name="tuned")
    compile_network(tuned, plan)
    loss = network.preset.loss

    def batches(epoch: int, rng: np.random.Generator) -> RolloutBatches:
        own = generate_windows(network, training, choose=choose(epoch))
        vary = {"transpose": plan.transpose, "mute": plan.instrument_dropout}
        order = rng.permutation(len(training))
        return RolloutBatches(training, own, batch=plan.batch, order=order, rng=rng, loss=loss, **vary)

    settings = {"preset": network.preset.name, "critic": critic.preset.name, "weight": weight}
    return run(tuned, out, plan, batches, Batches(validation, plan.batch, loss=loss), settings, resume, verbose=2)
