"""A fast reader of MIDI files, for corpora: the same songs as ``midi.read_song``, without their events.

symusic reads a track in the time that mido takes for a few events, but leaves out what a ``Song`` needs: the channels
of notes, the ticks of program changes (and their effect on other tracks), and notes without an end. So each track is
rewritten before symusic reads it:

- a regular expression checks notes and controllers, thousands at a time, so that symusic never sees damaged bytes;
- every other event is replaced by a *mark*, a tempo change that carries a number: symusic gives the tick of each mark;
- program changes at the start give channel 0 program 0, channel 1 program 1, and so on: symusic separates notes by
  program, so the program of a track that it returns is the channel of its notes;
- a file with anything unusual (damage, notes without an end, very long times) goes to the plain reader.

A test compares the two readers, on songs made for it and on real ones.
"""

import os
import re
import struct
from functools import lru_cache
from typing import Any

import numpy as np
import symusic

from drumlib.music.kit import DRUM_CHANNEL
from drumlib.music.midi import (
    CHANGES,
    MidiError,
    Stream,
    assemble,
    clean_text,
    make_message,
    read_with,
    song_from_bytes,
    split_chunks,
    split_event,
)
from drumlib.music.song import Song

_TIME, _DATA = rb"[\x80-\xff]{0,2}[\x00-\x7f]", rb"[\x00-\x7f]"
_TIME_ONLY = re.compile(_TIME)
_NOTES = re.compile(rb"(?:%b[\x80-\xbf\xe0-\xef]?%b{2})*" % (_TIME, _DATA))
_PRESSURE = re.compile(rb"(?:%b[\xd0-\xdf]?%b)*" % (_TIME, _DATA))
"""Any number of events with two bytes of data (notes, controls, bends), or with one."""

_HIGH = bytes(byte >> 7 for byte in range(256))
"""A translation table: 0 for every byte below 0x80, 1 for every other."""

_TEXTS = {1, 2, 4, 5, 6, 7, 8, 9}
"""Kinds of meta events that are text, in which all bytes are allowed."""

_CHANNELS_AS_PROGRAMS = b"".join(bytes([0, 0xC0 | channel, channel]) for channel in range(16))

_END_ALL = [b"".join(bytes([0, 0x80 | channel, pitch, 0]) for pitch in range(128)) for channel in range(16)]
"""For each channel, a note-off for every pitch: a tick behind the end, so that notes without an end are recognised."""


_cached_message = lru_cache(maxsize=4096)(make_message)
"""The same messages occur again and again, and are never changed."""


def _message(status: int, kind: int, body: bytes) -> Any:
    """The mido message of an event. Short ones are cached; others may have a megabyte each."""
    return (_cached_message if len(body) <= 16 else make_message)(status, kind, body)


class Unusual(Exception):
    """The file holds something that only the plain reader handles."""


def read_song_fast(path: str | os.PathLike) -> Song:
    """Read a MIDI file: the same song as ``midi.read_song``, but without ``events``. Raises ``MidiError``."""
    return read_with(song_from_bytes_fast, path)


def song_from_bytes_fast(data: bytes, name: str = "") -> Song:
    """The same as ``read_song_fast``, from the bytes of a MIDI file. Raises ``MidiError``."""
    ticks_per_beat, chunks = split_chunks(data)
    try:
        streams = [_stream(chunk, ticks_per_beat) for chunk in chunks]
    except Unusual:
        song = song_from_bytes(data, name)
        return Song(ticks_per_beat, song.tracks, song.tempos, song.meters, name)
    return assemble(ticks_per_beat, streams, name)


def _stream(chunk: bytes, ticks_per_beat: int) -> Stream:
    """The content of one track of the file. Raises Unusual."""
    events, messages = _split(chunk)
    ends = [_END_ALL[channel] for channel in range(16) if (0x90 | channel) in chunk]
    body = b"".join([_CHANNELS_AS_PROGRAMS, events, b"\x01", mark(len(messages) + 1), *ends, b"\x00\xff\x2f\x00"])
    header = struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, ticks_per_beat, b"MTrk", len(body))
    score: Any = symusic.Score.from_midi(header + body)  # Any: symusic's stubs leave out a score's attributes
    ticks = {tempo.mspq: tempo.time for tempo in score.tempos}
    ticks = [ticks[int.from_bytes(mark(number)[3:], "big")] for number in range(len(messages) + 1)]
    end = ticks[-1]
    notes = {}
    for track in score.tracks:
        columns = track.notes.numpy()
        rows = np.stack([columns[name] for name in ("time", "pitch", "velocity", "duration")], axis=1).astype(np.int64)
        if (rows[:, 0] + rows[:, 3]).max(initial=0) > end:
            raise Unusual("a note without an end")
        notes[DRUM_CHANNEL if track.is_drum else track.program] = rows  # (notes, 4)
    name, changes = "", []
    for number, message in enumerate(messages):
        if message is not None and message.type == "track_name":
            name = name or clean_text(message.name)
        elif message is not None:
            changes.append((ticks[number], message))
    return Stream(name, notes, changes, end)


def _split(chunk: bytes) -> tuple[bytes, list]:
    """The events for symusic to read, and the message that each mark stands for, by number (None if it is ignored).

    One more mark, without a message, is at the end of the track. Raises Unusual.
    """
    pieces, messages, at = [], [], 0
    before = 0, b""  # the status of the last event, and the run of events of its kind that followed
    while at < len(chunk):
        time = _TIME_ONLY.match(chunk, at)
        if not time:
            raise Unusual("a very long wait")
        try:
            left_out = time.end() < len(chunk) and chunk[time.end()] < 0x80
            _, status, kind, body, at = split_event(chunk, at, _last_status(*before) if left_out else 0)
            message = _message(status, kind, body) if status >= 0xF0 and kind not in _TEXTS else None
        except MidiError:
            raise Unusual("damage") from None
        if status < 0xF0 and max(body) >= 0x80:
            raise Unusual("damage")
        pieces.append(time[0])
        if status >= 0xF0:
            pieces.append(mark(len(messages)))
            messages.append(message if message and message.type in (*CHANGES, "track_name") else None)
        elif 0xC0 <= status < 0xD0:
            pieces.append(mark(len(messages)))
            messages.append(_message(status, kind, body))
            before = status, b""
        else:  # with all following events of its kind, at the speed of a regular expression
            match = (_PRESSURE if 0xD0 <= status < 0xE0 else _NOTES).match(chunk, at)
            run = match[0] if match else b""
            pieces += [bytes([status]), body, run]
            before = status, run
            at += len(run)
    pieces.append(b"\x00" + mark(len(messages)))
    # symusic's ticks end at 2 ** 31. A time of three bytes is below 2 ** 21, one of two bytes below 2 ** 14.
    body = b"".join(pieces)
    high = body.translate(_HIGH)
    if (high.count(b"\1\1") << 21) + (high.count(b"\1") << 14) >= 1 << 31:
        raise Unusual("its times might be more than symusic can count")
    return body, messages


def _last_status(status: int, run: bytes) -> int:
    """The running status after an event of this status and a run of others."""
    at = 0
    while at < len(run):
        _, status, _, _, at = split_event(run, at, status)
    return status


def mark(number: int) -> bytes:
    """A tempo change that carries a number."""
    return bytes([0xFF, 0x51, 3, number >> 14, number >> 7 & 0x7F, number & 0x7F])
