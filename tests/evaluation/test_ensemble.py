"""Playing together, on a band and drums of a few notes."""

import numpy as np
import pytest

from drumlib.evaluation.metrics import ensemble
from drumlib.music.grid import Groove
from drumlib.music.kit import CLOSED_HAT, CRASH, FAMILIES, KICK, RIDE, SNARE


def drums(*bars) -> Groove:
    """Each bar is a list of cells (step, drum)."""
    hits = np.zeros((16 * len(bars), 9))
    for i, cells in enumerate(bars):
        for step, drum in cells:
            hits[16 * i + step, drum] = 1
    return Groove(hits, hits * 0.5, hits * 0.0)


def band(**families) -> dict:
    """Each family is a list of bars, each a list of steps; a chord of two pitches on each. Others are silent."""
    bars = max(map(len, families.values()))
    rolls = {family: np.zeros((16 * bars, 128), dtype=np.uint8) for family in FAMILIES}
    for family, parts in families.items():
        for i, steps in enumerate(parts):
            for step in steps:
                rolls[family][16 * i + step, [40, 47]] = 1
    return rolls


def test_kick_with_bass_by_hand():
    locking = ensemble.kick_with_bass(drums([(0, KICK), (8, KICK), (4, SNARE)]), band(bass=[[0, 4, 8, 12]]))
    assert locking == pytest.approx((1, 1 / 2, 2 / 3))


def test_a_kick_that_never_meets_the_bass():
    assert ensemble.kick_with_bass(drums([(1, KICK)]), band(bass=[[0]])) == (0, 0, 0)


def test_a_velocity_is_an_onset_too():
    players = band(bass=[[0]])
    players["bass"] *= 90
    assert ensemble.kick_with_bass(drums([(0, KICK)]), players) == (1, 1, 1)


def test_no_kick_and_no_bass_is_nothing_to_judge():
    no_kick = ensemble.kick_with_bass(drums([(0, SNARE)]), band(bass=[[0]]))
    assert np.isnan(no_kick.kicks_with_bass) and no_kick.bass_with_kicks == no_kick.f1 == 0
    no_bass = ensemble.kick_with_bass(drums([(0, KICK)]), band(bass=[[]]))
    assert no_bass.kicks_with_bass == 0 and np.isnan(no_bass.bass_with_kicks)
    assert np.isnan(ensemble.kick_with_bass(drums([]), band(bass=[[]]))).all()


def test_backbeat_by_hand():
    two_and_four = [(4, SNARE), (12, SNARE)]
    assert ensemble.backbeat(drums(two_and_four)) == 1
    assert ensemble.backbeat(drums(two_and_four, [(4, SNARE), (0, KICK)])) == 3 / 4
    assert ensemble.backbeat(drums(two_and_four, [])) == 1  # a bar of rest is no failure
    assert ensemble.backbeat(drums([(0, SNARE), (8, SNARE), (4, KICK)])) == 0
    assert np.isnan(ensemble.backbeat(drums([])))


@pytest.mark.parametrize(
    "steps, answer",
    [
        ([], 0),
        ([0], 4),
        ([0, 4, 8, 12], 4),
        ([0, 2, 4, 6], 8),
        ([0, 4, 6, 8], 4),  # one push is no subdivision
        ([0, 3, 6, 8, 11], 16),
        ([0, 2, 4, 6, 7], 8),
        ([1, 3], 16),
    ],
)
def test_subdivision_by_hand(steps, answer):
    played = np.zeros(16, dtype=bool)
    played[steps] = True
    assert ensemble.subdivision(played).tolist() == [answer]


def test_hats_with_subdivision_by_hand():
    eighths = [(step, CLOSED_HAT) for step in range(0, 16, 2)]
    quarters = [(step, RIDE) for step in range(0, 16, 4)]
    sixteenths = list(range(16))
    players = band(piano=[[0, 4, 8, 12], [0, 4], sixteenths], guitar=[[2, 6, 10, 14], [8], []])
    assert ensemble.hats_with_subdivision(drums(eighths, quarters, eighths), players) == pytest.approx(2 / 3)
    assert ensemble.hats_with_subdivision(drums(eighths, [(0, KICK)], []), players) == 1  # bars without hats: not asked
    assert np.isnan(ensemble.hats_with_subdivision(drums([(0, KICK)]), band(piano=[[0]])))


def test_density_following_by_hand():
    some, more, most = ([(step, SNARE) for step in range(count)] for count in (2, 4, 6))
    rising = band(piano=[[0], [0, 4], [0, 4, 8]], bass=[[0], [0, 4], [0, 4, 8]])
    assert ensemble.density_following(drums(some, more, most), rising) == pytest.approx(1)
    assert ensemble.density_following(drums(most, more, some), rising) == pytest.approx(-1)
    assert ensemble.density_following(drums(more, some, most), rising) == pytest.approx(0.5)


@pytest.mark.filterwarnings("error")
def test_a_machine_follows_nobody():
    beat = [(0, KICK), (4, SNARE)]
    assert np.isnan(ensemble.density_following(drums(beat, beat), band(piano=[[0], [0, 4]])))
    assert np.isnan(ensemble.density_following(drums(beat, [(0, CRASH)]), band(piano=[[0], [0]])))
    assert np.isnan(ensemble.density_following(drums(beat), band(piano=[[0]])))


def test_mistakes_are_named():
    beat = drums([(0, KICK)])
    with pytest.raises(ValueError, match="no 'bass'"):
        ensemble.kick_with_bass(beat, {"piano": np.zeros((16, 128))})
    with pytest.raises(ValueError, match="another grid"):
        ensemble.kick_with_bass(beat, {"bass": np.zeros((128, 16))})
    with pytest.raises(ValueError, match="end within a bar"):
        ensemble.backbeat(beat[:10])
