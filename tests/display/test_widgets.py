"""Things to play with: each take is what drumlib itself gives for these values, and the live boxes answer."""

import base64
import importlib
import re
from datetime import datetime, timezone

import numpy as np
import pytest

from drumbook.widgets import encoder_layers, humanize_strength, latent_walk, threshold_and_temperature, your_song
from drumlib.display.excerpt import some_bars, steps_of
from drumlib.display.widgets import Knob, Stage, Take
from drumlib.display.widgets import live as live_file
from drumlib.display.widgets.drum_samples import drum_samples
from drumlib.drummer import candidates, quantized
from drumlib.music import Grid, Groove, Note, Song, Tempo, Track, groove_of, song_from_bytes, songbook, without_drums
from drumlib.music.rock_beat import rock_bar

ipywidgets = pytest.importorskip("ipywidgets")

# The file is named after the function in it, which is what the package gives under this name.
song_file = importlib.import_module("drumbook.widgets.your_song")


def groove(step: int, steps: int = 16) -> Groove:
    hits = np.zeros((steps, 9))
    hits[step, 0] = 1
    return Groove(hits, hits * 0.8, hits * 0)


@pytest.fixture
def pages(monkeypatch):
    """What is shown in Outputs, in order: as it stands in them afterwards."""
    shown, show = [], live_file.show

    def watched(output, page):
        show(output, page)
        (only,) = output.outputs  # in place of what was there
        assert output.msg_id == ""  # nothing is captured: see `show`
        shown.append(only["data"]["text/html"])

    for module in (live_file, song_file):
        monkeypatch.setattr(module, "show", watched)
    return shown


# Some bars


def test_some_bars_are_those_bars_and_as_long_as_asked_for():
    song = songbook.song("rock")
    some = some_bars(song, 12, 4)
    assert len(some.bars) == 4 and Grid(some).steps == 64 and not some.drums
    bass, whole = some.parts("bass")[0], song.parts("bass")[0]
    zero, early = song.bars[12].tick, song.ticks_per_beat // 8
    inside = [n for n in whole.notes if zero - early <= n.tick < song.bars[16].tick - early]
    assert [(n.pitch, n.velocity) for n in bass.notes] == [(n.pitch, n.velocity) for n in inside]


def test_a_band_that_rests_in_the_last_bar_still_has_it():
    song = Song(480, (Track((Note(0, 60, 90, 480), Note(5 * 1920, 60, 90, 480)), program=0),))
    assert len(some_bars(song, 0, 3).bars) == 3
    with pytest.raises(ValueError, match="no bars"):
        some_bars(song, 4, 9)


@pytest.mark.parametrize("start, bars", [(-3, 4), (0, 0), (1000, 4), (0, 100_000), (2, -1)])
def test_bars_that_are_not_there_are_refused(start, bars):
    song = songbook.song("rock")
    for ask in (some_bars, steps_of):
        with pytest.raises(ValueError, match="there are no bars|has"):
            ask(song, start, bars)
    with pytest.raises(ValueError, match="bars"):
        threshold_and_temperature(song, bars, start_bar=start)


def test_a_note_just_before_the_last_bar_line_adds_no_bar():
    """On the grid it belongs to the next bar, and there is none."""
    late = Note(4 * 1920 - 30, 40, 90, 20)
    song = Song(480, (Track((Note(0, 40, 90, 1900), Note(3 * 1920, 40, 90, 900), late), 33),))
    some = some_bars(song, 2, 2)
    assert len(song.bars) == 4 and Grid(song).steps == 80 and Grid(some).steps == 32
    assert [note.tick for note in some.tracks[0].notes if note.pitch == 40] == [1920]


def test_some_bars_keep_the_tempo_that_holds_in_them():
    tempos = (Tempo(0, 500_000), Tempo(1920, 400_000), Tempo(3 * 1920, 300_000))
    notes = tuple(Note(i * 480, 60, 90, 480) for i in range(16))
    some = some_bars(Song(480, (Track(notes),), tempos), 2, 2)
    assert some.tempos == (Tempo(0, 400_000), Tempo(1920, 300_000))


# Takes are drumlib's own


