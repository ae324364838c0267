"""The command line, as a user meets it."""

import io
import json
import os
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

import drumlib
from drumlib import drummer, files
from drumlib.__main__ import main, parser
from drumlib.commands.songs import MOST_METERS
from drumlib.music import Meter, Note, Song, Tempo, Track, read_song, songbook, without_drums, write_song
from drumlib.network.training_config import TrainingConfig, config_for


@pytest.fixture
def rock(tmp_path):
    path = tmp_path / "rock.mid"
    write_song(songbook.song("rock"), path)
    return path


def test_accompany(rock, tmp_path, capsys):
    out = tmp_path / "out.mid"
    assert main(["accompany", str(rock), "-o", str(out), "--quantized-copy", "--seed", "3"]) == 0
    result = read_song(out)
    assert len(result.drums) == 2 and result.drums[0].notes
    assert "56 bars" in capsys.readouterr().out


@pytest.mark.slow
def test_accompany_and_render(rock, tmp_path):
    out, sound = tmp_path / "out.mid", tmp_path / "out.mp3"
    assert main(["accompany", str(rock), "-o", str(out), "--threshold", "0.5", "--render", str(sound)]) == 0
    audio, rate = soundfile.read(sound)
    assert len(audio) / rate == pytest.approx(read_song(out).duration, abs=4)
    assert 0.05 < abs(audio).max() < 1


@pytest.mark.parametrize(
    "content, reason",
    [
        (None, "No such file"),
        (b"", "it is empty"),
        (b"hello there", "not a MIDI file"),
        (b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\xff", "cut off"),
        (b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0", "no notes"),
    ],
)
@pytest.mark.parametrize("command", ["accompany", "render"])
def test_unusable_input_is_one_line_and_no_file(tmp_path, content, reason, command):
    song, out = tmp_path / "song.mid", tmp_path / "out.mid"
    if content is not None:
        song.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "drumlib", command, str(song), "-o", str(out)], capture_output=True, text=True
    )
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert str(song) in line and reason in line
    assert not out.exists()


def test_a_missing_folder_is_said_before_the_work(rock, tmp_path, capsys):
    assert main(["accompany", str(rock), "-o", str(tmp_path / "no" / "out.mid")]) == 1
    assert "there is no folder" in capsys.readouterr().err


def test_the_song_is_not_overwritten_by_its_result(rock, capsys):
    before = rock.read_bytes()
    assert main(["accompany", str(rock), "-o", str(rock)]) == 1
    assert "take the place of" in capsys.readouterr().err and rock.read_bytes() == before


@pytest.mark.parametrize("command", [["accompany", "--render", "out.mp3"], ["render"]])
def test_a_song_too_long_to_be_heard_is_said_by_name_before_the_work(tmp_path, monkeypatch, capsys, command):
    notes = [Note(480 * beat, 40, 90, 400) for beat in range(128)]
    write_song(Song(480, [Track(notes, 33)], [Tempo(0, 15_000_000)]), tmp_path / "slow.mid")  # four beats a minute
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(drummer, "accompany", lambda *_, **__: pytest.fail("the work had begun"))
    name, *options = command
    assert main([name, "slow.mid", "-o", "out.mid", *options]) == 1
    assert (
        capsys.readouterr().err == "drumlib: slow.mid: it lasts longer than 30 minutes, too long to be heard at once\n"
    )
    assert os.listdir() == ["slow.mid"]


