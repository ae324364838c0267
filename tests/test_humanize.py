"""Humanizing a song: the hits stay, velocities and offsets change, within bounds."""

import numpy as np
import pytest

from drumlib.humanize import histograms_of_song, humanize
from drumlib.inference import histograms
from drumlib.inference.histograms import (
    READOUTS,
    normal_cdf,
    quantile,
    readout_settings,
    spread_matched,
)
from drumlib.music import Grid, Meter, Note, Song, Tempo, Track, groove_of, song_from_bytes, song_to_bytes, songbook
from drumlib.music.grid import step_lengths
from drumlib.network.groove.humanizer import HumanizerPreset
from drumlib.network.registry import build

EVEN = {
    name: {
        "shares": {"performance": 0.2, "drum": 0.2, "place": 0.2, "note": 0.4},
        "spread-matched": {"sharpness": 2.0, "stretch": 1.2, "centres": [0.5 * (name == "velocities")] * 9},
    }
    for name in ("velocities", "offsets")
}


@pytest.fixture(autouse=True)
def untrained(monkeypatch):
    """What is tested here does not depend on what the network knows: it is small and fresh."""
    network = build(HumanizerPreset(units=6), seed=1)
    monkeypatch.setattr("drumlib.network.registry.pretrained", lambda name: network)
    monkeypatch.setattr("drumlib.humanize.readout_settings", lambda: EVEN)


@pytest.fixture(scope="module")
def song() -> Song:
    return song_from_bytes(song_to_bytes(songbook.song("rock")), "rock")


