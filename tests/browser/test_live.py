"""Things to play with, with a kernel: JupyterLab or Voilà shows the playground's cells, and a reader turns their knobs.

What a kernel alone says of its widgets stands in tests/display. Here the other half is there too: the notebook's page,
ipywidgets' own controls, and the messages between them.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from in_page import HEARD

from drumbook.widgets import threshold_and_temperature
from drumlib.music import groove_of, read_song, song_to_bytes, songbook, without_drums

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-word-that-only-this-test-knows"
PATIENCE = 120_000
"""Milliseconds for what a network computes, on a machine that has other things to do as well."""

WANTED = ("your_song", "Sequencer", "threshold_and_temperature")
"""Of the playground's things to play with, those that differ in kind: files, a grid of cells, knobs."""


def playground() -> nbformat.NotebookNode:
    """The playground's own cells: the settings, the imports, and the cells of what is wanted."""
    book = nbformat.read(ROOT / "book" / "playground.ipynb", as_version=4)
    cells = [
        cell for cell in book.cells if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", ())
    ]
    settings, imports = cells[:2]
    assert "SONG" in settings.source and "drumlib.display.widgets" in imports.source
    shown = [next(cell for cell in cells[2:] if f"{name}(" in cell.source) for name in WANTED]
    assert len({cell.id for cell in shown}) == len(WANTED)
    book.cells = [settings, imports, *shown]
    return book


@pytest.fixture(scope="module", params=["jupyterlab", "voila"])
def served(request, tmp_path_factory):
    """A server of one notebook that knows nothing of this machine's settings: its name and its address."""
    server = request.param
    home = tmp_path_factory.mktemp(server)
    nbformat.write(playground(), home / "playground.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(home / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    own |= {"JUPYTER_PREFER_ENV_PATH": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    if server == "jupyterlab":
        own |= own_settings(home)
        options = ["--allow-root", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
        options += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={home}"]
        answers = f"http://127.0.0.1:{port}/api"
    else:
        options = ["playground.ipynb", f"--port={port}", "--Voila.port_retries=0"]
        answers = f"http://127.0.0.1:{port}/voila/static/voila.js"  # the page itself would start a kernel
    command = [sys.executable, "-m", server, "--no-browser", *options]
    log = home / "log.txt"
    with log.open("w") as lines:
        process = subprocess.Popen(command, cwd=home, env=os.environ | own, stdout=lines, stderr=subprocess.STDOUT)
    try:
        for _ in range(240):
            assert process.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(answers, timeout=5).close()
                break
            except OSError:
                time.sleep(0.25)
        else:
            raise AssertionError(f"{server} does not answer: {log.read_text()}")
        yield server, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(home, ignore_errors=True)


def own_settings(home: Path) -> dict[str, str]:
    """JupyterLab's environment: all cells stay in the page, wherever the reader looks; no question about news."""
    plugins = home / "settings" / "@jupyterlab"
    for plugin, kept in {
        "notebook-extension/tracker": {"windowingMode": "none"},
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    }.items():
        file = plugins / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(kept))
    return {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}


@pytest.fixture(scope="module")
def notebook(browser, served):
    """The notebook's page, with all its cells run."""
    server, address = served
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.route(lambda url: not url.startswith((address, "data:", "blob:")), lambda route: route.abort())
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    if server == "jupyterlab":
        page.goto(f"{address}/doc/tree/playground.ipynb?token={TOKEN}")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=PATIENCE)
        page.get_by_text("| Idle").wait_for(timeout=PATIENCE)  # run before, it asks which kernel is meant
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        ran = "document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')"
        page.wait_for_function(f"[...{ran}].every(prompt => /\\[\\d+\\]/.test(prompt.textContent))", timeout=PATIENCE)
    else:
        page.goto(address, timeout=PATIENCE)  # it runs the cells before it answers
        thing(page, WANTED[-1]).locator(".jupyter-widgets").first.wait_for(timeout=PATIENCE)
    yield page
    context.close()
    assert errors == []


def thing(page, name: str):
    """The output of the cell that shows one of what is wanted."""
    return page.locator(".jp-CodeCell").nth(2 + WANTED.index(name)).locator(".jp-OutputArea").first


def heard(page, root) -> tuple[int, int]:
    """How many samples a stage would play now, and a checksum of their bytes."""
    length, loudest, checksum = page.evaluate(HEARD, root.element_handle())
    assert 0.05 < loudest <= 1
    return length, checksum