def test_who_reads_no_more_of_our_words_is_told_no_more(rock):
    """As Python's own documentation has it: an exit status of 1, and not a word."""
    ours = subprocess.Popen(
        [sys.executable, "-m", "drumlib", "inspect", str(rock)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    ours.stdout.close()
    assert ours.stderr.read() == b"" and ours.wait() == 1


def test_another_pipe_that_breaks_is_an_error_as_any(tmp_path, monkeypatch, capsys):
    """A server's, say: it must not be passed over in silence."""
    from drumlib.data.download import download

    def broken(*_, **__):
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(download, "download", broken)
    assert main(["download", "groove", "-o", str(tmp_path)]) == 1
    assert "Broken pipe" in capsys.readouterr().err


def test_one_bar_is_said_as_one(tmp_path, capsys):
    write_song(Song(480, [Track([Note(0, 40, 90, 400)], 33)]), tmp_path / "short.mid")
    assert main(["inspect", str(tmp_path / "short.mid")]) == 0
    assert f"{tmp_path / 'short.mid'}: 1 bar, " in capsys.readouterr().out


def test_a_file_where_a_run_should_be_is_said_before_songs_are_read(tmp_path, monkeypatch, capsys):
    from drumlib.data import training_sets

    monkeypatch.setattr(training_sets, "training_songs", lambda *_: pytest.fail("songs were read"))
    (tmp_path / "run").write_text("a file")
    assert main(["train", "--songs", str(tmp_path), "--out", str(tmp_path / "run")]) == 1
    assert capsys.readouterr().err == f"drumlib: {tmp_path / 'run'} is a file, and a run needs a folder\n"


def test_both_files_or_none(rock, tmp_path, capsys):
    out, folder = tmp_path / "out.mid", tmp_path / "folder"
    folder.mkdir()
    for sound in (folder, out, rock, tmp_path / "no" / "out.mp3"):
        assert main(["accompany", str(rock), "-o", str(out), "--render", str(sound)]) == 1
        error = capsys.readouterr().err
        assert str(sound) in error and error.count("\n") == 1 and not out.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "trouble, code", [(OSError(28, "No space left on device", "song.mp3"), 1), (KeyboardInterrupt, 130)]
)
@pytest.mark.parametrize("before", [None, b"an earlier result"])
def test_a_sound_that_is_not_written_leaves_what_was_there(rock, tmp_path, monkeypatch, before, trouble, code):
    out, write_whole = tmp_path / "out.mid", files.write_whole
    if before:
        out.write_bytes(before)

    def failing(path, data):
        if path.suffix == ".mp3":
            raise trouble
        write_whole(path, data)

    monkeypatch.setattr(files, "write_whole", failing)
    assert main(["accompany", str(rock), "-o", str(out), "--render", str(tmp_path / "song.mp3")]) == code
    assert (out.read_bytes() if out.exists() else None) == before


def test_a_name_that_the_terminal_cannot_show_stops_nothing(rock, tmp_path):
    song = rock.rename(tmp_path / "neu \u9f13.mid")
    done = subprocess.run(
        [sys.executable, "-m", "drumlib", "inspect", song],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "neu \\u9f13.mid: 56 bars" in done.stdout


@pytest.mark.parametrize("command", [["accompany", "-o", "out.mid"], ["evaluate"]])
def test_a_negative_seed_is_named_before_the_work(rock, capsys, command):
    assert main([*command, str(rock), "--seed", "-1"]) == 1
    assert capsys.readouterr().err == "drumlib: --seed: a seed is 0 or more\n"


@pytest.mark.slow
def test_inspect_does_not_lose_itself_in_meters(tmp_path, capsys):
    meters = [Meter(12 * i, 1 + i % 2, 64) for i in range(30_000)]
    write_song(Song(96, [Track([Note(12 * 30_000, 60, 90, 12)])], meters=meters), tmp_path / "odd.mid")
    start = time.process_time()
    assert main(["inspect", str(tmp_path / "odd.mid")]) == 0
    assert time.process_time() - start < 10
    told = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("meter:"))
    assert told.startswith(
        "meter: 1/64 from bar 1, 2/64 from bar 3, 1/64 from bar 4, 2/64 from bar 6"
    ) and told.endswith("more changes")
    assert told.count("/64 from bar") == MOST_METERS


@pytest.mark.slow
def test_bad_weights_and_tables_are_one_line(tmp_path, capsys):
    write_song(songbook.song("rock"), tmp_path / "a.mid")
    array, packed = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros(3))
    np.savez_compressed(packed, x=np.arange(1000.0))
    damaged = bytearray(packed.getvalue())
    damaged[60:70] = bytes(range(246, 256))  # in the packed numbers
    bad = {
        "empty": b"",
        "text": b"hello",
        "cut": b"PK\x03\x04 cut",
        "array": array.getvalue(),
        "damaged": bytes(damaged),
    }
    for name, content in bad.items():
        weights = tmp_path / f"{name}.npz"
        weights.write_bytes(content)
        assert main(["evaluate", "--songs", str(tmp_path), "--split", "train", "--weights", str(weights)]) == 1
        error = capsys.readouterr().err
        assert str(weights) in error and error.count("\n") == 1
    for content, reason in ((b"file\na.mid\n", "no column split"), (b"\xff\xfe\x00", "not a table")):
        (tmp_path / "songs.csv").write_bytes(content)
        assert main(["evaluate", "--songs", str(tmp_path)]) == 1
        error = capsys.readouterr().err
        assert "songs.csv" in error and reason in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "option",
    [
        *(["--batch", "0"], ["--instrument-dropout", "3"], ["--transpose", "-1"], ["--epochs", "0"]),
        *(["--learning-rate", "inf"], ["--learning-rate", "nan"], ["--kl-weight", "nan"], ["--free-bits", "inf"]),
    ],
)
def test_train_options_that_make_no_sense(tmp_path, capsys, option):
    assert main(["train", "--songs", str(tmp_path), "--out", str(tmp_path / "run"), *option]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and str(tmp_path) not in error  # it is not that there are no songs


def test_an_odd_threshold_is_named(rock, tmp_path, capsys):
    assert main(["accompany", str(rock), "-o", str(tmp_path / "o.mid"), "--threshold", "7"]) == 1
    error = capsys.readouterr().err
    assert "between 0 and 1" in error and error.count("\n") == 1


def test_inspect_tells_what_is_heard_and_what_not(tmp_path, capsys):
    midi = mido.MidiFile(type=1, ticks_per_beat=96)
    for name, channel, program in (("Strings", 0, 48), ("Low <b>", 1, 33), ("Beats", 9, 0)):
        notes = [mido.Message("note_on", channel=channel, note=38, velocity=80, time=0)]
        notes += [mido.Message("note_off", channel=channel, note=38, time=400)]
        head = [mido.MetaMessage("track_name", name=name)]
        head += [mido.Message("program_change", channel=channel, program=program)]
        midi.tracks.append(mido.MidiTrack([*head, *notes]))
    midi.tracks[0].insert(0, mido.MetaMessage("time_signature", numerator=3, denominator=4))
    midi.save(tmp_path / "odd.mid")
    assert main(["inspect", str(tmp_path / "odd.mid")]) == 0
    told = capsys.readouterr().out
    for words in (
        "3/4 from bar 1",
        "ignored    program 48",
        "Strings",
        "there is no piano",
        "there is no guitar",
        "its own 1 drum note:",
    ):
        assert words in told
    assert "there is no bass" not in told


def test_inspect_of_a_plain_song_ignores_nothing_but_its_drums(rock, capsys):
    assert main(["inspect", str(rock)]) == 0
    assert (
        "56 bars" in (told := capsys.readouterr().out)
        and "new ones will replace them" in told
        and "4/4 from bar 1" in told
    )


@pytest.mark.slow
def test_songbook_writes_songs_that_can_be_read(tmp_path):
    assert main(["songbook", "-o", str(tmp_path / "songs")]) == 0
    assert sorted(path.stem for path in (tmp_path / "songs").iterdir()) == sorted(songbook.names())


OLD_OPTIONS = [
    ("--section-bars", "accompany --subsequence-bars"),
    ("--min-strokes", "corpus --min-drum-notes"),
    ("--rate", "train --learning-rate"),
    ("--mute", "train --instrument-dropout"),
    ("--warm-up", "train --kl-warm-up"),
    ("--own", "train --rollout-share"),
    ("--fall", "train --lr-schedule"),
    ("--slow-after", "train --lr-patience"),
    ("--stop-after", "train --patience"),
    ("--average", "train --ema-decay"),
]

COMMANDS = ["accompany", "inspect", "render", "train", "evaluate", "songbook", "corpus", "download"]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0 and "usage" in capsys.readouterr().out


@pytest.mark.slow
def test_train_and_evaluate_on_a_folder(tmp_path, capsys):
    for name in songbook.names():
        write_song(songbook.song(name), tmp_path / f"{name}.mid")
    run = tmp_path / "run"
    options = ["--songs", str(tmp_path), "--out", str(run)]
    assert main(["train", *options, "--epochs", "1", "--rollout-share", "0", "--batch", "128"]) == 0
    assert (run / "best.npz").is_file()
    assert main(["train", *options]) == 1
    assert "already holds a run" in capsys.readouterr().err
    weights = ["--weights", str(run / "best.npz"), "--json", str(tmp_path / "scores.json")]
    assert main(["evaluate", "--songs", str(tmp_path), *weights]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("band-conv", "bar-before", "average-bar", "rules"))
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["drummers"]["band-conv"]["weights"] == "best.npz" and scores["seed"] == 0
    assert str(tmp_path) not in json.dumps(scores)
    assert main(["evaluate", str(tmp_path), "--task", "windows", *weights]) == 0
    assert "bar before" in capsys.readouterr().out


def test_evaluate_every_song_of_a_folder(rock, tmp_path, capsys):
    out = tmp_path / "scores.json"
    options = ["--split", "all", "--preset", "band-conv", "--baseline", "rules", "drum-machine", "--seed", "4"]
    assert main(["evaluate", str(tmp_path), *options, "--json", str(out)]) == 0
    assert "1 song, 5" in capsys.readouterr().out
    scores = json.loads(out.read_text())
    assert list(scores["drummers"]) == ["real drummers", "band-conv", "rules", "drum-machine"]
    assert scores["command"] == f"drumlib evaluate SONGS {' '.join(options)}"
    assert "no validation songs" in scores["drummers"]["band-conv"]["threshold chosen by"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, reason",
    [
        (["--preset", "ringo"], "no preset 'ringo': there is thesis, flat"),
        (["--baseline", "ringo"], "no baseline 'ringo': there is drum-machine"),
        (["--preset", "flat"], "no weights of the preset 'flat' are shipped"),
        (["--preset", "band-conv", "thesis", "--weights", "w.npz"], "of one preset"),
        (["--task", "windows", "--baseline", "rules"], "baselines of its own"),
        (["--task", "humanize"], "info.csv"),
        (["--task", "humanize", "--preset", "band-conv"], "no humanizer 'band-conv': there is humanize"),
        (["--split", "all", "--baseline", "average-bar"], "learns from training songs"),
        (["--split", "test"], "--split all scores every song"),
        (["--json", "no/such/folder.json"], "there is no folder"),
    ],
)
def test_evaluate_options_that_make_no_sense_are_one_line(rock, tmp_path, capsys, options, reason):
    assert main(["evaluate", str(tmp_path), *options]) == 1
    error = capsys.readouterr().err
    assert reason in error and error.count("\n") == 1


def test_evaluate_songs_without_drums(tmp_path, capsys):
    write_song(without_drums(songbook.song("rock")), tmp_path / "a.mid")
    assert main(["evaluate", str(tmp_path), "--split", "all"]) == 1
    assert "can be scored (no drums)" in capsys.readouterr().err


def test_evaluate_that_is_stopped_writes_nothing(rock, tmp_path, monkeypatch, capsys):
    from drumlib.evaluation import evaluate

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "score_baseline", stop)
    out = tmp_path / "scores.json"
    assert main(["evaluate", str(tmp_path), "--split", "all", "--baseline", "rules", "--json", str(out)]) == 130
    assert capsys.readouterr().err == "drumlib: stopped\n" and sorted(tmp_path.iterdir()) == [rock]


