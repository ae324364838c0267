"""How much of the package its tests reach: the share of its lines and branches, by folder.

    python bench/tests_reach.py

It runs all tests but those in a browser, and not the chapters, and counts what runs in pytest's own processes: what a
test starts as a command of its own is not counted. Writes bench/results/coverage.json, and from it the sentences in
CONTRIBUTING.md.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from drumlib.files import write_whole

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "coverage.json"
START = "<!-- written by bench/tests_reach.py: its figures are those of bench/results/coverage.json -->"
END = "<!-- end -->"
KEYS = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def main() -> None:
    """Run the tests and count, or count from a report that is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=Path, help="coverage's own JSON report of such a run: no test is run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = options.report or Path(folder) / "report.json"
        if not options.report:
            tests = ["tests", "--ignore=tests/browser", "-q", "-n", "2", "--dist", "worksteal"]
            measure = ["--cov=drumlib", "--cov-branch", f"--cov-report=json:{report}"]
            subprocess.run([sys.executable, "-m", "pytest", *tests, *measure], cwd=ROOT, check=True)
        results = summary(json.loads(report.read_text(encoding="utf-8")))
    write_whole(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    page = ROOT / "CONTRIBUTING.md"
    head, start, rest = page.read_text(encoding="utf-8").partition(START)
    write_whole(page, (head + start + "\n" + in_words(results) + END + rest.partition(END)[2]).encode())
    print(in_words(results))


def summary(report: dict) -> dict:
    """The figures of each folder of the package, and of all: statements, branches, and how many were reached."""
    folders: dict[str, Counter] = {"drumlib": Counter()}
    for name, file in sorted(report["files"].items()):
        parts = Path(name).parts
        folder = "/".join(parts[:2]) if len(parts) > 2 else name
        for where in ("drumlib", folder):
            folders.setdefault(where, Counter()).update({key: file["summary"][key] for key in KEYS})
    return {
        "command": "python bench/tests_reach.py",
        "folders": {name: {**counts, "reached": share(counts)} for name, counts in folders.items()},
        "versions": {name: version(name) for name in ("pytest", "pytest-cov", "coverage")}
        | {"python": platform.python_version()},
    }


def share(counts: Counter) -> float:
    """Reached lines and branches, as a share of all."""
    return round((counts[KEYS[1]] + counts[KEYS[3]]) / max(1, counts[KEYS[0]] + counts[KEYS[2]]), 4)


def in_words(results: dict) -> str:
    """What CONTRIBUTING.md says of it."""
    whole = results["folders"]["drumlib"]
    rows = [(row["reached"], name) for name, row in results["folders"].items() if name != "drumlib"]
    (least, worst), *_ = sorted(rows)
    return (
        f"The tests of the package reach {whole['reached']:.0%} of its {whole['num_statements']:,} statements and "
        f"{whole['num_branches']:,} branches;\nleast in `{worst}` ({least:.0%}). `make coverage` measures it anew.\n"
    )


if __name__ == "__main__":
    main()
