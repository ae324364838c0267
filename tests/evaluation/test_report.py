"""The reports on whole songs and on windows: scored steps, mismatched bands, predictions, figures."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from drumlib.data.corpus.builder import build
from drumlib.data.corpus.reader import Corpus
from drumlib.data.corpus.selection import SelectionRules
from drumlib.data.corpus.sources import SongFolder
from drumlib.data.grid_song import grid_song
from drumlib.data.windows import songs_from_windows, windows_from_songs
from drumlib.drummer import probabilities
from drumlib.evaluation import evaluate, predict, set_distances
from drumlib.evaluation.baselines import make
from drumlib.evaluation.songs import (
    EvaluationSong,
    bands_of_other_songs,
    evaluation_song,
    evaluation_song_on_grid,
    evaluation_songs,
    mismatched_bands,
    steps_to_score,
    training_windows,
)
from drumlib.evaluation.thesis_protocol import evaluate_windows, table, training_config_of
from drumlib.music import Grid, Groove, Meter, Note, Song, Tempo, Track, songbook, write_song
from drumlib.music.kit import FAMILIES, KICK, SNARE
from drumlib.network.registry import pretrained


def groove(hits: np.ndarray) -> Groove:
    return Groove(hits, 0.5 * hits, 0 * hits)


def a_song(name: str, seed: int, bars: int = 10, group: str = "") -> EvaluationSong:
    rng = np.random.default_rng(seed)
    rolls = {family: (rng.random((16 * bars, 128)) < 0.01).astype(np.uint8) for family in FAMILIES}
    truth = groove((rng.random((16 * bars, 9)) < 0.1).astype(float))
    return EvaluationSong(name, group or name, rolls, truth, steps_to_score(truth, np.ones(bars, dtype=bool)), 0.125)


class Echo:
    """A network that strikes the kick where the bass plays, and the snare where it is told the kick."""

    preset = SimpleNamespace(loss="masked", whole_song=False, thresholds=(0.2, 0.3, 0.4))

    def heads(self, kick, snare):
        hits = np.zeros((*kick.shape, 9), dtype=np.float32)
        hits[..., KICK], hits[..., SNARE] = 0.6 * kick, 0.45 * snare
        return {"hits": hits, "velocities": 0.5 * (hits > 0), "offsets": 0 * hits}

    def __call__(self, given, training=False):
        kick = given["bass"].any(axis=-1)
        return self.heads(kick, given["drums"][..., KICK] > 0)

    def generate(self, band, sampler=None):
        assert band["bass"].shape[1] % 128 == 0
        kick = np.asarray(band["bass"]).any(axis=-1)
        heads = self.heads(kick, 0 * kick)
        return sampler(heads) if sampler else heads

    def count_params(self):
        return 0


# --- what is scored -------------------------------------------------------------------------------------------------


def test_only_the_span_of_the_real_drummer_is_scored_and_only_fours():
    hits = np.zeros((16 * 8, 9))
    hits[[40, 90], 0] = 1  # in the bars 2 and 5
    scored = steps_to_score(groove(hits), np.array([1, 1, 1, 0, 1, 1, 1, 1], dtype=bool))
    assert np.flatnonzero(scored[::16]).tolist() == [2, 4, 5] and scored.sum() == 48
    with pytest.raises(ValueError, match="no drums"):
        steps_to_score(groove(np.zeros((32, 9))), np.ones(2, dtype=bool))
    with pytest.raises(ValueError, match="not in 4/4"):
        steps_to_score(groove(hits), np.zeros(8, dtype=bool))


def test_a_song_in_odd_meters():
    song = songbook.song("rock")
    assert evaluation_song(song, "rock", "rock").scored_steps.any()
    waltz = Song(song.ticks_per_beat, song.tracks, song.tempos, (Meter(0, 3, 4),))
    with pytest.raises(ValueError, match="not in 4/4"):
        evaluation_song(waltz, "waltz", "waltz")


def test_a_chart_gives_the_same_song_as_its_file():
    for name in songbook.names():
        song = songbook.song(name)
        one, other = evaluation_song(song, name, "g"), evaluation_song_on_grid(grid_song(song), "g")
        assert np.array_equal(one.truth.hits, other.truth.hits)
        for family in FAMILIES:
            assert np.array_equal(one.rolls[family], other.rolls[family])
        if not Grid(song).odd_bars:
            assert np.array_equal(one.scored_steps, other.scored_steps)
        assert not (other.scored_steps & ~one.scored_steps).any()


def seventeen_bars(last: Meter, held: int) -> Song:
    """Sixteen bars in which all four parts strike every beat, and one of another kind, in which all strike once."""
    notes = [Note(beat * 480, 60, 90, 240) for beat in range(64)] + [Note(64 * 480, 60, 90, held)]
    band = [Track(notes, program=program) for program in (0, 24, 32)]
    drums = Track([note._replace(pitch=36) for note in notes], is_drum=True)
    return Song(480, [*band, drums], [Tempo(0, 500_000)], [Meter(0, 4, 4), last])


@pytest.mark.parametrize(
    ("meter", "held", "scored"),
    [
        ((3, 4), 3 * 480, 16),
        ((7, 8), 7 * 240, 16),
        ((4, 4), 4 * 480, 17),  # what sounds to the end of a bar of four is in four
        ((4, 4), 3 * 480, 16),  # who knows?
    ],
)
def test_a_last_bar_of_a_corpus_that_no_window_reaches_counts_only_if_it_is_known(tmp_path, meter, held, scored):
    song = seventeen_bars(Meter(64 * 480, *meter), held)
    (tmp_path / "songs").mkdir()
    write_song(song, tmp_path / "songs" / "a.mid")
    build(SongFolder(tmp_path / "songs"), tmp_path / "corpus", SelectionRules(bars=8), workers=0, progress=False)
    (read,) = evaluation_songs(tmp_path / "corpus", "all")
    assert len(read) == 17 * 16 and not Corpus(tmp_path / "corpus")[0].left_out
    assert np.flatnonzero(read.scored_steps[::16]).tolist() == list(range(scored))
    assert not (read.scored_steps & ~evaluation_song(song, "a", "a").scored_steps).any()


def test_nobody_hears_his_own_band_and_no_version_of_it():
    assert mismatched_bands(["a"]) is None
    assert mismatched_bands(["a", "b", "c"]) == [1, 2, 0]
    assert mismatched_bands(["a", "a", "b", "b"]) == [2, 3, 0, 1]
    for groups in (["a", "a"], list("aabbc"), list("abcabc")):
        found = mismatched_bands(groups)
        assert sorted(found) == list(range(len(groups))) and all(i != j for i, j in enumerate(found))


def test_the_band_of_another_song_is_cut_or_repeated():
    songs = [a_song("short", 0, bars=4), a_song("long", 1, bars=10)]
    short, long = bands_of_other_songs(songs)
    assert np.array_equal(short["bass"], songs[1].rolls["bass"][:64])
    assert np.array_equal(long["bass"], np.concatenate([songs[0].rolls["bass"]] * 3)[:160])


@pytest.mark.slow
def test_songs_of_a_folder_with_a_table_and_without_one(tmp_path):
    for name in songbook.names():
        write_song(songbook.song(name), tmp_path / f"{name}.mid")
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    refused = {}
    every = evaluation_songs(tmp_path, "all", refused)
    assert len(every) == len(songbook.names()) and list(refused) == ["bad.mid"]
    first = songbook.names()[0]
    (tmp_path / "songs.csv").write_text(f"file,split,group\n{first}.mid,test,works\n")
    (song,) = evaluation_songs(tmp_path, "test")
    assert song.group == "works" and song.name == f"{first}.mid" and song.step_seconds > 0
    with pytest.raises(FileNotFoundError, match="--split all"):
        evaluation_songs(tmp_path, "validation")
    assert training_windows(tmp_path, "train") is None


def test_songs_without_drums_are_named(tmp_path):
    from drumlib.music import without_drums

    write_song(without_drums(songbook.song("rock")), tmp_path / "a.mid")
    with pytest.raises(ValueError, match="none of its 1 all songs can be scored .no drums"):
        evaluation_songs(tmp_path, "all")


# --- what is played -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["band-conv", "thesis"])
def test_a_network_plays_as_the_drummer_does(preset):
    songs = [a_song("a", 0, bars=9), a_song("b", 1, bars=17)]
    for song, heads in zip(songs, predict.free_running(pretrained(preset), [s.rolls for s in songs]), strict=True):
        wanted = probabilities({family: roll[None] for family, roll in song.rolls.items()}, preset=preset)
        for name, x in wanted.items():
            assert np.allclose(heads[name], x[0], atol=1e-5), name


def test_windows_and_back():
    songs = [np.arange(16 * bars * 9, dtype=float).reshape(-1, 9) for bars in (3, 8, 20)]
    windows = windows_from_songs(songs, 128)
    assert windows.shape == (1 + 1 + 3, 128, 9)
    back = songs_from_windows({"hits": windows}, [len(x) for x in songs], 128)
    assert all(np.array_equal(x["hits"], song) for x, song in zip(back, songs, strict=True))


def test_the_threshold_is_chosen_by_validation_songs():
    network, song = Echo(), a_song("v", 2)
    assert predict.choose_threshold(network, []) == (0.3, "the preset: there are no validation songs")
    threshold, by = predict.choose_threshold(network, [song])
    assert 0.1 <= threshold <= 0.8 and by == "F1 on 1 validation songs"
    hits = np.zeros((160, 9))
    hits[:, KICK] = song.rolls["bass"].any(axis=-1)
    assert (
        predict.choose_threshold(network, [EvaluationSong("w", "w", song.rolls, groove(hits), song.scored_steps)])[0]
        < 0.6
    )


# --- the figures ----------------------------------------------------------------------------------------------------


def test_a_drummer_who_follows_the_bass_loses_it_all_with_another_band():
    songs = []
    for number in range(4):
        song = a_song(f"{number}", number)
        hits = np.zeros((160, 9))
        hits[:, KICK] = song.rolls["bass"].any(axis=-1)
        songs.append(
            EvaluationSong(
                song.name, song.name, song.rolls, groove(hits), steps_to_score(groove(hits), np.ones(10) > 0)
            )
        )
    row = evaluate.score_network(Echo(), songs, songs[:1], curves=True)
    assert row["free-running"]["f1"] == 1 and row["free-running"]["density"] == 1
    assert row["teacher-forced"]["recall"] == 1
    gain = row["conditioning gain"]
    assert gain["value"] == pytest.approx(1 - row[evaluate.MISMATCHED]["f1"]) and 0 < gain["low"] <= gain["value"]
    assert row["sampled"]["density"] == pytest.approx(0.6, abs=0.1)  # each stroke has a probability of 0.6
    kick = row["drums"]["by drum"]["kick"]
    at = {threshold: kick["recall"][i] for i, threshold in enumerate(row["drums"]["thresholds"])}
    assert at[0.58] == 1 and at[0.62] == 0 and kick["precision"][0] == 1 and kick["precision"][-1] is None


def test_counts_are_of_scored_steps_only_and_scores_of_the_counts():
    song = a_song("a", 0)
    assert evaluate.count_cells([song], [song.truth]).tolist() == [
        [int(song.truth.hits.sum()), 0, 0, 1440 - int(song.truth.hits.sum())]
    ]
    hits = np.zeros((64, 9))
    hits[16:32, SNARE] = 1
    loud = EvaluationSong("b", "b", song.rolls, groove(hits), steps_to_score(groove(hits), np.ones(4, dtype=bool)))
    everywhere = groove(np.ones((64, 9)))
    assert evaluate.count_cells([loud], [everywhere]).tolist() == [[16, 16 * 8, 0, 0]]
    scores = evaluate.score(np.array([[6, 2, 4, 88], [0, 2, 0, 98]]))
    assert scores["precision"] == pytest.approx(0.6) and scores["recall"] == pytest.approx(0.6)
    assert scores["density"] == pytest.approx(1.0)
    assert scores["f1, mean over songs"]["value"] == pytest.approx((12 / 18 + 0) / 2)


def test_each_song_has_its_record_over_its_scored_steps(monkeypatch):
    """The metrics are told the scored steps alone, of the real drummer, of this one, and of the band."""

    def song_record(truth, played, band=None, step_seconds=None):
        return {"steps": len(truth), "same": float(truth == played), "band": len(band["bass"]), "step": step_seconds}

    monkeypatch.setattr(set_distances, "record", SimpleNamespace(song_record=song_record))
    songs = [a_song("a", 0, bars=10), a_song("b", 1, bars=20)]
    scored = [int(song.scored_steps.sum()) for song in songs]
    row = evaluate.reference_scores(songs)["metrics"]["played"]
    assert row == {"steps": np.mean(scored), "same": 1.0, "band": np.mean(scored), "step": 0.125}
    row = evaluate.score_baseline(make("drum-machine"), songs)
    assert row["metrics"]["free-running"]["same"] == 0 and evaluate.MISMATCHED not in row["metrics"]


def test_means_of_records():
    rows = [{"a": 1, "deep": {"b": 2.0}, "c": None}, {"a": 3, "deep": {"b": None}, "c": "word"}]
    assert set_distances.mean_record(rows) == {"a": 2.0, "deep": {"b": 2.0}}


def test_all_bars_together_are_compared_with_the_real_ones():
    songs = [a_song(f"{number}", number) for number in range(4)]
    truth = [song.truth for song in songs]
    same = set_distances.set_distances(songs, truth, songs)
    assert same["overlap"] == pytest.approx(1) and same["divergence"] == pytest.approx(0, abs=1e-6)
    beat = [make("drum-machine").play(song.rolls) for song in songs]
    other = set_distances.set_distances(songs, beat, songs)
    assert other["overlap"] < 0.5 and other["divergence"] > 1
    learned = np.unique(np.concatenate([song.part(song.truth).hits.reshape(-1, 16, 9) for song in songs]), axis=0)
    assert set_distances.copied_bars(songs, truth, learned)["share of bars that are copies"] == 1
    assert set_distances.copied_bars(songs, beat, learned)["cells from the nearest"] > 0
    silence = [Groove(*np.zeros((3, len(song), 9))) for song in songs]
    assert set_distances.copied_bars(songs, silence, learned) == {}  # a silent bar is nobody's


def test_a_report_is_the_same_twice_and_can_be_written():
    songs = [a_song(f"{number}", number) for number in range(3)]
    drummers = {"echo": Echo, "drum-machine": lambda: make("drum-machine"), "bar-before": lambda: make("bar-before")}
    one, other = (evaluate.report(songs, songs[:1], drummers, seed=1) for _ in range(2))
    for row in (*one["drummers"].values(), *other["drummers"].values()):
        row.pop("seconds", None)
    assert json.dumps(one, allow_nan=False) == json.dumps(other, allow_nan=False)
    assert one["drummers"]["drum-machine"]["conditioning gain"]["value"] == 0  # it does not listen
    assert "teacher-forced" in one["drummers"]["bar-before"] and "free-running" not in one["drummers"]["bar-before"]
    printed = evaluate.table(one)
    assert all(name in printed for name in drummers) and "3 songs, 30 bars" in printed
    assert one["names"] == ["0", "1", "2"] and len(one["drummers"]["echo"]["per song"]["teacher-forced"]) == 3


def test_one_song_has_no_other_band():
    row = evaluate.score_network(Echo(), [a_song("a", 0)])
    assert evaluate.MISMATCHED not in row and "conditioning gain" not in row and row["free-running"]["f1"] >= 0
    assert row["free-running"]["f1 interval"] is None  # there is nothing to draw from


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of songs, and the corpus made of it; two are to test on, and the first is not."""
    folder = tmp_path_factory.mktemp("report")
    for name in ("funk", "rock", "swing"):
        write_song(songbook.song(name), folder / f"{name}.mid")
    (folder / "songs.csv").write_text("file,split\nfunk.mid,train\nrock.mid,test\nswing.mid,test\n")
    build(SongFolder(folder), folder / "corpus", workers=0, progress=False)
    return folder, folder / "corpus"


