"""Every kind of network by the name of its preset."""

import numpy as np

from drumlib.music.grid import STEPS_PER_BAR
from drumlib.network.band_conv.model import BandConvNetwork, BandConvPreset
from drumlib.network.fresh import build_seeded
from drumlib.network.thesis import DrummerNetwork, Preset

PRESETS = {
    preset.name: preset
    for preset in (
        Preset(),
        # Without the thesis's main idea: one decoder for all eight bars, which has z beside it at every step and
        # carries its state from the first to the last. This is what MusicVAE calls flat.
        Preset("flat", levels=1),
        # What the thesis tried first (4.1): "predicts a whole bar at a time". It says no more than that, and points to
        # TensorFlow's tutorial on time series. We read it so: still an autoregressive LSTM, and no conductor yet, but
        # one step of it is a bar, told the whole bar before. Inside a bar no note knows of another.
        Preset("multistep", levels=1, steps_at_once=STEPS_PER_BAR),
        # The thesis's first wish (5.4): sub-sequences of one bar, and another conductor over the first. The upper one
        # plans the large movements, the lower one each phrase's bars, the decoder the notes. A phrase is two bars,
        # what the thesis's only conductor had to plan by.
        Preset("three-level", levels=3, subsequence_bars=1),
        # Its second (5.4): two bidirectional LSTMs on top of each other in the encoder, as MusicVAE can have.
        Preset("stacked", encoder_layers=2),
        # What it left aside (4.1): a decoder that looks back at what the encoders heard.
        Preset("attention", attention=True),
        # What it wished for (3.3): any number of tracks of any family.
        Preset("any-band", any_band=True),
        # A drummer that listens; another kind of network, in a file of its own.
        BandConvPreset(),
    )
}


NETWORKS = {Preset: DrummerNetwork, BandConvPreset: BandConvNetwork}
"""Which network is built from a preset: a class for each kind of preset. It is made as ``(preset, seed, name=...)``."""


def build(preset: str = "thesis", seed: int = 0) -> DrummerNetwork:
    """A network with fresh weights, drawn with ``seed``.

    Raises
    ------
    ValueError
        If there is no preset of that name.
    """
    if preset not in PRESETS:
        raise ValueError(f"no preset {preset!r}: there is {', '.join(PRESETS)}")
    chosen = PRESETS[preset]
    return build_seeded(NETWORKS[type(chosen)], chosen, seed, preset)


def generate_windows(network, windows, order=None, batch: int = 256, choose=None) -> np.ndarray:
    """What the network plays by itself to the bands of many windows (``data.windows.Windows``), in this order, with
    ``choose`` as in ``generate``.

    Returns hits (probabilities), velocities and offsets side by side: (windows, T, 27), in half precision.
    """
    order = np.arange(len(windows)) if order is None else order
    played = []
    for first in range(0, len(order), batch):
        heads = network.generate(windows.batch(order[first : first + batch]), choose=choose)
        played.append(np.concatenate(list(heads.values()), axis=-1).astype("float16"))  # 3 x (B, T, 9) -> (B, T, 27)
    return np.concatenate(played)
