"""What all tests share. A test that is skipped says so loudly: the last lines of a run repeat why."""

import os
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real songs, with its list songs.csv.

    They are not ours to ship: a test that asks for them is skipped where they are absent. The environment's
    DRUMLIB_SONGS says where they are.
    """
    folder = Path(os.environ.get("DRUMLIB_SONGS") or ROOT.parent / "shared" / "data" / "songs")
    if not (folder / "songs.csv").is_file():
        pytest.skip(f"real songs not found in {folder} (set DRUMLIB_SONGS to a folder with a songs.csv)")
    return folder


def pytest_make_parametrize_id(val, argname):
    """Numbers the cases that are bytes instead of naming them after what they hold.

    An archive holds the second it was made in. Workers that collect the tests side by side would give its case two
    names, and pytest refuses to run tests whose names differ from worker to worker.
    """
    return argname if isinstance(val, bytes) else None


def pytest_terminal_summary(terminalreporter):
    """Says why tests were skipped, even where pytest was told to be brief."""
    reasons = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] += 1
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(
            f"skipped: {reason} ({count} test{'s' if count > 1 else ''})", yellow=True, bold=True
        )