@pytest.mark.slow
def test_thresholded_hits_are_those_of_candidates():
    stage = threshold_and_temperature("rock", bars=2)
    song = without_drums(songbook.song("rock"))
    start = next(part.bar for part in songbook.sections("rock") if part.name == "chorus")
    grooves = []
    for i, threshold in enumerate(stage.knobs[0].values):
        grooves.append(stage.takes[i, 0].groove)
        expected = candidates(song, threshold=threshold)[0].groove[steps_of(song, start, 2)]
        assert grooves[-1] == expected
    counts = [int(g.hits.sum()) for g in grooves]
    assert counts == sorted(counts, reverse=True) and len(set(counts)) > 1
    assert str(counts[0]) in stage.takes[0, 0].caption
    assert "a probability of" not in stage.takes[0, 0].caption  # its outputs are probabilities
    take = stage.takes[2, 0]
    assert take.rows[0] == "crash" and take.rows[-1] == "kick"  # in the order of the roll below it
    assert ((take.picture[::-1].T > stage.knobs[0].values[2]) == take.groove.hits).all()


@pytest.mark.slow
def test_sampled_hits_are_those_of_candidates_and_the_network_plays_once_a_temperature(monkeypatch):
    from drumbook.widgets import generation

    calls, play = [], generation.probabilities
    monkeypatch.setattr(generation, "probabilities", lambda *a, **o: calls.append(a) or play(*a, **o))
    stage = threshold_and_temperature("rock", bars=2, start_bar=4, preset="thesis", seed=3)
    assert len(stage.takes) == len(stage.knobs[0].values) * 5
    assert len(calls) == 5  # not one for each take
    song = without_drums(songbook.song("rock"))
    expected = candidates(song, preset="thesis", temperature=1.0, seed=3)[0].groove[64:96]
    assert stage.takes[0, 2].groove == expected == stage.takes[3, 2].groove
    assert stage.takes[0, 1].groove != expected
    assert "exceeds 0.62, a probability of 44%" in stage.takes[stage.knobs[0].values.index(0.62), 0].caption


@pytest.mark.slow
def test_the_walk_is_the_networks_own():
    from drumlib.network.registry import pretrained

    a, b = (groove_of(songbook.song(name))[64:96] for name in ("blues", "disco"))
    stage = latent_walk(a, b, stops=5)
    line = pretrained("groove-vae").interpolate(a.to_array(), b.to_array(), 5)
    for i in range(5):
        assert stage.takes[i, 0].groove == Groove.from_array(line[i])
    for end in (0, 4):  # a cross-fade begins and ends where the line does
        assert (stage.takes[end, 0].groove.hits == stage.takes[end, 1].groove.hits).all()
    both = (line[0] + line[-1])[:, :9] > 0
    assert (stage.takes[2, 1].groove.hits <= both).all()
    with pytest.raises(ValueError, match="32 steps"):
        latent_walk(a[:16], b)
    with pytest.raises(ValueError, match="stops"):
        latent_walk(a, b, stops=1)


@pytest.mark.slow
@pytest.mark.parametrize("readout", ["sample", "median", "spread-matched"])
def test_strength_is_humanizes_amount(readout):
    from drumbook.widgets.humanizing import song_of
    from drumlib.humanize import humanize

    hits = np.tile(rock_bar(), (2, 1))
    beat = quantized(Groove(hits, hits, hits * 0))
    stage = humanize_strength(beat, bpm=100, seed=4)
    which = stage.knobs[1].values.index(readout)
    song = song_of(beat, 100)
    for i, strength in enumerate(stage.knobs[0].values):
        take = stage.takes[i, which].groove
        assert (take.hits == hits).all()
        if strength <= 1:
            own = groove_of(humanize(song, 4, strength, readout), Grid(song))
            assert np.allclose(take.velocities, own.velocities, atol=1.01 / 127)
            assert np.allclose(take.offsets, own.offsets, atol=0.01)
    assert stage.takes[0, which].groove == beat
    # Beyond 1 it is the same change, farther.
    one, farther = (stage.takes[i, which].groove.offsets for i in (4, 6))
    assert np.allclose(farther, np.clip(1.5 * one, -0.5, 0.49), atol=1e-5) and np.abs(one).max() > 0


def test_what_cannot_be_humanized_is_refused():
    nothing = np.zeros((16, 9))
    with pytest.raises(ValueError, match="no drums"):
        humanize_strength(Groove(nothing, nothing, nothing))
    with pytest.raises(ValueError, match="whole bars"):
        humanize_strength(groove(0, 12))
    with pytest.raises(ValueError, match="not both"):
        humanize_strength(groove(0), songbook.song("rock"))


