import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from display_song import STEP, TICKS, make_song

from drumlib.display import Player
from drumlib.display.sound import SAMPLE_RATE
from drumlib.music import Meter, Note, Song, Tempo, Track, only, without_drums
from drumlib.music.grid import Grid, Groove, groove_of


class Page(HTMLParser):
    """Every element, with its attributes, its text and whether it was closed."""

    VOID = {"path", "br", "img", "input"}

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.elements, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "text": "", **dict(attributes)}
        self.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.elements.append({"tag": tag, "text": "", **dict(attributes)})

    def handle_endtag(self, tag):
        assert self.open and self.open[-1]["tag"] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, text):
        for element in self.open[-1:]:
            element["text"] += text

    def all(self, tag: str, **attributes):
        return [
            element
            for element in self.elements
            if element["tag"] == tag and all(element.get(k.replace("_", "-")) == v for k, v in attributes.items())
        ]

    @property
    def data(self) -> dict:
        (script,) = self.all("script", type="application/json")
        return json.loads(script["text"])


def decoded(element) -> tuple[np.ndarray, int]:
    kind, data = element["src"].split(",")
    assert kind == "data:audio/mpeg;base64"
    return soundfile.read(io.BytesIO(base64.b64decode(data, validate=True)), dtype="float32")


def notes_of(data: dict) -> list[tuple[int, ...]]:
    return list(zip(*[iter(data["notes"])] * 4, strict=True))


@pytest.fixture(scope="module")
def player() -> Player:
    return Player(make_song())


@pytest.fixture(scope="module")
def page(player) -> Page:
    return Page(player.html)


def test_html_is_whole(page):
    assert page.open == []
    assert len(page.all("canvas")) == 1


def test_audio_is_the_players(page, player):
    stems = page.all("audio")
    assert [stem["data-stem"] for stem in stems] == ["band", "drums"] == list(player.audio)
    for stem in stems:
        assert stem["preload"] == "none"
        audio, rate = decoded(stem)
        assert rate == SAMPLE_RATE
        assert 0.01 < np.abs(audio).max() < 1
        assert np.corrcoef(audio, player.audio[stem["data-stem"]])[0, 1] > 0.9


def test_both_stems_are_equally_long_and_as_long_as_the_data_says(page):
    lengths = [len(decoded(stem)[0]) for stem in page.all("audio")]
    assert lengths[0] == lengths[1]
    assert page.data["audio"] == pytest.approx(lengths[0] / SAMPLE_RATE, abs=0.001)


def test_nothing_is_fetched(player):
    without_audio = re.sub(r"base64,[^\"]*", "", player.html)
    assert "http" not in without_audio and "url(" not in without_audio and "@import" not in without_audio


def test_mutes_only_where_there_are_two_parts(page, song):
    mutes = [element for element in page.all("button") if "data-mutes" in element]
    assert [mute["aria-label"] for mute in mutes] == ["Mute band", "Mute drums"]
    assert all(mute["aria-pressed"] == "false" for mute in mutes)
    drums = Page(Player(only(song, song.drums), bars=1).html)
    assert not any("data-mutes" in element for element in drums.all("button"))
    assert [element["data-stem"] for element in drums.all("audio")] == ["drums"]


def test_it_is_labelled_for_screen_readers(page):
    (canvas,) = page.all("canvas")
    assert canvas["role"] == "slider" and canvas["tabindex"] == "0" and "Four bars" in canvas["aria-label"]
    assert {"aria-valuemin", "aria-valuemax", "aria-valuenow"} <= set(canvas)
    assert all(button.get("aria-label") or page.all("span") for button in page.all("button"))
    (summary,) = page.all("p", **{"class": "dlp-summary"})
    assert "kick 8, snare 8, closed hi-hat 32" in summary["text"]
    assert "48 notes" in summary["text"]
    assert "0.03 sixteenths late" in summary["text"]  # 8 notes of 48 are a fifth of a sixteenth late


def test_no_ids_so_that_none_can_clash(player):
    assert not any("id" in element for element in Page(player.html).elements)


def test_the_same_song_gives_the_same_html(player):
    assert Player(make_song()).html == player.html


def test_html_survives_markdown(player):
    lines = player.html.splitlines()
    assert all(line and not line.startswith((" ", "\t")) for line in lines)
    assert "{{" not in player.html


