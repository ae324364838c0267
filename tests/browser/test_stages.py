"""Stages and sequencers in a page of their own: opened from a disk with all addresses blocked, played and turned."""

import base64
import importlib
import re
import urllib.parse

import numpy as np
import pytest
from tools import load_tool

from drumlib.display import Player, sound
from drumlib.display.widgets import Knob, Sequencer, Stage, Take
from drumlib.music import Grid, Groove, Note, Song, Tempo, Track, groove_of, notes_from_groove, read_song, songbook
from drumlib.music.kit import DRUMS, HIGH_TOM, KICK, OPEN_HAT, SNARE
from drumlib.music.rock_beat import rock_bar

song_file = importlib.import_module("drumbook.widgets.your_song")

NASTY = "<img src=x onerror=alert(1)> & \"rules\" 'too'</script><b>"
BPM = 120
RATE = sound.SAMPLE_RATE


def humanized(strength: float, bars: int = 2) -> Groove:
    rng = np.random.default_rng(0)
    hits = np.tile(rock_bar(), (bars, 1))
    velocities = np.clip(0.7 + 0.3 * strength * rng.normal(size=hits.shape), 0.3, 1)
    offsets = np.clip(0.15 * strength * rng.normal(size=hits.shape), -0.45, 0.45)
    return Groove(hits, hits * velocities, hits * offsets)


def play(strength: float, picture: str) -> Take:
    shown = np.linspace(0, 1, 96).reshape(3, 32) if picture == "with" else None
    return Take(
        humanized(strength), f"Strength {strength} {NASTY}", shown, ("a", "b", NASTY) if picture == "with" else ()
    )


def knobs_stage() -> Stage:
    knobs = [Knob("strength", "Strength", (0.0, 0.5, 1.0), start=1), Knob("picture", "Picture", ("with", "without"))]
    return Stage("Humanize", knobs, play, bpm=BPM)


def bass(*pitches: int) -> Song:
    return Song(480, (Track(tuple(Note(480 * i, pitch, 90, 400) for i, pitch in enumerate(pitches)), 33),), name="bass")


def stems_stage() -> Stage:
    songs = {"low": bass(*[40] * 8), "high": bass(*[52] * 8)}
    return Stage("Bass", [Knob("who", "Bass", ("low", "high"))], lambda who: Take(humanized(0), stem=who), stems=songs)


@pytest.fixture(scope="module")
def visit(browser, tmp_path_factory):
    """``visit(html, **options)`` opens a page with this in it. Whatever goes wrong there makes the test fail."""
    faults, contexts = [], []

    def one(*pieces: str, **options):
        path = tmp_path_factory.mktemp("stage") / "page.html"
        head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        head += "<title>Page</title><style>:root { color-scheme: light dark; }</style>"
        body = "".join(f"<h2>Piece</h2>{piece}" for piece in pieces)
        page = f'<html lang="en"><head>{head}</head><body><main><h1>Page</h1>{body}</main></body></html>'
        path.write_text("<!doctype html>" + page, encoding="utf-8")
        context = browser.new_context(accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))

        def block(route):
            faults.append(route.request.url)
            route.abort()

        context.route(lambda address: not address.startswith(("file:", "data:", "blob:")), block)
        page.goto(path.as_uri())
        page.wait_for_function("document.querySelectorAll('.drumlib-stage:not([data-ready])').length === 0")
        return page

    yield one
    for context in contexts:
        context.close()
    assert faults == []


BYTES = """root => root.drumlib.samples().then(audio => {
    const bytes = new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength), parts = [];
    for (let i = 0; i < bytes.length; i += 30000) {
        parts.push(btoa(String.fromCharCode(...bytes.subarray(i, i + 30000))));
    }
    return parts.join("");
})"""


REPLACE = """pages => {
    for (const html of pages) {
        const place = document.createElement("div");
        document.querySelector(".drumlib-stage").replaceWith(place);
        place.innerHTML = html;
        for (const script of place.querySelectorAll("script:not([type])")) {
            const fresh = document.createElement("script");
            fresh.textContent = script.textContent;
            script.replaceWith(fresh);
        }
    }
}"""
"""Puts a stage in the place of the one before, as a notebook does, and then the next one."""


def heard(page, number: int = 0) -> np.ndarray:
    """What a stage of a page would sound like now, (samples,)."""
    text = page.locator(".drumlib-stage").nth(number).evaluate(BYTES)
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def turn(page, knob: str, to: int, number: int = 0):
    page.locator(".drumlib-stage").nth(number).locator(f'[data-knob="{knob}"]').evaluate(
        "(knob, to) => { knob.value = to; knob.dispatchEvent(new Event('input', {bubbles: true})); }", to
    )


