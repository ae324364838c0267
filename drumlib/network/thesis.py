"""The thesis's network (4.2) and its preset."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.network.layers import Bottleneck, Conductor, Decoder, Encoder, last_states


@dataclass(frozen=True)
class Preset:
    """The hyperparameters of the thesis's network (4.2). How it is trained is in ``TrainingConfig``."""

    name: str = "thesis"
    filters: tuple[int, int] = (32, 64)  # of the encoders' two convolutions
    encoder_units: int = 200  # of the encoders' LSTMs, in each direction
    merge_units: int = 500  # of the dense layer that joins the three encoders
    latent: int = 256  # dimensions of z
    conductor_units: int = 256  # must be latent: the conductor is fed z first, then its own output
    subsequence_bars: int = 2  # bars that the decoder decodes from one conductor vector
    decoder_units: int = 256  # of each of the decoder's two LSTMs
    noise: float = 0.25  # rate of the Gaussian dropout before the heads
    loss: str = "thesis"  # a name of losses.LOSSES
    thresholds: tuple[float, ...] = (0.60, 0.62, 0.64)  # tried in turn for playing (4.4)
    whole_song: bool = False  # generate takes whole songs at once; False: windows of eight bars, in a batch


class DrummerNetwork(keras.Model):
    """The thesis's network: eight bars of piano, guitar and bass to eight bars of drums, through one z.

    Calling the network is teacher forcing: each step is predicted from the true step before. ``generate`` runs freely:
    each step is fed the network's own output at the step before. Both use the same weights.

    Input is a dictionary: ``piano``, ``guitar``, ``bass``, each (B, T, 128), and for teacher forcing ``drums``,
    (B, T, 27). T is a multiple of the sub-sequence, 32 steps. Output is a dictionary: ``hits``, ``velocities``,
    ``offsets``, each (B, T, 9).

    Raises ValueError if the preset contradicts itself.
    """

    generation_options = ("subsequence_bars", "z_seed")

    def __init__(self, preset: Preset = Preset(), seed: int = 0, **options):
        super().__init__(**options)
        self.preset = preset
        self.check()
        self.add_layers(seed)
        self.built = True

    def check(self) -> None:
        if self.preset.conductor_units != self.preset.latent:
            raise ValueError(
                f"{self.preset.name}: the conductor is fed z, then its own output: conductor_units must be latent"
            )

    def add_layers(self, seed: int) -> None:
        """Make the layers and their weights, in the order of the forward pass."""
        preset = self.preset
        self.encoders = {family: Encoder(preset.filters, preset.encoder_units, name=family) for family in FAMILIES}
        for family, encoder in self.encoders.items():
            setattr(self, family, encoder)
            encoder.build((None, None, 128))
        self.bottleneck = Bottleneck(preset.merge_units, preset.latent, seed=seed, name="bottleneck")
        self.bottleneck.build((None, len(FAMILIES) * 2 * preset.encoder_units))
        self.conductor = Conductor(preset.conductor_units, name="conductor")
        self.conductor.build((None, preset.latent))
        self.decoder = Decoder(preset.decoder_units, 1, preset.noise, seed, name="decoder")
        self.decoder.build((None, preset.conductor_units))

    def encoder_states(self, band) -> list:
        """The encoders' states, half a bar apart: (B, T, 128) each -> 3 x (B, T/8 - 1, 400)."""
        return [encoder.encoder_states(ops.cast(band[family], "float32")) for family, encoder in self.encoders.items()]

    def summarize(self, states):
        """The encoders' last states, concatenated: 3 x (B, T/8 - 1, 400) -> (B, 1200)."""
        return ops.concatenate([last_states(x) for x in states], axis=-1)

    def encode(self, band):
        """The input of the bottleneck: (B, T, 128) of each instrument -> (B, 1200)."""
        return self.summarize(self.encoder_states(band))

    def conduct(self, z, subsequences):
        """One vector for each sub-sequence: (B, 256) -> (B, U, 256)."""
        return self.conductor(z, subsequences=subsequences)

    def call(self, inputs, training=False):
        drums = ops.cast(inputs["drums"], "float32")
        length, steps = drums.shape[1], STEPS_PER_BAR * self.preset.subsequence_bars  # T, S
        z = self.bottleneck(self.encode(inputs), training=training)  # (B, 1200) -> (B, 256)
        vectors = self.conduct(z, subsequences=length // steps)  # (B, U, 256)
        # Sub-sequences do not depend on each other, so all of them stand side by side in the batch.
        vectors = ops.reshape(vectors, (-1, vectors.shape[-1]))  # (B, U, 256) -> (B * U, 256)
        drums = ops.reshape(drums, (-1, steps, drums.shape[-1]))  # (B, T, 27) -> (B * U, S, 27)
        heads = self.decoder(vectors, drums, training=training)  # 3 x (B * U, S, 9)
        return {name: ops.reshape(x, (-1, length, len(DRUMS))) for name, x in heads.items()}  # 3 x (B, T, 9)

    def generate(self, inputs, sampler=None, subsequence_bars=None, z_seed=None) -> dict[str, np.ndarray]:
        """Free-running generation for a band of any length T.

        Parameters
        ----------
        inputs : dict of ``piano``, ``guitar``, ``bass``, each (B, T, 128)
        sampler : turns the heads of each step into notes, which are fed back (``inference.sampling.Sampler``). If None,
            the heads themselves are returned and fed back, as in the thesis.
        subsequence_bars : bars for each conductor vector; as in training (2) if None. The thesis used 1 here (4.4).
        z_seed : sample z from the posterior with this seed. If None, z is the posterior mean.

        Returns
        -------
        dict of ``hits`` (probabilities, or 0 and 1 from a sampler), ``velocities``, ``offsets``, each (B, T, 9)
        """
        length = np.shape(inputs["bass"])[1]  # T
        steps = min(length, STEPS_PER_BAR * (subsequence_bars or self.preset.subsequence_bars))  # S
        subsequences = -(-length // steps)  # U; the last one may be longer than needed
        z = self.bottleneck(self.encode(inputs), z_seed=z_seed)  # (B, 1200) -> (B, 256)
        vectors = self.conduct(z, subsequences=subsequences)  # (B, U, 256)
        vectors = ops.reshape(vectors, (-1, vectors.shape[-1]))  # (B, U, 256) -> (B * U, 256)
        heads = self.decoder.generate(vectors, steps, sampler)  # 3 x (B * U, S, 9)
        joined = {
            name: x.reshape(-1, subsequences * steps, len(DRUMS)) for name, x in heads.items()
        }  # 3 x (B, U * S, 9)
        return {name: x[:, :length] for name, x in joined.items()}  # 3 x (B, T, 9)
