"""Notes as rows of an integer array, which is fast to compute with, that reads like a tuple of ``Note``."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

import numpy as np


class Note(NamedTuple):
    """One note: its start (tick), its pitch (0-127), its velocity (1-127), its length (ticks)."""

    tick: int
    pitch: int
    velocity: int
    length: int


class Notes(Sequence[Note]):
    """An immutable sequence of notes, sorted by tick, pitch, velocity and length. It equals a tuple of equal notes.

    Attributes
    ----------
    array : int64 (notes, 4), read-only: tick, pitch, velocity, length.
    ticks, pitches, velocities, lengths : its columns, each (notes,).
    """

    __slots__ = ("array",)

    def __init__(self, notes: Iterable[Note] | np.ndarray = ()):
        if isinstance(notes, Notes):
            array = notes.array
        else:
            if not isinstance(notes, np.ndarray):
                notes = [Note(*note) for note in notes]
            array = np.array(notes, dtype=np.int64).reshape(-1, len(Note._fields))
            array = array[order(array)]
            array.flags.writeable = False
        object.__setattr__(self, "array", array)

    def __setattr__(self, name, value):
        raise AttributeError("Notes are immutable: make new ones")

    def __reduce__(self):
        return Notes, (self.array,)

    ticks = property(lambda self: self.array[:, 0])
    pitches = property(lambda self: self.array[:, 1])
    velocities = property(lambda self: self.array[:, 2])
    lengths = property(lambda self: self.array[:, 3])

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, i: int) -> Note: ...

    @overload
    def __getitem__(self, i: slice) -> tuple[Note, ...]: ...

    def __getitem__(self, i):
        rows = self.array[i].tolist()
        return tuple(map(Note._make, rows)) if isinstance(i, slice) else Note._make(rows)

    def __iter__(self) -> Iterator[Note]:
        return map(Note._make, self.array.tolist())

    def __eq__(self, other) -> bool:
        if isinstance(other, Notes):
            return np.array_equal(self.array, other.array)
        return tuple(self) == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Notes({list(self)})" if len(self) < 5 else f"<{len(self)} notes from tick {self.ticks[0]} on>"


def order(array: np.ndarray) -> np.ndarray:
    """The indices that sort rows (notes, 4) by tick, pitch, velocity and length."""
    keys = (array[:, 0] << 14) + (array[:, 1] << 7) + array[:, 2]
    rows = np.argsort(keys, kind="stable")  # much faster than lexsort, since a file's notes are nearly in order
    if (np.diff(keys[rows]) == 0).any():  # some notes differ in length alone, or not at all
        rows = np.lexsort(array.T[::-1])  # lexsort takes the first key last
    return rows
