import html as markup
import io
import json
import re

import numpy as np
import pytest
import soundfile

from drumbook.widgets import threshold_and_temperature
from drumlib.display import sound
from drumlib.display.widgets import Knob, Stage, Take
from drumlib.display.widgets.drum_samples import LOUD_SNARE, drum_samples
from drumlib.display.widgets.stage_page import LEVELS, packed_hits, packed_picture, song_clock
from drumlib.music import DRUMS, PITCH_OF_DRUM, Groove, Meter, Note, Song, Tempo, Track
from drumlib.music.kit import KICK, SNARE
from drumlib.music.rock_beat import rock_bar

NASTY = "</script><script>alert(1)</script><!-- \"quoted\" 'too' & {{js}} $x$ <img src=x onerror=alert(1)>"


def beat(velocity: float = 0.8, bars: int = 1) -> Groove:
    hits = np.tile(rock_bar(), (bars, 1))
    return Groove(hits, hits * velocity, hits * 0)


def loudness_stage(title: str = "Loudness", **options) -> Stage:
    knobs = [Knob("loud", "How loud", (0.25, 0.5, 1.0), start=1), Knob("drum", "Drums", ("all", "none"))]

    def play(loud, drum):
        return Take(beat(loud) if drum == "all" else Groove(*np.zeros((3, 16, 9))), f"at {loud}")

    return Stage(title, knobs, play, **options)


def data_of(html: str) -> dict:
    return json.loads(re.search(r'class="dls-data">(.*?)</script>', html, re.DOTALL)[1])


def test_every_setting_has_its_own_take():
    stage = loudness_stage()
    assert list(stage.takes) == [(i, j) for i in range(3) for j in range(2)]
    assert stage.takes[2, 0].groove == beat(1.0) and stage.takes[0, 1].groove.hits.sum() == 0
    data = data_of(stage.html)
    assert len(data["takes"]) == 6 and data["knobs"] == [3, 2]
    assert data["captions"] == ["at 0.25", "at 0.5", "at 1.0"]
    assert len(data["hits"]) == 4, "the empty groove is there once"
    assert [take[0] for take in data["takes"]] == [0, 1, 2, 1, 3, 1]


@pytest.mark.slow
def test_bars_are_numbered_as_in_the_song():
    stage = loudness_stage(start_bar=12)
    for page in (stage.html, stage.take_html(0, 0)):
        assert data_of(page)["number"] == 13 and "1 bar from bar 13, 120 bpm" in page
    assert data_of(loudness_stage().html)["number"] == 1 and "from bar" not in loudness_stage().html
    stage = threshold_and_temperature("rock", bars=2)
    assert data_of(stage.html)["number"] == stage.start_bar + 1 > 1


def test_takes_are_computed_once_and_only_when_asked_for():
    asked = []

    def play(x):
        asked.append(x)
        return Take(beat())

    stage = Stage("Counted", [Knob("x", "X", (1, 2, 3))], play)
    assert asked == []
    assert stage.html and stage.takes and stage.html
    assert asked == [1, 2, 3]


def test_a_stage_without_knobs_has_one_take():
    stage = Stage("One", [], lambda: Take(beat()))
    assert list(stage.takes) == [()] and 'class="dls-knob"' not in stage.html


def test_the_page_is_the_same_each_time():
    assert loudness_stage().html == loudness_stage().html
    assert loudness_stage().html != loudness_stage(bpm=121).html


def test_a_stage_is_light():
    assert len(loudness_stage().html) < 200_000
    rng = np.random.default_rng(0)
    hits = rng.random((128, 9)) < 0.3
    grooves = [Groove(hits, hits * rng.random(hits.shape), hits * rng.uniform(-0.5, 0.49, hits.shape)) for _ in "123"]
    knob = Knob("i", "Number", (0, 1, 2))
    many = len(Stage("Light", [knob], lambda i: Take(grooves[i])).html)
    one = len(Stage("Light", [knob], lambda i: Take(grooves[0])).html)
    assert (many - one) / 2 < 6 * hits.sum() + 100, "a take costs more than six characters a hit"


