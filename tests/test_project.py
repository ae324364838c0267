"""What the project says of itself, in several files, must agree; and it must be light to import and free to move."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from tools import load_tool

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

import drumlib

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads(read("pyproject.toml"))["project"]


@pytest.fixture(scope="module")
def pins() -> list[Requirement]:
    """Every version in the lock file. A package may have several, each for some Pythons or systems."""
    lines = re.findall(r"^[a-z0-9][^\n\\]*", read("requirements.lock"), re.MULTILINE)
    return [Requirement(line.strip()) for line in lines]


def direct(project: dict) -> list[Requirement]:
    """What pyproject asks for, the extras too."""
    extras = project["optional-dependencies"].values()
    return [Requirement(line) for line in project["dependencies"] + [line for extra in extras for line in extra]]


def machine(python: str, system: str = "linux", kind: str = "x86_64") -> dict:
    return {
        "python_version": python,
        "python_full_version": f"{python}.4",
        "sys_platform": system,
        "platform_machine": kind,
        "extra": "",
    }


def applies(marker: Marker | None, where: dict) -> bool:
    return marker is None or marker.evaluate(where)


def test_one_version_everywhere(project):
    assert tomllib.loads(read("book/pyproject.toml"))["project"]["version"] == project["version"]
    assert drumlib.__version__ == project["version"] == yaml.safe_load(read("CITATION.cff"))["version"]
    assert f"\n## {project['version']}" in read("CHANGELOG.md")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    "system, kind", [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")]
)
def test_the_lock_pins_what_we_ask_for(project, pins, python, system, kind):
    where = machine(python, system, kind)
    for wanted in direct(project):
        if not applies(wanted.marker, where):
            continue
        name = canonicalize_name(wanted.name)
        pinned = [pin for pin in pins if canonicalize_name(pin.name) == name and applies(pin.marker, where)]
        assert len(pinned) == 1, f"{name}: exactly one pin is needed, found {pinned}"
        (pin,) = pinned[0].specifier
        assert pin.operator == "==" and wanted.specifier.contains(pin.version), f"{wanted} but {pinned[0]}: make lock"


def test_the_lock_has_a_checksum_for_every_package(pins):
    blocks = re.split(r"\n(?=[a-z0-9])", read("requirements.lock"))
    assert len(pins) > 100
    assert [
        block.splitlines()[0] for block in blocks if not block.startswith("#") and "--hash=sha256:" not in block
    ] == []


def test_our_install_moves_nothing_that_colab_has_loaded(project):
    """Floors, and no ceilings: a kernel that runs has these loaded already."""
    floors = {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}
    colab = {"numpy": "2.1.3", "tensorflow": "2.20.0", "keras": "3.13.2", "ipywidgets": "7.7.1", "matplotlib": "3.10.0"}
    for name, loaded in colab.items():
        assert {part.operator for part in floors[name].specifier} == {">="}, name
        assert floors[name].specifier.contains(loaded), f"Colab's {name} {loaded} would be replaced"


def test_conda_gets_the_same_lock(project):
    environment = yaml.safe_load(read("environment.yml"))
    (python,) = [line for line in environment["dependencies"] if str(line).startswith("python=")]
    assert Version(python.removeprefix("python=")) in Requirement("python" + project["requires-python"]).specifier
    (pip,) = [line["pip"] for line in environment["dependencies"] if isinstance(line, dict)]
    # With hashes, pip refuses a folder in the same call. So drumlib itself is a second command; the file says which.
    assert pip == ["--require-hashes", "-r requirements.lock"]
    assert "python -m pip install --no-deps --no-build-isolation -e . -e ./book" in read("environment.yml")


def test_make_lists_every_target():
    """`make help` reads the Makefile itself, and shows what has a comment."""
    makefile = read("Makefile")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    for target in targets:
        assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE), target


def test_import_is_quick_and_light():
    script = (
        "import json, sys, time; begin = time.perf_counter(); import drumlib; "
        "print(json.dumps([time.perf_counter() - begin, sorted({name.split('.')[0] for name in sys.modules})]))"
    )
    runs = []
    for _ in range(3):  # the quickest of three: the machine may be busy with something else
        ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
        runs.append(json.loads(ran.stdout))
    assert min(seconds for seconds, _ in runs) < 0.5
    assert {"keras", "tensorflow", "jax", "matplotlib", "soundfile"} & set(runs[0][1]) == set()


def tracked() -> list[Path]:
    """Every file that git keeps."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: which files belong to the project is not known")
    return [path for path in (ROOT / name for name in listed.decode().split("\0") if name) if path.is_file()]


def test_no_file_knows_the_machine_that_it_was_made_on():
    folders = "|".join(("home", "root", "Users", "work", "scratch"))  # apart, so that this line is not found itself
    path = re.compile(rf"(?<![\w.~)}}/-])/({folders})/[\w.]".encode())
    found = [
        f"{file.relative_to(ROOT)}: {match[0].decode()}"
        for file in tracked()
        if file.suffix not in (".npz", ".mid", ".mp3", ".png")
        for match in path.finditer(file.read_bytes())
    ]
    assert found == []


