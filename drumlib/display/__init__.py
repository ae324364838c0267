"""Sound, plots, and components of a page: a player, and things to play with (``widgets``).

Everything here is imported when it is first used, so that ``import drumlib.display`` is quick.
"""

import importlib

_HOME = {
    "render": "sound",
    "render_mp3": "sound",
    "render_stems": "sound",
    "encode_mp3": "sound",
    "save_mp3": "sound",
    "Player": "player",
    "plot_groove": "plots",
    "plot_roll": "plots",
    "plot_probabilities": "plots",
}

__all__ = list(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
