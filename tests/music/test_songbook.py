"""The songs of our own: whole, playable, human, and the same at each call; and the notation they are written in."""

from dataclasses import replace

import numpy as np
import pytest

from drumlib.music import Grid, groove_from_notes, song_to_bytes, songbook
from drumlib.music.kit import CLOSED_HAT, DRUM_OF_PITCH, KICK, RIDE, SNARE
from drumlib.music.song import Meter
from drumlib.music.songbook import arrange, drumming, harmony

RANGES = {"bass": range(28, 56), "guitar": range(40, 85), "piano": range(36, 97)}


@pytest.fixture(scope="module", params=songbook.names())
def name(request):
    return request.param


@pytest.fixture(scope="module")
def song(name):
    return songbook.song(name)


def test_the_book_has_the_eight_styles():
    assert {"rock", "funk", "blues", "bossa", "ballad", "disco", "reggae", "swing"} <= set(songbook.names())
    assert list(songbook.SONGS) == songbook.names()
    titles = [songbook.song(name).name for name in songbook.names()]
    assert all(titles) and len(set(titles)) == len(titles)


@pytest.mark.parametrize("function", [songbook.song, songbook.sections])
def test_an_unknown_song_is_refused_with_the_names_there_are(function):
    with pytest.raises(ValueError, match="no song is called 'polka'.*rock.*swing"):
        function("polka")


def test_songs_differ_in_tempo_and_in_key():
    songs = [songbook.song(name) for name in songbook.names()]
    assert len({song.tempos for song in songs}) == len(songs)
    last_basses = {song.parts("bass")[0].notes[-1].pitch % 12 for song in songs}
    assert len(last_basses) >= 6  # the bass ends on the key note


def test_every_part_is_there(song):
    for family in ("piano", "guitar", "bass", "drums"):
        (track,) = song.parts(family)
        assert len(track.notes) > 100
        assert track.channel == 9 if family == "drums" else track.channel != 9
        assert track.name


def test_length_meter_and_resolution(song):
    assert song.ticks_per_beat == 480
    assert song.meters == (Meter(0, 4, 4),)
    assert 32 <= len(song.bars) <= 64
    assert all(bar.end - bar.tick == 4 * 480 for bar in song.bars)
    assert song.duration >= 60
    assert Grid(song).steps == 16 * len(song.bars)  # nothing rounds over the last bar line


@pytest.mark.slow
def test_the_same_at_each_call(name, song):
    again = songbook.SONGS[name]()
    assert again == song
    assert song_to_bytes(again) == song_to_bytes(song)


def test_another_seed_plays_the_same_hits_otherwise(name, song):
    sheet = songbook.SHEETS[name]
    other = arrange.play(replace(sheet, seed=sheet.seed + 1000))
    assert other != song
    assert len(other.parts("bass")[0].notes) == len(song.parts("bass")[0].notes)


def test_sections_cover_the_song_without_a_gap(name, song):
    sections = songbook.sections(name)
    assert {"verse", "chorus", "bridge"} <= {section.name for section in sections}
    assert [section.bar for section in sections] == list(np.cumsum([0, *[s.bars for s in sections[:-1]]]))
    assert sections[-1].bar + sections[-1].bars == len(song.bars)


def test_drums_and_bass_play_in_every_section_to_the_last_bar(name, song):
    for section in songbook.sections(name):
        first, last = song.bars[section.bar].tick, song.bars[section.bar + section.bars - 1].end
        for family in ("drums", "bass"):
            inside = [note for note in song.parts(family)[0].notes if first <= note.tick < last]
            assert len(inside) >= 2 * section.bars - (8 if family == "bass" else 0), (section, family)
    assert any(note.tick >= song.bars[-1].tick - 60 for note in song.parts("drums")[0].notes)


def test_choruses_are_louder_than_the_first_verse(name, song):
    def power(section):
        first, last = song.bars[section.bar].tick, song.bars[section.bar + section.bars - 1].end
        notes = [note for track in song.tracks for note in track.notes if first <= note.tick < last]
        return sum((note.velocity / 127) ** 2 for note in notes) / section.bars

    sections = songbook.sections(name)
    verse = next(power(section) for section in sections if section.name == "verse")
    assert all(power(section) > verse for section in sections if section.name == "chorus")


def test_pitches_are_in_range(song):
    for family, pitches in RANGES.items():
        for track in song.parts(family):
            assert {note.pitch for note in track.notes} <= set(pitches), family
    assert {note.pitch for note in song.drums[0].notes} <= set(DRUM_OF_PITCH)


def test_no_note_sounds_over_itself(song):
    for track in song.tracks:
        ends = {}
        for note in track.notes:
            assert note.tick >= ends.get(note.pitch, 0), (track.name, note)
            ends[note.pitch] = note.tick + note.length
            assert note.length >= 1 and 1 <= note.velocity <= 127


def test_the_drummer_is_human(song):
    """Loudness and timing vary, and no more than a hand would."""
    groove = groove_from_notes(song.drums[0].notes, Grid(song))
    played = groove.hits > 0
    on_grid = np.arange(16) % 4 == 0
    beats = played & np.tile(on_grid, len(song.bars))[:, None]  # between the beats swing is meant to be off the grid
    assert 0.01 < groove.offsets[beats].std() < 0.15
    assert np.abs(groove.offsets[beats]).max() < 0.4
    assert np.abs(groove.offsets[played]).max() < 0.5
    assert groove.velocities[played].std() > 0.08
    assert (groove.velocities[played] > 0.999).mean() < 0.05  # hardly any stroke is cut off at 127


