"""Makes the reference pages from the docstrings: a small Sphinx extension beside autodoc and napoleon.

A named tuple's fields are described in its docstring. Python gives each a second one, "Alias for field number 0": left
out.
"""

import collections


def skip_aliases(app, what, name, thing, skip, options):
    if isinstance(thing, collections._tuplegetter):
        return True
    return None  # as autodoc would have it


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.connect("autodoc-skip-member", skip_aliases)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