def test_nothing_that_a_command_wrote_was_kept_by_mistake():
    """Our songs are Python; a MIDI file, a sound or a picture here is what somebody's trial left behind."""
    kinds = {
        ".cff",
        ".css",
        ".html",
        ".in",
        ".ipynb",
        ".js",
        ".json",
        ".lock",
        ".md",
        ".npz",
        ".py",
        ".toml",
        ".txt",
        ".yml",
    }
    bare = {"LICENSE", "NOTICE", "Makefile", ".gitignore", "SHA256SUMS", "run", "environment", "colab", "newest"}
    strange = [file for file in tracked() if file.suffix not in kinds | {".bib"} and file.name not in bare]
    assert [str(file.relative_to(ROOT)) for file in strange] == []


def test_the_readme_says_what_was_measured(root, monkeypatch):
    """Its figures come from a results file, not from somebody's fingers."""
    monkeypatch.syspath_prepend(str(root / "bench"))
    import corpus_build

    results = json.loads(corpus_build.RESULTS.read_text())
    assert (
        corpus_build.START + "\n" + corpus_build.in_words(results) + corpus_build.END
        in (root / "README.md").read_text()
    )
    for readers in results["readers"].values():
        assert readers["differences"] == [] and readers["read"] > 500
    assert results["killed at random"]["identical"] and results["killed at random"]["killed"] > 5


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
def test_a_chapter_that_is_not_there_is_named_before_anything_is_installed():
    ran = subprocess.run(
        ["make", "--no-print-directory", "test-colab", "CHAPTERS=book/music.ipynb book/typo.ipynb"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode and ran.stdout == "" and ran.stderr.startswith("There is no such chapter: typo")


TOOLS = ("check_book", "clean", "exercises", "first_cell", "forget", "new_chapter", "publish", "run_chapters")


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_who_asks_a_tool_for_help_gets_help_and_nothing_else(tool, capsys):
    with pytest.raises(SystemExit) as ended:
        load_tool(tool).main(["--help"])
    assert ended.value.code == 0 and "usage:" in capsys.readouterr().out


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, dict[str, bytes]]:
    """What a wheel and a source distribution hold: name -> bytes; made from what git keeps, without a network."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("built")
    for path in tracked():
        (folder / "source" / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / "source" / path.relative_to(ROOT))
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(folder / "source")]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PIP_NO_INDEX": "1"})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "deprecated" not in ran.stdout.lower() + ran.stderr.lower()
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as opened:
        in_wheel = {name: opened.read(name) for name in opened.namelist()}
    with tarfile.open(archive) as opened:
        files = [member for member in opened.getmembers() if member.isfile()]
        in_source = {member.name.partition("/")[2]: opened.extractfile(member).read() for member in files}
    return {"wheel": in_wheel, "source": in_source}


@pytest.mark.slow
def test_a_wheel_and_a_source_distribution_are_built(built, project):
    ours = {path.relative_to(ROOT).as_posix() for path in tracked() if path.is_relative_to(ROOT / "drumlib")}
    assert ours == {name for name in built["wheel"] if name.startswith("drumlib/")}
    assert ours <= set(built["source"]) and {"NOTICE", "LICENSE", "PACKAGE.md"} <= set(built["source"])
    assert not [name for name in built["source"] if name.startswith(("tests/", "book/", "bench/"))]
    info = f"drumlib-{project['version']}.dist-info"
    about = built["wheel"][f"{info}/METADATA"].decode()
    for line in ("License-Expression: MIT", "License-File: LICENSE", "License-File: NOTICE", "Author: "):
        assert f"\n{line}" in about
    assert built["wheel"][f"{info}/licenses/NOTICE"] == (ROOT / "NOTICE").read_bytes()


def test_the_readme_of_the_package_has_no_link_that_leads_nowhere(project):
    """PyPI shows it alone: a link there must be a whole address."""
    assert project["readme"] == "PACKAGE.md"
    links = re.findall(r"\]\(([^)]*)\)", read("PACKAGE.md"))
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_notice_names_what_others_made():
    notice = read("NOTICE")
    for word in ("TimGM6mb", "GPL-2", "MathJax", "Apache License 2.0", "Groove MIDI Dataset", "Lakh MIDI Dataset"):
        assert word in notice
    from drumlib.inference.weights_file import model_card  # every collection of the card is named

    for one in model_card("thesis")["learned_from"]["collections"]:
        assert one["source"].removesuffix("_examples") in notice.lower()
    assert "(NOTICE)" in read("README.md")


def test_the_pages_lie_beside_what_their_foot_leads_to(tmp_path):
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=tmp_path)
    load_tool("quiet_pages").carry_licences(app, None)
    for name in re.findall(r'href="([^"]*)"', yaml.safe_load(read("_config.yml"))["html"]["extra_footer"]):
        assert (tmp_path / name).read_text(encoding="utf-8") == read(name.removesuffix(".txt"))
