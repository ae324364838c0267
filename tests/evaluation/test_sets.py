"""Distances of sets whose answer is known by hand."""

import time

import numpy as np
import pytest

from drumlib.evaluation.metrics import sets
from drumlib.music.grid import Groove
from drumlib.music.kit import CLOSED_HAT, KICK, LOW_TOM, SNARE


def groove(*bars, velocity=0.5, offset=0.25) -> Groove:
    """Each bar is a list of cells (step, drum)."""
    hits = np.zeros((16 * len(bars), 9))
    for i, cells in enumerate(bars):
        for step, drum in cells:
            hits[16 * i + step, drum] = 1
    return Groove(hits, hits * velocity, hits * offset)


BEAT = [(0, KICK), (4, SNARE), (7, KICK), (2, CLOSED_HAT)]


def test_features_by_hand():
    found = sets.features([groove(BEAT, [(0, KICK), (5, LOW_TOM)]), groove([], BEAT)])
    expected = {
        "hits": [4, 2, 0, 4],
        "drums": [3, 2, 0, 3],
        "kicks": [2, 1, 0, 2],
        "snares": [1, 0, 0, 1],
        "hats": [1, 0, 0, 1],
        "toms and crash": [0, 1, 0, 0],
        "on beats": [0.5, 0.5, np.nan, 0.5],
        "off sixteenths": [0.25, 0.5, np.nan, 0.25],
        "velocity": [0.5, 0.5, np.nan, 0.5],
        "offset": [0.25, 0.25, np.nan, 0.25],
        "change": [np.nan, 4, np.nan, 4],
    }
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert np.array_equal(found[name], values, equal_nan=True), name


def test_features_of_nothing():
    with pytest.raises(ValueError, match="no grooves"):
        sets.features([])
    with pytest.raises(ValueError, match="end within a bar"):
        sets.features([groove(BEAT)[:8]])


@pytest.mark.parametrize("values", [[3.0], [1.0, 2.0, 2.0, 7.0], [0.0, 0.0]])
def test_equal_sets(values):
    assert sets.divergence(values, values) == 0
    assert sets.overlap(values, values) == pytest.approx(1)


def test_disjoint_sets():
    one, other = np.arange(5.0), np.arange(5.0) + 100
    assert sets.overlap(one, other) == pytest.approx(0, abs=1e-4)
    assert 10 < sets.divergence(one, other) < np.log(sets.GRID_POINTS / sets.FLOOR)


def test_overlap_of_two_normals():
    """Two normals a standard deviation apart share 2 Phi(-1/2) = 0.617; KL is 1/2. Smoothing blurs both."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, 1, 20_000), rng.normal(1, 1, 20_000)
    assert sets.overlap(one, other) == pytest.approx(0.617, abs=0.02)
    assert sets.divergence(one, other) == pytest.approx(0.5, abs=0.05)
    assert sets.overlap(one, other) == pytest.approx(sets.overlap(other, one))


def test_divergence_has_a_direction():
    narrow, wide = np.array([5.0] * 50), np.linspace(0, 10, 50)
    assert sets.divergence(wide, narrow) > sets.divergence(narrow, wide) > 0.5


def test_how_many_does_not_matter():
    values = np.array([1.0, 2.0, 5.0])
    assert sets.overlap(values, np.repeat(values, 7)) == pytest.approx(1)


def test_how_often_a_value_comes_matters():
    assert sets.overlap([1.0] * 9 + [5.0], [1.0] + [5.0] * 9) == pytest.approx(0.2, abs=0.05)


def test_a_narrow_set_stays_narrow_beside_a_wide_one():
    rng = np.random.default_rng(0)
    narrow, wide = rng.normal(0, 0.3, 1000), rng.normal(0, 10, 1000)
    assert sets.overlap(narrow, wide) < 0.2 and sets.overlap(wide, narrow) < 0.2


def test_the_grid_leaves_room_for_the_kernels():
    p, q = sets.densities([0.0], [10.0])
    assert 0 < np.argmax(p) < np.argmax(q) < sets.GRID_POINTS - 1
    assert p[0] < 0.1 * p.max() and p.sum() == pytest.approx(1) and q.sum() == pytest.approx(1)


def test_nan_is_left_out():
    assert sets.overlap([1.0, np.nan, 2.0], [1.0, 2.0]) == pytest.approx(1)
    assert np.isnan(sets.overlap([np.nan], [1.0])) and np.isnan(sets.divergence([1.0], []))
    with pytest.raises(ValueError, match="one feature at a time"):
        sets.overlap(np.zeros((2, 2)), [1.0])


def test_nearest_bars_by_hand():
    known = sets.all_bars([groove(BEAT, [])])
    asked = sets.all_bars([groove(BEAT, BEAT[:-1], BEAT[:-1] + [(9, LOW_TOM)], [], [(1, KICK)])])
    assert sets.nearest_bars(asked, known).tolist() == [0, 1, 2, 0, 1]
    assert len(sets.nearest_bars(asked[:0], known)) == 0


def test_nearest_bars_in_chunks(monkeypatch):
    rng = np.random.default_rng(0)
    ones, others = rng.random((50, 16, 9)) < 0.1, rng.random((70, 16, 9)) < 0.1
    slow = [min(int((one != other).sum()) for other in others) for one in ones]
    for cells in (1, 500, 10**6):
        monkeypatch.setattr(sets, "CHUNK_CELLS", cells)
        assert sets.nearest_bars(ones, others).tolist() == slow


def test_nearest_bars_are_quick():
    rng = np.random.default_rng(0)
    ones, others = rng.random((2500, 16, 9)) < 0.1, rng.random((12_000, 16, 9)) < 0.1
    begin = time.perf_counter()
    sets.nearest_bars(ones, others)
    assert time.perf_counter() - begin < 10  # some 0.3 s; one pair after another takes minutes


def test_nearest_bars_name_the_mistake():
    bars = np.zeros((3, 16, 9))
    with pytest.raises(ValueError, match="no training bars"):
        sets.nearest_bars(bars, bars[:0])
    with pytest.raises(ValueError, match="probabilities"):
        sets.nearest_bars(bars + 0.5, bars)
    with pytest.raises(ValueError, match="cells"):
        sets.nearest_bars(bars, bars[:, :8])
    with pytest.raises(ValueError, match="one bar alone"):
        sets.nearest_bars(bars, np.zeros(144))


def test_diversity_by_hand():
    one, other = groove(BEAT, BEAT), groove(BEAT, BEAT[:-1])  # one cell in two bars
    assert sets.diversity([one, one, one]) == 0
    assert sets.diversity([one, other]) == 0.5
    assert sets.diversity([one, one, other]) == pytest.approx(0.5 * 2 / 3)
    assert sets.diversity([one, groove(BEAT, BEAT, velocity=1.0)]) == 0
    assert np.isnan(sets.diversity([one]))
    with pytest.raises(ValueError, match="same song"):
        sets.diversity([one, groove(BEAT)])
