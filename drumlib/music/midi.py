"""Reading and writing MIDI files.

A file that cannot be used raises one ``MidiError``, which names the file and the reason, in bounded time and memory.
Events are split here and made into messages by mido.

Conventions (the MIDI standard, General MIDI):

- a note-on of velocity 0 ends a note (the thesis's reader took it for a new one);
- the notes on channel 9 (musicians count from 1 and say 10) are drums, whatever the track's name;
- a program change applies to its channel, in all tracks of the file, from its tick on;
- of two notes of equal pitch that overlap, the one that began first ends first.
"""

import io
import os
import struct
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import mido
import numpy as np
from mido.midifiles.meta import build_meta_message

from drumlib.files import write_whole
from drumlib.music.kit import DRUM_CHANNEL
from drumlib.music.notes import Notes
from drumlib.music.song import Meter, Song, Tempo, Track

MAX_BYTES = 1_000_000
"""Larger files are refused: a song has some 50 kB, and a much larger file takes minutes to parse."""

LONGEST_WAIT = 0x0FFFFFFF
"""The most ticks between two events, for four bytes. A longer wait is written as several, with empty text events."""

MAX_TRACKS = 256
"""Files with more are refused: the largest scores have some sixty."""

MAX_BEATS = 10_000
"""Longer songs are refused (an hour and a half at 120 beats a minute): one stray event can make a song years long."""


class MidiError(ValueError):
    """A file that cannot be used as a song. The message names the file and the reason."""


def read_song(path: str | os.PathLike) -> Song:
    """Read a MIDI file of type 0 or 1.

    Parameters
    ----------
    path
        The file. Its name, without the suffix, becomes the song's name.

    Raises
    ------
    MidiError
        If the file is absent, truncated or damaged, is not a MIDI file, has more than ``MAX_BYTES``, ``MAX_TRACKS`` or
        ``MAX_BEATS``, is of type 2, or counts time in film frames (SMPTE).
    """
    return read_with(song_from_bytes, path)


def read_with(reader: Callable[[bytes, str], Song], path: str | os.PathLike) -> Song:
    """A file's song, by ``reader(bytes, name)``. Raises ``MidiError``, with the path in front of the message."""
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise MidiError("it is not a file")
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        return reader(data, path.stem)
    except MidiError as error:
        raise MidiError(f"{path}: {error}") from None
    except OSError as error:
        raise MidiError(f"{path}: {error.strerror or error}") from None
    except ValueError:  # a zero byte in the name
        raise MidiError(f"{path}: no file can have this name") from None


def song_from_bytes(data: bytes, name: str = "") -> Song:
    """The song in the bytes of a MIDI file; see ``read_song``. Raises ``MidiError``."""
    ticks_per_beat, chunks = split_chunks(data)
    return song_from_events(ticks_per_beat, tuple(tuple(_events(chunk)) for chunk in chunks), name)


def split_chunks(data: bytes) -> tuple[int, list[bytes]]:
    """A MIDI file's ticks a beat, and the bytes of each of its tracks. Raises ``MidiError``."""
    if len(data) > MAX_BYTES:
        raise MidiError(f"it is larger than {MAX_BYTES:,} bytes")
    if not data.startswith(b"MThd"):
        raise MidiError("it is empty" if not data else "it is not a MIDI file: it does not begin with 'MThd'")
    if len(data) < 14:
        raise MidiError("it is cut off: its header ends too soon")
    size, kind, count, ticks_per_beat = struct.unpack(">IHHH", data[4:14])
    if kind not in (0, 1):
        raise MidiError(f"it is a MIDI file of type {kind}; only types 0 and 1 hold one song")
    if not 0 < ticks_per_beat < 0x8000:
        raise MidiError("it counts time in film frames, or not at all, instead of beats")
    if count > MAX_TRACKS:
        raise MidiError(f"it claims {count} tracks, more than {MAX_TRACKS}")
    chunks, start = [], 8 + size
    while len(chunks) < count:
        if len(data) < start + 8:
            raise MidiError(f"it is cut off: it holds {len(chunks)} tracks of {count}")
        end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "big")
        if data[start : start + 4] == b"MTrk":  # chunks of other kinds are skipped, as the standard demands
            if end > len(data):
                raise MidiError("it is cut off: its last track ends too soon")
            chunks.append(data[start + 8 : end])
        start = end
    return ticks_per_beat, chunks


