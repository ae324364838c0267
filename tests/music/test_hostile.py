"""Files that are no songs, and files that were made to do harm.

Whatever the bytes, reading them gives a Song or one MidiError with a reason, soon and in little memory; and what
was read can be laid on a grid and written again.
"""

import os
import random
import re
import struct
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from drumlib.music import Grid, MidiError, Song, groove_of, piano_roll, read_song, song_from_bytes, song_to_bytes
from drumlib.music.midi import MAX_BEATS, MAX_BYTES, MAX_TRACKS

NOTE = bytes.fromhex("00 90 3C 40 60 3C 00")  # middle C for 96 ticks, with running status
END = bytes.fromhex("00 FF 2F 00")


def header(kind=1, tracks=1, division=96):
    return b"MThd" + (6).to_bytes(4, "big") + b"".join(n.to_bytes(2, "big") for n in (kind, tracks, division))


def chunk(body, size=None):
    return b"MTrk" + (len(body) if size is None else size).to_bytes(4, "big") + body


def one_track(body, division=96):
    return header(0, 1, division) + chunk(body)


SMALL = header(1, 2) + b"".join(
    chunk(bytes.fromhex(body) + END)
    for body in (
        "00 FF 51 03 06 1A 80  00 FF 58 04 04 02 18 08  00 FF 59 02 FD 01  00 F0 03 7E 09 F7",
        "00 FF 03 01 41  00 C0 18  00 90 3C 40  60 3C 00  00 99 24 64  60 89 24 00",
    )
)
"""A small file with a bit of everything."""


def song_or_error(data):
    """What a reader does with these bytes: a song that is fit to be used, or a reason. Anything else fails the test."""
    try:
        song = song_from_bytes(data)
    except MidiError as error:
        assert len(str(error)) > 10, "an error must say what is wrong"
        assert "\n" not in str(error)
        assert not str(error).rstrip().endswith(":"), "the reason is missing"
        return error
    grid = Grid(song)
    assert len(grid.played) == grid.steps < 5_000_000
    groove = groove_of(song, grid)
    assert np.isfinite(groove.to_array()).all()
    repr(song)
    assert song_from_bytes(song_to_bytes(song)) == song
    return song


# Files that cannot be read


