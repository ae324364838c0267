"""Critic: a discriminator between real drums and a network's, given the band (preset ``critic``).

::

    band  -> BandFeatures -> BandEncoder ---+
                                            +-> BandEncoder -> one logit a bar -> their mean: the log odds of "real"
    drums -> drums, change from bar before -+

The thesis wishes for it (5.4): scores cell by cell say little about music, so let a network judge, as in a GAN
(Goodfellow et al. 2014). It is trained on *line-ups*: the real drums of a song beside drums that a network sampled for
the same band, or the drums of another song, which can only be told by listening to the band.

It serves in two ways: to choose among several performances (``judge``), where the thesis compares with a rock beat
(4.4); and as a term in the loss of a network that is trained further (``CriticTunedModel``).

A discriminator uses the easiest difference. A network's velocities and offsets are fractions, a sequenced song's
velocities are whole numbers of 127, and three quarters of its notes lie exactly on the grid: these would suffice, and
teach nothing. So the critic sees hits only, which are 0 or 1 on both sides; or, with ``everything``, velocities in
eight grades and offsets in eighths of a step for both. Both sides of a line-up have the same band.

Letters in the shape comments: B windows, T steps, K bars (16 * K = T), H units.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.data.windows import Windows
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.network.band_conv.model import BandEncoder, BandFeatures
from drumlib.network.batches import Batches
from drumlib.network.registry import Kind, generate_windows, register
from drumlib.network.steps import lagged
from drumlib.network.training import compile_network, run
from drumlib.network.training_config import TrainingConfig

N = len(DRUMS)
GRADES = 8
"""Quantisation of velocities and offsets with ``everything``: eighths of the loudest, eighths of a step."""


@dataclass(frozen=True)
class CriticPreset:
    """The hyperparameters of ``Critic``."""

    name: str = "critic"
    units: int = 48  # few, against overfitting to songs
    dilations: tuple[int, ...] = (1, 4, 16)  # of each convolution: neighbouring steps, beats, bars
    band_dropout: float = 0.3  # in both encoders
    everything: bool = False  # whether velocities and offsets are inputs, too


CRITIC_CONFIG = TrainingConfig(
    epochs=6,
    batch=32,
    learning_rate=2e-3,
    clipnorm=1.0,
    weight_decay=0.01,
    instrument_dropout=0.1,
    kl_weight=0.0,
    rollout_share=0.0,
    lr_patience=2,
    patience=4,
)
"""The training configuration of critics. A batch of 32 windows is 64 performances: each band comes twice."""


class Critic(keras.Model):
    """Discriminator: the log odds, (B, 1), that drums are a real drummer's, given the band. 0 is "undecided".

    Input: ``piano``, ``guitar``, ``bass``, each (B, T, 128), and ``drums`` (B, T, 27) or hits only, (B, T, 9). T is a
    multiple of 16; it was trained with 128.
    """

    def __init__(self, preset: CriticPreset = CriticPreset(), seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.band_features = BandFeatures(name="band_features")
        self.band_encoder = BandEncoder(preset, seed, name="band_encoder")
        self.joint_encoder = BandEncoder(preset, seed + 100, name="joint_encoder")
        self.logit = keras.layers.Dense(1, name="logit")
        self.band_encoder.build((None, None, 5 * len(FAMILIES) + STEPS_PER_BAR))
        self.joint_encoder.build((None, None, preset.units + (6 if preset.everything else 2) * N))
        self.logit.build((None, None, preset.units))
        self.built = True

    def drum_features(self, drums):
        """The hits and their change from the bar before: (B, T, 27) or (B, T, 9) -> (B, T, 18), or (B, T, 54).

        With ``everything``, velocities and offsets too, quantised to eighths.
        """
        drums = ops.cast(drums, "float32")
        if self.preset.everything:
            hits, velocities, offsets = ops.split(drums, 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
            velocities = hits * ops.ceil(velocities * GRADES) / GRADES
            x = ops.concatenate([hits, velocities, hits * ops.round(offsets * GRADES) / GRADES], axis=-1)  # (B, T, 27)
        else:
            x = drums[..., :N]  # (B, T, 27) -> (B, T, 9)
        return ops.concatenate([x, ops.abs(x - lagged(x, STEPS_PER_BAR))], axis=-1)

    def bars(self, inputs, training=False):
        """The log odds of each bar: (B, K)."""
        encoded = self.band_encoder(self.band_features(inputs), training=training)  # (B, T, H)
        both = ops.concatenate([encoded, self.drum_features(inputs["drums"])], axis=-1)  # (B, T, H + 18)
        x = self.joint_encoder(both, training=training)  # (B, T, H)
        batch, length, units = ops.shape(x)[0], ops.shape(x)[1], x.shape[-1]
        x = ops.mean(ops.reshape(x, (batch, length // STEPS_PER_BAR, STEPS_PER_BAR, units)), axis=2)  # (B, K, H)
        return self.logit(x)[..., 0]  # (B, K, 1) -> (B, K)

    def call(self, inputs, training=False):
        return ops.mean(self.bars(inputs, training=training), axis=1, keepdims=True)  # (B, K) -> (B, 1)


@dataclass(frozen=True)
class LineUps:
    """What a critic is trained on: ``windows`` of at least two songs, and ``sampled`` performances of them.

    ``sampled`` is what networks played to these windows, (sets, windows, 128, 27): see ``sampled_drums``.
    """

    windows: Windows
    sampled: np.ndarray

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def song_count(self) -> int:
        return self.windows.song_count

    @property
    def settings(self) -> dict:
        """What must be the same when a training is resumed."""
        return {"sampled_sets": len(self.sampled)}


class CriticBatches(keras.utils.PyDataset):
    """Batches of (bands and drums, whether the drums are real), every window once with real and once with other drums.

    Parameters
    ----------
    lineups : windows, and sampled performances of them; one of the sets is chosen for each window.
    seed : numbers that seed the choice of the other drums; the same numbers give the same batches.
    others : the probability that the other drums are another song's, not a network's.
    augmentation : ``transpose`` and ``instrument_dropout`` of ``Windows.batch``; None: the windows as they are.
    """

    def __init__(self, lineups: LineUps, seed, order=None, batch=32, others=0.5, augmentation=None):
        super().__init__()
        if lineups.song_count < 2:
            raise ValueError("line-ups need at least two songs: another song's drummer must come from somewhere")
        self.windows, self.sampled = lineups.windows, lineups.sampled
        self.seed, self.batch, self.others, self.augmentation = seed, batch, others, augmentation
        self.order = np.arange(len(lineups)) if order is None else order

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch)

    def __getitem__(self, i: int):
        numbers = self.order[i * self.batch : (i + 1) * self.batch]
        rng = np.random.default_rng([*self.seed, i])
        augmentation = () if self.augmentation is None else (rng, *self.augmentation)
        given = self.windows.batch(numbers, *augmentation)
        others = np.stack([self.other_drums(number, rng) for number in numbers])  # (B, 128, 27)
        inputs = {family: np.concatenate([given[family]] * 2) for family in FAMILIES}  # 3 x (2 * B, 128, 128)
        inputs["drums"] = np.concatenate([given["drums"], others]).astype("float32")  # (2 * B, 128, 27)
        return inputs, np.repeat([[1.0], [0.0]], len(numbers), axis=0).astype("float32")  # (2 * B, 1)

    def other_drums(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """Drums that are not this window's real ones: a network's, or another song's, (128, 27)."""
        if rng.random() >= self.others:
            return self.sampled[rng.integers(len(self.sampled))][number]
        songs = self.windows.index[:, 0]
        s, i = self.windows.index[rng.choice(np.flatnonzero(songs != songs[number])), :2].tolist()
        return self.windows.grid_songs[s].groove(i).to_array()