def song_from_events(ticks_per_beat: int, events: tuple, name: str = "") -> Song:
    """A song from a file's events: for each track a tuple of (tick, mido message), in order of time.

    Raises MidiError if a tempo or a meter is impossible, or the song is longer than ``MAX_BEATS``.
    """
    song = assemble(ticks_per_beat, [_stream_notes(stream) for stream in events], name)
    return replace(song, events=events)


def assemble(ticks_per_beat: int, streams: list["Stream"], name: str = "") -> Song:
    """A song from the content of its file's tracks. Raises MidiError as ``song_from_events`` does."""
    last = max((stream.end for stream in streams), default=0)
    if last > MAX_BEATS * ticks_per_beat:
        raise MidiError(f"it lasts {last // ticks_per_beat:,} beats, more than {MAX_BEATS:,}")
    tempos, meters, programs = [], [], defaultdict(list)
    for stream in streams:
        for tick, message in stream.changes:
            if message.type == "set_tempo":
                if message.tempo == 0:
                    raise MidiError("its tempo is infinitely fast (0 microseconds a beat)")
                tempos.append(Tempo(tick, message.tempo))
            elif message.type == "time_signature":
                if message.numerator == 0 or message.denominator > 64:
                    raise MidiError(f"its meter is {message.numerator}/{message.denominator}")
                meters.append(Meter(tick, message.numerator, message.denominator))
            elif message.channel != DRUM_CHANNEL:  # on which a program is a drum kit, not an instrument
                programs[message.channel].append((tick, message.program))
    changed = {}  # channel -> the ticks at which its program changes; its programs, one more than ticks
    for channel in {channel for stream in streams for channel in stream.notes}:
        changes = np.array(sorted(programs[channel], key=lambda change: change[0]), dtype=np.int64).reshape(-1, 2)
        changed[channel] = changes[:, 0], np.append(0, changes[:, 1])  # 0, the grand piano, before the first change
    tracks = []
    for stream in streams:
        parts = {}  # (channel, program) -> rows of notes
        for channel, notes in stream.notes.items():
            ticks, played = changed[channel]
            played = played[np.searchsorted(ticks, notes[:, 0], side="right")]  # (notes,)
            for program in set(played.tolist()):
                parts[channel, program] = notes[played == program]
        for (channel, program), notes in sorted(parts.items()):
            tracks.append(Track(Notes(notes), program, channel == DRUM_CHANNEL, channel, stream.name))
    return Song(ticks_per_beat, tuple(tracks), tuple(tempos), tuple(meters), name)


class Stream(NamedTuple):
    """The content of one track of a file.

    Attributes
    ----------
    name : the track's name.
    notes : for each channel, an array (notes, 4) as in ``Notes``.
    changes : its tempos, meters and programs, each as (tick, mido message).
    end : the tick of its last event.
    """

    name: str
    notes: dict[int, np.ndarray]
    changes: list[tuple[int, Any]]
    end: int


CHANGES = ("set_tempo", "time_signature", "program_change")
"""The types of the messages in ``Stream.changes``."""


def _stream_notes(stream) -> Stream:
    """The content of a track, from its events."""
    name, last = None, 0
    sounding = defaultdict(deque)  # (channel, pitch) -> the notes that sound: (tick, velocity)
    notes, changes = defaultdict(list), []
    for tick, message in stream:
        if message.type == "track_name":
            name = name or clean_text(message.name)
        elif message.type in CHANGES:
            changes.append((tick, message))
        elif message.type in ("note_on", "note_off"):
            last = tick
            key = message.channel, message.note
            if message.type == "note_on" and message.velocity > 0:
                sounding[key].append((tick, message.velocity))
            elif sounding[key]:
                start, velocity = sounding[key].popleft()
                notes[message.channel].append((start, message.note, velocity, tick - start))
    for (channel, pitch), left in sounding.items():  # notes without an end last to the track's last note event
        for start, velocity in left:
            notes[channel].append((start, pitch, velocity, last - start))
    end = stream[-1][0] if stream else 0
    return Stream(name or "", {channel: np.array(rows) for channel, rows in notes.items()}, changes, end)


