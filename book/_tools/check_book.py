"""Checks the book's pages without running them: structure, links, words, alternative texts, numbers.

    python book/_tools/check_book.py            one line for each fault, FILE:CELL: MESSAGE; with one, exit status 1
    python book/_tools/check_book.py --write    first writes the numbers that come from results files, then checks

Cells and, on pages of plain Markdown, lines are counted from 1. CONTRIBUTING.md says what a chapter must have.

A number in prose that looks like a result (a percentage, milliseconds, two or more decimals) needs a comment, which no
page shows. Either the number is inserted from a results file, and the comment stands right behind it:

    19.0 %<!-- = evaluation.json::drummers::thesis::f1 {:.1%} -->

(a file of bench/results or drumlib/weights, the keys to the value, the format); or it is no result of ours, and a
comment in the same paragraph says what it is: <!-- 0.60, 0.64: thresholds of the thesis, 4.4 -->.
"""

import argparse
import ast
import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import clean
import contents
import exercises
import first_cell
import nbformat
import reference_pages
import yaml

from drumlib.files import write_whole

ROOT = Path(__file__).resolve().parents[2]

TAGS = {
    *("hide-cell", "hide-input", "hide-output", "remove-cell", "remove-input", "remove-output"),  # for the book
    *("nbval-check-output", "nbval-ignore-output", "raises-exception"),  # for the tests
}
SECTIONS = ["Hear it first", "What can go wrong", "Exercises", "Summary", "Further reading"]
ALSO_CALLED = {"Where it comes from": "Further reading"}
THESIS = "1 2 2.1 2.2 2.3 2.4 2.5 3 3.1 3.2 3.3 4 4.1 4.2 4.3 4.4 4.5 5 5.1 5.2 5.3 5.4 6".split()
"""The thesis's table of contents, but for thanks and sources."""

WRITTEN_BY_A_RUN = {"history.json", "manifest.json", "splits.json", "shard-00000.json"}
"""Files that a chapter's own training or corpus writes."""

NEEDS = re.compile(r"^\*(?=[^*]*\b(?:minutes|hour|hours)\b)(?=[^*]*\bYou need\b).+?\*$", re.MULTILINE | re.DOTALL)
DOC = re.compile(r"\{doc\}`(?:[^`<]*<)?/?([^`<>]+?)>?`")
HEADING_LINK = re.compile(r"\]\(([\w-]+\.(?:ipynb|md))#([^)]+)\)")
CITED = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
TERM = re.compile(r"\{term\}`(?:[^`<]*<)?([^`<>]+?)>?`")
WORD_TABLE = re.compile(r"^\| *in this book *\| *in the thesis *\|\n\|[-| ]+\|\n((?:\|.*\n?)+)", re.MULTILINE)
OTHER_EXERCISE = re.compile(r"^\*\*\d+\. .*?\*\*", re.MULTILINE)

RESULT = re.compile(r"(?<![\w.`-])(?:\d+(?:\.\d+)?\s?(?:%|ms\b|per cent)|\d*\.\d{2,}\b)")
COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
INSERTED = re.compile(r"<!-- = ([\w.-]+\.json)::(.+?) (\S*\{[^}]*\}.*?) -->")


class Fault(NamedTuple):
    """Something wrong on a page. ``place`` is a cell of a notebook or a line of a page of text; 0: the whole page."""

    file: str
    place: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.place}: {self.message}" if self.place else f"{self.file}: {self.message}"


