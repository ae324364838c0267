"""One record of all metrics for one song."""

import json
import time

import numpy as np
import pytest
from test_hits import groove

from drumlib.data.grid_song import grid_song
from drumlib.evaluation.metrics import song_record
from drumlib.music import FAMILIES, Grid, Groove, piano_roll, songbook
from drumlib.music.kit import KICK
from drumlib.music.rock_beat import rock_bar


@pytest.fixture(scope="module")
def rock():
    song = songbook.song("rock")
    grid = Grid(song)
    band = {family: piano_roll(song, family, grid) for family in FAMILIES}
    return grid_song(song).groove(), band


def test_the_real_drummer_agrees_with_himself(rock):
    truth, band = rock
    record = song_record(truth, truth, band, 0.125)
    assert record["f1"] == record["tolerant f1"] == 1 and record["velocity error"] == record["offset error, ms"] == 0
    assert all(
        value["real"] == value["played"] for value in record.values() if isinstance(value, dict) and "real" in value
    )


def test_a_machine_beside_him_is_found_out(rock):
    truth, band = rock
    hits = np.tile(rock_bar(), (len(truth) // 16, 1))
    record = song_record(truth, Groove(hits, hits * 0.7, np.zeros_like(hits)), band, 0.125)
    assert 0 < record["f1"] < 1 and record["self-similarity"]["played"] == 1 > record["self-similarity"]["real"]
    assert record["offset spread"]["played"] == 0 < record["offset spread"]["real"]
    assert record["fills, share of bars"]["played"] == 0 < record["fills, share of bars"]["real"]
    assert record["offset error, ms"] == pytest.approx(record["offset error"] * 125)


def test_it_can_be_written_and_has_one_order(rock):
    truth, band = rock
    silence = Groove(*np.zeros((3, *truth.hits.shape)))
    whole, nothing = song_record(truth, truth, band, 0.125), song_record(truth, silence, band)
    assert list(whole) == list(nothing)
    assert nothing["swing"]["played"] is None and nothing["offset error, ms"] is None
    assert nothing["f1 by drum"]["low tom"] is not None or not truth.hits[:, 4].any()
    json.dumps([whole, nothing], allow_nan=False)
    assert "kick with bass" not in song_record(truth, truth)


def test_mistakes_are_named(rock):
    truth, band = rock
    with pytest.raises(ValueError, match="same grid"):
        song_record(truth, groove((0, KICK)))
    with pytest.raises(ValueError, match="another grid"):
        song_record(groove((0, KICK)), groove((0, KICK)), band)
    with pytest.raises(ValueError, match="whole bars"):
        song_record(groove((0, KICK), steps=20), groove((0, KICK), steps=20))


def test_it_is_soon_done(rock):
    truth, band = rock
    song_record(truth, truth, band)
    begun = time.process_time()
    song_record(truth, truth, band)
    assert time.process_time() - begun < 0.25
