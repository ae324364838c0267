"""The map of the thesis: each of its sections stands there once, and each link leads somewhere."""

import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parents[1] / "book"
SECTIONS = """1
2 2.1 2.2 2.3 2.4 2.5
3 3.1 3.2 3.3
4 4.1 4.2 4.3 4.4 4.5
5 5.1 5.2 5.3 5.4
6""".split()
"""The thesis's table of contents, but for thanks and sources."""

DOC = re.compile(r"\{doc\}`(?:[^`<]*<)?([\w-]+)>?`")
HEADING = re.compile(r"\]\(([\w-]+\.(?:ipynb|md))#([^)]+)\)")


def text_of(path: Path) -> str:
    """What a person wrote on a page."""
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def slugs(path: Path) -> list[str]:
    """The names under which MyST finds a page's headings, as GitHub makes them; twice the same gets a number."""
    text, found = re.sub(r"```.*?```", "", text_of(path), flags=re.DOTALL), []
    for title in re.findall(r"^#{1,3} +(.+?) *$", text, flags=re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        same = sum(other == slug or re.fullmatch(re.escape(slug) + r"-\d+", other) is not None for other in found)
        found.append(f"{slug}-{same}" if same else slug)
    return found


def rows(text: str) -> list[list[str]]:
    """The rows of the map, each a list of cells: those that begin with a section's number."""
    lines = [line.strip().strip("|").split("|") for line in text.splitlines() if re.match(r"\| *\d", line)]
    return [[cell.strip() for cell in line] for line in lines]


MAP = text_of(BOOK / "thesis.md")


def test_every_section_stands_there_once_and_in_order():
    assert [row[0] for row in rows(MAP)] == SECTIONS


@pytest.mark.parametrize("row", rows(MAP), ids=lambda row: row[0])
def test_every_row_says_what_and_where(row):
    _, what, where = row
    said = re.fullmatch(r"\*[^*]+\* \([^()]+\): (.+)", what)
    assert said and len(said[1]) > 20, "the title in French, in English, and what it says"
    assert DOC.search(where) or HEADING.search(where), "no place in the book"


@pytest.mark.parametrize("page", sorted(set(DOC.findall(MAP))))
def test_every_linked_page_exists(page):
    assert any((BOOK / f"{page}{suffix}").is_file() for suffix in (".ipynb", ".md"))


@pytest.mark.parametrize("page, slug", sorted(set(HEADING.findall(MAP))))
def test_every_linked_heading_exists(page, slug):
    there = slugs(BOOK / page)
    assert slug in there, f"{page} has {', '.join(there)}"


def test_slugs():
    """The rule is MyST's own: with MyST at hand, they agree."""
    base = pytest.importorskip("myst_parser.mdit_to_docutils.base")
    for path in (BOOK / "index.ipynb", BOOK / "model.ipynb", BOOK / "thesis.md"):
        titles = re.findall(
            r"^#{1,3} +(.+?) *$", re.sub(r"```.*?```", "", text_of(path), flags=re.DOTALL), re.MULTILINE
        )
        assert [re.sub(r"-\d+$", "", slug) for slug in slugs(path)] == [
            re.sub(r"-\d+$", "", base.default_slugify(title)) for title in titles
        ]


def test_a_wrong_map_would_be_found():
    assert rows("| 2.1 | *x* (y): z | {doc}`learning` |\n| --- | --- |\n| n | 2 |") == [
        ["2.1", "*x* (y): z", "{doc}`learning`"]
    ]
    assert DOC.findall("{doc}`learning` {doc}`a <b>`") == ["learning", "b"]
    assert HEADING.findall("[x](a.ipynb#b-c)") == [("a.ipynb", "b-c")]
    assert "no-such-heading" not in slugs(BOOK / "index.ipynb")
