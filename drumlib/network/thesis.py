"""The drummer network as a whole, and the presets it is built from."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.network.layers import Bottleneck, Conductor, Decoder, Encoder, last_states
from drumlib.network.variants.any_band import MultiTrackEncoder, tracks_of
from drumlib.network.variants.attention import AttentiveDecoder


@dataclass(frozen=True)
class Preset:
    """What a network is made of. The defaults are the thesis's (4.2)."""

    name: str = "thesis"
    filters: tuple[int, int] = (32, 64)  # of the two convolutions
    encoder_units: int = 200  # of the bidirectional LSTM, each way
    encoder_layers: int = 1  # bidirectional LSTMs on top of each other
    encoder_summary_states: int = (
        0  # half bars that the lower of two reads before it hands on one summary; 0: one for each
    )
    any_band: bool = False  # one encoder for any number of tracks, not one for each of three families
    merge_units: int = 500  # the layer that joins the three instruments
    latent: int = 256  # dimensions of z
    levels: int = 2  # of the way down from z: 1 the decoder, 2 a conductor above it, 3 another above that
    conductor_units: int = 256  # as many as z has, since the conductor is fed its own output
    phrase_subsequences: int = 2  # with 3 levels: sub-sequences in a phrase; the upper conductor speaks once a phrase
    subsequence_bars: int = 2  # bars in a sub-sequence: the conductor speaks this often (with 1 level: all is one)
    decoder_units: int = 256
    steps_at_once: int = 1  # that the decoder plays in one go, told as many before them; a bar has 16
    attention: bool = False  # the decoder looks at the song, not only at its conductor
    noise: float = 0.25  # Gaussian dropout before the heads
    loss: str = "thesis"  # a name of losses.LOSSES
    thresholds: tuple[float, ...] = (0.60, 0.62, 0.64)  # where its answers are cut, one after the other (4.4)
    whole_song: bool = False  # given whole songs to play to, not windows of eight bars side by side
    kl_weight: float = 1.0  # of the Kullback-Leibler divergence in the loss; in training, the plan's rules


