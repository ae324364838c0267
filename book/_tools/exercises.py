"""Writes the index of exercises, book/exercises.md, from the chapters themselves.

    python book/_tools/exercises.py
    python book/_tools/exercises.py --check

A chapter says at its head what one can do by its end, and which exercise tries it; the exercises stand near its end.
This reads both, so that the index is never out of date: with --check no file is written, and the exit status is 1 if
one would be. ``check_book.py`` reads the chapters in the same way.
"""

import argparse
import ast
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
import yaml
from contents import files
from docutils.nodes import make_id

from drumlib.files import write_whole

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
INDEX = BOOK / "exercises.md"

NO_CHAPTERS = {
    "defects": "an appendix: the thesis's defects, one by one",
    "glossary": "an appendix: words",
    "made": "an appendix: how this book was made",
    "reference": "an appendix: what the package has",
    "thesis": "an appendix: the map of the thesis",
}
"""Notebooks in book/ that are no chapters, and why. Every other one is."""

OBJECTIVES = re.compile(r"^\*\*By the end you can\*\*$", re.MULTILINE)
ITEM = re.compile(r"^(\d+)\. (.+?)(?=^\d+\. |\n\n|\Z)", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"\(exercises? (\d+(?:(?:, (?:and )?| and )\d+)*)\)")
HEADING = re.compile(r"^(#{1,6}) +(.+?) *$", re.MULTILINE)
EXERCISE = re.compile(r"^### (\d+)\. (.+?) *$", re.MULTILINE)
MINUTES = re.compile(r"^\s*\*(\d+) minutes?\b[^*]*\*")
FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Objective:
    """What one can do by the end of a chapter, and the numbers of the exercises that try it."""

    number: int
    text: str  # Markdown, without the exercises
    exercises: tuple[int, ...]


@dataclass(frozen=True)
class Exercise:
    """An exercise of a chapter. ``cells`` are the code cells up to the next one; its solution is among them."""

    number: int
    name: str
    minutes: int | None  # if the exercise says so
    cells: tuple

    @property
    def anchor(self) -> str:
        """What Sphinx calls the heading in the page's HTML."""
        return make_id(f"{self.number}. {self.name}")

    @property
    def is_solved(self) -> bool:
        """Whether a folded cell holds a solution that is checked."""
        return any(is_hidden(cell) and asserts(cell.source) for cell in self.cells)


def is_hidden(cell) -> bool:
    return bool({"hide-cell", "hide-input"} & set(cell.metadata.get("tags", [])))