def _events(data: bytes):
    """The events of one track, each as (tick, mido message), from the bytes of its chunk."""
    tick = at = running = 0
    while at < len(data):
        delta, status, kind, body, at = split_event(data, at, running)
        running = status if status < 0xF0 else running
        tick += delta
        yield tick, make_message(status, kind, body)


def split_event(data: bytes, at: int, running: int = 0) -> tuple[int, int, int, bytes, int]:
    """The event at ``at``: ticks since the last one, status, kind (of a meta event), data; and the position behind it.

    ``running`` is the running status, for an event without a status byte. Raises ``MidiError``.

    mido's own reader is not used: it accepts numbers of any length, which can take hours; it drops the time before
    events that it does not know; and it returns events that it refuses to write.
    """
    kind = 0
    try:
        delta, at = _number(data, at)
        status = data[at]
        if status >= 0x80:
            at += 1
        else:
            status = running
        if status == 0xFF:
            kind = data[at]
            size, at = _number(data, at + 1)
        elif status in (0xF0, 0xF7):
            size, at = _number(data, at)
        elif 0x80 <= status < 0xF0:
            size = 1 if 0xC0 <= status < 0xE0 else 2
        else:
            raise MidiError(f"it is damaged: byte {status:02X} begins no event of a file")
    except IndexError:
        raise MidiError("it is cut off, or damaged: a track ends inside an event") from None
    if at + size > len(data):
        raise MidiError("it is cut off, or damaged: a track ends inside an event")
    return delta, status, kind, data[at : at + size], at + size


def make_message(status: int, kind: int, body: bytes) -> Any:
    """The mido message of an event. Raises ``MidiError`` if it is not a valid one."""
    try:
        if status == 0xFF:
            return build_meta_message(kind, body)
        if status in (0xF0, 0xF7):
            return mido.Message("sysex", data=body.removeprefix(b"\xf0").removesuffix(b"\xf7"))
        return channel_message(status, body)
    except Exception as error:  # mido raises many kinds of exception on damaged events
        raise MidiError(f"it is damaged: event {status:02X} {body[:8].hex(' ')} ({error})") from None


@lru_cache(maxsize=1 << 14)
def channel_message(status: int, body: bytes) -> mido.Message:
    """The mido message of a channel's event: one object for all alike, of which a song has thousands. Do not change it.

    To make one takes mido some 50 µs. Raises what mido raises for bytes that are no message.
    """
    return mido.Message.from_bytes([status, *body])


def _number(data: bytes, at: int) -> tuple[int, int]:
    """The variable-length number at ``at``, of at most four bytes; and the position behind it."""
    number = 0
    for end in range(at, at + 4):
        number = number << 7 | data[end] & 0x7F
        if data[end] < 0x80:
            return number, end + 1
    raise MidiError("it is damaged: a number is longer than four bytes")


def clean_text(raw: str) -> str:
    """A text event as UTF-8 if it is valid UTF-8 (mido decodes as Latin-1), without control characters."""
    try:
        raw = raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        pass
    return "".join(character for character in " ".join(raw.split()) if character.isprintable()).strip()


def write_song(song: Song, path: str | os.PathLike) -> None:
    """Write a song as a MIDI file, atomically.

    A song that was read from a file is written with all of the file's events, in their order.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to.
    ValueError
        If the song has more than 15 programs, for which MIDI's channels do not suffice.
    """
    write_whole(path, song_to_bytes(song))


