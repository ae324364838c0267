"""One registry of all networks: presets by name, and for each class of presets its network, losses and batches.

A further kind of network is added with ``register``; ``build``, ``pretrained`` and ``training.train`` then know its
presets.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import keras
import numpy as np

from drumlib.inference.histograms import RANGES
from drumlib.inference.presets import DEFAULT_PRESET, current_name
from drumlib.network.band_conv.model import HEADS, BandConvNetwork, BandConvPreset
from drumlib.network.batches import Batches
from drumlib.network.groove.groove_vae import GrooveVAE, GrooveVAEPreset, groove_batches
from drumlib.network.groove.humanizer import HUMANIZERS, Humanizer, crps_loss, humanizer_batches
from drumlib.network.losses import LOSS_WEIGHTS, LOSSES, summed_cross_entropy, summed_squared_error
from drumlib.network.thesis import DrummerNetwork, Preset
from drumlib.network.training_config import CONFIGS, TrainingConfig
from drumlib.network.variants.variants import VARIANTS, VariantNetwork
from drumlib.network.weights import load_or_shipped


@dataclass(frozen=True)
class Kind:
    """What the networks of one class of presets have in common.

    Attributes
    ----------
    network : the class of the network, called as ``network(preset, seed, name=...)``.
    objective : from a preset to losses, loss weights and metrics, the arguments of ``keras.Model.compile``.
    batches : ``batches(network, data, config, epoch, rng)`` are an epoch's batches; without ``epoch`` and ``rng``,
        those of validation.
    data : what ``data`` is: "songs" (``data.windows.Windows``), "grooves" (``data.groove_dataset.TwoBarWindows``), ...
    """

    network: Callable[..., keras.Model]
    objective: Callable[[Any], dict]
    batches: Callable[..., keras.utils.PyDataset]
    data: str


PRESETS: dict[str, Any] = {}
"""Every preset by its name."""

KINDS: dict[type, Kind] = {}
"""The kind of network of every class of presets."""


def register(kind: Kind, *presets, config: TrainingConfig | None = None) -> None:
    """Make presets known, with their kind, and with the training configuration that all of them have."""
    for preset in presets:
        KINDS[type(preset)], PRESETS[preset.name] = kind, preset
        if config:
            CONFIGS[preset.name] = config


def preset_names(data: str | None = None) -> list[str]:
    """The names of the presets, of all or of those that are trained on this kind of data."""
    return [name for name, preset in PRESETS.items() if data in (None, KINDS[type(preset)].data)]


def find_preset(preset, data: str | None = None):
    """The preset of this name, among those for a kind of data if given; a preset itself is returned as it is.

    Raises ValueError if there is none. Warns (FutureWarning) if the name is one of version 0.1.
    """
    if not isinstance(preset, str):
        return preset
    if (name := current_name(preset)) not in preset_names(data):
        raise ValueError(f"no preset {preset!r}: there is {', '.join(preset_names(data))}")
    return PRESETS[name]


def build(preset=DEFAULT_PRESET, seed: int = 0, data: str | None = None):
    """A network with fresh weights drawn with ``seed``, of a preset or the name of one (see ``find_preset``).

    The same seed gives the same weights; the global random state is left unchanged.
    """
    preset = find_preset(preset, data)
    before = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    network = KINDS[type(preset)].network(preset, seed, name=preset.name)
    random.setstate(before[0])
    np.random.set_state(before[1])
    return network


def pretrained(preset: str = DEFAULT_PRESET, data: str | None = None):
    """The network with the weights that ship with this package, built once and cached.

    Raises ValueError if there is no such preset, or no weights of it are shipped, or their checksum is wrong.
    """
    return _pretrained(find_preset(preset, data).name)


@lru_cache(maxsize=8)
def _pretrained(name: str):
    return load_or_shipped(build(name), name)


def generate_windows(network, windows, order=None, batch: int = 256, sampler=None) -> np.ndarray:
    """Free-running generation for many windows (``data.windows.Windows``), in this order, with ``sampler`` if given.

    Returns hits (probabilities, or 0 and 1), velocities and offsets, concatenated: (windows, T, 27), in half precision.
    """
    order = np.arange(len(windows)) if order is None else order
    played = []
    for first in range(0, len(order), batch):
        heads = network.generate(windows.batch(order[first : first + batch]), sampler)
        played.append(np.concatenate(list(heads.values()), axis=-1).astype("float16"))  # 3 x (B, T, 9) -> (B, T, 27)
    return np.concatenate(played)


def song_objective(preset) -> dict:
    """Losses of the preset, and accuracy, precision and recall of the hits (thesis, 5.1)."""
    metrics = [
        keras.metrics.BinaryAccuracy(name="accuracy"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
    ]
    return {"loss": LOSSES[preset.loss], "loss_weights": LOSS_WEIGHTS[preset.loss], "metrics": {"hits": metrics}}


def song_batches(network, windows, config: TrainingConfig, epoch=None, rng=None) -> Batches:
    """Batches of songs' windows: with ``rng`` augmented, shuffled and with rollouts; without it as they are."""
    loss = network.preset.loss
    if rng is None:
        return Batches(windows, config.batch, loss=loss)
    rollouts = generate_windows(network, windows) if config.rollout_share else None  # (windows, T, 27)
    order = rng.permutation(len(windows))[: config.windows or None]
    augmentation = (config.transpose, config.instrument_dropout)
    return Batches(windows, config.batch, order, rng, *augmentation, config.rollout_share, rollouts, loss)


def humanizer_objective(preset) -> dict:
    return {"loss": {name: crps_loss(name) for name in RANGES}}


def groove_vae_objective(preset) -> dict:
    losses = (summed_cross_entropy, summed_squared_error, summed_squared_error)
    return {"loss": dict(zip(HEADS, losses, strict=True))}


register(Kind(DrummerNetwork, song_objective, song_batches, "songs"), Preset())
register(Kind(VariantNetwork, song_objective, song_batches, "songs"), *VARIANTS)
register(Kind(BandConvNetwork, song_objective, song_batches, "songs"), BandConvPreset())
register(Kind(Humanizer, humanizer_objective, humanizer_batches, "grooves"), *HUMANIZERS)
register(Kind(GrooveVAE, groove_vae_objective, groove_batches, "grooves"), GrooveVAEPreset())
