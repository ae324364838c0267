"""The table of contents, walked: which pages the book has, and in which order."""

from collections.abc import Iterator
from pathlib import Path

import yaml

TOC = Path(__file__).resolve().parents[2] / "_toc.yml"


def files(entry: dict) -> Iterator[str]:
    """The names of the pages in an entry of the table: its own, then all that stand below it, however deep.

    jupyter-book knows parts, chapters and sections, and lets each name a file, hold others, or both.
    """
    for key in ("root", "file"):
        if key in entry:
            yield entry[key]
    for below in ("parts", "chapters", "sections", "entries", "subtrees"):
        for one in entry.get(below) or ():
            yield from files(one)


def pages(toc: dict | None = None) -> list[str]:
    """The names of all pages, without their endings, the landing page first.

    Parameters
    ----------
    toc
        The table, as YAML gives it; the book's own, if not given.

    Raises
    ------
    ValueError
        If a page stands in it twice, or there is none.
    """
    found = list(files(yaml.safe_load(TOC.read_text(encoding="utf-8")) if toc is None else toc))
    if not found or len(found) != len(set(found)):
        raise ValueError(f"a table of contents names each page once: {found}")
    return found
