"""The input of a model that plays: piano rolls of onsets, one for each family of instruments."""

from collections.abc import Sequence

import numpy as np

from drumlib.music import FAMILIES, Grid, Track, roll_from_notes


def family_roll(band: Sequence[Track], family: str, grid: Grid) -> np.ndarray:
    """The onsets of one family of a band, uint8 (T, 128), 0 or 1; zeros if the band has no track of that family."""
    return roll_from_notes([note for track in band if track.family == family for note in track.notes], grid)


def band_rolls(bands: Sequence[Sequence[Track]], grid: Grid) -> dict[str, np.ndarray]:
    """The onsets of several bands (C) in one song: for each family, uint8 (C, T, 128)."""
    return {family: np.stack([family_roll(band, family, grid) for band in bands]) for family in FAMILIES}
