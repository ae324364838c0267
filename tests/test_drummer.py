"""The drummer: the other tracks come back untouched, and the drums are as the options say."""

import random
import warnings

import numpy as np
import pytest

from drumlib import drummer
from drumlib.drummer import DrummerWarning, PlayOptions, accompany, candidates, combinations
from drumlib.inference import sampling
from drumlib.inference.features import band_rolls
from drumlib.inference.presets import DEFAULT_PRESET
from drumlib.music import (
    DRUM_CHANNEL,
    Grid,
    Groove,
    Meter,
    Note,
    Song,
    Track,
    groove_of,
    only,
    song_from_bytes,
    song_to_bytes,
    songbook,
)
from drumlib.music.rock_beat import rock_beat, rock_beat_similarity
from drumlib.network import registry


@pytest.fixture(scope="module")
def song():
    """A song as read from a file, with its own drums."""
    return song_from_bytes(song_to_bytes(songbook.song("rock")), "rock")


@pytest.fixture(scope="module")
def result(song):
    return accompany(song)


def without_drum_channel(song) -> list:
    streams = [[(t, m) for t, m in s if getattr(m, "channel", None) != DRUM_CHANNEL] for s in song.events]
    return [[(t, m.copy(time=0)) for t, m in s if m.type != "end_of_track"] for s in streams]


def test_other_tracks_come_back_event_for_event(song, result):
    again = song_from_bytes(song_to_bytes(result))
    assert without_drum_channel(again)[:-1] == without_drum_channel(song)
    assert again.band == song.band and again.tempos == song.tempos and again.meters == song.meters


def test_its_own_drums_are_replaced_by_one_track_on_channel_ten(song, result):
    assert [track.channel for track in result.drums] == [9]
    assert result.drums[0].notes and result.drums != song.drums


def test_there_are_drums_in_the_last_bar(result):
    assert max(note.tick for note in result.drums[0].notes) >= result.bars[-1].tick - result.ticks_per_beat // 8


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_sampled_notes_differ_between_seeds(song):
    def sampled(seed):
        return song_to_bytes(accompany(song, seed=seed, temperature=1.0))

    assert sampled(1) == sampled(1) != sampled(2)
    assert song_to_bytes(accompany(song, seed=1)) == song_to_bytes(accompany(song, seed=2))  # nothing is sampled


def test_sampling_leaves_the_callers_random_numbers_alone(song):
    registry._pretrained.cache_clear()  # a network that is built anew must leave them alone, too
    np.random.seed(4)
    random.seed(4)
    expected = np.random.random(), random.random()
    np.random.seed(4)
    random.seed(4)
    accompany(song, temperature=1.0, sample_z=True)
    assert (np.random.random(), random.random()) == expected


