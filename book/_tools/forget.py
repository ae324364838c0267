"""Forgets the built book when what it was made with has changed.

    python book/_tools/forget.py

A chapter is run again when its own text changes. It shows what drumlib does, so it must be run again when drumlib
changes, too, or the weights, or the figures that bench/ wrote, or a package's version. This compares what lies there
now with what lay there at the last build (a checksum in book/_build/made_with), and removes book/_build if it differs.
"""

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "book" / "_build"
MADE_WITH = BUILD / "made_with"


def ingredients() -> list[Path]:
    """Every file that a chapter may depend on, except the chapters."""
    found = [ROOT / name for name in ("requirements.lock", "_config.yml", "_toc.yml")]
    for folder in ("drumlib", "bench/results", "book"):
        found += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    return sorted(
        path
        for path in found
        if not {"__pycache__", "_build", ".ipynb_checkpoints"} & set(path.relative_to(ROOT).parts)
        # Sphinx itself sees when a page has changed.
        and not (path.parent == ROOT / "book" and path.suffix in (".ipynb", ".md"))
    )


def checksum() -> str:
    """One checksum of all ingredients, their names among them, and of the Python that runs them."""
    total = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in ingredients():
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def main(arguments: list[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__.split("\n\n")[0]).parse_args(arguments)
    now = checksum()
    if MADE_WITH.exists() and MADE_WITH.read_text() == now:
        return
    if BUILD.exists():
        print("What the chapters run on has changed: all of them are run again.")
        shutil.rmtree(BUILD)
    BUILD.mkdir(parents=True)
    MADE_WITH.write_text(now)


if __name__ == "__main__":
    main()
