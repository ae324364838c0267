"""The chapters as they are committed: text only, for this Python, and listed in the table of contents."""

import re
from pathlib import Path

import nbformat
import pytest
from tools import load_tool

ROOT = Path(__file__).resolve().parents[1]
pages = load_tool("contents").pages
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))

TAGS = {
    *("hide-cell", "hide-input", "hide-output", "remove-cell", "remove-input", "remove-output"),  # for the book
    *("nbval-check-output", "nbval-ignore-output", "raises-exception"),  # for the tests
}


def every(kind):
    """Every notebook, for a test's parameters; with none at all the tests must not pass in silence."""
    return pytest.mark.parametrize(kind, NOTEBOOKS, ids=lambda path: path.stem)


@pytest.mark.parametrize("name", pages())
def test_every_chapter_of_the_contents_exists(name):
    assert [path for path in (ROOT / "book").glob(f"{name}.*") if path.suffix in (".ipynb", ".md")], (
        f"no {name} in book/"
    )


def test_every_page_is_in_the_contents():
    there = {path.stem for path in (ROOT / "book").glob("*") if path.suffix in (".ipynb", ".md")}
    assert there - set(pages()) == set()


def test_the_contents_are_walked_to_the_bottom():
    """Parts, chapters and sections, each with a file of its own, with others below it, or with both."""
    toc = {
        "root": "index",
        "parts": [
            {"caption": "One", "chapters": [{"file": "a", "sections": [{"file": "a1"}, {"file": "a2"}]}]},
            {"caption": "Two", "chapters": [{"file": "b"}, {"file": "c", "sections": [{"file": "c1"}]}]},
        ],
    }
    assert pages(toc) == ["index", "a", "a1", "a2", "b", "c", "c1"]
    assert pages({"root": "index", "chapters": [{"file": "a"}]}) == ["index", "a"]
    for wrong in ({}, {"root": "a", "chapters": [{"file": "a"}]}):
        with pytest.raises(ValueError, match="each page once"):
            pages(wrong)


@every("path")
def test_is_committed_clean(path):
    text = path.read_text(encoding="utf-8")
    assert text == load_tool("clean").clean(text), (
        f"{path.name} has pictures, counts or an editor's traces: make clean-notebooks"
    )


@every("path")
def test_outputs_are_text(path):
    """Said again without the tool: it could be wrong."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    assert "widgets" not in notebook.metadata
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert not cell.get("attachments"), "a picture inside a text cell"
        assert cell.get("execution_count") is None
        for output in cell.get("outputs", []):
            assert output.output_type in ("stream", "execute_result", "display_data")
            assert output.get("name", "stdout") == "stdout"
            assert set(output.get("data", {})) <= {"text/plain"}
            said = output.get("text") or output.data["text/plain"]
            assert not re.search(r" at 0x[0-9a-f]{6,}", said), f"an address in memory is new each time: {said}"


@every("path")
def test_begins_with_its_title(path):
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")


@every("path")
def test_tags_mean_something(path):
    """A tag with a typing error is silently no tag at all."""
    for cell in nbformat.read(path, as_version=4).cells:
        assert set(cell.metadata.get("tags", [])) <= TAGS


@every("path")
def test_what_is_to_be_compared_was_kept(path):
    """A cell whose output is checked, and that has none stored, would be checked against nothing."""
    for cell in nbformat.read(path, as_version=4).cells:
        if "nbval-check-output" in cell.metadata.get("tags", []):
            assert cell.outputs, f"nothing to compare with: make run-notebooks\n{cell.source}"


def messy():
    """A notebook just after it was run in an editor."""
    v4 = nbformat.v4
    code = v4.new_code_cell("1 + 1", execution_count=3, id="sum")
    code.metadata = nbformat.from_dict(
        {"tags": ["hide-input"], "collapsed": True, "execution": {"iopub.status": "now"}}
    )
    code.outputs = [
        v4.new_output("stream", name="stdout", text="one, "),
        v4.new_output("stream", name="stderr", text="a warning"),
        v4.new_output("stream", name="stdout", text="two"),
        v4.new_output("display_data", data={"image/png": "AAAA", "text/plain": "<Figure>"}),
        v4.new_output("display_data", data={"text/html": "<audio>", "text/plain": "<Player at 0x7f0000000000>"}),
        v4.new_output("execute_result", data={"text/plain": "2"}, execution_count=3),
        v4.new_output("error", ename="ValueError", evalue="", traceback=["in a folder"]),
    ]
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Title", id="title"), code])
    notebook.metadata = nbformat.from_dict(
        {"widgets": {"state": {}}, "language_info": {"name": "python", "version": "3.10.1"}}
    )
    return nbformat.writes(notebook)


def test_cleaning_keeps_text_and_nothing_else():
    notebook = nbformat.reads(load_tool("clean").clean(messy()), as_version=4)
    cell = notebook.cells[1]
    assert cell.metadata == {"tags": ["hide-input"]}
    assert cell.execution_count is None
    assert [output.output_type for output in cell.outputs] == ["stream", "execute_result"]
    assert cell.outputs[0].text == "one, two"
    assert cell.outputs[1].data == {"text/plain": "2"} and cell.outputs[1].execution_count is None
    assert notebook.metadata == load_tool("clean").KERNEL


def test_cleaning_twice_changes_nothing():
    tool = load_tool("clean")
    once = tool.clean(messy())
    assert once != messy()
    assert tool.clean(once) == once


def test_cleaning_only_checks_when_asked(tmp_path, capsys):
    tool, path = load_tool("clean"), tmp_path / "chapter.ipynb"
    path.write_text(messy(), encoding="utf-8")
    assert tool.main(["--check", str(path)]) == 1
    assert path.read_text(encoding="utf-8") == messy()
    assert tool.main([str(path)]) == 0
    assert tool.main(["--check", str(path)]) == 0
    assert "cleaned" in capsys.readouterr().out
