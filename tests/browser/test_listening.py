"""A listener: answers ten pairs in a browser, by real clicks; what the page then says must be what Python says."""

import json
from pathlib import Path

import numpy as np
import pytest

from drumbook import listening_test
from drumbook.listening_test import Clip, ListeningTest, read_answers, tally
from drumlib.display.sound import SAMPLE_RATE
from drumlib.evaluation.statistics import sign_test, wilson_interval

HEAR = 0.3
NASTY = "<img src=x onerror=alert(1)> & \"rules\" 'too'"
KINDS = [("network", "written"), ("network", "machine"), (NASTY, "network")]
ANSWERS = ["a", "b", "none", "a", "a", "b", "a", "none", "b", "a"]


def make_test(seed: int | None = 3, pairs: int = 10) -> ListeningTest:
    """Four songs and four drummers; each is a tone of its own, so that a test could hear who plays."""
    drummers = ["network", "written", "machine", NASTY]
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    clips = [
        Clip(f"song {song}", who, (0.1 * np.sin(2 * np.pi * 110 * (4 * song + i + 2) * time)).astype(np.float32))
        for song in range(4)
        for i, who in enumerate(drummers)
    ]
    return ListeningTest(clips, KINDS, pairs=pairs, hear=HEAR, seed=seed)


@pytest.fixture(scope="session")
def address(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("listening") / "listening_test.html"
    make_test().save(path)
    return path.as_uri()


@pytest.fixture
def visit(browser):
    """Opens the page in a browser of its own; whatever goes wrong there makes the test fail."""
    contexts, faults = [], []

    def one(address: str, before: str | None = None, **options):
        context = browser.new_context(accept_downloads=True, **options)
        contexts.append(context)
        if before:
            context.add_init_script(before)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith(("data:", "blob:")) or request.url == address
                else faults.append(request.url)
            ),
        )
        page.goto(address)
        page.wait_for_selector(".drumlib-listening-test[data-ready]")
        return page

    yield one
    for context in contexts:
        context.close()
    assert faults == []


def kept(page) -> dict:
    return page.evaluate("document.querySelector('.drumlib-listening-test').drumlib.session")


def hear_both(page):
    """Press play, and switch to B when enough was heard of A."""
    page.click(".dlt-hear[data-side=a]")
    page.wait_for_function("+document.querySelector('.drumlib-listening-test').dataset.position > 0.35", timeout=20_000)
    page.click(".dlt-hear[data-side=b]")
    page.wait_for_selector(".dlt-answer[data-answer=a][aria-disabled=false]", timeout=20_000)


def judge(page, answers):
    """Answer so many pairs; returns what was asked and answered."""
    given = []
    for answer in answers:
        song, a, b = kept(page)["plan"][0]
        hear_both(page)
        page.click(f".dlt-answer[data-answer={answer}]")
        given.append({"sitting": kept(page)["sitting"], "song": song, "a": a, "b": b, "answer": answer})
    return given


def rows_of(page) -> list[dict]:
    return page.eval_on_selector_all(".dlt-row", "rows => rows.map(row => ({...row.dataset}))")


def test_ten_answers_are_counted_as_python_counts_them(visit, address, tmp_path):
    page = visit(address)
    plan = kept(page)["plan"]
    kinds = [sorted(pair[1:]) for pair in plan]
    assert sorted(kinds.count(sorted(kind)) for kind in KINDS) == [3, 3, 4], "kinds are not balanced"
    assert len(set(map(str, map(sorted, plan)))) == 10, "a pair is there twice"
    assert {pair[1] == "network" for pair in plan} == {True, False}, "one drummer is always on one side"

    given = judge(page, ANSWERS)
    assert kept(page)["answers"] == given and page.locator(".dlt-result").is_visible()
    assert page.evaluate("document.activeElement.className") == "dlt-heading"

    with page.expect_download() as download:
        page.click(".dlt-save")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    listener = read_answers(path)
    assert [answer._asdict() for answer in listener.answers] == given
    assert listener.page == make_test().page

    shown, counted = rows_of(page), tally([listener])
    assert len(shown) == len(counted) == 4 and counted[-1].second == "all others"
    assert sum(row.won + row.lost + row.undecided for row in counted[:-1]) == 10 and counted[-1].undecided == 2
    for there, row in zip(shown, counted, strict=True):
        assert (there["first"], there["second"]) == (row.first, row.second)
        assert [int(there[name]) for name in ("won", "lost", "undecided")] == [row.won, row.lost, row.undecided]
        assert (float(there["low"]), float(there["high"])) == pytest.approx(row.interval, abs=1e-5)
        assert float(there["p"]) == pytest.approx(row.p_value, abs=1e-5)
    said = page.locator(".dlt-counts").all_inner_texts()
    for row, text in zip(counted, said, strict=True):
        assert f"{row.first} {row.won}, {row.second} {row.lost}, can’t tell {row.undecided}" in text
        assert "chance" in text.lower()
    assert page.locator(".drumlib-listening-test img").count() == 0, "a drummer's name became HTML"


