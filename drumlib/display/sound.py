"""From song to sound: mono audio, with loudness as the notes have it, and MP3 bytes.

Conventions:

- audio is a float32 array (samples,), 44,100 samples a second unless told otherwise, in [-1, 1];
- a note of velocity v sounds (v / 127) ** 2 as loud as the loudest (40 dB from 12.7 to 127), as General MIDI
  recommends: half the velocity is a quarter of the amplitude;
- nothing is ever made louder to fill the range. Every song is played at the same gain, ``GAIN``; one that would
  pass ``CEILING`` with it is turned down as a whole, band and drums alike, until it does not;
- a drum note is a stroke: it rings as long as the drum does, whatever its length; a stroke on the hi-hat ends
  the one before it.

From a file's own events, a channel's volume and expression at the start of a note and the sustain pedal are heard;
pitch bends and stereo positions are not.
"""

import io
import os
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from drumlib.display.soundfont import Layer, default_font
from drumlib.files import write_whole
from drumlib.music.song import Song, Track

SAMPLE_RATE = 44_100

GAIN = 0.3
"""How loud one note of velocity 127 is. Chosen so that an ordinary band and its drums stay under the ceiling."""

CEILING = 0.89
"""The highest peak, -1 dB: MP3 does not keep peaks to the bit, and one that passes 1 is clipped by the player."""

TAIL = 1.5
"""Seconds in which the last notes die away."""

DRUM_SECONDS = 2.5
"""A drum is left to ring for so long, then damped."""

LONGEST_NOTE = 20.0
"""Seconds; a note that is held longer (a file's stuck note) fades out here."""

SHORTEST_FADE, LONGEST_RELEASE = 0.02, 1.0
"""Seconds in which a sound dies away, once its note has ended: what is cut off faster than the first clicks."""

VOLUME, EXPRESSION, PEDAL = 7, 11, 64
"""The control changes that are heard. A channel that never sets its volume has General MIDI's 100."""


def section(song: Song, start_bar: int = 0, bars: int | None = None) -> tuple[int, int]:
    """The ticks from which (inclusive) to which (exclusive) some bars of a song last; by default, all of it.

    A section begins and ends half a step before its bar lines, so that it has the strokes that are played early on
    its first beat, and not those of the bar after it.

    Raises
    ------
    ValueError
        If the song has no notes, or no such bars.
    """
    count = len(song.bars)
    if not count:
        raise ValueError("the song has no notes: there is nothing to hear")
    last = count if bars is None else start_bar + bars
    if not 0 <= start_bar < min(last, count):
        raise ValueError(f"there are no bars {start_bar} to {last - 1}: the song's bars are 0 to {count - 1}")
    early = song.ticks_per_beat // 8
    first = song.bars[start_bar].tick - early if start_bar else 0
    return first, song.bars[last].tick - early if last < count else max(song.bars[-1].end, song.end)


def render(song: Song, sample_rate: int = SAMPLE_RATE, start_bar: int = 0, bars: int | None = None) -> np.ndarray:
    """The sound of a song, or of some of its bars.

    Parameters
    ----------
    song
        What to play.
    sample_rate
        Samples a second.
    start_bar, bars
        The first bar (from 0) and how many; all, if not given. Notes that began before are not heard.

    Returns
    -------
    array of float32, shape (samples,)
        Mono, in [-1, 1].

    Raises
    ------
    ValueError
        If there is no note to play.
    FileNotFoundError
        If the sound font is missing.
    """
    return np.sum(list(render_stems(song, sample_rate, start_bar, bars).values()), axis=0, dtype=np.float32)


def render_stems(
    song: Song, sample_rate: int = SAMPLE_RATE, start_bar: int = 0, bars: int | None = None
) -> dict[str, np.ndarray]:
    """The same in two parts: ``{"band": audio, "drums": audio}``, equally long; a part without notes is left out.

    Both have one gain: their sum is the song, and what is loud in it is loud in them.
    """
    ticks = section(song, start_bar, bars)
    parts = {"band": song.band, "drums": song.drums}
    stems = {}
    for name, tracks in parts.items():
        stem = _play(song, tracks, ticks, sample_rate)
        if stem is not None:
            stems[name] = stem
    if not stems:
        raise ValueError("these bars have no notes: there is nothing to hear")
    mix = sum(stems.values())
    peak = max(float(np.abs(audio).max()) for audio in [mix, *stems.values()])
    gain = GAIN * min(1.0, CEILING / max(GAIN * peak, 1e-9))
    heard = np.nonzero(np.abs(mix) * gain > 1e-4)[0]
    end = heard[-1] + 1 if len(heard) else len(mix)
    return {name: np.ascontiguousarray(stem[:end] * np.float32(gain)) for name, stem in stems.items()}


