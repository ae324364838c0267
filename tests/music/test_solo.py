"""Drums without a band."""

import numpy as np
import pytest

from drumlib.music import Groove, drum_solo, groove_of, song_from_bytes, song_to_bytes, with_accents
from drumlib.music.kit import CLOSED_HAT, KICK, SNARE


def a_groove(steps: int, seed: int = 0) -> Groove:
    """Random strokes, loud enough to be notes, that a MIDI file keeps exactly; some on the last step."""
    rng = np.random.default_rng(seed)
    hits = rng.random((steps, 9)) < 0.3
    hits[-1] = True
    offsets = rng.integers(-59, 60, (steps, 9)) / 120 * hits
    offsets[0] = np.abs(offsets[0])  # nothing is played before the first beat
    return Groove(hits, rng.integers(1, 128, (steps, 9)) / 127 * hits, offsets)


@pytest.mark.parametrize("steps", [1, 3, 16, 20, 64, 128])
def test_a_solo_is_its_groove_again(steps):
    groove = a_groove(steps)
    song = song_from_bytes(song_to_bytes(drum_solo(groove, 97)))
    again = groove_of(song).to_array()  # in whole bars
    np.testing.assert_allclose(again[:steps], groove.to_array(), atol=1e-6)
    assert not again[steps:].any() and len(again) == -(-steps // 16) * 16
    assert round(song.tempos[0].bpm) == 97
    assert [track.is_drum for track in song.tracks] == [True]


def test_a_solo_may_be_silent():
    quiet = Groove(*np.zeros((3, 32, 9)))
    assert not drum_solo(quiet, 120).tracks[0].notes


def test_bars_of_silence_at_its_end_are_none_of_it():
    hits = np.zeros((32, 9))
    hits[3, KICK] = 1
    assert groove_of(drum_solo(with_accents(hits), 120)).hits.shape == (16, 9)


def test_no_steps_are_no_solo():
    with pytest.raises(ValueError, match="a groove of no steps is no solo"):
        drum_solo(Groove(*np.zeros((3, 0, 9))), 120)


@pytest.mark.parametrize("bpm", [0, -5, 3, 1e9, float("nan")])
def test_a_tempo_that_no_file_can_hold_is_refused(bpm):
    with pytest.raises(ValueError, match="a tempo is 4 to 100,000 beats a minute"):
        drum_solo(a_groove(16), bpm)


@pytest.mark.parametrize("bpm", [4, 100_000])
def test_the_slowest_and_the_fastest_can_be_written(bpm):
    song = song_from_bytes(song_to_bytes(drum_solo(a_groove(16), bpm)))
    assert round(song.tempos[0].bpm) == bpm


def test_accents_follow_the_beat_and_the_drum():
    hits = np.zeros((8, 9))
    hits[[0, 1, 2, 3, 4], CLOSED_HAT] = hits[[0, 2], KICK] = hits[4, SNARE] = 1
    groove = with_accents(hits)
    assert np.array_equal(groove.hits, hits) and not groove.offsets.any()
    loud = 127 * groove.velocities
    assert loud[0, CLOSED_HAT] == loud[4, CLOSED_HAT] > loud[2, CLOSED_HAT] > loud[1, CLOSED_HAT] == loud[3, CLOSED_HAT]
    assert loud[0, KICK] == loud[4, SNARE] > loud[0, CLOSED_HAT] and loud[0, KICK] > loud[2, KICK]
    assert not loud[5:].any() and loud.max() <= 127
