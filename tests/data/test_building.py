"""Building a corpus: what goes in, what is left out and why, and that nothing that happens on the way changes it."""

import builtins
import errno
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest

from drumlib.data.corpus.builder import Shard, build
from drumlib.data.corpus.reader import Corpus
from drumlib.data.corpus.selection import SelectionRules, exclusion_reason
from drumlib.data.corpus.shards import open_notes
from drumlib.data.corpus.sources import SongFolder
from drumlib.data.grid_song import GRID_NOTE, grid_song
from drumlib.data.song_folder import MAX_TRACKS
from drumlib.data.splitting.fingerprints import window_fingerprints
from drumlib.music import Meter, Note, Song, Track, song_to_bytes, songbook, write_song
from drumlib.music import fast_midi as fast
from drumlib.music.midi import with_tracks

NAMES = songbook.names()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of our songs, some copies, and some files that are no songs."""
    folder = tmp_path_factory.mktemp("songs")
    for name in NAMES:
        write_song(songbook.song(name), folder / f"{name}.mid")
    rock = songbook.song("rock")
    write_song(transposed(rock, 3), folder / "copies of rock.mid")
    write_song(replace(rock, tracks=[t for t in rock.tracks if t.family != "guitar"]), folder / "no guitar.mid")
    write_song(replace(rock, tracks=rock.band), folder / "no drums.mid")
    (folder / "sub").mkdir()
    (folder / "sub" / "damaged.MID").write_bytes(song_to_bytes(rock)[:2000])
    (folder / "text.mid").write_text("no song")
    (folder / "empty.midi").touch()
    (folder / "notes.txt").write_text("not even a MIDI file")
    return folder


def transposed(song, semitones):
    """The song in another key."""
    tracks = [
        t if t.is_drum else replace(t, notes=[n._replace(pitch=n.pitch + semitones) for n in t.notes])
        for t in song.tracks
    ]
    return Song(song.ticks_per_beat, tracks, song.tempos, song.meters)


def quick(folder, out, **settings):
    """Build in this process, without a bar."""
    return build(SongFolder(folder), out, **({"workers": 0, "shard_songs": 3, "progress": False} | settings))


def contents(folder) -> dict[str, str]:
    """Every file below a folder, with its sha256."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(folder, tmp_path_factory):
    """The corpus of that folder."""
    out = tmp_path_factory.mktemp("built") / "corpus"
    quick(folder, out)
    return out


def test_every_song_is_there_or_left_out_for_a_reason(folder, built):
    counts = json.loads((built / "manifest.json").read_text())["counts"]
    assert counts["songs"] == len(NAMES) + 6
    assert counts["songs_kept"] == len(NAMES) + 1
    assert counts["songs_left_out"] == {"not a song": 3, "no guitar": 1, "no drums": 1}
    corpus = Corpus(built)
    direct = {path.stem: grid_song(fast.read_song_fast(path)) for path in folder.glob("*.mid") if path.stem in NAMES}
    assert counts["windows"] == sum(len(song.starts) for song in corpus)
    assert counts["combinations"] >= counts["windows"]
    for name, written in direct.items():
        [read] = [song for song in corpus if song.name == name]
        assert (read.steps, read.starts, read.left_out) == (written.steps, written.starts, written.left_out)
        np.testing.assert_array_equal(read.audible, written.audible)
        np.testing.assert_array_equal(read.drums, written.drums)
        assert [part.program for part in read.parts] == [part.program for part in written.parts]
        for one, other in zip(read.parts, written.parts, strict=True):
            np.testing.assert_array_equal(one.notes, other.notes)


def test_what_is_no_song_is_named_with_the_reason(built):
    errors = {error["file"]: error["error"] for error in json.loads((built / "manifest.json").read_text())["errors"]}
    assert set(errors) == {"sub/damaged.MID", "text.mid", "empty.midi"}
    assert "it is empty" in errors["empty.midi"] and "cut off" in errors["sub/damaged.MID"]


