"""Every chapter is built alike: what it needs, what one can do by its end, and an exercise with a solution for each.

The rules are functions that give the faults of a chapter in words. That they find faults is tested on a chapter made
here, which is broken in one place after the other.
"""

import re
from pathlib import Path

import nbformat
import pytest
import yaml
from tools import load_tool

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"


tool = load_tool("exercises")
CHAPTERS = [path for path in sorted(BOOK.glob("*.ipynb")) if path.stem not in tool.NO_CHAPTERS]
PAGES = {path.stem for path in BOOK.glob("*") if path.suffix in (".ipynb", ".md")}

SECTIONS = ("Hear it first", "What can go wrong", "Exercises", "Summary", "Further reading")
"""In this order. The first page is called "Hear it first" itself."""

ALSO_CALLED = {"Where it comes from": "Further reading"}

NEEDS = re.compile(r"^\*(?=[^*]*\b(?:minutes|hour|hours)\b)(?=[^*]*\bYou need\b).+?\*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\{doc\}`(?:[^`<]*<)?([^`<>]+)>?`")


def links(text: str) -> list[str]:
    """The pages that a text refers to."""
    return [name.strip().removeprefix("/") for name in LINK.findall(text)]


def faults_of_needs(chapter) -> list[str]:
    """A line says how long it takes and what one needs."""
    return [] if NEEDS.search(chapter.head) else ["no line like *About an hour. You need ...*"]


def faults_of_objectives(chapter) -> list[str]:
    """Three to five, each tried by an exercise that exists, and no exercise that tries nothing."""
    faults = []
    if not 3 <= len(chapter.objectives) <= 5:
        faults.append(f'{len(chapter.objectives)} objectives under "**By the end you can**", not 3 to 5')
    if [one.number for one in chapter.objectives] != list(range(1, len(chapter.objectives) + 1)):
        faults.append("objectives are not numbered 1, 2, 3, ...")
    numbers = {one.number for one in chapter.exercises}
    for one in chapter.objectives:
        if not one.exercises:
            faults.append(f"objective {one.number} names no exercise: (exercise 1), (exercises 2 and 3)")
        faults += [f"objective {one.number}: there is no exercise {n}" for n in one.exercises if n not in numbers]
    tried = {n for one in chapter.objectives for n in one.exercises}
    return faults + [f"exercise {n} is named by no objective" for n in sorted(numbers - tried)]


def faults_of_exercises(chapter) -> list[str]:
    """Numbered in order as headings of the third level, each with a folded solution that checks something."""
    numbers = [one.number for one in chapter.exercises]
    faults = [] if numbers and numbers == list(range(1, len(numbers) + 1)) else [f"exercises are numbered {numbers}"]
    for i in chapter.section("Exercises"):
        faults += [f"exercises are headings (### 1. Name), not {name}" for name in other_forms(chapter.texts[i])]
    return faults + [
        f"exercise {x.number} has no folded solution with an assert" for x in chapter.exercises if not x.is_solved
    ]


def other_forms(text: str) -> list[str]:
    """Exercises that are numbered in another way than as headings."""
    return re.findall(r"^\*\*\d+\. .*?\*\*", text, re.MULTILINE)


def faults_of_sections(chapter) -> list[str]:
    """All five, once each, in order."""
    names = [ALSO_CALLED.get(name, name) for name in [chapter.title, *chapter.sections]]
    found = [name for name in names if name in SECTIONS]
    return [] if found == list(SECTIONS) else [f"sections {found}, not {list(SECTIONS)}"]


def faults_of_links(chapter, pages) -> list[str]:
    """No link leads nowhere."""
    return [f"no page {name}" for text in chapter.texts for name in links(text) if name not in pages]


def faults_of_order(chapter, order) -> list[str]:
    """It needs only what came before, and its summary ends with what comes next. ``order`` are all chapters' names."""
    place, needs = order.index(chapter.name), NEEDS.search(chapter.head)
    later = [name for name in links(needs[0] if needs else "") if name in order[place:]]
    faults = [f"it needs {name}, which comes later" for name in later]
    summary = "\n\n".join(chapter.texts[i] for i in chapter.section("Summary"))
    summary = re.split(r"^## ", summary.split("## Summary", 1)[-1], flags=re.MULTILINE)[0]
    following = order[place + 1 : place + 2]
    if following and following[0] not in links(summary.strip().split("\n\n")[-1]):
        faults.append(f"the summary's last paragraph does not lead on to {following[0]}")
    return faults


