"""The fast reader makes the same songs as the plain one, and refuses the same files with the same words."""

import random
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drumlib.data.song_folder import read_table
from drumlib.music import MidiError, Song, midi, song_to_bytes, songbook
from drumlib.music import fast_midi as fast

ON, OFF = 0x90, 0x80


def number(n: int) -> bytes:
    """A number as MIDI files write it."""
    parts = [n & 0x7F]
    while n := n >> 7:
        parts.append(n & 0x7F | 0x80)
    return bytes(reversed(parts))


def file_of(*tracks, ticks=96, end=b"\x00\xff\x2f\x00") -> bytes:
    """A file of tracks, each a list of (ticks since the last event, the event's bytes)."""
    data = struct.pack(">4sIHHH", b"MThd", 6, int(len(tracks) > 1), len(tracks), ticks)
    for track in tracks:
        body = b"".join(number(delta) + bytes(event) for delta, event in track) + end
        data += b"MTrk" + len(body).to_bytes(4, "big") + body
    return data


def result(reader, data):
    """A reader's song, or the words with which it refuses."""
    try:
        return reader(data, "a song")
    except MidiError as error:
        return str(error)


def same(data) -> Song | str:
    """What both readers make of these bytes; the test fails if they differ."""
    plain, quick = result(midi.song_from_bytes, data), result(fast.song_from_bytes_fast, data)
    assert quick == plain
    if isinstance(plain, Song):
        assert quick.name == plain.name and quick.events is None
        assert [track.name for track in quick.tracks] == [track.name for track in plain.tracks]
    return quick


CASES = {
    "no events": [[]],
    "notes that overlap on one pitch": [[(0, [ON, 60, 1]), (9, [ON, 60, 2]), (9, [OFF, 60, 0]), (9, [OFF, 60, 0])]],
    "a note-on of velocity 0 ends a note": [[(0, [ON, 60, 1]), (9, [ON, 60, 0])]],
    "notes that nobody ended": [
        [(0, [ON, 60, 1]), (9, [ON, 60, 2]), (9, [ON, 61, 3]), (9, [OFF, 61, 0]), (50, [OFF, 1, 1])]
    ],
    "a note of no length": [[(5, [ON, 60, 1]), (0, [OFF, 60, 0])]],
    "an end without a beginning": [[(5, [OFF, 60, 0]), (0, [ON, 60, 9]), (7, [OFF, 60, 0])]],
    "a program that changes": [
        [(0, [ON, 60, 1]), (5, [0xC0, 5]), (5, [OFF, 60, 0]), (0, [ON, 60, 2]), (5, [OFF, 60, 0])]
    ],
    "a program in another track": [[(0, [0xC1, 30])], [(0, [ON | 1, 60, 1]), (5, [OFF | 1, 60, 0])]],
    "a program in another, later": [
        [(9, [0xC1, 30])],
        [(k, e) for t in range(3) for k, e in ((5, [ON | 1, 60, 1]), (5, [OFF | 1, 60, 0]))],
    ],
    "a program of the drums": [[(0, [0xC9, 16]), (0, [ON | 9, 36, 1]), (5, [OFF | 9, 36, 0])]],
    "all channels at once": [[(1, [kind | c, 40 + c, 64]) for kind in (ON, OFF) for c in range(16)]],
    "running status": [
        [(0, [ON, 60, 1]), (5, [60, 0]), (5, [61, 7]), (5, [61, 0]), (0, [0xC0, 9]), (0, [10]), (1, [ON, 3, 3])]
    ],
    "running status behind a meta event": [
        [(0, [ON, 60, 1]), (3, [60, 0]), (0, [0xFF, 5, 1, 65]), (5, [61, 7]), (5, [61, 0])]
    ],
    "running pressure": [[(0, [0xD0, 60]), (5, [61]), (5, [62]), (0, [ON, 1, 1]), (200, [1, 0])]],
    "running status behind a program": [[(0, [ON, 60, 1]), (0, [0xC0, 60]), (5, [61]), (5, [ON, 60, 0])]],
    "tempos and meters": [
        [
            (0, [0xFF, 0x51, 3, 7, 0, 0]),
            (0, [0xFF, 0x51, 3, 9, 0, 0]),
            (9, [0xFF, 0x58, 4, 3, 2, 24, 8]),
            (0, [0xFF, 0x51, 3, 8, 0, 0]),
        ],
        [(4, [0xFF, 0x51, 3, 1, 0, 0]), (0, [ON, 60, 1]), (5, [OFF, 60, 0])],
    ],
    "names": [[(0, [0xFF, 3, 2, 0xC3, 0xA9]), (0, [0xFF, 3, 1, 65]), (0, [ON, 60, 1]), (5, [OFF, 60, 0])]],
    "system exclusive": [[(0, [0xF0, 3, 0x7E, 9, 0xF7]), (3, [0xF7, 1, 5]), (0, [ON, 60, 1]), (5, [OFF, 60, 0])]],
    "an end of the track before its end": [
        [(0, [ON, 60, 1]), (5, [OFF, 60, 0]), (0, [0xFF, 0x2F, 0]), (5, [ON, 61, 1]), (5, [OFF, 61, 0])]
    ],
    "long times": [[(2**21 - 1, [ON, 60, 1]), (2**14, [OFF, 60, 0]), (2**14 - 1, [ON, 60, 1]), (128, [OFF, 60, 0])]],
}
"""Tracks in which readers of MIDI files go different ways."""


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("end", [b"\x00\xff\x2f\x00", b"", b"\x60\xff\x2f\x00"], ids=["end", "no end", "late end"])
def test_songs_that_readers_read_differently(name, end):
    assert isinstance(same(file_of(*CASES[name], end=end, ticks=960)), Song)


