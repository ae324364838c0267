"""Gives the book a MathJax of its own: formulas need no network. A small Sphinx extension, named in _config.yml.

The package sphinx-mathjax-offline carries all of MathJax 3.2.2 (Apache License 2.0), 24 MB. We take one file of it, in
which everything is: the reader of TeX with its extensions, and the letters as outlines. So nothing is fetched later, no
font and no extension, and a page that is opened from a disk shows its formulas as one on a server does.
"""

from importlib import util
from pathlib import Path

from sphinx.errors import ExtensionError
from sphinx.util.fileutil import copy_asset_file

PACKAGE = "sphinx-mathjax-offline"
FILE = "tex-svg-full.js"
FOLDER = "mathjax"


def mathjax_file() -> Path:
    """Where the package keeps the file.

    Raises
    ------
    ExtensionError
        If the package is not installed, or has no such file.
    """
    spec = util.find_spec(PACKAGE)
    path = Path(spec.origin).parent / "static" / "mathjax" / FILE if spec else Path(FILE)
    if not path.is_file():
        raise ExtensionError(f"{path}: MathJax is missing; install {PACKAGE}, which carries it")
    return path


def use_it(app, config):
    config.mathjax_path = f"{FOLDER}/{FILE}"  # from _static
    # The menu of a formula would fetch what is not here, and its formulas would all be stops on a keyboard's way.
    # Those who do not see the page have each formula as MathML.
    config.mathjax3_config = {"options": {"enableMenu": False}}


def copy_it(app):
    if app.builder.format == "html":
        folder = Path(app.outdir) / "_static" / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        copy_asset_file(mathjax_file(), folder)


def setup(app):
    app.connect("config-inited", use_it)
    app.connect("builder-inited", copy_it)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