@pytest.mark.slow
def test_sampling_z_depends_on_the_seed_alone(song):
    one, same, other = (candidates(song, preset="thesis", seed=seed, sample_z=True)[0].groove for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_keep_drums_and_quantized_copy(song):
    result = accompany(song, keep_drums=True, quantized_copy=True)
    assert len(result.drums) == 3 and result.drums[0] == song.drums[0]
    played, flat = result.drums[1:]
    grid = Grid(result)
    played, flat = (groove_of(only(result, [track]), grid) for track in (played, flat))
    np.testing.assert_array_equal(played.hits, flat.hits)
    assert not flat.offsets.any()
    assert set(np.rint(flat.velocities[flat.hits > 0] * 127)) == {90}


@pytest.mark.parametrize("missing", ["piano", "guitar", "bass"])
def test_a_missing_family_is_silence_and_gives_a_warning(song, missing):
    poorer = only(song, [track for track in song.band if track.family != missing])
    with pytest.warns(DrummerWarning, match=f"no {missing} in this song"):
        assert accompany(poorer).drums


def test_strings_alone_still_get_drums(song):
    strings = only(song, [Track(song.parts("bass")[0].notes, program=48)])
    with pytest.warns(DrummerWarning, match="no piano, no guitar, no bass"):
        assert accompany(strings).drums


def test_a_song_without_notes_is_refused():
    with pytest.raises(ValueError, match="no notes"):
        accompany(Song(480, ()))


def test_options_as_an_object_with_changes_and_as_keywords_are_the_same(song):
    options = PlayOptions("thesis", temperature=1.0, seed=5)
    as_object = accompany(song, options)
    assert as_object == accompany(song, preset="thesis", temperature=1.0, seed=5)
    assert as_object == accompany(song, PlayOptions("thesis", seed=5), temperature=1.0)
    np.testing.assert_array_equal(candidates(song, options)[0].groove.hits, groove_of(as_object, Grid(song)).hits)
    assert PlayOptions().preset == DEFAULT_PRESET


@pytest.mark.parametrize(
    "old, new",
    [
        ({"section_bars": 1}, {"subsequence_bars": 1}),
        ({"sample": True, "seed": 3}, {"sample_z": True, "seed": 3}),
        ({"preset": "best"}, {"preset": "band-conv"}),
    ],
)
def test_names_of_version_0_1_still_work_with_a_warning(song, old, new):
    old, new = ({"preset": "thesis", **options} for options in (old, new))
    with pytest.warns(FutureWarning, match="is called"):
        before = accompany(song, **old)
    assert before == accompany(song, **new)


def test_an_unknown_option_is_an_error(song):
    with pytest.raises(TypeError, match="tempo"):
        accompany(song, tempo=120)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"threshold": 0.5, "temperature": 1.0}, "a threshold or a temperature"),
        ({"threshold": 1.5}, "between 0 and 1"),
        ({"temperature": 0.0}, "greater than 0"),
        ({"subsequence_bars": 0}, "at least 1"),
        ({"max_combinations": 0}, "at least 1"),
        ({"window_bars": 4}, "cannot be less"),
        ({"preset": "jazz"}, "preset 'jazz'"),
    ],
)
def test_options_that_make_no_sense(song, options, message):
    with pytest.raises(ValueError, match=message):
        accompany(song, **options)


def test_a_higher_threshold_plays_less(song):
    counts = [candidates(song, threshold=t)[0].groove.hits.sum() for t in (0.3, 0.5, 0.7)]
    assert counts[0] > counts[1] > counts[2] > 0


@pytest.mark.slow
def test_every_combination_is_tried_once_and_bounded(song):
    guitars = [Track(song.parts("guitar")[0].notes[n:], 24 + n, channel=n) for n in range(4)]
    many = only(song, [*song.parts("piano"), *song.parts("bass"), *guitars])
    assert len(combinations(many)) == 4
    assert len(candidates(many, preset="thesis")) == 4 * len(drummer.THRESHOLDS)
    with pytest.warns(DrummerWarning, match="only the 2 with the most notes are tried"):
        tried = candidates(many, preset="thesis", max_combinations=2)
    assert {candidate.band[1].program for candidate in tried} == {24, 25}


def test_millions_of_combinations_are_not_made():
    notes = (Note(0, 60, 80, 480), Note(480, 60, 80, 480))
    tracks = [Track(notes[: 1 + (i == 7)], program, channel=i % 9) for program in (0, 24, 32) for i in range(2000)]
    with pytest.warns(DrummerWarning, match="8000000000 combinations"):
        bands = combinations(Song(480, tracks), 2)
    assert len(bands) == 2 and all(len(track.notes) == 2 for track in bands[0])


def test_a_song_of_countless_tiny_bars_is_refused():
    tiny = Song(480, (Track((Note(480 * 9000, 60, 80, 480),)),), meters=(Meter(0, 1, 64),))
    with pytest.raises(ValueError, match="bars are too many"):
        accompany(tiny)


def test_candidates_are_ranked_by_their_similarity_to_the_rock_beat(song):
    tried = candidates(song, preset="thesis")
    grid = Grid(song)
    found = [candidate.rock_beat_similarity for candidate in tried]
    assert len(found) == 3 and found == sorted(found, reverse=True)
    assert found == [rock_beat_similarity(candidate.groove.hits, grid) for candidate in tried]  # each by itself


