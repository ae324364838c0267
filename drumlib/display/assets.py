"""What a page needs of a thing to play with: its style sheet, its script and its HTML, and its data made safe."""

import hashlib
import json
import re
from functools import cache
from pathlib import Path


@cache
def assets(name: str, folder: Path = Path(__file__).parent) -> tuple[str, str, str]:
    """The style sheet, the script and the page of ``player``, say, without comments, indentation, blank lines.

    A blank line would end the HTML where a page is made from Markdown; an indented line would begin a code block. Each
    script is told its own version, so that two of them can live in one page. ``folder`` is where the three files are:
    beside this one, if not given. What several need alike is written once, beside this file: a ``{{roll}}`` in a script
    is ``roll.js``, and a ``{{palette}}`` in a style sheet is ``palette.css``.
    """
    css, js, page = ((folder / f"{name}.{kind}").read_text("utf-8") for kind in ("css", "js", "html"))
    css, js = css.replace("{{palette}}", _shared("palette.css")), js.replace("{{roll}}", _shared("roll.js"))
    css, js, page = map(_squeezed, (css, js, page))
    return css, js.replace("{{version}}", hashlib.sha256(js.encode()).hexdigest()[:8]), page


def filled(page: str, fields: dict[str, str]) -> str:
    """The page with each ``{{name}}`` replaced, and without the blank lines that empty ones leave.

    In one pass, so that a title that reads ``{{js}}`` stays a title.
    """
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: fields[found[1]], page)
    return re.sub(r"\n\s*\n", "\n", page)


def safe_json(data) -> str:
    """JSON that is safe inside a script element: no ``</script>`` and no ``<!--`` can be in it."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _shared(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")


def _squeezed(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
