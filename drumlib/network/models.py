"""The drummer network as a whole, and the presets it is built from."""

import random
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.network.layers import Bottleneck, Conductor, Decoder, Encoder


@dataclass(frozen=True)
class Preset:
    """What a network is made of. The defaults are the thesis's (4.2)."""

    name: str = "thesis"
    filters: tuple[int, int] = (32, 64)  # of the two convolutions
    encoder_units: int = 200  # of the bidirectional LSTM, each way
    merged: int = 500  # the layer that joins the three instruments
    latent: int = 256  # dimensions of z
    conductor_units: int = 256  # as many as z has, since the conductor is fed its own output
    decoder_units: int = 256
    noise: float = 0.25  # Gaussian dropout before the heads
    kl_weight: float = 1.0  # of the Kullback-Leibler divergence in the loss; a training plan may set another
    section_bars: int = 2  # bars in a sub-sequence: the conductor speaks this often


PRESETS = {"thesis": Preset()}


class DrummerNetwork(keras.Model):
    """Hears eight bars of piano, guitar and bass; plays eight bars of drums.

    One set of weights serves both ways of using it. Calling the network is teacher forcing: it is told the true drums
    and predicts each step from the true one before. ``generate`` plays on its own, step by step, on its own word.

    Input is a dictionary: ``piano``, ``guitar``, ``bass``, each (B, T, 128), and for teacher forcing ``drums``,
    (B, T, 27). T is a multiple of the sub-sequence, 32 steps. Output is a dictionary: ``hits``, ``velocities``,
    ``offsets``, each (B, T, 9).
    """

    def __init__(self, preset: Preset = PRESETS["thesis"], seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.encoders = {family: Encoder(preset.filters, preset.encoder_units, name=family) for family in FAMILIES}
        for family, encoder in self.encoders.items():
            setattr(self, family, encoder)
        self.bottleneck = Bottleneck(preset.merged, preset.latent, preset.kl_weight, seed, name="bottleneck")
        self.conductor = Conductor(preset.conductor_units, name="conductor")
        self.decoder = Decoder(preset.decoder_units, len(DRUMS), preset.noise, seed, name="decoder")
        for encoder in self.encoders.values():
            encoder.build((None, None, 128))
        self.bottleneck.build((None, len(FAMILIES) * 2 * preset.encoder_units))
        self.conductor.build((None, preset.latent))
        self.decoder.build((None, preset.conductor_units))
        self.built = True

    def hear(self, band):
        """The three instruments' summaries side by side: (B, T, 128) each -> (B, 1200)."""
        heard = [encoder(ops.cast(band[family], "float32")) for family, encoder in self.encoders.items()]
        return ops.concatenate(heard, axis=-1)

    def call(self, inputs, training=False):
        steps = STEPS_PER_BAR * self.preset.section_bars  # S
        drums = ops.cast(inputs["drums"], "float32")
        batch, subsequences = ops.shape(drums)[0], drums.shape[1] // steps
        z = self.bottleneck(self.hear(inputs), training=training)  # (B, 256)
        plan = self.conductor(z, subsequences=subsequences)  # (B, U, 256)
        # Sub-sequences do not need each other, so they stand side by side in the batch.
        plan = ops.reshape(plan, (batch * subsequences, plan.shape[-1]))  # (B, U, 256) -> (B * U, 256)
        drums = ops.reshape(drums, (batch * subsequences, steps, drums.shape[-1]))  # (B, T, 27) -> (B * U, S, 27)
        played = self.decoder(plan, drums, training=training)  # 3 x (B * U, S, 9)
        return {name: ops.reshape(x, (batch, subsequences * steps, x.shape[-1])) for name, x in played.items()}

    def generate(self, band, section_bars=None, choose=None, sample=None) -> dict[str, np.ndarray]:
        """Play to a band of any length, without being told any true drums.

        Parameters
        ----------
        band : dict of ``piano``, ``guitar``, ``bass``, each (B, T, 128)
        section_bars
            How many bars the lower decoder plays by itself before the conductor speaks again; as in training (2) if
            not given. The thesis trained with 2 and played with 1 (4.4).
        choose
            A function that makes of the three heads at a step, each (B * U, 9), what is really played there. If not
            given, the network's own probabilities, velocities and offsets are taken as they are, as the thesis does.
            Either way, it is what the network is told next.
        sample
            A seed: draw z from the posterior with it. If not given, z is the posterior's mean.

        Returns
        -------
        dict of ``hits`` (probabilities), ``velocities``, ``offsets``, each an array (B, T, 9)
        """
        batch, length = np.shape(band["bass"])[:2]
        steps = min(length, STEPS_PER_BAR * (section_bars or self.preset.section_bars))  # S
        subsequences = -(-length // steps)  # U, the last one perhaps longer than needed
        z = self.bottleneck(self.hear(band), sample=sample)  # (B, 256)
        plan = self.conductor(z, subsequences=subsequences)  # (B, U, 256)
        vector = ops.reshape(plan, (batch * subsequences, plan.shape[-1]))  # (B, U, 256) -> (B * U, 256)
        states, played = self.decoder.start(vector), []
        before = ops.zeros((batch * subsequences, 3 * len(DRUMS)))  # every sub-sequence begins as if after silence
        for _ in range(steps):
            heads, states = self.decoder.step(before, vector, states)
            heads = choose(heads) if choose else heads
            played.append(heads)
            before = ops.concatenate([heads["hits"], heads["velocities"], heads["offsets"]], axis=-1)
        rhythm = {}
        for name in played[0]:
            x = np.stack([ops.convert_to_numpy(heads[name]) for heads in played], axis=1)  # (B * U, S, 9)
            rhythm[name] = x.reshape(batch, subsequences * steps, -1)[:, :length]  # (B, T, 9)
        return rhythm


def build(preset: str = "thesis", seed: int = 0) -> DrummerNetwork:
    """A network with fresh weights, drawn with ``seed``.

    Raises
    ------
    ValueError
        If there is no preset of that name.
    """
    if preset not in PRESETS:
        raise ValueError(f"no preset {preset!r}: there is {', '.join(PRESETS)}")
    before = random.getstate(), np.random.get_state()
    keras.utils.set_random_seed(seed)
    network = DrummerNetwork(PRESETS[preset], seed, name=preset)
    random.setstate(before[0])  # whoever calls us keeps his own random numbers
    np.random.set_state(before[1])
    return network


def play_all(network: DrummerNetwork, windows, order=None, batch: int = 256) -> np.ndarray:
    """What the network plays by itself to the bands of many windows (``data.windows.Windows``), in this order.

    Returns hits (probabilities), velocities and offsets side by side: (windows, T, 27), in half precision.
    """
    order = np.arange(len(windows)) if order is None else order
    played = []
    for first in range(0, len(order), batch):
        heads = network.generate(windows.batch(order[first : first + batch]))
        played.append(np.concatenate(list(heads.values()), axis=-1).astype("float16"))  # 3 x (B, T, 9) -> (B, T, 27)
    return np.concatenate(played)
