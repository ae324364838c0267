"""The output of a widget in a notebook: its page, or its ipywidgets where a reader can turn them."""

import importlib.util
import os
import sys

NO_WIDGETS = (
    "<p>This can be turned only while its kernel runs, and where ipywidgets are shown: run the cell in JupyterLab,"
    " Colab or Voila.</p>"
)


def mimebundle(widget) -> dict:
    """The MIME bundle of a widget, which has ``html`` and ``live()``.

    A live output leaves the page out: the reader would wait while all its takes are computed.
    """
    bundle = {"text/plain": repr(widget)}
    if has_interactive_reader() and importlib.util.find_spec("ipywidgets"):
        bundle["text/html"] = NO_WIDGETS
        bundle["application/vnd.jupyter.widget-view+json"] = {
            "version_major": 2,
            "version_minor": 0,
            "model_id": widget.live().model_id,
        }
    else:
        bundle["text/html"] = widget.html
    return bundle


def has_interactive_reader() -> bool:
    """Whether this process is the kernel of a notebook that a reader has open.

    Such a kernel may ask questions (``input``). A program that runs a notebook to build or to test a book forbids them,
    and needs no widgets. Voila forbids them too, but has readers; its environment names it.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    kernel = getattr(shell, "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False)) or (
        kernel is not None and os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
    )