@pytest.mark.parametrize("won, of", [(0, 0), (0, 3), (3, 3), (5, 10), (9, 10), (60, 100), (700, 1200)])
def test_the_page_counts_as_python_does(visit, address, won, of):
    page = visit(address)
    page.add_script_tag(path=Path(listening_test.__file__).with_name("statistics.js"))
    said = page.evaluate(f"(t => [...t.wilson({won}, {of}), t.signTest({won}, {of})])(window.drumlib.statistics)")
    assert said == pytest.approx([*wilson_interval(won, of), sign_test(won, of)], abs=1e-9)


def test_an_answer_counts_only_when_both_were_heard(visit, address):
    page = visit(address)  # below, force: such a button says that it is disabled, and answers all the same
    page.click(".dlt-answer[data-answer=a]", force=True)
    assert "hear both" in page.inner_text(".dlt-status")
    page.click(".dlt-hear[data-side=a]")
    page.wait_for_function("+document.querySelector('.drumlib-listening-test').dataset.position > 0.4", timeout=20_000)
    page.click(".dlt-answer[data-answer=a]", force=True)
    assert "hear B" in page.inner_text(".dlt-status")
    assert kept(page)["answers"] == [] and len(kept(page)["plan"]) == 10


def test_a_switch_keeps_the_place_and_changes_what_is_heard(visit, address):
    page = visit(address)
    page.click(".dlt-play")
    page.wait_for_function("+document.querySelector('.drumlib-listening-test').dataset.position > 0.3", timeout=20_000)
    before = float(page.get_attribute(".drumlib-listening-test", "data-position"))
    page.keyboard.press("b")
    assert page.get_attribute(".dlt-hear[data-side=b]", "aria-pressed") == "true"
    assert page.get_attribute(".dlt-hear[data-side=a]", "aria-pressed") == "false"
    page.wait_for_timeout(150)
    assert page.get_attribute(".drumlib-listening-test", "data-state") == "playing"
    assert before < float(page.get_attribute(".drumlib-listening-test", "data-position")) < before + 1.5
    sides = "(s => [s.a, s.b])(document.querySelector('.drumlib-listening-test').drumlib.sides)"
    through = page.evaluate(f"{sides}.map(side => side.voice.gain.gain.value)")
    assert through[0] < 0.01 and through[1] > 0.99, "B was chosen, and is not what is heard"
    song, a, b = kept(page)["plan"][0]
    assert page.evaluate(f"{sides}.map(side => [side.clip.song, side.clip.drummer])") == [[song, a], [song, b]]
    # Each clip is a tone of its own: what was decoded is what the plan says.
    crossings = page.evaluate(
        f"{sides}.map(side => side.buffer).map(buffer => buffer.getChannelData(0)"
        ".slice(buffer.sampleRate / 2, buffer.sampleRate * 1.5)"  # one second of it
        ".reduce((n, x, i, all) => n + (i > 0 && all[i - 1] < 0 && x >= 0), 0))"
    )
    drummers = ["network", "written", "machine", NASTY]
    tones = [110 * (4 * int(song.split()[1]) + drummers.index(who) + 2) for who in (a, b)]
    assert crossings == pytest.approx(tones, abs=2)


def test_by_keyboard_alone(visit, address):
    page = visit(address)
    page.focus(".dlt-play")
    page.keyboard.press("Enter")
    page.wait_for_function("+document.querySelector('.drumlib-listening-test').dataset.position > 0.35", timeout=20_000)
    page.keyboard.press("b")
    page.wait_for_selector(".dlt-answer[data-answer=b][aria-disabled=false]", timeout=20_000)
    reached = []
    while "dlt-answer" not in reached and len(reached) < 6:  # play, position, A, B, answers
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className"))
    page.keyboard.press("Space")
    assert [answer["answer"] for answer in kept(page)["answers"]] == ["a"]
    assert page.evaluate("document.activeElement.className") == "dlt-play", "the focus is lost with the pair"
    assert "Pair 2 of 10" in page.inner_text(".dlt-which")


