"""Humble rivals: each does what it says, note for note."""

import time

import numpy as np
import pytest

from drumlib.data.grid_song import GRID_NOTE, GridPart, GridSong
from drumlib.data.windows import Windows
from drumlib.evaluation.baselines import BASELINES, check_names, make
from drumlib.evaluation.baselines.learned import Bars, rhythm_of
from drumlib.music.grid import Groove
from drumlib.music.kit import CLOSED_HAT, CRASH, FAMILIES, HIGH_TOM, KICK, LOW_TOM, RIDE, SNARE
from drumlib.music.rock_beat import rock_bar

BARS = 8


def notes(cells, velocity=64, offset=0.0) -> np.ndarray:
    rows = [(step, pitch, velocity, offset, 1.0) for step, pitch in sorted(cells)]
    return np.array(rows, dtype=GRID_NOTE)


def song(name: str, drums, bass, pitch: int = 40, velocity: int = 64, offset: float = 0.0) -> GridSong:
    """Eight equal bars: the drums' cells (step, drum) of a bar, the bass's steps in it. One window."""
    every = [16 * bar for bar in range(BARS)]
    struck = notes([(bar + step, drum) for bar in every for step, drum in drums], velocity, offset)
    part = GridPart("bass", 33, notes([(bar + step, pitch) for bar in every for step in bass]))
    return GridSong(name, 16 * BARS, struck, (part,), (0,), np.ones((1, 1), dtype=bool))


def band(length: int = 128, **families) -> dict:
    """Rolls with one note, pitch 50, on these steps of every bar."""
    rolls = {family: np.zeros((length, 128), dtype=np.uint8) for family in FAMILIES}
    for family, steps in families.items():
        for bar in range(0, length, 16):
            rolls[family][[bar + step for step in steps], 50] = 1
    return rolls


FOUR = [(0, KICK), (4, SNARE), (8, KICK), (12, SNARE)]
POLKA = [(0, KICK), (2, SNARE), (4, KICK), (6, SNARE), (8, KICK), (10, SNARE), (12, KICK), (14, SNARE)]


def training() -> Windows:
    return Windows(
        [
            song("four", FOUR, [0, 8], velocity=127, offset=0.25),
            song("four again", FOUR, [0, 6, 8], pitch=45, velocity=63, offset=-0.25),
            song("polka", POLKA, [0, 4, 8, 12]),
        ]
    )


def bar_with(cells) -> np.ndarray:
    hits = np.zeros((16, 9))
    hits[tuple(np.array(cells).T)] = 1
    return hits


def test_all_play_whole_songs_and_say_what_they_are():
    truth = Groove(*np.zeros((3, 160, 9)))
    for name in BASELINES:
        rival = make(name, training())
        played = rival.play(band(160, bass=[0]), truth, seed=1)
        assert rival.name == name and len(played) == 160
        assert set(np.unique(played.hits)) <= {0, 1}
        assert (played.velocities[played.hits > 0] > 0).all() and not played.velocities[played.hits == 0].any()
        assert (np.abs(played.offsets) <= 0.5).all() and not played.offsets[played.hits == 0].any()
        if not rival.teacher_forced:
            with pytest.raises(ValueError, match="whole number of bars"):
                rival.play(band(160) | {"bass": np.zeros((150, 128))})


def test_names():
    with pytest.raises(ValueError, match="no baseline 'ringo': there is drum-machine, .*rules"):
        make("ringo")
    with pytest.raises(ValueError, match="learns from training songs"):
        make("average-bar")
    check_names(BASELINES)


def test_the_drum_machine_plays_the_rock_beat():
    played = make("drum-machine").play(band(64))
    assert np.array_equal(played.hits, np.tile(rock_bar(), (4, 1)))
    assert not played.offsets.any() and len(np.unique(played.velocities[played.hits > 0])) == 1


def test_random_humanizing_moves_strokes_and_adds_none():
    rival, rolls = make("humanized-machine"), band(16 * 400)
    played, machine = rival.play(rolls, seed=3), make("drum-machine").play(rolls)
    struck = machine.hits > 0
    assert np.array_equal(played.hits, machine.hits)
    assert played.offsets[struck].std() == pytest.approx(rival.late, rel=0.05)
    assert played.velocities[struck].std() == pytest.approx(rival.loud, rel=0.05)
    assert abs(played.offsets[struck].mean()) < 0.005
    assert played == rival.play(rolls, seed=3) and played != rival.play(rolls, seed=4)


def test_the_bar_before_is_told():
    truth = Groove(*np.random.default_rng(0).random((3, 64, 9)))
    rival = make("bar-before")
    played = rival.play(band(64), truth)
    assert rival.teacher_forced and np.array_equal(played.to_array()[16:], truth.to_array()[:48])
    assert not played.to_array()[:16].any()
    with pytest.raises(ValueError, match="teacher-forced"):
        rival.play(band(64))


def test_the_average_bar_is_cut_where_validation_says():
    # two songs of three play FOUR, all three strike the kick on 0 and 8: 1.0; the rest of FOUR 2/3, of POLKA 1/3
    four = make("average-bar", training(), Windows([song("v", FOUR, [0])]))
    assert 1 / 3 <= four.threshold < 2 / 3 + 1e-6 and np.array_equal(four.bar.hits, bar_with(FOUR))
    sparse = make("average-bar", training(), Windows([song("v", [(0, KICK), (8, KICK)], [0])]))
    assert sparse.threshold > 0.65 and np.array_equal(sparse.bar.hits, bar_with([(0, KICK), (8, KICK)]))
    assert four.bar.velocities[4, SNARE] == pytest.approx((127 + 63) / 2 / 127)
    assert four.bar.offsets[4, SNARE] == pytest.approx(0)


