"""The reference has a place for every module of the package, once, and for nothing else."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AUTOMODULE = re.compile(r"^\.\. automodule:: (\S+)$", re.MULTILINE)

OUR_SONGS = {"ballad", "blues", "bossa", "disco", "funk", "reggae", "rock", "swing"}
"""The songbook's songs are music, not functions to call."""


def modules() -> set[str]:
    found = set()
    for path in (ROOT / "drumlib").rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if path.stem not in OUR_SONGS:
            found.add(name)
    # What the first two say stands in the README and in --help; the weights' folder has no code.
    return found - {"drumlib", "drumlib.__main__", "drumlib.weights"}


def test_every_module_is_described_once():
    described = []
    for path in (ROOT / "book").glob("reference*.md"):
        described += AUTOMODULE.findall(path.read_text(encoding="utf-8"))
    assert len(described) == len(set(described)), "a module is described twice"
    assert set(described) == modules()
