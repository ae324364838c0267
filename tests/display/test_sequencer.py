import json
import re

import numpy as np
import pytest

from drumlib.display.widgets import Sequencer
from drumlib.music import Groove
from drumlib.music.kit import CLOSED_HAT, KICK, SNARE
from drumlib.music.rock_beat import rock_bar


def random_groove(bars: int = 2, seed: int = 0) -> Groove:
    rng = np.random.default_rng(seed)
    hits = rng.random((16 * bars, 9)) < 0.4
    return Groove(hits, hits * rng.uniform(0.01, 1, hits.shape), hits * rng.uniform(-0.5, 0.5, hits.shape))


def test_it_begins_with_the_rock_beat():
    sequencer = Sequencer()
    assert np.array_equal(sequencer.groove.hits, rock_bar()) and len(Sequencer(bars=3).groove) == 48
    assert sequencer.text.startswith("16 steps; kick 0:100 8:100 10:100; snare 4:100 12:100; closed hi-hat 0:100 ")


@pytest.mark.parametrize("seed", range(20))
def test_a_groove_and_its_text_are_the_same(seed):
    given = random_groove(1 + seed % 4, seed)
    sequencer = Sequencer(given)
    assert Sequencer.groove_from(sequencer.text) == sequencer.groove
    assert np.array_equal(sequencer.groove.hits, given.hits)
    assert np.abs(sequencer.groove.velocities - given.velocities).max() <= 0.51 / 127
    assert np.abs(sequencer.groove.offsets - given.offsets).max() <= 0.0101


def test_an_empty_groove_has_a_text_too():
    nothing = Groove(*np.zeros((3, 16, 9)))
    assert Sequencer(nothing).text == "16 steps"
    assert Sequencer.groove_from("16 steps") == nothing


def test_text_by_hand():
    groove = Sequencer.groove_from("16 steps; kick 0:127; closed hi-hat 2:1-0.50 4:64+0.05")
    assert groove.hits.sum() == 3 and groove.velocities[0, KICK] == 1
    assert groove.offsets[2, CLOSED_HAT] == -0.5 and groove.offsets[4, CLOSED_HAT] == np.float32(0.05)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "begins with how many steps"),
        ("steps; kick 0:1", "begins with how many steps"),
        ("0 steps", "1 to 4 bars"),
        ("17 steps", "1 to 4 bars"),
        ("9999 steps", "1 to 4 bars"),
        ("16 steps; cowbell 0:100", "no drum begins 'cowbell"),
        ("16 steps; kick0:100", "no drum begins"),
        ("16 steps; kick 16:100", "out of its range"),
        ("16 steps; kick 0:0", "out of its range"),
        ("16 steps; kick 0:128", "out of its range"),
        ("16 steps; kick 0:100+0.50", "out of its range"),
        ("16 steps; kick 0:100-0.51", "out of its range"),
        ("16 steps; kick 0:100 0:90", "two hits"),
        ("16 steps; kick 0:100; kick 0:90", "two hits"),
        ("16 steps; kick 0:1e2", "no hit"),
        ("16 steps; kick ٣:100+0.5", "no hit"),
        ("16 steps; kick __import__('os')", "no hit"),
        ("x" * 30_000, "at most"),
        (None, "written as a text"),
    ],
)
def test_text_that_is_no_groove(text, message):
    with pytest.raises(ValueError, match=message):
        Sequencer.groove_from(text)


def test_what_a_sequencer_refuses():
    for steps in (8, 80, 0):
        with pytest.raises(ValueError, match="1 to 4 bars"):
            Sequencer(Groove(*np.zeros((3, steps, 9))))
    for bars in (0, 5, -1):
        with pytest.raises(ValueError, match="1 to 4 bars"):
            Sequencer(bars=bars)
    with pytest.raises(ValueError, match="32 steps, and 1 bars"):
        Sequencer(random_groove(2), bars=1)
    with pytest.raises(ValueError, match="tempo"):
        Sequencer(bpm=4000)


def test_the_page():
    sequencer = Sequencer(random_groove(), title="</script><b>mine</b> {{js}}")
    html = sequencer.html
    assert html == Sequencer(random_groove(), title="</script><b>mine</b> {{js}}").html
    assert "<b>mine" not in html and "&lt;/script&gt;&lt;b&gt;mine&lt;/b&gt; {{js}}" in html
    assert "\n\n" not in html and len(html) < 200_000
    data = json.loads(re.search(r'class="dls-data">(.*?)</script>', html, re.DOTALL)[1])
    assert data["steps"] == 32 and len(data["hits"]) == 1
    assert 'data-kind="sequencer"' in html and sequencer._repr_mimebundle_()["text/html"] == html


# With a kernel


def widgets_of(view) -> dict:
    """The parts of the live sequencer by what is written on them."""
    found, waiting = {}, [view]
    while waiting:
        widget = waiting.pop()
        waiting += getattr(widget, "children", ())
        if getattr(widget, "description", ""):
            found.setdefault((type(widget).__name__, widget.description), widget)
    return found


def test_live():
    sequencer = Sequencer(bars=2)
    parts = widgets_of(sequencer.live())
    button = {step: parts["ToggleButton", str(step)] for step in range(16)}
    assert [step for step in range(16) if button[step].value] == [0, 8, 10]

    button[3].value = True
    assert sequencer.groove.hits[3, KICK] == 1 and sequencer.groove.hits.sum() == 2 * rock_bar().sum() + 1
    assert parts["Dropdown", "Step"].value == 3 and not parts["IntSlider", "Velocity"].disabled
    parts["IntSlider", "Velocity"].value = 37
    parts["FloatSlider", "Offset"].value = -0.25
    assert round(float(sequencer.groove.velocities[3, KICK]) * 127) == 37 and sequencer.groove.offsets[3, KICK] == -0.25
    assert "kick 0:100 3:37-0.25 8:100" in sequencer.text

    parts["Dropdown", "Drum"].value = SNARE
    assert [step for step in range(16) if button[step].value] == [4, 12]
    parts["Dropdown", "Bar"].value = 1
    button[4].value = False
    assert sequencer.groove.hits[20, SNARE] == 0 and sequencer.groove.hits[4, SNARE] == 1
    assert parts["IntSlider", "Velocity"].disabled

    parts["Button", "Clear"].click()
    assert sequencer.groove.hits.sum() == 0 and not any(one.value for one in button.values())
    parts["Button", "Reset"].click()
    assert sequencer.groove == Sequencer(bars=2).groove