REFUSED = {
    "a tempo of no time": [(0, [0xFF, 0x51, 3, 0, 0, 0])],
    "a meter of no beats": [(0, [0xFF, 0x58, 4, 0, 2, 24, 8])],
    "a meter of tiny notes": [(0, [0xFF, 0x58, 4, 4, 9, 24, 8])],
    "a tempo without a time": [(0, [0xFF, 0x51, 0])],
    "a key that is none": [(0, [0xFF, 0x59, 2, 99, 0])],
    "a velocity over 127": [(0, [ON, 60, 200])],
    "a pitch over 127": [(0, [ON, 200, 60])],
    "a program over 127": [(0, [0xC0, 200])],
    "data without a status": [(0, [60, 60])],
    "a status of no file": [(0, [0xF8])],
    "an event that ends too soon": [(0, [0xFF, 1, 100, 65])],
    "a number of five bytes": [(0, [0xFF, 1, 0x80, 0x80, 0x80, 0x80, 0])],
    "years of silence": [(2**28 - 1, [ON, 60, 1])] * 40,
    "a little more than an hour and a half": [(96 * 10_001, [ON, 60, 1])],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_one_reader_refuses_the_other_refuses_in_the_same_words(name):
    good = [(0, [ON, 60, 1]), (5, [OFF, 60, 0])]
    assert isinstance(same(file_of(good, REFUSED[name])), str)


def test_the_longest_song_is_read_by_both():
    assert isinstance(same(file_of([(96 * 9_999, [ON, 60, 1]), (50, [OFF, 60, 0])])), Song)


@pytest.mark.parametrize("name", songbook.names())
def test_our_own_songs(name):
    song = songbook.song(name)
    assert same(song_to_bytes(song)).tracks == song.tracks


event = st.one_of(
    st.tuples(
        st.sampled_from([ON, OFF]), st.sampled_from([0, 3, 9]), st.sampled_from([60, 61]), st.sampled_from([0, 1, 99])
    ),
    st.tuples(st.sampled_from([0xA0, 0xB0, 0xE0]), st.sampled_from([0, 9]), st.integers(0, 127), st.integers(0, 127)),
    st.tuples(st.sampled_from([0xC0, 0xD0]), st.sampled_from([0, 3, 9]), st.sampled_from([0, 30, 127])),
    st.sampled_from(
        [(0xFF, 0, 0x51, 3, 7, 1, 2), (0xFF, 0, 0x58, 4, 3, 2, 8, 8), (0xFF, 0, 3, 1, 66), (0xF0, 0, 2, 5, 0xF7)]
    ),
)
times = st.sampled_from([0, 0, 1, 24, 127, 128, 5_000, 20_000])


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.tuples(times, event), max_size=25), min_size=1, max_size=4), st.booleans())
def test_any_events(tracks, running):
    streams = []
    for track in tracks:
        stream, last = [], None
        for delta, (status, channel, *data) in track:
            status |= channel if status < 0xF0 else 0
            stream.append((delta, data if running and status == last else [status, *data]))
            last = status if status < 0xF0 else last
        streams.append(stream)
    same(file_of(*streams))


def test_damaged_songs_are_read_alike():
    chance = random.Random(5)
    data = song_to_bytes(songbook.song("rock"))[:3_000]
    songs = 0
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(chance.choice([1, 1, 3, 20])):
            damaged[chance.randrange(14, len(damaged))] = chance.randrange(256)
        # the header tells of more tracks than are left: say how many there are
        starts = [i for i in range(len(damaged)) if damaged.startswith(b"MTrk", i)]
        damaged[10:12] = max(1, len(starts) - 1).to_bytes(2, "big")
        songs += isinstance(same(bytes(damaged)), Song)
    assert songs > 20, "if all were refused, nothing was compared"


def test_every_real_song(shared_data):
    names = [row["file"] for row in read_table(shared_data / "songs.csv")][::5]
    songs = sum(isinstance(same((shared_data / name).read_bytes()), Song) for name in names)
    assert songs > 0.9 * len(names)


def test_every_real_performance(shared_data):
    archive = shared_data.parent / "groove" / "groove-v1.0.0-midionly.zip"
    if not archive.is_file():
        pytest.skip(f"the Groove MIDI Dataset was not found at {archive}")
    with zipfile.ZipFile(archive) as files:
        names = [name for name in files.namelist() if name.endswith(".mid")][::5]
        assert all(isinstance(same(files.read(name)), Song) for name in names)