@pytest.mark.slow
def test_layers_are_the_encoders_own():
    from keras import ops

    from drumlib.music import piano_roll
    from drumlib.network.registry import pretrained

    stage = encoder_layers("rock", start_bar=12)
    assert set(stage.stems) == {"piano", "guitar", "bass"}
    bass, bar = stage.knobs[0].values.index("bass"), stage.knobs[1].values.index("bar")
    take = stage.takes[bass, bar]
    roll = piano_roll(songbook.song("rock"), "bass")[12 * 16 : 20 * 16].astype("float32")[None]
    size = np.abs(ops.convert_to_numpy(pretrained("thesis").encoders["bass"].convolve(roll))[0])  # (15, 64)
    assert "15 x 64" in take.caption and take.stem == "bass" and len(take.rows) == 24
    channels = [int(row.split()[1]) for row in take.rows]
    assert set(channels) == set(np.argsort(-size.mean(axis=0), kind="stable")[:24])
    assert np.allclose(take.picture[:, 0], size[0, channels] / size.max(), atol=1e-5)
    assert np.allclose(take.picture[:, :8], take.picture[:, :1])  # a moment lasts eight steps
    loud = size.mean(axis=1) / size.mean(axis=1).max()
    assert np.allclose(take.groove.velocities[::8, 2], np.where(loud >= 0.1, loud, 0)[:4], atol=1e-5)
    with pytest.raises(ValueError, match="eight|8 bars"):
        encoder_layers("rock", start_bar=50)


@pytest.mark.slow
@pytest.mark.parametrize("factory", [threshold_and_temperature, latent_walk, humanize_strength, encoder_layers])
def test_pages_are_small(factory):
    page = factory().html
    assert len(page) < 350_000
    assert "\n\n" not in page  # a blank line would end the HTML in Markdown


# Live


def played(indices: dict) -> Take:
    if indices["step"] == 3:
        raise ValueError("<b>no third</b>")
    return Take(groove(indices["step"]), f"step {indices['step']}, {indices['kind']}")


def a_stage() -> Stage:
    knobs = (Knob("step", "Step", (0, 1, 2, 3)), Knob("kind", "Kind", ("one", "two")))
    return Stage("A stage", knobs, lambda **values: played(values))


def test_a_slider_moves_the_take(pages):
    box = a_stage().live()
    slider, choice, output = box.children
    assert isinstance(slider, ipywidgets.SelectionSlider) and not slider.continuous_update
    assert isinstance(choice, ipywidgets.Dropdown) and isinstance(output, ipywidgets.Output)
    slider.value = 2
    choice.value = 1
    captions = [re.search(r'"captions":\["([^"]*)"\]', page)[1] for page in pages]
    assert captions == ["step 0, one", "step 2, one", "step 2, two"]
    hits = [re.search(r'"hits":\["([^"]*)"\]', page)[1] for page in pages]
    assert hits[0] != hits[1] == hits[2]


def test_an_error_is_said_and_the_box_lives_on(pages):
    slider = a_stage().live().children[0]
    slider.value = 3
    assert "&lt;b&gt;no third" in pages[-1] and "<b>" not in pages[-1]
    slider.value = 1
    assert "drumlib-stage" in pages[-1]


def test_a_take_sounds_with_its_own_stem_only():
    notes = tuple(Note(i * 480, 60, 90, 480) for i in range(4))
    stems = {name: Song(480, (Track(notes, program=program),)) for name, program in (("a", 0), ("b", 33))}
    stage = Stage("Two", (), lambda: Take(groove(0), stem="b"), stems=stems)
    page = stage.take_html()
    assert 'data-stem="b"' in page and 'data-stem="a"' not in page


# Your own song


def midi(name: str = "rock") -> bytes:
    from drumlib.music import song_to_bytes

    return song_to_bytes(songbook.song(name))


def test_both_shapes_of_an_upload_are_read():
    seven = {"a.mid": {"metadata": {"name": "a.mid", "size": 3}, "content": b"abc"}}
    eight = ({"name": "a.mid", "type": "audio/midi", "size": 3, "content": memoryview(b"abc")},)
    uploaded = song_file.uploaded
    assert uploaded(seven) == uploaded(eight) == ("a.mid", b"abc")
    assert uploaded({}) is None and uploaded(()) is None


def linked(page: str) -> bytes:
    return base64.b64decode(re.search(r'href="data:audio/midi;base64,([^"]*)"', page)[1])


@pytest.mark.slow
def test_a_song_comes_back_with_the_drums_that_accompany_gives():
    from drumlib.drummer import accompany

    page = song_file.answer("mine.mid", midi(), preset="thesis", temperature=None, seed=0)
    song = song_from_bytes(midi())
    assert groove_of(song_from_bytes(linked(page))) == groove_of(accompany(song, preset="thesis"))
    assert song_from_bytes(linked(page)).band == song.band
    assert "mine with drums.mid" in page and "drumlib-player" in page


