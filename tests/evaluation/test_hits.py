"""Agreement by drum and place, tolerant F1, errors on shared notes: on cases whose answer is known by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drumlib.evaluation.metrics import by_drum, by_position, errors_on_shared, song_record, tolerant_f1
from drumlib.evaluation.metrics.hits import matched, onsets_of
from drumlib.music.grid import Groove
from drumlib.music.kit import DRUMS, KICK, SNARE


def groove(*notes, steps=16):
    """A groove of notes (step, drum), (step, drum, velocity) or (step, drum, velocity, offset)."""
    hits, velocities, offsets = np.zeros((3, steps, len(DRUMS)))
    for step, drum, *how in notes:
        hits[step, drum] = 1
        velocities[step, drum], offsets[step, drum] = [*how, *(0.5, 0.0)[len(how) :]]
    return Groove(hits, velocities, offsets)


def test_by_drum_tells_the_drums_apart():
    truth, played = groove((0, KICK), (8, KICK), (4, SNARE)), groove((0, KICK), (12, SNARE))
    scores = by_drum(truth, played)
    assert list(scores) == list(DRUMS)
    assert scores["kick"].precision == 1 and scores["kick"].recall == 0.5 and scores["snare"].f1 == 0
    assert np.isnan(scores["crash"].f1) and scores["crash"].accuracy == 1  # it has no note


def test_by_position_tells_the_steps_of_all_bars_apart():
    truth = groove((0, KICK), (16, KICK), (20, SNARE), steps=32)
    played = groove((0, KICK), (16, SNARE), (20, SNARE), steps=32)
    scores = by_position(truth, played)
    assert len(scores) == 16
    assert scores[0].f1 == 0.5 and scores[4].f1 == 1 and np.isnan(scores[1].f1)


def test_a_note_that_slipped_into_the_next_cell_is_forgiven():
    truth, played = groove((4, SNARE, 0.5, 0.45)), groove((5, SNARE, 0.5, -0.45))
    assert by_drum(truth, played)["snare"].f1 == 0
    assert tolerant_f1(truth, played) == 1  # a tenth of a step apart
    assert tolerant_f1(truth, played, tolerance=0.05) == 0
    assert tolerant_f1(truth, groove((5, KICK, 0.5, -0.45))) == 0  # another drum


def test_one_note_is_matched_once():
    truth, played = groove((4, SNARE)), groove((4, SNARE, 0.5, -0.25), (5, SNARE, 0.5, -0.5))
    assert tolerant_f1(truth, played) == pytest.approx(2 / 3)


@settings(deadline=None)
@given(*(st.lists(st.floats(0, 20), max_size=12) for _ in range(2)), st.floats(0, 2))
def test_no_other_way_of_pairing_finds_more(ones, others, tolerance):
    from scipy.optimize import linear_sum_assignment

    ones, others = sorted(ones), sorted(others)
    near = np.abs(np.subtract.outer(ones, others)) <= tolerance + 1e-9
    best = near[linear_sum_assignment(-near.astype(float))].sum() if near.size else 0
    assert matched(ones, others, tolerance) == best


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.25, 0.5, 1.0, 2.0]))
def test_tolerant_f1_is_the_onset_f_measure_of_mir_eval(seed, tolerance):
    from mir_eval.onset import f_measure

    rng = np.random.default_rng(seed)
    grooves = []
    for _ in range(2):
        hits = np.zeros((32, len(DRUMS)))
        hits[:, SNARE] = rng.random(32) < rng.choice([0.1, 0.3, 0.8])
        hits[rng.integers(32), SNARE] = 1  # mir_eval gives 0 without any onset
        offsets = rng.uniform(-0.5, 0.49, hits.shape).astype(np.float32) * hits
        grooves.append(Groove(hits, hits, offsets))
    times = [np.array(onsets_of(one, SNARE)) + 1 for one in grooves]  # mir_eval's are not below 0
    assert tolerant_f1(*grooves, tolerance) == pytest.approx(f_measure(*times, window=tolerance)[0])


def test_undefined_scores_are_nan():
    """Without any note there is no F1; silence has no precision, and a record has None."""
    silence, one = groove(), groove((0, KICK))
    assert np.isnan(tolerant_f1(silence, silence)) and tolerant_f1(one, silence) == 0
    record = song_record(one, silence)
    assert record["precision"] is None and record["recall"] == record["f1"] == 0
    assert record["f1 by drum"]["snare"] is None


def test_errors_are_of_the_notes_that_both_play():
    truth = groove((0, KICK, 0.8, 0.1), (4, SNARE, 0.5, 0.0))
    played = groove((0, KICK, 0.6, -0.1), (12, SNARE, 0.1, 0.4))
    found = errors_on_shared(truth, played)
    assert found.notes == 1 and found.velocity == pytest.approx(0.2) and found.offset == pytest.approx(0.2)
    assert np.isnan(errors_on_shared(groove((0, KICK)), groove((1, KICK))).offset)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"hits": 0.3}, "probabilities"),
        ({"velocities": 90.0}, "divided by 127"),
        ({"offsets": 12.0}, "ticks"),
        ({"offsets": np.nan}, "no numbers"),
        ({"hits": 0}, "where nothing is struck"),
    ],
)
def test_the_likely_mistake_is_named(change, words):
    good = groove((0, KICK), steps=16)
    arrays = {name: np.array(getattr(good, name), dtype=float) for name in ("hits", "velocities", "offsets")}
    for name, value in change.items():
        arrays[name][0, KICK] = value
    with pytest.raises(ValueError, match=words):
        tolerant_f1(good, Groove(**arrays))


def test_other_lengths_and_tolerances_are_refused():
    with pytest.raises(ValueError, match="same grid"):
        tolerant_f1(groove((0, KICK)), groove((0, KICK), steps=32))
    with pytest.raises(ValueError, match="below 0"):
        tolerant_f1(groove((0, KICK)), groove((0, KICK)), tolerance=-1)
