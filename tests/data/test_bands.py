"""Bands composed for drummers: they listen, they are in time and in key, and no two are alike."""

import json
import math
import time
from random import Random

import numpy as np
import pytest

from drumbook.bands.__main__ import main
from drumbook.bands.compose import DRUM_OF_ANY_PITCH, REGISTERS, compose, plan, share_together
from drumbook.bands.drum_analysis import TURN, analyse_drums
from drumbook.bands.styles import POP, STYLES, style_of
from drumlib.data.corpus.reader import Corpus
from drumlib.data.grid_song import grid_song
from drumlib.data.groove_dataset import COLUMNS, performances
from drumlib.music import (
    DRUM_OF_PITCH,
    FAMILIES,
    PITCH_OF_DRUM,
    STEPS_PER_BAR,
    Grid,
    Meter,
    Note,
    Song,
    Tempo,
    Track,
    groove_of,
    song_from_bytes,
    song_to_bytes,
)
from drumlib.music.grid import merge_notes
from drumlib.music.kit import CRASH, KICK
from drumlib.music.songbook.arrange import read_chords
from drumlib.music.songbook.harmony import Chord, voicing

TICKS = 480
STEP = TICKS // 4
STRAIGHT, SYNCOPATED = (0, 8, 10), (0, 3, 6, 11, 14)
GENRES = ["rock", "funk/fast", "jazz/swing", "latin/brazilian-samba", "reggae", "hiphop", "soul", "country", "afrobeat"]


