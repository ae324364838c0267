"""Fingerprints of what a song plays: two songs that share many of them are the same song, whatever their files' names.

A fingerprint is a 64-bit hash of the notes of a few bars (Zobrist, "A New Hashing Method", 1970). Each cell of the
grid, so many steps from the first bar line and so many semitones from the first note, has a fixed random number; the
fingerprint is the sum of the numbers of the cells with an onset, modulo 2^64. The numbers come from a hash function, so
they are the same on every machine.

Only onsets count, not velocities or offsets: a copy that was played softer is still a copy.
"""

import hashlib

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from drumlib.data.grid_song import WINDOW_STEPS, GridSong
from drumlib.music.grid import STEPS_PER_BAR

PHRASE_BARS = 2
PHRASE_NOTES = 6
"""A phrase is what one part plays in two bars. One with fewer notes, or with an empty bar, has no fingerprint."""

DRUMS_KIND, BAND_KIND = KINDS = 0, 1
"""The lowest bit of a song's fingerprints: 0 where they are of its drums, 1 where they are of its band."""

_FARTHEST = 127
_NUMBERS = np.frombuffer(hashlib.shake_128(b"drumlib").digest(8 * WINDOW_STEPS * (2 * _FARTHEST + 1)), dtype="<u8")
_NUMBERS = _NUMBERS.astype(np.uint64).reshape(WINDOW_STEPS, -1)
"""The random numbers of the cells, (128 steps, 255 semitones): -127 to 127 semitones from the reference pitch."""


def window_fingerprints(song: GridSong) -> np.ndarray:
    """The fingerprint of the drums of each of a song's windows: uint64 (windows,).

    Two windows have the same fingerprint if they have the same hits.
    """
    return _fingerprints(
        _steps(song.drums), song.drums["pitch"].astype(np.int64), np.array(song.starts, dtype=np.int64)
    )


def song_fingerprints(song: GridSong) -> np.ndarray:
    """The fingerprints of all phrases of a song, sorted, without repetitions: uint64 (fingerprints,).

    A phrase starts with every bar. Its place in the song does not matter, and neither does the key: the band's pitches
    are relative to the lowest of the phrase's first notes.
    """
    drums = _phrases(_steps(song.drums), song.drums["pitch"].astype(np.int64), song.steps)
    band = [np.empty(0, np.uint64)]
    for part in song.parts:
        cells = np.unique(_steps(part.notes) << 7 | part.notes["pitch"])  # each once, by step, the lowest first
        band.append(_phrases(cells >> 7, cells & 127, song.steps, relative=True))
    return np.unique(np.concatenate([_of_kind(drums, DRUMS_KIND), _of_kind(np.concatenate(band), BAND_KIND)]))


def of_kind(fingerprints: np.ndarray, kind: int) -> np.ndarray:
    """Those of a song's fingerprints that are of its drums (0), or of its band (1)."""
    fingerprints = np.asarray(fingerprints, dtype=np.uint64)
    return fingerprints[fingerprints & np.uint64(1) == kind]


def _of_kind(fingerprints: np.ndarray, kind: int) -> np.ndarray:
    """The fingerprints, with this kind as their lowest bit."""
    return fingerprints >> np.uint64(1) << np.uint64(1) | np.uint64(kind)


def _steps(notes: np.ndarray) -> np.ndarray:
    """The steps of notes, as signed numbers."""
    return notes["step"].astype(np.int64)


def _phrases(steps: np.ndarray, pitches: np.ndarray, total: int, relative: bool = False) -> np.ndarray:
    """The fingerprints of a part's phrases: notes on these steps, in order, in a song of ``total`` steps."""
    bars = np.bincount(steps // STEPS_PER_BAR, minlength=max(PHRASE_BARS, total // STEPS_PER_BAR))  # notes in each
    bars = sliding_window_view(bars, PHRASE_BARS)  # (phrases, bars)
    starts = np.flatnonzero((bars.min(axis=1) > 0) & (bars.sum(axis=1) >= PHRASE_NOTES)) * STEPS_PER_BAR
    return _fingerprints(steps, pitches, starts, PHRASE_BARS * STEPS_PER_BAR, relative)


def _fingerprints(
    steps: np.ndarray, pitches: np.ndarray, starts: np.ndarray, length: int = WINDOW_STEPS, relative: bool = False
) -> np.ndarray:
    """The fingerprints of the excerpts of ``length`` steps that begin on these starts: uint64 (starts,)."""
    firsts, ends = np.searchsorted(steps, starts), np.searchsorted(steps, starts + length)
    counts, behind = ends - firsts, np.cumsum(ends - firsts)
    excerpt = np.repeat(np.arange(len(starts)), counts)  # each note's excerpt; where they overlap, notes are repeated
    notes = np.arange(len(excerpt)) + (firsts - behind + counts)[excerpt]
    zeros = pitches[firsts[excerpt]] if relative else 0
    numbers = _NUMBERS[steps[notes] - starts[excerpt], pitches[notes] - zeros + _FARTHEST]
    sums = np.zeros(len(numbers) + 1, np.uint64)
    np.cumsum(numbers, out=sums[1:])  # overflows by intention: modulo 2 ** 64
    return sums[behind] - sums[behind - counts]
