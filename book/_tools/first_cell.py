"""Writes the first cell of each chapter, which makes the chapter run on Google Colab.

    python book/_tools/first_cell.py
    python book/_tools/first_cell.py book/latent.ipynb
    python book/_tools/first_cell.py --check

On Colab a chapter comes alone: without drumlib, and without the results that it reads. The cell fetches the whole
repository, goes into the folder of the chapters, and lets ``book/_tools/colab.py`` install what is missing. Anywhere
else it does nothing. The book leaves it out (its tag says so). It stands right behind the title, is the same in every
chapter, and has one line that depends on us: the repository's address, from pyproject.toml. Without an address it says
so on Colab, and how to go on.

With --check no file is written; the exit status is 1 if one would be. A second call changes nothing.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

from drumlib.files import write_whole

ROOT = Path(__file__).resolve().parents[2]

NAME = "colab"
"""The cell's name in the notebook: by it an older version of the cell is found."""

SOURCE = """\
# On Google Colab this fetches the book, and installs what is missing there. Anywhere else it does nothing.
import os
import sys

if "google.colab" in sys.modules:
    import runpy
    import subprocess

    ADDRESS = os.environ.get("DRUMLIB_SOURCE", "{address}")
    if ADDRESS and not os.path.exists("drummers-book") and not os.path.exists("_tools/colab.py"):
        subprocess.run(["git", "clone", "--quiet", "--depth=1", ADDRESS, "drummers-book"], check=True)
    if os.path.exists("drummers-book"):
        os.chdir("drummers-book/book")
    if not os.path.exists("_tools/colab.py"):
        raise SystemExit(
            "The book is not here, and its public address is not set. Upload it as a zip and unpack it, or clone it\\n"
            "from wherever you have it, into a folder called drummers-book; then run this cell again. For example:\\n"
            "    !git clone ADDRESS drummers-book"
        )
    runpy.run_path("_tools/colab.py", run_name="__main__")"""


def address(pyproject: str) -> str:
    """The repository's public address, from the text of pyproject.toml; empty if none is set.

    Raises
    ------
    ValueError
        If there is no such line.
    """
    table = re.search(r'^\[tool\.drumlib-book\]\n(?:#.*\n)*repository = "(.*)"', pyproject, re.MULTILINE)
    if not table:
        raise ValueError("pyproject.toml has no [tool.drumlib-book] with a repository")
    return f"https://github.com/{table[1]}" if table[1] else ""


def with_first_cell(text: str, address: str) -> str:
    """A notebook's text, with the cell in its place; nothing else is changed.

    Raises
    ------
    ValueError
        If the text is no notebook, or does not begin with a title.
    """
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    cells = [cell for cell in notebook.cells if cell.get("id") != NAME]
    if not cells or cells[0].cell_type != "markdown" or not cells[0].source.startswith("# "):
        raise ValueError("a chapter begins with a text cell with its title")
    cell = nbformat.v4.new_code_cell(SOURCE.format(address=address), id=NAME, metadata={"tags": ["remove-cell"]})
    notebook.cells = [cells[0], cell, *cells[1:]]
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the first cell of each chapter, for Google Colab.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="all in book/, if none is named")
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 1 if something should be")
    chosen = parser.parse_args(arguments)
    ours = address((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    late = 0
    for path in chosen.notebooks or sorted((ROOT / "book").glob("*.ipynb")):
        before = path.read_text(encoding="utf-8")
        try:
            after = with_first_cell(before, ours)
        except ValueError as error:
            parser.error(f"{path}: {error}")
        if before != after:
            late += 1
            print(path, "needs its first cell" if chosen.check else "has its first cell")
            if not chosen.check:
                write_whole(path, after.encode())
    return 1 if chosen.check and late else 0


if __name__ == "__main__":
    sys.exit(main())
