"""Makes Google Colab ready for a chapter: installs drumlib, and what drumlib needs and Colab has not got.

Called by the first cell of each chapter, from a copy of this repository (see ``first_cell.py``). A Python that runs has
NumPy, TensorFlow and the widgets loaded already; were a package replaced on the disk, half of it would be old and half
new. So pip is told the version of everything that is there, and may add to it, but move nothing.
"""

import importlib
import re
import subprocess
import sys
import tempfile
from collections import Counter
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[2]


def installed() -> dict[str, str]:
    """The version of each installed package, by its name; of two copies, of the one that Python would import."""
    found = {}
    for package in metadata.distributions():
        try:
            name, version = canonicalize_name(package.metadata["Name"]), package.version
            Version(version)
        except (InvalidVersion, TypeError):  # Debian's own packages, or what is left of one: pip does not touch these
            continue
        found.setdefault(name, version)
    return found


def tested(lock: str) -> dict[str, str]:
    """The versions that the book is tested with, from the text of requirements.lock: name to pin, with its marker."""
    pins = re.findall(r"^([a-z0-9][\w.-]*)(?:\[[\w,-]+\])?(==[^\\\n]+)", lock, re.MULTILINE)
    times = Counter(name for name, _ in pins)  # one that stands there twice has a version for each kind of machine
    return {name: pin.strip() for name, pin in pins if times[name] == 1}


def install(constraints: dict[str, str]) -> subprocess.CompletedProcess:
    """Let pip install drumlib and what is missing; ``constraints`` says which versions it may take."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text("".join(f"{name}{pin}\n" for name, pin in constraints.items()), encoding="utf-8")
        quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore"]
        command = [sys.executable, "-m", "pip", "install", *quiet, "--constraint", str(file), str(ROOT)]
        return subprocess.run(command, capture_output=True, text=True)


def main() -> None:
    """Install what is missing, and say in a line or two what was done.

    Raises
    ------
    SystemExit
        If pip could not; with its last words.
    """
    before = installed()
    if "drumlib" in before:  # pip installs it last, so all that it needs is there, too
        print(f"drumlib {before['drumlib']} and all that it needs are here; nothing was installed.")
        return
    here = {name: f"=={version}" for name, version in before.items()}
    lock = tested((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    ran = install(lock | here)
    if ran.returncode:  # the versions that we know may not suit Colab's own any more: then any that does
        ran = install(here)
    if ran.returncode:
        raise SystemExit("The book's packages could not be installed. pip says:\n" + ran.stderr[-2000:])
    importlib.invalidate_caches()
    after = installed()
    new = [f"{name} {version}" for name, version in after.items() if name not in before]
    moved = [
        f"{name} {version} (now {after.get(name)})" for name, version in before.items() if after.get(name) != version
    ]
    print("Installed what was missing:", ", ".join(sorted(new)) + ".")
    if moved:
        print("These were replaced, so restart the session before you go on:", ", ".join(moved) + ".")
    else:
        print("Nothing that was here has been replaced.")


if __name__ == "__main__":
    main()