def drumming(bars: int, tpb: int = 480, **more) -> Song:
    notes = [Note(step * tpb // 4, 42 if step % 4 else 36, 80, 10) for step in range(0, 16 * bars, 2)]
    return Song(tpb, [Track(notes, is_drum=True)], **more)


def test_the_same_strokes_and_the_same_band(song):
    result = humanize(song, seed=3)
    np.testing.assert_array_equal(groove_of(result).hits, groove_of(song, Grid(song)).hits)
    assert result.band == song.band
    assert [bar for bar in result.bars] == [bar for bar in song.bars]
    assert len(result.drums) == 1


def test_velocities_and_offsets_move(song):
    before, after = groove_of(song), groove_of(humanize(song, seed=3))
    struck = before.hits > 0
    assert np.abs(before.offsets - after.offsets)[struck].mean() > 0.02
    assert np.abs(before.velocities - after.velocities)[struck].mean() > 0.02


@pytest.mark.slow
def test_the_same_seed_the_same_performance(song):
    assert humanize(song, seed=1) == humanize(song, seed=1)
    assert humanize(song, seed=1) != humanize(song, seed=2)
    assert humanize(song, seed=1, readout="median") == humanize(song, seed=2, readout="median")


@pytest.mark.slow
@pytest.mark.parametrize("old, new", [("draw", "sample"), ("middle", "median"), ("lively", "spread-matched")])
def test_read_outs_of_version_0_1_still_work_with_a_warning(song, old, new):
    with pytest.warns(FutureWarning, match=f"{old!r} is called {new!r} now"):
        before = humanize(song, 2, readout=old)
    assert before == humanize(song, 2, readout=new)


@pytest.mark.slow
def test_nothing_of_it_is_the_grid(song):
    plain, half, full = (groove_of(humanize(song, 4, amount)) for amount in (0, 0.5, 1))
    own = groove_of(song)
    struck = own.hits > 0
    assert np.abs(plain.offsets).max() == 0
    np.testing.assert_array_equal(plain.velocities, own.velocities)
    np.testing.assert_allclose(half.offsets[struck], full.offsets[struck] / 2, atol=0.02)  # to the tick


@pytest.mark.parametrize("readout", READOUTS)
def test_every_read_out_plays_within_bounds(song, readout):
    groove = groove_of(humanize(song, 1, readout=readout))
    assert groove.velocities[groove.hits > 0].min() >= 1 / 127
    assert np.abs(groove.offsets).max() <= 0.5


def test_a_rim_shot_stays_one_and_a_cowbell_stays_where_it_is():
    notes = [Note(0, 36, 90, 10), Note(480, 37, 90, 10), Note(700, 56, 71, 33), Note(960, 38, 90, 10)]
    result = humanize(Song(480, [Track(notes, is_drum=True)]), seed=0).drums[0].notes
    assert sorted(note.pitch for note in result) == [36, 37, 38, 56]
    assert [note for note in result if note.pitch == 56] == [notes[2]]


def test_of_two_strokes_in_a_cell_the_loudest_is_kept():
    notes = [Note(470, 38, 50, 10), Note(480, 40, 100, 10), Note(490, 38, 60, 10)]
    result = humanize(Song(480, [Track(notes, is_drum=True)]), amount=0).drums[0].notes
    assert [(note.tick, note.pitch, note.velocity) for note in result] == [(480, 40, 100)]


@pytest.mark.slow
@pytest.mark.parametrize("bars", [1, 2, 3, 9])
def test_any_length(bars):
    song = drumming(bars)
    np.testing.assert_array_equal(groove_of(humanize(song)).hits, groove_of(song).hits)


def test_other_meters():
    song = drumming(6, meters=[Meter(0, 3, 4), Meter(480 * 6, 7, 8)])
    np.testing.assert_array_equal(groove_of(humanize(song)).hits, groove_of(song).hits)


@pytest.mark.parametrize(
    ("song", "options", "message"),
    [
        (Song(480, [Track([Note(0, 60, 80, 10)])]), {}, "no drums"),
        (Song(480, []), {}, "no drums"),
        (drumming(2), {"amount": 1.5}, "amount is a share"),
        (drumming(2), {"readout": "guess"}, "no read-out 'guess'"),
        (drumming(4001), {}, "too many"),
    ],
)
def test_what_makes_no_sense_is_refused(song, options, message):
    with pytest.raises(ValueError, match=message):
        humanize(song, **options)


def test_no_seam_a_repeated_bar_is_answered_alike_wherever_it_stands():
    grid = Grid(drumming(8))
    hits = groove_of(drumming(8)).hits
    cells = np.argwhere(hits > 0)
    found = histograms_of_song(cells, grid.steps, step_lengths(drumming(8), grid))["offsets"]
    by_bar = found.reshape(8, -1, found.shape[-1])  # eight bars alike
    for bar in range(2, 7):
        np.testing.assert_allclose(by_bar[bar], by_bar[1], atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-5)


def test_the_blend_goes_over_from_one_window_to_the_next():
    """With a network that answers only where in its window a note stands, every step hears mostly the nearer middle."""

    class Clock:
        def histograms(self, hits, step_ms):
            place = np.broadcast_to(np.eye(32)[None, :, None], (*hits.shape, 32))
            return {"velocities": place}

    module_network = "drumlib.network.registry.pretrained"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module_network, lambda name: Clock())
        cells = np.array([[16 + step, 0] for step in range(16)])
        found = histograms_of_song(cells, 48, np.full(3, 125.0))["velocities"]
    for step in range(16):
        assert found[step, 16 + step] == pytest.approx((15.5 - step) / 16)
        assert found[step, step] == pytest.approx((step + 0.5) / 16)


def test_the_tempo_of_every_bar():
    song = drumming(4, tempos=[Tempo(0, 500_000), Tempo(480 * 8, 250_000)])
    np.testing.assert_allclose(step_lengths(song, Grid(song)), [125, 125, 62.5, 62.5])


def test_quantiles_of_a_histogram():
    histogram = np.array([[0.5, 0.0, 0.0, 0.5], [0.0, 1.0, 0.0, 0.0]])
    np.testing.assert_allclose(quantile(histogram, "velocities", 0.25), [0.125, 0.3125])
    np.testing.assert_allclose(quantile(histogram, "velocities", np.array([0.75, 0.5])), [0.875, 0.375])
    assert (quantile(histogram, "velocities", 1.0) <= 1).all()


def test_samples_follow_their_histogram():
    rng = np.random.default_rng(0)
    histogram = np.tile([[0.1, 0.2, 0.3, 0.4]], (20_000, 1))
    drawn = quantile(histogram, "velocities", normal_cdf(rng.standard_normal(20_000)))
    np.testing.assert_allclose(np.histogram(drawn, 4, (0, 1))[0] / 20_000, [0.1, 0.2, 0.3, 0.4], atol=0.015)


def test_spread_matched_is_the_median_when_nothing_is_sharpened_or_stretched():
    rng = np.random.default_rng(0)
    histogram = rng.dirichlet(np.ones(40), 50)
    drums = rng.integers(0, 9, 50)
    plain = spread_matched(histogram, "offsets", drums, 1.0, 1.0, [0.0] * 9)
    np.testing.assert_allclose(plain, quantile(histogram, "offsets", 0.5))
    wide = spread_matched(histogram, "offsets", drums, 1.0, 2.0, [0.0] * 9)
    np.testing.assert_allclose(wide, np.clip(2 * plain, -0.5, 0.499), atol=1e-9)


def test_the_shipped_settings_are_whole(monkeypatch):
    monkeypatch.undo()
    histograms.readout_settings.cache_clear()
    for own in readout_settings().values():
        assert set(own) == {"shares", "spread-matched"}
        assert sum(own["shares"].values()) == pytest.approx(1, abs=1e-3)
        assert len(own["spread-matched"]["centres"]) == 9
