"""The workflows for GitHub: they ask for what is there, with as few rights as will do, and they end."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

ACTIONS = {
    "actions/checkout",
    "actions/setup-python",
    "actions/upload-pages-artifact",
    "actions/deploy-pages",
}
"""GitHub's own, and no others."""

WRITES = {("book", "publish"): {"pages": "write", "id-token": "write"}}
"""The one job that may write, and what."""


def read(path: Path) -> dict:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    workflow["on"] = workflow.pop(True)  # YAML 1.1 takes "on" for a truth
    return workflow


def commands(workflow: dict) -> list[str]:
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", [])]
    return [line.strip() for step in steps for line in step.get("run", "").splitlines() if line.strip()]


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())


def faults(workflow: dict) -> list[str]:
    """What is wrong with a workflow, in words."""
    found = []
    if workflow.get("permissions") != {"contents": "read"}:
        found.append("permissions are not those to read, and no more")
    if not workflow.get("concurrency", {}).get("group"):
        found.append("no concurrency")
    if "pull_request_target" in workflow["on"] or "workflow_run" in workflow["on"]:
        found.append("a stranger's code would run with our rights")
    for name, job in workflow["jobs"].items():
        if "uses" in job:  # another workflow of ours, which is looked at by itself
            path = ROOT / job["uses"]
            if path not in WORKFLOWS or "workflow_call" not in read(path)["on"] or set(job) != {"uses"}:
                found.append(f"{name}: calls what is no workflow of ours, or with more than it needs")
            continue
        if not 0 < job.get("timeout-minutes", 0) <= 90:
            found.append(f"{name}: no timeout")
        if job.get("permissions", {}) != WRITES.get((workflow["name"], name), {}):
            found.append(f"{name}: other permissions than it should have")
        if job.get("permissions") and any("run" in step or "checkout" in step["uses"] for step in job["steps"]):
            found.append(f"{name}: it may write, and runs code of the repository")
        for step in job["steps"]:
            action, _, version = step.get("uses", "").partition("@")
            if action and (action not in ACTIONS or not re.fullmatch("[0-9a-f]{40}", version)):
                found.append(f"{name}: {step['uses']} is not one of GitHub's own, pinned to a commit")
            if action == "actions/checkout" and step.get("with", {}).get("persist-credentials") is not False:
                found.append(f"{name}: the token stays on the disk")
    for command in commands(workflow):
        if "${{" in command:
            found.append(f"text from outside would become a command: {command}")
        words = command.split()
        if words[0] == "make":
            found += [f"no target {target}" for target in words[1:] if target not in targets()]
        else:
            found += [f"no file {word}" for word in words[1:] if "/" in word and not (ROOT / word).is_file()]
    return found


def test_there_are_five():
    assert [path.stem for path in WORKFLOWS] == ["book", "colab", "links", "newest", "test"]


def test_each_pin_has_its_version_beside_it_and_dependabot_keeps_both():
    """A tag can be moved to another commit; a commit cannot. All workflows have the same one."""
    pins = {}
    for path in WORKFLOWS:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses: actions/" in line:
                action, commit, version = re.fullmatch(
                    r".*uses: (\S+)@([0-9a-f]{40}) # v(\d+\.\d+\.\d+)", line
                ).groups()
                pins.setdefault(action, set()).add((commit, version))
    assert set(pins) == ACTIONS and all(len(found) == 1 for found in pins.values())
    kept = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert [(one["package-ecosystem"], one["directory"]) for one in kept] == [("github-actions", "/")]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_sound(path):
    workflow = read(path)
    assert workflow["name"] == path.stem
    assert commands(workflow)
    assert faults(workflow) == []


@pytest.mark.parametrize(
    "old, new, fault",
    [
        ("contents: read", "contents: write", "permissions"),
        ("      pages: write\n", "      contents: write\n", "other permissions"),
        ("timeout-minutes: 60", "timeout-minutes: 600", "timeout"),
        ("concurrency:", "concurrences:", "concurrency"),
        ("pull_request:", "pull_request_target:", "stranger"),
        ("checkout@93cb6efe18208431cddfb8368fd83d5badbf9bfd", "checkout@v5", "pinned to a commit"),
        ("checkout@93cb6efe18208431cddfb8368fd83d5badbf9bfd", "checkout@main", "pinned to a commit"),
        ("actions/checkout@", "somebody/checkout@", "GitHub's own"),
        ("uses: ./.github/workflows/test.yml", "uses: somebody/else/.github/workflows/test.yml@main", "no workflow of"),
        ("uses: ./.github/workflows/test.yml", "uses: ./.github/workflows/links.yml", "no workflow of"),
        ("workflows/test.yml\n", "workflows/test.yml\n    secrets: inherit\n", "no workflow of"),
        ("persist-credentials: false", "persist-credentials: true", "token"),
        ("make browser-test", "make browser-tests", "no target browser-tests"),
        ("make book", "python bench/nothing.py", "no file bench/nothing.py"),
        ("make book", "make ${{ github.head_ref }}", "outside"),
        ("- id: pages\n", "- run: make book\n      - id: pages\n", "runs code"),
    ],
)
def test_a_fault_is_found(tmp_path, old, new, fault):
    text = (ROOT / ".github" / "workflows" / "book.yml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "book.yml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(fault in one for one in faults(read(path))), faults(read(path))


def test_each_does_what_it_is_for():
    said = {path.stem: commands(read(path)) for path in WORKFLOWS}
    assert {"make lint", "make types", "make test"} <= set(said["test"])
    assert said["newest"] == ["make test-newest"]
    assert said["book"].index("make book") < said["book"].index("make browser-test")
    assert said["colab"] == ["make test-colab"]
    when = {path.stem: read(path)["on"] for path in WORKFLOWS}
    assert all("schedule" in when[name] for name in ("colab", "links", "newest"))
    assert "book/**" in when["colab"]["pull_request"]["paths"]
    assert "pull_request" in when["book"] and "push" in when["book"]
    assert set(when["test"]) == {"workflow_call", "workflow_dispatch"}  # it would run twice: book calls it


def test_the_pythons_suit_us():
    test = read(ROOT / ".github" / "workflows" / "test.yml")
    pythons = test["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert len(pythons) >= 2 and all(isinstance(python, str) for python in pythons)  # 3.10 would be 3.1
    assert set(pythons) <= {"3.10", "3.11", "3.12", "3.13"}


def test_pages_only_come_from_main():
    jobs = read(ROOT / ".github" / "workflows" / "book.yml")["jobs"]
    (upload,) = [step for step in jobs["build"]["steps"] if "upload-pages-artifact" in step.get("uses", "")]
    only = "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"
    assert upload["if"] == jobs["publish"]["if"] == only
    assert upload["with"]["path"] == "book/_build/html"
    assert jobs["publish"]["needs"] == ["test", "build"] and jobs["test"] == {"uses": "./.github/workflows/test.yml"}


def test_the_link_check_runs_no_chapter_and_asks_politely():
    spec = importlib.util.spec_from_file_location("links", ROOT / ".ci" / "links.py")
    links = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(links)
    settings = links.settings()
    assert settings["execute"] == {"execute_notebooks": "off"}
    assert settings["sphinx"]["config"].items() >= links.ASKING.items()
    ignored = [re.compile(pattern) for pattern in links.ASKING["linkcheck_ignore"]]
    assert not any(pattern.match("https://magenta.tensorflow.org/groove") for pattern in ignored)
    assert any(pattern.match("http://localhost:8888/lab") for pattern in ignored)
