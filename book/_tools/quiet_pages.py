"""Makes the pages open without a fault from a disk, and to all: a small Sphinx extension, named in _config.yml.

The theme and its companions are made for pages on a server. Opened as files, their pages put errors on the console,
and a reader who looks there for his own mistakes would find ours. Nothing that a reader uses is taken away.
"""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FONT_PRELOAD = re.compile(r'[ \t]*<link rel="preload" as="font"[^>]*>\n?')
"""Asks for fonts ahead of time; a browser refuses that for files. The fonts themselves load when they are used."""

BOOK_IN_A_LIST = 'role="doc-biblioentry"'
"""A role that has been given up. A screen reader that does not know it finds a list with nothing in it."""

UNFOLDS = '<summary><span class="toctree-toggle"'
UNFOLDS_AND_SAYS_SO = '<summary aria-label="Show or hide the pages below it"><span class="toctree-toggle"'
"""What unfolds a chapter in the list of contents has only a picture for a name."""

RAN = {"<p>✅</p>": "<p>ran</p>", "<p>❌</p>": "<p>failed</p>"}
"""In the table of what ran: a picture that not every computer has letters for, and one that is read out as its name."""


def drop_thebe(app, page, template, context, doctree):
    """Leaves out Thebe, which would run cells on a server that this book has not got.

    Its script comes twice, too, and the second one is an error.
    """
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "THEBE_JS_URL" not in (getattr(script, "attributes", {}).get("body") or "")
        and "sphinx-thebe" not in str(getattr(script, "filename", script))
    ]


def search_without_excerpts(app, page, template, context, doctree):
    """Opened as a file, the page of the search must not ask for excerpts of what it finds: a browser refuses them."""
    if page == "search":
        app.add_js_file(
            None, body='if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
        )


def mend(app, exception):
    """What stands in the finished pages only."""
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).glob("*.html"):
            text = path.read_text(encoding="utf-8")
            mended = FONT_PRELOAD.sub("", text).replace(BOOK_IN_A_LIST, 'role="listitem"')
            mended = mended.replace(UNFOLDS, UNFOLDS_AND_SAYS_SO)
            for picture, word in RAN.items():
                mended = mended.replace(picture, word)
            if mended != text:
                path.write_text(mended, encoding="utf-8")


def carry_licences(app, exception):
    """Lays LICENSE and NOTICE beside the pages, whose foot links to them; as .txt, so that a browser shows them."""
    if exception is None and app.builder.format == "html":
        for name in ("LICENSE", "NOTICE"):
            shutil.copyfile(ROOT / name, Path(app.outdir) / f"{name}.txt")


def setup(app):
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", search_without_excerpts)
    app.connect("build-finished", mend)
    app.connect("build-finished", carry_licences)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
