"""From song to sound: mono audio, with loudness as the notes have it, and MP3 bytes.

The sound is made by midirenderer, a General MIDI synthesizer, from the sound font that pretty_midi carries. (symusic's
synthesizer, which is quicker, plays this font out of tune and takes no notice of velocity: of no use to a book about
loudness. ``tests/display/test_sound.py`` measures the tuning and the loudness of what we use.)

Conventions:

- audio is a float32 array (samples,), 48,000 samples a second, in [-1, 1];
- a note of velocity v sounds (v / 127) ** 2 as loud as the loudest, as General MIDI recommends: half the velocity is a
  quarter of the amplitude;
- nothing is ever made louder to fill the range. Every song is played at the same gain; one that would pass
  ``CEILING`` with it is turned down as a whole, band and drums alike, until it does not.
"""

import io
import os
import tempfile
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import util
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np

from drumlib.files import write_whole
from drumlib.music.kit import DRUM_CHANNEL
from drumlib.music.midi import events_of_notes, song_to_bytes
from drumlib.music.song import Song

SAMPLE_RATE = 48_000

CEILING = 0.89
"""The highest peak, -1 dB: MP3 does not keep peaks to the bit, and one that passes 1 is clipped by the player."""

HEADROOM = 4
"""The synthesizer's samples have 16 bits and are clipped at 1. It plays so many times softer; we undo that after it."""

GAIN = 2.0
"""Every song is played at this gain: an ordinary band with its drums then stays a little under the ceiling."""

VOLUME = 7
"""The control change for a channel's volume; General MIDI's default is 100. Amplitude goes with its square."""

TAIL = 1.5
"""Seconds in which the last notes die away."""

RING = 2.5
"""Seconds for which a drum rings, however short its note, unless it is struck again."""

LONGEST = 30 * 60
"""Seconds; a song that lasts longer is not rendered: a slow enough tempo makes days of a few notes."""

BLOCK = 3 * 60
"""Seconds of a song that are synthesized at once: the synthesizer takes 0.8 MB for each second."""

RUN_UP = 20
"""Seconds before a later block at which its synthesis begins: what was struck there still sounds in the block."""

JOIN = 960
"""Samples over which one block fades into the next."""

STEP = 64
"""The synthesizer takes up events at every so many samples."""

CHUNK = 1 << 20
"""Samples that are read, scaled or encoded at once."""

TOO_LONG = f"it lasts longer than {LONGEST // 60} minutes, too long to be heard at once"

NO_NOTES = "these bars have no notes: there is nothing to hear"


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


def render(song: Song, start_bar: int = 0, bars: int | None = None) -> np.ndarray:
    """The sound of a song, or of some of its bars.

    Parameters
    ----------
    song
        What to play.
    start_bar, bars
        The first bar (from 0) and how many; all, if not given. Notes that began before are not heard.

    Returns
    -------
    array of float32, shape (samples,)
        Mono, in [-1, 1], ``SAMPLE_RATE`` samples a second.

    Raises
    ------
    ValueError
        If there is no note to play, or if it would last longer than half an hour.
    FileNotFoundError
        If the sound font is missing.
    """
    return np.sum(list(render_stems(song, start_bar, bars).values()), axis=0, dtype=np.float32)


def render_stems(song: Song, start_bar: int = 0, bars: int | None = None) -> dict[str, np.ndarray]:
    """The same in two parts: ``{"band": audio, "drums": audio}``, equally long; a part without notes is left out.

    Both have one gain: their sum is the song, and what is loud in it is loud in them.
    """
    first, last = section(song, start_bar, bars)
    stems = {name: list(_stem(song, first, last, name == "drums")) for name in ("band", "drums")}
    stems = {name: np.concatenate(blocks) for name, blocks in stems.items() if blocks}
    if not stems:
        raise ValueError(NO_NOTES)
    length = max(map(len, stems.values()))
    stems = {name: np.pad(audio, (0, length - len(audio))) for name, audio in stems.items()}
    gain = _gain([list(stems.values())])
    end = _end([list(stems.values())], gain)
    return {name: audio[:end] * _fade(0, end, end) * np.float32(gain) for name, audio in stems.items()}


