"""Which songs a drummer can learn from, and why the others are left out."""

import os
from dataclasses import dataclass

import numpy as np

from drumlib.music import MidiError
from drumlib.music import fast_midi as fast
from drumlib.music.grid import merge_notes
from drumlib.music.kit import FAMILIES
from drumlib.music.song import Song

NEAR = 1 / 24
"""How near to the grid a stroke is on it, in beats: a third of the way to the next sixteenth."""


MOST_PARTS, MOST_BARS = 256, 20_000
"""No song has more. A small file can claim thousands, and hold up for minutes whoever believes it."""


@dataclass(frozen=True)
class SelectionRules:
    """What a song must have.

    The thesis (3.1, 3.3) asks for four parts in 4/4. The rest keeps out what has no drummer in it: jingles, single
    cymbals, and songs recorded without a click, whose bar lines mean nothing.
    """

    missing: int = 0  # how many of piano, guitar and bass may be silent in a window; the thesis: 0
    bars: int = 16  # at least
    strokes: int = 64  # notes of the drums, at least
    fit: float = 0.8  # the share of strokes that are near the grid, at least

    def __post_init__(self):
        if not 0 <= self.missing < len(FAMILIES):
            raise ValueError(f"of the {len(FAMILIES)} families of the band, 0 to {len(FAMILIES) - 1} may be missing")
        if self.bars < 0 or self.strokes < 0 or not 0 <= self.fit <= 1:
            raise ValueError("bars and strokes are counts, and fit is a share between 0 and 1")


def read_plausible(path: str | os.PathLike) -> Song:
    """A MIDI file's song, without ``events``. Raises MidiError, also if it claims more than any song has."""
    song = fast.read_song(path)
    if reason := implausible_reason(song):
        raise MidiError(f"{path}: it has {reason}")
    return song


def implausible_reason(song: Song) -> str | None:
    """What a song has more of than any song has, in a few words; None if there is nothing."""
    if len(song.tracks) > MOST_PARTS or len(song.bars) > MOST_BARS:
        return f"more than {MOST_PARTS} parts, or {MOST_BARS:,} bars"
    return None


def exclusion_reason(song: Song, rules: SelectionRules = SelectionRules()) -> str | None:
    """Why a song is left out, in a few words; None if it is not."""
    if reason := implausible_reason(song):
        return reason
    strokes = merge_notes(song.drums)
    if not len(strokes):
        return "no drums"
    absent = [family for family in FAMILIES if not song.parts(family)]
    if len(absent) > rules.missing:
        return f"no {absent[0]}"
    if len(strokes) < rules.strokes:
        return f"fewer than {rules.strokes} drum notes"
    if len(song.bars) < rules.bars:
        return f"shorter than {rules.bars} bars"
    if grid_fit(song) < rules.fit:
        return "its drums do not keep to the grid"
    return None


def grid_fit(song: Song) -> float:
    """The share of a song's drum notes that lie near the grid of sixteenths, or that of eighth-note triplets."""
    beats = merge_notes(song.drums).ticks / song.ticks_per_beat
    off = [np.abs(beats * parts - np.rint(beats * parts)) / parts for parts in (4, 3)]
    return float(np.mean(np.minimum(*off) <= NEAR + 1e-9)) if len(beats) else 0.0
