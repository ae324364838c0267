"""Begins a chapter: writes a notebook that has all that a chapter needs, and adds it to the table of contents.

    python book/_tools/new_chapter.py swing "Swing"
    python book/_tools/new_chapter.py swing "Swing" --after music

The notebook is a small chapter that runs, plays and keeps the rules of chapters; what to write in place of its words
stands in it, each time after "Replace this". Nothing that exists is written over. CONTRIBUTING.md says what a good
chapter is, and `make check-book` what is left to do.
"""

import argparse
import re
import sys
from pathlib import Path

import clean
import exercises
import first_cell
import nbformat
import yaml

from drumlib.files import write_whole

ROOT = Path(__file__).resolve().parents[2]

HEAD = """\
# {title}

*About an hour to read, and half an hour for the exercises. You need {{doc}}`{previous}`. Nothing here needs a GPU.*

Replace this: two or three sentences. What is the question, and why would a drummer care?

**By the end you can**

1. say which of the nine drums plays most, and how often (exercise 1);
2. change how loud a drum is, and hear that nothing else has changed (exercise 2);
3. move a stroke in time, and say by how many milliseconds (exercise 3)."""

SETTINGS = """\
SONG = "rock"  # any of songbook.names()
FIRST_BAR, BARS = 12, 4  # what we hear: the first bar (from 0), how many; for a whole song: 0 and 1,000"""

IMPORTS = """\
import numpy as np

from drumlib.display import Player, plot_groove
from drumlib.music import DRUMS, STEPS_PER_BAR, Grid, Groove, groove_of, songbook
from drumlib.music.kit import KICK, SNARE

song = songbook.song(SONG)
grid = Grid(song)"""

FIRST_IDEA = """\
groove = groove_of(song, grid)  # hits, velocities, offsets: (T, 9) each
steps = slice(FIRST_BAR * STEPS_PER_BAR, (FIRST_BAR + BARS) * STEPS_PER_BAR)
hits = groove.hits[steps]  # (16 * BARS, 9)
assert hits.shape == (STEPS_PER_BAR * BARS, len(DRUMS))

for name, count in zip(DRUMS, hits.sum(axis=0).astype(int), strict=True):
    print(f"{name:12} {count:3}")"""

WRONG = """\
louder = groove.velocities + 1  # a velocity is at most 1: this is no groove any more
try:
    Groove(groove.hits, louder, groove.offsets)
    print(f"Nobody complained. The loudest stroke is now {louder.max():.1f} of what a drum can do.")
except ValueError as error:
    print(error)"""

SOLUTIONS = (
    """\
most = int(hits.sum(axis=0).argmax())
print(f"{DRUMS[most]}: {int(hits[:, most].sum())} strokes in {BARS} bars")

assert hits[:, most].sum() == hits.sum(axis=0).max() > 0""",
    """\
softer = groove.velocities.copy()
softer[:, SNARE] *= 0.5
quiet = Groove(groove.hits, softer, groove.offsets)

assert (quiet.hits == groove.hits).all() and (quiet.offsets == groove.offsets).all()
assert np.allclose(quiet.velocities[:, SNARE], groove.velocities[:, SNARE] / 2)""",
    """\
BPM = 120  # beats a minute; four steps to a beat
step_ms = 60_000 / BPM / 4
late = np.where(groove.hits[:, KICK] > 0, np.clip(groove.offsets[:, KICK] + 0.1, -0.5, 0.49), 0)
moved = (late - groove.offsets[:, KICK])[groove.hits[:, KICK] > 0] * step_ms
print(f"At {BPM} beats a minute a tenth of a step is {step_ms / 10:.1f} ms.")

assert moved.size and (moved <= step_ms / 10 + 1e-6).all() and moved.max() > 0""",
)


def notebook(title: str, previous: str, following: str | None) -> nbformat.NotebookNode:
    """The chapter's notebook.

    Parameters
    ----------
    title
        Its heading.
    previous, following
        The names of the pages around it: what a reader should know, and what comes next (if anything).
    """
    cells = []

    def text(source):
        cells.append(nbformat.v4.new_markdown_cell(source))

    def code(source, **metadata):
        cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))

    hidden = {"tags": ["hide-cell"]}
    text(HEAD.format(title=title, previous=previous))
    text("The settings. Replace this: what a reader may change, and what the full size would be.")
    code(SETTINGS)
    code(IMPORTS, tags=["hide-input"])
    text("## Hear it first\n\nPress play. Replace this: what to listen for.")
    code("Player(song, song.name, FIRST_BAR, BARS)", tags=["hide-input"])
    text("## What was that?\n\nReplace this: the first idea. Then a cell that shows it, and checks a shape.")
    code(FIRST_IDEA)
    text("And a picture of it. What it shows to somebody who cannot see it stands in the cell's metadata.")
    alt = "A drum roll of a few bars. Replace this: what is to be seen in it."
    code("plot_groove(groove, start_bar=FIRST_BAR, bars=BARS);", mystnb={"image": {"alt": alt}})
    text("## What can go wrong\n\n**Too loud.** Replace this: a mistake that one makes, and the cell that makes it.")
    code(WRONG)
    text(
        "## Exercises\n\n### 1. The busiest drum\n\n*10 minutes.* Which drum is struck most often in the bars that you"
        " heard?"
    )
    code(SOLUTIONS[0], **hidden)
    text("### 2. A softer snare\n\n*10 minutes.* Play every stroke of the snare half as loud. Check the rest.")
    code(SOLUTIONS[1], **hidden)
    text("### 3. A late kick\n\n*10 minutes.* Play the kick a tenth of a step later. How many milliseconds is that?")
    code(SOLUTIONS[2], **hidden)
    leads_on = f"Next, {{doc}}`{following}`." if following else "Replace this: what one could do next."
    text(
        "## Summary\n\n- Replace this: one line for each thing that one should remember.\n\n"
        "| in the thesis | here |\n| --- | --- |\n| *batterie* | drums |\n\n" + leads_on + "\n\n"
        "## Further reading\n\n- {cite:t}`goelzer2021`. Replace this: which section, and what is to be found there."
    )
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return nbformat.v4.new_notebook(cells=cells)