def test_a_corpus_of_format_1_is_read(folder, built, tmp_path):
    """It has the keys "heard" and "clashes", which are "audible" and "duplicates" today."""
    quick(folder, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text()) | {"format": 1}
    for shard in manifest["shards"]:
        path = tmp_path / f"{shard['name']}.json"
        old = path.read_text().replace('"audible":', '"heard":')
        assert '"heard":' in old
        path.write_text(old)
        shard["json_sha256"] = hashlib.sha256(old.encode()).hexdigest()
    old = (tmp_path / "splits.json").read_text().replace('"duplicates":', '"clashes":')
    (tmp_path / "splits.json").write_text(old)
    manifest["splits_sha256"] = hashlib.sha256(old.encode()).hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    for split in ("train", "validation", "test"):
        old, new = Corpus(tmp_path).windows(split), Corpus(built).windows(split)
        assert np.array_equal(old.index, new.index)
        for one, other in zip(old.grid_songs, new.grid_songs, strict=True):
            assert np.array_equal(one.audible, other.audible) and np.array_equal(one.drums, other.drums)


def test_notes_stay_on_disk(built):
    corpus = Corpus(built)
    drums = corpus[0].drums
    assert isinstance(drums.base if not isinstance(drums, np.memmap) else drums, np.memmap)
    assert not drums.flags.writeable


def test_a_song_and_its_transposition_stand_in_one_split(built):
    corpus = Corpus(built)
    rock, copy = (number for number, song in enumerate(corpus) if "rock" in song.name)
    assert corpus.groups[rock] == corpus.groups[copy] and corpus.splits[rock] == corpus.splits[copy]
    assert len(set(corpus.groups.tolist())) == len(NAMES), "and all others are on their own"
    assert set(corpus.splits) == {"train", "validation", "test"}


def parts_of_splits(corpus) -> dict[str, set[int]]:
    """The fingerprints of the drum parts that each split's windows have."""
    prints = [window_fingerprints(song) for song in corpus]
    index = {split: corpus.windows(split).index.tolist() for split in ("train", "validation", "test")}
    return {split: {int(prints[song][i]) for song, i in rows} for split, rows in index.items()}