def test_rock_beat_similarity_by_hand():
    song = Song(480, (Track((Note(0, 60, 80, 480 * 16),)),))
    grid = Grid(song)
    assert grid.steps == 64
    beat = rock_beat(grid)
    assert beat[:16].sum() == 3 + 2 + 8 + 1 + 1 and (beat[:16] == beat[48:]).all()
    assert rock_beat_similarity(beat, grid) == 1
    assert rock_beat_similarity(np.zeros_like(beat), grid) == pytest.approx(1 - 15 / 144)


def test_velocities_are_divided_by_the_calibrated_probability():
    heads = {"hits": np.array([0.5, 0.65003]), "velocities": np.array([0.1, 0.4]), "offsets": np.array([0.1, 0.2])}
    read = sampling.conditional_velocities(heads)
    np.testing.assert_allclose(read["velocities"], [0.4, 0.8], atol=1e-3)
    np.testing.assert_array_equal(read["offsets"], heads["offsets"])


def test_the_last_bar_is_never_empty():
    grid = Grid(Song(480, (Track((Note(0, 60, 80, 480 * 8),)),)))
    quiet = np.full((32, 9), 0.1)
    quiet[20, 1] = quiet[16, 8] = 0.2
    groove = sampling.groove_from_outputs(quiet, quiet, quiet * 0, grid, 0.6)
    assert groove.hits.sum() == 1 and groove.hits[16, 8] == 1 and groove.velocities[16, 8] == 0.5
    nothing_sampled = sampling.groove_from_outputs(quiet * 0, quiet * 0, quiet * 0, grid, None)
    assert nothing_sampled.hits.sum() == 1 and nothing_sampled.hits[16, 0] == 1


def test_bars_that_are_not_in_four_give_a_warning_and_drums_stay_in_them():
    notes = tuple(Note(tick, 40, 90, 200) for tick in range(0, 480 * 3 * 16, 240))
    tracks = [Track(notes, 0), Track(notes, 25, channel=1), Track(notes, 33, channel=2)]
    waltz = Song(480, tracks, meters=(Meter(0, 3, 4),))
    with pytest.warns(DrummerWarning, match="bars in 3/4"):
        result = accompany(waltz, threshold=0.2)
    grid = Grid(result)
    steps, _ = grid.locate([note.tick for note in result.drums[0].notes])
    assert len(steps) > 16 and (steps % 16 < 12).all()


def test_a_long_song_is_its_windows_side_by_side(song):
    grid = Grid(song)
    rolls = band_rolls([song.band], grid)
    whole = drummer.probabilities(rolls)
    second = drummer.probabilities({f: roll[:, 128:256] for f, roll in rolls.items()})
    np.testing.assert_allclose(whole["hits"][:, 128:256], second["hits"], atol=1e-5)
    at_once = drummer.probabilities(rolls, window_bars=None)
    assert at_once["hits"].shape == whole["hits"].shape


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["thesis", "band-conv"])
def test_few_windows_at_a_time_play_what_all_at_once_do(song, preset, monkeypatch):
    grid = Grid(song)
    rolls = band_rolls([song.band], grid)
    rolls = {f: np.concatenate([roll, roll[:, ::-1]]) for f, roll in rolls.items()}  # two bands
    at_once = drummer.probabilities(rolls, preset=preset)
    monkeypatch.setattr(drummer, "BATCH_STEPS", 3 * 128)
    for name, x in drummer.probabilities(rolls, preset=preset).items():
        np.testing.assert_allclose(x, at_once[name], atol=1e-4)


@pytest.mark.parametrize("subsequence_bars", [1, 3, 4])
def test_sub_sequences_of_another_length(song, subsequence_bars):
    assert isinstance(candidates(song, preset="thesis", subsequence_bars=subsequence_bars)[0].groove, Groove)


def test_no_needless_warning(song):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        accompany(song)