def drummer(
    bars=32,
    kicks=STRAIGHT,
    crashes=(),
    fills=(),
    late=0.0,
    swing=0.0,
    spread=0.02,
    bpm=110,
    loud=90,
    ticks=TICKS,
    meter=(4, 4),
) -> Song:
    """A drummer: kick, backbeat and hats, with crashes on the first beat of some bars and tom fills in others.

    ``late`` and ``spread`` are in steps; ``swing`` in steps too, for the hats between the beats, which then are on the
    fourth sixteenth and so much early.
    """
    chance = Random(f"{kicks} {late} {swing}")
    strokes = []  # step, pitch, velocity
    for bar in range(bars):
        here = bar * STEPS_PER_BAR
        strokes += [(here + step, 36, loud) for step in kicks]
        strokes += [(here + step, 38, loud + 10) for step in (4, 12) if not (bar in fills and step == 12)]
        strokes += [(here + step, 22, loud - 30) for step in (0, 4, 8, 12)]
        between = (3, 7, 11, 15) if swing else (2, 6, 10, 14)
        strokes += [(here + step - swing, 22, loud - 40) for step in between]
        strokes += [(here, 49, loud + 20)] if bar in crashes else []
        strokes += [(here + 8 + i, (48, 45, 58)[i // 3], loud) for i in range(8)] if bar in fills else []
    notes = [
        Note(max(0, round((step + late + chance.gauss(0, spread)) * ticks / 4)), pitch, velocity, max(1, ticks // 8))
        for step, pitch, velocity in strokes
    ]
    return Song(ticks, [Track(notes, is_drum=True)], [Tempo(0, round(60e6 / bpm))], [Meter(0, *meter)], "drummer")


def band_onsets(song: Song, family: str) -> set[int]:
    """The steps on which a family plays."""
    return set(Grid(song).locate(merge_notes(song.parts(family)).ticks)[0].tolist())


def test_the_same_seed_gives_the_same_bytes():
    assert song_to_bytes(compose(drummer(), "funk", 7)) == song_to_bytes(compose(drummer(), "funk", 7))


@pytest.mark.slow
def test_no_two_seeds_give_the_same_band():
    songs = [compose(drummer(), "funk", seed) for seed in range(20)]
    for family in FAMILIES:
        assert len({song.parts(family)[0].notes for song in songs}) == 20
        assert len({song.parts(family)[0].program for song in songs}) > 1
    plans = [plan(drummer(), "funk", seed) for seed in range(40)]
    assert len({each.harmony.key for each in plans}) > 6
    assert len({each.harmony.chords for each in plans}) > 20


def test_one_seed_does_not_give_all_performances_the_same_key():
    assert len({plan(drummer(bars=bars), "rock", 1).harmony.key for bars in range(4, 30)}) > 6


def test_the_drummers_own_strokes_stay_as_they_are():
    drums = drummer(fills=[7, 15], crashes=[8, 16])
    song = compose(drums, "rock", 1)
    (before,), (after,) = drums.drums, song.drums
    assert after.channel == 9 and song.tempos == drums.tempos and song.meters == drums.meters
    rows = [(note.tick, PITCH_OF_DRUM[DRUM_OF_ANY_PITCH[note.pitch]], *note[2:]) for note in before.notes]
    assert sorted(rows) == list(after.notes)
    assert {22, 58} <= {note.pitch for note in before.notes}
    assert {note.pitch for note in after.notes} <= set(PITCH_OF_DRUM)
    assert groove_of(song) == groove_of(drums, drum_of_pitch=DRUM_OF_ANY_PITCH)


def test_what_is_no_drum_of_the_kit_stays_too():
    drums = drummer()
    cowbell = Note(960, 56, 80, 60)
    song = compose(Song(TICKS, [*drums.tracks, Track([cowbell], is_drum=True)]), "rock", 1)
    assert cowbell in song.drums[0].notes


def test_another_map_of_pitches_may_be_used():
    """In General MIDI, 58 is a vibraslap."""
    song = compose(drummer(fills=[3]), "rock", 1, drum_of_pitch=DRUM_OF_PITCH)
    assert 58 in {note.pitch for note in song.drums[0].notes}


def test_what_else_plays_is_left_out():
    drums = drummer()
    flute = Track([Note(0, 72, 90, 480)], program=73, channel=5)
    assert compose(Song(TICKS, [flute, *drums.tracks], drums.tempos), "rock", 1) == compose(drums, "rock", 1)


@pytest.mark.parametrize("style", [*GENRES, "", "polka", "ROCK", "rock/\ud800"])
def test_every_style_has_a_band_of_three_in_their_ranges(style):
    for seed in range(6):
        song = compose(drummer(fills=[7, 20], crashes=[8, 21]), style, seed)
        assert [track.family for track in song.tracks] == [*FAMILIES, "drums"]
        for family, low, high in (("piano", 48, 88), ("guitar", 40, 84), ("bass", 28, 55)):
            notes = song.parts(family)[0].notes
            assert low <= notes.pitches.min() and notes.pitches.max() <= high
            assert 20 <= notes.velocities.min() and notes.velocities.max() <= 112
        bass = song.parts("bass")[0].notes
        assert len(set(bass.ticks.tolist())) == len(bass), "one note at a time"


@pytest.mark.parametrize("style", GENRES)
def test_no_note_runs_into_the_next_or_over_the_end(style):
    drums = drummer(bars=20, crashes=[8])
    for seed in range(4):
        song = compose(drums, style, seed)
        assert song.bars == drums.bars
        for track in song.band:
            for pitch in set(track.notes.pitches.tolist()):
                notes = track.notes.array[track.notes.pitches == pitch]
                assert (notes[:-1, 0] + notes[:-1, 3] <= notes[1:, 0]).all()
            assert (track.notes.ticks + track.notes.lengths).max() <= drums.bars[-1].end


@pytest.mark.parametrize("style", GENRES)
def test_the_band_plays_in_key(style):
    """Chord notes and the scale's; only the bass may step outside, on its way to the next chord."""
    for seed in range(8):
        drums = drummer()
        song, agreed = compose(drums, style, seed), plan(drums, style, seed)
        scale = {(white + agreed.harmony.key) % 12 for white in (0, 2, 4, 5, 7, 9, 11)}
        for track in song.band:
            inside = []
            steps, _ = Grid(song).locate(track.notes.ticks)
            for step, pitch in zip(steps.tolist(), track.notes.pitches.tolist(), strict=True):
                chord = agreed.harmony.chords[agreed.harmony.slot(step)]
                own = {(chord.root + interval) % 12 for interval in chord.intervals} | {chord.bass}
                inside.append(pitch % 12 in (scale | own))
            assert np.mean(inside) == 1 if track.family != "bass" else np.mean(inside) > 0.8


def test_voices_move_by_small_steps():
    """From chord to chord, all voices together move 3.4 semitones; put down afresh each time, they would move 4.3."""
    moves = []
    for seed in range(12):
        song = compose(drummer(), "soul", seed)
        for track in song.parts("piano") + song.parts("guitar"):
            by_step = {}
            steps = Grid(song).locate(track.notes.ticks)[0].tolist()
            for step, pitch in zip(steps, track.notes.pitches.tolist(), strict=True):
                by_step.setdefault(step, []).append(pitch)
            chords = [sorted(pitches) for pitches in by_step.values() if len(pitches) >= 3]
            for before, after in zip(chords, chords[1:], strict=False):
                if before != after:
                    moves.append(sum(min(abs(new - old) for old in before) for new in after))
    assert len(moves) > 200
    assert np.mean(moves) < 3.9


def test_every_chord_can_be_laid_out_in_every_register():
    texts = {text for manner in STYLES.values() for text in (*manner.verses, *manner.choruses, *manner.home)}
    chords = {chord for text in texts for bar in read_chords(text) for chord in bar}
    for chord in chords:
        for key in range(12):
            moved = Chord((chord.root + key) % 12, chord.intervals, (chord.bass + key) % 12)
            for register, _ in (*REGISTERS["piano"], *REGISTERS["guitar"]):
                for size in (3, 4):
                    notes = voicing.__wrapped__(moved, None, *register, size)
                    assert len(set(notes)) == len(notes) >= min(3, size)


@pytest.mark.slow
def test_the_bass_leans_on_the_kick_and_on_no_other():
    own, other = [], []
    for style in GENRES:
        for seed in range(4):
            straight = compose(drummer(kicks=STRAIGHT), style, seed)
            syncopated = compose(drummer(kicks=SYNCOPATED), style, seed)
            own += [share_together(straight, "bass", KICK), share_together(syncopated, "bass", KICK)]
            other += [
                share_together(straight, "bass", KICK, syncopated),
                share_together(syncopated, "bass", KICK, straight),
            ]
    assert np.mean(own) > 0.6
    assert np.mean(other) < 0.45 < np.mean(own) - 0.15
    assert np.mean(own) < 0.95, "it is a tendency, not a rule"


@pytest.mark.parametrize("style", GENRES)
def test_the_bass_says_which_chord_it_is(style):
    """Its first note in a new chord is the chord's root, or what stands below the stroke, as in C/E."""
    drums = drummer()
    for seed in range(4):
        bass, harmony = compose(drums, style, seed).parts("bass")[0].notes, plan(drums, style, seed).harmony
        steps, before = Grid(drums).locate(bass.ticks)[0].tolist(), None
        for step, pitch in zip(steps, bass.pitches.tolist(), strict=True):
            chord = harmony.chords[harmony.slot(step)]
            assert chord == before or pitch % 12 == chord.bass
            before = chord


def test_what_a_share_together_is():
    bass = Track([Note(step * STEP, 40, 90, 60) for step in (0, 4, 8, 13)], program=33)
    drums = Track([Note(step * STEP + 20, 36, 90, 60) for step in (0, 8, 12)], is_drum=True)
    song = Song(TICKS, [bass, drums])
    assert share_together(song, "bass", KICK) == 0.5
    assert share_together(song, "bass", CRASH) == 0
    assert share_together(song, "bass", KICK, drummer(kicks=(4,))) == 0.25
    assert math.isnan(share_together(song, "bass", KICK, Song(TICKS, [])))
    assert math.isnan(share_together(song, "piano", KICK))


@pytest.mark.parametrize("mark", ["crashes", "fills"])
@pytest.mark.parametrize("style", ["rock", "funk", "jazz", "latin"])
def test_chords_turn_over_where_the_drummer_marks_a_bar_line(style, mark):
    """The marks are at odd places, where no habit of four or eight bars would put them."""
    marked = [5, 7, 12, 23, 30, 33]
    drums = drummer(bars=36, **{mark: marked if mark == "crashes" else [bar - 1 for bar in marked]})
    at, elsewhere, close = [], [], []
    for seed in range(40):
        chords = plan(drums, style, seed).harmony.chords
        for bar in range(1, 35):
            (at if bar in marked else elsewhere).append(chords[2 * bar] != chords[2 * bar - 1])
            close += [chords[2 * bar] != chords[2 * bar - 1]] if bar in (7, 33) else []
    assert np.mean(at) > 0.85 and np.mean(close) > 0.75  # the next mark may be too near for a new section
    assert np.mean(elsewhere) < np.mean(at) - 0.2


def test_the_drummers_marks_are_heard():
    heard = analyse_drums(drummer(bars=36, crashes=[5, 12], fills=[22, 29]), DRUM_OF_ANY_PITCH)
    assert np.flatnonzero(heard.turns >= TURN).tolist() == [5, 12, 23, 30]
    assert [section.bar for section in heard.sections if section.bar in (5, 12, 23, 30)]
    assert sum(section.bars for section in heard.sections) == heard.bars == 36


def test_loud_sections_are_choruses():
    quiet, loud = drummer(bars=8, loud=60), drummer(bars=8, loud=100, crashes=[0])
    notes = [*quiet.drums[0].notes, *(n._replace(tick=n.tick + 8 * 16 * STEP) for n in loud.drums[0].notes)]
    heard = analyse_drums(Song(TICKS, [Track(notes, is_drum=True)]), DRUM_OF_ANY_PITCH)
    assert [(section.bar, section.chorus) for section in heard.sections] == [(0, False), (8, True)]


def test_everybody_strikes_with_a_crash():
    together_, apart = [], []
    for seed in range(20):
        song = compose(drummer(crashes=[8, 16, 24]), "funk", seed)
        for family in FAMILIES:
            onsets = band_onsets(song, family)
            if not onsets & set(range(8 * 16, 25 * 16)):
                continue
            together_ += [bar * 16 in onsets for bar in (8, 16, 24)]
            apart += [bar * 16 in onsets for bar in (7, 13, 21)]
    assert np.mean(together_) > 0.8
    assert np.mean(together_) > np.mean(apart) + 0.1


def test_guitar_and_piano_leave_room_for_a_fill():
    fills, onsets = [7, 15, 23], {True: 0, False: 0}
    for seed in range(30):
        song = compose(drummer(fills=fills), "pop", seed)
        for family in ("guitar", "piano"):
            for step in band_onsets(song, family):
                if step % 16 >= 8 and step // 16 < 24:
                    onsets[step // 16 in fills] += 1
    assert onsets[True] / 3 < 0.8 * onsets[False] / 21


@pytest.mark.parametrize("late", [-0.3, 0.0, 0.3])
def test_the_band_is_as_late_as_the_drummer(late):
    for seed in range(3):
        song = compose(drummer(late=late), "pop", seed)
        for family in FAMILIES:
            ticks = merge_notes(song.parts(family)).ticks
            _, offsets = Grid(song).locate(ticks[ticks > TICKS])
            assert np.mean(offsets) == pytest.approx(late, abs=0.15)


def test_the_band_follows_a_drummer_who_drifts():
    early, late = drummer(bars=16, late=-0.3), drummer(bars=16, late=0.3)
    notes = [*early.drums[0].notes, *(n._replace(tick=n.tick + 16 * 16 * STEP) for n in late.drums[0].notes)]
    drums = Song(TICKS, [Track(notes, is_drum=True)])
    song = compose(drums, "rock", 3)
    steps, offsets = Grid(song).locate(merge_notes(song.band).ticks)
    assert offsets[(steps > 16) & (steps < 15 * 16)].mean() < -0.2
    assert offsets[(steps > 17 * 16) & (steps < 31 * 16)].mean() > 0.2
    pocket = analyse_drums(drums, DRUM_OF_ANY_PITCH).pocket  # where nothing is struck to lean on, too
    assert (pocket[16 : 15 * 16] < -0.15).all() and (pocket[17 * 16 :] > 0.15).all()


def test_the_band_swings_with_a_drummer_who_swings():
    """A triplet's third lies a third of a step before the fourth sixteenth."""
    song = compose(drummer(kicks=(0, 8), swing=1 / 3), "jazz", 2)
    steps, offsets = Grid(song).locate(merge_notes(song.band).ticks)
    fourths = steps % 4 == 3
    assert fourths.sum() > 20 and (steps % 4 == 2).sum() < 0.1 * fourths.sum()
    assert offsets[fourths].mean() == pytest.approx(-1 / 3, abs=0.1)


def test_the_band_is_no_machine():
    song = compose(drummer(spread=0.0), "rock", 1)
    for family in FAMILIES:
        _, offsets = Grid(song).locate(merge_notes(song.parts(family)).ticks)
        assert 0.01 < np.std(offsets) < 0.15
        assert np.std(merge_notes(song.parts(family)).velocities) > 2


def test_a_part_rests_now_and_then_but_most_windows_are_whole():
    rested, starts = 0, 0
    for seed in range(30):
        drums = drummer(bars=40, crashes=[8, 16, 24, 32])
        rested += any(None in roles for roles in plan(drums, GENRES[seed % 9], seed).roles.values())
        starts += len(grid_song(compose(drums, GENRES[seed % 9], seed)).starts)
    assert 5 <= rested <= 25
    assert starts > 0.75 * 30 * 17  # 40 bars have 17 windows


def test_the_band_ends_with_the_drummer():
    drums = drummer(bars=8)
    end = [Note(8 * 16 * STEP, pitch, 110, 60) for pitch in (36, 49)]  # one stroke in the ninth bar
    song = compose(Song(TICKS, [Track([*drums.drums[0].notes, *end], is_drum=True)]), "rock", 1)
    onsets = set().union(*(band_onsets(song, family) for family in FAMILIES))
    assert max(onsets) == 8 * 16


@pytest.mark.parametrize(
    ("song", "reason"),
    [
        (Song(TICKS, []), "it has no drums"),
        (Song(TICKS, [Track([Note(0, 60, 90, 480)])]), "it has no drums"),
        (Song(TICKS, [Track([Note(i * 480, 56, 90, 60) for i in range(99)], is_drum=True)]), "it has no drums"),
        (drummer(bars=1), "drummer: 1 bar of drums; a band needs 4"),
        (drummer(bars=3), "3 bars"),
        (drummer(meter=(3, 4)), "not in 4/4"),
        (drummer(meter=(6, 8)), "not in 4/4"),
        (
            Song(TICKS, drummer().tracks, meters=[Meter(0, 4, 4), Meter(16 * 16 * STEP, 7, 8)]),
            "not in 4/4",
        ),
    ],
)
def test_what_no_band_can_play_to_is_refused(song, reason):
    for ask in (compose, plan):
        with pytest.raises(ValueError, match=reason):
            ask(song, "rock", 1)


@pytest.mark.parametrize("ticks", [1, 2, 3, 24, 32_767])
def test_any_clock_will_do(ticks):
    drums = drummer(ticks=ticks, bars=8)
    song = compose(drums, "rock", 1)
    assert len(merge_notes(song.drums)) == len(merge_notes(drums.drums))
    assert all(len(track.notes) for track in song.band)


@pytest.mark.parametrize("microseconds", [1, 5_000, 16_777_215])
def test_any_tempo_will_do(microseconds):
    drums = drummer()
    song = compose(Song(TICKS, drums.tracks, [Tempo(0, microseconds), Tempo(9_000, 500_000)]), "funk", 1)
    assert all(len(track.notes) for track in song.band)


def test_two_strokes_an_hour_apart_are_a_performance():
    strokes = [Note(0, 36, 90, 60), Note(9_000 * TICKS, 38, 1, 60)]
    begin = time.perf_counter()
    song = compose(Song(TICKS, [Track(strokes, is_drum=True)]), "jazz", 1)
    assert len(song.bars) == 2251 and time.perf_counter() - begin < 5


def test_a_song_survives_being_written():
    song = compose(drummer(fills=[7], crashes=[8]), "soul", 5)
    again = song_from_bytes(song_to_bytes(song))
    assert again.tracks == song.tracks and again.tempos == song.tempos


def test_a_song_is_composed_in_no_time():
    drums, times = drummer(bars=64, fills=range(7, 64, 8)), []
    for seed in range(5):
        begin = time.perf_counter()
        compose(drums, "funk", seed)
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.05


def test_which_word_of_a_style_decides():
    assert style_of("latin/brazilian-samba") is STYLES["samba"]
    assert style_of("jazz/funk") is STYLES["funk"]
    assert style_of("Rock") is STYLES["rock"]
    assert style_of("soul/groove3") is STYLES["soul"]
    assert style_of("polka") is style_of("") is POP


def test_the_band_does_not_drown_the_drummer():
    pytest.importorskip("midirenderer")
    from drumlib.display.sound import render_stems

    for style, loud in (("rock", 100), ("jazz", 60)):
        stems = render_stems(compose(drummer(bars=8, loud=loud, bpm=160), style, 1), 0, 4)
        power = {name: float(np.mean(audio**2)) for name, audio in stems.items()}
        assert power["band"] > 1e-5 and power["drums"] > 1e-5, "not silent"
        assert np.abs(sum(stems.values())).max() < 1, "not clipped"
        assert abs(10 * math.log10(power["band"] / power["drums"])) < 10


def performed(folder, split: str, name: str, song: Song) -> str:
    """Write a performance into a small Groove MIDI Dataset; its line of info.csv."""
    (folder / f"{name}.mid").write_bytes(song_to_bytes(song))
    return f"drummer1,drummer1/{name},rock,110,beat,4-4,{name}.mid,{split}\n"


def test_a_command_builds_a_corpus_of_bands(tmp_path, capsys):
    groove, out = tmp_path / "groove", tmp_path / "corpus"
    groove.mkdir()
    rows = [
        performed(groove, "train", "long", drummer(bars=24)),
        performed(groove, "test", "other", drummer(bars=16, kicks=SYNCOPATED)),
        performed(groove, "train", "short", drummer(bars=6)),
        performed(groove, "train", "very short", drummer(bars=2)),
    ]
    (groove / "info.csv").write_text(",".join(COLUMNS) + "\n" + "".join(rows))
    words = [str(groove), "-o", str(out), "--variants", "2", "--seed", "3", "--workers", "0", "--shard-songs", "3"]
    assert main(words) == 0
    assert "4 songs of 8" in capsys.readouterr().out
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["command"].startswith("python -m drumbook.bands GROOVE -o CORPUS --variants 2 ")
    assert manifest["counts"]["songs_left_out"] == {
        "shorter than 8 bars": 2,
        "no band can be composed to it": 2,
    }
    corpus = Corpus(out)
    assert sorted(corpus.splits) == ["test", "test", "train", "train"]
    composed = compose(drummer(bars=24), "rock", seed=3 * 1_000_003 + 1)
    assert any(np.array_equal(song.drums, grid_song(composed).drums) for song in corpus)


def test_a_command_that_cannot_build_says_why(tmp_path, capsys):
    assert main([str(tmp_path), "-o", str(tmp_path / "corpus")]) == 1
    assert "no info.csv here" in capsys.readouterr().err
    assert main([str(tmp_path), "-o", str(tmp_path / "corpus"), "--variants", "0"]) == 1
    assert "at least one band" in capsys.readouterr().err
    assert not (tmp_path / "corpus").exists()


def test_bands_for_real_drummers(groove_data):
    played = performances(groove_data, split="test", beat_type="beat", time_signature="4-4")
    songs, starts, possible = [], 0, 0
    for seed, one in enumerate(played[::4]):
        drums = one.song()
        if len(drums.bars) < 8:
            continue
        song = compose(drums, one.style, seed)
        assert np.array_equal(merge_notes(song.drums).array[:, 0], merge_notes(drums.drums).array[:, 0])
        assert sorted(merge_notes(song.drums).velocities) == sorted(merge_notes(drums.drums).velocities)
        starts += len(grid_song(song).starts)
        possible += (Grid(song).steps - 128) // 32 + 1
        songs.append(song)
    assert len(songs) > 10 and starts > 0.75 * possible
    own = np.mean([share_together(song, "bass", KICK) for song in songs])
    other = np.mean([share_together(song, "bass", KICK, songs[i - 3]) for i, song in enumerate(songs)])
    assert own > 0.6 and other < own - 0.2