class Page:
    """A page of the book, or another text of the repository: its prose, in pieces that have a place."""

    def __init__(self, path: Path, root: Path):
        self.path, self.file, self.name = path, path.relative_to(root).as_posix(), path.stem
        self.source = path.read_text(encoding="utf-8")
        self.cells = nbformat.reads(self.source, as_version=4).cells if path.suffix == ".ipynb" else None

    @cached_property
    def texts(self) -> list[tuple[int, str]]:
        """Place and text of every Markdown cell, or of every paragraph, without what is fenced."""
        if self.cells is not None:
            found = [(i, cell.source) for i, cell in enumerate(self.cells, 1) if cell.cell_type == "markdown"]
        else:  # a fence and what a command has written stay as empty lines: the count of lines is kept
            hide = re.compile(
                r"^(```|~~~)(?!\{glossary).*?^\1|<!-- written by .*?<!-- end -->", re.MULTILINE | re.DOTALL
            )
            text = hide.sub(lambda block: "\n" * block[0].count("\n"), self.source)
            found = [(text.count("\n", 0, m.start()) + 1, m[0]) for m in re.finditer(r"(?:.+\n?)+", text)]
        return [(place, exercises.FENCED.sub("", text)) for place, text in found]

    @property
    def text(self) -> str:
        return "\n\n".join(text for _, text in self.texts)

    @cached_property
    def slugs(self) -> list[str]:
        """The names under which MyST finds the page's headings, as GitHub makes them; twice the same gets a number."""
        found = []
        for title in re.findall(r"^#{1,3} +(.+?) *$", self.text, flags=re.MULTILINE):
            slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            same = sum(re.fullmatch(re.escape(slug) + r"(-\d+)?", other) is not None for other in found)
            found.append(f"{slug}-{same}" if same else slug)
        return found

    def fault(self, message: str, place: int = 0) -> Fault:
        return Fault(self.file, place, message)


class Book:
    """All pages below ``root``. What a small book has not got (a glossary, a map of the thesis) is not checked."""

    def __init__(self, root: Path = ROOT):
        self.root, self.folder = root, root / "book"
        self.toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
        self.order = exercises.order(self.toc)
        paths = sorted(path for path in self.folder.glob("*") if path.suffix in (".ipynb", ".md"))
        self.pages = {path.stem: Page(path, root) for path in paths}
        self.notebooks = [page for page in self.pages.values() if page.cells is not None]

    @cached_property
    def chapters(self) -> list[exercises.Chapter]:
        return exercises.chapters(self.root)


def check_contents(book: Book) -> Iterator[Fault]:
    """The table of contents names each page once, and nothing else; an appendix does not stand among the chapters."""
    try:
        contents.pages(book.toc)
    except ValueError as error:
        yield Fault("_toc.yml", 0, str(error))
    for name in book.order:
        if name not in book.pages:
            yield Fault("_toc.yml", 0, f"there is no page {name}")
    for name in set(book.pages) - set(book.order):
        yield book.pages[name].fault("is not in _toc.yml")
    last = max((book.order.index(chapter.name) for chapter in book.chapters if chapter.name in book.order), default=0)
    for name in book.order[:last]:
        if name in exercises.NO_CHAPTERS:
            yield Fault("_toc.yml", 0, f"{name} is listed as no chapter, and stands between chapters")


def draws(source: str) -> bool:
    """Whether a cell draws a figure, outside of the functions that it defines."""
    try:
        waiting = list(ast.parse(source).body)
    except SyntaxError:  # fails when the cell is run
        return False
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name.startswith("plot_") or name in ("subplots", "figure"):
                return True
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)
    return False


def check_notebooks(book: Book) -> Iterator[Fault]:
    """Committed clean; title and first cell; known tags; figures in words; outputs that can be compared."""
    address = first_cell.address((book.root / "pyproject.toml").read_text(encoding="utf-8"))
    for page in book.notebooks:
        if page.source != clean.clean(page.source):
            yield page.fault("holds pictures, counts or an editor's traces: make clean-notebooks")
        try:
            if page.source != first_cell.with_first_cell(page.source, address):
                yield page.fault("the cell for Colab is not current: .venv/bin/python book/_tools/first_cell.py", 2)
        except ValueError as error:
            yield page.fault(str(error), 1)
        for place, cell in enumerate(page.cells, 1):
            tags = set(cell.metadata.get("tags", []))
            for tag in sorted(tags - TAGS):
                yield page.fault(f"unknown tag {tag}", place)
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
            if "Replace this" in f"{cell.source} {alt}":
                yield page.fault('"Replace this" is left', place)
            if cell.cell_type == "code" and alt is None and draws(cell.source) and "remove-output" not in tags:
                yield page.fault(
                    "a figure without an alternative text (mystnb.image.alt in the cell's metadata)", place
                )
            if alt is not None and (len(alt) <= 20 or alt.endswith((".png", ".svg"))):
                yield page.fault(f"the alternative text {alt!r} does not say what is to be seen", place)
            if "nbval-check-output" in tags and not cell.outputs:
                yield page.fault("its output is to be compared, and none is kept: make run-notebooks", place)
            if re.search(r" at 0x[0-9a-f]{6,}", json.dumps(cell.get("outputs", []))):
                yield page.fault("its output holds an address in memory, which is new each time", place)


