"""Makes the pages open without a fault from a disk: a small Sphinx extension, named in _config.yml.

The theme and its companions are made for pages on a server. Opened as files, their pages put errors on the console,
and a reader who looks there for his own mistakes would find ours. Nothing that a reader uses is taken away.
"""

import re
from pathlib import Path

FONT_PRELOAD = re.compile(r'[ \t]*<link rel="preload" as="font"[^>]*>\n?')
"""Asks for fonts ahead of time; a browser refuses that for files. The fonts themselves load when they are used."""


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


def drop_font_preloads(app, exception):
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).glob("*.html"):
            text = path.read_text(encoding="utf-8")
            shorter = FONT_PRELOAD.sub("", text)
            if shorter != text:
                path.write_text(shorter, encoding="utf-8")


def setup(app):
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("build-finished", drop_font_preloads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
