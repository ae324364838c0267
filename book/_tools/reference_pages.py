"""Makes the reference pages from the docstrings: a small Sphinx extension beside autodoc and napoleon.

A page says which packages it describes, ``<!-- modules: drumlib.data -->``. Each of their modules becomes a section, so
a new module needs no line in any page. A named tuple's fields are described in its docstring; Python gives each a
second one, "Alias for field number 0", which is left out.
"""

import collections
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = re.compile(r"^<!-- modules: (.+) -->$", re.MULTILINE)

SECTION = """\
## `{name}`

```{{eval-rst}}
.. automodule:: {name}{members}
```
"""


def modules(root: Path = ROOT) -> dict[str, Path]:
    """The file of each module of drumlib and drumbook that has a docstring, by its name.

    The songbook's songs are music, not functions to call; what ``drumlib.commands`` do stands in ``--help``.
    """
    found = {}
    for base, package in ((root, "drumlib"), (root / "book", "drumbook")):
        for path in sorted((base / package).rglob("*.py"), key=lambda path: path.with_suffix("").as_posix().split("/")):
            name = ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")
            commands = name.endswith("__main__") or name.startswith("drumlib.commands")
            if path.read_text(encoding="utf-8").startswith('"""') and not commands:
                found[name] = path
    from drumlib.music import songbook

    songs = {f"drumlib.music.songbook.{name}" for name in songbook.names()}
    return dict(sorted((name, path) for name, path in found.items() if name not in songs))


def sections(names: str, known: dict[str, Path]) -> str:
    """The sections for some packages, or modules, and all that lies in them: Markdown.

    Raises
    ------
    ValueError
        If there is no such package.
    """
    parts = []
    for wanted in re.split(r",\s*", names):
        mine = [name for name in known if f"{name}.".startswith(f"{wanted}.")]
        if not mine:
            raise ValueError(f"the reference names {wanted}, and there is no such module")
        for name in mine:
            lends = re.search(r"^__all__\b", known[name].read_text(encoding="utf-8"), re.MULTILINE)  # others' names
            parts.append(SECTION.format(name=name, members="" if lends else "\n   :members:"))
    return "\n".join(parts)


def write_sections(app, page, source):
    source[0] = MARK.sub(lambda mark: sections(mark[1], modules()), source[0])


def skip_aliases(app, what, name, thing, skip, options):
    if isinstance(thing, collections._tuplegetter):
        return True
    return None  # as autodoc would have it


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.connect("source-read", write_sections)
    app.connect("autodoc-skip-member", skip_aliases)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