def refusal(path):
    """The one line with which a path is refused: it names the file."""
    with pytest.raises(MidiError) as caught:
        read_song(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_file(tmp_path):
    assert "No such file" in refusal(tmp_path / "missing.mid")
    assert "No such file" in refusal(str(tmp_path / "missing.mid"))


def test_a_folder(tmp_path):
    assert "not a file" in refusal(tmp_path)


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.mid").touch()
    assert "empty" in refusal(tmp_path / "empty.mid")


@pytest.mark.parametrize("data", [b"Dear reader,\n", b"RIFF\x00\x00\x00\x00RMID", b"\x7fELF", b"MTh", b"\xff\xfbmp3"])
def test_files_of_other_kinds(tmp_path, data):
    (tmp_path / "other.mid").write_bytes(data)
    assert "not a MIDI file" in refusal(tmp_path / "other.mid")


@pytest.mark.skipif(os.name == "nt" or getattr(os, "geteuid", int)() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    (tmp_path / "secret.mid").write_bytes(SMALL)
    (tmp_path / "secret.mid").chmod(0)
    assert "Permission" in refusal(tmp_path / "secret.mid")


def test_a_name_that_is_too_long(tmp_path):
    refusal(tmp_path / ("n" * 5000))


def test_a_name_with_a_zero_byte(tmp_path):
    with pytest.raises(MidiError):
        read_song(f"{tmp_path}/a\0b.mid")


@pytest.mark.skipif(os.name == "nt", reason="Windows names are text")
def test_a_name_that_is_no_text_and_a_song_in_it(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.mid")
    try:
        with open(path, "wb") as file:
            file.write(SMALL)
    except OSError:
        pytest.skip("this file system takes only text as names")
    assert song_to_bytes(read_song(path))


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no such device here")
def test_a_device_that_never_ends():
    assert "not a file" in refusal("/dev/zero")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
def test_a_pipe_that_nobody_writes_to(tmp_path):
    os.mkfifo(tmp_path / "pipe.mid")
    answers = []

    def read():
        try:
            read_song(tmp_path / "pipe.mid")
        except MidiError as error:
            answers.append(str(error))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(5)
    assert len(answers) == 1, "it waits for ever"
    assert "not a file" in answers[0]


def test_a_file_that_is_too_large(tmp_path):
    path = tmp_path / "large.mid"
    with open(path, "wb") as file:
        file.write(SMALL)
        file.truncate(50_000_000_000 if sys.platform == "linux" else 2 * MAX_BYTES)  # a sparse file: it takes no room
    assert "larger than" in refusal(path)


def test_what_lies_behind_the_last_track_does_not_matter():
    assert song_or_error(SMALL + b"\0" * 1000) == song_from_bytes(SMALL)


# Damage


def test_the_small_file_is_a_song():
    assert isinstance(song_or_error(SMALL), Song)


@pytest.mark.parametrize("length", range(len(SMALL)))
def test_a_file_that_is_cut_off(length):
    assert isinstance(song_or_error(SMALL[:length]), MidiError)


@pytest.mark.parametrize("position", range(len(SMALL)))
def test_one_wrong_byte(position):
    wrong = {SMALL[position] ^ (1 << bit) for bit in range(8)} | {0, 1, 0x7F, 0x80, 0xF0, 0xF7, 0xF8, 0xFE, 0xFF}
    for byte in wrong - {SMALL[position]}:
        song_or_error(SMALL[:position] + bytes([byte]) + SMALL[position + 1 :])


def test_bytes_left_out_doubled_and_shuffled():
    rng = random.Random(0)
    for _ in range(600):
        data = bytearray(SMALL)
        for _ in range(rng.randint(1, 4)):
            i = rng.randrange(len(data))
            j = min(len(data), i + rng.randint(1, 6))
            data[i:j] = rng.choice(
                [b"", data[i:j] * 2, rng.randbytes(j - i), data[i:j][::-1], bytes.fromhex("FF 58 04 01 06 18 08")]
            )
        song_or_error(bytes(data))


def test_random_bytes():
    rng = random.Random(0)
    for size in (1, 5, 14, 22, 100, 1000):
        for start in (b"", b"MThd", header(), header() + b"MTrk", one_track(b"")[:-4], header() + b"MTrk\0\0\1\0"):
            for _ in range(10):
                song_or_error(start + rng.randbytes(size))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"MThd", "cut off"),
        (header(1, 1), "cut off"),
        (header(1, 3) + chunk(NOTE), "cut off"),
        (header(1, 65535) + chunk(NOTE), "track"),
        (header(1, 32768) + chunk(NOTE), "track"),
        (header(2, 1) + chunk(NOTE), "type 2"),
        (header(7, 1) + chunk(NOTE), "type 7"),
        (one_track(NOTE, 0), "instead of beats"),
        (one_track(NOTE, 0xE728), "film frames"),  # 25 frames a second, 40 ticks a frame
        (header() + chunk(NOTE, 0xFFFFFFFF), "cut off"),
        (header() + chunk(NOTE, 3), "damaged|cut off"),
        (header() + chunk(NOTE, 2), "damaged|cut off"),
        (header() + b"MTrq" + chunk(NOTE)[4:], "damaged|cut off|track"),
        (b"MThd\xff\xff\xff\xff" + header()[8:] + chunk(NOTE), "cut off"),
        (b"MThd\0\0\0\2\0\1", "cut off"),
        (one_track(bytes.fromhex("00 3C 40")), "damaged"),  # running status with none before it
        (one_track(bytes.fromhex("00 90 80 40")), "damaged"),  # a data byte over 127
        (one_track(bytes.fromhex("00 90 3C FF")), "damaged"),
        (one_track(bytes.fromhex("00 C0 80")), "damaged"),
        (one_track(bytes.fromhex("00 F4")), "damaged"),  # no such event
        (one_track(bytes.fromhex("00 F0 02 80 F7")), "damaged"),
        (one_track(bytes.fromhex("00 FF 51 02 01 02")), "damaged"),  # a tempo of two bytes
        (one_track(bytes.fromhex("00 FF 58 01 04")), "damaged"),  # half a meter
        (one_track(bytes.fromhex("00 FF 59 02 09 00")), "damaged"),  # a key with nine sharps
        (one_track(bytes.fromhex("00 FF 59 02 00 02")), "damaged"),  # neither major nor minor
        (one_track(bytes.fromhex("00 FF 54 05 FF 00 00 00 00")), "damaged"),
        (one_track(bytes.fromhex("00 FF 58 04 00 02 18 08") + NOTE), "meter is 0/4"),
        (one_track(bytes.fromhex("00 FF 58 04 04 FF 18 08") + NOTE), "meter|damaged"),  # 4 over 2 to the power of 255
        (one_track(bytes.fromhex("00 FF 58 04 04 07 18 08") + NOTE), "meter is 4/128"),
        (one_track(bytes.fromhex("00 FF 51 03 00 00 00") + NOTE), "tempo"),
        (one_track(bytes.fromhex("00 FF 01 FF FF FF 7F")), "damaged|cut off"),  # a text of 256 MB
        (one_track(bytes.fromhex("00 F0 FF FF FF 7F")), "damaged|cut off"),
        (one_track(bytes.fromhex("00 FF 01 83 FF 7F")), "cut off"),  # a text of 64 kB
        (one_track(NOTE + bytes.fromhex("FF FF FF 7F 90 3C 40")), "beats"),  # a note in 2^28 ticks
        (one_track(NOTE + bytes.fromhex("FF FF FF FF FF 7F 90 3C 40")), "beats|damaged"),  # a time of six bytes
    ],
)
def test_damage_with_a_name(data, reason, tmp_path):
    started = time.process_time()
    error = song_or_error(data)
    assert isinstance(error, MidiError), f"{error!r} is no refusal"
    assert re.search(reason, str(error)), str(error)
    assert time.process_time() - started < 1
    (tmp_path / "damaged.mid").write_bytes(data)
    assert str(error) in refusal(tmp_path / "damaged.mid")