def test_the_most_common_bar():
    rival = make("common-bar", training())
    assert np.array_equal(rival.bar.hits, bar_with(FOUR)) and rival.times == 16
    assert rival.share == pytest.approx(2 / 3)
    silent = [song(f"{i}", [(15, LOW_TOM)], [0]) for i in range(2)]
    for one in silent:  # mostly empty bars: one stroke in the last bar is in a window of eight
        object.__setattr__(one, "drums", one.drums[-1:])
    assert make("common-bar", Windows([*silent, song("four", FOUR, [0])])).bar.hits[0, KICK] == 1


def test_bars_are_counted_once_though_windows_overlap():
    one = song("four", FOUR, [0])
    twice = GridSong(one.name, one.steps, one.drums, one.parts, (0, 0), np.ones((2, 1), dtype=bool))
    assert len(Bars(Windows([twice])).drums) == BARS


def test_the_nearest_bar_goes_by_rhythm_and_not_by_key():
    rival = make("nearest-bar", training())
    for steps, cells in (([0, 8], FOUR), ([0, 4, 8, 12], POLKA), ([0, 4, 7, 8, 12], POLKA)):
        played = rival.play(band(32, bass=steps))  # another pitch than any of the training songs
        assert np.array_equal(played.hits, np.tile(bar_with(cells), (2, 1))), steps
    assert rival.play(band(16, bass=[0, 8])).velocities[0, KICK] == pytest.approx(1.0)  # the first song's own bar
    assert rival.play(band(16, bass=[0, 6, 8])).offsets[0, KICK] == pytest.approx(-0.25)


def test_rhythm_knows_no_key():
    rng = np.random.default_rng(0)
    rolls = {family: (rng.random((32, 128)) < 0.05).astype(np.uint8) for family in FAMILIES}
    moved = {family: np.roll(roll, 7, axis=1) for family, roll in rolls.items()}
    assert np.array_equal(rhythm_of(rolls), rhythm_of(moved)) and rhythm_of(rolls).shape == (2, 48)
    assert not np.array_equal(rhythm_of(rolls), rhythm_of({f: np.roll(r, 1, axis=0) for f, r in rolls.items()}))


def test_the_nearest_bar_is_found_soon():
    rng = np.random.default_rng(0)
    rival = make("nearest-bar", training())
    rival.band = rng.random((12_000, 48)).astype(np.float32)
    rival.drums, rival.lengths = np.zeros((12_000, 16, 27), np.float32), np.square(rival.band).sum(axis=1)
    begin = time.perf_counter()
    rival.play(band(16 * 200, bass=[0]))
    assert time.perf_counter() - begin < 1


def test_the_rules():
    rival = make("rules")
    rolls = band(16 * 17, bass=[0, 6, 12], piano=[0, 4, 8])
    hits = rival.play(rolls).hits.reshape(17, 16, 9)
    kick, snare, hat = hits[1, :, KICK], hits[1, :, SNARE], hits[1, :, CLOSED_HAT]
    assert np.flatnonzero(kick).tolist() == [0, 6]  # with the bass, but for the backbeat
    assert np.flatnonzero(snare).tolist() == [4, 12]
    assert np.flatnonzero(hat).tolist() == list(range(0, 16, 2))
    assert np.flatnonzero(hits[:, 0, CRASH]).tolist() == [0, 8, 16]  # at the beginning, and after each fill
    for bar in (7, 15):
        cells = [(12, SNARE), (13, SNARE), (14, HIGH_TOM), (15, LOW_TOM)]
        assert sorted(map(tuple, np.argwhere(hits[bar, 12:]).tolist())) == sorted((s - 12, d) for s, d in cells)
    assert not hits[6, 12:, [HIGH_TOM, LOW_TOM]].any()


def test_the_rules_listen():
    rival = make("rules")
    fine = rival.play(band(128, piano=range(16))).hits[16:32, CLOSED_HAT]
    slow = rival.play(band(128, piano=[0])).hits[16:32, CLOSED_HAT]
    assert fine.sum() == 16 and slow.sum() == 4
    rolls = band(16 * 24, piano=[0, 4, 8, 12])
    for family in FAMILIES:
        rolls[family][16 * 16 :: 4, 60:64] = 1  # the last eight bars are much fuller
    hits = rival.play(rolls).hits
    assert hits[16 * 17, RIDE] and not hits[16 * 17, CLOSED_HAT] and not hits[: 16 * 16, RIDE].any()
    for family in FAMILIES:
        rolls[family][32:48] = 0
    assert not rival.play(rolls).hits[32:48].any()  # where the band rests, he rests
    assert not rival.play(band(64)).hits.any()


def test_the_rules_have_accents_and_a_hand():
    rival = make("rules")
    played = rival.play(band(128, bass=[0], piano=range(0, 16, 2)), seed=1)
    hat = played.velocities[:, CLOSED_HAT].reshape(8, 16)[:7]
    assert hat[:, ::4].mean() > hat[:, 2::4].mean() + 0.1
    assert played.offsets.any() and played == rival.play(band(128, bass=[0], piano=range(0, 16, 2)), seed=1)
