"""Form on grooves whose form is known, and on the songbook, whose fills are written down."""

import numpy as np
import pytest

from drumlib.data.grid_song import grid_song
from drumlib.evaluation.metrics import form
from drumlib.music import songbook
from drumlib.music.grid import Groove
from drumlib.music.kit import CLOSED_HAT, CRASH, KICK, LOW_TOM, MID_TOM, SNARE
from drumlib.music.songbook.drumming import read_pattern


def bar(*cells) -> np.ndarray:
    hits = np.zeros((16, 9))
    hits[tuple(np.array(cells, dtype=int).reshape(-1, 2).T)] = 1
    return hits


HATS = [(step, CLOSED_HAT) for step in range(0, 16, 2)]
BEAT = bar(*HATS, (0, KICK), (8, KICK), (4, SNARE), (12, SNARE))
FILL = bar(*HATS[:4], (0, KICK), (4, SNARE), (8, SNARE), (9, SNARE), (10, MID_TOM), (12, MID_TOM), (14, LOW_TOM))
OTHER = bar((0, LOW_TOM), (3, LOW_TOM), (6, LOW_TOM), (8, LOW_TOM))
SILENCE = bar()


def groove(*bars) -> Groove:
    hits = np.concatenate(bars)
    return Groove(hits, hits * 0.5, hits * 0.0)


def test_similarity_by_hand():
    assert form.similarity(BEAT, BEAT) == 1
    assert form.similarity(bar((0, KICK), (4, SNARE)), bar((0, KICK), (12, SNARE), (8, KICK))) == pytest.approx(2 / 5)
    assert form.similarity(BEAT, OTHER) == 0
    assert form.similarity(SILENCE, SILENCE) == 1 and form.similarity(BEAT, SILENCE) == 0


def test_similarity_names_the_mistake():
    with pytest.raises(ValueError, match="both hits"):
        form.similarity(BEAT, BEAT[:8])
    with pytest.raises(ValueError, match="probabilities"):
        form.similarity(BEAT, BEAT * 0.5)


def test_self_similarity_by_hand():
    matrix = form.self_similarity(groove(BEAT, OTHER, BEAT))
    assert np.array_equal(matrix, [[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    assert form.mean_self_similarity(groove(BEAT, OTHER, BEAT)) == pytest.approx(2 / 6)
    assert form.neighbour_similarity(groove(BEAT, BEAT, OTHER)) == pytest.approx(1 / 2)


def test_one_bar_is_like_nothing():
    assert np.isnan(form.mean_self_similarity(groove(BEAT)))
    assert np.isnan(form.neighbour_similarity(groove(BEAT)))
    assert np.isnan(form.loop_length(groove(BEAT)))
    assert len(form.fills(groove(FILL))) == 0


def test_what_is_no_groove_is_refused():
    with pytest.raises(ValueError, match="end within a bar"):
        form.self_similarity(groove(BEAT, BEAT)[:24])
    with pytest.raises(ValueError, match="probabilities"):
        form.fills(groove(BEAT * 0.7))


def test_fills_by_hand():
    assert form.fills(groove(*[BEAT] * 3, FILL, *[BEAT] * 3, FILL)).tolist() == [3, 7]
    assert len(form.fills(groove(*[BEAT] * 8))) == 0
    assert len(form.fills(groove(*[FILL] * 8))) == 0  # who always fills never does


def test_one_ghost_note_is_no_fill():
    ghost = np.maximum(BEAT, bar((15, SNARE)))
    assert len(form.fills(groove(*[BEAT] * 3, ghost, *[BEAT] * 4))) == 0


def test_strokes_before_the_middle_are_no_fill():
    early = np.maximum(BEAT, bar(*[(step, SNARE) for step in range(8)]))
    assert form.similarity(BEAT, early) < form.FILL_SIMILARITY
    assert len(form.fills(groove(*[BEAT] * 3, early, *[BEAT] * 4))) == 0


def test_a_chorus_on_the_toms_is_no_fill():
    assert len(form.fills(groove(*[BEAT] * 8, *[OTHER] * 8))) == 0


def test_fills_at_phrase_ends_by_hand():
    song = groove(*[BEAT] * 3, FILL, *[BEAT] * 3, FILL)
    assert form.fills_at_phrase_ends(song) == {2: 1.0, 4: 1.0, 8: 0.5}
    assert form.fills_at_phrase_ends(song[16:]) == {2: 0.0, 4: 0.0, 8: 0.0}
    assert form.fills_at_phrase_ends(song[16:], bars=(4,), first=3) == {4: 1.0}
    assert np.isnan(form.fills_at_phrase_ends(groove(*[BEAT] * 4))[2])
    with pytest.raises(ValueError, match="at least one bar"):
        form.fills_at_phrase_ends(song, bars=(0,))


def test_crashes_by_hand():
    first, middle = bar((0, CRASH)), bar((8, CRASH))
    song = groove(first, BEAT, middle, first)
    assert form.crashes(song) == pytest.approx(2 / 3)
    assert form.crashes(song, [0, 1, 2, 3]) == 0.5
    assert form.crashes(song, [0, 3]) == 1 and form.crashes(song, [2]) == 0
    assert np.isnan(form.crashes(groove(BEAT))) and np.isnan(form.crashes(song, []))
    assert form.crashes(groove(BEAT), [0]) == 0


def test_section_starts_are_bars_not_steps():
    with pytest.raises(ValueError, match="are these steps"):
        form.crashes(groove(*[BEAT] * 4), [0, 32])


@pytest.mark.parametrize(
    "bars, length",
    [
        ([BEAT] * 16, 1),
        ([BEAT, OTHER] * 8, 2),
        ([BEAT, BEAT, BEAT, FILL] * 4, 4),
        (([BEAT] * 7 + [FILL]) * 2, 8),
        ([BEAT, BEAT], 1),
    ],
)
def test_loop_length_by_hand(bars, length):
    assert form.loop_length(groove(*bars)) == length


def test_a_ghost_note_makes_no_loop():
    ghost = np.maximum(BEAT, bar((15, SNARE)))
    song = groove(*[ghost if i in (3, 8) else BEAT for i in range(16)])
    assert np.argmax(form.lag_similarity(song)) == 4  # five bars apart the two ghosts meet
    assert form.loop_length(song) == 1


def test_lags_by_hand():
    assert form.lag_similarity(groove(*[BEAT, OTHER] * 4)).tolist() == [0, 1, 0, 1]
    assert form.lag_similarity(groove(*[BEAT, OTHER] * 4), most=2).tolist() == [0, 1]
    with pytest.raises(ValueError, match="at least one bar"):
        form.loop_length(groove(BEAT, BEAT), most=0)


@pytest.mark.parametrize("name", songbook.names())
def test_the_songbooks_fills_are_found(name):
    """Every section's written fill is found where it is written, and nothing else is. (The last bar is the end.)"""
    written, at = set(), 0
    for part in songbook.SHEETS[name].form:
        length = max(map(len, read_pattern(part.fill).values())) if part.fill else 0
        written |= set(range(at + part.bars - length, at + part.bars))
        at += part.bars
    found = set(form.fills(grid_song(songbook.song(name)).groove()).tolist())
    assert found <= written
    ends = {section.bar + section.bars - 1 for section in songbook.sections(name)} - {at - 1}
    assert ends <= found