@pytest.mark.parametrize(
    "status", ["F8", "F9", "FA", "FB", "FC", "FD", "FE", "F1 00", "F2 00 00", "F3 00", "F6", "F7 00"]
)
def test_events_that_belong_on_a_cable_and_not_in_a_file(status):
    """Refused, or read: but then the song can also be written."""
    song_or_error(one_track(NOTE + b"\0" + bytes.fromhex(status) + END))


def test_a_time_that_is_a_file_long():
    """Each further byte of a number makes it longer: taken as they come, they take minutes."""
    started = time.process_time()
    assert isinstance(song_or_error(one_track(b"\xff" * 150_000)), MidiError)
    assert isinstance(song_or_error(one_track(b"\x00\xff\x01" + b"\xff" * 150_000)), MidiError)
    assert time.process_time() - started < 2


def test_the_longest_song():
    far = MAX_BEATS * 96
    delta = bytes([0x80 | far >> 14 & 0x7F, 0x80 | far >> 7 & 0x7F, far & 0x7F])
    assert isinstance(song_or_error(one_track(bytes.fromhex("00 90 3C 40") + delta + bytes.fromhex("3C 00"))), Song)
    later = delta[:2] + bytes([delta[2] + 1])
    assert isinstance(
        song_or_error(one_track(bytes.fromhex("00 90 3C 40") + later + bytes.fromhex("3C 00"))), MidiError
    )


@pytest.mark.slow
@pytest.mark.parametrize("division", [1, 3, 1677])
@pytest.mark.parametrize("meter", ["01 06", "01 00", "FF 06", "07 03"])
def test_the_longest_songs_in_odd_meters(division, meter):
    """However short or long its bars are, a song has no more steps than memory has room for."""
    far = min(MAX_BEATS * division, 2**28 - 1)
    delta = bytes([0x80 | far >> 21 & 0x7F, 0x80 | far >> 14 & 0x7F, 0x80 | far >> 7 & 0x7F, far & 0x7F])
    body = bytes.fromhex(f"00 FF 58 04 {meter} 18 08") + bytes.fromhex("00 90 3C 40") + delta + bytes.fromhex("3C 00")
    song = song_from_bytes(one_track(body, division))
    grid = Grid(song)
    assert grid.steps < 3_000_000
    assert grid.locate([song.end - division])[0][0] < grid.steps