def position(page, number: int = 0) -> float:
    return float(page.locator(".drumlib-stage").nth(number).get_attribute("data-position"))


def rendered(groove: Groove, bpm: float = BPM) -> np.ndarray:
    """The same drums, by the synthesizer."""
    ruler = Song(480, (Track((Note(0, 60, 1, 120 * len(groove)),)),))
    drums = Track(notes_from_groove(groove, Grid(ruler)), is_drum=True)
    return sound.render(Song(480, (drums,), (Tempo(0, round(6e7 / bpm)),)))


def decibels(audio) -> float:
    return 10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-12)


# Sound


def test_each_hit_is_as_loud_and_as_early_as_the_synthesizer_has_it(visit):
    """Every drum, softly, at middling loudness and loudly, one after the other."""
    every, order = 12, [(drum, velocity) for velocity in (40, 80, 120) for drum in range(9)]
    hits = np.zeros((336, 9))
    velocities, offsets = hits.copy(), hits.copy()
    for i, (drum, velocity) in enumerate(order):
        hits[every * i, drum], velocities[every * i, drum] = 1, velocity / 127
        offsets[every * i, drum] = (0, 0.25, -0.25)[i % 3] if i else 0
    groove = Groove(hits, velocities, offsets)
    page = visit(Stage("Scale", [], lambda: Take(groove), bpm=BPM).html)
    page.click(".dls-loop")  # once, with its end
    ours, theirs = heard(page), rendered(groove)
    assert np.abs(ours).max() <= sound.CEILING + 1e-6
    step = 60 / BPM / 4
    for i, (drum, velocity) in enumerate(order):
        begin = round((every * i - 0.5) * step * RATE) if i else 0
        parts = [audio[begin : begin + round(0.5 * RATE)].astype(float) for audio in (ours, theirs)]
        what = f"{DRUMS[drum]} at velocity {velocity}"
        assert decibels(parts[0]) == pytest.approx(decibels(parts[1]), abs=2), what
        first = [np.flatnonzero(np.abs(part) > 0.3 * np.abs(part).max())[0] / RATE for part in parts]
        assert first[0] == pytest.approx(first[1], abs=0.003), what