def check_chapters(book: Book) -> Iterator[Fault]:
    """Parts, in order; objectives, each tried by exercises; exercises, each with a folded solution that asserts."""
    for chapter in book.chapters:
        for place, message in chapter_faults(chapter, book.order):
            yield book.pages[chapter.name].fault(message, place)


def chapter_faults(chapter: exercises.Chapter, order: list[str]) -> Iterator[tuple[int, str]]:
    needs = NEEDS.search(chapter.head)
    if not needs:
        yield 1, "no line like *About an hour. You need ...*"
    elif chapter.name in order:
        for name in DOC.findall(needs[0]):
            if name in order[order.index(chapter.name) :]:
                yield 1, f"it needs {name}, which comes later"
    names = [ALSO_CALLED.get(name, name) for name in [chapter.title, *chapter.sections]]
    found = [name for name in names if name in SECTIONS]
    if found != SECTIONS:
        yield 0, f"has the sections {', '.join(found)}; they should be {', '.join(SECTIONS)}"
    objectives, numbers = chapter.objectives, [one.number for one in chapter.exercises]
    if not 3 <= len(objectives) <= 5:
        yield 1, f'{len(objectives)} objectives under "**By the end you can**", not 3 to 5'
    if [one.number for one in objectives] != list(range(1, len(objectives) + 1)):
        yield 1, "objectives are not numbered 1, 2, 3, ..."
    for one in objectives:
        if not one.exercises:
            yield 1, f"objective {one.number} names no exercise: (exercise 1), (exercises 2 and 3)"
        for number in set(one.exercises) - set(numbers):
            yield 1, f"objective {one.number}: there is no exercise {number}"
    for number in set(numbers) - {number for one in objectives for number in one.exercises}:
        yield 1, f"exercise {number} is named by no objective"
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        yield 0, f"exercises are numbered {numbers}"
    for i in chapter.section("Exercises"):
        for name in OTHER_EXERCISE.findall(chapter.texts[i]):
            yield i + 1, f"exercises are headings (### 1. Name), not {name}"
    for one in chapter.exercises:
        if not one.is_solved:
            yield 0, f"exercise {one.number} has no folded solution with an assert"


def check_links(book: Book) -> Iterator[Fault]:
    """No link, citation or term leads nowhere."""
    bib = book.folder / "references.bib"
    keys = (
        set(re.findall(r"^@\w+\{([^,]+),", bib.read_text(encoding="utf-8"), re.MULTILINE)) if bib.is_file() else set()
    )
    terms = {head.lower() for heads, _ in glossary(book) for head in heads}
    for page in book.pages.values():
        for place, text in page.texts:
            for name in DOC.findall(text):
                if name.strip() not in book.pages:
                    yield page.fault(f"there is no page {name}", place)
            for file, slug in HEADING_LINK.findall(text):
                there = book.pages.get(file.rpartition(".")[0])
                if not there or slug not in there.slugs:
                    yield page.fault(f"{file} has no heading #{slug}", place)
            for key in (key.strip() for cited in CITED.findall(text) for key in cited.split(",")):
                if key not in keys:
                    yield page.fault(f"references.bib has no entry {key}", place)
            for term in TERM.findall(text):
                if " ".join(term.lower().split()) not in terms:
                    yield page.fault(f"the glossary has no entry {term}", place)