@pytest.mark.slow
@pytest.mark.parametrize(("preset", "threshold"), [("thesis", 0.62), ("band-conv", 0.34)])
def test_the_report_on_windows_reads_each_network_as_it_is_meant(folders, preset, threshold):
    results = evaluate_windows(folders[0], preset=preset)
    free, errors = results["free_running"], results["errors"]
    assert free["threshold"] == threshold and 0.3 < free["density"] < 3
    velocities = errors["mean absolute error, played notes"]["velocities"], errors["mean velocity of played notes"]
    mended = ["with the thesis's gains", "given a hit"] if preset == "thesis" else []
    assert [list(rows) for rows in velocities] == [["network output", *mended], ["truth", "network output", *mended]]
    assert f"2 songs, {results['windows']} windows" in table(results)


@pytest.mark.slow
def test_the_report_on_windows_of_a_corpus_is_that_of_its_files(folders):
    one, other = (evaluate_windows(folder) for folder in folders)
    assert one == other and [row["song"] for row in one["per_song"]] == ["rock", "swing"]
    with pytest.raises(FileNotFoundError, match=r"corpus: no songs for validation here \(a corpus of 3\)"):
        evaluate_windows(folders[1], "validation")


def test_a_history_of_another_program_has_no_training_configuration(tmp_path):
    weights = tmp_path / "best.npz"
    assert training_config_of(weights) is None
    for text, plan in (("{}", None), ("[]", None), ("no JSON", None), ('{"plan": {"epochs": 3}}', {"epochs": 3})):
        (tmp_path / "history.json").write_text(text)
        assert training_config_of(weights) == plan