@pytest.mark.slow
def test_corpus_and_train_on_it(tmp_path, capsys):
    songs, corpus = str(tmp_path / "songs"), str(tmp_path / "corpus")
    main(["songbook", "-o", songs])
    (tmp_path / "songs" / "<bad>.mid").write_bytes(b"MThd")
    assert main(["corpus", songs, "-o", corpus, "--workers", "0", "--min-bars", "8", "--seed", "2"]) == 0
    said = capsys.readouterr()
    assert f"{corpus}: 8 songs of 9" in said.out and "1  not a song" in said.out
    assert "<bad>.mid: " in said.err and "cut off" in said.err
    command = json.loads((tmp_path / "corpus" / "manifest.json").read_text())["command"]
    assert command.startswith("drumlib corpus SONGS -o CORPUS ")
    assert "--min-bars 8" in command and "--seed 2" in command and str(tmp_path) not in command
    assert main(["corpus", songs, "-o", corpus, "--workers", "0"]) == 1
    assert "another corpus was begun here" in capsys.readouterr().err
    run = str(tmp_path / "run")
    options = ["--epochs", "1", "--rollout-share", "0", "--batch", "128"]
    assert main(["train", "--corpus", corpus, "--out", run, *options]) == 0
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert history["songs"]["train"] + history["songs"]["validation"] <= 8