def reading_order() -> list[str]:
    """The chapters' names as the table of contents has them."""
    pages = tool.order(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    names = {path.stem for path in CHAPTERS}
    return [name for name in pages if name in names]


def every(kind):
    """Every chapter, for a test's parameters; with none at all the tests must not pass in silence."""
    assert CHAPTERS
    return pytest.mark.parametrize(kind, CHAPTERS, ids=lambda path: path.stem)


@every("path")
def test_says_how_long_it_takes_and_what_it_needs(path):
    assert faults_of_needs(tool.Chapter(path)) == []


@every("path")
def test_objectives_are_tried_by_exercises(path):
    assert faults_of_objectives(tool.Chapter(path)) == []


@every("path")
def test_every_exercise_has_a_folded_solution_that_checks_itself(path):
    assert faults_of_exercises(tool.Chapter(path)) == []


@every("path")
def test_has_the_same_sections_as_all_chapters(path):
    assert faults_of_sections(tool.Chapter(path)) == []


@every("path")
def test_links_lead_to_pages(path):
    assert faults_of_links(tool.Chapter(path), PAGES) == []


@every("path")
def test_needs_only_what_came_before_and_leads_on(path):
    assert path.stem in reading_order(), "not in _toc.yml"
    assert faults_of_order(tool.Chapter(path), reading_order()) == []


def test_pages_of_text_link_to_pages():
    lost = {path.name: set(links(path.read_text(encoding="utf-8"))) - PAGES for path in BOOK.glob("*.md")}
    assert {name: pages for name, pages in lost.items() if pages} == {}


def test_what_is_no_chapter_is_known_by_name():
    """A chapter cannot hide among the exceptions: none of them has a place between two chapters."""
    pages = tool.order(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    last = max(pages.index(name) for name in reading_order())
    assert [name for name in pages[:last] if name in tool.NO_CHAPTERS] == []


HEAD = """# Hats

*About an hour. You need {doc}`earlier`, and a foot. Nothing here needs a GPU.*

**By the end you can**

1. count to four, in a
   long line (exercise 1);
2. clap (exercises 1 and 2);
3. stop (exercise 3).

Some words."""


def made(tmp_path, edit=lambda cells: None):
    """A chapter without a fault, but for what ``edit`` does to its cells."""
    v4 = nbformat.v4
    solution = {"metadata": {"tags": ["hide-cell"]}}
    cells = [v4.new_markdown_cell(HEAD), v4.new_markdown_cell("## Hear it first\n\n```\n## no heading\n```")]
    cells += [v4.new_markdown_cell("## What can go wrong\n\nMuch."), v4.new_markdown_cell("## Exercises\n\nTry.")]
    for number, name in enumerate(("One", "Two", "Three"), start=1):
        cells.append(v4.new_markdown_cell(f"### {number}. {name}\n\n*{number}0 minutes.* Do it."))
        cells += [v4.new_code_cell("help_with_it = 1"), v4.new_code_cell("x = 1\nassert x == 1", **solution)]
    cells.append(v4.new_markdown_cell("## Summary\n\n- Hats.\n\nNext, {doc}`later`.\n\n## Further reading\n\n- Books."))
    edit(cells)
    path = tmp_path / "hats.ipynb"
    nbformat.write(v4.new_notebook(cells=cells), path)
    return tool.Chapter(path)


ORDER, KNOWN = ["earlier", "hats", "later"], {"earlier", "hats", "later"}


def all_faults(chapter) -> list[str]:
    rules = (faults_of_needs, faults_of_objectives, faults_of_exercises, faults_of_sections)
    return (
        [fault for rule in rules for fault in rule(chapter)]
        + faults_of_links(chapter, KNOWN)
        + faults_of_order(chapter, ORDER)
    )


def test_a_chapter_is_read_as_it_is_meant(tmp_path):
    chapter = made(tmp_path)
    assert all_faults(chapter) == []
    assert chapter.title == "Hats" and chapter.sections == list(SECTIONS)
    assert [one.exercises for one in chapter.objectives] == [(1,), (1, 2), (3,)]
    assert chapter.objectives[0].text == "count to four, in a long line"
    assert [(one.number, one.name, one.minutes, one.anchor) for one in chapter.exercises] == [
        (1, "One", 10, "one"),
        (2, "Two", 20, "two"),
        (3, "Three", 30, "three"),
    ]


def replaced(number, old, new):
    """An edit: in one cell, other words."""

    def edit(cells):
        assert old in cells[number].source
        cells[number].source = cells[number].source.replace(old, new)

    return edit


def tagged(number, *tags):
    def edit(cells):
        cells[number].metadata["tags"] = list(tags)

    return edit


@pytest.mark.parametrize(
    "edit, fault",
    [
        (replaced(0, "*About an hour. ", "*"), "no line like"),
        (replaced(0, "You need", "Bring"), "no line like"),
        (replaced(0, "**By the end you can**", "By the end"), "0 objectives"),
        (replaced(0, "3. stop (exercise 3).", ""), "2 objectives"),
        (replaced(0, "2. clap", "4. clap"), "not numbered"),
        (replaced(0, "clap (exercises 1 and 2)", "clap"), "names no exercise"),
        (replaced(0, "(exercise 3)", "(exercise 4)"), "there is no exercise 4"),
        (replaced(0, "(exercise 3)", "(exercise 1)"), "exercise 3 is named by no objective"),
        (replaced(0, "{doc}`earlier`", "{doc}`later`"), "needs later"),
        (replaced(0, "Some words.", "See {doc}`there <nowhere>`."), "no page nowhere"),
        (replaced(2, "What can go wrong", "Mistakes"), "sections"),
        (replaced(4, "### 1. One", "### 2. One"), "numbered"),
        (replaced(4, "### 1. One\n\n", "### 1. One\n\n**2. Uno.** "), "not **2. Uno.**"),
        (replaced(6, "assert x == 1", "print(x)"), "exercise 1 has no folded solution"),
        (replaced(6, "assert x == 1", "assert True"), "exercise 1 has no folded solution"),
        (tagged(6), "exercise 1 has no folded solution"),
        (replaced(13, "{doc}`later`", "later"), "does not lead on to later"),
        (replaced(13, "## Further reading", "## More"), "sections"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_is_found(tmp_path, edit, fault):
    found = all_faults(made(tmp_path, edit))
    assert any(fault in one for one in found), found


def test_two_headings_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match="two"):
        made(tmp_path, replaced(1, "## Hear it first", "### Two\n\n## Hear it first"))


def test_checks_of_all_kinds_count():
    assert tool.asserts("np.testing.assert_allclose(a, b)") and tool.asserts("for x in y:\n    assert x")
    assert not tool.asserts("# assert x\nprint('assert x')") and not tool.asserts("assert 1")
