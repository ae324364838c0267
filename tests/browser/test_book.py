"""Opens the built book as a reader does: from the disk, with no network, in a browser, and presses play.

Each page is opened once, on a desktop in the light, and all that can be asked of it there is asked in turn; then the
light goes out, and the window becomes a telephone's. Two pages are opened in the dark and on a telephone at once.
"""

import base64
import io
import os
from importlib import util
from pathlib import Path

import numpy as np
import pytest
import soundfile
from in_page import HEARD
from tools import load_tool

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "book" / "_build" / "screenshots"

HEAVIEST = 3_000_000
"""Bytes of a page with its pictures. What all pages share (styles, scripts, letters) is in a browser's cache."""

SLOWEST = 2000
"""Milliseconds in which a page is open."""

PLAYERS = 6
"""The book has at least so many."""

DESKTOP = {"width": 1280, "height": 900}
LOOKS = {
    "light": {"color_scheme": "light", "viewport": DESKTOP},
    "dark": {"color_scheme": "dark", "viewport": DESKTOP},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
}

PAGES = load_tool("contents").pages() + ["genindex", "search"]


@pytest.fixture(scope="module", params=PAGES)
def opened(request, open_page):
    """A page on a desktop, in the light. The tests of one page share it, in the order in which they stand here."""
    one = open_page(request.param, **LOOKS["light"])
    one.name = request.param
    yield one
    one.page.context.close()


def look_at(one, look: str) -> None:
    """Show a page that is open in one of LOOKS."""
    one.page.emulate_media(color_scheme=LOOKS[look]["color_scheme"])
    if one.page.viewport_size != LOOKS[look]["viewport"]:
        one.page.set_viewport_size(LOOKS[look]["viewport"])
        one.page.wait_for_timeout(500)  # the page says anew which boxes scroll, some time after it was resized
    one.page.wait_for_function(
        "theme => document.documentElement.dataset.theme === theme", arg=LOOKS[look]["color_scheme"]
    )


def players(page) -> list:
    return page.locator(".drumlib-player").all()


def unfold(page) -> None:
    """Opens whatever a reader can open: hidden cells, solutions."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => (fold.open = true))")


def stems(page) -> dict[tuple[int, str], np.ndarray]:
    """The audio of every player of a page, (samples,), by the player's number and the stem's name."""
    found, decoded = {}, {}
    for number, player in enumerate(players(page)):
        for element in player.locator("audio[data-stem]").all():
            source = element.get_attribute("src")
            if source not in decoded:
                kind, _, data = source.partition(",")
                assert kind == "data:audio/mpeg;base64"
                audio, _ = soundfile.read(io.BytesIO(base64.b64decode(data)), dtype="float64", always_2d=True)
                decoded[source] = audio.mean(axis=1)
            found[number, element.get_attribute("data-stem")] = decoded[source]
    return found


def screenshot(one, look: str) -> None:
    """A picture of a page, to be looked at: not on CI, where nobody does."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        return
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    one.page.screenshot(path=SCREENSHOTS / f"{one.name}-{look}.png", full_page=True)