def test_a_groove_sounds_as_the_synthesizer_plays_it(visit):
    page = visit(Stage("Groove", [], lambda: Take(humanized(1.0)), bpm=BPM).html)
    page.click(".dls-loop")
    ours, theirs = heard(page), rendered(humanized(1.0))
    length, window = min(len(ours), len(theirs), 4 * RATE), RATE // 8  # a step; each begins half a step early
    begins = range(window // 2, length - window, window)
    levels = np.array([[decibels(audio[i : i + window]) for i in begins] for audio in (ours, theirs)])
    played = humanized(1.0).hits[1 : len(begins) + 1].any(axis=1)
    assert played.sum() > 12 and np.abs(levels[0] - levels[1])[played].max() < 2
    shifts = range(-240, 241, 12)
    likeness = [np.corrcoef(ours[1000 + s : length - 1000 + s], theirs[1000 : length - 1000])[0, 1] for s in shifts]
    assert abs(shifts[int(np.argmax(likeness))]) / RATE <= 0.003 and max(likeness) > 0.8


def test_the_hats_end_the_open_one(visit):
    hits = np.zeros((16, 9))
    hits[[0, 4], [OPEN_HAT, 2]] = 1
    groove = Groove(hits, hits, hits * 0)
    page = visit(Stage("Hats", [], lambda: Take(groove), bpm=BPM).html)
    page.click(".dls-loop")
    audio = heard(page)
    assert decibels(audio[int(0.4 * RATE) : int(0.49 * RATE)]) > -50
    assert decibels(audio[int(0.7 * RATE) : int(0.9 * RATE)]) < -100


def test_a_loop_rings_over_its_beginning_and_keeps_its_early_hits(visit):
    hits = np.zeros((16, 9))
    hits[0, KICK], hits[15, 8] = 1, 1
    offsets = np.zeros((16, 9))
    offsets[0, KICK] = -0.4
    page = visit(Stage("Loop", [], lambda: Take(Groove(hits, hits, offsets)), bpm=BPM).html)
    loop = heard(page)
    assert len(loop) == 2 * RATE
    assert decibels(loop[: RATE // 10]) > -40, "the crash of the last step rings on"
    early = round((16 - 0.4) * 0.125 * RATE)
    assert np.abs(loop[early : early + 2000]).max() > 0.2, "the kick is early: it stands at the loop's end"
    page.click(".dls-loop")
    once = heard(page)
    assert len(once) == 3.5 * RATE and np.abs(once[:2000]).max() > 0.2


# Knobs


def test_a_knob_changes_what_is_heard_and_said(visit):
    page = visit(knobs_stage().html)
    audio = [heard(page)]
    for to in (0, 2, 1):
        turn(page, "strength", to)
        audio.append(heard(page))
        assert page.get_attribute("[data-knob=strength]", "aria-valuetext") == ("0.0", "0.5", "1.0")[to]
        assert page.inner_text(".dls-caption") == f"Strength {(0.0, 0.5, 1.0)[to]} {NASTY}"
        assert f"Strength {(0.0, 0.5, 1.0)[to]}" in page.text_content(".dls-summary")
    assert len({one.tobytes() for one in audio}) == 3 and audio[0].tobytes() == audio[3].tobytes()
    assert all(-40 < decibels(one) and np.abs(one).max() <= sound.CEILING + 1e-6 for one in audio)
    assert page.locator(".drumlib-stage img, .drumlib-stage b >> text=rules").count() == 0, "a caption became HTML"


def test_a_knob_changes_the_picture(visit):
    page = visit(knobs_stage().html)
    pictures = []
    for to in (0, 1):
        page.select_option("[data-knob=picture]", str(to))
        pictures.append(page.evaluate("document.querySelector('.dls-roll').toDataURL()"))
        assert page.locator(".dls-scale").is_visible() == (to == 0)
    assert pictures[0] != pictures[1]


def test_a_knob_that_is_moved_while_it_plays_keeps_the_time(visit):
    page = visit(knobs_stage().html)
    page.click(".dls-play")
    page.wait_for_function("+document.querySelector('.drumlib-stage').dataset.position > 0.4", timeout=20_000)
    rounds = page.evaluate(
        """() => new Promise(done => {
            const root = document.querySelector(".drumlib-stage"), knob = root.querySelector("[data-knob=strength]");
            const seen = [], began = performance.now();
            let turned = 0;
            (function look() {
                const t = (performance.now() - began) / 1000;
                seen.push([t, +root.dataset.position, root.dataset.state]);
                if (t > 0.3 * (turned + 1) && turned < 5) {
                    knob.value = ++turned % 3;
                    knob.dispatchEvent(new Event("input", {bubbles: true}));
                }
                if (t < 2) requestAnimationFrame(look); else done(seen);
            })();
        })"""
    )
    assert {state for _, _, state in rounds} == {"playing"}
    # Wherever the knob was turned, the playhead stays where the clock says, but for a frame or two.
    t, at = np.array([[t, p] for t, p, _ in rounds]).T
    lag = np.unwrap(2 * np.pi * (at - t) / 4) / (2 * np.pi) * 4
    assert np.ptp(lag) < 0.25


def test_what_is_played_is_what_is_mixed(visit):
    """The loop as a browser plays it, caught on its way to the loudspeaker."""
    page = visit(knobs_stage().html)
    page.evaluate(
        """() => {
            window.started = [];
            const start = AudioBufferSourceNode.prototype.start;
            AudioBufferSourceNode.prototype.start = function (when, offset) {
                const loop = [this.loop, this.loopStart, this.loopEnd];
                window.started.push({when, offset, loop, buffer: this.buffer});
                return start.call(this, when, offset);
            };
        }"""
    )
    page.click(".dls-play")
    page.wait_for_function("+document.querySelector('.drumlib-stage').dataset.position > 0.2", timeout=20_000)
    turn(page, "strength", 2)
    page.wait_for_function("window.started.length === 2")
    (first, second) = page.evaluate("window.started.map(one => [one.when, one.offset, one.loop])")
    assert first[1] == 0 and first[2] == second[2] == [True, 4, 8]
    assert second[1] - first[1] == pytest.approx((second[0] - first[0]) % 4, abs=1e-6), "out of time"
    same = page.evaluate(
        """() => document.querySelector(".drumlib-stage").drumlib.samples().then(audio => {
            const played = window.started[1].buffer.getChannelData(0).subarray(4 * 48000);
            return audio.length === played.length && audio.every((x, i) => x === played[i]);
        })"""
    )
    assert same


def test_play_pause_and_the_other_stage(visit):
    page = visit(knobs_stage().html, stems_stage().html, knobs_stage().html)
    stages = page.locator(".drumlib-stage")
    for number in (0, 1, 2):
        stages.nth(number).locator(".dls-play").click()
        page.wait_for_function(
            "n => +document.querySelectorAll('.drumlib-stage')[n].dataset.position > 0.2", arg=number, timeout=20_000
        )
        assert [stages.nth(i).get_attribute("data-state") for i in range(3)].count("playing") == 1
    stages.nth(2).locator(".dls-play").click()
    assert stages.nth(2).get_attribute("data-state") == "paused"
    stopped = position(page, 2)
    page.wait_for_timeout(200)
    assert position(page, 2) == stopped > 0.2
    stages.nth(2).locator(".dls-restart").click()
    assert position(page, 2) == 0


def test_without_the_loop_it_ends(visit):
    hits = np.zeros((4, 9))
    hits[0, SNARE] = 1
    page = visit(Stage("Short", [], lambda: Take(Groove(hits, hits, hits * 0)), bpm=BPM).html)
    page.click(".dls-loop")
    assert page.get_attribute(".dls-loop", "aria-pressed") == "false"
    page.click(".dls-play")
    page.wait_for_selector(".drumlib-stage[data-state=playing]")
    page.wait_for_selector(".drumlib-stage[data-state=stopped]", timeout=20_000)
    assert position(page) == 0


def test_stems(visit):
    page = visit(stems_stage().html)
    low = heard(page)
    page.select_option("[data-knob=who]", "1")
    high = heard(page)
    page.click(".dls-mute[data-mutes=stems]")
    drums = heard(page)
    page.click(".dls-mute[data-mutes=drums]")
    assert np.abs(heard(page)).max() == 0
    page.click(".dls-mute[data-mutes=stems]")
    alone = heard(page)
    assert np.abs(high - drums - alone).max() < 1e-5

    assert np.corrcoef(low, high)[0, 1] < 0.95
    expected = sound.render(bass(*[52] * 8))
    assert np.corrcoef(alone[: 3 * RATE], expected[: 3 * RATE])[0, 1] > 0.95
    assert decibels(alone[: 3 * RATE]) == pytest.approx(decibels(expected[: 3 * RATE]), abs=1)


def test_a_stage_that_takes_the_place_of_another_goes_on_with_its_music(visit):
    """As a live one does: with a kernel, each turn of a knob makes a new stage of one take."""
    one, two = (Stage("Live", [], lambda s=s: Take(humanized(s)), bpm=BPM).html for s in (0.0, 1.0))
    page = visit(one)
    page.click(".dls-play")
    page.wait_for_function("+document.querySelector('.drumlib-stage').dataset.position > 0.5", timeout=20_000)
    page.evaluate("window.was = +document.querySelector('.drumlib-stage').dataset.position")
    page.evaluate(REPLACE, [two])
    page.wait_for_selector(".drumlib-stage[data-state=playing]")
    page.wait_for_function("+document.querySelector('.drumlib-stage').dataset.position > window.was", timeout=5_000)
    assert position(page) < page.evaluate("window.was") + 2
    page.click(".dls-play")
    assert page.get_attribute(".drumlib-stage", "data-state") == "paused"


def test_a_stage_whose_samples_are_not_loaded_is_loading_and_may_be_edited(visit):
    """The one before has left its music; until the new one can mix, what is changed waits, and the music goes on."""
    one, two = (Stage("Live", [], lambda s=s: Take(humanized(s)), bpm=BPM).html for s in (0.0, 1.0))
    page = visit(one)
    page.click(".dls-play")
    page.wait_for_function("+document.querySelector('.drumlib-stage').dataset.position > 0.5", timeout=20_000)
    was = position(page)
    states = page.evaluate(
        f"""html => {{
            ({REPLACE})(html);
            const root = document.querySelector(".drumlib-stage"), states = [root.dataset.state];
            root.drumlib.edit([{{ step: 0, drum: 0, velocity: 127, offset: 0 }}]);
            root.querySelector(".dls-loop").click();
            states.push(root.dataset.state, root.querySelector(".dls-loop").getAttribute("aria-pressed"));
            return states;
        }}""",
        [two],
    )
    assert states == ["loading", "loading", "false"]
    page.wait_for_selector(".drumlib-stage[data-state=playing]", timeout=5_000)
    assert was <= position(page) < was + 2
    audio = heard(page)
    assert len(audio) == 5.5 * RATE and decibels(audio[RATE : 2 * RATE]) < -60, "the edit was lost"


def test_three_stages_in_a_row_hand_on_their_music(visit):
    """The second is replaced before it has loaded anything."""
    one, two, three = (Stage("Live", [], lambda s=s: Take(humanized(s)), bpm=BPM).html for s in (0.0, 0.5, 1.0))
    page = visit(one)
    page.click(".dls-play")
    page.wait_for_function("+document.querySelector('.drumlib-stage').dataset.position > 0.5", timeout=20_000)
    was = position(page)
    page.evaluate(REPLACE, [two, three])
    page.wait_for_selector(".drumlib-stage[data-state=playing]", timeout=5_000)
    assert was <= position(page) < was + 2


def test_a_stage_that_replaces_one_which_is_loading_plays(visit):
    """Play was pressed, and a knob turned before the samples were there."""
    one, two = (Stage("Live", [], lambda s=s: Take(humanized(s)), bpm=BPM).html for s in (0.0, 1.0))
    page = visit(one)
    state = page.evaluate(
        f"""html => {{
            document.querySelector(".dls-play").click();
            const state = document.querySelector(".drumlib-stage").dataset.state;
            ({REPLACE})(html);
            return state;
        }}""",
        [two],
    )
    assert state == "loading"
    page.wait_for_selector(".drumlib-stage[data-state=playing]", timeout=5_000)


def test_a_stage_that_takes_over_is_muted_as_the_one_before(visit):
    page = visit(stems_stage().html)
    stage = Stage("Live", [], lambda: Take(humanized(0)), stems={"low": bass(*[40] * 8)}).html
    page.evaluate(REPLACE, [stage])
    page.click(".dls-mute[data-mutes=stems]")
    page.click(".dls-play")
    page.wait_for_selector(".drumlib-stage[data-state=playing]", timeout=20_000)
    page.evaluate(REPLACE, [stage])
    page.wait_for_selector(".drumlib-stage[data-state=playing]", timeout=5_000)
    muted = {name: page.get_attribute(f".dls-mute[data-mutes={name}]", "aria-pressed") for name in ("drums", "stems")}
    assert muted == {"drums": "false", "stems": "true"}


def test_samples_that_cannot_be_decoded_are_said(visit):
    """The kit is there; the music of the stage that takes over is not: it falls silent and says so."""
    page = visit(Stage("Live", [], lambda: Take(humanized(0)), bpm=BPM).html)
    broken = Stage("Live", [], lambda: Take(humanized(0)), stems={"low": bass(*[40] * 8)}).html
    broken = re.sub(r"(<audio [^>]*base64,)[^\"]*", r"\1AAAA", broken)
    page.click(".dls-play")
    page.wait_for_selector(".drumlib-stage[data-state=playing]", timeout=20_000)
    page.evaluate(REPLACE, [broken])
    page.wait_for_selector(".drumlib-stage[data-state=error]", timeout=5_000)
    assert "cannot play" in page.inner_text(".dls-status")


# Many in one page


def test_a_page_without_repetitions_has_the_same_players(visit):
    """As the book's pages are built: what several have in common stands once."""
    pieces = [knobs_stage().html, Sequencer(bars=1).html, knobs_stage().html, Sequencer(bars=2).html]
    player = Player(songbook.song("rock"), bars=2).html
    said_once = load_tool("said_once").say_once("".join([player, *pieces, player]) + "</body>")
    assert len(said_once) < 0.5 * len("".join([player, *pieces, player]))
    page, plain = visit(said_once), visit(*pieces)
    assert page.locator("[data-ready]").count() == 6 and page.locator("[data-edits]").count() == 2
    for number in range(4):
        assert heard(page, number).tobytes() == heard(plain, number).tobytes()
    page.locator(".dlp-play").last.click()
    page.wait_for_selector(".drumlib-player >> nth=1 >> .dlp-icon-pause", timeout=20_000)
    assert page.evaluate("Object.keys(window).filter(name => name.startsWith('drumlib')).length") == 1


def test_the_songbook_in_place_of_a_song_of_yours(visit, monkeypatch):
    """A stage is made when its song is chosen; the link gives the whole song with the drums that are chosen."""
    songs = {(name, who): songbook.song(name) for name in songbook.names() for who in song_file.DRUMMERS}
    monkeypatch.setattr(song_file.YourSong, "songs", songs)
    mine = song_file.YourSong()
    page, names = visit(mine.html), songbook.names()
    page.wait_for_selector(".dlys-take a")
    titles = {page.text_content(".dls-title")}
    page.click(".dls-play")
    page.wait_for_function("+document.querySelector('.drumlib-stage').dataset.position > 0.2", timeout=20_000)
    page.select_option(".dlys-song", "2")
    page.wait_for_selector(f".dlys-take a[download='{song_file.file_name(names[2])}']")
    titles.add(page.text_content(".dls-title"))
    assert len(titles) == 2 and np.abs(heard(page)).max() > 0.1
    assert page.get_attribute(".drumlib-stage", "data-state") == "stopped"
    with page.expect_download() as download:
        page.click(".dlys-take a")
    assert download.value.path().read_bytes() == next(
        content for (name, _), content in mine.files.items() if name == names[2]
    )
    page.select_option(".dlys-song", "0")
    assert page.get_attribute(".drumlib-stage", "data-state") == "paused", "the first stage is the same as before"


# Hands and eyes


def test_by_keyboard_alone(visit):
    page = visit(knobs_stage().html)
    before = heard(page)
    page.focus("[data-knob=strength]")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("[data-knob=strength]", "aria-valuetext") == "1.0"
    assert heard(page).tobytes() != before.tobytes()
    reached = []
    while "dls-roll" not in reached and len(reached) < 7:  # a list, play, restart, loop, roll
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className"))
    assert reached == ["dls-knob", "dls-play", "dls-restart", "dls-loop", "dls-roll"]
    page.keyboard.press("ArrowRight")
    assert position(page) == pytest.approx(0.5)
    page.keyboard.press("Space")
    page.wait_for_selector(".drumlib-stage[data-state=playing]", timeout=20_000)
    page.keyboard.press("Space")
    assert page.get_attribute(".drumlib-stage", "data-state") == "paused"
    assert page.get_attribute(".dls-roll", "aria-valuetext").startswith("bar 1 of 2")


def test_each_beat_is_spoken(visit):
    page = visit(knobs_stage().html)
    roll, said = page.locator(".dls-roll"), []
    roll.focus()
    for _ in range(5):
        said.append(roll.get_attribute("aria-valuetext"))
        page.keyboard.press("ArrowRight")
    assert [text.rpartition(",")[0] for text in said] == [
        *(f"bar 1 of 2, beat {beat}" for beat in (1, 2, 3, 4)),
        "bar 2 of 2, beat 1",
    ]
    for key in ("End", "PageUp", *["ArrowRight"] * 9):
        page.keyboard.press(key)
        now, most = (float(roll.get_attribute(name)) for name in ("aria-valuenow", "aria-valuemax"))
        assert now <= most


HEAD = """canvas => {
    const wanted = getComputedStyle(canvas.closest(".drumlib-player")).getPropertyValue("--drumlib-head").trim();
    const [r, g, b] = [1, 3, 5].map(i => parseInt(wanted.slice(i, i + 2), 16));
    const d = canvas.getContext("2d").getImageData(0, 0, canvas.width, 40).data;
    let found = 0;
    for (let i = 0; i < d.length; i += 4) if (d[i] === r && d[i + 1] === g && d[i + 2] === b && d[i + 3] > 200) found++;
    return found;
}"""
"""How much of the playhead is to be seen above the drums."""


@pytest.mark.parametrize("start_bar", [0, 4])
def test_a_player_at_rest_shows_where_it_will_begin(visit, start_bar):
    """From bar 4 on it begins half a step early, just left of what is drawn."""
    page = visit(Player(songbook.song("rock"), start_bar=start_bar, bars=4).html)
    page.wait_for_selector(".drumlib-player[data-ready]")
    assert page.locator(".drumlib-player canvas").evaluate(HEAD) > 20


def test_names_of_a_pictures_rows_have_room(visit):
    names = ("open hat, loudness", "hi-hat, timing")
    picture = np.ones((2, 32))
    stage = Stage("Names", [], lambda: Take(humanized(0), "", picture, names), bpm=BPM)
    for width in (375, 1000):
        page = visit(stage.html, viewport={"width": width, "height": 800})
        drawn = page.evaluate(
            """() => { const seen = [], pen = CanvasRenderingContext2D.prototype, fill = pen.fillText;
            pen.fillText = function (text) { seen.push(text); fill.apply(this, arguments); };
            window.dispatchEvent(new Event("resize"));
            document.documentElement.dataset.theme = "dark";
            return new Promise(done => setTimeout(() => done(seen), 200)); }"""
        )
        assert set(names) <= set(drawn), (width, drawn)


def test_bars_are_counted_from_where_the_song_is(visit):
    stage = knobs_stage()
    stage.start_bar = 12
    page = visit(stage.html)
    assert page.get_attribute(".dls-roll", "aria-valuetext").startswith("bar 13 of 14")
    assert "from bar 13" in page.text_content(".dls-title")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_they_fit_a_telephone_and_nobody_is_kept_out(visit, scheme):
    pieces = [knobs_stage().html, stems_stage().html, Sequencer(bars=2).html]
    page = visit(*pieces, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    paper, ink = page.eval_on_selector(
        ".drumlib-stage", "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    )
    light = [sum(map(int, colour[4:-1].split(","))) / 765 for colour in (paper, ink)]
    assert (light[0] > light[1]) == (scheme == "light") and abs(light[0] - light[1]) > 0.6
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"][:90]) for fault in found] == []


def test_the_books_own_switch_of_light(visit):
    page = visit(knobs_stage().html)
    colours = []
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        page.wait_for_timeout(50)
        colours.append(page.evaluate("document.querySelector('.dls-roll').toDataURL()"))
    assert colours[0] != colours[1]


# The sequencer


@pytest.fixture(scope="module")
def sequencer(visit):
    page = visit(Sequencer(bars=1, bpm=100).html)
    page.wait_for_selector(".drumlib-stage[data-edits]")
    return page


def cell(page, drum: int, step: int):
    return page.locator(f'.dlq-at[data-drum="{drum}"][data-step="{step}"]')


def taken_home(page) -> Groove:
    found = re.fullmatch(r'groove = Sequencer\.groove_from\("(.*)"\)', page.input_value(".dlq-text"))
    return Sequencer.groove_from(found[1])


def test_a_click_sets_and_clears(sequencer):
    sequencer.click(".dlq-reset")
    audio = [heard(sequencer)]
    cell(sequencer, HIGH_TOM, 3).click()
    audio.append(heard(sequencer))
    assert taken_home(sequencer).hits[3, HIGH_TOM] == 1
    assert cell(sequencer, HIGH_TOM, 3).get_attribute("aria-selected") == "true"
    assert "velocity 100" in cell(sequencer, HIGH_TOM, 3).get_attribute("aria-label")
    cell(sequencer, HIGH_TOM, 3).click()
    audio.append(heard(sequencer))
    assert taken_home(sequencer) == Sequencer().groove
    sequencer.click(".dlq-clear")
    audio.append(heard(sequencer))
    assert np.abs(audio[3]).max() == 0 and taken_home(sequencer).hits.sum() == 0
    assert audio[0].tobytes() == audio[2].tobytes() != audio[1].tobytes()
    sequencer.click(".dlq-reset")
    assert heard(sequencer).tobytes() == audio[0].tobytes()


def test_a_click_on_a_hit_chooses_it_and_only_the_next_one_clears_it(sequencer):
    sequencer.click(".dlq-clear")
    for step in (4, 12):
        cell(sequencer, OPEN_HAT, step).click()
    before = heard(sequencer)
    cell(sequencer, OPEN_HAT, 4).click()
    assert sequencer.text_content(".dlq-what").startswith("open hi-hat, bar 1, step 4: velocity 100")
    assert heard(sequencer).tobytes() == before.tobytes() and sequencer.is_enabled(".dlq-velocity")
    sequencer.fill(".dlq-velocity", "127")
    assert round(float(taken_home(sequencer).velocities[4, OPEN_HAT]) * 127) == 127
    cell(sequencer, OPEN_HAT, 4).click()
    assert np.flatnonzero(taken_home(sequencer).hits[:, OPEN_HAT]).tolist() == [12]


def test_sliders_make_a_hit_louder_and_later(sequencer):
    sequencer.click(".dlq-clear")
    cell(sequencer, SNARE, 4).click()
    loud = heard(sequencer)
    sequencer.fill(".dlq-velocity", "50")
    soft = heard(sequencer)
    assert decibels(soft) - decibels(loud) == pytest.approx(40 * np.log10(50 / 100), abs=0.1)
    sequencer.fill(".dlq-offset", "40")
    late = heard(sequencer)
    first = [np.flatnonzero(np.abs(audio) > 0.3 * np.abs(audio).max())[0] / RATE for audio in (soft, late)]
    assert first[1] - first[0] == pytest.approx(0.4 * 0.15, abs=0.001)
    groove = taken_home(sequencer)
    assert groove.offsets[4, SNARE] == np.float32(0.4) and round(float(groove.velocities[4, SNARE]) * 127) == 50
    assert sequencer.get_attribute(".dlq-offset", "aria-valuetext") == "0.40 late"
    cell(sequencer, SNARE, 5).focus()
    assert sequencer.is_disabled(".dlq-velocity"), "there is no hit to make louder"


def test_the_sequencer_by_keyboard_alone(sequencer):
    sequencer.click(".dlq-clear")
    cell(sequencer, KICK, 0).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Enter", "Shift+ArrowUp", "Shift+ArrowLeft", "Shift+ArrowLeft"):
        sequencer.keyboard.press(key)
    groove = taken_home(sequencer)
    assert groove.hits.sum() == groove.hits[2, SNARE] == 1
    assert round(float(groove.velocities[2, SNARE]) * 127) == 105 and groove.offsets[2, SNARE] == np.float32(-0.02)
    sequencer.keyboard.press("Space")
    assert taken_home(sequencer).hits.sum() == 0
    assert sequencer.evaluate("document.activeElement.dataset.step") == "2"
    for key in ("Home", "ArrowLeft", "ArrowDown", "ArrowDown"):  # there is nothing beyond the edge
        sequencer.keyboard.press(key)
    assert (
        sequencer.evaluate("[document.activeElement.dataset.step, document.activeElement.dataset.drum].join()") == "0,0"
    )
    assert sequencer.locator(".dlq-at[tabindex='0']").count() == 1


def test_a_groove_is_taken_home_as_midi(sequencer, tmp_path):
    sequencer.click(".dlq-clear")
    for drum, step in ((KICK, 0), (SNARE, 4), (SNARE, 5), (HIGH_TOM, 15), (8, 0)):
        cell(sequencer, drum, step).click()
        sequencer.fill(".dlq-velocity", str(30 + 5 * step))
        sequencer.fill(".dlq-offset", str(step * 3 - 10 if step else 0))
    with sequencer.expect_download() as download:
        sequencer.click(".dlq-midi")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    song = read_song(path)
    assert path.suffix == ".mid" and song.tempos[0].bpm == pytest.approx(100, abs=0.01) and len(song.bars) == 1
    groove, home = groove_of(song), taken_home(sequencer)
    assert np.array_equal(groove.hits, home.hits) and np.allclose(groove.velocities, home.velocities)
    assert np.abs(groove.offsets - home.offsets).max() < 1e-6
    href = sequencer.get_attribute(".dlq-midi", "href")
    assert base64.b64decode(urllib.parse.unquote(href.partition(",")[2])) == path.read_bytes()


def test_copy_as_python(sequencer):
    sequencer.click(".dlq-reset")
    sequencer.click(".dlq-copy")
    sequencer.wait_for_function("document.querySelector('.dlq-copy').textContent !== 'Copy as Python'")
    assert sequencer.inner_text(".dlq-copy") in ("Copied", "Press Ctrl+C")
    selected = "document.querySelector('.dlq-text').value"
    assert sequencer.evaluate(selected).startswith("groove = Sequencer.groove_from(")


def test_a_page_and_python_write_the_same_text(visit):
    rng = np.random.default_rng(1)
    hits = rng.random((64, 9)) < 0.4
    groove = Groove(hits, hits * rng.uniform(0.01, 1, hits.shape), hits * rng.uniform(-0.5, 0.5, hits.shape))
    one = Sequencer(groove)
    page = visit(one.html)
    page.wait_for_selector(".drumlib-stage[data-edits]")
    assert page.input_value(".dlq-text") == f'groove = Sequencer.groove_from("{one.text}")'
    assert taken_home(page) == one.groove


def test_hits_set_while_it_plays_are_heard_at_once(visit):
    page = visit(Sequencer().html)
    page.wait_for_selector(".drumlib-stage[data-edits]")
    page.click(".dls-play")
    page.wait_for_function("+document.querySelector('.drumlib-stage').dataset.position > 0.2", timeout=20_000)
    before = heard(page)
    cell(page, HIGH_TOM, 9).click()
    assert page.get_attribute(".drumlib-stage", "data-state") == "playing"
    assert heard(page).tobytes() != before.tobytes()


def test_there_are_no_cells_after_the_last_bar(visit):
    """Two bars fit beside one another: the third has a page of its own, twice as wide as it needs."""
    page = visit(Sequencer(bars=3).html, viewport={"width": 1000, "height": 900})
    page.wait_for_selector(".drumlib-stage[data-edits]")
    wide = cell(page, KICK, 0).bounding_box()["width"]
    page.get_by_role("button", name="Bar 3").focus()
    page.keyboard.press("Enter")
    steps = page.eval_on_selector_all(".dlq-at", "cells => cells.map(cell => +cell.dataset.step)")
    assert sorted(set(steps)) == list(range(32, 48)) and len(steps) == 9 * 16
    assert cell(page, KICK, 32).bounding_box()["width"] == pytest.approx(wide, abs=0.5)
    assert page.evaluate("document.activeElement.textContent") == "Bar 3", "the keyboard stays where it was"


def test_on_a_telephone_bars_are_leafed_through(visit):
    page = visit(Sequencer(bars=2).html, viewport={"width": 390, "height": 844}, has_touch=True)
    page.wait_for_selector(".drumlib-stage[data-edits]")
    assert page.locator(".dlq-at").count() == 9 * 16
    page.click(".dlq-bars button >> text=Bar 2")
    cell(page, HIGH_TOM, 20).tap()
    assert taken_home(page).hits[20, HIGH_TOM] == 1
    cell(page, HIGH_TOM, 16).focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.step") == "15", "an arrow turns the page"
    box = cell(page, KICK, 0).bounding_box()
    assert box["height"] >= 24
