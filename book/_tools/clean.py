"""Brings notebooks into the form in which they are committed.

    python book/_tools/clean.py book/*.ipynb
    python book/_tools/clean.py --check book/*.ipynb

Nothing is run. What stays is what a person wrote and what a cell printed. Pictures, sounds and players are made anew
when the book is built, so they go, and with them counts, warnings, widgets and the traces of the editor that was used.
A second call changes nothing. With --check no file is written; the exit status is 1 if one would be.
"""

import argparse
import sys
from pathlib import Path

import nbformat

from drumlib.files import write_whole

KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
"""All that a notebook says of itself. The Python's version would change with whoever ran it last."""

CELL_METADATA = ("tags", "mystnb")
"""What a cell keeps beside its text: tags, for the book (hide-input) and for the tests (nbval-check-output); and what
MyST-NB needs to know, such as the text that stands for a picture."""


def clean_outputs(outputs: list[dict]) -> list[dict]:
    """The outputs that are text and nothing else; what was printed in pieces is joined."""
    kept = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream" and output["name"] == "stdout":
            if kept and kept[-1]["output_type"] == "stream":
                kept[-1] = nbformat.v4.new_output("stream", name="stdout", text=kept[-1]["text"] + output["text"])
            else:
                kept.append(nbformat.v4.new_output("stream", name="stdout", text=output["text"]))
        # The text beside a picture or a player says only what kind of object it was, and where in memory: no loss.
        elif kind in ("execute_result", "display_data") and set(output["data"]) == {"text/plain"}:
            kept.append(nbformat.v4.new_output(kind, data=output["data"]))
    return kept


def clean(text: str) -> str:
    """A notebook's text, cleaned.

    Raises
    ------
    ValueError
        If the text is not a notebook of version 4.
    """
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    if notebook.nbformat != 4:
        raise ValueError(f"a notebook of version 4 is needed, this is {notebook.nbformat}")
    notebook.nbformat_minor = max(notebook.nbformat_minor, 5)  # 5 is the first in which cells have names
    notebook.metadata = nbformat.from_dict(KERNEL)
    for number, cell in enumerate(notebook.cells):
        # Editors draw names by lot; a number in order keeps a difference between two versions small.
        cell.setdefault("id", f"cell-{number}")
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)})
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = clean_outputs(cell.outputs)
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Bring notebooks into the form in which they are committed.")
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 1 if something should be")
    chosen = parser.parse_args(arguments)
    unclean = 0
    for path in chosen.notebooks:
        before = path.read_text(encoding="utf-8")
        after = clean(before)
        if before != after:
            unclean += 1
            print(path, "should be cleaned" if chosen.check else "cleaned")
            if not chosen.check:
                write_whole(path, after.encode())
    return 1 if chosen.check and unclean else 0


if __name__ == "__main__":
    sys.exit(main())
