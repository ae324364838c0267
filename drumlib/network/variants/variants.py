"""Variants of the thesis's network: the same layers, arranged otherwise, or with one more."""

from dataclasses import dataclass

import numpy as np
from keras import ops

from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.network.layers import Bottleneck, Conductor, Decoder, Encoder, last_states
from drumlib.network.thesis import DrummerNetwork, Preset
from drumlib.network.variants.any_band import MultiTrackEncoder, tracks_of
from drumlib.network.variants.attention import AttentiveDecoder


@dataclass(frozen=True)
class VariantPreset(Preset):
    """The thesis's hyperparameters, and in what a variant differs from it; the defaults differ in nothing."""

    encoder_layers: int = 1  # stacked bidirectional LSTMs in each encoder
    encoder_summary_states: int = 0  # states that the lower of two LSTMs summarises for the upper one; 0: none
    any_band: bool = False  # one encoder for any number of tracks, instead of one for each of three families
    levels: int = 2  # 1: the decoder alone; 2: with a conductor; 3: with another conductor above the first
    phrase_subsequences: int = 2  # with 3 levels: sub-sequences for each vector of the upper conductor
    steps_at_once: int = 1  # grid steps that the decoder reads and predicts at once
    attention: bool = False  # the decoder attends to the encoders' states


VARIANTS = (
    # No conductor: one decoder for all eight bars, with z at every step. MusicVAE calls this flat.
    VariantPreset("flat", levels=1),
    # The thesis's first try (4.1): "predicts a whole bar at a time". We read this as an autoregressive LSTM without a
    # conductor, each step of which is a bar. Inside a bar no note depends on another.
    VariantPreset("multistep", levels=1, steps_at_once=STEPS_PER_BAR),
    # The thesis's first wish (5.4): sub-sequences of one bar, and another conductor over the first, one vector for each
    # phrase of two bars.
    VariantPreset("three-level", levels=3, subsequence_bars=1),
    # Its second (5.4): two stacked bidirectional LSTMs in each encoder.
    VariantPreset("stacked", encoder_layers=2),
    # Considered in 4.1: a decoder that attends to the encoders' states.
    VariantPreset("attention", attention=True),
    # Wished for in 3.3: any number of tracks of any family.
    VariantPreset("any-band", any_band=True),
)


