"""The things to play with: takes are what drumlib gives, live boxes answer, uploads of strangers are refused."""

import warnings

import numpy as np
import pytest

from drumlib.display.widgets import (
    Knob,
    Stage,
    Take,
    encoder_layers,
    humanize_strength,
    latent_walk,
    live,
    threshold_and_temperature,
    your_song,
)
from drumlib.display.widgets import your_song as your_song_function
from drumlib.drummer import DrummerWarning, accompany
from drumlib.music import Groove, groove_of, song_to_bytes, songbook, without_drums

LARGEST_PAGE = 350_000
"""Bytes of one of them in a page."""


def module():
    """The file: in the package its name is the function's."""
    import importlib

    return importlib.import_module("drumlib.display.widgets.your_song")


@pytest.fixture(scope="module")
def generation():
    return threshold_and_temperature("rock", bars=2)


@pytest.fixture(scope="module")
def walk():
    return latent_walk("rock", "bossa", stops=3)


def same(one: Groove, other: Groove) -> bool:
    return all(
        np.allclose(getattr(one, what), getattr(other, what), atol=1e-6) for what in ("hits", "velocities", "offsets")
    )


def test_a_cut_take_is_the_drummers(generation):
    from drumlib.display.widgets.excerpt import chorus_of, steps_of

    band = without_drums(songbook.song("rock"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrummerWarning)
        played = groove_of(accompany(band, "best", threshold=generation.knobs[0].values[0]))
    here = steps_of(band, chorus_of("rock"), 2)
    take = generation.play(threshold=generation.knobs[0].values[0], temperature="cut")
    assert np.array_equal(take.groove.hits > 0, played[here].hits > 0)


def test_thresholds_let_fewer_and_fewer_through(generation):
    counts = [generation.play(threshold=cut, temperature="cut").groove.hits.sum() for cut in generation.knobs[0].values]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


def test_the_drawn_takes_are_of_their_seed(generation):
    again = threshold_and_temperature("rock", bars=2)
    other = threshold_and_temperature("rock", bars=2, seed=5)
    setting = {"threshold": generation.knobs[0].values[0], "temperature": "1.0"}
    assert same(generation.play(**setting).groove, again.play(**setting).groove)
    assert not same(generation.play(**setting).groove, other.play(**setting).groove)


def test_the_walk_begins_and_ends_where_it_says(walk):
    first, last = walk.take(0, 0).groove, walk.take(2, 0).groove
    assert not same(first, last)
    texts = [walk.take(stop, way).caption for stop in range(3) for way in range(len(walk.knobs[1].values))]
    assert all(texts)


def test_strength_nothing_is_stiff_and_more_is_more():
    stage = humanize_strength()
    readout = stage.knobs[1].values[0]
    spread = [stage.play(strength=strength, readout=readout).groove for strength in (0.0, 0.5, 1.0)]
    offsets = [np.abs(groove.offsets).sum() for groove in spread]
    assert offsets[0] == 0 and offsets[0] < offsets[1] < offsets[2]
    assert all(np.array_equal(spread[0].hits, groove.hits) for groove in spread)
    with pytest.raises(ValueError, match="not both"):
        humanize_strength(spread[0], songbook.song("rock"))


def test_the_encoders_layers_are_heard_and_seen():
    stage = encoder_layers("rock")
    takes = list(stage.takes.values())
    assert len({take.stem for take in takes}) == 3  # piano, guitar, bass
    assert all(take.picture is not None and " x " in take.caption for take in takes)  # the shape
    assert len({take.picture.tobytes() for take in takes}) > len(takes) / 2


@pytest.mark.parametrize("make", [humanize_strength, latent_walk, encoder_layers, threshold_and_temperature])
def test_fits_into_a_page(make):
    assert len(make().html) < LARGEST_PAGE


def made_up(play=None) -> Stage:
    def silent(step):
        hits = np.zeros((16, 9), dtype=np.float32)
        hits[step, 0] = 1
        return Take(Groove(hits, hits, hits * 0), f"step {step}")

    return Stage("Made up", (Knob("step", "Step", (0, 4, 8)),), play or silent)


def test_a_moved_slider_asks_play_anew(monkeypatch):
    import importlib

    file = importlib.import_module("drumlib.display.widgets.live")
    pages = []
    monkeypatch.setattr(file, "show", lambda output, page: pages.append(page))
    box = live(made_up())
    box.children[0].value = 2
    assert len(pages) == 2 and "step 0" in pages[0] and "step 8" in pages[1]


def test_a_play_that_fails_says_so_in_plain_words(monkeypatch):
    import importlib

    file = importlib.import_module("drumlib.display.widgets.live")
    pages = []
    monkeypatch.setattr(file, "show", lambda output, page: pages.append(page))

    def fails(step):
        raise ValueError("<script>no such step</script>")

    live(made_up(fails))
    assert "That did not work" in pages[0] and "<script>no" not in pages[0]


@pytest.mark.parametrize("shape", ["ipywidgets 7", "ipywidgets 8"])
def test_an_uploads_value_is_read_in_both_its_shapes(shape):
    content = song_to_bytes(songbook.song("rock"))
    value = {
        "ipywidgets 7": {"a song.mid": {"metadata": {"name": "a song.mid"}, "content": content}},
        "ipywidgets 8": ({"name": "a song.mid", "content": memoryview(content)},),
    }[shape]
    assert module().uploaded(value) == ("a song.mid", content)
    assert module().uploaded(()) is None and module().uploaded({}) is None


HOSTILE = {
    "no MIDI": ("song.mid", b"GIF89a" + bytes(100)),
    "empty": ("song.mid", b""),
    "cut off": ("song.mid", song_to_bytes(songbook.song("rock"))[:500]),
    "a name that is HTML": ("<img src=x onerror=alert(1)>.mid", b"nothing"),
    "a name that climbs": ("../../etc/passwd", b"nothing"),
}


@pytest.mark.parametrize("name, content", HOSTILE.values(), ids=HOSTILE)
def test_a_strangers_file_is_refused_in_plain_words(name, content):
    page = module().answer(name, content)
    assert "That did not work" in page and "<img" not in page and "Traceback" not in page


def test_a_file_that_is_too_large_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(module(), "MAX_BYTES", 1000)
    page = module().answer("song.mid", song_to_bytes(songbook.song("rock")))
    assert "at most" in page


def test_a_good_file_comes_back_with_drums():
    import base64
    import re

    from drumlib.music import song_from_bytes

    content = song_to_bytes(without_drums(songbook.song("rock")))
    page = module().answer('a "song" <b>.mid', content, preset="best", seed=0)
    link = re.search(r'<a download="([^"]*)" href="data:audio/midi;base64,([^"]*)"', page)
    assert link and "<b>" not in link[1]
    song = song_from_bytes(base64.b64decode(link[2]), "back")
    assert song.drums and len(song.band) == len(song_from_bytes(content, "band").band)
    assert "drumlib-player" in page


def test_the_page_has_every_song_with_every_drummer():
    from drumlib.music import song_from_bytes

    mine = your_song_function()
    assert set(mine.files) == {(song, drummer) for song in songbook.names() for drummer in module().DRUMMERS}
    for (name, _), data in mine.files.items():
        assert song_from_bytes(data, name).drums
    assert your_song is your_song_function and len(mine.html) < 800_000
