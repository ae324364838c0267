"""Which songs a corpus takes, and the reasons for which others are left out."""

from dataclasses import dataclass

import numpy as np

from drumlib.data.song_folder import implausible_reason
from drumlib.music.grid import merge_notes
from drumlib.music.kit import FAMILIES
from drumlib.music.song import Song

MAX_DISTANCE = 1 / 24
"""A note at most this far from a grid line, in beats, counts as on the grid: a third of the way between sixteenths."""


@dataclass(frozen=True)
class SelectionRules:
    """What a song must have to be taken into a corpus.

    The thesis (3.1, 3.3) asks for four parts in 4/4. The other rules exclude jingles, files with only a few cymbals,
    and songs recorded without a click, whose bar lines do not follow the music.
    """

    missing: int = 0  # how many of piano, guitar and bass may be silent in a window; the thesis: 0
    bars: int = 16  # at least
    drum_notes: int = 64  # at least
    fit: float = 0.8  # the share of drum notes on the grid, at least

    def __post_init__(self):
        if not 0 <= self.missing < len(FAMILIES):
            raise ValueError(f"of the {len(FAMILIES)} families of the band, 0 to {len(FAMILIES) - 1} may be missing")
        if self.bars < 0 or self.drum_notes < 0 or not 0 <= self.fit <= 1:
            raise ValueError("bars and drum notes are counts, and fit is a share between 0 and 1")


def exclusion_reason(song: Song, rules: SelectionRules = SelectionRules()) -> str | None:
    """Why a song is left out, in a few words; None if it is taken."""
    if reason := implausible_reason(song):
        return reason
    drum_notes = merge_notes(song.drums)
    if not len(drum_notes):
        return "no drums"
    absent = [family for family in FAMILIES if not song.parts(family)]
    if len(absent) > rules.missing:
        return f"no {absent[0]}"
    if len(drum_notes) < rules.drum_notes:
        return f"fewer than {rules.drum_notes} drum notes"
    if len(song.bars) < rules.bars:
        return f"shorter than {rules.bars} bars"
    if grid_fit(song) < rules.fit:
        return "its drums do not keep to the grid"
    return None


def grid_fit(song: Song) -> float:
    """The share of a song's drum notes within 1/24 beat of the nearest sixteenth or eighth-note triplet, in [0, 1]."""
    beats = merge_notes(song.drums).ticks / song.ticks_per_beat
    distances = [np.abs(beats * parts - np.rint(beats * parts)) / parts for parts in (4, 3)]
    return float(np.mean(np.minimum(*distances) <= MAX_DISTANCE + 1e-9)) if len(beats) else 0.0