class SummarizingEncoder(Encoder):
    """Encoder with two LSTMs: the lower summarises every ``section`` states, the upper reads the summaries."""

    def __init__(self, filters=(32, 64), units=200, section=4, **options):
        super().__init__(filters, units, 2, **options)
        self.section = section

    def recurrent_states(self, x):
        return self.lstm(self.summaries(x))  # (B, M, 64) -> (B, M / section, 400)

    def summaries(self, x):
        """The lower LSTM's last states in each section, zero-padded at the end: (B, M, 64) -> (B, M / section, 400)."""
        x = ops.pad(x, ((0, 0), (0, -x.shape[1] % self.section), (0, 0)))  # (B, 15, 64) -> (B, 16, 64)
        sections = ops.reshape(x, (-1, self.section, x.shape[-1]))  # (B, 16, 64) -> (B * 4, 4, 64)
        read = last_states(self.lower_lstms[0](sections))  # (B * 4, 4, 64) -> (B * 4, 400)
        return ops.reshape(read, (-1, x.shape[1] // self.section, read.shape[-1]))  # (B * 4, 400) -> (B, 4, 400)


class VariantNetwork(DrummerNetwork):
    """The thesis's network as a ``VariantPreset`` changes it. The changes can be combined.

    With ``any_band``, the inputs ``piano``, ``guitar``, ``bass`` may be replaced by ``tracks`` (B, N, T, 128), with
    ``families`` (B, N), numbers from 0 to 3 for piano, guitar, bass and other, and, where some songs have fewer tracks
    than N, ``present`` (B, N). Without a conductor, ``subsequence_bars`` has no effect.
    """

    def check(self) -> None:
        preset = self.preset
        if preset.levels not in (1, 2, 3):
            raise ValueError(f"{preset.name}: there are 1, 2 or 3 levels, not {preset.levels}")
        if preset.levels > 1:
            super().check()
        if STEPS_PER_BAR % preset.steps_at_once:
            raise ValueError(f"{preset.name}: a bar is not a multiple of {preset.steps_at_once} steps")
        if preset.encoder_summary_states and (preset.encoder_layers != 2 or preset.any_band or preset.attention):
            raise ValueError(f"{preset.name}: encoder_summary_states needs two LSTMs, three encoders and no attention")
        if preset.attention and preset.steps_at_once > 1:
            raise ValueError(f"{preset.name}: attention looks from one step at a time, so steps_at_once must be 1")

    def add_layers(self, seed: int) -> None:
        preset = self.preset
        sizes = (preset.filters, preset.encoder_units)
        if preset.any_band:
            self.encoders = {"encoder": MultiTrackEncoder(*sizes, preset.encoder_layers, name="encoder")}
        elif preset.encoder_summary_states:
            section = preset.encoder_summary_states
            self.encoders = {family: SummarizingEncoder(*sizes, section, name=family) for family in FAMILIES}
        else:
            self.encoders = {family: Encoder(*sizes, preset.encoder_layers, name=family) for family in FAMILIES}
        for name, encoder in self.encoders.items():
            setattr(self, name, encoder)
            encoder.build((None, None, 128))
        summaries = 2 if preset.any_band else len(FAMILIES)  # mean and maximum, or one for each family
        encoded = summaries * 2 * preset.encoder_units
        self.bottleneck = Bottleneck(preset.merge_units, preset.latent, seed=seed, name="bottleneck")
        self.bottleneck.build((None, encoded))
        for name in ("conductor", "phrases")[: preset.levels - 1]:
            setattr(self, name, Conductor(preset.conductor_units, name=name))
            getattr(self, name).build((None, preset.latent))
        sizes = (preset.decoder_units, preset.steps_at_once, preset.noise, seed)
        vector = preset.conductor_units if preset.levels > 1 else preset.latent
        if preset.attention:
            self.decoder = AttentiveDecoder(*sizes, name="decoder")
            self.decoder.build((None, vector), (None, None, encoded))
        else:
            self.decoder = Decoder(*sizes, name="decoder")
            self.decoder.build((None, vector))

    def encoder_states(self, band) -> list:
        if self.preset.any_band:
            return self.encoder.encoder_states(*tracks_of(band))  # mean and maximum: 2 x (B, T/8 - 1, 400)
        return super().encoder_states(band)

    def conduct(self, z, subsequences):
        if self.preset.levels == 1:
            return z[:, None]  # (B, 1, 256): without a conductor, the window is one sub-sequence
        if self.preset.levels == 2:
            return self.conductor(z, subsequences=subsequences)
        each = self.preset.phrase_subsequences
        phrases = self.phrases(z, subsequences=-(-subsequences // each))  # (B, U/2, 256)
        flat = ops.reshape(phrases, (-1, phrases.shape[-1]))  # (B, U/2, 256) -> (B * U/2, 256)
        vectors = self.conductor(flat, subsequences=each)  # (B * U/2, 2, 256)
        vectors = ops.reshape(vectors, (-1, phrases.shape[1] * each, vectors.shape[-1]))  # (B, U, 256), or U + 1
        return vectors[:, :subsequences]

    def subsequence_steps(self, length: int, bars: int | None = None) -> int:
        """S: the steps of a sub-sequence in a window of ``length`` steps, without a conductor the whole window."""
        return length if self.preset.levels == 1 else STEPS_PER_BAR * (bars or self.preset.subsequence_bars)

    def call(self, inputs, training=False):
        drums = ops.cast(inputs["drums"], "float32")
        length, at_once = drums.shape[1], self.preset.steps_at_once  # T
        steps = self.subsequence_steps(length)  # S
        states = self.encoder_states(inputs)
        z = self.bottleneck(self.summarize(states), training=training)  # (B, 256)
        vectors = self.conduct(z, subsequences=length // steps)  # (B, U, 256)
        vectors = ops.reshape(vectors, (-1, vectors.shape[-1]))  # (B, U, 256) -> (B * U, 256)
        drums = ops.reshape(drums, (-1, steps // at_once, at_once * drums.shape[-1]))  # (B, T, 27) -> (B * U, S, 27)
        context = {}
        if self.preset.attention:
            memory = self.decoder.project_memory(ops.concatenate(states, axis=-1))  # 2 x (B, T/8 - 1, 256)
            context = {"memory": memory, "positions": range(length)}
        heads = self.decoder(vectors, drums, training=training, **context)  # 3 x (B * U, S, 9)
        return {name: ops.reshape(x, (-1, length, len(DRUMS))) for name, x in heads.items()}  # 3 x (B, T, 9)

    def generate(self, inputs, sampler=None, subsequence_bars=None, z_seed=None) -> dict[str, np.ndarray]:
        length = np.shape(inputs["tracks"] if "tracks" in inputs else inputs["bass"])[-2]  # T
        at_once = self.preset.steps_at_once
        steps = -(-min(length, self.subsequence_steps(length, subsequence_bars)) // at_once) * at_once  # S
        subsequences = -(-length // steps)  # U
        states = self.encoder_states(inputs)
        z = self.bottleneck(self.summarize(states), z_seed=z_seed)  # (B, 256)
        vectors = self.conduct(z, subsequences=subsequences)  # (B, U, 256)
        vectors = ops.reshape(vectors, (-1, vectors.shape[-1]))  # (B, U, 256) -> (B * U, 256)
        context = {}
        if self.preset.attention:
            memory = self.decoder.project_memory(ops.concatenate(states, axis=-1))  # 2 x (B, T/8 - 1, 256)
            context = {
                "memory": lambda step: memory,
                "positions": lambda step: range(step, subsequences * steps, steps),
            }
        heads = self.decoder.generate(vectors, steps, sampler, **context)  # 3 x (B * U, S, 9)
        joined = {
            name: x.reshape(-1, subsequences * steps, len(DRUMS)) for name, x in heads.items()
        }  # 3 x (B, U * S, 9)
        return {name: x[:, :length] for name, x in joined.items()}  # 3 x (B, T, 9)
