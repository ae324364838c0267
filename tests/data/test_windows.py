"""Songs cut into windows, and folders of songs."""

import subprocess
import sys
import time
from dataclasses import replace

import mido
import numpy as np
import pytest

from drumlib.data.corpus.sources import SongFolder
from drumlib.data.grid_song import (
    HOP_BARS,
    MAX_SILENT_BARS,
    WINDOW_BARS,
    WINDOW_STEPS,
    grid_song,
    is_silent,
    notes_between,
)
from drumlib.data.song_folder import MAX_TRACKS, list_songs, read_windows
from drumlib.data.splitting.joined_sets import drop_overlap, join
from drumlib.data.windows import Windows
from drumlib.music import FAMILIES, Meter, Note, Song, Track, groove_of, piano_roll, songbook, write_song

BAR = 4 * 96
PROGRAMS = {"piano": 0, "guitar": 25, "bass": 33}


def track_of(family, bars, pitch=48, shift=0):
    """A track with one note at the beginning of each of these bars."""
    notes = [Note(bar * BAR + shift, pitch, 90, 90) for bar in bars]
    if family == "drums":
        return Track(notes, is_drum=True, channel=9)
    return Track(notes, PROGRAMS[family], channel=list(FAMILIES).index(family))


def song_of(bars=8, **played):
    """A song in which all four parts strike on each bar, except those whose bars are given."""
    pitches = {"piano": 60, "guitar": 52, "bass": 40, "drums": 36}
    tracks = [track_of(family, played.get(family, range(bars)), pitch) for family, pitch in pitches.items()]
    return Song(96, tracks, name="song")


def test_the_numbers_of_the_thesis():
    assert (WINDOW_BARS, HOP_BARS, MAX_SILENT_BARS, WINDOW_STEPS) == (8, 2, 2, 128)


@pytest.mark.parametrize(
    ("bars", "starts"),
    [(1, ()), (7, ()), (8, (0,)), (9, (0,)), (10, (0, 32)), (13, (0, 32, 64)), (14, (0, 32, 64, 96))],
)
def test_a_window_starts_every_two_bars(bars, starts):
    assert grid_song(song_of(bars)).starts == starts


def test_a_song_without_notes_has_no_windows():
    assert grid_song(Song(96, [])).starts == ()


@pytest.mark.parametrize("family", ["piano", "guitar", "bass", "drums"])
def test_a_song_without_one_of_the_four_has_no_windows(family):
    assert grid_song(song_of(8, **{family: []})).starts == ()


@pytest.mark.parametrize(
    ("struck", "silent"),
    [
        ([], True),  # 128 silent steps
        ([0, 33, 66, 99], False),  # 32 silent steps between, 28 behind
        ([0, 34, 66, 99], True),  # 33 between
        ([32, 64, 95], False),  # 32 before, and 32 behind
        ([33, 64, 95], True),  # 33 before
        ([32, 64, 94], True),  # 33 behind
        (range(128), False),
    ],
)
def test_exactly_two_silent_bars_are_allowed(struck, silent):
    steps = np.array(struck, dtype=int)
    assert is_silent(steps, 128, np.array([0])).tolist() == [silent]
    around = np.concatenate([range(32), steps + 32, range(160, 192)])
    assert is_silent(around, 192, np.array([0, 32, 64]))[1] == silent, "what is outside the window does not count"


@pytest.mark.parametrize("family", ["piano", "guitar", "bass", "drums"])
def test_silence_of_any_part_ends_a_window(family):
    # Struck on the first step of bars 0, 1 and 2, then not before bar 5: 47 silent steps.
    song = song_of(14, **{family: [0, 1, 2, *range(5, 14)]})
    assert grid_song(song).starts == (64, 96), (
        "windows from bars 0 and 2 hear too much silence, those from 4 and 6 do not"
    )


def test_a_long_note_is_silent_after_its_onset():
    song = song_of(8, piano=[])
    long = Track([Note(0, 60, 90, 8 * BAR)], 0)
    assert grid_song(Song(96, [*song.tracks, long])).starts == ()


def test_only_four_four():
    assert grid_song(Song(96, song_of(16).tracks, meters=[Meter(0, 3, 4)])).starts == ()
    assert grid_song(Song(96, song_of(16).tracks, meters=[Meter(0, 2, 4)])).starts == ()