@pytest.mark.slow
def test_what_the_drummer_has_to_say_is_shown():
    from drumlib.music import only, song_to_bytes

    song = songbook.song("rock")
    page = song_file.answer("duo.mid", song_to_bytes(only(song, song.parts("guitar"))), preset="thesis")
    assert "no piano, no bass" in page and "base64" in page


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "empty"),
        (b"<script>alert(1)</script>", "not a MIDI file"),
        (b"MThd\x00\x00\x00\x06\x00\x01\x00\xff\x01\xe0", "cut off"),
        (b"MThd\x00\x00\x00\x06\x00\x02\x00\x01\x01\xe0", "type 2"),
        (b"MThd" + bytes(1_000_001), "MB"),
        (b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk\x00\x00\x00\x04\x00\xff\x2f\x00", "no notes"),
    ],
    ids=["empty", "no midi", "cut off", "type 2", "too large", "no notes"],
)
def test_a_hostile_file_is_refused_in_plain_words(content, reason):
    page = song_file.answer("x.mid", content, preset="thesis")
    assert "That did not work" in page and reason in page
    assert "<script" not in page and "Traceback" not in page and "data:" not in page


@pytest.mark.parametrize(
    "name",
    ['"><script>alert(1)</script>.mid', "../../etc/passwd", "..\\..\\x.mid", "\x00\n.mid", "a" * 500 + ".mid", ""],
)
def test_a_hostile_name_is_harmless(name):
    link = song_file.download_link(b"abc", name)
    assert "<script" not in link
    saved = re.fullmatch(r'<a download="([^"]*)" href="data:audio/midi;base64,YWJj">Download ([^<]*)</a>', link)
    assert saved and saved[1] == saved[2] and len(saved[1]) < 80
    assert not re.search(r"[/\\\x00\n]|\.\.", saved[1]) and saved[1].endswith(" with drums.mid")


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        {"mine.mid": {"metadata": {"name": "mine.mid", "size": 4}, "content": b"MThd"}},
        ({"name": "mine.mid", "type": "", "size": 4, "content": memoryview(b"MThd")},),
    ],
    ids=["ipywidgets 7", "ipywidgets 8"],
)
def test_the_box_survives_a_bad_upload(pages, monkeypatch, value):
    own = song_file.uploaded
    monkeypatch.setattr(song_file, "uploaded", lambda _: own(value))
    parts = parts_of(song_file.upload_box())
    parts["Song"].value = song_file.UPLOADED
    for _ in range(2):
        parts["Play drums to it"].click()
        assert "cut off" in pages[-1] and "drumlib-player" not in pages[-1]


def parts_of(box) -> dict:
    return {child.description: child for child in box.children if hasattr(child, "description")}


@pytest.mark.slow
def test_the_box_plays_at_once_and_again_for_another_song(pages):
    parts = parts_of(song_file.upload_box())
    assert len(pages) == 1 and "drumlib-player" in pages[0] and "rock with drums.mid" in pages[0]
    parts["Song"].value = "bossa"
    assert len(pages) == 2 and "drumlib-player" in pages[1] and "bossa with drums.mid" in pages[1]


@pytest.mark.slow
def test_the_box_hears_of_an_upload(pages):
    parts = parts_of(song_file.upload_box())
    parts["Song"].value = song_file.UPLOADED
    assert "Choose a MIDI file" in pages[-1]
    parts["Song"].value = "rock"
    if ipywidgets.__version__.startswith("8"):
        for start in (b"MThd", b"RIFF"):
            parts["Your MIDI file"].value = (
                {
                    "name": "x.mid",
                    "type": "",
                    "size": 4,
                    "content": memoryview(start),
                    "last_modified": datetime.now(timezone.utc),
                },
            )
            assert parts["Song"].value == song_file.UPLOADED and "That did not work" in pages[-1]
        assert pages[-1] != pages[-2]


@pytest.mark.slow
def test_the_page_has_all_songs_and_says_what_it_cannot():
    thing = your_song()
    assert set(thing.stages) == set(songbook.names())
    name = "swing"
    stage, drummers = thing.stages[name], thing.stages[name].knobs[0].values
    start = next(part.bar for part in songbook.sections(name) if part.name == "chorus")
    for i, drummer in enumerate(drummers):
        whole = song_from_bytes(thing.files[name, drummer])
        assert whole.band == without_drums(songbook.song(name)).band
        heard = groove_of(whole)[steps_of(songbook.song(name), start, 2)]
        assert stage.takes[(i,)].groove == heard
    page = thing.html
    assert "run this page as a notebook" in page and "\n\n" not in page
    assert len(page) < 800_000
    kit = base64.b64encode(drum_samples().mp3).decode("ascii")
    assert page.count(kit) == 1  # the drums' sound is there once, not eight times
