"""The first cell of each chapter: on Google Colab it makes the chapter run, and moves nothing; elsewhere, nothing.

Here Colab is a virtual environment without network, in which packages are empty but have Colab's names and versions,
and pip finds others in a folder, tempting newer ones among them. `make test-colab` does it with the real ones.
"""

import json
import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from tools import load_tool

ROOT = Path(__file__).resolve().parents[1]

COLAB = {
    "numpy": "2.1.3",
    "tensorflow": "2.20.0",
    "keras": "3.13.2",
    "ipywidgets": "7.7.1",
    "ipython": "7.34.0",
    "matplotlib": "3.10.0",
    "tqdm": "4.67.1",
    "requests": "2.32.4",
    "soundfile": "0.13.1",
    "odd": "1.1build1",  # Debian's packages have such versions; pip cannot read them
}
"""What is there, and must not move."""

OFFERED = [
    ("mido", "1.3.3", []),
    ("midirenderer", "0.1.3", []),
    ("pretty-midi", "0.2.10", ["numpy", "mido"]),
    ("pretty-midi", "9.0", ["numpy>=9", "mido"]),
    ("symusic", "0.5.8", ["numpy"]),
    ("symusic", "9.0", ["numpy>=9"]),
    ("numpy", "9.0", []),
    ("keras", "9.0", []),
]
"""What pip finds, and what each of it asks for. The newest ones would move NumPy."""


tool = load_tool("first_cell")


def described(name: str, version: str, needs=()) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
        f"Requires-Dist: {n}\n" for n in needs
    )