def _play(song: Song, tracks: Sequence[Track], ticks: tuple[int, int], sample_rate: int) -> np.ndarray | None:
    """Some tracks of a song between two ticks, before any gain; None if they have no note there."""
    first, last = ticks
    begin = song.seconds(first)
    length = int((song.seconds(last) - begin + TAIL) * sample_rate)
    controls = _controls(song)
    strokes = []  # (start in seconds, seconds held, amplitude, (program, is_drum, pitch))
    for track in tracks:
        for note in track.notes:
            if first <= note.tick < last:
                start = song.seconds(note.tick) - begin
                held = DRUM_SECONDS
                if not track.is_drum:
                    end = _pedalled(controls, track.channel, note.tick + note.length, last)
                    held = min(max(song.seconds(min(end, last)) - begin - start, SHORTEST_FADE), LONGEST_NOTE)
                amplitude = (note.velocity / 127) ** 2 * _volume(controls, track.channel, note.tick)
                strokes.append((start, held, amplitude, (track.program, track.is_drum, note.pitch)))
    if not strokes:
        return None
    longest = defaultdict(float)  # each sound is made once, as long as its longest note
    for _, held, _, sound in strokes:
        longest[sound] = max(longest[sound], held)
    font = default_font()
    layers = {sound: font.layers(*sound, held + LONGEST_RELEASE, sample_rate) for sound, held in longest.items()}
    audio = np.zeros(length, dtype=np.float32)
    ended = {}  # exclusive class -> when its next stroke begins; so we go from the last stroke to the first
    for start, held, amplitude, sound in sorted(strokes, reverse=True):
        for layer in layers[sound]:
            seconds = held
            if group := layer.exclusive_class if sound[1] else 0:
                next_stroke = ended.get(group, np.inf)
                if next_stroke > start:
                    seconds = min(held, next_stroke - start)
                ended[group] = start
            _add(audio, layer, start, seconds, amplitude, sample_rate)
    fade = min(length, int(TAIL / 2 * sample_rate))
    audio[length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
    return audio


def _add(audio: np.ndarray, layer: Layer, start: float, seconds: float, amplitude: float, sample_rate: int) -> None:
    """Add one note's sound to the audio: held from its start for some seconds, then dying away."""
    first, held = int(start * sample_rate), int(seconds * sample_rate)
    release = SHORTEST_FADE if layer.exclusive_class else min(max(layer.release, SHORTEST_FADE), LONGEST_RELEASE)
    rest = layer.held[held : held + int(release * sample_rate)]
    falling = 10 ** (-5 * np.arange(len(rest), dtype=np.float32) / (release * sample_rate))  # by 100 dB
    sound = np.concatenate([layer.held[:held], rest * falling])[: len(audio) - first]
    audio[first : first + len(sound)] += np.float32(amplitude) * sound


def _controls(song: Song) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """From (channel, control) to its changes, (tick, value), in order of time; none for a song without events."""
    changes = defaultdict(list)
    for stream in song.events or ():
        for tick, message in stream:
            if message.type == "control_change" and message.control in (VOLUME, EXPRESSION, PEDAL):
                changes[message.channel, message.control].append((tick, message.value))
    for values in changes.values():
        values.sort(key=lambda change: change[0])
    return changes


def _value(changes: list[tuple[int, int]], tick: int, default: int) -> int:
    """A control's value at a tick: its last change at or before it."""
    index = bisect_right(changes, tick, key=lambda change: change[0])
    return changes[index - 1][1] if index else default


def _volume(controls, channel: int, tick: int) -> float:
    """How loud a channel is at a tick: 1 if its volume is 100 and its expression 127, which they are if never set."""
    volume = _value(controls.get((channel, VOLUME), []), tick, 100)
    expression = _value(controls.get((channel, EXPRESSION), []), tick, 127)
    return (volume / 100 * expression / 127) ** 2


def _pedalled(controls, channel: int, tick: int, last: int) -> int:
    """When a note that ends at a tick is heard to end: if the sustain pedal is down then, when it comes up."""
    pedal = controls.get((channel, PEDAL), [])
    if _value(pedal, tick, 0) < 64:
        return tick
    return next((later for later, value in pedal if later > tick and value < 64), last)


def encode_mp3(audio: np.ndarray, sample_rate: int = SAMPLE_RATE, kbps: int = 64) -> bytes:
    """Audio as the bytes of an MP3 file, mono, at a constant bit rate.

    Parameters
    ----------
    audio
        Shape (samples,), in [-1, 1].
    sample_rate
        32,000, 44,100 or 48,000: the three that MP3 proper has. Other audio is brought to 44,100 first.
    kbps
        Kilobits a second, 32 to 320; the nearest rate that MP3 has is taken (... 48, 56, 64, 80, 96 ...).

    Raises
    ------
    ValueError
        If the audio is not mono, is empty, or would be clipped.
    """
    import soundfile

    audio = np.asarray(audio, dtype=np.float32)
    if audio.ndim != 1 or not len(audio):
        raise ValueError(f"audio must be mono and have samples: shape (samples,), not {audio.shape}")
    if not np.abs(audio).max() <= 1:
        raise ValueError("audio passes 1 (or is not a number): it would be clipped; did you mix without turning down?")
    if sample_rate not in (32_000, 44_100, 48_000):
        length = round(len(audio) * SAMPLE_RATE / sample_rate)
        audio = np.interp(np.arange(length) * sample_rate / SAMPLE_RATE, np.arange(len(audio)), audio)
        sample_rate = SAMPLE_RATE
    buffer = io.BytesIO()
    soundfile.write(
        buffer,
        audio,
        sample_rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=min(max((320 - kbps) / (320 - 32), 0.0), 0.99),  # 0 is 320 kbit/s, 1 would be 32
    )
    return buffer.getvalue()


def save_mp3(audio: np.ndarray, path: str | os.PathLike, sample_rate: int = SAMPLE_RATE, kbps: int = 64) -> None:
    """Write audio as an MP3 file, whole or not at all. Raises what ``encode_mp3`` does, and OSError."""
    write_whole(path, encode_mp3(audio, sample_rate, kbps))