class DrummerNetwork(keras.Model):
    """Hears eight bars of piano, guitar and bass; plays eight bars of drums.

    One set of weights serves both ways of using it. Calling the network is teacher forcing: it is told the true drums
    and predicts each step from the true one before. ``generate`` plays on its own, step by step, on its own word.

    Input is a dictionary: ``piano``, ``guitar``, ``bass``, each (B, T, 128), and for teacher forcing ``drums``,
    (B, T, 27). T is a multiple of the sub-sequence, 32 steps. Output is a dictionary: ``hits``, ``velocities``,
    ``offsets``, each (B, T, 9).

    With ``any_band``, the three may be replaced by ``tracks`` (B, N, T, 128), with ``families`` (B, N), numbers from
    0 to 3 for piano, guitar, bass and other, and, where some songs have fewer tracks than N, ``present`` (B, N).

    Raises ValueError if the preset contradicts itself.
    """

    def __init__(self, preset: Preset = Preset(), seed: int = 0, **options):
        super().__init__(**options)
        check(preset)
        self.preset = preset
        ears = (preset.filters, preset.encoder_units, preset.encoder_layers)
        if preset.any_band:
            self.encoders = {"encoder": MultiTrackEncoder(*ears, name="encoder")}
        else:
            self.encoders = {family: Encoder(*ears, preset.encoder_summary_states, name=family) for family in FAMILIES}
        for name, encoder in self.encoders.items():
            setattr(self, name, encoder)
            encoder.build((None, None, 128))
        summaries = 2 if preset.any_band else len(FAMILIES)  # mean and maximum, or one for each family
        heard = summaries * 2 * preset.encoder_units
        self.bottleneck = Bottleneck(preset.merge_units, preset.latent, preset.kl_weight, seed=seed, name="bottleneck")
        self.bottleneck.build((None, heard))
        for name in ("conductor", "phrases")[: preset.levels - 1]:
            setattr(self, name, Conductor(preset.conductor_units, name=name))
            getattr(self, name).build((None, preset.latent))
        hands = (preset.decoder_units, preset.steps_at_once * len(DRUMS), preset.noise, seed)
        vector = preset.conductor_units if preset.levels > 1 else preset.latent
        if preset.attention:
            self.decoder = AttentiveDecoder(*hands, name="decoder")
            self.decoder.build((None, vector), (None, None, heard))
        else:
            self.decoder = Decoder(*hands, name="decoder")
            self.decoder.build((None, vector))
        self.built = True

    def encoder_states(self, band):
        """What is heard, moment by moment, half a bar apart: (B, T, 128) each -> a list of (B, T/8 - 1, 400)."""
        if self.preset.any_band:
            return self.encoder.encoder_states(*tracks_of(band))
        return [encoder.encoder_states(ops.cast(band[family], "float32")) for family, encoder in self.encoders.items()]

    def encode(self, band):
        """The three instruments' summaries side by side: (B, T, 128) each -> (B, 1200)."""
        return self.summarize(self.encoder_states(band))

    def summarize(self, moments):
        """The encoders' last states side by side: 3 x (B, T/8 - 1, 400) -> (B, 1200)."""
        return ops.concatenate([last_states(x) for x in moments], axis=-1)

    def conduct(self, z, subsequences):
        """The vector from which each sub-sequence is played: (B, 256) -> (B, U, 256)."""
        if self.preset.levels == 1:
            return z[:, None]  # (B, 1, 256): no conductor, all is one sub-sequence
        if self.preset.levels == 2:
            return self.conductor(z, subsequences=subsequences)
        sections = self.preset.phrase_subsequences
        phrases = self.phrases(z, subsequences=-(-subsequences // sections))  # (B, U/2, 256)
        each = ops.reshape(phrases, (-1, phrases.shape[-1]))  # (B, U/2, 256) -> (B * U/2, 256)
        plan = self.conductor(each, subsequences=sections)  # (B * U/2, 2, 256)
        plan = ops.reshape(plan, (-1, phrases.shape[1] * sections, plan.shape[-1]))  # (B, U, 256), perhaps one too many
        return plan[:, :subsequences]

    def memory(self, moments):
        """What the decoder can look at while it plays: nothing, or, with attention, all that was heard."""
        if not self.preset.attention:
            return {}
        return {"memory": self.decoder.project_memory(ops.concatenate(moments, axis=-1))}  # (B, T/8 - 1, 1200)

    def call(self, inputs, training=False):
        drums = ops.cast(inputs["drums"], "float32")
        length = drums.shape[1]  # T
        steps = length if self.preset.levels == 1 else STEPS_PER_BAR * self.preset.subsequence_bars  # S
        moments = self.encoder_states(inputs)  # 3 x (B, T/8 - 1, 400)
        z = self.bottleneck(self.summarize(moments), training=training)  # (B, 256)
        plan = self.conduct(z, subsequences=length // steps)  # (B, U, 256)
        # Sub-sequences do not need each other, so they stand side by side in the batch.
        vector = ops.reshape(plan, (-1, plan.shape[-1]))  # (B, U, 256) -> (B * U, 256)
        at_once = self.preset.steps_at_once * drums.shape[-1]  # 27
        drums = ops.reshape(drums, (-1, steps // self.preset.steps_at_once, at_once))  # (B, T, 27) -> (B * U, S, 27)
        looks = {**self.memory(moments), "places": range(length)} if self.preset.attention else {}
        played = self.decoder(vector, drums, training=training, **looks)  # 3 x (B * U, S, 9)
        return {name: ops.reshape(x, (-1, length, len(DRUMS))) for name, x in played.items()}  # 3 x (B, T, 9)

    def generate(self, band, section_bars=None, choose=None, sample=None) -> dict[str, np.ndarray]:
        """Play to a band of any length, without being told any true drums.

        Parameters
        ----------
        band : dict of ``piano``, ``guitar``, ``bass``, each (B, T, 128); or of ``tracks`` and so on, with ``any_band``
        section_bars
            How many bars the lower decoder plays by itself before the conductor speaks again; as in training (2) if
            not given. The thesis trained with 2 and played with 1 (4.4). Without a conductor it means nothing.
        choose
            A function that makes of the three heads at a step, each (B * U, 9), what is really played there. If not
            given, the network's own probabilities, velocities and offsets are taken as they are, as the thesis does.
            Either way, it is what the network is told next. A decoder that plays several steps in one go has them
            chosen one after the other.
        sample
            A seed: draw z from the posterior with it. If not given, z is the posterior's mean.

        Returns
        -------
        dict of ``hits`` (probabilities), ``velocities``, ``offsets``, each an array (B, T, 9)
        """
        length = np.shape(band["tracks"] if "tracks" in band else band["bass"])[-2]  # T
        at_once = self.preset.steps_at_once
        steps = length if self.preset.levels == 1 else STEPS_PER_BAR * (section_bars or self.preset.subsequence_bars)
        steps = -(-min(length, steps) // at_once) * at_once  # S
        subsequences = -(-length // steps)  # U, the last one perhaps longer than needed
        moments = self.encoder_states(band)  # 3 x (B, T/8 - 1, 400)
        z = self.bottleneck(self.summarize(moments), sample=sample)  # (B, 256)
        plan = self.conduct(z, subsequences=subsequences)  # (B, U, 256)
        vector = ops.reshape(plan, (-1, plan.shape[-1]))  # (B, U, 256) -> (B * U, 256)
        looks = self.memory(moments)
        states, played = self.decoder.start(vector), []
        before = ops.zeros((vector.shape[0], 3 * at_once * len(DRUMS)))  # each begins as if after silence: (B * U, 27)
        for step in range(0, steps, at_once):
            if looks:
                looks["places"] = range(step, subsequences * steps, steps)  # (U,)
            heads, states = self.decoder.step(before, vector, states, **looks)  # 3 x (B * U, 9), or 9 for each step
            heads = {name: ops.reshape(x, (-1, at_once, len(DRUMS))) for name, x in heads.items()}
            for i in range(at_once):
                now = {name: x[:, i] for name, x in heads.items()}  # 3 x (B * U, 9)
                played.append(choose(now) if choose else now)
            told = [ops.concatenate(list(now.values()), axis=-1) for now in played[-at_once:]]
            before = ops.concatenate(told, axis=-1)  # (B * U, 27), or 27 for each step
        rhythm = {}
        for name in played[0]:
            x = np.stack([ops.convert_to_numpy(now[name]) for now in played], axis=1)  # (B * U, S, 9)
            rhythm[name] = x.reshape(-1, subsequences * steps, x.shape[-1])[:, :length]  # (B, T, 9)
        return rhythm


def check(preset: Preset) -> None:
    """Raise ValueError if a preset contradicts itself."""
    if preset.levels not in (1, 2, 3):
        raise ValueError(f"{preset.name}: there are 1, 2 or 3 levels, not {preset.levels}")
    if preset.levels > 1 and preset.conductor_units != preset.latent:
        raise ValueError(f"{preset.name}: a conductor is fed z, then its own output: conductor_units must be latent")
    if STEPS_PER_BAR % preset.steps_at_once:
        raise ValueError(f"{preset.name}: a bar is not a multiple of {preset.steps_at_once} steps")
    if preset.encoder_summary_states and (preset.encoder_layers != 2 or preset.any_band or preset.attention):
        raise ValueError(f"{preset.name}: an encoder in floors has two LSTMs, its own instrument and no attention")
    if preset.attention and preset.steps_at_once > 1:
        raise ValueError(f"{preset.name}: attention looks from one step at a time, so steps_at_once must be 1")
