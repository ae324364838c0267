"""Networks with fresh weights: the same seed gives the same ones, and nobody else's random numbers change."""

import random

import keras
import numpy as np


def build_seeded(kind, preset, seed: int = 0, name: str | None = None):
    """A network of a kind, such as ``DrummerNetwork``, made as its preset says, with weights drawn with ``seed``.

    It is called ``name``, or else as its preset is.
    """
    before = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    network = kind(preset, seed, name=name or preset.name)
    random.setstate(before[0])  # whoever calls us keeps his own random numbers
    np.random.set_state(before[1])
    return network
