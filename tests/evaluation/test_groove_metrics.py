"""Properties of grooves, on grooves whose answer is known by hand; and a quantized drummer must fail them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hits import groove

from drumlib.data.grid_song import grid_song
from drumlib.evaluation.metrics import accents, density, ghost_notes, laid_back, spreads, swing, syncopation
from drumlib.music import songbook
from drumlib.music.grid import Groove
from drumlib.music.kit import CLOSED_HAT, KICK, RIDE, SNARE


def test_density_is_notes_a_bar():
    assert density(groove((0, KICK), (4, SNARE), (20, SNARE), steps=32)) == 1.5
    assert np.isnan(density(groove(steps=0)))


def test_syncopation_counts_how_much_stronger_the_rest_is():
    assert syncopation(groove((0, KICK), (4, SNARE), (8, KICK), (12, SNARE))) == 0
    assert syncopation(groove((7, KICK))) == 3  # a sixteenth (-4) before the rest on the half bar (-1)
    assert syncopation(groove((7, KICK), (8, SNARE))) == 0  # the half bar is struck
    assert syncopation(groove((14, KICK), steps=32)) == 3 / 2  # an eighth (-3) before the bar line (0), in two bars
    assert syncopation(groove((7, CLOSED_HAT))) == 0  # hats fill gaps
    bare = groove((4, SNARE), (12, SNARE), (20, SNARE), (24, KICK), steps=32)
    assert syncopation(bare) == (1 + 2) / 2  # from beat 2 (-2) to beat 3 (-1), from beat 4 (-2) to the bar line (0)


def test_swing_is_the_ratio_of_the_two_eighths():
    straight = groove(*((step, RIDE) for step in range(0, 16, 2)))
    assert swing(straight) == 1
    triplets = groove(*((step, RIDE) for step in range(0, 16, 4)), *((s, RIDE, 0.5, -1 / 3) for s in range(3, 16, 4)))
    assert swing(triplets) == pytest.approx(2)
    assert swing(groove((0, RIDE), (2, RIDE, 0.5, 0.4))) == pytest.approx(2.4 / 1.6)
    assert np.isnan(swing(groove(*((step, RIDE) for step in range(16)))))  # sixteenths: no eighth to look at
    assert np.isnan(swing(groove((2, KICK))))


def test_laid_back_is_the_backbeat_against_the_kick():
    assert laid_back(groove((0, KICK, 0.5, -0.1), (4, SNARE, 0.5, 0.2))) == pytest.approx(0.3)
    assert np.isnan(laid_back(groove((0, KICK), (3, SNARE, 0.5, 0.2))))  # no backbeat


def test_spreads_are_within_each_drum():
    late = groove((0, KICK, 0.9, 0.0), (8, KICK, 0.9, 0.0), (4, SNARE, 0.5, 0.3), (12, SNARE, 0.5, 0.3))
    assert spreads(late) == pytest.approx((0, 0))
    uneven = groove((0, KICK, 0.4, -0.1), (8, KICK, 0.8, 0.1))
    assert spreads(uneven) == pytest.approx((0.2, 0.1))
    assert np.isnan(spreads(groove()).velocity)


def test_ghost_notes_are_soft_and_off_the_backbeat():
    assert ghost_notes(groove((4, SNARE, 0.2), (7, SNARE, 0.2), (9, SNARE, 0.8), (12, SNARE, 0.9))) == 0.25
    assert np.isnan(ghost_notes(groove((0, KICK))))


def test_accents_are_heard_where_time_is_kept():
    hats = groove((0, CLOSED_HAT, 0.8), (2, CLOSED_HAT, 0.5), (4, CLOSED_HAT, 0.6), (6, CLOSED_HAT, 0.5))
    assert accents(hats) == pytest.approx(0.2)
    assert np.isnan(accents(groove((0, CLOSED_HAT)))) and np.isnan(accents(groove((0, KICK), (2, KICK))))


def test_our_songs_that_swing_do_and_the_others_do_not():
    for name in songbook.names():
        ratio = swing(grid_song(songbook.song(name)).groove())
        assert ratio > 1.8 if name in ("blues", "swing") else ratio < 1.1, name


@pytest.mark.parametrize("name", songbook.names())
def test_a_quantized_drummer_fails(name):
    real = grid_song(songbook.song(name)).groove()
    stiff = Groove(real.hits, real.hits * 0.7, np.zeros_like(real.offsets))
    assert spreads(stiff) == pytest.approx((0, 0), abs=1e-6) and min(spreads(real)) > 0.01
    assert laid_back(stiff) == 0 != laid_back(real)
    assert accents(stiff) == pytest.approx(0, abs=1e-6) and accents(real) > 0.03
    assert swing(stiff) in (1, 3) and swing(real) not in (1, 3)  # on the grid there is no other ratio
    assert ghost_notes(stiff) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_ranges_hold_whatever_is_played(seed, bars):
    rng = np.random.default_rng(seed)
    hits = rng.random((16 * bars, 9)) < rng.random()
    one = Groove(hits, hits * rng.random(hits.shape), hits * rng.uniform(-0.5, 0.5, hits.shape))
    assert 0 <= density(one) <= 144 and syncopation(one) >= 0
    assert np.isnan(swing(one)) or 0 < swing(one) < 7.1
    assert np.isnan(laid_back(one)) or -1 < laid_back(one) < 1
    assert np.isnan(ghost_notes(one)) or 0 <= ghost_notes(one) <= 1
    assert np.isnan(accents(one)) or -1 <= accents(one) <= 1
