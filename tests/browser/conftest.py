"""A browser, and the built book. Where either is missing a reader's run skips, loudly; on CI (CI=true) it fails."""

import os
import shutil
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parents[2] / "book" / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def missing(reason: str):
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the built pages."""
    if not (BOOK / "index.html").is_file():
        missing("the book is not built: make book")
    return BOOK


@pytest.fixture(scope="session")
def browser():
    """Chromium, without a window."""
    paths = [path for path in map(shutil.which, BROWSERS) if path]
    if not paths:
        missing(f"no browser found (looked for {', '.join(BROWSERS)}): the built pages were not opened")
    from playwright.sync_api import sync_playwright

    # What a browser does of its own accord on the network is not the book's: turned off.
    quiet = "--no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-quic"
    flags = ["--no-sandbox", "--disable-gpu", *quiet.split()]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=paths[0], headless=True, args=flags)
        yield browser
        browser.close()