# What is refused


def test_too_many_settings_are_refused():
    knobs = [Knob("a", "A", tuple(range(16))), Knob("b", "B", tuple(range(8)))]
    assert Stage("Full", knobs, lambda a, b: Take(beat())).knobs[0].values[-1] == 15
    with pytest.raises(ValueError, match="144 settings.*128"):
        Stage("Too full", [Knob("a", "A", tuple(range(18))), knobs[1]], lambda a, b: Take(beat()))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"values": ()}, "no values"),
        ({"values": (1, 2), "start": 2}, "0 to 1, not 2"),
        ({"values": (1, 2), "start": -1}, "0 to 1, not -1"),
        ({"values": (1, 2), "texts": ("one",)}, "2 values and 1 texts"),
    ],
)
def test_knobs_that_make_no_sense(options, message):
    with pytest.raises(ValueError, match=message):
        Knob("x", "X", **options)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"picture": np.zeros(16)}, r"\(rows, 16\)"),
        ({"picture": np.zeros((4, 15))}, r"\(rows, 16\)"),
        ({"picture": np.zeros((0, 16))}, r"\(rows, 16\)"),
        ({"picture": np.full((4, 16), 1.01)}, "between 0 and 1"),
        ({"picture": np.full((4, 16), np.nan)}, "between 0 and 1"),
        ({"picture": np.zeros((4, 16)), "rows": ("a", "b")}, "4 rows, and 2 names"),
        ({"rows": ("a", "b")}, "no rows to name"),
    ],
)
def test_pictures_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        Take(beat(), **options)


def test_takes_that_make_no_sense():
    with pytest.raises(ValueError, match="not ndarray"):
        Take(np.zeros((16, 27)))
    with pytest.raises(ValueError, match="1 to 4096 steps, not 0"):
        Take(beat()[:0])
    with pytest.raises(ValueError, match="must return a Take, not Groove"):
        _ = Stage("Groove", [], beat).takes
    with pytest.raises(ValueError, match="equally long.*16, 32"):
        _ = Stage("Long", [Knob("n", "Bars", (1, 2))], lambda n: Take(beat(bars=n))).html
    with pytest.raises(ValueError, match="same name"):
        Stage("Twins", [Knob("n", "A", (1,)), Knob("n", "B", (1,))], lambda n: Take(beat()))
    for bpm in (0, -3, 1e9, float("nan")):
        with pytest.raises(ValueError, match="tempo"):
            Stage("Fast", [], lambda: Take(beat()), bpm=bpm)


def bass(bars: int = 1, tempo: int = 500_000, **options) -> Song:
    return Song(480, (Track((Note(0, 40, 90, bars * 1920),), 33),), (Tempo(0, tempo),), **options)


def test_stems_must_fit():
    takes = {"one": Take(beat(), stem="one"), "other": Take(beat(), stem="other")}
    knob = Knob("who", "Bass", ("one", "other"))
    with pytest.raises(ValueError, match="'other'; there are: one"):
        _ = Stage("Missing", [knob], lambda who: takes[who], stems={"one": bass()}).takes
    with pytest.raises(ValueError, match="16 steps.*'one' has 32"):
        _ = Stage("Short", [], lambda: Take(beat()), stems={"one": bass(2)}).html
    with pytest.raises(ValueError, match="another tempo"):
        _ = Stage("Two", [], lambda: Take(beat()), stems={"one": bass(), "other": bass(tempo=400_000)}).html
    html = Stage("Fits", [knob], lambda who: takes[who], stems={"one": bass(), "other": bass()}).html
    assert [take[3] for take in data_of(html)["takes"]] == ["one", "other"]
    assert html.count("<audio ") == 2 and data_of(html)["seconds"] == 2.0


# What stands in the page


