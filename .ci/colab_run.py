"""Runs chapters as on Google Colab; .ci/colab made the environment that this runs in.

    .ci/colab [CHAPTER ...]

Colab gives a notebook an empty folder and a Python without drumlib. So this takes out of .venv-colab whatever an
earlier run has put there, makes an empty folder, copies the chapters into it and nothing else, and lets nbval run
them. What makes them run is their own first cell: it finds a module ``google.colab`` (an empty one, which the kernel's
start lays there), fetches the repository (from a copy of this folder, as it is now, changes and all), and installs what
is missing. Then the tests of the live knobs run as well. At the end no package of Colab's may have another version than
before.

What Colab has and this has not: its front end, its GPU, its hundreds of other packages.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / ".venv-colab"
SOURCE, CONTENT = HERE / "source", HERE / "content"
COLABS_OWN = HERE / "colabs_own.json"

TOLD = ("tensorflow", "keras", "numpy", "ipywidgets", "ipython", "matplotlib", "ipykernel")
"""Whose versions are told before the run."""

STARTUP = """\
import sys, types

sys.modules["google.colab"] = types.ModuleType("google.colab")  # and no "google": it would hide TensorFlow's own
"""


def versions() -> dict[str, str]:
    """The version of every package that is installed now. A new process looks: this one may remember."""
    ask = "import json, importlib.metadata as m; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    return json.loads(subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout)


def as_colab_gives_it() -> dict[str, str]:
    """Take out what earlier runs have installed; the versions of the rest."""
    if not COLABS_OWN.exists():
        COLABS_OWN.write_text(json.dumps(versions()))
    own = json.loads(COLABS_OWN.read_text())
    ours = [name for name in versions() if name not in own]
    if ours:
        pip = [sys.executable, "-m", "pip", "uninstall", "--yes", "--quiet", "--root-user-action=ignore"]
        subprocess.run(pip + ours, check=True)
    if versions() != own:
        raise SystemExit("A package of Colab's has moved; rm -r .venv-colab, and it is built anew.")
    return own


def git(*words: str, folder: Path) -> bytes:
    who = ["-c", "user.name=test-colab", "-c", "user.email=test-colab@localhost"]
    return subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, check=True).stdout


def copy_repository() -> None:
    """This folder as it is now, as a repository that can be cloned: all that git keeps or would keep."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    try:
        listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=ROOT)
    except (OSError, subprocess.CalledProcessError):
        raise SystemExit("The first cell clones with git: this needs git, and a folder that was cloned.") from None
    names = listed.decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, SOURCE / name)
    git("init", "--quiet", folder=SOURCE)
    git("add", "--all", "--force", folder=SOURCE)
    git("commit", "--quiet", "--message", "as it is now", folder=SOURCE)


def lay_out(chapters: list[Path]) -> dict[str, str]:
    """An empty folder with the chapters alone; the environment in which their kernels start."""
    shutil.rmtree(CONTENT, ignore_errors=True)
    CONTENT.mkdir()
    for chapter in chapters:
        shutil.copy(chapter, CONTENT)
    shutil.copy(ROOT / "book" / "conftest.py", CONTENT)  # how outputs without counts are compared
    start = HERE / "ipython" / "profile_default" / "startup" / "00-colab.py"
    start.parent.mkdir(parents=True, exist_ok=True)
    start.write_text(STARTUP)
    private = {"IPYTHONDIR": HERE / "ipython", "MPLCONFIGDIR": HERE / "matplotlib", "KERAS_HOME": HERE / "keras"}
    settings = {name: str(path) for name, path in private.items()}
    settings |= {
        "DRUMLIB_SOURCE": SOURCE.as_uri(),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")} | settings


def main(names: list[str]) -> int:
    everything = sorted((ROOT / "book").glob("*.ipynb"))
    chapters = [path for path in everything if path.stem in names or not names]
    before = as_colab_gives_it()
    copy_repository()
    settings = lay_out(chapters)
    print(f"Python {sys.version.split()[0]}", *(f"{name} {before[name]}" for name in TOLD), sep=", ", flush=True)
    nbval = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=300", "-q"]
    quiet = ["-p", "no:cacheprovider", "-p", "no:warnings"]
    pytest = [sys.executable, "-m", "pytest", "--rootdir", str(CONTENT), *nbval, *quiet]
    failed = subprocess.run(pytest + [path.name for path in chapters], cwd=CONTENT, env=settings).returncode
    # nbval asks no questions, so its chapters show what a page shows. Here the knobs live, on Colab's ipywidgets.
    live = ["-q", "-k", "slider or box or upload or comes_back", str(SOURCE / "tests" / "display" / "test_widgets.py")]
    lively = [sys.executable, "-m", "pytest", "--rootdir", str(SOURCE), *live, *quiet]
    failed |= subprocess.run(lively, cwd=SOURCE, env=settings).returncode
    after = versions()
    moved = {name: (version, after.get(name)) for name, version in before.items() if after.get(name) != version}
    if moved:
        print("The first cell has moved what Colab had:", moved, file=sys.stderr)
    if "drumlib" not in after:
        print(
            "The first cell has not installed drumlib: is it in the chapters? (book/_tools/first_cell.py)",
            file=sys.stderr,
        )
    return 1 if failed or moved or "drumlib" not in after else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