def test_answers_survive_a_reload_and_are_forgotten_when_asked(visit, address):
    page = visit(address)
    given, plan = judge(page, ["b", "none"]), kept(page)["plan"]
    page.reload()
    page.wait_for_selector(".drumlib-listening-test[data-ready]")
    assert kept(page)["answers"] == given and kept(page)["plan"] == plan
    assert "Pair 3 of 10" in page.inner_text(".dlt-which")

    page.click(".dlt-again")
    assert kept(page)["answers"] == given and kept(page)["sitting"] == 2 and len(kept(page)["plan"]) == 10

    page.click(".dlt-forget")
    assert kept(page)["answers"] == given, "forgotten at the first touch"
    page.click(".dlt-forget")
    assert kept(page)["answers"] == [] and page.evaluate("localStorage.length") == 0
    page.reload()
    page.wait_for_selector(".drumlib-listening-test[data-ready]")
    assert kept(page)["answers"] == [] and "Pair 1 of 10" in page.inner_text(".dlt-which")


def test_two_tabs_share_one_sitting(visit, address):
    first = visit(address)
    second = first.context.new_page()
    second.goto(address)
    second.wait_for_selector(".drumlib-listening-test[data-ready]")
    assert kept(second) == kept(first)

    given = judge(second, ["a"])
    first.wait_for_selector(".drumlib-listening-test[data-answers='1']")
    assert "Pair 2 of 10" in first.inner_text(".dlt-which") and "another tab" in first.inner_text(".dlt-status")
    given += judge(first, ["none"])
    second.wait_for_selector(".drumlib-listening-test[data-answers='2']")
    assert kept(first)["answers"] == kept(second)["answers"] == given

    first.click(".dlt-forget")
    first.click(".dlt-forget")
    second.wait_for_selector(".drumlib-listening-test[data-answers='0']")
    assert "Pair 1 of 10" in second.inner_text(".dlt-which")


def test_a_browser_that_keeps_nothing(visit, address):
    refuse = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    page = visit(address, before=refuse)
    assert "keeps nothing" in page.inner_text(".dlt-keeps")
    assert len(judge(page, ["a"])) == 1 and len(kept(page)["answers"]) == 1


@pytest.mark.parametrize(
    "stored", ["nonsense", "[]", '{"answers": 3}', json.dumps({"sitting": 1, "plan": [["x", "y", "z"]], "answers": []})]
)
def test_nonsense_that_is_stored_is_left_aside(visit, address, stored):
    key = f"drumlib-listening-test-{make_test().page}"
    page = visit(address, before=f"localStorage.setItem({json.dumps(key)}, {json.dumps(stored)})")
    assert len(kept(page)["plan"]) == 10 and kept(page)["answers"] == []


def test_the_draw_follows_the_seed_and_else_luck(visit, tmp_path):
    def plan(seed):
        path = tmp_path / f"{seed}.html"
        make_test(seed).save(path)
        return kept(visit(path.as_uri()))["plan"]

    assert plan(3) == plan(3) != plan(4)
    assert plan(None) != plan(None)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone(visit, address, scheme):
    page = visit(address, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    paper, ink = page.eval_on_selector(
        ".drumlib-listening-test", "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    )
    light = [sum(map(int, colour[4:-1].split(","))) / 765 for colour in (paper, ink)]
    assert (light[0] > light[1]) == (scheme == "light") and abs(light[0] - light[1]) > 0.6


def test_the_page_of_the_book(browser, book):
    path = book / "listening.html"
    if not path.is_file():
        pytest.skip("the chapter is not built: make book")
    page, faults = browser.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: faults.append(request.url) if request.url.startswith("http") else None)
    page.goto(path.as_uri())
    page.wait_for_selector(".drumlib-listening-test[data-ready]")
    test = page.evaluate("document.querySelector('.drumlib-listening-test').drumlib.test")
    assert page.get_attribute(".drumlib-listening-test", "data-seed") is None, "each reader must have a draw of his own"
    assert test["pairs"] == 10 == len(kept(page)["plan"])
    page.click(".dlt-play")
    page.wait_for_function("+document.querySelector('.drumlib-listening-test').dataset.position > 0.3", timeout=20_000)
    page.close()
    assert faults == []
    assert path.stat().st_size < 3_000_000