def render_mp3(song: Song, kbps: int = 64) -> bytes:
    """The sound of a whole song as the bytes of an MP3 file: ``encode_mp3(render(song))``, in bounded memory.

    The stems wait in temporary files until the song's peak, and with it the gain, is known.

    Raises
    ------
    ValueError, OSError
        As ``render`` and ``encode_mp3`` do.
    """
    with tempfile.TemporaryFile() as band, tempfile.TemporaryFile() as drums:
        for file in (band, drums):
            for block in _stem(song, *section(song), file is drums):
                file.write(block.data)
                del block  # or it would stay while the next is made
        length = max(band.tell(), drums.tell()) // 4  # samples: a float32 has 4 bytes
        if not length:
            raise ValueError(NO_NOTES)

        def stems(start: int) -> list[np.ndarray]:
            """The next samples of both stems, silence behind the end of the shorter one: each (samples,)."""
            for file in (band, drums):
                file.seek(4 * start)
            both = [np.frombuffer(file.read(4 * CHUNK), np.float32) for file in (band, drums)]
            return [np.pad(audio, (0, min(CHUNK, length - start) - len(audio))) for audio in both]

        starts = range(0, length, CHUNK)
        gain = _gain(map(stems, starts))
        end = _end(map(stems, starts), gain)

        def mix() -> Iterator[np.ndarray]:
            for start in range(0, end, CHUNK):
                stop = min(start + CHUNK, end)
                fade = _fade(start, stop, end)
                yield sum(audio[: stop - start] * fade * np.float32(gain) for audio in stems(start))

        return _encode(mix(), SAMPLE_RATE, kbps)


def _gain(chunks: Iterable[Sequence[np.ndarray]]) -> float:
    """The gain of a song, from chunks of its stems, each (samples,)."""
    peak = max(float(np.abs(audio).max()) for stems in chunks for audio in [sum(stems), *stems])
    return min(GAIN, CEILING / max(peak, 1e-9))


def _end(chunks: Iterable[Sequence[np.ndarray]], gain: float) -> int:
    """The sample after the last that is heard; the length of all chunks, where none is."""
    length = end = 0
    for stems in chunks:
        heard = np.flatnonzero(np.abs(sum(stems)) * gain > 1e-4)
        end = length + int(heard[-1]) + 1 if len(heard) else end
        length += len(stems[0])
    return end or length