def glossary(book: Book) -> list[tuple[list[str], str]]:
    """The glossary's entries: the words that share a definition, and the definition."""
    page = book.pages.get("glossary")
    found = []
    for block in re.findall(r"^```\{glossary\}\n(.*?)^```$", page.source if page else "", re.MULTILINE | re.DOTALL):
        for entry in block.strip("\n").split("\n\n"):
            lines = entry.split("\n")
            heads = [line for line in lines if not line.startswith(" ")]
            found.append((heads, " ".join(line.strip() for line in lines[len(heads) :])))
    return found


def plain(word: str) -> str:
    """A word without capitals, the small words before it, and a plural's s."""
    word = re.sub(r"^(a |an |the |to |its )+", "", word.strip().lower().removesuffix(" to it"))
    return re.sub(r"(?<=\w\w)s$", "", word)


def bare(word: str) -> str:
    """A French word without accents, hyphens and quotation marks, for the order of the alphabet and for comparing."""
    letters = unicodedata.normalize("NFD", word.lower())
    return re.sub(r"[«»\"“”\s-]+", " ", "".join(c for c in letters if not unicodedata.combining(c))).strip()


def italics(text: str) -> list[str]:
    return re.findall(r"\*([^*]+)\*", text)


def check_glossary(book: Book) -> Iterator[Fault]:
    """Entries in order, each once; every word of the chapters' tables, ours and the thesis's; the way back."""
    entries = glossary(book)
    if not entries:
        return
    page = book.pages["glossary"]
    heads = [heads[0].lower() for heads, _ in entries]
    for before, after in zip(heads, sorted(heads), strict=True):
        if before != after:
            yield page.fault(f"{before} does not stand where the alphabet has it")
            break
    every = [head.lower() for heads, _ in entries for head in heads]
    for head in sorted({head for head in every if every.count(head) > 1}):
        yield page.fault(f"{head} is explained twice")
    known = {plain(head) for head in every}
    thesis = [
        (word, heads[0])
        for heads, text in entries
        for part in re.findall(r"\(Thesis: ([^()]*)\)", text)
        for word in italics(part)
    ]
    french = re.sub(r"s\b", "", " ".join(bare(word) for word, _ in thesis))
    for notebook in book.notebooks:
        for place, text in notebook.texts:
            for row in (row for table in WORD_TABLE.findall(text) for row in table.strip().split("\n")):
                ours, theirs = (part.strip() for part in row.strip().strip("|").split("|"))
                for word in filter(str.strip, re.split(r"[,;()]", ours)):
                    if not any(head == plain(word) or head.endswith(" " + plain(word)) for head in known):
                        yield notebook.fault(f"the glossary lacks {word.strip()!r}", place)
                for word in re.split(r"[,;]| et ", re.sub(r"\(.*?\)", "", " , ".join(italics(theirs)))):
                    if re.sub(r"s\b", "", bare(word)) not in french:
                        yield notebook.fault(f"the glossary lacks the thesis's {word.strip()!r}", place)
    back = re.findall(r"^\| \*([^*]+)\* \| \{term\}`([^`]+)` \|$", page.source, flags=re.MULTILINE)
    for word, head in sorted(set(thesis) ^ set(back)):
        yield page.fault(f"{word!r} ({head}) stands either in an entry or in the way back from French, not in both")
    if [bare(word) for word, _ in back] != sorted(bare(word) for word, _ in back):
        yield page.fault("the way back from French is not in the alphabet's order")