def test_windows_that_touch_another_meter_are_left_out():
    # Bars 0 to 8 in four, bar 9 in two (on the hop of two bars, hence from step 8 * 16), then four again.
    meters = [Meter(0, 4, 4), Meter(8 * BAR, 2, 4), Meter(8 * BAR + BAR // 2, 4, 4)]
    song = song_of(30)
    starts = grid_song(Song(96, song.tracks, meters=meters)).starts
    assert starts[0] == 0
    assert starts[1] == 160, "the bar of two is bar 8, steps 128 to 143; the next start behind it is bar 10"
    assert all(start % 32 == 0 for start in starts)


def test_a_window_is_cut_out_of_the_songs_rolls_and_groove():
    song = song_of(10)
    cut = grid_song(song)
    *band, drums = cut.window(1)
    for family, roll in zip(FAMILIES, band, strict=True):
        assert roll.dtype == np.uint8
        np.testing.assert_array_equal(roll, piano_roll(song, family)[32:160])
    np.testing.assert_array_equal(drums, groove_of(song).to_array()[32:160])
    assert drums.shape == (128, 27)


def test_tracks_of_a_family_are_laid_over_each_other_or_drawn():
    song = song_of(8)
    high = track_of("piano", range(8), 72)
    seldom = track_of("piano", [0], 84)
    cut = grid_song(Song(96, [*song.tracks, high, seldom]))
    together = cut.window(0)[0]
    assert set(np.flatnonzero(together.any(axis=0))) == {60, 72, 84}
    drawn = {tuple(np.flatnonzero(cut.window(0, np.random.default_rng(i))[0].any(axis=0))) for i in range(30)}
    assert drawn == {(60,), (72,)}, "each of the tracks that play enough, and never the one that does not"


def test_windows_number_all_songs_through():
    windows = Windows([grid_song(song_of(10)), grid_song(song_of(4)), grid_song(song_of(8))])
    assert len(windows) == 3
    assert windows.index.tolist() == [[0, 0], [0, 1], [2, 0]]
    batch = windows.batch([0, 2])
    assert {name: array.shape for name, array in batch.items()} == {
        "piano": (2, 128, 128),
        "guitar": (2, 128, 128),
        "bass": (2, 128, 128),
        "drums": (2, 128, 27),
    }
    assert len(Windows([])) == 0


def test_joined_windows_are_those_of_all_collections_in_order():
    parts = [
        Windows([grid_song(songbook.song(name)) for name in names])
        for names in (["rock", "funk"], [], ["blues"], ["funk"])
    ]
    whole = join(parts)
    assert len(whole) == sum(map(len, parts)) and whole.song_count == 4
    assert join(parts[:1]) is parts[0]
    first = 0
    for part in parts:
        for number in range(0, len(part), 5):
            for one, other in zip(part.window(number), whole.window(first + number), strict=True):
                np.testing.assert_array_equal(one, other)
        first += len(part)


def songs(*names: str, semitones: int = 0) -> Windows:
    """Songs of the songbook, in some key."""
    return Windows([grid_song(transposed(songbook.song(name), semitones)) for name in names])


def transposed(song: Song, semitones: int) -> Song:
    def moved(track):
        notes = [note._replace(pitch=note.pitch + (0 if track.is_drum else semitones)) for note in track.notes]
        return replace(track, notes=notes)

    return replace(song, tracks=[moved(track) for track in song.tracks], events=None)


def test_what_validates_in_one_collection_trains_in_none():
    """A copy is found whichever collection it is in, in another key, and under another number."""
    whole = join([songs("rock", "funk"), songs("blues", "swing", "bossa")])
    validation = join([songs("swing", semitones=2), Windows([]), songs("rock")])
    shown = []
    kept = drop_overlap(whole, validation, lambda numbers: shown.append(len(numbers)) or numbers)
    assert shown == [5, 2]
    assert np.unique(kept.index[:, 0]).tolist() == [1, 2, 4]
    assert kept.grid_songs is whole.grid_songs and len(kept) == len(songs("funk", "blues", "bossa"))
    assert len(drop_overlap(whole, songs("disco"))) == len(drop_overlap(whole, Windows([]))) == len(whole)
    assert len(drop_overlap(songs("rock"), songs("rock"))) == len(drop_overlap(Windows([]), songs("rock"))) == 0
    some = Windows(whole.grid_songs, whole.combined().index[::3])  # with the number of a combination
    apart = drop_overlap(some, validation)
    assert apart.index.tolist() == [row for row in some.index.tolist() if row[0] in (1, 2, 4)]


def test_of_other_songs_only_windows_with_the_same_drums_are_kept_apart():
    """One window of drums makes no relatives: the rest of the song trains on."""
    rock, funk = (grid_song(songbook.song(name)) for name in ("rock", "funk"))
    drums = notes_between(rock.drums, rock.starts[0]).copy()
    drums["step"] += funk.starts[0] - rock.starts[0]
    behind = funk.drums[funk.drums["step"] >= funk.starts[0] + WINDOW_STEPS]
    mixed = Windows([replace(funk, drums=np.concatenate([drums, behind]))])
    assert drop_overlap(mixed, Windows([rock])).index.tolist() == mixed.index[1:].tolist()


def test_transposition_moves_the_band_together_and_leaves_the_drums():
    windows = Windows([grid_song(song_of(8))])
    shifts = set()
    plain = windows.batch([0])
    for seed in range(60):
        batch = windows.batch([0], np.random.default_rng(seed), transpose=3)
        pitches = [int(np.flatnonzero(batch[family][0].any(axis=0))[0]) for family in FAMILIES]
        moved = {pitch - before for pitch, before in zip(pitches, (60, 52, 40), strict=True)}
        assert len(moved) == 1
        shifts |= moved
        assert all(batch[family].sum() == plain[family].sum() for family in FAMILIES)
        np.testing.assert_array_equal(batch["drums"], plain["drums"])
    assert shifts == set(range(-3, 4))
    np.testing.assert_array_equal(windows.batch([0])["piano"], plain["piano"])  # and the song itself is as it was


def test_transposition_does_not_turn_the_highest_note_into_the_lowest():
    song = song_of(8)
    windows = Windows([grid_song(Song(96, [track_of("piano", range(8), 126), *song.tracks[1:]]))])
    for seed in range(20):
        batch = windows.batch([0], np.random.default_rng(seed), transpose=3)
        assert not batch["piano"][0, :, :64].any()


def test_muting_never_silences_the_whole_band():
    windows = Windows([grid_song(song_of(8))])
    seen = set()
    for seed in range(60):
        batch = windows.batch([0], np.random.default_rng(seed), instrument_dropout=0.5)
        seen.add(tuple(bool(batch[family].any()) for family in FAMILIES))
    assert (False, False, False) not in seen
    assert len(seen) == 7
    assert all(
        windows.batch([0], np.random.default_rng(1), instrument_dropout=0.0)[family].any() for family in FAMILIES
    )
    assert windows.batch([0])["piano"].any()


def test_a_seed_gives_the_same_batch_again():
    tracks = [*song_of(12).tracks, track_of("piano", range(12), 72)]
    windows = Windows([grid_song(Song(96, tracks))])

    def batch(seed):
        return windows.batch([0, 1, 2], np.random.default_rng(seed), transpose=6, instrument_dropout=0.3)

    assert all(np.array_equal(batch(5)[name], batch(5)[name]) for name in batch(5))
    assert any(not np.array_equal(batch(5)[name], batch(6)[name]) for name in batch(5))


# Folders of songs


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.slow
def test_windows_import_neither_symusic_nor_keras():
    code = "import sys, drumlib.data.windows; print({'symusic', 'keras', 'drumlib.music.fast_midi'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.slow
def test_without_a_list_songs_are_parted_by_what_they_play(tmp_path):
    touch(tmp_path, "readme.txt", "sub/damaged.MIDI")
    for name in songbook.names():
        write_song(songbook.song(name), tmp_path / f"{name}.mid")
        write_song(songbook.song(name), tmp_path / "sub" / f"copy of {name}.mid")
    splits = {split: list_songs(tmp_path, split) for split in ("train", "validation", "test")}
    everything = [path for songs in splits.values() for path in songs]
    assert len(everything) == len(set(everything)) == 17 and all(splits.values())
    assert tmp_path / "sub" / "damaged.MIDI" in splits["train"], "where it will be noticed"
    for songs in splits.values():
        for path in songs:
            if path.suffix == ".mid" and path.parent == tmp_path:
                assert tmp_path / "sub" / f"copy of {path.name}" in songs
    assert len(splits["train"]) > 8
    assert splits["train"] == list_songs(str(tmp_path), "train"), "the same each time"


def test_songs_that_all_belong_together_cannot_be_parted(tmp_path):
    for i in range(4):
        write_song(songbook.song("rock"), tmp_path / f"{i}.mid")
    assert len(list_songs(tmp_path, "train")) == 4
    with pytest.raises(FileNotFoundError, match="no songs for test here .4 MIDI files, by what they play"):
        list_songs(tmp_path, "test")


def test_songs_csv_decides(tmp_path):
    touch(tmp_path, "a.mid", "b.mid", "c.mid", "d.mid")
    (tmp_path / "songs.csv").write_text("file,split,good\na.mid,train,1\nb.mid,train,0\nsub/c.mid,test,1\n")
    assert list_songs(tmp_path, "train") == [tmp_path / "a.mid"]
    assert list_songs(tmp_path, "test") == [tmp_path / "sub" / "c.mid"]
    with pytest.raises(FileNotFoundError, match="validation"):
        list_songs(tmp_path, "validation")


def test_songs_csv_without_marks_takes_all(tmp_path):
    (tmp_path / "songs.csv").write_text("split,file\ntrain,a.mid\ntrain,b.mid\n")
    assert list_songs(tmp_path, "train") == [tmp_path / "a.mid", tmp_path / "b.mid"]


@pytest.mark.parametrize("strange", ["Validation", "valid", "train ", ""])
def test_a_misspelt_split_in_songs_csv_drops_no_song_in_silence(tmp_path, strange):
    """Whoever reads the table says so, in the same words."""
    touch(tmp_path, "a.mid", "b.mid", "c.mid")
    table = tmp_path / "songs.csv"
    table.write_text(f"file,split,good\na.mid,train,1\nb.mid,{strange},1\nc.mid,test,1\n")
    said = []
    for reader in (lambda: list_songs(tmp_path, "train"), SongFolder(tmp_path).entries):
        with pytest.raises(ValueError) as refused:
            reader()
        said.append(str(refused.value))
    assert said == [f"{table}: 'b.mid': no split is called {strange!r}; there is train, validation, test"] * 2
    table.write_text(f"file,split,good\na.mid,train,1\nb.mid,{strange},0\n")  # a song that nobody takes
    assert list_songs(tmp_path, "train") == [tmp_path / "a.mid"] and len(SongFolder(tmp_path).entries()) == 1
    with pytest.raises(ValueError, match="'b.mid': no split is called"):
        SongFolder(tmp_path, all_songs=True).entries()


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_a_folder_without_songs_is_an_error_that_names_it(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=folder):
        list_songs(tmp_path / folder, "train")


@pytest.mark.parametrize("listed", [False, True])
def test_a_split_that_does_not_exist_is_refused(tmp_path, listed):
    """A slip of the pen must not train on other songs than was meant."""
    touch(tmp_path, "a.mid")
    if listed:
        (tmp_path / "songs.csv").write_text("file,split\na.mid,train\n")
    with pytest.raises((ValueError, FileNotFoundError), match="tset"):
        list_songs(tmp_path, "tset")


def test_a_song_of_thousands_of_parts_is_left_out_soon(tmp_path):
    """A file of a few kilobytes: tiny bars almost without end, and a part for each program of each channel."""
    track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=1, denominator=64)])
    for i in range(9 * 128):
        track.append(mido.Message("program_change", channel=i // 128, program=i % 128))
        track.append(mido.Message("note_on", channel=i // 128, note=60, velocity=90))
        track.append(mido.Message("note_off", channel=i // 128, note=60, time=800))
    mido.MidiFile(type=0, ticks_per_beat=96, tracks=[track]).save(tmp_path / "a.mid")
    assert (tmp_path / "a.mid").stat().st_size < 15_000
    write_song(song_of(10), tmp_path / "good.mid")
    refused, start = {}, time.process_time()
    assert len(read_windows([tmp_path / "a.mid", tmp_path / "good.mid"], refused)) == 2
    assert list(refused) == [str(tmp_path / "a.mid")] and f"more than {MAX_TRACKS} parts" in refused.popitem()[1]
    assert list_songs(tmp_path, "train") and time.process_time() - start < 3


def test_reading_leaves_out_what_is_no_song_and_says_why(tmp_path):
    write_song(song_of(10), tmp_path / "good.mid")
    (tmp_path / "bad.mid").write_bytes(b"no song")
    paths = [tmp_path / "bad.mid", tmp_path / "good.mid", tmp_path / "missing.mid"]
    refused, shown = {}, []

    def progress(songs):
        shown.extend(songs)
        return songs

    windows = read_windows(iter(paths), refused, progress)
    assert len(windows) == 2
    assert [cut.name for cut in windows.grid_songs] == ["good"]
    assert set(refused) == {str(paths[0]), str(paths[2])}
    assert "does not begin with 'MThd'" in refused[str(paths[0])]
    assert shown == paths
    assert len(read_windows(paths)) == 2, "nobody needs to ask for the refused"