def test_what_is_drawn(page, song):
    data = page.data
    assert data["number"] == 1 and data["bars"] == [0, 16, 32, 48, 64]
    assert data["x"][:3] == [0, 4, 8] and data["t"][:3] == [0, 0.5, 1.0] and data["t"][-1] == 8
    notes = notes_of(data)
    assert len(notes) == 48
    assert [note for note in notes if note[1] == 1][:2] == [(420, 1, 110, 20), (1220, 1, 110, 20)]
    assert [name for name, _ in data["band"]] == ["piano", "guitar", "bass"]
    assert data["band"][0][1][:16] == "3333333333330000"
    assert data["band"][1][1][:16] == "0000100000001000"
    assert all(len(lane) == 64 for _, lane in data["band"])


def test_time_follows_the_tempo():
    song = make_song()
    slower = Song(TICKS, song.tracks, (Tempo(0, 500_000), Tempo(32 * STEP, 1_000_000)))
    data = Page(Player(slower).html).data
    times = dict(zip(data["x"], data["t"], strict=True))
    assert times[32] == 4.0 and times[48] == 8.0 and times[64] == 12.0


def test_no_blank_line_ends_the_page_early(song):
    """Where there is one part there are no buttons to mute it, and their line is not left empty."""
    for one in (song, only(song, song.drums), without_drums(song)):
        assert "\n\n" not in Player(one).html


def test_some_bars():
    song = make_song()
    player = Player(song, start_bar=2, bars=1)
    data = Page(player.html).data
    assert data["number"] == 3 and data["bars"] == [0, 16] and len(notes_of(data)) == 12
    assert data["t"][0] == pytest.approx(0.0625, abs=0.001)  # it begins half a step early
    assert "from bar 3" in player.html
    with pytest.raises(ValueError, match="no bars"):
        Player(song, start_bar=9)


def test_other_meters():
    song = make_song()
    data = Page(Player(Song(TICKS, song.tracks, meters=(Meter(0, 6, 8),))).html).data
    assert data["bars"][:3] == [0, 12, 24] and data["x"][:3] == [0, 2, 4]


def test_a_groove_is_drawn_in_place_of_the_songs_drums(song):
    hits = np.zeros((Grid(song).steps, 9))
    hits[4, 6] = 1
    groove = Groove(hits, hits * 0.5, hits * -0.25)
    assert notes_of(Page(Player(song, groove=groove).html).data) == [(375, 6, 64, -25)]
    own = Page(Player(song, groove=groove_of(song)).html).data
    assert notes_of(own) == notes_of(Page(Player(song).html).data)
    with pytest.raises(ValueError, match="steps"):
        Player(song, groove=groove[:16])


NASTY = "</script><script>alert(1)</script><!-- \"quoted\" 'too' & {{js}} $x$ <img src=x onerror=alert(1)>"


def test_text_from_a_song_is_harmless():
    song = make_song(1, name=NASTY)
    tracks = tuple(Track(t.notes, t.program, t.is_drum, t.channel, NASTY) for t in song.tracks)
    page, plain = (Page(Player(s).html) for s in (Song(TICKS, tracks, name=NASTY), make_song(1)))
    assert [element["tag"] for element in page.elements] == [element["tag"] for element in plain.elements]
    assert page.all("p", **{"class": "dlp-title"})[0]["text"].strip() == NASTY
    assert page.elements[0]["aria-label"] == f"Player: {NASTY}"
    assert [e["text"] for e in page.all("script")][1:] == [e["text"] for e in plain.all("script")][1:]
    for script in page.all("script"):
        assert "<!--" not in script["text"]


def test_titles(song):
    assert "<u>" not in Player(song, title="<u>under</u>").html
    assert Player(song, title="Mine").title == "Mine"
    assert Player(Song(TICKS, song.tracks)).title == "Untitled"


def test_it_shows_in_a_notebook(player):
    bundle = player._repr_mimebundle_()
    assert bundle["text/html"] == player._repr_html_() == player.html
    assert bundle["text/plain"] == repr(player) == "Player('Four bars', 4 bars, 120 bpm, 4/4, 48 drum notes)"


def test_without_drums(song):
    player = Player(only(song, song.band))
    page = Page(player.html)
    assert "no drums" in player.summary and page.data["notes"] == []
    assert "loud" not in page.all("div", **{"class": "dlp-legend"})[0]["text"]


@pytest.mark.slow
def test_sixteen_bars_are_light():
    player = Player(make_song(16))
    assert len(player.html) < 720_000
    assert len(re.sub(r"base64,[^\"]*", "", player.html)) < 30_000


def test_a_song_without_notes():
    with pytest.raises(ValueError, match="no notes"):
        Player(Song(TICKS, (Track((Note(0, 60, 1, 1),) * 0),)))