def critic_objective(preset) -> dict:
    """Binary cross-entropy, and accuracy."""
    accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    return {"loss": keras.losses.BinaryCrossentropy(from_logits=True), "metrics": [accuracy]}


def critic_batches(network, lineups: LineUps, config: TrainingConfig, epoch=None, rng=None) -> CriticBatches:
    """Batches of line-ups: with ``rng`` to train on, without to validate on."""
    if rng is None:
        return CriticBatches(lineups, (config.seed,), batch=config.batch)
    augmentation = (config.transpose, config.instrument_dropout)
    order = rng.permutation(len(lineups))
    return CriticBatches(lineups, (config.seed, epoch), order, config.batch, augmentation=augmentation)


register(Kind(Critic, critic_objective, critic_batches, "line-ups"), CriticPreset(), config=CRITIC_CONFIG)


def sampled_drums(network, windows: Windows, samplers: Sequence) -> np.ndarray:
    """What a network generates for every window with each ``sampling.Sampler``: (samplers, windows, 128, 27)."""
    return np.stack([generate_windows(network, windows, sampler=sampler) for sampler in samplers])


def judge_all(critic: Critic, windows: Windows, drums: np.ndarray, order=None, batch: int = 128) -> np.ndarray:
    """The log odds of many performances, (windows,). ``drums`` (windows, 128, 27) are judged with the bands of the
    windows with the numbers ``order``; with their own bands if it is None."""
    order, logits = np.arange(len(windows)) if order is None else order, []
    for first in range(0, len(order), batch):
        given = windows.batch(order[first : first + batch]) | {"drums": drums[first : first + batch].astype("float32")}
        logits.append(ops.convert_to_numpy(critic(given))[:, 0])  # (B,)
    return np.concatenate(logits)


