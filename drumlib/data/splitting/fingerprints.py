"""Fingerprints of what a song plays: two songs that share many of them are one song, whatever their files are called.

A fingerprint, or print, is a number of 64 bits for the notes of a few bars. Every cell of the grid, so many steps from
the first bar line and so many semitones from the first note, has a random number of its own; a print is the sum of the
numbers of the cells that are struck. (Chess programs know positions again so: Zobrist, "A New Hashing Method", 1970.)
The numbers come from a hash function, so they are the same on every machine and every day.

Only what is struck counts, not how loud, nor how late: a copy that somebody played softer is still a copy.
"""

import hashlib

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from drumlib.data.grid_song import WINDOW_STEPS, GridSong
from drumlib.music.grid import STEPS_PER_BAR

PHRASE_BARS = 2
PHRASE_NOTES = 6
"""A phrase is what one part plays in two bars. With fewer notes, or an empty bar, it tells no song from another."""

DRUMS_KIND, BAND_KIND = KINDS = 0, 1
"""A song's prints are even where they are of its drums, and odd where they are of its band."""

_FARTHEST = 127
_NUMBERS = np.frombuffer(hashlib.shake_128(b"drumlib").digest(8 * WINDOW_STEPS * (2 * _FARTHEST + 1)), dtype="<u8")
_NUMBERS = _NUMBERS.astype(np.uint64).reshape(WINDOW_STEPS, -1)
"""The cells' own numbers, (128 steps, 255 semitones): -127 to 127 semitones from where one counts."""


def window_fingerprints(chart: GridSong) -> np.ndarray:
    """For each of a chart's windows, a print of its drum part: uint64 (windows,).

    Two windows have the same print if they strike the same drums on the same steps.
    """
    return _fingerprints(
        _steps(chart.drums), chart.drums["pitch"].astype(np.int64), np.array(chart.starts, dtype=np.int64)
    )


def song_fingerprints(chart: GridSong) -> np.ndarray:
    """The prints of all phrases of a song, sorted, each once: uint64 (prints,). The drums' are even, the band's odd.

    A phrase starts with every bar. Where in the song does not matter, nor in which key: the band's pitches are counted
    from the lowest of the phrase's first notes.
    """
    drums = _phrases(_steps(chart.drums), chart.drums["pitch"].astype(np.int64), chart.steps)
    band = [np.empty(0, np.uint64)]
    for part in chart.parts:
        cells = np.unique(_steps(part.notes) << 7 | part.notes["pitch"])  # each once, by step, the lowest first
        band.append(_phrases(cells >> 7, cells & 127, chart.steps, relative=True))
    return np.unique(np.concatenate([_of_kind(drums, DRUMS_KIND), _of_kind(np.concatenate(band), BAND_KIND)]))


def of_kind(prints: np.ndarray, kind: int) -> np.ndarray:
    """Those of a song's prints that are of its drums (0), or of its band (1)."""
    prints = np.asarray(prints, dtype=np.uint64)
    return prints[prints & np.uint64(1) == kind]


def _of_kind(prints: np.ndarray, kind: int) -> np.ndarray:
    """The prints, marked as of this kind."""
    return prints >> np.uint64(1) << np.uint64(1) | np.uint64(kind)


def _steps(notes: np.ndarray) -> np.ndarray:
    """The steps of notes, as numbers that may be subtracted."""
    return notes["step"].astype(np.int64)


def _phrases(steps: np.ndarray, pitches: np.ndarray, total: int, relative: bool = False) -> np.ndarray:
    """The prints of a part's phrases: notes on these steps, in order, in a song of ``total`` steps."""
    bars = np.bincount(steps // STEPS_PER_BAR, minlength=max(PHRASE_BARS, total // STEPS_PER_BAR))  # notes in each
    bars = sliding_window_view(bars, PHRASE_BARS)  # (phrases, bars)
    starts = np.flatnonzero((bars.min(axis=1) > 0) & (bars.sum(axis=1) >= PHRASE_NOTES)) * STEPS_PER_BAR
    return _fingerprints(steps, pitches, starts, PHRASE_BARS * STEPS_PER_BAR, relative)


def _fingerprints(
    steps: np.ndarray, pitches: np.ndarray, starts: np.ndarray, length: int = WINDOW_STEPS, relative: bool = False
) -> np.ndarray:
    """The prints of the stretches of ``length`` steps that begin on these starts."""
    firsts, ends = np.searchsorted(steps, starts), np.searchsorted(steps, starts + length)
    counts, behind = ends - firsts, np.cumsum(ends - firsts)
    stretch = np.repeat(np.arange(len(starts)), counts)  # to which stretch each note belongs; overlaps repeat notes
    notes = np.arange(len(stretch)) + (firsts - behind + counts)[stretch]
    zeros = pitches[firsts[stretch]] if relative else 0
    numbers = _NUMBERS[steps[notes] - starts[stretch], pitches[notes] - zeros + _FARTHEST]
    so_far = np.zeros(len(numbers) + 1, np.uint64)
    np.cumsum(numbers, out=so_far[1:])  # sums run over, as they should: they are meant modulo 2 ** 64
    return so_far[behind] - so_far[behind - counts]
