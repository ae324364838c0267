"""Interactive components of a page: a reader turns a knob, and what is heard and seen changes.

In a built page they need no kernel and no network: all takes were computed when the book was built. With a kernel,
``live()`` computes each take when its knob is turned. Everything here is imported when it is first used.
"""

import importlib

_HOME = {"Knob": "knobs", "Take": "knobs", "Stage": "stage", "Sequencer": "sequencer"}

__all__ = list(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
