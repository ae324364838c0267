"""How the book is made, in numbers: the appendix "How this book was made".

    python bench/book_built.py

Three things are timed, in a copy of this folder, so that nothing here changes: the whole book from nothing (its
packages installed, which is another few minutes the first time); the book again after one chapter was edited, for the
chapter that takes longest and for a middling one; and every cell of every chapter. Then every page is weighed, and
opened in Chromium if there is one.
"""

import argparse
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

from drumlib.files import write_whole

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "book.json"
SLOWEST = 15
PACKAGES = ("jupyter-book", "sphinx", "myst-nb", "tensorflow", "keras", "numpy", "matplotlib", "ipywidgets")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LINKED = re.compile(r'(?:src|href)="([^"#?]+)')


def copy_of_the_project(folder: Path) -> Path:
    """What git knows of, or would take, copied; with this folder's .venv."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv", target_is_directory=True)
    return folder


def nothing_yet() -> dict:
    """What the appendix draws before anything was measured: it must run for this command to measure it."""
    return {
        **dict.fromkeys(("date", "cores", "python", "browser"), "?"),
        **dict.fromkeys(("whole_seconds", "cells", "cells_seconds"), 0),
        **{"versions": {}, "again_seconds": {}, "chapters": {}, "slowest": []},
        "pages": {"?": {"page": 0, "pictures": 0, "shared": 0}},
    }


def build(folder: Path) -> float:
    """Seconds of `make book`, without its environment. What it said is shown if it fails."""
    began = time.perf_counter()
    # -o env: the environment is there. The copy must run its own drumlib, so `make` may not take PYTHONPATH away.
    made = subprocess.run(
        ["make", "--no-print-directory", "-o", "env", "book"], cwd=folder, capture_output=True, text=True
    )
    if made.returncode:
        raise SystemExit(f"the book was not built:\n{made.stdout[-4000:]}\n{made.stderr[-4000:]}")
    return time.perf_counter() - began


def seconds_of_chapters(folder: Path) -> dict[str, float]:
    """How long each chapter ran when the book was built, as jupyter-cache wrote down."""
    with sqlite3.connect(folder / "book/_build/.jupyter_cache/global.db") as cache:
        rows = cache.execute("select uri, data from nbcache").fetchall()
    return {Path(uri).stem: json.loads(data)["execution_seconds"] for uri, data in rows}


def edit(chapter: Path) -> None:
    """As a writer does who adds a line to a cell: the chapter must be run again."""
    notebook = nbformat.read(chapter, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.source += "\n# edited"
    nbformat.write(notebook, chapter)


def note_time(times: dict[int, float], cell, cell_index: int, **_) -> None:
    times[cell_index] = time.perf_counter()


def seconds_of_cells(folder: Path, chapters: list[str]) -> list[dict]:
    """Every code cell of every chapter, run once more one after the other, slowest first."""
    cells = []
    for chapter in tqdm(chapters, desc="cells", unit="chapter"):
        notebook = nbformat.read(folder / "book" / f"{chapter}.ipynb", as_version=4)
        client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder / "book"}})
        starts, ends = {}, {}  # the times when cells began and were done, by their number
        client.on_cell_execute = partial(note_time, starts)
        client.on_cell_executed = partial(note_time, ends)
        client.execute()
        heading = chapter
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type == "markdown":
                for line in cell.source.splitlines():
                    if line.startswith("#"):
                        heading = line.lstrip("# ")
            elif number in ends:
                first = next((line for line in cell.source.splitlines() if line.strip()), "")
                cells.append({
                    "chapter": chapter, "cell": number, "section": heading, "begins": first[:60],
                    "seconds": round(ends[number] - starts[number], 2),
                })  # fmt: skip
    return sorted(cells, key=lambda cell: -cell["seconds"])


def weights_of_pages(html: Path) -> dict[str, dict]:
    """Bytes of each page, of the pictures that belong to it, and of what all pages share (style, scripts, fonts)."""
    pages = {}
    for page in sorted(html.glob("*.html")):
        text = page.read_text(encoding="utf-8")
        own = shared = 0
        for link in sorted(set(LINKED.findall(text))):
            target = (html / unquote(urlsplit(link).path)).resolve()
            if urlsplit(link).scheme or not target.is_file() or target.suffix in (".html", ".ipynb", ".md"):
                continue
            if "_static" in target.parts:
                shared += target.stat().st_size
            else:
                own += target.stat().st_size
        pages[page.stem] = {"page": len(text.encode()), "pictures": own, "shared": shared}
    return pages


def open_pages(html: Path, pages: dict[str, dict]) -> str | None:
    """Milliseconds until each page has loaded, in a browser of its own, added to ``pages``. The browser's version."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        print("No Chromium was found: how soon pages open was not measured.", file=sys.stderr)
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name in tqdm(pages, desc="opened", unit="page"):
            context = browser.new_context(offline=True)
            page = context.new_page()
            page.goto((html / f"{name}.html").as_uri(), wait_until="load")
            loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd || performance.now()")
            pages[name]["opens_ms"] = round(loaded)
            context.close()
        return browser.version


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--results", type=Path, default=RESULTS, help="where to write (%(default)s)")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = copy_of_the_project(Path(scratch) / "book")
        kept = folder / RESULTS.relative_to(ROOT)
        if not kept.exists():
            write_whole(kept, json.dumps(nothing_yet()).encode())
        print("building the whole book ...", file=sys.stderr)
        whole = build(folder)
        chapters = seconds_of_chapters(folder)
        by_time = sorted(chapters, key=chapters.get)
        again = {}
        for chapter in (by_time[-1], by_time[len(by_time) // 2]):
            print(f"again, after {chapter} was edited ...", file=sys.stderr)
            edit(folder / "book" / f"{chapter}.ipynb")
            again[chapter] = round(build(folder), 1)
        html = folder / "book" / "_build" / "html"
        pages = weights_of_pages(html)
        browser = open_pages(html, pages)
        cells = seconds_of_cells(folder, sorted(chapters))
    results = {
        "command": "python bench/book_built.py",
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "browser": browser,
        "versions": {name: version(name) for name in PACKAGES},
        "whole_seconds": round(whole, 1),
        "again_seconds": again,
        "chapters": {name: round(chapters[name], 1) for name in by_time[::-1]},
        "cells": len(cells),
        "cells_seconds": round(sum(cell["seconds"] for cell in cells), 1),
        "slowest": cells[:SLOWEST],
        "pages": pages,
    }
    write_whole(chosen.results, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())
    print(f"{chosen.results} is written: {whole:.0f} s, {len(pages)} pages, {len(cells)} cells")


if __name__ == "__main__":
    main()