def check_thesis_map(book: Book) -> Iterator[Fault]:
    """Each section of the thesis has a row, in order, and each row a place in the book."""
    page = book.pages.get("thesis")
    if not page:
        return
    lines = [(place, line) for place, line in enumerate(page.source.splitlines(), 1) if re.match(r"\| *\d", line)]
    rows = [(place, [cell.strip() for cell in line.strip().strip("|").split("|")]) for place, line in lines]
    if [row[0] for _, row in rows] != THESIS:
        yield page.fault(f"has rows for the sections {' '.join(row[0] for _, row in rows)}, not {' '.join(THESIS)}")
    for place, row in rows:
        if not DOC.search(row[-1]) and not HEADING_LINK.search(row[-1]):
            yield page.fault(f"section {row[0]} has no place in the book", place)


def check_teaching(book: Book) -> Iterator[Fault]:
    """The index of exercises is current; the notes for teachers name exercises that exist, and their sums are right."""
    index = book.pages.get("exercises")
    if index and index.source != exercises.index(book.chapters):
        yield index.fault("is out of date: .venv/bin/python book/_tools/exercises.py")
    page = book.pages.get("teaching")
    if not page:
        return
    there = {(chapter.name, one.number) for chapter in book.chapters for one in chapter.exercises}
    for name, numbers in re.findall(r"\{doc\}`(\w+)`,?\s+exercises? (\d+(?:(?:, | and )\d+)*)", page.source):
        for number in map(int, re.findall(r"\d+", numbers)):
            if (name, number) not in there:
                yield page.fault(f"{name} has no exercise {number}")
    for number, session in enumerate(re.split(r"^### Session ", page.source, flags=re.MULTILINE)[1:], 1):
        times = [tuple(map(int, row)) for row in re.findall(r"^\| (\d+)-(\d+) \|", session, re.MULTILINE)]
        if [begin for begin, _ in times] + [90] != [0] + [end for _, end in times]:
            yield page.fault(f"the minutes of session {number} do not run from 0 to 90")
    for points, answer in re.findall(r"^\| \{doc\}`\w+`, exercise \d+ \| (\d+) \| (.*?) \|", page.source, re.MULTILINE):
        if int(points) != sum(map(int, re.findall(r"\((\d+)\)", answer))):
            yield page.fault(f"the marks do not add up to {points}: {answer[:60]}")
    sheet = page.source.partition("| marking sheet |")[2].split("\n\n")[0]
    if sheet and sum(map(int, re.findall(r"^\| [^|]+ \| (\d+) \|", sheet, re.MULTILINE))) != 100:
        yield page.fault("the marking sheet does not add up to 100")


def check_reference(book: Book) -> Iterator[Fault]:
    """The marks in the reference's pages cover every module of the two packages, once."""
    known = reference_pages.modules(book.root)
    described = []
    for page in book.pages.values():
        for names in reference_pages.MARK.findall(page.source):
            try:
                described += re.findall(r"automodule:: (\S+)", reference_pages.sections(names, known))
            except ValueError as error:
                yield page.fault(str(error))
    for name in sorted(set(known) - {"drumlib", *described}) if described else ():
        yield Fault("book/reference.md", 0, f"no page of the reference describes {name}")
    for name in sorted({name for name in described if described.count(name) > 1}):
        yield Fault("book/reference.md", 0, f"{name} is described twice")


def results(book: Book) -> dict[str, Path]:
    return {
        path.name: path
        for folder in ("bench/results", "drumlib/weights")
        for path in (book.root / folder).glob("*.json")
    }


def check_results(book: Book) -> Iterator[Fault]:
    """The results files that a chapter's code names are there, and bench/README.md says which command wrote each."""
    there = results(book)
    for page in book.notebooks:
        for place, cell in enumerate(page.cells, 1):
            if cell.cell_type == "code":
                for name in sorted(set(re.findall(r"[\w-]+\.json", cell.source)) - WRITTEN_BY_A_RUN - set(there)):
                    yield page.fault(f"there is no results file {name}", place)
    readme = book.root / "bench" / "README.md"
    for name, path in sorted(there.items()):
        if path.parent.name == "results" and f"results/{name}" not in readme.read_text(encoding="utf-8"):
            yield Fault("bench/README.md", 0, f"does not say which command wrote results/{name}")


