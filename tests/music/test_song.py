"""Songs as plain data: bars, tempo map, families, equality."""

import pytest

from drumlib.music import Meter, Note, Song, Tempo, Track, only
from drumlib.music.kit import DRUM_OF_PITCH, DRUMS, PITCH_OF_DRUM, PITCHES_READ


def one_note_song(tick, length=1, **more):
    """A song of 96 ticks a beat whose last note begins at ``tick``."""
    return Song(96, [Track([Note(tick, 60, 90, length)])], **more)


def test_a_song_without_more_words_is_120_beats_a_minute_in_four():
    song = one_note_song(0)
    assert song.tempos == (Tempo(0, 500_000),)
    assert song.tempos[0].bpm == 120
    assert song.meters == (Meter(0, 4, 4),)
    assert str(song.meters[0]) == "4/4"


def test_notes_are_sorted_and_plain_tuples_will_do():
    track = Track([(96, 64, 80, 10), (0, 60, 90, 96), (0, 55, 90, 96)])
    assert track.notes == (Note(0, 55, 90, 96), Note(0, 60, 90, 96), Note(96, 64, 80, 10))


@pytest.mark.parametrize(
    ("program", "family"),
    [(0, "piano"), (7, "piano"), (8, None), (24, "guitar"), (31, "guitar"), (32, "bass"), (39, "bass"), (40, None)],
)
def test_families_are_general_midi_programs(program, family):
    assert Track([], program=program).family == family


def test_drums_are_drums_whatever_their_program():
    drums, bass = Track([], program=33, is_drum=True, channel=9), Track([], program=33)
    song = Song(96, [drums, bass])
    assert drums.family == "drums"
    assert song.drums == song.parts("drums") == (drums,)
    assert song.band == song.parts("bass") == (bass,)
    assert song.parts("piano") == ()


def test_an_unknown_family_is_refused_by_name():
    with pytest.raises(ValueError, match=r"banjo.*piano.*drums"):
        Song(96, []).parts("banjo")


def test_the_song_ends_with_its_last_note():
    assert Song(96, []).end == 0
    assert one_note_song(96, 48).end == 144
    assert one_note_song(96, 0).end == 97, "a note of no length still takes its own tick"


def test_a_drum_stroke_counts_for_its_first_tick_only():
    song = Song(96, [Track([Note(383, 36, 90, 500)], is_drum=True, channel=9)])
    assert song.end == 384
    assert len(song.bars) == 1


def test_bars_reach_to_the_last_sound():
    assert Song(96, []).bars == ()
    assert [tuple(bar) for bar in one_note_song(384).bars] == [(0, 384, 4, 4), (384, 768, 4, 4)]
    assert len(one_note_song(383).bars) == 1


@pytest.mark.parametrize(
    ("numerator", "denominator", "length"), [(3, 4, 288), (2, 4, 192), (7, 8, 336), (5, 4, 480), (2, 2, 384)]
)
def test_the_meter_gives_the_length_of_a_bar(numerator, denominator, length):
    bars = one_note_song(1000, meters=[Meter(0, numerator, denominator)]).bars
    assert {bar.end - bar.tick for bar in bars} == {length}
    assert bars[-1].tick <= 1000 < bars[-1].end


def test_a_change_of_meter_on_the_bar_line():
    bars = one_note_song(700, meters=[Meter(0, 4, 4), Meter(384, 3, 4)]).bars
    assert [tuple(bar) for bar in bars] == [(0, 384, 4, 4), (384, 672, 3, 4), (672, 960, 3, 4)]


def test_a_change_of_meter_inside_a_bar_ends_that_bar():
    bars = one_note_song(700, meters=[Meter(0, 4, 4), Meter(480, 3, 4)]).bars
    assert [tuple(bar) for bar in bars] == [(0, 384, 4, 4), (384, 480, 4, 4), (480, 768, 3, 4)]


def test_two_changes_of_meter_inside_one_bar():
    bars = one_note_song(400, meters=[Meter(0, 4, 4), Meter(100, 3, 4), Meter(110, 2, 4)]).bars
    assert [tuple(bar) for bar in bars] == [(0, 100, 4, 4), (100, 110, 3, 4), (110, 302, 2, 4), (302, 494, 2, 4)]


def test_a_change_of_meter_after_the_last_note_changes_nothing():
    expected = one_note_song(100).bars
    assert one_note_song(100, meters=[Meter(200, 3, 4)]).bars == expected
    assert one_note_song(100, meters=[Meter(5000, 3, 4)]).bars == expected


def test_a_meter_that_begins_late_leaves_four_four_before_it():
    assert one_note_song(0, meters=[Meter(384, 3, 4)]).meters == (Meter(0, 4, 4), Meter(384, 3, 4))


def test_of_two_changes_on_one_tick_the_last_rules():
    song = one_note_song(
        0, tempos=[Tempo(96, 300_000), Tempo(0, 1), Tempo(96, 250_000)], meters=[Meter(0, 3, 4), Meter(0, 2, 4)]
    )
    assert song.tempos == (Tempo(0, 1), Tempo(96, 250_000))
    assert song.meters == (Meter(0, 2, 4),)


def test_seconds_follow_the_tempo_map():
    song = one_note_song(384, 96, tempos=[Tempo(0, 500_000), Tempo(96, 1_000_000), Tempo(192, 250_000)])
    assert song.seconds(0) == 0
    assert song.seconds(48) == pytest.approx(0.25)
    assert song.seconds(96) == pytest.approx(0.5)
    assert song.seconds(144) == pytest.approx(1.0)
    assert song.seconds(192) == pytest.approx(1.5)
    assert song.seconds(480) == pytest.approx(1.5 + 3 * 0.25)
    assert song.seconds(96.5) == pytest.approx(0.5 + 0.5 / 96)
    assert song.duration == pytest.approx(song.seconds(480))


def test_a_song_without_notes_lasts_no_time():
    song = Song(96, [Track([])])
    assert song.duration == 0
    assert "0 bars" in repr(song)


def test_equality_is_about_music_not_about_the_files_name():
    assert Song(96, [], name="a") == Song(96, [], name="b", events=())
    assert Song(96, []) != Song(480, [])
    assert hash(one_note_song(3)) == hash(one_note_song(3))


def test_only_keeps_time_and_drops_the_files_events():
    track = Track([Note(0, 60, 90, 10)])
    song = Song(480, [track, Track([])], [Tempo(0, 400_000)], [Meter(0, 3, 4)], "name", events=((),))
    part = only(song, [track])
    assert part == Song(480, [track], [Tempo(0, 400_000)], [Meter(0, 3, 4)])
    assert (part.name, part.events) == ("name", None)


def test_the_kit_has_nine_drums_and_each_pitch_belongs_to_one():
    pitches = [pitch for drum in PITCHES_READ for pitch in drum]
    assert len(DRUMS) == len(PITCHES_READ) == len(PITCH_OF_DRUM) == 9
    assert len(pitches) == len(set(pitches)) == len(DRUM_OF_PITCH)
    assert [DRUM_OF_PITCH[pitch] for pitch in PITCH_OF_DRUM] == list(range(9))