@pytest.mark.slow
def test_a_meter_on_every_tick():
    body = bytes.fromhex("01 FF 58 04 01 06 18 08") * 20_000 + NOTE
    song = song_from_bytes(one_track(body))
    assert Grid(song).steps <= 16 * 20_100
    assert piano_roll(song, "piano").sum() == 1


def test_very_many_tracks():
    assert len(song_or_error(header(1, MAX_TRACKS) + chunk(NOTE) * MAX_TRACKS).tracks) == MAX_TRACKS
    refused = song_or_error(header(1, 5000) + chunk(NOTE) * 5000)
    assert isinstance(refused, MidiError) and "5000 tracks" in str(refused)


def test_tracks_that_are_more_or_fewer_than_the_header_says():
    assert len(song_or_error(header(1, 1) + chunk(NOTE) * 2).tracks) >= 1
    assert isinstance(song_or_error(header(1, 2) + chunk(NOTE)), MidiError)
    assert song_or_error(header(1, 0)).tracks == ()


LARGE = """
import pathlib, resource, sys, time
from drumlib.music import Grid, groove_of, song_from_bytes
from drumlib.music.midi import MAX_BYTES
body = b"\\x00\\x99\\x24\\x40" + b"\\x01\\x24\\x40" * ((MAX_BYTES // 4 - 30) // 3)
data = bytes.fromhex("4D546864 00000006 0000 0001 0060 4D54726B") + len(body).to_bytes(4, "big") + body
before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
song = song_from_bytes(data)
grid = Grid(song)
groove_of(song, grid)
used = resource.getrusage(resource.RUSAGE_SELF)
peak = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
status = pathlib.Path("/proc/self/status")
if status.exists():  # on Linux, ru_maxrss begins with what the parent process held; VmHWM is our own
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    peak = int(lines["VmHWM"].split()[0]) / 2**10
print(len(song.tracks[0].notes), used.ru_utime - before, peak)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows does not count memory in this way")
def test_a_large_file_takes_little_time_and_memory():
    """A quarter of MAX_BYTES in which every third byte is a note. The whole takes four times as much: all is linear."""
    done = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    notes, seconds, megabytes = map(float, done.stdout.split())
    assert notes > MAX_BYTES / 12 - 20
    assert seconds < 5
    assert megabytes < 400


@pytest.mark.slow
def test_program_changes_are_not_gone_through_for_every_track():
    """Half a megabyte: one track of nothing but programs, and as many tracks with a note as there may be."""
    changes = b"".join(b"\x01\xc0" + bytes([i % 128]) for i in range(160_000))
    tracks = [changes + b"\x00\xff\x2f\x00", *[b"\x00\x90\x3c\x40\x60\x80\x3c\x40\x00\xff\x2f\x00"] * (MAX_TRACKS - 1)]
    head = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), 96)
    data = head + b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)
    start = time.process_time()
    song = song_from_bytes(data)
    assert len(song.tracks) == MAX_TRACKS - 1 and time.process_time() - start < 5


@pytest.mark.slow
def test_very_many_notes_without_length_are_read_and_written_soon():
    """150,000 in 900 kB: what costs is to make an object of each event, and to make it anew in order to write it."""
    pitches = bytes([60 + i % 12 for i in range(150_000)])
    body = bytes.fromhex("00 90") + b"\x01".join(bytes([pitch, 64, 0, pitch, 0]) for pitch in pitches)  # on, off
    started = time.process_time()
    song = song_from_bytes(one_track(body + END))
    data = song_to_bytes(song)
    assert time.process_time() - started < 4.5
    assert len(song.tracks[0].notes) == 150_000
    assert song_from_bytes(data) == song
