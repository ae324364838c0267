"""Chord symbols and voicings: from ``Dm7`` to pitches, with little movement from chord to chord.

A *chord symbol* is written as on a lead sheet: ``C``, ``F#m7``, ``Bb13``, ``D7b9``, ``G/B``. A *voicing*
is the chord as played: a tuple of MIDI pitches, lowest first. Good players change chords by moving
each finger a short way (*voice leading*), and so does ``voicing``.
"""

import re
from functools import cache
from typing import NamedTuple

PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "add9": (0, 4, 7, 14),
    "aug": (0, 4, 8),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "69": (0, 4, 7, 9, 14),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "7sus4": (0, 5, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "9": (0, 4, 7, 10, 14),
    "m9": (0, 3, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14),
    "9sus4": (0, 5, 7, 10, 14),
    "7b9": (0, 4, 7, 10, 13),
    "7#9": (0, 4, 7, 10, 15),
    "13": (0, 4, 7, 10, 14, 21),
}
"""The chords we know: semitones above the root."""


class Chord(NamedTuple):
    """A chord: its root (0 = C ... 11 = B), its notes in semitones above it, and the note the bass plays."""

    root: int
    intervals: tuple[int, ...]
    bass: int


def pitch(name: str) -> int:
    """The MIDI pitch of a note's name: ``"C4"`` is 60, ``"F#3"`` is 54. Raises ValueError on any other text."""
    match = re.fullmatch(r"([A-G])([#b]?)(-?\d)", name)
    if not match:
        raise ValueError(f"{name!r} is not a note: write a letter, perhaps # or b, and an octave, as in F#4")
    letter, sign, octave = match.groups()
    return PITCH_CLASSES[letter] + {"#": 1, "b": -1, "": 0}[sign] + 12 * (int(octave) + 1)


@cache
def chord(symbol: str) -> Chord:
    """Read one chord symbol. Raises ValueError on a quality that is not in ``QUALITIES``."""
    match = re.fullmatch(r"([A-G])([#b]?)([^/]*)(?:/([A-G])([#b]?))?", symbol)
    if not match or match[3] not in QUALITIES:
        raise ValueError(f"{symbol!r} is not a chord we know: a letter, perhaps # or b, then one of {list(QUALITIES)}")
    signs = {"#": 1, "b": -1, "": 0, None: 0}
    root = (PITCH_CLASSES[match[1]] + signs[match[2]]) % 12
    bass = (PITCH_CLASSES[match[4]] + signs[match[5]]) % 12 if match[4] else root
    return Chord(root, QUALITIES[match[3]], bass)


def degree(chord: Chord, number: str) -> int:
    """Semitones from the root up to a degree of the chord, ``"1"`` to ``"9"``: its own third, fifth and seventh."""
    own = {interval % 12 for interval in chord.intervals}
    third = next((i for i in (4, 3, 5, 2) if i in own), 4)
    fifth = next((i for i in (7, 6, 8) if i in own), 7)
    seventh = next((i for i in (10, 11) if i in own), 10)
    return {"1": 0, "2": 2, "3": third, "4": 5, "5": fifth, "6": 9, "7": seventh, "8": 12, "9": 14}[number]


def colours(chord: Chord, size: int) -> list[int]:
    """The ``size`` pitch classes that say most about a chord: the fifth goes first, then the root (the bass has it).

    Beside a flat ninth the root goes first: a semitone apart they would only rub.
    """
    notes = list(chord.intervals)
    for expendable in (0, 7) if 13 in notes else (7, 0):
        if len(notes) > size and expendable in notes:
            notes.remove(expendable)
    return [(chord.root + note) % 12 for note in notes[-size:]]


@cache
def voicing(chord: Chord, before: tuple[int, ...] | None, low: int, high: int, size: int = 4) -> tuple[int, ...]:
    """Lay a chord out between two pitches, as near as can be to the voicing ``before``.

    Every order of the notes that stays within an octave or so is tried, in close position and with the
    second voice from the top dropped an octave. Semitones inside the chord cost, as they sound harsh.
    Raises ValueError where the range is too narrow for the chord.
    """
    classes, found = sorted(colours(chord, size)), []
    for lowest in range(low, high + 1):
        if lowest % 12 not in classes:
            continue
        close = sorted(lowest + (pc - lowest) % 12 for pc in classes)
        found.append(tuple(close))
        if len(close) > 3:
            found.append(tuple(sorted([*close[:-2], close[-2] - 12, close[-1]])))
    found = [notes for notes in found if notes[0] >= low and notes[-1] <= high]
    if not found:
        raise ValueError(f"no room for {chord} between pitches {low} and {high}")
    middle = (low + high) / 2

    def cost(notes):
        move = sum(min(abs(n - b) for b in before) for n in notes) if before else 0
        move += abs(notes[-1] - before[-1]) if before else 0  # the top voice is the one we hear
        rubs = sum(b - a in (1, 13) for i, a in enumerate(notes) for b in notes[i + 1 :])
        return move + 10 * rubs + 0.6 * abs(sum(notes) / len(notes) - middle), notes

    return min(found, key=cost)


def power(chord: Chord, low: int = 40) -> tuple[int, ...]:
    """Root, fifth and octave: the rock guitarist's chord, its root in the octave above ``low``."""
    root = low + (chord.bass - low) % 12
    return (root, root + 7, root + 12) if chord.bass == chord.root else (root, root + 12)


def octave(chord: Chord, low: int = 50) -> tuple[int, ...]:
    """The root and its octave, as in disco guitar."""
    root = low + (chord.root - low) % 12
    return (root, root + 12)


def boogie(chord: Chord, sixth: bool, low: int = 40) -> tuple[int, ...]:
    """Root and fifth, or root and sixth: the two halves of a blues guitarist's shuffle."""
    root = low + (chord.root - low) % 12
    return (root, root + (9 if sixth else degree(chord, "5")))