def inserted(comment: re.Match, files: dict[str, Path]) -> str:
    """What must stand before a comment with ``=``: the value, formatted.

    Raises
    ------
    ValueError
        If the file, the value or the format cannot be had.
    """
    name, keys, form = comment.groups()
    if name not in files:
        raise ValueError(f"there is no results file {name}")
    value = json.loads(files[name].read_text(encoding="utf-8"))
    try:
        for key in keys.split("::"):
            value = value[int(key) if isinstance(value, list) else key]
        return form.format(value).replace("%", " %")
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ValueError(f"{name}::{keys} {form}: {error!r}") from None


def filled(text: str, files: dict[str, Path]) -> str:
    """The text with every inserted number as its results file has it."""
    parts, end = [], 0
    for comment in INSERTED.finditer(text):
        value = inserted(comment, files)
        shape = re.sub(r"[\d.,]*\d", "@", re.escape(value).replace(r"\.", ".")).replace("@", r"[\d.,]*\d")
        before = re.sub(rf"(?:{shape})?\Z", lambda _, value=value: value, text[end : comment.start()], count=1)
        parts, end = [*parts, before, comment[0]], comment.end()
    return "".join(parts) + text[end:]


def number_pages(book: Book) -> list[Page]:
    extra = [path for path in (book.root / "README.md", book.root / "CHANGELOG.md") if path.is_file()]
    return [*book.pages.values(), *(Page(path, book.root) for path in extra)]


def check_numbers(book: Book) -> Iterator[Fault]:
    """A number in prose that looks like a result comes from a results file, or its paragraph says what it is."""
    files = results(book)
    for page in number_pages(book):
        for place, cell in page.texts:
            for text in re.split(r"\n\n", cell):
                covered = set()
                for comment in INSERTED.finditer(text):
                    try:
                        value = inserted(comment, files)
                    except ValueError as error:
                        yield page.fault(str(error), place)
                        continue
                    covered.add(comment.start())
                    if not text[: comment.start()].endswith(value):
                        yield page.fault(
                            f"{comment[1]} has {value}: .venv/bin/python book/_tools/check_book.py --write", place
                        )
                said = [part.partition(":")[0] for part in COMMENT.findall(text) if not part.startswith(" = ")]
                known = {number.strip() for part in said for number in part.split(",")}
                for number in RESULT.finditer(COMMENT.sub(lambda found: " " * len(found[0]), text)):
                    if number[0] not in known and not any(
                        number.end() - 2 <= start <= number.end() + 8 for start in covered
                    ):
                        yield page.fault(
                            f"{number[0]}: insert it from a results file, or say what it is in a comment", place
                        )


CHECKS = (
    *(check_contents, check_notebooks, check_chapters, check_links, check_glossary, check_thesis_map, check_teaching),
    *(check_reference, check_results, check_numbers),
)


def faults(root: Path = ROOT) -> list[Fault]:
    """All faults of the book below a folder."""
    try:
        book = Book(root)
        return [fault for check in CHECKS for fault in check(book)]
    except ValueError as error:  # a page that cannot be read at all
        return [Fault("book", 0, str(error))]


def write_numbers(root: Path = ROOT) -> None:
    """Write into every page the numbers that come from results files."""
    book = Book(root)
    for page in number_pages(book):
        if page.cells is None:
            after = filled(page.source, results(book))
        else:
            notebook = nbformat.reads(page.source, as_version=nbformat.NO_CONVERT)
            for cell in notebook.cells:
                if cell.cell_type == "markdown":
                    cell.source = filled(cell.source, results(book))
            after = nbformat.writes(notebook).rstrip("\n") + "\n"
        if after != page.source:
            write_whole(page.path, after.encode())
            print(page.file, "written")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check the book's pages: structure, links, words, figures, numbers.")
    parser.add_argument("--write", action="store_true", help="first write the numbers that come from results files")
    parser.add_argument("--root", type=Path, default=ROOT, metavar="FOLDER", help="of another book's repository")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.write:
            write_numbers(chosen.root)
        found = faults(chosen.root)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
