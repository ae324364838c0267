"""The defects of the thesis's published data code, each shown to be mended. The numbers are those of the book."""

import io
import json
from dataclasses import replace

import mido
import numpy as np
import pytest

from drumlib.data.corpus.builder import build
from drumlib.data.corpus.reader import Corpus
from drumlib.data.corpus.sources import SongFolder
from drumlib.data.grid_song import grid_song
from drumlib.data.splitting.fingerprints import window_fingerprints
from drumlib.music import (
    Meter,
    Note,
    Song,
    Tempo,
    Track,
    groove_of,
    midi,
    piano_roll,
    song_to_bytes,
    songbook,
    write_song,
)
from drumlib.music import fast_midi as fast

READERS = (midi.song_from_bytes, fast.song_from_bytes_fast)


def file_of(kind, *tracks) -> bytes:
    """A MIDI file of tracks, each a list of messages; times are ticks since the message before, 96 to a beat."""
    file = mido.MidiFile(type=kind, ticks_per_beat=96)
    file.tracks += [mido.MidiTrack(track) for track in tracks]
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def message(kind, time=0, **values):
    return mido.Message(kind, time=time, **values)


def test_1_only_a_stroke_is_a_note():
    """Not its end, which may be a note-on of velocity 0; nor a bend, nor pressure."""
    data = file_of(
        0,
        [
            message("note_on", note=60, velocity=90),
            message("pitchwheel", time=24, pitch=100),
            message("aftertouch", time=24, value=60),
            message("polytouch", time=24, note=60, value=60),
            message("note_on", time=24, note=60, velocity=0),
        ],
    )
    for reader in READERS:
        song = reader(data)
        assert song.tracks[0].notes == (Note(0, 60, 90, 96),)
        assert piano_roll(song, "piano").sum() == 1


def test_2_who_plays_what_does_not_depend_on_where_it_is_said():
    """Late programs, programs in another track, all in one track; and a program on the drum channel is no piano."""
    apart = file_of(
        1,
        [message("program_change", channel=2, program=33)],
        [message("control_change", time=i % 2, channel=1, control=7, value=i) for i in range(40)]
        + [message("program_change", channel=1, program=25)]
        + [message("note_on", channel=1, note=60, velocity=90), message("note_off", channel=1, time=9, note=60)],
        [message("note_on", channel=2, note=40, velocity=90), message("note_off", channel=2, time=9, note=40)],
        [message("program_change", channel=9, program=0)]
        + [message("note_on", channel=9, note=36, velocity=90), message("note_off", channel=9, time=9, note=36)],
    )
    merged = mido.merge_tracks(mido.MidiFile(file=io.BytesIO(apart)).tracks)
    for data in (apart, file_of(0, merged)):
        for reader in READERS:
            song = reader(data)
            assert sorted(track.family for track in song.tracks) == ["bass", "drums", "guitar"]
            assert not song.parts("piano")


def test_3_of_two_strokes_in_one_cell_the_loudest_is_kept():
    strokes = [Note(0, 38, 100, 9), Note(5, 40, 30, 9), Note(96, 38, 30, 9), Note(101, 40, 100, 9)]
    groove = groove_of(Song(96, [Track(strokes, is_drum=True)]))
    assert groove.velocities[[0, 4], 1].tolist() == [np.float32(100 / 127)] * 2
    assert groove.offsets[0, 1] == 0 and groove.offsets[4, 1] > 0.2


@pytest.mark.slow
def test_4_nothing_that_trains_is_tested_on(tmp_path):
    """Not a window of the same song, not its copy in another key, not a second combination of its tracks."""
    for name in songbook.names():
        song = songbook.song(name)
        write_song(song, tmp_path / f"{name}.mid")
        up = [
            t if t.is_drum else replace(t, notes=[n._replace(pitch=n.pitch + 2) for n in t.notes]) for t in song.tracks
        ]
        write_song(Song(song.ticks_per_beat, up, song.tempos, song.meters), tmp_path / f"a copy of {name}.mid")
    build(SongFolder(tmp_path), tmp_path / "corpus", workers=0, progress=False)
    corpus = Corpus(tmp_path / "corpus")
    prints = [window_fingerprints(song) for song in corpus]
    seen = {}
    for split in ("train", "validation", "test"):
        rows = corpus.windows(split).combined().index.tolist()
        assert rows
        seen[split] = (
            {int(prints[song][i]) for song, i, _ in rows},
            {corpus[song].name.split()[-1] for song, _, _ in rows},
        )
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not seen[one][0] & seen[other][0], "a drum part"
        assert not seen[one][1] & seen[other][1], "a song"


@pytest.mark.slow
def test_9_every_song_that_is_left_out_is_named_with_its_reason(tmp_path):
    songs = tmp_path / "songs"
    songs.mkdir()
    rock = songbook.song("rock")
    write_song(rock, songs / "good.mid")
    (songs / "cut off.mid").write_bytes(song_to_bytes(rock)[:-100])
    write_song(replace(rock, tracks=rock.band), songs / "no drums.mid")
    build(SongFolder(songs), tmp_path / "corpus", workers=0, progress=False)
    manifest = json.loads((tmp_path / "corpus" / "manifest.json").read_text())
    assert manifest["counts"]["songs_left_out"] == {"not a song": 1, "no drums": 1}
    [error] = manifest["errors"]
    assert error["file"] == "cut off.mid" and "ends too soon" in error["error"]


def test_10_a_meter_that_changes_inside_the_song_ends_the_window():
    """The published code looks at the first meter only. A tempo may change: the grid counts in beats, not seconds."""
    song = songbook.song("rock")
    bar = 4 * song.ticks_per_beat
    assert [m[1:] for m in song.meters] == [(4, 4)]
    before = grid_song(song)
    waltz = Song(
        song.ticks_per_beat, song.tracks, song.tempos, [Meter(0, 4, 4), Meter(12 * bar, 3, 4), Meter(15 * bar, 4, 4)]
    )
    after = grid_song(waltz)
    assert after.left_out["not in 4/4"] >= 5
    assert len(after.starts) < len(before.starts)
    for start in after.starts:
        assert start + 128 <= 12 * 16 or start >= 16 * 16, "a window in which a bar of three stands"
    slower = grid_song(Song(song.ticks_per_beat, song.tracks, [*song.tempos, Tempo(9 * bar, 900_000)], song.meters))
    assert slower.starts == before.starts
    np.testing.assert_array_equal(slower.window(0)[3], before.window(0)[3])