def song_to_bytes(song: Song) -> bytes:
    """The bytes of a song's MIDI file: of type 1, or of type 0 if there is only one track."""
    streams = song.events if song.events is not None else events_of_notes(song)
    midi = mido.MidiFile(type=0 if len(streams) == 1 else 1, ticks_per_beat=song.ticks_per_beat)
    for stream in streams:
        track, now = mido.MidiTrack(), 0
        for tick, message in stream:
            while tick - now > LONGEST_WAIT:
                track.append(mido.MetaMessage("text", time=LONGEST_WAIT))
                now += LONGEST_WAIT
            track.append(message.copy(skip_checks=True, time=tick - now))  # all were checked when they were made
            now = tick
        midi.tracks.append(track)
    buffer = io.BytesIO()
    midi.save(file=buffer)
    return buffer.getvalue()


def events_of_notes(song: Song) -> tuple:
    """The events of a song without ``events``: a track of tempos and meters, then one for each of its tracks."""
    first = [(0, mido.MetaMessage("track_name", name=_latin(song.name)))]
    first += [(t.tick, mido.MetaMessage("set_tempo", tempo=t.microseconds)) for t in song.tempos]
    first += [
        (m.tick, mido.MetaMessage("time_signature", numerator=m.numerator, denominator=m.denominator))
        for m in song.meters
    ]
    first.sort(key=lambda event: event[0])
    taken: dict[int, int | None] = {}  # channel -> its program; None where it must not be used
    streams = [tuple(first)]
    for track in song.tracks:
        channel = _free_channel(track, taken)
        taken[channel] = track.program
        streams.append(_stream(track, channel))
    return tuple(streams)


def _free_channel(track: Track, taken: dict[int, int | None]) -> int:
    """The track's own channel, or another if that one is taken by a different program. Raises ValueError."""
    if track.is_drum:
        return DRUM_CHANNEL
    for channel in [track.channel, *range(16)]:
        if channel != DRUM_CHANNEL and taken.get(channel, track.program) == track.program:
            return channel
    raise ValueError("a MIDI file has 15 channels for instruments, and this song plays more programs than that")


def _stream(track: Track, channel: int) -> tuple:
    """A track's events: its name, its program, its notes. On one tick, note-offs precede note-ons."""
    events: list[tuple[int, int, Any]] = [(0, 0, mido.MetaMessage("track_name", name=_latin(track.name)))]
    if not track.is_drum:  # a drum track's program would override the drum kit that the song has chosen
        events.append((0, 0, mido.Message("program_change", channel=channel, program=track.program)))
    for note in track.notes:
        on = mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)
        off = mido.Message("note_off", channel=channel, note=note.pitch, velocity=0)
        events.append((note.tick, 2, on))
        events.append((note.tick + note.length, 1 if note.length else 3, off))
    events.sort(key=lambda event: event[:2])
    return tuple((tick, message) for tick, _, message in events)


def _latin(text: str) -> str:
    """A text's UTF-8 bytes decoded as Latin-1, which mido encodes again: the inverse of ``clean_text``."""
    return text.encode("utf-8", "replace").decode("latin-1")  # a file's name may contain bytes that are not UTF-8


def without_drums(song: Song) -> Song:
    """The song without the drum channel; all other events are kept."""
    events = song.events
    if events is not None:
        events = tuple(
            tuple((t, m) for t, m in stream if getattr(m, "channel", None) != DRUM_CHANNEL) for stream in events
        )
    return replace(song, tracks=song.band, events=events)


def with_tracks(song: Song, tracks: list[Track]) -> Song:
    """The song with these tracks added behind its own. Drum tracks go to the drum channel."""
    events = song.events
    if events is not None:
        messages = (message for stream in events for _, message in stream)
        taken: dict[int, int | None] = {message.channel: None for message in messages if hasattr(message, "channel")}
        for track in tracks:
            channel = _free_channel(track, taken)
            taken[channel] = track.program
            events += (_stream(track, channel),)
    return replace(song, tracks=song.tracks + tuple(tracks), events=events)
