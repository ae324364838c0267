"""The repository's public address: set in one place, written into every place, and taken away without a trace."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tools import load_tool, make_gives

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]

OURS = "some-owner/some.book_1"
PLACES = {"pyproject.toml", "_config.yml", "README.md", "CONTRIBUTING.md", "CITATION.cff"}
"""Every file that names it; the chapters do, too."""

ELSEWHERE = {"book/references.bib", "requirements.lock"}
"""Files that name repositories of other people."""

SPELLED_OUT = re.compile(r"(?:github\.com|colab\.research\.google\.com/github)/([\w-]+)/|([\w-]+)\.github\.io", re.I)
"""An address with an owner's name in it; what the tool makes addresses with has braces there."""


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def publish(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """Run the tool of a copy of the repository, on that copy: what it says, and its exit status."""
    tool, out, err = load_tool("publish", folder / "book" / "_tools"), io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = tool.main([*words])
        except SystemExit as stopped:
            status = stopped.code
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


NOT_OURS = {".git", ".venv", ".venv-colab", "data", "runs", "tests", "build", "dist"}
MADE = {"_build", "__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".hypothesis"}


def leave_out(folder: str, names: list[str]) -> set[str]:
    """What is no text of ours. (There is a drumlib/data, too: that is.)"""
    top = NOT_OURS if Path(folder) == ROOT else set()
    return {name for name in names if name in top | MADE or name.endswith((".npz", ".egg-info"))}


@pytest.fixture(scope="module")
def tool():
    return load_tool("publish")


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> Path:
    """The repository's text files, with no address. Not to be changed."""
    folder = tmp_path_factory.mktemp("whole") / "repository"
    shutil.copytree(ROOT, folder, ignore=leave_out)
    ran = publish(folder, "")
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture(scope="module")
def published(everything, tmp_path_factory) -> Path:
    """The same with an address. Not to be changed."""
    folder = tmp_path_factory.mktemp("published") / "repository"
    shutil.copytree(everything, folder)
    ran = publish(folder, OURS)
    assert ran.returncode == 0, ran.stderr
    assert "https://some-owner.github.io/some.book_1/" in ran.stdout
    return folder


@pytest.fixture
def copy(everything, tmp_path) -> Path:
    """What the tool reads and writes, with two chapters, and no address. May be changed."""
    (tmp_path / "book").mkdir()
    shutil.copytree(everything / "book" / "_tools", tmp_path / "book" / "_tools")
    for name in (*PLACES, "book/index.ipynb", "book/latent.ipynb"):
        shutil.copyfile(everything / name, tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_the_repository_itself_agrees_with_its_address():
    ran = publish(ROOT, "--check")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_place_has_the_address(published):
    copy = published
    repository = f"https://github.com/{OURS}"

    assert tomllib.loads((copy / "pyproject.toml").read_text())["tool"]["drumlib-book"] == {"repository": OURS}
    urls = tomllib.loads((copy / "pyproject.toml").read_text())["project"]["urls"]
    assert urls["Repository"] == repository and urls["Documentation"] == "https://some-owner.github.io/some.book_1/"
    assert urls["Issues"] == f"{repository}/issues" and urls["Changelog"].startswith(f"{repository}/blob/main/")
    config = yaml.safe_load((copy / "_config.yml").read_text())
    assert config["repository"] == {"url": repository, "branch": "main", "path_to_book": "book"}
    for button in ("use_repository_button", "use_edit_page_button", "use_issues_button"):
        assert config["html"][button] is True
    assert config["launch_buttons"] == {"colab_url": "https://colab.research.google.com"}
    citation = yaml.safe_load((copy / "CITATION.cff").read_text())
    assert citation["repository-code"] == repository
    assert citation["url"] == "https://some-owner.github.io/some.book_1/"
    readme = (copy / "README.md").read_text()
    assert f"(https://colab.research.google.com/github/{OURS}/blob/main/book/index.ipynb)" in readme
    assert f"pip install git+{repository}`" in readme
    for workflow in re.findall(r"actions/workflows/(\w+\.yml)", readme):
        assert (ROOT / ".github" / "workflows" / workflow).is_file()
    assert f"git clone {repository}\n" in (copy / "CONTRIBUTING.md").read_text()
    chapters = sorted((copy / "book").glob("*.ipynb"))
    assert chapters
    for chapter in chapters:
        assert f'"{repository}"' in "".join(json.loads(chapter.read_text())["cells"][1]["source"]), chapter.name


@pytest.mark.slow
def test_there_and_back_changes_no_byte(copy):
    before = files(copy)
    assert publish(copy, OURS).returncode == 0
    assert publish(copy, "another/book").returncode == 0  # from one address to another, too
    changed = files(copy)
    assert changed != before and not any(b"some-owner" in data for data in changed.values())
    assert publish(copy, "").returncode == 0
    assert files(copy) == before


@pytest.mark.slow
def test_a_second_call_writes_nothing(copy):
    publish(copy, OURS)
    once = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    ran = publish(copy, OURS)
    assert "written" not in ran.stdout
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == once


def test_no_other_file_has_an_address_of_its_own(published):
    """Then a fork that sets its own has set all of them."""
    chapters = {f"book/{path.name}" for path in (published / "book").glob("*.ipynb")}
    texts = files(published)
    assert {name for name, data in texts.items() if b"some-owner" in data} == PLACES | chapters
    foreign = {}
    for name, data in texts.items():
        owners = {a or b for a, b in SPELLED_OUT.findall(data.decode("utf-8", "replace"))}
        if name not in ELSEWHERE and owners - {"some-owner"}:
            foreign[name] = owners - {"some-owner"}
    assert foreign == {}


def test_without_an_address_there_is_no_dead_link(everything):
    copy = everything
    spelled = [name for name, data in files(copy).items() if SPELLED_OUT.search(data.decode("utf-8", "replace"))]
    assert set(spelled) <= ELSEWHERE
    config = yaml.safe_load((copy / "_config.yml").read_text())
    assert config["repository"]["url"] == "" and "launch_buttons" not in config
    assert "colab" not in (copy / "README.md").read_text().lower().split("## hear it")[0]


@pytest.mark.parametrize(
    "wrong, why",
    [
        ("drummers-book", "not owner/name"),
        ("a/b/c", "not owner/name"),
        ("/", "owner"),
        ("a/", "name"),
        ("/b", "owner"),
        ("-a/b", "owner"),
        ("a--b/c", "owner"),
        ("a b/c", "owner"),
        ("a" * 40 + "/b", "owner"),
        ("a/b.git", ".git"),
        ("a/..", "name"),
        ('a/b"', "name"),
        ("a/b\n", "name"),
        ("a/<script>", "name"),
        ("https://github.com/a/b", "whole address"),
        ("git@github.com:a/b", "whole address"),
    ],
)
def test_a_malformed_name_is_refused_in_words(tool, wrong, why):
    with pytest.raises(ValueError, match=why):
        tool.parse(wrong)


@pytest.mark.slow
def test_a_malformed_name_changes_nothing(copy):
    before = files(copy)
    ran = publish(copy, "https://github.com/a/b")
    assert ran.returncode == 2 and "whole address" in ran.stderr and "Traceback" not in ran.stderr
    assert files(copy) == before


@pytest.mark.parametrize(
    "right, pages",
    [
        ("a/b", "https://a.github.io/b/"),
        ("Some-One/The.Book_2", "https://some-one.github.io/The.Book_2/"),
        ("a/A.github.io", "https://a.github.io/"),
    ],
)
def test_a_name_gives_the_address_of_the_pages(tool, right, pages):
    assert str(tool.parse(right)) == right and tool.parse(right).pages == pages


@pytest.mark.parametrize("words", [[], [OURS, "--check"], [OURS, "b/c"]])
def test_too_few_words_or_too_many_are_an_error(tool, capsys, words):
    with pytest.raises(SystemExit) as stopped:
        tool.main(words)
    assert stopped.value.code == 2 and "usage:" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, old, new",
    [
        ("_config.yml", "use_issues_button", "use_no_button"),
        ("_config.yml", "html:\n", 'launch_buttons:\n  binderhub_url: ""\nhtml:\n'),
        ("README.md", "<!-- end of address -->", ""),
        ("CITATION.cff", "license:", "licence:"),
        ("book/index.ipynb", "# Hear it first", "Hear it first"),
    ],
)
def test_if_a_place_is_missing_no_file_is_written(copy, name, old, new):
    path = copy / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    before = files(copy)
    ran = publish(copy, OURS)
    assert ran.returncode == 2 and name in ran.stderr and "Traceback" not in ran.stderr
    assert files(copy) == before


@pytest.mark.slow
def test_a_place_that_disagrees_is_named(copy):
    publish(copy, OURS)
    path = copy / "CITATION.cff"
    path.write_text(path.read_text().replace("some-owner", "another"))
    ran = publish(copy, "--check")
    assert ran.returncode == 1 and "CITATION.cff" in ran.stdout and "README.md" not in ran.stdout


def test_make_asks_for_an_address_and_an_empty_one_is_an_answer():
    assert "say where: make publish-setup" in make_gives("publish-setup")
    for repo in ("", "a/b", "-a/b", 'a"b/c', "a/`pwd`", "a/$HOME", "a/$(shell pwd)"):
        assert make_gives("publish-setup", f"REPO={repo}") == ["--", repo]