def test_a_corpus_of_bands_has_a_command_of_its_own(tmp_path, capsys):
    assert main(["corpus", str(tmp_path), "-o", str(tmp_path / "corpus"), "--bands", "1"]) == 1
    assert "python -m drumbook.bands GROOVE -o CORPUS --variants N" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("option", ["--missing=3", "--min-fit=2", "--min-bars=-1", "--shard-songs=0", "--seed=-1"])
def test_corpus_options_that_make_no_sense(tmp_path, capsys, option):
    main(["songbook", "-o", str(tmp_path / "songs")])
    capsys.readouterr()
    assert main(["corpus", str(tmp_path / "songs"), "-o", str(tmp_path / "corpus"), option, "--workers", "0"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "corpus").exists()


def test_every_option_of_train_reaches_the_plan(tmp_path, monkeypatch):
    from drumlib.data import training_sets
    from drumlib.network import training

    seen = {}
    monkeypatch.setattr(training_sets, "training_songs", lambda folder, splits: (None, None))

    def fake_train(*arguments, decoder_from):
        seen["config"] = arguments[4]
        return {"epochs": [{"val_loss": 1.0}]}

    monkeypatch.setattr(training, "train", fake_train)
    numbers = {
        "epochs": 3,
        "batch": 5,
        "learning-rate": 0.1,
        "clipnorm": 1.5,
        "weight-decay": 0.02,
        "transpose": 2,
        "instrument-dropout": 0.3,
        "kl-weight": 0.7,
        "rollout-share": 0.2,
        "seed": 9,
        "schedule": "layer-wise",
        "kl-warm-up": 4,
        "free-bits": 3.5,
        "lr-schedule": "cosine",
        "lr-patience": 6,
        "patience": 7,
        "ema-decay": 0.9,
        "windows": 11,
    }
    assert {name.replace("-", "_") for name in numbers} | {"mixed"} == {field.name for field in fields(TrainingConfig)}
    # a schedule of stages bears neither a rate nor a cosine beside it
    for less in ({"schedule"}, {"learning-rate", "lr-schedule"}):
        asked = {name: number for name, number in numbers.items() if name not in less}
        options = [text for name, number in asked.items() for text in (f"--{name}", str(number))]
        assert main(["train", "--songs", str(tmp_path), "--out", str(tmp_path), *options]) == 0
        assert {name: getattr(seen["config"], name.replace("-", "_")) for name in asked} == asked


@pytest.mark.parametrize("name, meant", [("plateau", "plateau"), ("stalls", "plateau"), ("cosine", "cosine")])
def test_learning_rate_schedules_by_their_names(name, meant):
    options = parser().parse_args(["train", "--out", "run", "--lr-schedule", name])
    assert config_for("thesis", lr_schedule=options.lr_schedule).lr_schedule == meant


@pytest.mark.parametrize("old, new", OLD_OPTIONS)
def test_options_of_version_0_1_still_work_and_are_noted_once(capsys, old, new):
    command, *_ = new.split()
    value = "cosine" if old == "--fall" else "1"
    needed = {"accompany": ["a.mid", "-o", "b.mid"], "corpus": ["songs", "-o", "corpus"], "train": ["--out", "run"]}
    with pytest.warns(FutureWarning, match=f"the option {old} is called {new.split()[1]} now"):
        before = parser().parse_args([command, *needed[command], old, value])
    assert before == parser().parse_args([*new.split(), value, *needed[command]])
    assert main([command, *needed[command], old, value, "--seed", "-1"]) == 1
    assert capsys.readouterr().err.splitlines()[0] == f"note: the option {old} is called {new.split()[1]} now"
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"{old} " not in capsys.readouterr().out


@pytest.mark.parametrize("preset", ["band-conv", "thesis"])
@pytest.mark.parametrize(
    "option", [["--learning-rate", "0.001"], ["--learning-rate", "0.1"], ["--lr-schedule", "cosine"]]
)
def test_train_in_stages_takes_no_rate_beside_theirs(tmp_path, capsys, preset, option):
    options = ["--songs", str(tmp_path), "--preset", preset, "--schedule", "layer-wise", *option]
    assert main(["train", "--out", str(tmp_path / "run"), *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith("drumlib: each stage of the schedule 'layer-wise' has a rate of its own: ")
    assert error.count("\n") == 1 and not (tmp_path / "run").exists()


@pytest.mark.slow
def test_train_in_stages_on_a_network_without_their_parts_is_one_line(tmp_path, capsys):
    songs = str(tmp_path / "songs")
    main(["songbook", "-o", songs])
    capsys.readouterr()
    assert main(["train", "--songs", songs, "--out", str(tmp_path / "run"), "--schedule", "layer-wise"]) == 1
    said = capsys.readouterr()
    assert "epoch 1" not in said.out and not (tmp_path / "run").exists()
    assert said.err.splitlines()[-1] == (
        "drumlib: stage 2 of 8 of the schedule 'layer-wise' cannot be trained: the network has no weights that are its "
        "decoder"
    )


def collection(folder, **splits: str) -> str:
    """A folder with these songs of the songbook, and its list of splits."""
    folder.mkdir()
    for name in splits:
        write_song(songbook.song(name), folder / f"{name}.mid")
    rows = [f"{name}.mid,{split}\n" for name, split in splits.items()]
    (folder / "songs.csv").write_text("file,split\n" + "".join(rows))
    return str(folder)


def corpus_of(songs: str) -> str:
    """The corpus of a folder, beside it."""
    assert main(["corpus", songs, "-o", f"{songs} as a corpus", "--workers", "0", "--min-bars", "8"]) == 0
    return f"{songs} as a corpus"


@pytest.mark.slow
def test_songs_held_back_in_one_collection_train_in_no_other(tmp_path, monkeypatch, capsys):
    """A folder that is parted by what the songs play, and two corpora whose lists part some of them otherwise."""
    from drumlib.data import training_sets
    from drumlib.data.splitting.splits import SPLITS
    from drumlib.network import training

    seen = {}

    def fake_train(*arguments, decoder_from):
        seen["train"], seen["validation"] = arguments[1:3]
        return {"epochs": [{"val_loss": 1.0}]}

    monkeypatch.setattr(training, "train", fake_train)
    songs = str(tmp_path / "songs")
    main(["songbook", "-o", songs])
    lists = (
        {"ballad": "train", "rock": "validation", "funk": "train", "disco": "train", "swing": "test"},
        {"blues": "validation", "rock": "train", "swing": "train", "ballad": "test", "disco": "train"},
    )
    corpora = [corpus_of(collection(tmp_path / f"list {number}", **splits)) for number, splits in enumerate(lists)]
    sources = [["--songs", songs], *(["--corpus", corpus] for corpus in corpora)]
    sets = [
        training_sets.training_songs(songs, SPLITS),
        *(training_sets.training_corpus(corpus, SPLITS) for corpus in corpora),
    ]

    def names(*some) -> set[str]:
        return {windows.grid_songs[number].name for windows in some for number in windows.index[:, 0].tolist()}

    for chosen in ((0, 1), (0, 2), (1, 2), (2, 1), (0, 1, 2)):
        capsys.readouterr()
        options = [option for number in chosen for option in sources[number]]
        assert main(["train", *options, "--out", str(tmp_path / "run")]) == 0
        to_train, to_validate, to_test = ([sets[number][side] for number in chosen] for side in (0, 1, 2))
        assert names(*to_train) & names(*to_validate), "else there is nothing to be found"
        assert names(*to_train) & (names(*to_test) - names(*to_validate)), "nor here"
        assert names(seen["train"]) == names(*to_train) - names(*to_validate) - names(*to_test) != set()
        assert names(seen["validation"]) == names(to_validate[0]) and len(seen["validation"]) == len(to_validate[0])
        before = sum(map(len, to_train))
        [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("left out: ")]
        assert line.startswith(f"left out: {before - len(seen['train'])} of {before} windows to train on, ")
        assert line.endswith(
            "they belong together with songs to validate or to test on, or have the drums of one of their windows"
        )

    assert main(["train", *sources[1], "--out", str(tmp_path / "run")]) == 0
    assert names(seen["train"]) == {"ballad", "funk", "disco"} and "left out" not in capsys.readouterr().err
    assert main(["train", *sources[1], *sources[1], "--out", str(tmp_path / "run")]) == 0  # its own list is clean
    assert len(seen["train"]) == 2 * len(sets[1][0]) and "left out" not in capsys.readouterr().err


def test_nothing_left_to_train_on_is_one_line(tmp_path, capsys):
    """What one collection trains on, the other validates on, and the other way round."""
    songs = collection(tmp_path / "one", rock="train", funk="validation")
    corpus = corpus_of(collection(tmp_path / "other", rock="validation", funk="train"))
    assert main(["train", "--songs", songs, "--corpus", corpus, "--out", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert (
        error == "drumlib: nothing is left to train on: every song belongs together with one to validate or to test on"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [[], ["--groove", "G", "--songs", "S"], ["--groove", "G", "--corpus", "C"]])
def test_train_must_know_what_to_learn_from(tmp_path, capsys, options):
    assert main(["train", "--out", str(tmp_path / "run"), *options]) == 1
    assert "what to train on?" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_evaluate_without_songs_is_one_line(tmp_path, capsys):
    assert main(["evaluate", "--songs", str(tmp_path)]) == 1
    assert "no songs for test here" in capsys.readouterr().err


def test_a_module_beside_the_songs_is_not_run(rock, tmp_path):
    """``python -m`` puts the current folder first on the path."""
    for name in ("mido", "argparse", "numpy", "tqdm", "warnings"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger was run')")
    environment = {**os.environ, "PYTHONPATH": str(Path(drumlib.__file__).parents[1])}
    command = [sys.executable, "-m", "drumlib", "inspect", "rock.mid"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rock.mid: 56 bars")


def test_a_name_cannot_command_the_terminal(rock, tmp_path, capsys, monkeypatch):
    """A file's name may hold ESC, which moves the cursor, or hides a line: it is printed as what it is."""
    monkeypatch.chdir(tmp_path)
    evil = "\x1b[2J\x9b0m\rü.mid"
    rock.rename(tmp_path / evil)
    assert main(["inspect", evil]) == 0
    assert main(["inspect", evil + ".none"]) == 1
    assert main(["render", evil, "-o", "\x1b]0;title\x07/x.mp3"]) == 1
    with pytest.raises(SystemExit):
        main(["inspect", "rock.mid", evil])
    told = "".join(capsys.readouterr())
    assert told.count(r"\x1b[2J\x9b0m") >= 3 and r"\x1b]0;title\x07" in told
    assert all(character.isprintable() or character == "\n" for character in told)


def test_the_help_names_the_command_as_it_is_typed(capsys):
    with pytest.raises(SystemExit):
        main(["accompany", "--help"])
    assert capsys.readouterr().out.startswith("usage: drumlib accompany")


@pytest.mark.slow
def test_the_commands_of_the_readme_work_one_after_the_other(root, tmp_path, monkeypatch, capsys):
    """As they stand, in one folder; without those that need the network. What they write is not for git."""
    lines = (root / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [line.partition("#")[0].split() for line in lines if line.startswith("    drumlib ")]
    commands = [words[1:] for words in commands if "download" not in words and "data/groove" not in words]
    assert {words[0] for words in commands} >= {"songbook", "inspect", "accompany", "evaluate", "train", "corpus"}
    monkeypatch.chdir(tmp_path)
    for words in commands:
        assert main(words) == 0, (words, capsys.readouterr().err)
    written = sorted(path.name for path in tmp_path.iterdir())
    ignored = subprocess.run(
        ["git", "check-ignore", *(f"{n}/x" if (tmp_path / n).is_dir() else n for n in written)],
        cwd=root,
        capture_output=True,
        text=True,
    )
    if ignored.returncode == 128:
        pytest.skip("not a git checkout")
    assert [name.removesuffix("/x") for name in ignored.stdout.split()] == written
