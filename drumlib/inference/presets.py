"""Names of the presets that play by default, and what presets were called before."""

import warnings

DEFAULT_PRESET = "band-conv"
"""The score model that ``accompany``, ``train`` and ``evaluate`` use unless told otherwise."""

DEFAULT_GROOVE_PRESET = "humanize"
"""The groove model that adds velocities and timing, and that ``train --groove`` trains."""

OLD_NAMES = {"best": "band-conv", "adversary": "critic"}
"""Names of version 0.1. They work for one more release."""


def current_name(preset: str) -> str:
    """The name of a preset today.

    Warns
    -----
    FutureWarning
        If ``preset`` is a name of version 0.1.
    """
    if preset in OLD_NAMES:
        warnings.warn(f"the preset {preset!r} is called {OLD_NAMES[preset]!r} now", FutureWarning, stacklevel=3)
    return OLD_NAMES.get(preset, preset)