def entry(name: str) -> re.Pattern:
    """Finds a page's line in the table of contents."""
    return re.compile(rf"""^(?P<indent> *)- file: ["']?{re.escape(name)}["']? *(?:#.*)?\n""", re.MULTILINE)


def with_page(toc: str, name: str, after: str) -> str:
    """The text of the table of contents with a page behind another one, and behind what stands below that one.

    Raises
    ------
    ValueError
        If the other page has no line of its own there.
    """
    found = entry(after).search(toc if toc.endswith("\n") else toc + "\n")
    if not found:
        raise ValueError(f'_toc.yml has no line "- file: {after}"')
    lines, end = toc[found.end() :].splitlines(keepends=True), found.end()
    for line in lines:
        deeper = len(line) - len(line.lstrip(" ")) > len(found["indent"])
        if not deeper or line.isspace():
            break
        end += len(line)
    if not toc[:end].endswith("\n"):
        return f"{toc}\n{found['indent']}- file: {name}\n"
    return f"{toc[:end]}{found['indent']}- file: {name}\n{toc[end:]}"


def top_pages(node) -> list[str]:
    """The pages that are chapters, not sections of one, in order."""
    parts = node.get("parts") or [node]
    return [chapter["file"] for part in parts for chapter in part.get("chapters") or [] if "file" in chapter]


def begin(name: str, title: str, after: str | None = None, root: Path = ROOT) -> Path:
    """Write the chapter and its line in the table of contents; where it is.

    Raises
    ------
    ValueError
        If the name or the title cannot be one, the page exists, or ``after`` is no chapter.
    OSError
        If a file cannot be read or written.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name!r} cannot be a page's name: small letters, digits and _, a letter first")
    if not title.strip() or "\n" in title:
        raise ValueError("a chapter needs a title, of one line")
    toc_path, path = root / "_toc.yml", root / "book" / f"{name}.ipynb"
    toc = toc_path.read_text(encoding="utf-8")
    contents = yaml.safe_load(toc)
    pages = exercises.order(contents)
    if name in pages or path.exists() or path.with_suffix(".md").exists():
        raise ValueError(f"there is a page {name} already")

    def is_chapter(page):
        return page not in exercises.NO_CHAPTERS and (root / "book" / f"{page}.ipynb").is_file()

    if after is None:
        after = [page for page in top_pages(contents) if is_chapter(page)][-1]
    elif after not in pages[1:] or not is_chapter(after):
        chapters = ", ".join(filter(is_chapter, pages[1:]))
        raise ValueError(f"a chapter stands behind another one, and {after} is none; these are: {chapters}")
    longer = with_page(toc, name, after)
    pages = exercises.order(yaml.safe_load(longer))
    place = pages.index(name)
    following = next((page for page in pages[place + 1 :] if is_chapter(page)), None)
    previous = next(page for page in reversed(pages[:place]) if is_chapter(page) or page == pages[0])
    text = clean.clean(nbformat.writes(notebook(title.strip(), previous, following)))
    address = first_cell.address((root / "pyproject.toml").read_text(encoding="utf-8"))
    write_whole(path, first_cell.with_first_cell(text, address).encode())
    write_whole(toc_path, longer.encode())
    print(f"{path.relative_to(root)} is a chapter now, between {previous} and {following or 'the end'}.")
    print(f"Let the last paragraph of the summary of {previous} lead on to it: Next, {{doc}}`{name}`.")
    print('Then: make lab, to write it, until no "Replace this" is left;')
    print(".venv/bin/python book/_tools/exercises.py, for the index of exercises; make check-book test.")
    return path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Begin a chapter that runs and keeps the rules of chapters.")
    parser.add_argument("name", help="of the file and the page, such as swing")
    parser.add_argument("title", help='its heading, such as "Swing"')
    parser.add_argument("--after", metavar="PAGE", help="the chapter before it; the last one, if not given")
    chosen = parser.parse_args(arguments)
    try:
        begin(chosen.name, chosen.title, chosen.after or None)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
