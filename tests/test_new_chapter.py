"""`make new-chapter`: what it writes is a chapter already, it has its place, and nothing is lost by it."""

import shutil
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from tools import load_tool, make_gives

ROOT = Path(__file__).resolve().parents[1]

linter = load_tool("check_book")

TOC = """\
# The order of the book.
format: jb-book
root: index
parts:
  - caption: One
    chapters:
      - file: music # the first
      - file: model
        sections:
          - file: listener
  - caption: Two
    chapters:
      - file: bibliography
"""
"""A table of contents of all kinds: parts, sections, words for the one who reads it, and a page that is no notebook."""


@pytest.fixture(scope="module")
def tool():
    return load_tool("new_chapter")


@pytest.fixture
def book(tmp_path) -> Path:
    """A small book: its files are empty, but they are there."""
    (tmp_path / "book").mkdir()
    for page in ("index.ipynb", "music.ipynb", "model.ipynb", "listener.ipynb", "bibliography.md"):
        (tmp_path / "book" / page).touch()
    (tmp_path / "_toc.yml").write_text(TOC)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("after", ["music", None])
def test_it_has_all_that_a_chapter_needs(tool, book, after):
    """The linter finds nothing in it but what its author is asked to replace."""
    path = tool.begin("swing", "Swing, or not?", after, book)
    for page in ("index", "music", "model", "listener"):  # empty until now
        (book / "book" / f"{page}.ipynb").write_bytes(path.read_bytes())
    shutil.copyfile(ROOT / "book" / "references.bib", book / "book" / "references.bib")
    faults = [fault for fault in linter.faults(book) if fault.file == "book/swing.ipynb"]
    assert faults and {fault.message for fault in faults} == {'"Replace this" is left'}
    cells = nbformat.read(path, as_version=4).cells
    assert cells[1].id == "colab"
    assert any(cell.metadata.get("mystnb", {}).get("image", {}).get("alt") for cell in cells)


@pytest.mark.slow
def test_it_runs(tool, book):
    notebook = nbformat.read(tool.begin("swing", "Swing", None, book), as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(book / "book")}}).execute()
    said = "".join(
        out.text for cell in notebook.cells for out in cell.get("outputs", []) if out.output_type == "stream"
    )
    assert "snare" in said.lower() and "strokes in 4 bars" in said


@pytest.mark.parametrize("number", [0, 1, 2])
def test_its_solutions_can_fail(tool, number):
    """Each asserts something of the song: with a band that has no drums they are wrong, and say so."""
    from drumlib.music import Groove, groove_of, songbook

    names = {}
    exec(tool.SETTINGS + "\n" + tool.IMPORTS, names)
    song = groove_of(songbook.song("rock"))
    silent = Groove(song.hits * 0, song.velocities * 0, song.offsets * 0)
    for groove, fails in ((song, False), (silent, number != 1)):
        names |= {"groove": groove, "hits": groove.hits}
        if fails:
            with pytest.raises((AssertionError, ValueError)):
                exec(tool.SOLUTIONS[number], dict(names))
        else:
            exec(tool.SOLUTIONS[number], dict(names))
    wrong = tool.SOLUTIONS[1].replace("*= 0.5", "*= 0.6")
    with pytest.raises(AssertionError):
        exec(wrong, dict(names) | {"groove": song})


def test_the_table_of_contents_keeps_every_line(tool, book):
    tool.begin("swing", "Swing", "music", book)
    tool.begin("last", "Last", None, book)
    lines = (book / "_toc.yml").read_text().splitlines(keepends=True)
    assert [line for line in lines if "swing" not in line and "last" not in line] == TOC.splitlines(keepends=True)
    parts = yaml.safe_load("".join(lines))["parts"]
    assert [chapter["file"] for chapter in parts[0]["chapters"]] == ["music", "swing", "model", "last"]
    assert parts[0]["chapters"][2]["sections"] == [{"file": "listener"}]


@pytest.mark.parametrize(
    "toc, after, expected",
    [
        ("root: a\nchapters:\n  - file: b\n  - file: c\n", "b", ["a", "b", "new", "c"]),
        ("root: a\nchapters:\n  - file: b\n  - file: c", "c", ["a", "b", "c", "new"]),
        ("root: a\nchapters:\n- file: b\n  sections:\n  - file: c\n- file: d\n", "b", ["a", "b", "c", "new", "d"]),
        ("root: a\nchapters:\n- file: b\n  sections:\n  - file: c\n- file: d\n", "c", ["a", "b", "c", "new", "d"]),
        (TOC, "listener", ["index", "music", "model", "listener", "new", "bibliography"]),
    ],
)
def test_it_stands_behind_the_page_that_was_named(tool, toc, after, expected):
    longer = tool.with_page(toc, "new", after)
    assert linter.exercises.order(yaml.safe_load(longer)) == expected


def test_it_tells_what_is_left_to_do(tool, book, capsys):
    tool.begin("swing", "Swing", "music", book)
    said = capsys.readouterr().out
    assert "between music and model" in said and "summary of music" in said and "exercises.py" in said
    assert '"Replace this"' in said


@pytest.mark.parametrize(
    "name, title, after, why",
    [
        ("music", "Music", None, "already"),
        ("bibliography", "Books", None, "already"),
        ("index", "First", None, "already"),
        ("lost", "Lost", None, "already"),  # a file that is not in the table of contents
        ("Swing", "Swing", None, "small letters"),
        ("../swing", "Swing", None, "small letters"),
        ("", "Swing", None, "small letters"),
        ("swing", " ", None, "title"),
        ("swing", "One\n# Two", None, "title"),
        ("swing", "Swing", "nowhere", "nowhere"),
        ("swing", "Swing", "index", "index is none; these are: music, model, listener"),
        ("swing", "Swing", "bibliography", "bibliography is none"),
    ],
)
def test_it_refuses_and_changes_nothing(tool, book, name, title, after, why):
    (book / "book" / "lost.md").touch()
    before = everything(book)
    with pytest.raises(ValueError, match=why):
        tool.begin(name, title, after, book)
    assert everything(book) == before


def test_a_fault_is_said_in_one_line(tool, capsys):
    with pytest.raises(SystemExit) as stopped:
        tool.main(["index", "Again"])
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and "there is a page index already" in said and "Traceback" not in said


@pytest.mark.parametrize("title", ["What is swing?", 'Say "swing"', "`pwd` and $HOME", "$x$, $(shell pwd), it's", "-x"])
def test_make_passes_on_what_was_typed(title):
    """Neither make nor the shell reads anything in it."""
    assert make_gives("new-chapter", "NAME=swing", f"TITLE={title}") == ["--after=", "--", "swing", title]
    given = make_gives("new-chapter", "NAME=swing", f"TITLE={title}", "AFTER=music")
    assert given == ["--after=music", "--", "swing", title]


def test_make_wants_a_name_and_a_title():
    assert "say which: make new-chapter" in make_gives("new-chapter", "NAME=swing")


def test_a_title_may_begin_with_a_hyphen_and_an_empty_after_is_none(tool, monkeypatch):
    monkeypatch.setattr(tool, "begin", lambda *given: begun.append(given))
    begun = []
    assert tool.main(["--after=", "--", "swing", "-x"]) == tool.main(["swing", "x", "--after", "music"]) == 0
    assert begun == [("swing", "-x", None), ("swing", "x", "music")]
