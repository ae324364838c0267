"""Laws that the measures of form, ensemble and sets must obey: who plays like a drummer is nearer to a drummer.

The drummer is the songbook's. A measure that cannot tell him from noise, from a loop or from his own bars in a hat
measures nothing.
"""

from functools import cache

import numpy as np
import pytest

from drumlib.data.grid_song import grid_song
from drumlib.evaluation.metrics import ensemble, form, sets
from drumlib.music import songbook
from drumlib.music.grid import Grid, Groove, piano_roll
from drumlib.music.kit import FAMILIES
from drumlib.music.rock_beat import rock_bar

NAMES = tuple(songbook.names())


@cache
def played(name: str) -> Groove:
    return grid_song(songbook.song(name)).groove()


@cache
def band(name: str) -> dict:
    song = songbook.song(name)
    return {family: piano_roll(song, family, Grid(song)) for family in FAMILIES}


def taken(groove: Groove, bars) -> Groove:
    """These bars of a groove, in this order."""
    array = groove.to_array().reshape(-1, 16, 27)[np.asarray(bars)]  # (B, 16, 27)
    return Groove.from_array(array.reshape(-1, 27))


def half(groove: Groove, which: int) -> Groove:
    """Every other pair of bars."""
    bars = np.arange(len(groove) // 16)
    return taken(groove, bars[bars // 2 % 2 == which])


def shuffled(groove: Groove, rng) -> Groove:
    """The same strokes with the steps of each bar in a hat."""
    steps = np.concatenate([rng.permutation(16) + bar for bar in range(0, len(groove), 16)])
    return Groove.from_array(groove.to_array()[steps])


def noise(groove: Groove, rng) -> Groove:
    """As many strokes, of the same loudness and timing, on any steps and drums."""
    cells = rng.permutation(groove.hits.size)
    return Groove(
        *(array.ravel()[cells].reshape(array.shape) for array in (groove.hits, groove.velocities, groove.offsets))
    )


def machine(groove: Groove, rng) -> Groove:
    """The thesis's rock beat, bar after bar."""
    hits = np.tile(rock_bar(), (len(groove) // 16, 1))
    return Groove(hits, hits * 0.7, hits * 0)


def mean_over_features(measure, ones, others) -> float:
    one, other = sets.features(ones), sets.features(others)
    return float(np.mean([measure(one[name], other[name]) for name in one]))


@pytest.mark.parametrize("imposter", [shuffled, noise, machine])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_drummer_is_nearer_to_himself_than_to_an_imposter(imposter, seed):
    rng = np.random.default_rng(seed)
    one = [half(played(name), 0) for name in NAMES]
    other = [half(played(name), 1) for name in NAMES]
    false = [imposter(groove, rng) for groove in other]
    assert mean_over_features(sets.divergence, one, other) < mean_over_features(sets.divergence, one, false) / 2
    assert mean_over_features(sets.overlap, one, other) > mean_over_features(sets.overlap, one, false) + 0.05


@pytest.mark.parametrize("imposter", [shuffled, noise])
def test_a_drummers_bars_are_near_to_his_own(imposter):
    rng = np.random.default_rng(0)
    known = sets.all_bars(half(played(name), 0) for name in NAMES)
    other = [half(played(name), 1) for name in NAMES]
    near = sets.nearest_bars(sets.all_bars(other), known)
    far = sets.nearest_bars(sets.all_bars(imposter(groove, rng) for groove in other), known)
    assert near.mean() < far.mean() - 5


def test_nearness_alone_does_not_catch_a_machine():
    """The rock beat is two cells from a bar of the drummer's, and no bar of the machine's is further: he himself is,
    where he fills. Nearness says who copies, not who drums; the sets' distributions tell the two apart (above)."""
    known = sets.all_bars(half(played(name), 0) for name in NAMES)
    other = [half(played(name), 1) for name in NAMES]
    near = sets.nearest_bars(sets.all_bars(other), known)
    machines = sets.nearest_bars(sets.all_bars(machine(groove, None) for groove in other), known)
    assert near.max() > machines.max() and machines.std() == 0 < near.std()


def test_a_copy_is_a_copy_and_equal_sets_are_equal():
    grooves = [played(name) for name in NAMES]
    found = sets.features(grooves)
    assert all(sets.divergence(values, values) == 0 for values in found.values())
    assert all(sets.overlap(values, values) == pytest.approx(1) for values in found.values())
    assert not sets.nearest_bars(sets.all_bars(grooves), sets.all_bars(grooves)).any()
    assert sets.diversity([grooves[0], grooves[0]]) == 0


def test_noise_is_the_most_diverse():
    """More diverse is not better: performances of pure chance differ more than a song's own bars in another order."""
    rng, groove = np.random.default_rng(0), played("rock")
    bars = len(groove) // 16
    orders = [taken(groove, rng.permutation(bars)) for _ in range(4)]
    assert 0 < sets.diversity(orders) < sets.diversity([noise(groove, rng) for _ in range(4)])


def test_bars_in_a_hat_lose_the_form():
    """The same bars in another order: each score of single bars stays, and the form is gone."""
    rng = np.random.default_rng(0)
    real, mixed = [], []
    for name in NAMES:
        groove = played(name)
        hat = taken(groove, rng.permutation(len(groove) // 16))
        starts = [section.bar for section in songbook.sections(name)]
        for scores, candidate in ((real, groove), (mixed, hat)):
            ends = form.fills_at_phrase_ends(candidate, bars=(4,))[4]
            scores.append((ends, form.neighbour_similarity(candidate), form.crashes(candidate, starts)))
        assert form.mean_self_similarity(hat) == pytest.approx(form.mean_self_similarity(groove))
        assert form.crashes(hat) == pytest.approx(form.crashes(groove), nan_ok=True)
    for before, after in zip(np.nanmean(real, axis=0), np.nanmean(mixed, axis=0), strict=True):
        assert before > after + 0.1


def test_a_loop_in_a_hat_has_no_length():
    rng = np.random.default_rng(0)
    verse = played("rock")[16 * 8 : 16 * 12]  # four bars, the last one a fill
    loop = taken(verse, [0, 1, 2, 3] * 8)
    hat = taken(loop, rng.permutation(32))
    assert form.loop_length(loop) == 4 and form.lag_similarity(loop)[3] == pytest.approx(1)
    assert form.lag_similarity(hat).max() < 0.95


def test_a_machine_has_no_form():
    groove = machine(played("rock"), None)
    assert form.loop_length(groove) == 1 and form.mean_self_similarity(groove) == 1
    assert len(form.fills(groove)) == 0 and np.isnan(form.fills_at_phrase_ends(groove)[4])
    assert form.crashes(groove) == 1  # and it says nothing: one on every bar
    assert np.isnan(ensemble.density_following(groove, band("rock")))


def test_the_drummer_plays_with_his_own_band():
    """Against the same strokes with the steps of each bar in a hat, and against noise."""
    rng = np.random.default_rng(0)

    def scores(change) -> np.ndarray:
        found = []
        for name in NAMES:
            groove, players = change(played(name)), band(name)
            found.append((ensemble.kick_with_bass(groove, players).f1, ensemble.hats_with_subdivision(groove, players)))
        return np.nanmean(found, axis=0)

    own = scores(lambda groove: groove)
    assert (own > scores(lambda groove: shuffled(groove, rng)) + 0.1).all()
    assert (own > scores(lambda groove: noise(groove, rng)) + 0.1).all()


@pytest.mark.parametrize("name", ["rock", "funk", "disco"])
def test_a_backbeat_is_a_backbeat(name):
    rng = np.random.default_rng(0)
    assert ensemble.backbeat(played(name)) > 0.7 > 0.5 > ensemble.backbeat(noise(played(name), rng))


@pytest.mark.parametrize("name", NAMES)
def test_all_figures_are_in_their_range(name):
    groove, players = played(name), band(name)
    shares = [*form.fills_at_phrase_ends(groove).values(), form.crashes(groove), form.mean_self_similarity(groove)]
    shares += [*ensemble.kick_with_bass(groove, players), ensemble.backbeat(groove)]
    shares += [ensemble.hats_with_subdivision(groove, players)]
    assert all(0 <= share <= 1 for share in shares if not np.isnan(share))
    assert -1 <= ensemble.density_following(groove, players) <= 1
    assert 1 <= form.loop_length(groove) <= 16