def test_many_songs_are_played_in_portions(monkeypatch):
    songs = [a_song(f"{number}", number, bars=3 + number) for number in range(5)]
    bands = [song.rolls for song in songs]
    usual = predict.free_running(Echo(), bands), predict.teacher_forced(Echo(), songs)
    monkeypatch.setattr(predict, "SONGS_AT_ONCE", 2)
    for one, other in zip(
        usual, (predict.free_running(Echo(), bands), predict.teacher_forced(Echo(), songs)), strict=True
    ):
        assert len(one) == len(other) == 5
        assert all(np.array_equal(x["hits"], y["hits"]) for x, y in zip(one, other, strict=True))


def test_the_real_songs_all_count(shared_data):
    songs = evaluation_songs(shared_data, "test")
    assert len(songs) == 25 and all(song.truth.hits[song.scored_steps].sum() > 50 for song in songs)
    groups = [song.group for song in songs]
    assert all(groups[i] != groups[j] for i, j in enumerate(mismatched_bands(groups)))


def test_a_corpus_is_read_too(tmp_path):
    from drumlib.__main__ import main

    assert main(["songbook", "-o", str(tmp_path / "songs")]) == 0
    build = ["corpus", str(tmp_path / "songs"), "-o", str(tmp_path / "corpus"), "--workers", "0", "--min-bars", "8"]
    assert main(build) == 0
    songs = evaluation_songs(tmp_path / "corpus", "all")
    assert len(songs) == len(Corpus(tmp_path / "corpus"))
    with pytest.raises(ValueError, match="not a corpus"):
        (tmp_path / "corpus" / "splits.json").write_text("{}")
        evaluation_songs(tmp_path / "corpus", "all")
