"""The built book ran the chapters as they are: all cells, and those that are to be compared printed what they should.

`make test` asks the same of each chapter by nbval, in a run of its own. Here nothing is run a second time: what the
build ran is looked at.
"""

from pathlib import Path

import nbformat
import pytest
from jupyter_cache import get_cache
from tools import load_tool

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.fixture(scope="module")
def clean_outputs():
    """What of a cell's outputs is committed."""
    return load_tool("clean").clean_outputs


@pytest.fixture(scope="module", params=CHAPTERS, ids=lambda path: path.stem)
def cells(request, book):
    """The cells of a chapter with code: as committed, and as the build ran them."""
    committed = nbformat.read(request.param, as_version=4)
    cache = get_cache(book.parent / ".jupyter_cache")
    try:
        record = cache.match_cache_notebook(committed)
    except KeyError:
        pytest.fail(f"{request.param.name} is not what the book was built from: make book")
    ran = cache.get_cache_bundle(record.pk).nb
    mine, its = ([cell for cell in notebook.cells if cell.cell_type == "code"] for notebook in (committed, ran))
    assert [cell.source for cell in mine] == [cell.source for cell in its]
    return list(zip(mine, its, strict=True))


def test_every_cell_was_run(cells):
    counts = [ran.execution_count for committed, ran in cells if committed.source.strip()]
    assert counts == list(range(1, len(counts) + 1)), "each once, from the top to the bottom"
    errors = [output for _, ran in cells for output in ran.outputs if output.output_type == "error"]
    expected = [committed for committed, _ in cells if "raises-exception" in committed.metadata.get("tags", [])]
    assert len(errors) == len(expected)


def test_what_is_to_be_compared_is_what_was_printed(cells, clean_outputs):
    for committed, ran in cells:
        if "nbval-check-output" in committed.metadata.get("tags", []):
            assert clean_outputs(ran.outputs) == clean_outputs(committed.outputs), committed.source


def test_the_table_of_what_ran_is_in_words(book):
    """Its pictures are not in every computer's letters."""
    page = (book / "made.html").read_text(encoding="utf-8")
    assert page.count("<p>ran</p>") == len(CHAPTERS) and "✅" not in page and "❌" not in page