def _fade(start: int, stop: int, end: int) -> np.ndarray:
    """The factors of samples ``start`` to ``stop`` of a sound that ends at ``end``: 1, then down to 0, so no click."""
    down = np.linspace(1, 0, min(end, SAMPLE_RATE // 10))
    before = end - len(down)  # the samples that are not faded
    fade = np.ones(stop - start, dtype=np.float32)
    fade[max(0, before - start) :] = down[max(0, start - before) : max(0, stop - before)]
    return fade


def _stem(song: Song, first: int, last: int, is_drums: bool) -> Iterator[np.ndarray]:
    """One stem from tick ``first`` to ``last``, before any gain, in blocks: each (samples,); no block without notes.

    The synthesis of a block begins ``RUN_UP`` seconds before it, at a multiple of ``STEP`` samples, so that notes begin
    at the same samples as if all were synthesized at once. Where blocks join, one fades into the next.
    """
    if song.seconds(last) - song.seconds(first) > LONGEST:
        raise ValueError(TOO_LONG)
    whole = _excerpt(song, first, last, is_drums)
    if whole is None or not any(track.notes for track in (song.drums if is_drums else song.band)):
        return

    def sample(tick: int) -> float:
        return (song.seconds(tick) - song.seconds(first)) * SAMPLE_RATE

    marks = [first]
    while (mark := _tick_at(song, song.seconds(marks[-1]) + BLOCK, last)) < last:
        marks.append(mark)
    past = np.zeros(0, np.float32)  # what the block before has beyond its end
    for begin, end in pairwise([*marks, last]):
        start = begin if begin == first else max(first, _tick_at(song, song.seconds(begin) - RUN_UP, last))
        stop = end if end == last else _tick_at(song, song.seconds(end) + 2 * JOIN / SAMPLE_RATE, last)
        excerpt = whole if start == first and stop == last else _excerpt(song, start, stop, is_drums, start > first)
        before = 0  # where the excerpt's first sample lies
        if start > first and excerpt is not None:
            before = (int(sample(start)) // STEP - 1) * STEP
            excerpt = _later(excerpt, (sample(start) - before) / SAMPLE_RATE)
        length = round(sample(end)) - round(sample(begin))
        needed = length if end == last else length + JOIN
        audio = np.zeros(0, np.float32) if excerpt is None else _synthesize(excerpt)[round(sample(begin)) - before :]
        audio = np.pad(audio, (0, max(0, needed - len(audio))))
        joined = min(len(past), len(audio))
        rise = np.linspace(0, 1, joined, dtype=np.float32)
        audio[:joined] = past[:joined] * (1 - rise) + audio[:joined] * rise
        past = audio[length : length + JOIN].copy()
        yield audio if end == last else audio[:length]
        del audio


def _tick_at(song: Song, seconds: float, last: int) -> int:
    """The first tick that is not before a time; at most ``last``."""
    return bisect_left(range(last), seconds, key=song.seconds)


def _later(song: Song, seconds: float) -> Song:
    """The same events after a little silence, shorter than a beat can be: some samples."""
    ticks = 1 + song.ticks_per_beat // 1_000  # a beat of more than 16 s cannot be written
    wait = mido.MetaMessage("set_tempo", tempo=round(seconds * 1e6 * song.ticks_per_beat / ticks))
    streams = [tuple((tick + ticks, message) for tick, message in stream) for stream in song.events]
    return replace(song, events=(((0, wait), *streams[0]), *streams[1:]))


def _excerpt(song: Song, first: int, last: int, is_drums: bool, held: bool = False) -> Song | None:
    """The events of one stem from tick ``first`` to ``last``, as a song to synthesize; None if no note begins there.

    Whatever was set before the excerpt (tempo, programs, volumes, pedals) is set at its beginning. With ``held``, notes
    of the band that still sound there are struck there, too.
    """
    played, streams = False, []
    for stream in song.events if song.events is not None else events_of_notes(song):
        events, starts = [], defaultdict(deque)  # (channel, pitch) -> when the notes that sound began
        before = defaultdict(deque)  # (channel, pitch) -> the notes that began before the excerpt and still sound
        for tick, message in stream:
            after = max(0, tick - first)
            if message.type == "set_tempo" and tick < last:
                events.append((after, message))
            if tick >= last or getattr(message, "channel", None) is None or is_drums != _is_drum(message):
                continue
            if message.type == "note_on" and message.velocity:
                if tick >= first:
                    events.append((after, message))
                    starts[message.channel, message.note].append(after)
                    played = True
                elif held and not is_drums:
                    before[message.channel, message.note].append(message)
            elif message.type in ("note_on", "note_off"):
                if before[message.channel, message.note]:
                    began = before[message.channel, message.note].popleft()
                    if tick > first:
                        events += [(0, began), (after, message)]
                        played = True
                elif starts[message.channel, message.note] and not is_drums:
                    starts[message.channel, message.note].popleft()
                    events.append((after, message))
            elif message.type == "control_change" and message.control == VOLUME:
                events.append((after, message.copy(value=_softer(message.value))))
            else:
                events.append((after, message))
        for (channel, pitch), notes in before.items():  # they end with the excerpt
            events += [(0, began) for began in notes]
            starts[channel, pitch].extend(0 for _ in notes)
            played |= bool(notes)
        for (channel, pitch), ticks in starts.items():
            off = mido.Message("note_off", channel=channel, note=pitch)
            for start, struck_again in zip(ticks, [*ticks, last][1:], strict=True):
                # A drum rings until it is struck again, or for RING seconds; what else still sounds ends with us.
                rung = start + _ticks_in(song, RING, first + start)
                events.append((min(struck_again, rung) if is_drums else last - first, off))
        streams.append(tuple(sorted(events, key=lambda event: (event[0], event[1].type != "note_off"))))
    volumes = [(0, mido.Message("control_change", channel=c, control=VOLUME, value=_softer(100))) for c in range(16)]
    # The last event tells the synthesizer how long to go on.
    volumes.append(
        (last - first + _ticks_in(song, TAIL, last - 1), mido.Message("control_change", channel=15, control=3, value=0))
    )
    return Song(song.ticks_per_beat, (), name=song.name, events=(tuple(volumes), *streams)) if played else None


def _ticks_in(song: Song, seconds: float, tick: int) -> int:
    """How many ticks some seconds last, at the tempo that holds at a tick."""
    return round(seconds * 1e6 / song.tempo_at(tick).microseconds * song.ticks_per_beat)


def _is_drum(message) -> bool:
    """Whether a message is for the drums."""
    return message.channel == DRUM_CHANNEL


def _softer(volume: int) -> int:
    """A channel's volume with ``HEADROOM``: amplitude goes with its square."""
    return round(volume / HEADROOM**0.5)


def _synthesize(song: Song) -> np.ndarray:
    """The sound of a song's events, before any gain but the headroom, which is undone: float32 (samples,)."""
    import soundfile

    check_sound()
    import midirenderer

    try:
        sound = midirenderer.render_wave_from(font_path().read_bytes(), song_to_bytes(song))
    except RuntimeError as error:  # times or tempos that no player would meet
        raise ValueError(f"{song.name or 'the song'}: the synthesizer cannot play this: {error}") from None
    with soundfile.SoundFile(io.BytesIO(sound)) as file:
        parts = [part.mean(axis=1) for part in file.blocks(CHUNK, dtype="float32")]  # each (samples, 2) -> (samples,)
    return np.concatenate(parts) * HEADROOM


def check_sound(song: Song | None = None) -> None:
    """Raise, before any work is done, what rendering would raise for want of a synthesizer or a sound font.

    And, if a song is given whose sound is wanted whole, a ValueError if it lasts too long.
    """
    if util.find_spec("midirenderer") is None:
        raise ImportError("the synthesizer, midirenderer, is not installed: no sound without it")
    font_path()
    if song is not None and song.duration > LONGEST:
        raise ValueError(TOO_LONG)


def font_path() -> Path:
    """Where pretty_midi keeps its sound font, TimGM6mb.sf2. pretty_midi itself is not imported.

    Raises
    ------
    FileNotFoundError
        If pretty_midi is not installed, or has no such font.
    """
    spec = util.find_spec("pretty_midi")
    path = Path(spec.origin).parent / "TimGM6mb.sf2" if spec else Path("TimGM6mb.sf2")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the sound font is missing; install pretty_midi, which carries it")
    return path


def encode_mp3(audio: np.ndarray, sample_rate: int = SAMPLE_RATE, kbps: int = 64) -> bytes:
    """Audio as the bytes of an MP3 file, mono.

    A decoder must be told how many samples the encoder put before the sound, or all of it comes 23 ms late. Frames of
    less than 64 kbit/s have no room for that at a constant rate; so there the rate varies, and is right on average.

    Parameters
    ----------
    audio
        Shape (samples,), in [-1, 1].
    sample_rate
        32,000, 44,100 or 48,000: the three that MP3 proper has. Other audio is brought to 48,000 first.
    kbps
        Kilobits a second, 32 to 320: from 64 on, the nearest rate that MP3 has (64, 80, 96, ...); below, roughly so
        many, more where much happens and fewer where little does.

    Raises
    ------
    ValueError
        If the audio is not mono, is empty, or would be clipped.
    OSError
        If this machine's libsndfile cannot write MP3.
    """
    audio = np.asarray(audio, dtype=np.float32)
    if audio.ndim != 1 or not len(audio):
        raise ValueError(f"audio must be mono and have samples: shape (samples,), not {audio.shape}")
    if sample_rate not in (32_000, 44_100, 48_000):
        length = round(len(audio) * SAMPLE_RATE / sample_rate)
        audio = np.interp(np.arange(length) * sample_rate / SAMPLE_RATE, np.arange(len(audio)), audio)
        sample_rate = SAMPLE_RATE
    return _encode([audio], sample_rate, kbps)


def _encode(chunks: Iterable[np.ndarray], sample_rate: int, kbps: int) -> bytes:
    """Audio that comes in chunks, each (samples,), as an MP3 file's bytes. Raises as ``encode_mp3`` does."""
    import soundfile

    if kbps < 64:
        mode, squeezed = "VARIABLE", min(0.7 + (48 - kbps) / 50, 0.99)  # 0 is best; 0.7 is some 45 kbit/s of a band
    else:
        mode, squeezed = "CONSTANT", max((320 - kbps) / (320 - 32), 0.0)  # 0 is 320 kbit/s, 1 would be 32
    buffer = io.BytesIO()
    how = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": mode, "compression_level": squeezed}
    try:
        with soundfile.SoundFile(buffer, "w", sample_rate, 1, **how) as file:
            for audio in chunks:
                if not np.abs(audio).max() <= 1:
                    raise ValueError(
                        "audio passes 1 (or is not a number): it would be clipped; did you mix without turning down?"
                    )
                file.write(audio)
    except soundfile.LibsndfileError as error:
        raise OSError(f"this machine's libsndfile cannot write MP3: {error}") from None
    return buffer.getvalue()


def save_mp3(audio: np.ndarray, path: str | os.PathLike, sample_rate: int = SAMPLE_RATE, kbps: int = 64) -> None:
    """Write audio as an MP3 file, whole or not at all. Raises what ``encode_mp3`` does, and OSError."""
    write_whole(path, encode_mp3(audio, sample_rate, kbps))
