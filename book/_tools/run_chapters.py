"""Runs the chapters that must be run, several at a time, before the book is built.

    python book/_tools/run_chapters.py

Sphinx would run them one after the other. Here as many run side by side as there are cores, those that take longest
first; each in a kernel of its own, so none knows of another. What they print goes into the cache in which Sphinx then
finds it. A chapter that is in there already, unchanged, is not run again.
"""

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
import yaml
from exercises import order
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
CACHE = BOOK / "_build" / ".jupyter_cache"
SECONDS = 300
"""For one cell, as in _config.yml."""

MEMORY = 3e9
"""Bytes that a chapter may need at most: where there is less, fewer run at a time."""


def to_run(cache) -> list[Path]:
    """The chapters whose output is not in the cache, those that took longest the last time first."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    paths = [path for path in (BOOK / f"{name}.ipynb" for name in order(contents)) if path.is_file()]
    waiting = []
    for path in paths:
        try:
            cache.match_cache_notebook(nbformat.read(path, as_version=4))
        except KeyError:
            waiting.append(path)
    measured = ROOT / "bench" / "results" / "book.json"
    seconds = json.loads(measured.read_text(encoding="utf-8"))["chapters"] if measured.is_file() else {}
    return sorted(waiting, key=lambda path: -seconds.get(path.stem, SECONDS))


def at_once() -> int:
    """How many chapters this machine can run side by side."""
    try:
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not every system tells
        free = 2 * MEMORY
    return max(1, min(os.cpu_count() or 1, int(free // MEMORY)))


def run(path: Path):
    notebook = nbformat.read(path, as_version=4)
    return notebook, single_nb_execution(notebook, cwd=str(BOOK), timeout=SECONDS, allow_errors=False)


def main(arguments: list[str] | None = None) -> int:
    argparse.ArgumentParser(description=__doc__.split("\n\n")[0]).parse_args(arguments)
    CACHE.mkdir(parents=True, exist_ok=True)
    cache = get_cache(CACHE)
    waiting = to_run(cache)
    if not waiting:
        return 0
    print(f"{len(waiting)} chapters are run, {min(at_once(), len(waiting))} at a time", flush=True)
    failed = done = 0
    with ThreadPoolExecutor(at_once()) as pool:
        running = {pool.submit(run, path): path for path in waiting}
        try:
            for future in as_completed(running):
                path, done = running[future], done + 1
                notebook, result = future.result()
                print(f"  {path.stem}: {result.time:.0f} s ({done} of {len(waiting)})", flush=True)
                if result.err is not None:
                    failed += 1
                    print(f"{path.name} failed:\n{result.exc_string}", file=sys.stderr, flush=True)
                    continue
                cache.cache_notebook_bundle(
                    CacheBundleIn(notebook, str(path), data={"execution_seconds": result.time}),
                    check_validity=False,
                    overwrite=True,
                )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Stopped. The chapters that were done need not be run again.", file=sys.stderr)
        sys.exit(130)