def test_no_stroke_changes_its_cell_by_chance(name, song):
    """The reference hits are those of the text: a stroke's lateness never carries it to the next sixteenth."""
    hits = groove_from_notes(song.drums[0].notes, Grid(song)).hits
    sheet = songbook.SHEETS[name]
    clock = replace(sheet, feel=arrange.Feel(spread=0, swing=sheet.feel.swing))
    still = arrange.play(clock)
    expected = groove_from_notes(still.drums[0].notes, Grid(still)).hits
    # the ghosts that are played every other time are drawn anew; kick and cymbals have none
    for drum in (KICK, CLOSED_HAT, RIDE):
        assert (hits[:, drum] == expected[:, drum]).all()


def test_the_backbeat_of_a_ballad_is_late_and_that_of_rock_hardly():
    def lateness(name):
        song = songbook.song(name)
        groove = groove_from_notes(song.drums[0].notes, Grid(song))
        loud = (groove.hits[:, SNARE] > 0) & (groove.velocities[:, SNARE] > 0.6)
        milliseconds = 60_000 / song.tempos[0].bpm / 4
        beats = loud & np.tile(np.arange(16) % 8 == 4, len(song.bars))
        return groove.offsets[beats, SNARE].mean() * milliseconds

    assert 14 < lateness("ballad") < 22
    assert 6 < lateness("funk") < 12
    assert 0 < lateness("rock") < 6


def test_swing_is_in_triplets():
    """The swung eighth is two thirds through the beat: cell 3 of 4, a third of a step early."""
    song = songbook.song("swing")
    groove = groove_from_notes(song.drums[0].notes, Grid(song))
    swung = np.tile(np.arange(16) % 4 == 3, len(song.bars)) & (groove.hits[:, RIDE] > 0)
    assert swung.sum() > 50
    assert groove.offsets[swung, RIDE].mean() == pytest.approx(-1 / 3, abs=0.06)


# The notation


@pytest.mark.parametrize(
    ("symbol", "root", "pitch_classes", "bass"),
    [
        ("C", 0, {0, 4, 7}, 0),
        ("F#m7", 6, {6, 9, 1, 4}, 6),
        ("Bb13", 10, {10, 2, 5, 8, 0, 7}, 10),
        ("Cm", 0, {0, 3, 7}, 0),
        ("D/F#", 2, {2, 6, 9}, 6),
        ("Cb", 11, {11, 3, 6}, 11),
    ],
)
def test_chord_symbols(symbol, root, pitch_classes, bass):
    chord = harmony.chord(symbol)
    assert (chord.root, chord.bass) == (root, bass)
    assert {(chord.root + interval) % 12 for interval in chord.intervals} == pitch_classes


@pytest.mark.parametrize("text", ["H", "Cmaj", "c", "", "C/"])
def test_what_is_no_chord_is_refused(text):
    with pytest.raises(ValueError, match="is not a chord"):
        harmony.chord(text)


def test_voicings_move_little_and_stay_in_range():
    before = None
    for symbol in ["Dm9", "G13", "Cmaj7", "A7b9", "Dm9", "G13", "Cmaj7"]:
        now = harmony.voicing(harmony.chord(symbol), before, 53, 74)
        assert 53 <= min(now) and max(now) <= 74 and len(now) == 4
        if before:
            assert abs(now[-1] - before[-1]) <= 4
        before = now
    with pytest.raises(ValueError, match="no room"):
        harmony.voicing(harmony.chord("C"), None, 60, 62)


def test_a_tune_has_bars_of_the_right_length():
    notes = arrange.read_tune("C4:4 r:4 E4+G4:8! | ~:2 A4:14")
    assert notes == [(0, 0.25, (60,), False), (0.5, 0.625, (64, 67), True), (1.125, 0.875, (69,), False)]
    with pytest.raises(ValueError, match="bar 2 of the tune has 12 steps, not 16"):
        arrange.read_tune("C4:16 | D4:12")
    with pytest.raises(ValueError, match="is not a note"):
        arrange.read_tune("H4:16")


def test_drum_text_is_read_and_checked():
    assert drumming.read_pattern("kick x...|%") == {"kick": ["x...", "x..."]}
    with pytest.raises(ValueError, match="no drum is called 'cowbell'"):
        drumming.read_pattern("cowbell x...")
    with pytest.raises(ValueError, match="not hits"):
        drumming.read_pattern("kick xy..")
    with pytest.raises(ValueError, match="16 signs, or 12"):
        drumming.read_pattern("kick x....")


def test_swung_sixteenths_keep_the_beats_and_delay_what_is_between():
    assert [drumming.swung(i / 16, 0.5) for i in range(16)] == [i / 16 for i in range(16)]
    assert drumming.swung(1 / 16, 0.6) == pytest.approx(0.6 / 8)
    assert drumming.swung(2 / 16, 0.6) == 2 / 16


def test_the_bass_leads_into_the_next_chord():
    sheet = arrange.Sheet(
        "two bars",
        bpm=100,
        seed=1,
        players={"bass": arrange.Player("Bass", 33, spread=0)},
        feel=arrange.Feel(spread=0),
        form=[arrange.part("verse", "A | D", "kick x...", bass=arrange.bass("1--3--5-8-....u-"))],
    )
    first_bar = [note.pitch for note in arrange.play(sheet).parts("bass")[0].notes if note.tick < 1900]
    assert first_bar == [33, 37, 40, 45, 37]  # A, C#, E, A, and the C# below D


def test_a_change_to_the_band_leaves_the_drums_as_they_were():
    sheet = songbook.SHEETS["rock"]
    without = replace(sheet, players={"bass": sheet.players["bass"]})
    assert arrange.play(without).drums[0] == songbook.song("rock").drums[0]
