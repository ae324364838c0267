"""Scores on cases whose answer is known by hand."""

import numpy as np
import pytest

from drumlib.evaluation.baselines import bar_before
from drumlib.evaluation.metrics import Confusion, confusion, error_on_played, f1, hit_scores

TRUTH = np.array([[1, 1, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0]])
PLAYED = np.array([[1, 0, 1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0]])


def test_confusion_by_hand():
    assert confusion(TRUTH, PLAYED) == Confusion(
        true_positives=2, false_positives=1, false_negatives=1, true_negatives=14
    )


def test_agreement_by_hand():
    scores = hit_scores(confusion(TRUTH, PLAYED))
    assert scores == pytest.approx((16 / 18, 2 / 3, 2 / 3, 2 / 3))


def test_the_silent_drummer():
    assert hit_scores(confusion(TRUTH, np.zeros_like(TRUTH))) == pytest.approx((15 / 18, np.nan, 0, 0), nan_ok=True)


def test_without_any_note_there_is_no_score_but_accuracy():
    nothing = np.zeros_like(TRUTH)
    assert hit_scores(confusion(nothing, nothing)) == pytest.approx((1, np.nan, np.nan, np.nan), nan_ok=True)
    assert hit_scores(confusion(nothing, TRUTH)) == pytest.approx((15 / 18, 0, np.nan, 0), nan_ok=True)
    assert f1((1, 0, 1)) == pytest.approx(2 / 3) and np.isnan(f1((0, 0, 0)))


def test_the_perfect_drummer():
    assert hit_scores(confusion(TRUTH, TRUTH)) == (1, 1, 1, 1)


def test_probabilities_are_not_hits():
    with pytest.raises(ValueError, match="probabilities"):
        confusion(TRUTH, PLAYED * 0.5)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="same grid"):
        confusion(TRUTH, PLAYED[:1])


def test_error_counts_played_notes_only():
    truth, value = np.array([0.8, 0.0, 0.4]), np.array([0.6, 0.5, 0.4])
    assert error_on_played(truth, value, np.array([1, 0, 1])) == pytest.approx(0.1)
    assert np.isnan(error_on_played(truth, value, np.zeros(3)))


def test_the_bar_before_again():
    hits = np.arange(48 * 9).reshape(48, 9)
    copied = bar_before(hits)
    assert not copied[:16].any()
    np.testing.assert_array_equal(copied[16:], hits[:32])
