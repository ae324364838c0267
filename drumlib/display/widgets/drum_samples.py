"""Samples of the nine drums, from which a page mixes its grooves (``mix.js``)."""

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np

from drumlib.display import sound
from drumlib.music.kit import KICK, PITCH_OF_DRUM, SNARE
from drumlib.music.notes import Note
from drumlib.music.song import Song, Track

KBPS = 64
"""Bit rate of the MP3 of the drums and of the stems, in kilobits per second."""

PEAK = 0.5
"""Peak of each sample in the MP3, since MP3 keeps soft sounds badly; ``DrumSamples.gains`` undoes it."""

RING_SECONDS = (0.1, 0.22, 0.1, 1.8, 1.1, 1.0, 0.9, 2.4, 2.4)
"""Length of each drum's sample, in seconds: until it has fallen by 30 to 40 dB; then it is faded out."""

SAMPLE_VELOCITY = 110
"""Velocity at which the samples are taken: in this sound font a drum has one timbre at all velocities, except..."""

LOUD_SNARE, LOUD_RING_SECONDS = 118, 0.7
"""... the snare, which rings longer from this velocity on and has a second sample."""

GAP = 0.03
"""Seconds of silence between two samples in the MP3, so that neither smears into the other."""


@dataclass(frozen=True, eq=False)
class DrumSamples:
    """A sample of each of the nine drums, and of the loud snare, in one MP3.

    Attributes
    ----------
    mp3 : the samples one after the other, each with the peak ``PEAK``.
    starts, lengths : place and length of each, in audio samples.
    gains : factors that make each as loud as ``drumlib.display.sound`` plays it at velocity 127.
    samples : length of the whole MP3, in audio samples.
    name : hash of the MP3; a page decodes each name once for all its stages.
    """

    mp3: bytes
    starts: list[int]
    lengths: list[int]
    gains: list[float]
    samples: int
    name: str


@cache
def drum_samples() -> DrumSamples:
    """The nine drums and the loud snare, rendered once per process."""
    rate, parts, starts, lengths, gains, at = sound.SAMPLE_RATE, [], [], [], [], 0
    wanted = [(pitch, SAMPLE_VELOCITY, ring) for pitch, ring in zip(PITCH_OF_DRUM, RING_SECONDS, strict=True)]
    for pitch, velocity, ring in [*wanted, (PITCH_OF_DRUM[SNARE], 127, LOUD_RING_SECONDS)]:
        # A kick four seconds later, because a render fades out at its end: a short drum alone would fade with it.
        notes = (Note(0, pitch, velocity, 60), Note(8 * 480, PITCH_OF_DRUM[KICK], 127, 60))
        audio = sound.render(Song(480, (Track(notes, is_drum=True),)))[: round(ring * rate)]
        fade = len(audio) // 5
        audio[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
        peak = float(np.abs(audio).max())
        starts.append(at)
        lengths.append(len(audio))
        gains.append(round(peak / PEAK * (127 / velocity) ** 2, 5))
        parts += [audio * (PEAK / peak), np.zeros(round(GAP * rate), np.float32)]
        at += len(audio) + len(parts[-1])
    mp3 = sound.encode_mp3(np.concatenate(parts), kbps=KBPS)
    return DrumSamples(mp3, starts, lengths, gains, at, hashlib.sha256(mp3).hexdigest()[:12])
