"""Things to play with: a knob is moved, and what you hear and see changes.

In a built page they work on takes that were computed when the book was built: no kernel, no network. With a kernel,
``live`` computes each take when its knob is moved. Everything here is imported when it is first used.
"""

import importlib
import sys
from types import ModuleType

_HOME = {
    "Knob": "stage",
    "Take": "stage",
    "Stage": "stage",
    "Sequencer": "sequencer",
    "live": "live",
}

__all__ = list(_HOME)


class _Package(ModuleType):
    """The file ``live`` is named after the one function in it.

    Importing a file binds its name in the package, over the function of that name. Here it does not.
    """

    def __setattr__(self, name, value):
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