def moves_sideways(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth") > 1


def axe() -> str:
    """The script of axe-core, which looks for what keeps people out of a page."""
    return (Path(util.find_spec("axe_playwright_python").origin).parent / "axe.min.js").read_text(encoding="utf-8")


def barriers(page, options: dict) -> list[str]:
    """What axe-core finds on a page that is serious or critical.

    Of the words in a code cell, one of each colour stays a word of its own: axe would measure the contrast of every one
    of them, thousands on a page, and find the same again and again. What is unfolded fades in: that is over at once.
    """
    page.add_style_tag(content="* { animation: none !important; transition: none !important; }")
    unfold(page)
    page.evaluate(
        """() => {
            const seen = new Set();
            for (const pre of document.querySelectorAll(".highlight pre")) {
                for (const word of pre.querySelectorAll("span")) {
                    if (seen.has(word.className)) word.replaceWith(word.textContent); else seen.add(word.className);
                }
                pre.normalize();
            }
        }"""
    )
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe())
    found = page.evaluate(
        "options => axe.run(document, {resultTypes: ['violations'], ...options}).then(found => found.violations)",
        options,
    )
    return [
        f"{fault['id']} ({fault['impact']}): {node['target']} {node['html'][:200]} {node['failureSummary'][:300]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def test_every_built_page_is_opened(book):
    assert {path.stem for path in book.glob("*.html")} == set(PAGES)


# On a desktop, in the light


def test_opens_without_a_fault(opened):
    assert opened.page.title()
    assert opened.faults == []
    assert opened.page.locator("html").get_attribute("data-theme") == "light"
    assert not moves_sideways(opened.page)
    screenshot(opened, "light")


def test_is_light(opened, book):
    own = {path.split("/")[-1] for path in opened.page.locator("img").evaluate_all("all => all.map(i => i.src)")}
    pictures = [path for path in (book / "_images").glob("*") if path.name in own]
    weight = (book / f"{opened.name}.html").stat().st_size + sum(path.stat().st_size for path in pictures)
    assert weight < HEAVIEST, f"{weight / 1e6:.2f} MB"


def test_is_open_in_time(opened, book):
    """The best of three: a machine that is busy with something else is not the page's fault."""
    took = []
    for _ in range(3):
        took.append(opened.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        if took[-1] < SLOWEST:
            break
        opened.page.reload(wait_until="load")
        opened.page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
    assert 0 < min(took) < SLOWEST, f"open after {took} ms"


def test_pictures_have_words(opened):
    for picture in opened.page.locator("img").all():
        words = picture.get_attribute("alt") or ""
        assert len(words) > 20 and not words.endswith((".png", ".svg")), (
            f"{picture.get_attribute('src')} is {words!r} to whoever does not see it"
        )


def test_formulas_are_set(opened):
    """By the book's own MathJax: none is left as TeX, and none is wrong."""
    formulas = opened.page.locator(".math").count()
    if formulas:
        opened.page.evaluate("MathJax.startup.promise")
        assert opened.page.locator(".math:has(mjx-container)").count() == formulas
        assert opened.page.locator("mjx-container [data-mjx-error], mjx-merror").count() == 0
        assert opened.page.locator("mjx-container svg:visible").first.bounding_box()["width"] > 2
    assert opened.page.locator("mjx-container").count() >= formulas


def test_players_are_neither_silent_nor_clipped(opened):
    page, name = opened.page, opened.name
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


PLAYS = "root => root.dataset.state === 'playing' && Number(root.dataset.position) > 0.2"


ON_PLAY = "document.activeElement.matches('.dlp-play, .dls-play')"
"""Whether the keyboard is on a play button, of a player or of a stage."""


def test_the_keyboard_reaches_play(opened):
    """From the top of the page, by the link that skips the menus; then Space, and Enter."""
    page = opened.page
    if not page.locator(".drumlib-player, .drumlib-stage").count():
        return
    unfold(page)
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert "skip" in page.evaluate("document.activeElement.textContent").lower()
    page.keyboard.press("Enter")
    for _ in range(300):
        page.keyboard.press("Tab")
        if page.evaluate(ON_PLAY):
            break
    assert page.evaluate(ON_PLAY), "Tab does not reach a play button"
    handle = page.evaluate_handle("document.activeElement.closest('.drumlib-player, .drumlib-stage')")
    page.keyboard.press("Space")
    page.wait_for_function(PLAYS, arg=handle, timeout=20_000)
    page.keyboard.press("Space")
    page.wait_for_function("root => root.dataset.state === 'paused'", arg=handle)
    page.keyboard.press("Enter")
    page.wait_for_function(PLAYS, arg=handle, timeout=20_000)
    page.keyboard.press("Enter")
    assert opened.faults == []


def test_the_first_click_moves_the_playhead(opened):
    unfold(opened.page)
    for player in opened.page.locator(".drumlib-player, .drumlib-stage").all():
        handle = player.element_handle()
        player.locator("button", has_text="Play").click()
        opened.page.wait_for_function(PLAYS, arg=handle, timeout=20_000)
        before = float(player.get_attribute("data-position"))
        opened.page.wait_for_function(
            "([root, was]) => Number(root.dataset.position) > was + 0.2", arg=[handle, before]
        )
        player.locator("button", has_text="Pause").click()
        opened.page.wait_for_function("root => root.dataset.state === 'paused'", arg=handle)
        stopped = player.get_attribute("data-position")
        opened.page.wait_for_timeout(100)
        assert player.get_attribute("data-position") == stopped
    assert opened.faults == []


SETTINGS = """knob => knob.tagName === "SELECT" ? knob.options.length
    : Math.round((knob.max - knob.min) / (knob.step || 1)) + 1"""
"""To how many places a knob can be turned."""


def turn(page, knob, to: int) -> None:
    """Moves a knob to one of its settings, by the keys that a reader has."""
    knob.focus()
    knob.press("Home")
    for _ in range(to):
        knob.press("ArrowRight" if knob.get_attribute("type") == "range" else "ArrowDown")
    page.wait_for_timeout(20)


def set_to(page, knobs, places: list[int]) -> None:
    for number, place in enumerate(places):
        turn(page, knobs.nth(number), place)


def test_every_control_changes_what_is_heard(opened):
    """With no kernel and no network: the audio's bytes are others when a knob was moved.

    The other knobs stand in the middle meanwhile: at an end, two ways may be one (at the beginning of a walk, say). One
    knob may take another's work away (where strokes are drawn, a threshold has no say, and the caption says so); then
    the others are tried at their beginning.
    """
    page = opened.page
    unfold(page)
    for root in page.locator(".drumlib-stage").all():
        handle, knobs = root.element_handle(), root.locator(".dls-knob")
        settings = [knobs.nth(number).evaluate(SETTINGS) for number in range(knobs.count())]
        for number, many in enumerate(settings):
            knob = knobs.nth(number)
            name = knob.get_attribute("data-knob")
            for others in ([count // 2 for count in settings], [0] * len(settings)):
                set_to(page, knobs, others)
                heard, said = set(), set()
                for place in range(many):
                    turn(page, knob, place)
                    length, loudest, checksum = page.evaluate(HEARD, handle)
                    assert length > 0 and loudest <= 1, f"{name}: clipped, {loudest}"
                    heard.add(checksum)
                    said.add(knob.get_attribute("aria-valuetext") or knob.input_value())
                assert len(said) == many > 1, f"{name}: two of {many} settings read the same: {said}"
                if len(heard) > 1:
                    break
            assert len(heard) > 1, f"{name}: whatever is chosen, the same is heard"
    assert opened.faults == []


# In the dark, and on a telephone


@pytest.mark.parametrize("look", ["dark", "phone"])
def test_looks(opened, look):
    look_at(opened, look)
    screenshot(opened, look)
    assert not moves_sideways(opened.page), "the page moves sideways"
    assert opened.faults == []


ASKED = {
    "light": {},
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},  # it has other colours
    "phone": {"rules": {"color-contrast": {"enabled": False}}},  # its colours are those of the light; its menus are not
}


@pytest.mark.parametrize("look", ["phone", "light", "dark"])
def test_nobody_is_kept_out(opened, look):
    """Last, because it thins the page's code out."""
    look_at(opened, look)
    assert barriers(opened.page, ASKED[look]) == []


@pytest.mark.parametrize("look", ["dark", "phone"])
@pytest.mark.parametrize("name", ["index", "playground"])
def test_looks_from_the_start(open_page, name, look):
    one = open_page(name, **LOOKS[look])
    assert one.page.locator("html").get_attribute("data-theme") == LOOKS[look]["color_scheme"]
    assert not moves_sideways(one.page), "the page moves sideways"
    assert one.faults == []
    assert barriers(one.page, ASKED[look]) == []
    one.page.context.close()


# All of them


def test_there_are_players(book):
    pages = [(book / f"{name}.html").read_text(encoding="utf-8") for name in PAGES]
    assert sum(page.count('class="drumlib-player') for page in pages) >= PLAYERS


def test_search_finds_micro_timing(open_page):
    """From the disk as well: no excerpts are asked for there, which a browser would refuse."""
    opened = open_page("search", query="?q=micro-timing")
    opened.page.wait_for_selector("#search-results li a", timeout=20_000)
    opened.page.wait_for_function("document.querySelector('#search-results').textContent.includes('finished')")
    found = opened.page.locator("#search-results li a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert any(address.startswith("music.html") for address in found), found
    assert opened.faults == []
    opened.page.context.close()
