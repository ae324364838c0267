"""Opens the built book as a reader does: from the disk, in a browser, and presses play.

The pages may ask the networks named below for scripts, and nobody else. Those are answered here with an empty script,
so the test needs no network, and a page that breaks without them is found out.
"""

import base64
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "book" / "_build" / "screenshots"

SCRIPT_NETWORKS = {"cdn.jsdelivr.net"}
"""MathJax comes from here, on pages with mathematics. Nothing else comes from anywhere."""

PLAYERS = 6
"""The book has at least so many."""

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
LOOKS = {"light": ("light", DESKTOP), "dark": ("dark", DESKTOP), "phone": ("light", PHONE)}


def page_names() -> list[str]:
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [contents["root"]] + [chapter["file"] for chapter in contents["chapters"]]
    return chapters + ["genindex", "search"]


PAGES = page_names()


@dataclass
class Opened:
    """A page, and what went wrong with it."""

    page: object
    faults: list[str] = field(default_factory=list)
    networks: set[str] = field(default_factory=set)


@pytest.fixture
def open_page(browser, book):
    """Opens a page of the book by its name, in a look of LOOKS."""
    contexts = []

    def open_one(name: str, look: str = "light") -> Opened:
        scheme, size = LOOKS[look]
        context = browser.new_context(color_scheme=scheme, viewport=size, device_scale_factor=1)
        contexts.append(context)
        opened = Opened(context.new_page())

        def answer(route):
            host = urlsplit(route.request.url).hostname
            opened.networks.add(host)
            if host in SCRIPT_NETWORKS:
                route.fulfill(status=200, content_type="text/javascript", body="")
            else:
                opened.faults.append(f"asks for {route.request.url}")
                route.fulfill(status=200, content_type="text/plain", body="")

        context.route(re.compile("^(https?|wss?):"), answer)
        page = opened.page
        page.on("console", lambda said: opened.faults.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: opened.faults.append(f"error: {error}"))
        page.on("requestfailed", lambda request: opened.faults.append(f"failed: {request.url[:200]} {request.failure}"))
        page.goto((book / f"{name}.html").as_uri(), wait_until="load")
        page.wait_for_timeout(300)  # what a page does just after it was loaded
        return opened

    yield open_one
    for context in contexts:
        context.close()


def players(page) -> list:
    return page.locator(".drumlib-player").all()


def stems(page) -> dict[tuple[int, str], np.ndarray]:
    """The audio of every player of a page, (samples,), by the player's number and the stem's name."""
    found = {}
    for number, player in enumerate(players(page)):
        for element in player.locator("audio[data-stem]").all():
            kind, _, data = element.get_attribute("src").partition(",")
            assert kind == "data:audio/mpeg;base64"
            audio, _ = soundfile.read(io.BytesIO(base64.b64decode(data)), dtype="float64", always_2d=True)
            found[number, element.get_attribute("data-stem")] = audio.mean(axis=1)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_opens_without_a_fault(open_page, name):
    opened = open_page(name)
    assert opened.page.title()
    assert opened.faults == []


def test_every_built_page_is_opened(book):
    assert {path.stem for path in book.glob("*.html")} == set(PAGES)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_looks(open_page, name, look):
    """A picture of each page, to be looked at; and what a machine can see of it."""
    opened = open_page(name, look)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    opened.page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png", full_page=True)
    assert opened.page.locator("html").get_attribute("data-theme") == LOOKS[look][0]
    assert opened.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 1, "the page moves sideways"
    assert opened.faults == []


def test_there_are_players(open_page):
    assert sum(len(players(open_page(name).page)) for name in PAGES) >= PLAYERS


@pytest.mark.parametrize("name", PAGES)
def test_players_are_neither_silent_nor_clipped(open_page, name):
    page = open_page(name).page
    found = stems(page)
    assert {number for number, _ in found} == set(range(len(players(page)))), "a player without audio"
    for (number, stem), audio in found.items():
        what = f"player {number} of {name}, {stem}"
        loudness = 20 * np.log10(np.sqrt(np.mean(audio**2)) + 1e-12)
        assert loudness > -45, f"{what} is silent: {loudness:.1f} dBFS"
        assert np.abs(audio).max() < 1, f"{what} is clipped"
    # A page plays the stems of a player at once: together they must not be clipped either.
    for number in {number for number, _ in found}:
        together = [audio for (player, _), audio in found.items() if player == number]
        shortest = min(map(len, together))
        assert np.abs(sum(audio[:shortest] for audio in together)).max() < 1, f"player {number} of {name} is clipped"


@pytest.mark.parametrize("name", PAGES)
def test_play_moves_the_playhead(open_page, name):
    opened = open_page(name)
    opened.page.evaluate("document.querySelectorAll('details').forEach(fold => (fold.open = true))")
    for player in players(opened.page):
        handle = player.element_handle()
        player.locator("button", has_text="Play").click()
        opened.page.wait_for_function(
            "player => player.dataset.state === 'playing' && Number(player.dataset.position) > 0.2",
            arg=handle,
            timeout=20_000,
        )
        before = float(player.get_attribute("data-position"))
        opened.page.wait_for_function(
            "([player, was]) => Number(player.dataset.position) > was + 0.2", arg=[handle, before]
        )
        player.locator("button", has_text="Pause").click()
        opened.page.wait_for_function("player => player.dataset.state === 'paused'", arg=handle)
        stopped = player.get_attribute("data-position")
        opened.page.wait_for_timeout(200)
        assert player.get_attribute("data-position") == stopped
    assert opened.faults == []
