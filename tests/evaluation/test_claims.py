"""Claims, on drummers who are known to do what is claimed, or not."""

import math

import numpy as np
import pytest

from drumbook import claims
from drumbook.claims import CLAIMS, Claim, over_songs, verdict
from drumlib.music import STEPS_PER_BAR, Groove, groove_of, piano_roll, songbook
from drumlib.music.kit import CLOSED_HAT, CRASH, FAMILIES, HIGH_TOM, KICK, LOW_TOM, RIDE, SNARE
from drumlib.music.rock_beat import rock_bar


def machine(bars=16, loud=0.8):
    """A drum machine."""
    hits = np.tile(rock_bar(), (bars, 1))
    return Groove(hits, loud * hits, 0 * hits)


def changed(groove, **arrays):
    return Groove(**{name: arrays.get(name, getattr(groove, name)) for name in ("hits", "velocities", "offsets")})


def with_strokes(groove, steps, drum, loud=0.8):
    """The same with more strokes of one drum."""
    hits, velocities = groove.hits.copy(), groove.velocities.copy()
    hits[steps, drum], velocities[steps, drum] = 1, loud
    return Groove(hits, velocities, groove.offsets)


def band(*sections):
    """A band: for each section (bars, bass strokes a bar, whether a guitar plays)."""
    rolls = {family: np.zeros((16 * sum(bars for bars, _, _ in sections), 128), np.uint8) for family in FAMILIES}
    start = 0
    for bars, strokes, guitar in sections:
        for step in range(16 * start, 16 * (start + bars)):
            rolls["bass"][step, 40] = step % (16 // strokes) == 0
            rolls["guitar"][step, 60] = guitar and step % 4 == 2
        start += bars
    return rolls


def silence(bars=16):
    return Groove(*np.zeros((3, 16 * bars, 9)))


# --- a drum machine does nothing of what is claimed -------------------------------------------------------------------


def test_a_drum_machine():
    groove, starts = machine(32), [8]
    assert claims.late_snares(groove) == claims.uneven_hats(groove) == claims.accented_beats(groove) == 0
    assert claims.accented_doubles(groove) == claims.louder_pillars(groove) == 0
    assert claims.changing_touch(groove) == claims.changing_notes(groove) == 0
    assert claims.fills_end_phrases(groove) == claims.fills_before(groove, starts) == 0
    assert claims.new_pattern(groove, starts) == claims.new_cymbals(groove, starts) == 0
    assert claims.doubles_before(groove, starts) == 0
    assert claims.fill_profile(groove).tolist() == [0] * 8


@pytest.mark.filterwarnings("error")
def test_what_silence_does_not_define_is_nan():
    groove, rolls = silence(), {family: np.zeros((256, 128)) for family in FAMILIES}
    scored = np.ones(256, bool)
    for name in (
        "late snares",
        "uneven hats",
        "accented beats",
        "accented doubles",
        "changing touch",
        "no new pattern",
    ):
        assert math.isnan(CLAIMS[name].value(groove, scored, rolls)), name
    assert len(claims.borders(rolls)) == len(claims.entrances(rolls)) == 0


# --- single strokes ---------------------------------------------------------------------------------------------------


def test_late_snares():
    groove = machine()
    late = groove.offsets.copy()
    late[:, SNARE] = 0.1 * groove.hits[:, SNARE]
    ghost = with_strokes(changed(groove, offsets=late), [7], SNARE)  # on the grid, but no backbeat
    assert claims.late_snares(ghost) == pytest.approx(0.1)
    assert claims.audible_lateness(ghost, 125) == pytest.approx(12.5)
    assert claims.audible_lateness(changed(groove, offsets=-late), 125) == pytest.approx(12.5)
    assert claims.laid_back(ghost) == pytest.approx(0.1)


def test_laid_back_though_early():
    groove = machine()
    early = -0.1 * groove.hits
    early[:, SNARE] /= 2
    groove = changed(groove, offsets=early)
    assert claims.late_snares(groove) == pytest.approx(-0.05) and claims.laid_back(groove) == pytest.approx(0.05)


def test_hats():
    groove = machine()
    loud = groove.velocities.copy()
    loud[::4, CLOSED_HAT] = 0.9
    groove = changed(groove, velocities=loud)
    assert claims.accented_beats(groove) == pytest.approx(0.1)
    assert claims.uneven_hats(groove) == pytest.approx(0.05, abs=0.005)


def test_doubles():
    kicks = Groove(*np.zeros((3, 32, 9)))
    kicks = with_strokes(with_strokes(kicks, [0, 8], KICK, 0.9), [1, 7], KICK, 0.6)  # the first louder, then the second
    assert claims.accented_doubles(kicks) == pytest.approx(0.3)
    assert claims.accented_doubles(with_strokes(kicks, [8 + 3], KICK, 0.1)) == pytest.approx(0.3)  # three steps: none
    assert math.isnan(claims.accented_doubles(with_strokes(silence(), [2, 3], SNARE)))  # neither is on a beat


def test_pillars():
    groove = machine()
    loud = groove.velocities.copy()
    loud[:, [KICK, SNARE]] *= 1.25
    loud[10::16, KICK] = 0.1  # not on a beat
    assert claims.louder_pillars(changed(groove, velocities=loud)) == pytest.approx(0.2)


# --- from bar to bar --------------------------------------------------------------------------------------------------


def test_changes():
    groove = machine(4)
    loud = groove.velocities.copy()
    loud[16:32] *= 0.5
    assert claims.changing_touch(changed(groove, velocities=loud)) == pytest.approx(0.8 * 0.5 * 2 / 3)
    other = Groove(*(x[[*range(16), *range(16, 32)]] for x in (groove.hits, groove.velocities, groove.offsets)))
    hits = other.hits.copy()
    hits[16:] = 0
    hits[16, RIDE] = 1
    assert claims.changing_notes(changed(other, hits=hits, velocities=0.8 * hits)) == 1  # nothing in common


def test_fills_every_two_bars():
    groove = with_strokes(machine(), [s for s in range(256) if s % 32 in (28 + 1, 28 + 2, 28 + 3)], HIGH_TOM)
    assert claims.fills_end_phrases(groove) == 3
    assert claims.fills_end_phrases(groove, bars=4) == pytest.approx(3 - 1)
    assert claims.fill_profile(groove).tolist() == [-1.5, 1.5] * 4
    assert claims.fills_end_phrases(with_strokes(machine(), range(0, 256, 32), LOW_TOM)) == 0  # not at a bar's end
    only_first = np.arange(16) == 0
    assert math.isnan(claims.fills_end_phrases(groove, only_first))


def test_the_backbeat_is_no_fill():
    assert claims.fill_hits(machine()).tolist() == [0] * 16


# --- along the song ---------------------------------------------------------------------------------------------------


def test_borders_are_where_the_band_changes():
    rolls = band((12, 4, False), (12, 16, False), (12, 4, True))
    assert claims.borders(rolls).tolist() == [12, 24]
    assert claims.entrances(rolls).tolist() == [24]
    assert claims.borders(band((32, 4, True))).tolist() == []


def test_a_drummer_who_follows_the_band():
    starts = [8, 16, 24]
    groove = with_strokes(machine(32), [16 * 8 - 1, 16 * 16 - 1, 16 * 24 - 1], LOW_TOM)
    groove = with_strokes(groove, [16 * 8 - 2, 16 * 16 - 2, 16 * 24 - 2], SNARE)
    groove = with_strokes(groove, [16 * 8 - 3, 16 * 16 - 3, 16 * 24 - 3], SNARE)
    assert claims.snare_doubles(groove)[[7, 15, 23]].tolist() == [2, 2, 2]  # 12 + 1 and + 1
    # All bars in the same place of a phrase of eight, but the last, are before a border.
    assert claims.fills_before(groove, starts) == 3 and claims.doubles_before(groove, starts) == 2


def test_fills_that_come_every_eight_bars_anyway_are_no_transitions():
    groove = with_strokes(machine(32), [16 * 8 * n + 127 for n in range(4)], LOW_TOM)
    assert claims.fills_before(groove, [16]) == 0


def test_a_new_pattern_for_the_chorus():
    groove = machine(32)
    hits = groove.hits.copy()
    hits[16 * 16 : 24 * 16, RIDE] = hits[16 * 16 : 24 * 16, CLOSED_HAT]
    hits[16 * 16 : 24 * 16, CLOSED_HAT] = 0
    ridden = changed(groove, hits=hits, velocities=0.8 * hits)
    assert claims.new_pattern(ridden, [16]) > 0.2  # against the same place at bars 8 and 24, where it changes back
    assert claims.new_cymbals(ridden, [16, 24]) > 0.6
    assert math.isnan(claims.new_pattern(ridden, []))
    assert math.isnan(claims.new_pattern(ridden, [31]))  # nothing comes behind it


def test_more_at_compares_in_the_same_place_of_a_phrase():
    values = np.where(np.arange(32) % 8 == 0, 5.0, 0.0)
    values[16] = 7
    assert claims.more_at(values, [16]) == 2
    scored = np.arange(32) != 16
    assert math.isnan(claims.more_at(values, [16], scored))


# --- verdicts ---------------------------------------------------------------------------------------------------------

ABOVE, BELOW, ABSENT = (Claim("", claims.late_snares, "", "", rule, bar) for rule, bar in
                        (("above", 0.0), ("below", 10.0), ("absent", 0.0)))  # fmt: skip


def interval(low, high):
    return {"value": (low + high) / 2, "low": low, "high": high}


@pytest.mark.parametrize(
    ("claim", "own", "less", "said"),
    [
        (ABOVE, interval(0.1, 0.2), None, "holds"),
        (ABOVE, interval(-0.1, 0.2), None, "not shown"),
        (ABOVE, interval(-0.2, -0.1), None, "the opposite"),
        (ABOVE, interval(0, 0), None, "not shown"),
        (ABOVE, None, None, "not shown"),
        (BELOW, interval(1, 9), None, "holds"),
        (BELOW, interval(11, 12), None, "the opposite"),
        (BELOW, interval(9, 11), None, "not shown"),
        (ABSENT, interval(-0.1, 0.1), interval(0.1, 0.2), "holds"),
        (ABSENT, interval(0.1, 0.2), interval(0.1, 0.2), "holds in part"),
        (ABSENT, interval(0.1, 0.2), interval(-0.1, 0.2), "does not hold"),
        (ABSENT, interval(-0.1, 0.1), interval(-0.1, 0.2), "not shown"),
        (ABSENT, interval(-0.1, 0.1), None, "not shown"),
    ],
)
def test_verdicts(claim, own, less, said):
    assert verdict(claim, own, less) == said


def test_over_songs_leaves_out_what_is_not_defined():
    found = over_songs([1, 3, math.nan])
    assert found["value"] == 2 and found["songs"] == 2 and 1 <= found["low"] <= found["high"] <= 3
    assert over_songs([1.0, math.nan]) is None


# --- all of them ------------------------------------------------------------------------------------------------------


def test_every_claim_quotes_the_thesis_and_counts_a_song():
    song = songbook.song("rock")
    groove, rolls = groove_of(song), {family: piano_roll(song, family) for family in FAMILIES}
    scored = np.ones(len(groove), bool)
    for name, claim in CLAIMS.items():
        assert claim.measure.__doc__.startswith(("Thesis 5.2", 'The same sentence\'s "imperceptibly"')), name
        value = claim.value(groove, scored, rolls, 125.0)
        assert isinstance(value, float)
        if claim.needs not in ("borders", "entrances"):
            assert math.isfinite(value), name


def test_only_what_is_scored_counts():
    groove = machine(4)
    late = groove.offsets.copy()
    late[32:, SNARE] = 0.2 * groove.hits[32:, SNARE]
    scored = np.arange(64) < 32
    assert CLAIMS["late snares"].value(changed(groove, offsets=late), scored) == 0
    assert STEPS_PER_BAR == 16 and groove.hits[0, CRASH] == 1


def test_half_a_bar_is_refused():
    with pytest.raises(ValueError, match="whole bars"):
        claims.changing_notes(Groove(*np.zeros((3, 20, 9))))
