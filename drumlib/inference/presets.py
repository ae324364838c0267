"""The names of the default presets, and the names that presets had before."""

import warnings

DEFAULT_PRESET = "band-conv"
"""The model for songs that ``accompany``, ``train`` and ``evaluate`` use if none is named."""

DEFAULT_GROOVE_PRESET = "humanize"
"""The model of velocities and timing that ``humanize`` uses, and that ``train --groove`` trains if none is named."""

OLD_NAMES = {"best": "band-conv", "adversary": "critic"}
"""Presets of version 0.1. They work for one more release."""


def current_name(preset: str) -> str:
    """The present name of a preset.

    Warns
    -----
    FutureWarning
        If ``preset`` is a name of version 0.1.
    """
    if preset in OLD_NAMES:
        warnings.warn(f"the preset {preset!r} is called {OLD_NAMES[preset]!r} now", FutureWarning, stacklevel=3)
    return OLD_NAMES.get(preset, preset)