def test_hits_are_packed_as_the_page_reads_them():
    import base64

    hits = np.zeros((300, 9))
    hits[[0, 17, 299], [KICK, SNARE, 8]] = 1
    velocities, offsets = hits * 64 / 127, hits * 0
    offsets[17, SNARE], offsets[299, 8], velocities[299, 8] = -0.5, 0.499, 1
    words = np.frombuffer(base64.b64decode(packed_hits(Groove(hits, velocities, offsets))), ">u4")
    read = [(w >> 20, w >> 16 & 15, w >> 8 & 255, (w & 255) - 50.0) for w in words.astype(int)]
    assert read == [(0, KICK, 64, 0), (17, SNARE, 64, -50), (299, 8, 127, 49)]


def test_a_picture_is_packed_as_the_page_reads_it():
    picture = np.linspace(0, 1, 32).reshape(2, 16)
    text = packed_picture(picture)
    assert len(text) == 32 and text[0] == "A" and text[-1] == "/"
    levels = np.array([LEVELS.index(level) for level in text]).reshape(2, 16) / 63
    assert np.abs(levels - picture).max() <= 0.5 / 63 + 1e-9


def test_the_clock_of_a_song_leaves_out_what_a_bar_in_three_does_not_play():
    song = Song(480, (Track((Note(0, 40, 90, 2880),), 33),), meters=(Meter(0, 3, 4),))
    clock = song_clock(song)
    assert clock["bars"] == [0, 16, 32] and clock["seconds"] == 3.0
    at = dict(zip(clock["x"], clock["t"], strict=True))
    assert at[12] == at[16] == 1.5 and at[8] == 1.0 and at[28] == 3.0


def test_bars_in_five_are_counted_as_bars_though_each_takes_thirty_two_steps():
    song = Song(480, (Track((Note(0, 40, 90, 4800),), 33),), meters=(Meter(0, 5, 4),))
    groove = Groove(*np.zeros((3, 64, 9)))
    stage = Stage("Five", [], lambda: Take(groove, stem="bass"), stems={"bass": song}, start_bar=1)
    assert "2 bars from bar 2, 120 bpm" in stage.html


def test_hostile_text_is_harmless():
    def stage(text):
        knobs = [Knob("x", text, (1, 2), texts=(text, text)), Knob("y", text, (text, "plain"))]
        picture = np.ones((1, 16))
        stems = {text: bass()}
        return Stage(text, knobs, lambda x, y: Take(beat(), text, picture, (text,), text), stems=stems).html

    nasty, plain = stage(NASTY), stage("plain text")
    tags = re.compile(r"<[/!]?[a-z-]+")
    assert tags.findall(nasty) == tags.findall(plain)
    assert "<img" not in nasty and "alert(1)</script>" not in nasty
    assert data_of(nasty)["captions"] == [NASTY] and data_of(nasty)["pictures"][0][1] == [NASTY]
    assert markup.escape(NASTY) in nasty
    scripts, plain_scripts = (
        re.findall(r"<script(?: data-drumlib=\"\w+\")?>(.*?)</script>", text, re.DOTALL) for text in (nasty, plain)
    )
    assert len(scripts) > 3 and scripts == plain_scripts, "text got into the script"


def test_knobs_are_sliders_for_numbers_and_lists_for_words():
    html = loudness_stage().html
    assert re.search(r'<input type="range" class="dls-knob"[^>]*aria-label="How loud"[^>]*aria-valuetext="0.5"', html)
    assert re.search(r'<select class="dls-knob"[^>]*aria-label="Drums"[^>]*><option value="0" selected>all<', html)


def test_it_shows_in_a_notebook_without_a_kernel():
    stage = loudness_stage()
    bundle = stage._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"} and bundle["text/html"] == stage.html == stage._repr_html_()
    assert repr(stage) == "Stage('Loudness', loud: 3 values, drum: 2 values)"