def asserts(source: str) -> bool:
    """Whether the code checks something: an ``assert`` that is no constant, or NumPy's ``assert_...``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant):
            return True
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith("assert_"):
            return True
    return False


class Chapter:
    """A chapter's notebook, read.

    Raises
    ------
    ValueError
        If two headings of the page have one name: a link to an exercise could lead to the wrong one.
    """

    def __init__(self, path: Path):
        self.path, self.name = path, path.stem
        self.cells = nbformat.read(path, as_version=4).cells
        anchors = [make_id(re.sub(r"[$`*]", "", name)) for _, name in self.headings]
        twice = {anchor for anchor in anchors if anchors.count(anchor) > 1} & {one.anchor for one in self.exercises}
        if twice:
            raise ValueError(f"{path.name}: two headings are called {', '.join(sorted(twice))}")

    @cached_property
    def texts(self) -> list[str]:
        """What each cell says to a reader, code left out: one string a cell, empty for a cell of code."""
        return [FENCED.sub("", cell.source) if cell.cell_type == "markdown" else "" for cell in self.cells]

    @cached_property
    def headings(self) -> list[tuple[int, str]]:
        """Level and text of every heading, in order."""
        return [(len(marks), text) for part in self.texts for marks, text in HEADING.findall(part)]

    @property
    def title(self) -> str:
        return self.headings[0][1]

    @property
    def sections(self) -> list[str]:
        """The headings of the second level, in order."""
        return [text for level, text in self.headings if level == 2]

    def section(self, name: str) -> list[int]:
        """The numbers of the cells from the one that begins with this section to the one before the next."""
        starts = [i for i, text in enumerate(self.texts) if re.search(r"^## ", text, re.MULTILINE)]
        for i in starts:
            if re.search(rf"^## {re.escape(name)} *$", self.texts[i], re.MULTILINE):
                return list(range(i, min((j for j in starts if j > i), default=len(self.cells))))
        return []

    @cached_property
    def head(self) -> str:
        """What stands before the first section."""
        return re.split(r"^## ", "\n\n".join(self.texts), maxsplit=1, flags=re.MULTILINE)[0]

    @cached_property
    def objectives(self) -> list[Objective]:
        parts = OBJECTIVES.split(self.head)
        if len(parts) != 2:
            return []
        found = []
        for number, text in ITEM.findall(re.split(r"\n\n(?!\d+\. )", parts[1].strip("\n"), maxsplit=1)[0]):
            numbers = [int(n) for group in NAMED.findall(text) for n in re.findall(r"\d+", group)]
            said = re.sub(r"\s+", " ", NAMED.sub("", text)).strip().rstrip(";.").strip()
            found.append(Objective(int(number), said, tuple(numbers)))
        return found

    @cached_property
    def exercises(self) -> list[Exercise]:
        found = []  # (number, name, minutes, cells)
        for i in self.section("Exercises"):
            cell = self.cells[i]
            if cell.cell_type == "code" and found:
                found[-1][3].append(cell)
            begins = list(EXERCISE.finditer(self.texts[i]))
            for match in begins:
                minutes = MINUTES.match(self.texts[i][match.end() :])
                found.append((int(match[1]), match[2], int(minutes[1]) if minutes else None, []))
        return [Exercise(number, name, minutes, tuple(cells)) for number, name, minutes, cells in found]


def order(contents: dict) -> list[str]:
    """All pages of a table of contents, in order, the root first."""
    return [Path(name).name for name in files(contents)]


def chapters(root: Path = ROOT) -> list[Chapter]:
    """All chapters, in the order of the table of contents; those that are not in it yet stand at the end."""
    pages = order(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")))
    paths = [path for path in sorted((root / "book").glob("*.ipynb")) if path.stem not in NO_CHAPTERS]
    return [Chapter(p) for p in sorted(paths, key=lambda p: pages.index(p.stem) if p.stem in pages else len(pages))]


HEAD = """\
<!-- Written by book/_tools/exercises.py from the chapters. Change those, and run it again. -->
# Exercises

Every exercise of the book, chapter by chapter, with what it tries. The solution is folded below each of them, and it
checks itself: run it after yours. Minutes are rough, for somebody who has just read the chapter. What is worth marking,
and how, stands in {doc}`teaching`.
"""


def index(found: list[Chapter]) -> str:
    """The index as Markdown."""
    known = [one.minutes for chapter in found for one in chapter.exercises if one.minutes]
    count = sum(len(chapter.exercises) for chapter in found)
    work = f"{sum(known)} minutes" if sum(known) < 120 else f"{round(sum(known) / 60)} hours"
    parts = [HEAD, f"There are {count} of them, some {work} of work.\n"]
    for chapter in found:
        minutes = [one.minutes for one in chapter.exercises]
        long = f", some {sum(minutes)} minutes" if minutes and all(minutes) else ""
        parts.append(f"## {chapter.title}\n\n{{doc}}`Open the chapter <{chapter.name}>`{long}.\n")
        rows = ["| exercise | by it you can | minutes |", "| --- | --- | --- |"]
        for one in chapter.exercises:
            serves = "; ".join(what.text for what in chapter.objectives if one.number in what.exercises) or "-"
            # HTML, for Sphinx has no name for a heading of another page.
            name = one.name.replace("&", "&amp;").replace("<", "&lt;")
            link = f'<a href="{chapter.name}.html#{one.anchor}">{one.number}. {name}</a>'
            rows.append(f"| {link} | {serves} | {one.minutes or '-'} |".replace("\\|", "|"))
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the index of exercises from the chapters.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 1 if something should be")
    chosen = parser.parse_args(arguments)
    now = index(chapters())
    before = INDEX.read_text(encoding="utf-8") if INDEX.exists() else ""
    if now != before:
        print(
            INDEX.relative_to(ROOT),
            "is out of date: .venv/bin/python book/_tools/exercises.py" if chosen.check else "written",
        )
        if not chosen.check:
            write_whole(INDEX, now.encode())
    return 1 if chosen.check and now != before else 0


if __name__ == "__main__":
    sys.exit(main())
