"""The style sheet, scripts and HTML of a page's components, with their data made safe."""

import base64
import hashlib
import html
import json
import re
from functools import cache
from pathlib import Path

import numpy as np

from drumlib.display import sound

TRAILING_COMMENT = re.compile(r"""[ ]+// [^"'`\n]*$""", re.MULTILINE)
"""A comment at the end of a line of JavaScript. One with quotes in it stays: it might be the end of a string."""

SPACES = re.compile(r"""("[^"\n]*"|'[^'\n]*'|`[^`\n]*`)|[ ]*([!={}(),;:?<>&|*])[ ]*|[ ]([-+/%])[ ](?![-+])""")
"""A string, which stays as it is, or an operator of JavaScript that needs no spaces around it (``- -x`` needs them)."""


@cache
def assets(name: str, folder: Path = Path(__file__).parent) -> tuple[str, str]:
    """The style sheet and the page of ``player``, say, without comments, indentation, blank lines.

    A blank line would end the HTML where a page is made from Markdown; an indented line would begin a code block.
    ``folder`` holds the two files; this file's folder, if not given. A missing style sheet is empty. ``{{roll.js}}`` in
    a page becomes a script element with ``roll.js`` of ``folder``, or else of this file's folder; ``{{palette}}`` in
    a style sheet becomes ``palette.css``.

    All scripts define parts of one object, ``window.drumlib``. Its name gets the version of drumlib's scripts, so that
    outputs of two versions can be in one notebook.
    """
    style = folder / f"{name}.css"
    css = style.read_text("utf-8") if style.exists() else ""
    page = _squeezed((folder / f"{name}.html").read_text("utf-8"))
    page = re.sub(r"\{\{(\w+\.js)\}\}", lambda found: _script(found[1], folder), page)
    css = _squeezed(css.replace("{{palette}}", (Path(__file__).parent / "palette.css").read_text("utf-8")))
    css = re.sub("([:;,{]) +", r"\1", css)
    return css, re.sub(r"\bwindow\.drumlib\b", f"window.drumlib_{_version()}", page)


def filled(page: str, fields: dict[str, str]) -> str:
    """The page with each ``{{name}}`` replaced, and without the blank lines that empty ones leave.

    In one pass, so that a title that reads ``{{js}}`` stays a title.
    """
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: fields[found[1]], page)
    return re.sub(r"\n\s*\n", "\n", page)


def audio_element(name: str, audio: np.ndarray, kbps: int) -> str:
    """Audio (samples,) as an element of a page that holds its MP3.

    It has controls for a page without scripts; a component's script takes them away.
    """
    mp3 = base64.b64encode(sound.encode_mp3(audio, kbps=kbps)).decode("ascii")
    name = html.escape(name)
    return (
        f'<audio data-stem="{name}" aria-label="{name}" preload="none" controls '
        f'src="data:audio/mpeg;base64,{mp3}"></audio>'
    )


def safe_json(data) -> str:
    """JSON that is safe inside a script element: no ``</script>`` and no ``<!--`` can be in it."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _script(file: str, folder: Path) -> str:
    """A script element. ``book/_tools/said_once.py`` finds it by its attribute."""
    path = folder / file if (folder / file).exists() else Path(__file__).parent / file
    text = _squeezed(TRAILING_COMMENT.sub("", path.read_text("utf-8")))
    for line in text.splitlines():
        if line.count("`") % 2:
            raise ValueError(f"{path}: a template literal of several lines would lose its indents: {line}")
    text = SPACES.sub(lambda found: found[1] or found[2] or found[3], text)
    return f'<script data-drumlib="{path.stem}">\n{text}\n</script>'


@cache
def _version() -> str:
    scripts = sorted(Path(__file__).parent.rglob("*.js"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in scripts)).hexdigest()[:8]


def _squeezed(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