def uploaded(page, name: str, content: bytes):
    """The thing for one's own song, with a file given to it by the reader."""
    mine = thing(page, "your_song")
    with page.expect_file_chooser() as chooser:
        mine.get_by_role("button", name="Your MIDI file").click()
    chooser.value.set_files({"name": name, "mimeType": "audio/midi", "buffer": content})
    return mine


def test_each_shows_its_controls_and_something_to_hear(notebook):
    assert notebook.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    for name in WANTED:
        shown = thing(notebook, name)
        assert shown.locator(".jupyter-widgets").count() > 2, f"{name}: no controls"
        play = shown.locator("button", has_text="Play").filter(visible=True).last
        play.click()
        root = shown.locator(".drumlib-stage, .drumlib-player").element_handle()
        notebook.wait_for_function(
            "root => root.dataset.state === 'playing' && root.dataset.position > 0.2", arg=root, timeout=20_000
        )
        shown.locator("button", has_text="Pause").click()


def test_a_slider_asks_the_network_anew(notebook):
    shown = thing(notebook, "threshold_and_temperature")
    stage = threshold_and_temperature("rock", 4)
    knob = stage.knobs[0]
    place = knob.start
    for key, step in (("ArrowLeft", -1), ("ArrowRight", 1)):
        before = heard(notebook, shown.locator(".drumlib-stage"))
        place += step
        caption = stage.take(place, 0).caption
        assert caption != shown.locator(".dls-caption").inner_text()
        shown.locator(".noUi-handle").focus()
        notebook.keyboard.press(key)
        shown.get_by_text(caption, exact=True).first.wait_for(timeout=PATIENCE)
        after = heard(notebook, shown.locator(".drumlib-stage"))
        assert after[0] == before[0] and after[1] != before[1]


def test_a_list_chooses_a_temperature(notebook):
    shown = thing(notebook, "threshold_and_temperature")
    before = heard(notebook, shown.locator(".drumlib-stage"))
    shown.locator("select").select_option(label="1.0: sampled")
    shown.get_by_text("sampled at temperature 1.0").first.wait_for(timeout=PATIENCE)
    assert heard(notebook, shown.locator(".drumlib-stage")) != before


def test_a_step_of_the_sequencer_is_heard(notebook):
    shown = thing(notebook, "Sequencer")
    before, text = heard(notebook, shown.locator(".drumlib-stage")), shown.locator("code").inner_text()
    assert "kick 0:100" in text and " 3:100" not in text.split(";")[1]
    shown.get_by_role("button", name="3", exact=True).click()
    shown.locator("code", has_text="kick 0:100 3:100").wait_for(timeout=PATIENCE)
    until = time.monotonic() + 20  # words and stage are two messages of the kernel: the stage may come a moment later
    while (after := heard(notebook, shown.locator(".drumlib-stage"))) == before and time.monotonic() < until:
        notebook.wait_for_timeout(50)
    assert after[0] == before[0] and after[1] != before[1]


def test_a_readers_file_goes_in_and_comes_out_with_drums(notebook):
    band = without_drums(songbook.song("bossa"))
    mine = uploaded(notebook, "my <u>song.mid", song_to_bytes(band))
    link = mine.get_by_role("link", name="with drums.mid").filter(has_not_text="rock with")
    link.wait_for(timeout=PATIENCE)
    with notebook.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.endswith("with drums.mid")
    song = read_song(download.value.path())
    assert [track.notes for track in song.band] == [track.notes for track in band.tracks]
    assert groove_of(song).hits.sum() > 2 * len(song.bars)
    assert mine.locator(".drumlib-player").count() == 1 and mine.locator("u").count() == 0


def test_a_file_that_is_none_is_refused_in_words(notebook):
    mine = uploaded(notebook, "renamed.mid", b"ID3" + bytes(2000))
    mine.get_by_role("alert").wait_for(timeout=PATIENCE)
    assert "did not work" in mine.get_by_role("alert").inner_text()
    # And the next one is taken.
    uploaded(notebook, "again.mid", song_to_bytes(songbook.song("funk")))
    mine.get_by_role("link", name="again with drums.mid").wait_for(timeout=PATIENCE)
    assert mine.get_by_role("alert").count() == 0
