"""No figure on a page without a file behind it.

What a cell prints comes from the cell. In prose, a number that looks like a result (a percentage, milliseconds, two
or more decimals) must be the thesis's or an example, and is listed here with the reason; any other must be printed.
"""

import json
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
LOOKS_LIKE_A_RESULT = re.compile(r"(?<![\w.`-])(?:\d+(?:\.\d+)?\s?(?:%|ms\b)|0\.\d{2,}\b)")

KNOWN = {
    "analysis": {
        **{number: "a threshold of the thesis (4.4)" for number in ("0.60", "0.64")},
        "0.05": "the level of a test, in an exercise",
    },
    "convolution": {"0.73": "the logistic function of 1"},
    "data": {"91.78 %": "the thesis's accuracy (image 7)"},
    "drummer": {
        "0.62": "a threshold of the thesis (4.4)",
        "0.05": "a constant of drummer.if_struck, shown beside it",
        "20 ms": "what the thesis cites of live drummers",
        "0.0054": "the thesis's error of offsets",
    },
    "latent": {
        "86%": "of a standard Gaussian in two dimensions within a radius of 2",
        "0.05": "an exercise",
        "0.00": "an exercise",
        "0.02": "an exercise",
    },
    "learning": {
        **{number: "a threshold of the thesis (4.4)" for number in ("0.60", "0.62", "0.64")},
        "0.95": "a learning rate, beside the cell that uses it",
        "90 %": "the thesis's cells that are silent",
    },
    "model": {
        **{number: "a threshold of the thesis (4.4)" for number in ("0.60", "0.62", "0.64")},
        "0.65": "losses.calibrate, printed beside it",
    },
    "music": {
        "0.0210": "the thesis's error of velocities",
        "0.0054": "the thesis's error of offsets",
        "10 ms": "an exercise",
    },
    "training": {"0.05": "an exercise", "0.25": "an exercise"},
}


def prose(path: Path) -> str:
    """What a page says, without its cells of code and without blocks of code."""
    if path.suffix == ".md":
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"<!-- written by .*?<!-- end -->", "", text, flags=re.S)  # compared with its file elsewhere
    else:
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.sub(r"```.*?```", "", text, flags=re.S)


PAGES = [*sorted((ROOT / "book").glob("*.ipynb")), ROOT / "README.md", ROOT / "CHANGELOG.md"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_result_is_typed_by_hand(path):
    found = {number.group() for number in LOOKS_LIKE_A_RESULT.finditer(prose(path))}
    unknown = found - set(KNOWN.get(path.stem, {}))
    assert not unknown, f"{path.name}: print these from a results file, or list where they come from: {sorted(unknown)}"


def test_a_result_typed_by_hand_would_be_found(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("Our F1 is 89.6 %, 18.8 ms late. ```0.77``` It needs 3 files and 2.5 hours.\n")
    assert [number.group() for number in LOOKS_LIKE_A_RESULT.finditer(prose(page))] == ["89.6 %", "18.8 ms"]


def files_named(code: str) -> set[str]:
    """The JSON files that code names, but for those that a training or a corpus on the page writes by itself."""
    return set(re.findall(r"[\w-]+\.json", code)) - {"history.json", "manifest.json", "splits.json", "shard-00000.json"}


@pytest.mark.parametrize("path", sorted((ROOT / "book").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_files_that_a_page_reads_are_there(path):
    code = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    there = {file.name for folder in (RESULTS, ROOT / "drumlib" / "weights") for file in folder.glob("*.json")}
    assert files_named(code) - there == set()
    assert files_named('open("results/nowhere.json")') - there == {"nowhere.json"}  # it would be found


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_results_file_says_where_it_comes_from(path):
    readme = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    assert f"results/{path.name}" in readme, "bench/README.md does not say by which command it was written"
    assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