def write_wheel(folder: Path, name: str, version: str, needs: list[str]) -> None:
    """A package that is empty but for its name."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{module}.py", f"__version__ = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", described(name, version, needs))
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def again_a_wheel(folder: Path, name: str) -> None:
    """An installed package of pure Python as a wheel: pip builds drumlib with setuptools, and there is no network."""
    package = metadata.distribution(name)
    with zipfile.ZipFile(folder / f"{name}-{package.version}-py3-none-any.whl", "w") as wheel:
        for file in package.files:
            if ".." not in file.parts and "__pycache__" not in file.parts and file.name not in ("RECORD", "INSTALLER"):
                wheel.write(file.locate(), str(file))
        wheel.writestr(f"{name}-{package.version}.dist-info/RECORD", "")


class Colab:
    """A machine like Colab's: a Python with Colab's packages, a folder to be in, and addresses that can be cloned."""

    def __init__(self, home: Path):
        self.home = home
        self.wheels, self.repository = home / "wheels", home / "repository"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / "python")], check=True)
        self.python = next((home / "python").glob("[bS]*/python*"))
        (site,) = (home / "python").glob("**/site-packages")
        for name, version in COLAB.items():
            (site / f"{name}.py").write_text(f"__version__ = {version!r}\n")
            info = site / f"{name}-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(described(name, version))
            (info / "RECORD").write_text(f"{name}.py,,\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
        for name in ("pip", "packaging"):
            package = metadata.distribution(name)
            for part in {file.parts[0] for file in package.files if ".." not in file.parts}:
                (site / part).symlink_to(package.locate_file(part))
        self.wheels.mkdir()
        for offered in OFFERED:
            write_wheel(self.wheels, *offered)
        again_a_wheel(self.wheels, "setuptools")
        self.make_repository()

    def make_repository(self):
        """What a clone must have for the cell; drumlib and drumbook themselves may be empty."""
        packages = ("drumlib/__init__.py", "book/drumbook/__init__.py")
        for name in ("pyproject.toml", "requirements.lock", "README.md", "book/_tools/colab.py", *packages):
            (self.repository / name).parent.mkdir(parents=True, exist_ok=True)
            (self.repository / name).write_bytes((ROOT / name).read_bytes())
        who = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "all"]):
            subprocess.run(["git", *who, *words], cwd=self.repository, check=True)

    def run(self, folder: Path, source: str, address: str = "", colab: bool = True, **settings) -> tuple[dict, str]:
        """Run the cell, as a kernel would; what Python says of itself afterwards, and what was printed."""
        begin = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n" if colab else ""
        ask = (
            "\nimport importlib.metadata as m, json, os"
            "\nprint('and then:', json.dumps({'folder': os.getcwd(), 'drumlib': __import__('importlib').util.find_spec("
            "'drumlib') is not None, 'drumbook': __import__('importlib').util.find_spec('drumbook') is not None,"
            " 'versions': {d.metadata['Name']: d.version for d in m.distributions()}}))"
        )
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_CONFIG_FILE": os.devnull}
        environment |= {"DRUMLIB_SOURCE": address} if address else {}
        ran = subprocess.run(
            [str(self.python), "-c", f"import importlib.util\n{begin}{source}{ask}"],
            cwd=folder,
            env=environment | settings,
            capture_output=True,
            text=True,
        )
        said, _, then = (ran.stdout + ran.stderr).partition("and then: ")
        return json.loads(then.splitlines()[0]) if then else {}, said


@pytest.fixture
def colab(tmp_path) -> Colab:
    return Colab(tmp_path)


@pytest.fixture
def content(tmp_path) -> Path:
    """The folder in which a notebook finds itself on Colab: empty."""
    folder = tmp_path / "content"
    folder.mkdir()
    return folder


CELL = tool.SOURCE.format(address="")


@pytest.mark.slow
def test_on_colab_it_brings_what_is_missing_and_moves_nothing(colab, content):
    then, said = colab.run(content, CELL, colab.repository.as_uri())
    assert then, said
    assert then["drumlib"] and then["drumbook"] and then["folder"] == str(content / "drummers-book" / "book")
    assert {name: then["versions"][name] for name in COLAB} == COLAB
    # The versions of requirements.lock are not on offer here; so the newest that leave NumPy alone.
    assert then["versions"]["pretty-midi"] == "0.2.10" and then["versions"]["symusic"] == "0.5.8"
    lines = said.splitlines()
    assert len(lines) == 2 and lines[0].startswith(
        "Installed what was missing: drumlib 0.1.0, midirenderer 0.1.3, mido"
    )
    assert "numpy" not in lines[0] and lines[1] == "Nothing that was here has been replaced."

    again, said = colab.run(Path(then["folder"]), CELL, colab.repository.as_uri())  # the cell is run a second time
    assert again == then and said == "drumlib 0.1.0 and all that it needs are here; nothing was installed.\n"
    another, said = colab.run(content, CELL, colab.repository.as_uri())  # or another chapter in the same session
    assert another == then and "nothing was installed" in said


@pytest.mark.slow
def test_it_takes_the_versions_that_the_book_is_tested_with(colab, content):
    lock = load_tool("colab").tested((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    tested = lock["symusic"].removeprefix("==")
    write_wheel(colab.wheels, "symusic", tested, ["numpy"])
    write_wheel(colab.wheels, "symusic", "8.0", ["numpy"])  # newer, and it would do
    for name in ("mido", "midirenderer", "pretty-midi"):
        write_wheel(colab.wheels, name, lock[name].removeprefix("==").split(" ;")[0], [])
    then, said = colab.run(content, CELL, colab.repository.as_uri())
    assert then["versions"]["symusic"] == tested, said


@pytest.mark.slow
def test_it_says_if_something_was_replaced_after_all(colab, content):
    tools = colab.repository / "book" / "_tools" / "colab.py"
    tools.write_text(tools.read_text().replace('"--constraint", str(file)', '"--upgrade"'))
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "x"], cwd=colab.repository)
    then, said = colab.run(content, CELL, colab.repository.as_uri())
    assert then["versions"]["numpy"] == "9.0"
    assert "restart the session" in said and "numpy 2.1.3 (now 9.0)" in said


@pytest.mark.slow
def test_if_pip_cannot_it_says_why(colab, content):
    (next(colab.wheels.glob("mido-*"))).unlink()
    then, said = colab.run(content, CELL, colab.repository.as_uri())
    assert not then and "could not be installed" in said and "mido" in said and "Traceback" not in said


def test_without_an_address_it_says_so_and_how_to_go_on(colab, content):
    then, said = colab.run(content, CELL)
    assert not then and "its public address is not set" in said and "git clone" in said and "Traceback" not in said
    assert not list(content.iterdir())


@pytest.mark.slow
def test_a_copy_that_was_uploaded_will_do(colab, content):
    subprocess.run(["git", "clone", "--quiet", colab.repository.as_uri(), str(content / "drummers-book")], check=True)
    then, said = colab.run(content, CELL)
    assert then["drumlib"] and "Installed" in said


def test_an_address_that_leads_nowhere_is_an_error(colab, content):
    then, said = colab.run(content, tool.SOURCE.format(address=(colab.home / "nowhere").as_uri()))
    assert not then and "nowhere" in said


def test_elsewhere_it_does_nothing(colab, content):
    then, said = colab.run(content, CELL, colab.repository.as_uri(), colab=False)
    assert said == "" and then["folder"] == str(content) and not list(content.iterdir())
    assert then["versions"] == COLAB | {name: metadata.version(name) for name in ("pip", "packaging")}
    before = set(sys.modules)
    exec(CELL, {})
    assert set(sys.modules) == before  # it is quick: it imports nothing


def chapter(*cells) -> str:
    v4 = nbformat.v4
    made = [v4.new_markdown_cell("# Hats", id="title"), v4.new_code_cell("1 + 1", id="sum"), *cells]
    return load_tool("clean").clean(nbformat.writes(v4.new_notebook(cells=made)))


def test_it_stands_behind_the_title_and_changes_nothing_else():
    text = tool.with_first_cell(chapter(), "https://github.com/a/b")
    cells = nbformat.reads(text, as_version=4).cells
    assert [cell.id for cell in cells] == ["title", "colab", "sum"]
    assert cells[1].source == tool.SOURCE.format(address="https://github.com/a/b")
    assert cells[1].metadata == {"tags": ["remove-cell"]} and cells[1].outputs == []
    assert load_tool("clean").clean(text) == text  # as it is committed
    del cells[1]
    assert [(cell.id, cell.source) for cell in cells] == [("title", "# Hats"), ("sum", "1 + 1")]


def test_an_older_one_is_replaced_wherever_it_stands():
    older = nbformat.v4.new_code_cell("old", id="colab")
    assert tool.with_first_cell(chapter(older), "") == tool.with_first_cell(chapter(), "")
    once = tool.with_first_cell(chapter(), "https://github.com/a/b")
    assert tool.with_first_cell(once, "https://github.com/a/b") == once
    assert tool.with_first_cell(once, "") == tool.with_first_cell(chapter(), "") != once


def test_a_notebook_without_a_title_is_refused():
    with pytest.raises(ValueError, match="title"):
        tool.with_first_cell(nbformat.writes(nbformat.v4.new_notebook()), "")


def test_it_only_checks_when_asked(tmp_path, capsys):
    path = tmp_path / "hats.ipynb"
    path.write_text(chapter(), encoding="utf-8")
    assert tool.main(["--check", str(path)]) == 1 and path.read_text(encoding="utf-8") == chapter()
    assert tool.main([str(path)]) == 0
    assert tool.main(["--check", str(path)]) == 0
    assert "has its first cell" in capsys.readouterr().out


def test_the_address_has_one_place():
    assert tool.address('[tool.drumlib-book]\nrepository = "a/b"\n') == "https://github.com/a/b"
    assert tool.address('x = 1\n[tool.drumlib-book]\n# words\nrepository = ""\n') == ""
    with pytest.raises(ValueError, match="repository"):
        tool.address('[project]\nrepository = "a/b"\n')
