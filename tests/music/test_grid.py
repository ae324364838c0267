"""The grid of sixteenths, the groove and the piano roll."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drumlib.music import (
    DRUM_OF_PITCH,
    PITCH_OF_DRUM,
    Grid,
    Groove,
    Meter,
    Note,
    Song,
    Track,
    groove_from_notes,
    groove_of,
    notes_from_groove,
    piano_roll,
    roll_from_notes,
    song_from_bytes,
    song_to_bytes,
    with_tracks,
)

RESOLUTIONS = [4, 5, 7, 10, 24, 48, 89, 96, 120, 124, 192, 220, 384, 480, 960, 1023, 1024, 15360, 32767]


def song_of(bars, ticks_per_beat=96, meters=()):
    """A song of 4/4 (unless meters say otherwise) in which one long note fills ``bars`` bars of four beats."""
    return Song(ticks_per_beat, [Track([Note(0, 60, 90, bars * 4 * ticks_per_beat)])], meters=meters)


def drums_of(*notes):
    return Track([Note(*note) for note in notes], is_drum=True, channel=9)


def empty(steps):
    return np.zeros((3, steps, 9), dtype=np.float32)


# Steps and offsets


@pytest.mark.parametrize("tpb", RESOLUTIONS)
def test_in_four_the_grid_is_the_thesis_formula(tpb):
    song = song_of(3, tpb)
    grid = Grid(song)
    ticks = np.arange(0, 2 * 4 * tpb, max(1, tpb // 97))
    steps, offsets = grid.locate(ticks)
    expected = [math.floor(tick * 4 / tpb + 0.5) for tick in ticks.tolist()]
    assert steps.tolist() == expected
    np.testing.assert_allclose(offsets, ticks * 4 / tpb - np.array(expected), atol=1e-9)
    assert offsets.min() >= -0.5
    assert offsets.max() < 0.5
    assert grid.steps == 48
    assert grid.played.all()


def test_plus_is_late():
    grid = Grid(song_of(1))
    steps, offsets = grid.locate([24, 30, 18, 35, 36])
    assert steps.tolist() == [1, 1, 1, 1, 2]
    assert offsets.tolist() == pytest.approx([0, 0.25, -0.25, 11 / 24, -0.5]), "half a step is early, not late"


def test_an_onset_shortly_before_the_bar_line_belongs_to_the_next_bar():
    grid = Grid(song_of(2))
    steps, offsets = grid.locate([383, 372, 371])
    assert steps.tolist() == [16, 16, 15]
    np.testing.assert_allclose(offsets, [-1 / 24, -0.5, 11 / 24])


def test_an_onset_shortly_before_the_end_gets_a_bar_of_its_own():
    song = Song(96, [drums_of((0, 36, 90, 1), (383, 49, 90, 1))])
    grid = Grid(song)
    assert grid.steps == 32
    groove = groove_of(song)
    assert groove.hits[16, 8] == 1
    assert groove.offsets[16, 8] == np.float32(-1 / 24)


def test_the_bar_behind_the_end_has_the_meter_that_holds_there():
    song = Song(96, [drums_of((0, 36, 90, 1), (383, 49, 90, 1))], meters=[Meter(0, 4, 4), Meter(384, 5, 4)])
    assert tuple(Grid(song).bars[1]) == (384, 384 + 5 * 96, 5, 4)


def test_a_song_without_notes_has_no_steps():
    grid = Grid(Song(96, []))
    assert grid.steps == 0
    assert groove_of(Song(96, [])) == Groove(*empty(0))
    assert notes_from_groove(Groove(*empty(0)), grid) == ()
    assert piano_roll(Song(96, []), "piano").shape == (0, 128)


@pytest.mark.parametrize(
    ("meter", "played", "steps"),
    [
        ("4/4", 16, 16),
        ("3/4", 12, 16),
        ("2/4", 8, 16),
        ("7/8", 14, 16),
        ("6/8", 12, 16),
        ("5/4", 20, 32),
        ("9/4", 36, 48),
    ],
)
@pytest.mark.parametrize("tpb", [24, 96, 480])
def test_every_bar_line_is_on_a_multiple_of_16(meter, played, steps, tpb):
    numerator, denominator = map(int, meter.split("/"))
    grid = Grid(song_of(12, tpb, [Meter(0, numerator, denominator)]))
    assert grid.first_steps.tolist() == [steps * i for i in range(len(grid.bars))]
    assert grid.steps == steps * len(grid.bars) == len(grid.played)
    assert grid.played.reshape(-1, steps).tolist() == [[True] * played + [False] * (steps - played)] * len(grid.bars)
    located, offsets = grid.locate([bar.tick for bar in grid.bars])
    assert located.tolist() == grid.first_steps.tolist()
    assert not offsets.any()


def test_a_change_of_meter():
    song = song_of(4, meters=[Meter(0, 4, 4), Meter(384, 3, 4), Meter(384 + 288, 5, 4), Meter(384 + 288 + 480, 4, 4)])
    grid = Grid(song)
    assert grid.first_steps.tolist() == [0, 16, 32, 64]
    assert grid.played.sum() == 16 + 12 + 20 + 16
    steps, offsets = grid.locate([384 + 287, 384 + 288 + 24, 384 + 288 + 479])
    assert steps.tolist() == [32, 33, 64]
    np.testing.assert_allclose(offsets, [-1 / 24, 0, -1 / 24])


def test_a_meter_that_changes_inside_a_bar_begins_a_new_one():
    grid = Grid(song_of(3, meters=[Meter(0, 4, 4), Meter(384 + 192, 4, 4)]))
    assert grid.first_steps.tolist() == [0, 16, 32, 48]
    assert grid.played[16:32].tolist() == [True] * 8 + [False] * 8


def test_ticks_behind_the_last_bar_get_steps_behind_the_end():
    grid = Grid(song_of(1))
    assert grid.locate([5000])[0] >= grid.steps
    assert not groove_from_notes([Note(5000, 36, 90, 1)], grid).hits.any()
    assert not roll_from_notes([Note(5000, 36, 90, 1)], grid).any()


@pytest.mark.parametrize("tpb", RESOLUTIONS)
@pytest.mark.parametrize("meter", [(4, 4), (3, 4), (7, 8), (5, 4)])
def test_ticks_stay_in_the_cell_of_their_step(tpb, meter):
    grid = Grid(song_of(3, tpb, [Meter(0, *meter)]))
    steps = np.flatnonzero(grid.played)
    for offset in (-0.5, -0.499, -0.25, 0.0, 0.25, 0.499, 0.5):
        ticks = grid.ticks(steps, offset)
        again, offsets = grid.locate(ticks)
        assert again.tolist() == steps.tolist()
        wished = np.where((steps == 0) & (offset < 0), 0, offset)  # nothing can be before the beginning
        # Half a tick, or one at the edge of the cell, or half a tick more where the bar ends between two ticks.
        room = 1 if tpb * 4 * meter[0] % meter[1] == 0 else 1.5
        assert np.abs(offsets - wished).max() <= room * 4 / tpb + 1e-9


@pytest.mark.parametrize("tpb", RESOLUTIONS)
def test_ticks_are_the_nearest(tpb):
    grid = Grid(song_of(2, tpb))
    steps = np.arange(1, 32)
    for offset in (-0.3, 0.0, 0.2):
        expected = np.rint((steps + offset) * tpb / 4)
        inside = np.abs(expected * 4 / tpb - steps) < 0.5
        assert grid.ticks(steps, offset)[inside].tolist() == expected[inside].tolist()


# The groove


def test_velocities_are_midi_over_127_and_offsets_in_steps():
    groove = groove_from_notes([Note(54, 38, 64, 1)], Grid(song_of(1)))
    hits, velocities, offsets = empty(16)
    hits[2, 1], velocities[2, 1], offsets[2, 1] = 1, 64 / 127, 0.25
    assert groove == Groove(hits, velocities, offsets)
    assert {array.dtype for array in (groove.hits, groove.velocities, groove.offsets)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("notes", [[(0, 36, 50, 1), (5, 36, 90, 1)], [(0, 36, 90, 1), (5, 35, 50, 1)]])
def test_the_loudest_note_wins_its_cell(notes):
    groove = groove_from_notes([Note(*note) for note in notes], Grid(song_of(1)))
    assert groove.hits.sum() == 1
    assert groove.velocities[0, 0] == np.float32(90 / 127)
    loudest = max(notes, key=lambda note: note[2])
    assert groove.offsets[0, 0] == np.float32(loudest[0] / 24)


def test_of_equally_loud_notes_the_first_wins():
    groove = groove_from_notes([Note(2, 36, 90, 1), Note(5, 36, 90, 1)], Grid(song_of(1)))
    assert groove.offsets[0, 0] == np.float32(2 / 24)


def test_the_first_is_the_first_in_time_even_among_several_tracks():
    song = Song(96, [drums_of((5, 36, 90, 1)), drums_of((2, 36, 90, 1))])
    assert groove_of(song).offsets[0, 0] == np.float32(2 / 24)


def test_drums_of_one_step_do_not_disturb_each_other():
    groove = groove_from_notes([Note(0, pitch, 10 + i, 1) for i, pitch in enumerate(PITCH_OF_DRUM)], Grid(song_of(1)))
    assert groove.hits[0].tolist() == [1] * 9
    np.testing.assert_array_equal(groove.velocities[0], (np.arange(10, 19) / 127).astype(np.float32))


def test_each_pitch_counts_as_its_drum_and_strangers_do_not_count():
    grid = Grid(song_of(1))
    for pitch in range(128):
        groove = groove_from_notes([Note(24, pitch, 90, 1)], grid)
        if pitch in DRUM_OF_PITCH:
            assert np.argwhere(groove.hits).tolist() == [[1, DRUM_OF_PITCH[pitch]]]
        else:
            assert not groove.to_array().any()


def test_only_drum_tracks_make_the_groove():
    song = Song(96, [drums_of((0, 36, 90, 1)), Track([Note(24, 38, 90, 1)])])
    assert np.argwhere(groove_of(song).hits).tolist() == [[0, 0]]


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (((16, 9), (16, 9), (15, 9)), "offsets has 15 steps"),
        (((16, 9), (17, 9), (16, 9)), "velocities has 17 steps"),
        (((16, 8), (16, 9), (16, 9)), "hits has shape"),
        (((16, 9), (16,), (16, 9)), "velocities has shape"),
        (((1, 16, 9),) * 3, "hits has shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(shapes, words):
    with pytest.raises(ValueError, match=words):
        Groove(*(np.zeros(shape) for shape in shapes))


def test_a_groove_as_one_array():
    rng = np.random.default_rng(0)
    array = rng.random((32, 27), dtype=np.float32)
    groove = Groove.from_array(array)
    np.testing.assert_array_equal(groove.to_array(), array)
    np.testing.assert_array_equal(groove.velocities, array[:, 9:18])
    with pytest.raises(ValueError):
        Groove.from_array(array[:, :24])


def test_a_piece_of_a_groove():
    groove = Groove.from_array(np.random.default_rng(0).random((32, 27)))
    assert len(groove) == 32
    assert len(groove[16:]) == 16
    np.testing.assert_array_equal(groove[16:].to_array(), groove.to_array()[16:])
    assert groove == groove[:]
    assert groove != groove[16:]
    assert groove != "groove"


def test_a_groove_and_a_grid_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"32 steps.*16"):
        notes_from_groove(Groove(*empty(32)), Grid(song_of(1)))


def test_notes_are_written_as_the_kits_pitches_in_order_of_time():
    hits, velocities, offsets = empty(16)
    hits[4, :] = 1
    velocities[4, :] = np.arange(1, 10) / 127
    hits[1, 7], velocities[1, 7], offsets[1, 7] = 1, 1, 0.25
    notes = notes_from_groove(Groove(hits, velocities, offsets), Grid(song_of(1)))
    assert notes == tuple(sorted(notes))
    assert notes[0][:3] == (30, 51, 127)
    assert {(n.tick, n.pitch, n.velocity) for n in notes[1:]} == {(96, p, i + 1) for i, p in enumerate(PITCH_OF_DRUM)}
    assert all(note.length > 0 for note in notes)


def test_a_stroke_on_the_first_step_cannot_be_early():
    hits, velocities, offsets = empty(16)
    hits[0, 0], velocities[0, 0], offsets[0, 0] = 1, 0.5, -0.25
    (note,) = notes_from_groove(Groove(hits, velocities, offsets), Grid(song_of(1)))
    assert note.tick == 0


def test_velocities_stay_within_midi():
    hits, velocities, offsets = empty(16)
    hits[:3, 0] = 1
    velocities[:3, 0] = -0.1, 0.001, 1.3
    notes = notes_from_groove(Groove(hits, velocities, offsets), Grid(song_of(1)))
    assert [note.velocity for note in notes] == [1, 1, 127]


def test_steps_that_are_not_played_stay_silent():
    grid = Grid(song_of(3, meters=[Meter(0, 3, 4)]))
    groove = Groove(np.ones((grid.steps, 9)), np.ones((grid.steps, 9)), np.zeros((grid.steps, 9)))
    again = groove_from_notes(notes_from_groove(groove, grid), grid)
    assert again.hits.all(axis=1).tolist() == grid.played.tolist()
    assert again.hits.any(axis=1).tolist() == grid.played.tolist()


# There and back again: groove -> notes -> MIDI -> song -> groove


def there_and_back(groove, band):
    """A groove, written behind a band as a MIDI file, and read again."""
    grid = Grid(band)
    drums = Track(notes_from_groove(groove, grid), is_drum=True, channel=9)
    return groove_of(song_from_bytes(song_to_bytes(with_tracks(band, [drums]))))


@st.composite
def bands_and_grooves(draw, meters, on_ticks=True):
    """A band of four bars and a groove for it, with offsets that lie on ticks, or anywhere."""
    tpb = draw(st.one_of(st.sampled_from(RESOLUTIONS), st.integers(4, 1100)))
    meter = draw(st.sampled_from(meters))
    band = song_of(4, tpb, [Meter(0, *meter)])
    grid = Grid(band)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.02, 0.3, 1.0]))
    hits = (rng.random((grid.steps, 9)) < density) * grid.played[:, None]
    velocities = rng.integers(1, 128, hits.shape) / 127
    offsets = rng.uniform(-0.5, 0.5, hits.shape)
    offsets[0] = abs(offsets[0])  # nothing can be before the beginning
    if on_ticks:
        steps = np.arange(grid.steps)[:, None]
        ticks = grid.ticks(steps, offsets)
        located, offsets = grid.locate(ticks)
        assert (located == steps)[grid.played].all()
    return band, Groove(hits, velocities * hits, offsets * hits)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(bands_and_grooves([(4, 4), (3, 4), (2, 4), (5, 4), (12, 8)]))
def test_a_groove_is_the_same_after_midi_to_the_tick(band_and_groove):
    band, groove = band_and_groove
    again = there_and_back(groove, band)
    np.testing.assert_array_equal(again.hits, groove.hits)
    np.testing.assert_array_equal(again.velocities, groove.velocities)
    np.testing.assert_array_equal(again.offsets, groove.offsets)
    assert again == groove


@settings(max_examples=25, deadline=None, derandomize=True)
@given(bands_and_grooves([(4, 4), (3, 4), (5, 4)], on_ticks=False))
def test_offsets_between_ticks_move_by_half_a_tick_at_most(band_and_groove):
    band, groove = band_and_groove
    again = there_and_back(groove, band)
    np.testing.assert_array_equal(again.hits, groove.hits)
    np.testing.assert_array_equal(again.velocities, groove.velocities)
    tick = 4 / band.ticks_per_beat  # in steps
    moved = np.abs(again.offsets - groove.offsets)
    at_the_edge = np.abs(groove.offsets) > 0.5 - tick  # where half a tick would lead to the next step
    assert moved[~at_the_edge].max(initial=0) <= tick / 2 + 1e-6
    assert moved.max() < tick + 1e-6


@settings(max_examples=25, deadline=None, derandomize=True)
@given(bands_and_grooves([(7, 8), (5, 8), (3, 16), (11, 16)], on_ticks=False))
def test_hits_survive_midi_in_bars_that_are_no_whole_number_of_ticks(band_and_groove):
    """Where ticks_per_beat is odd, a bar of 7/8 ends between two ticks: its last step has less room."""
    band, groove = band_and_groove
    again = there_and_back(groove, band)
    np.testing.assert_array_equal(again.hits, groove.hits)
    np.testing.assert_array_equal(again.velocities, groove.velocities)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(4, 1100),
    st.lists(st.tuples(st.integers(1, 20_000), st.sampled_from([(4, 4), (3, 4), (7, 8), (5, 4)])), max_size=5),
    st.integers(0, 2**32 - 1),
)
def test_any_notes_in_any_meters_find_a_step_that_is_played(tpb, changes, seed):
    meters = [Meter(0, 4, 4), *(Meter(tick, *meter) for tick, meter in changes)]
    rng = np.random.default_rng(seed)
    ticks = np.sort(rng.integers(0, 30_000, 60))
    song = Song(tpb, [drums_of(*((int(tick), 36, 90, 1) for tick in ticks))], meters=meters)
    grid = Grid(song)
    steps, offsets = grid.locate(ticks)
    assert (steps < grid.steps).all()
    assert grid.played[steps].all()
    assert (np.diff(steps) >= 0).all()
    assert offsets.min() >= -0.5
    assert offsets.max() < 0.5
    groove = groove_of(song, grid)
    again = groove_from_notes(notes_from_groove(groove, grid), grid)
    assert again == groove


# The piano roll


def test_the_piano_roll_holds_onsets_only():
    song = Song(
        96,
        [
            Track([Note(0, 60, 90, 384), Note(23, 64, 1, 10), Note(383, 67, 90, 10)], program=4),
            Track([Note(96, 72, 90, 10)], program=0, channel=1),
            Track([Note(48, 40, 90, 10)], program=33, channel=2),
            drums_of((0, 36, 90, 1)),
        ],
    )
    roll = piano_roll(song, "piano")
    assert roll.shape == (32, 128)
    assert roll.dtype == np.uint8
    assert np.argwhere(roll).tolist() == [[0, 60], [1, 64], [4, 72], [16, 67]]
    assert set(np.unique(roll)) == {0, 1}
    assert np.argwhere(piano_roll(song, "bass")).tolist() == [[2, 40]]
    assert not piano_roll(song, "guitar").any()
    with pytest.raises(ValueError, match="banjo"):
        piano_roll(song, "banjo")


def test_two_notes_in_one_cell_are_one():
    song = Song(96, [Track([Note(0, 60, 90, 5), Note(6, 60, 90, 5)])])
    assert piano_roll(song, "piano").sum() == 1


def test_a_roll_can_be_laid_on_anothers_grid():
    band = song_of(4)
    assert piano_roll(Song(96, []), "piano", Grid(band)).shape == (64, 128)