CELLS = """
from drumlib.display.widgets import Knob, Sequencer, Stage, Take
beat = Sequencer(bars=2).groove
Stage("Any", [Knob("bar", "Bar", (0, 1))], lambda bar: Take(beat[16 * bar : 16 * bar + 16]))
---
Sequencer()
"""


@pytest.mark.slow
def test_with_a_kernel_and_a_reader_it_brings_its_widgets(monkeypatch, root):
    manager = pytest.importorskip("jupyter_client.manager")
    monkeypatch.setenv("PYTHONPATH", str(root))
    kernel, client = manager.start_new_kernel(kernel_name="python3")
    try:
        for cell in CELLS.split("---"):
            for reader in (True, False):
                client.allow_stdin = reader
                heard = []
                reply = client.execute_interactive(cell, output_hook=heard.append, timeout=100)
                assert reply["content"]["status"] == "ok"
                (shown,) = [said["content"]["data"] for said in heard if said["msg_type"] == "execute_result"]
                assert ("drumlib-stage" in shown["text/html"]) != reader, "nobody waits for what only a page needs"
                models = {said["content"]["comm_id"] for said in heard if said["msg_type"] == "comm_open"}
                view = shown.get("application/vnd.jupyter.widget-view+json")
                assert (view["model_id"] in models) if reader else (view is None and not models)
                assert not [said for said in heard if said["msg_type"] == "display_data"], "captured: see `live.show`"
                states = [
                    said["content"]["data"].get("state", {}) for said in heard if said["msg_type"].startswith("comm")
                ]
                inside = [output for state in states for output in state.get("outputs", ())]
                assert len(inside) == reader, "the live one shows its take"
                assert all("drumlib-stage" in output["data"]["text/html"] for output in inside)
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


def test_there_is_no_blank_line_in_it():
    """One would end the HTML where a page is made from Markdown."""
    assert "\n\n" not in loudness_stage("A title\n\n    with a hole").html


# The samples


@pytest.fixture(scope="module")
def samples() -> list[np.ndarray]:
    """The nine drums and the loud snare as a page hears them: from the MP3, with their gains."""
    kit = drum_samples()
    audio, rate = soundfile.read(io.BytesIO(kit.mp3), dtype="float64")
    assert rate == sound.SAMPLE_RATE and len(audio) == kit.samples and audio.ndim == 1
    assert np.abs(audio).max() < 1, "clipped"
    return [
        gain * audio[start : start + length]
        for start, length, gain in zip(kit.starts, kit.lengths, kit.gains, strict=True)
    ]


def decibels(audio) -> float:
    return 10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-15)


@pytest.mark.parametrize("velocity", [40, 80, 120])
@pytest.mark.parametrize("drum", range(9), ids=DRUMS)
def test_a_sample_is_as_loud_and_as_early_as_the_sound_font(samples, drum, velocity):
    """As the script mixes: (velocity / 127) ** 2."""
    # A song fades out at its end: a kick later on keeps that away from the note.
    notes = (Note(0, PITCH_OF_DRUM[drum], velocity, 60), Note(8 * 480, PITCH_OF_DRUM[KICK], 100, 60))
    rendered = sound.render(Song(480, (Track(notes, is_drum=True),))).astype(float)
    mixed = samples[9 if drum == SNARE and velocity >= LOUD_SNARE else drum] * (velocity / 127) ** 2
    rendered = rendered[: len(mixed)]
    assert decibels(mixed) == pytest.approx(decibels(rendered), abs=2)
    first = [np.flatnonzero(np.abs(a) > 0.2 * np.abs(a).max())[0] / sound.SAMPLE_RATE for a in (rendered, mixed)]
    assert first[1] == pytest.approx(first[0], abs=0.003)


def test_a_sample_dies_away_before_it_is_cut(samples):
    for name, audio in zip([*DRUMS, "loud snare"], samples, strict=True):
        end = audio[-len(audio) // 20 :]
        assert np.abs(end).max() < 0.02 * np.abs(audio).max(), f"{name} ends with a click"
