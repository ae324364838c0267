"""Lets nbval compare the chapters as they are committed: with what their cells print, without execution counts.

nbval takes a cell without a count for one that never ran, and refuses its output. Here, a cell with an output ran.
"""


def pytest_itemcollected(item):
    """Number a chapter's cell that has an output."""
    cell = getattr(item, "cell", None)
    if cell is not None and cell.get("outputs"):
        cell["execution_count"] = 1