@pytest.mark.slow
def test_no_drum_part_stands_in_two_splits(tmp_path):
    """Even if a table puts the same song, with other bands, into all three."""
    rows = ["file,split"]
    for name, split in zip(NAMES, ["train"] * 4 + ["validation"] * 2 + ["test"] * 2, strict=True):
        song = songbook.song(name)
        write_song(song, tmp_path / f"{name}.mid")
        rows.append(f"{name}.mid,{split}")
        if split != "train":  # a train song with half of its drums
            half = song.bars[len(song.bars) // 2].tick
            drums = [replace(t, notes=[n for n in t.notes if n.tick < half]) for t in song.drums]
            other = transposed(replace(song, tracks=song.band, events=None), 2)
            more = [n._replace(pitch=36) for n in other.parts("bass")[0].notes if n.tick >= half]
            drums.append(Track(more, is_drum=True))
            write_song(with_tracks(other, drums), tmp_path / f"{name} again.mid")
            rows.append(f"{name} again.mid,train")
    (tmp_path / "songs.csv").write_text("\n".join(rows))
    manifest = quick(tmp_path, tmp_path / "corpus")
    corpus = Corpus(tmp_path / "corpus")
    parts = parts_of_splits(corpus)
    assert all(parts.values())
    assert not parts["train"] & parts["test"] and not parts["train"] & parts["validation"]
    assert not parts["validation"] & parts["test"]
    assert manifest["splits"]["train"]["windows_left_out"] > 10
    assert manifest["splits"]["test"]["windows_left_out"] == 0, "what is tested on stays as it is"
    assert manifest["splits_by"] == "the source's own list"


def test_no_drum_part_of_real_songs_stands_in_two_splits(shared_data, tmp_path):
    manifest = build(SongFolder(shared_data), tmp_path, workers=0, progress=False)
    assert manifest["counts"]["songs"] == 165
    parts = parts_of_splits(Corpus(tmp_path))
    assert len(parts["train"]) > 1000
    assert not parts["train"] & parts["test"] and not parts["train"] & parts["validation"]
    assert not parts["validation"] & parts["test"]


# What happens on the way


@pytest.mark.slow
def test_processes_threads_and_this_process_build_the_same(folder, built, tmp_path):
    quick(folder, tmp_path / "processes", workers=2)
    assert contents(tmp_path / "processes") == contents(built)
    with ThreadPoolExecutor(3) as executor:
        quick(folder, tmp_path / "threads", executor=executor)
    assert contents(tmp_path / "threads") == contents(built)


@pytest.mark.slow
def test_a_real_dask_cluster_builds_the_same(folder, built, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=tmp_path / "scratch"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        quick(folder, tmp_path / "dask", executor=client.get_executor())
    assert contents(tmp_path / "dask") == contents(built)


def test_a_corpus_that_is_there_is_not_built_again(folder, built):
    times = {path: path.stat().st_mtime_ns for path in built.glob("shard-*")}
    quick(folder, built)
    assert {path: path.stat().st_mtime_ns for path in built.glob("shard-*")} == times


@pytest.mark.parametrize("harm", ["cut", "changed", "gone", "rubbish"])
def test_a_shard_that_is_not_whole_is_made_again(folder, built, tmp_path, harm):
    out = tmp_path / "corpus"
    quick(folder, out)
    notes, about = out / "shard-00001.npy", out / "shard-00001.json"
    if harm == "cut":
        notes.write_bytes(notes.read_bytes()[:-5])
    elif harm == "changed":
        notes.write_bytes(notes.read_bytes()[:-1] + b"\xff")
    elif harm == "gone":
        about.unlink()
    else:
        about.write_text("[1, 2")
    (out / "manifest.json").unlink()
    (out / ".unfinished-abc").write_text("left by a build that was killed")
    quick(folder, out)
    assert contents(out) == contents(built)


@pytest.mark.slow
def test_killed_builds_go_on_and_end_the_same(folder, built, tmp_path):
    """Killed again and again, at any moment, without warning."""
    out = tmp_path / "corpus"
    chance = random.Random(1)
    script = (
        "import sys\nfrom pathlib import Path\nfrom drumlib.data.corpus.builder import build\n"
        "from drumlib.data.corpus.sources import SongFolder\n"
        "if __name__ == '__main__':\n"
        "    print('go', flush=True)\n"
        "    build(SongFolder(Path(sys.argv[1])), sys.argv[2], workers=0, shard_songs=3, progress=False)\n"
    )
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", script, folder, out], stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.25))
        process.kill()
        process.wait()
        process.stdout.close()
    quick(folder, out)
    assert contents(out) == contents(built)


@dataclass(frozen=True)
class Deadly(SongFolder):
    """A folder one of whose songs kills whoever reads it, and another is our mistake."""

    def read(self, entry):
        if entry.file == "funk.mid":
            os.kill(os.getpid(), signal.SIGKILL)
        if entry.file == "disco.mid":
            raise KeyError("a slip of ours")
        return super().read(entry)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["own pool", "a given pool", "a maker of pools"])
def test_a_song_that_kills_its_reader_costs_that_song(folder, tmp_path, way):
    from drumlib.data.corpus.workers import pool

    executor = {"own pool": None, "a given pool": pool(2), "a maker of pools": lambda: pool(2)}[way]
    manifest = build(Deadly(folder), tmp_path / "c", executor=executor, workers=2, shard_songs=3, progress=False)
    errors = {error["file"]: error["error"] for error in manifest["errors"]}
    assert errors["funk.mid"] == "the process that read it died"
    assert errors["disco.mid"] == "KeyError: 'a slip of ours'"
    assert manifest["counts"]["songs_kept"] == len(NAMES) + 1 - 2
    assert manifest["counts"]["songs_left_out"]["a fault in reading"] == 2


@pytest.mark.slow
def test_a_worker_that_dies_in_a_dask_cluster_costs_that_song(folder, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=tmp_path / "scratch",
            silence_logs=60,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        manifest = build(Deadly(folder), tmp_path / "c", executor=client.get_executor(), shard_songs=3, progress=False)
    assert {error["file"] for error in manifest["errors"] if "died" in error["error"]} == {"funk.mid"}
    assert manifest["counts"]["songs_kept"] == len(NAMES) + 1 - 2


def test_a_script_that_every_process_would_start_again_is_told_so(folder, tmp_path):
    """Without the guard that Python wants there, no worker can start; no song is to blame for that."""
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\nfrom drumlib.data.corpus.builder import build\n"
        "from drumlib.data.corpus.sources import SongFolder\n"
        f"build(SongFolder(Path({str(folder)!r})), {str(tmp_path / 'corpus')!r}, workers=1, progress=False)\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert ended.returncode != 0
    assert "no process could be started" in ended.stderr.splitlines()[-1]


@dataclass(frozen=True)
class Failing(SongFolder):
    """A folder on a disk that fails."""

    def read(self, entry):
        if entry.file == "funk.mid":
            raise OSError(5, "Input/output error", str(self.folder / entry.file))
        return super().read(entry)


def test_a_disk_that_fails_ends_the_build_and_is_not_held_against_the_song(folder, built, tmp_path):
    with pytest.raises(OSError, match="Input/output error"):
        build(Failing(folder), tmp_path / "c", workers=0, shard_songs=3, progress=False)
    (tmp_path / "c" / "plan.json").unlink()  # the other source would make another plan
    for rest in (tmp_path / "c").iterdir():
        rest.unlink()
    quick(folder, tmp_path / "c")
    assert contents(tmp_path / "c") == contents(built)


def test_a_reader_says_which_errors_are_the_disks(folder, monkeypatch):
    def failing(*arguments, **more):
        raise OSError(24, "Too many open files")

    source = SongFolder(folder)
    entry = next(entry for entry in source.entries() if entry.file == "rock.mid")
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", failing)
        with pytest.raises(OSError, match="Too many open files"):
            source.read(entry)
    with pytest.raises(ValueError, match="No such file"):
        source.read(replace(entry, file="nowhere.mid"))


def test_a_disk_that_fails_while_a_file_is_read_ends_what_was_begun(folder, tmp_path, monkeypatch):
    def failing(*arguments, **more):
        raise OSError(errno.EIO, "Input/output error")

    source = SongFolder(folder)
    entries = tuple(source.entries())
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", failing)
        with pytest.raises(OSError, match="Input/output error"):
            Shard(source, SelectionRules(), entries, tmp_path / "shard-00000").make()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["splits.json", "shard-00001.json"])
def test_a_finished_corpus_that_was_changed_is_mended(folder, built, tmp_path, name):
    quick(folder, tmp_path / "c")
    path = tmp_path / "c" / name
    path.write_bytes(path.read_bytes().replace(b"train", b"test").replace(b'"starts":[0,', b'"starts":['))
    quick(folder, tmp_path / "c")
    assert contents(tmp_path / "c") == contents(built)


def test_a_song_of_thousands_of_tracks_is_left_out(tmp_path):
    rock = songbook.song("rock")
    many = [replace(rock.parts("piano")[0], channel=0, name=str(i)) for i in range(250)]
    (tmp_path / "songs").mkdir()
    write_song(rock, tmp_path / "songs" / "rock.mid")
    song = Song(rock.ticks_per_beat, [*rock.tracks, *many])
    assert exclusion_reason(song) is None
    assert f"more than {MAX_TRACKS} parts" in exclusion_reason(Song(rock.ticks_per_beat, [*song.tracks, *many]))
    short = Song(31, [Track([Note(31 * 9_999, 60, 90, 9)])], meters=[Meter(0, 1, 64)])
    assert "bars" in exclusion_reason(short)


@pytest.mark.parametrize("file", ["../rock.mid", "/etc/passwd", "sub/../../rock.mid"])
def test_a_table_cannot_lead_out_of_its_folder(tmp_path, file):
    (tmp_path / "songs.csv").write_text(f"file,split\n{file},train\n")
    with pytest.raises(ValueError, match="leads out of the folder"):
        SongFolder(tmp_path).entries()


# What is refused


def test_another_corpus_in_the_folder_is_refused(folder, built):
    with pytest.raises(FileExistsError, match="rules differ"):
        quick(folder, built, rules=SelectionRules(missing=1))
    with pytest.raises(FileExistsError, match="shard_songs differ"):
        quick(folder, built, shard_songs=4)


def test_a_folder_with_something_else_in_it_is_refused(folder, tmp_path):
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(FileExistsError, match="something else"):
        quick(folder, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_in_a_folder_that_is_refused_nothing_is_removed(folder, built, tmp_path):
    (tmp_path / "thesis.doc").write_text("years of work")
    theirs, ours = tmp_path / ".unfinished-thesis.doc", built / ".unfinished-of-a-build-that-runs"
    for path, options in ((theirs, {}), (ours, {"shard_songs": 4})):
        path.write_text("not yet")
        with pytest.raises(FileExistsError):
            quick(folder, path.parent, **options)
        assert path.read_text() == "not yet"
    ours.unlink()


def test_a_build_killed_before_its_plan_was_written_goes_on(folder, built, tmp_path):
    (tmp_path / ".unfinished-plan").write_text("half of it")
    quick(folder, tmp_path)
    assert contents(tmp_path) == contents(built) and not list(tmp_path.glob(".unfinished-*"))


def test_fewer_than_no_workers_are_refused_before_anything_is_made(folder, tmp_path):
    with pytest.raises(ValueError, match="workers"):
        build(SongFolder(folder), tmp_path / "c", workers=-3, progress=False)
    assert not (tmp_path / "c").exists()


def test_a_changed_song_makes_another_corpus(tmp_path):
    (tmp_path / "songs").mkdir()
    write_song(songbook.song("rock"), tmp_path / "songs" / "a.mid")
    quick(tmp_path / "songs", tmp_path / "corpus")
    write_song(songbook.song("funk"), tmp_path / "songs" / "a.mid")
    with pytest.raises(FileExistsError, match="songs_sha256 differ"):
        quick(tmp_path / "songs", tmp_path / "corpus")


def test_a_source_without_a_fit_song_says_why(tmp_path):
    (tmp_path / "songs").mkdir()
    write_song(Song(96, [Track([Note(0, 60, 90, 9)])]), tmp_path / "songs" / "piano.mid")
    with pytest.raises(ValueError, match=r"none of the 1 songs is fit.*no drums \(1\)"):
        quick(tmp_path / "songs", tmp_path / "corpus")
    with pytest.raises(FileNotFoundError, match="no songs here"):
        quick(tmp_path / "nowhere", tmp_path / "corpus")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("manifest.json", lambda data: data.replace(b'"format": 2', b'"format": 3')),
        ("manifest.json", lambda data: data[:100]),
        ("manifest.json", lambda data: b"[]"),
        ("splits.json", lambda data: data.replace(b"train", b"test")),
        ("shard-00000.json", lambda data: data.replace(b"rock", b"roll") + b" "),
    ],
)
def test_a_corpus_that_was_tampered_with_is_refused(folder, tmp_path, name, change):
    quick(folder, tmp_path)
    (tmp_path / name).write_bytes(change((tmp_path / name).read_bytes()))
    with pytest.raises(ValueError, match="not a corpus"):
        Corpus(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"first": 10**9},
        {"first": -5},
        {"starts": [10**7]},
        {"starts": ["a"]},
        {"parts": [["kazoo", 0, 5]]},
        {"heard": []},
        {"drums": 10**12},
    ],
    ids=str,
)
def test_a_corpus_of_a_stranger_that_contradicts_itself_is_refused(folder, tmp_path, change):
    """All its sums are right; what it says is not."""
    quick(folder, tmp_path)
    path, manifest = tmp_path / "shard-00000.json", json.loads((tmp_path / "manifest.json").read_text())
    about = json.loads(path.read_text())
    about["songs"][0] |= change
    path.write_text(json.dumps(about))
    manifest["shards"][0]["json_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError):
        Corpus(tmp_path)[0]


def test_a_shard_that_was_cut_is_not_taken_for_silence(folder, tmp_path):
    quick(folder, tmp_path)
    notes = np.load(tmp_path / "shard-00000.npy")
    np.save(tmp_path / "shard-00000.npy", notes[:100])
    with pytest.raises(ValueError, match="too short"):
        Corpus(tmp_path)[0]
    np.savez(tmp_path / "shard-00000.npz", notes)
    (tmp_path / "shard-00000.npz").replace(tmp_path / "shard-00000.npy")
    with pytest.raises(ValueError, match="not the notes of a shard"):
        Corpus(tmp_path)[0]


@pytest.mark.parametrize(
    "header", ["((((", f"{{'descr': {GRID_NOTE.descr}, 'fortran_order': False, 'shape': (1{26 * '0'},)}}"]
)
def test_notes_that_are_damaged_are_named(tmp_path, header):
    """numpy answers the first with tokenize.TokenError, the second with OverflowError."""
    text = header.encode().ljust(501) + b"\n"
    (tmp_path / "shard-00000.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    with pytest.raises(ValueError, match=r"shard-00000\.npy: not the notes of a shard \(") as caught:
        open_notes(tmp_path / "shard-00000.npy")
    assert type(caught.value) is ValueError
    with pytest.raises(FileNotFoundError):
        open_notes(tmp_path / "nowhere.npy")


def test_changed_notes_are_found_by_checking(folder, tmp_path):
    quick(folder, tmp_path)
    Corpus(tmp_path).check()
    data = (tmp_path / "shard-00000.npy").read_bytes()
    (tmp_path / "shard-00000.npy").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ValueError, match="shard-00000.npy"):
        Corpus(tmp_path).check()


def test_there_is_no_corpus_where_none_was_finished(tmp_path):
    with pytest.raises(FileNotFoundError, match="not built to the end"):
        Corpus(tmp_path)


def test_a_split_that_does_not_exist_is_refused(built):
    with pytest.raises(ValueError, match="'tset'"):
        Corpus(built).windows("tset")


# What a network learns from


def test_a_family_may_be_missing_if_that_is_asked_for(folder, tmp_path):
    manifest = quick(folder, tmp_path / "two", rules=SelectionRules(missing=1))
    corpus = Corpus(tmp_path / "two")
    [song] = [song for song in corpus if song.name == "no guitar"]
    assert len(song.starts) > 5
    piano, guitar, bass, drums = song.window(0, np.random.default_rng(0))
    assert piano.any() and bass.any() and drums.any() and not guitar.any()
    assert manifest["counts"]["songs_kept"] == len(NAMES) + 2


def test_every_combination_of_tracks_is_a_window_of_its_own(tmp_path):
    song = songbook.song("rock")
    guitar = song.parts("guitar")[0]
    more = [replace(guitar, notes=[n._replace(pitch=n.pitch + up) for n in guitar.notes]) for up in (-12, -5)]
    (tmp_path / "songs").mkdir()
    write_song(with_tracks(song, more), tmp_path / "songs" / "a.mid")
    manifest = quick(tmp_path / "songs", tmp_path / "corpus")
    windows = Corpus(tmp_path / "corpus").windows("train")
    combined = windows.combined()
    assert len(combined) == manifest["counts"]["combinations"] > len(windows)
    first = [row for row in range(len(combined)) if combined.index[row, 1] == 0]
    assert len({combined.window(row)[1].tobytes() for row in first}) == len(first) > 1
    assert len({combined.window(row)[3].tobytes() for row in first}) == 1, "all of them with the same drums"
    assert max(combined.index[:, 2]) > max(windows.combined(2).index[:, 2]) == 1
