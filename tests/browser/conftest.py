"""A browser, and the built book. Where either is missing a reader's run skips, loudly; on CI (CI=true) it fails."""

import os
import shutil
from dataclasses import dataclass, field
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


HERE = ("file:", "data:", "blob:")
"""Addresses that lead to no network: the book's own folder, and what a page itself holds."""


@dataclass
class Opened:
    """A page that was opened, and what went wrong with it since."""

    page: object
    faults: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def open_page(browser, book):
    """``open_page(name, **options)`` opens a page of the book as a reader does, from the disk, with no network at all.

    Every other address is blocked and is a fault, and so are an error on the console and a request that failed.
    Options are those of a browser's context. ``query`` is what stands behind the page's address. Whoever opens a page
    closes it.
    """

    def open_one(name: str, query: str = "", **options) -> Opened:
        context = browser.new_context(device_scale_factor=1, **options)
        page = context.new_page()
        opened = Opened(page)

        def block(route):
            opened.faults.append(f"asks for {route.request.url}")
            route.abort()

        context.route(lambda address: not address.startswith(HERE), block)
        page.on("websocket", lambda socket: opened.faults.append(f"asks for {socket.url}"))
        page.on("console", lambda said: opened.faults.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: opened.faults.append(f"error: {error}"))
        page.on("requestfailed", lambda request: opened.faults.append(f"failed: {request.url[:200]} {request.failure}"))
        page.goto((book / f"{name}.html").as_uri() + query, wait_until="load")
        page.wait_for_timeout(300)  # what a page does just after it was loaded
        return opened

    return open_one
