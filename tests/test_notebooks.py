"""Notebooks are cleaned before they are committed, and the table of contents is walked whole."""

import nbformat
import pytest
from tools import load_tool

pages = load_tool("contents").pages


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