def judge(critic: Critic, band: dict, drums: np.ndarray) -> np.ndarray:
    """The log odds of "real" for each bar of a song of any length: (B, T, ...) -> (B, bars).

    The critic judges eight bars at a time, as in training. The last eight bars are judged together, so that none is
    padded; a shorter song is judged at once. A bar that is not whole is zero-padded.
    """
    given = {**{family: np.asarray(band[family]) for family in FAMILIES}, "drums": np.asarray(drums)}
    short = -given["drums"].shape[1] % STEPS_PER_BAR
    given = {name: np.pad(x, ((0, 0), (0, short), (0, 0))) for name, x in given.items()}
    length = given["drums"].shape[1]  # T, now a multiple of 16
    size = min(length, WINDOW_STEPS)
    logits = np.zeros((len(given["drums"]), length // STEPS_PER_BAR), dtype="float32")  # (B, K)
    for first in reversed([*range(0, length - size + 1, size), *([length - size] if length % size else [])]):
        bars = critic.bars({name: x[:, first : first + size] for name, x in given.items()})  # (B, 8)
        logits[:, first // STEPS_PER_BAR : (first + size) // STEPS_PER_BAR] = ops.convert_to_numpy(bars)
    return logits


class CriticTunedModel(keras.Model):
    """A ``BandConvNetwork`` with an additional loss in training: a critic's judgement of its own performances.

    Beside the network's inputs it has ``rollout`` (B, T, 27), a performance that the network sampled. The network
    predicts every step of it; the critic judges it; and the gradient goes from the hits to their probabilities as
    if they were equal (straight-through estimator: Bengio et al. 2013). The notes before a step count as given. The
    critic's weights are not trained, and not among this model's.
    """

    def __init__(self, network, critic: Critic, weight: float, **options):
        super().__init__(**options)
        if critic.preset.everything:
            raise ValueError("a critic of everything quantises velocities and offsets: it has no gradient")
        self.network, self.weight, self.preset = network, weight, network.preset
        self.critic = lambda inputs: critic(inputs, training=False)  # a function, since layers become part of the model
        self.built = True

    def call(self, inputs, training=False):
        if training and self.weight and "rollout" in inputs:
            rollout = ops.cast(inputs["rollout"], "float32")
            p = self.network({**inputs, "drums": rollout}, training=True)["hits"]  # (B, T, 9)
            hits = rollout[..., :N] + p - ops.stop_gradient(p)  # the hits, with the gradient of the probabilities
            logits = self.critic({**inputs, "drums": hits})  # (B, 1)
            self.add_loss(self.weight * ops.mean(ops.softplus(-logits)))  # cross-entropy with the label "real"
        return self.network(inputs, training=training)


class RolloutBatches(Batches):
    """Batches with the network's own performances of the windows among the inputs, as ``rollout``."""

    def __init__(self, windows, performances: np.ndarray, *arguments, **options):
        super().__init__(windows, *arguments, **options)
        self.performances = performances  # (windows, 128, 27)

    def __getitem__(self, i: int):
        inputs, targets = super().__getitem__(i)
        numbers = self.order[i * self.batch : (i + 1) * self.batch]
        return {**inputs, "rollout": self.performances[numbers].astype("float32")}, targets


def tune(
    network,
    critic,
    training: Windows,
    validation: Windows,
    out,
    config: TrainingConfig,
    weight: float,
    sampler: Callable,
    resume=False,
) -> dict:
    """Train a network further with a critic in its loss, in place, and return the history. Weight 0: without a critic.

    Before each epoch the network performs every training window with ``sampler(epoch)``, a ``sampling.Sampler``; epochs
    are counted from 0. The validation loss is the network's own, without the critic. For ``out`` see ``training.run``.
    """
    tuned = CriticTunedModel(network, critic, weight, name="tuned")
    compile_network(tuned, config)
    loss = network.preset.loss

    def batches(epoch: int, rng: np.random.Generator) -> RolloutBatches:
        performances = generate_windows(network, training, sampler=sampler(epoch))
        order = rng.permutation(len(training))
        augmentation = (config.transpose, config.instrument_dropout)
        return RolloutBatches(training, performances, config.batch, order, rng, *augmentation, loss=loss)

    settings = {"preset": network.preset.name, "critic": critic.preset.name, "weight": weight}
    return run(tuned, out, config, batches, Batches(validation, config.batch, loss=loss), settings, resume, verbose=2)
