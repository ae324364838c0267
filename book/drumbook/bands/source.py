"""A source for corpora: the Groove MIDI Dataset's performances, each with bands composed to it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from drumbook.bands.compose import compose
from drumlib.data.corpus.selection import SelectionRules
from drumlib.data.corpus.sources import SourceEntry, reading_error
from drumlib.data.groove_dataset import Performance, performances
from drumlib.music import MidiError, Song

RULES = SelectionRules(bars=8, drum_notes=0, fit=0.0)
"""Performances may be short, and need no test against the grid: they were recorded to a click."""


@dataclass(frozen=True)
class GrooveBands:
    """The data set's performances in 4/4, each with ``variants`` bands composed to it (``compose``).

    ``folder`` is the data set's folder, or its archive. The data set's own splits are kept, so that figures can be
    compared. They separate performances, not drummers or sessions: a network that was trained on them has heard the
    drummers of the test split before.
    """

    folder: Path
    variants: int = 1
    seed: int = 0

    def __post_init__(self):
        if self.variants < 1:
            raise ValueError("at least one band must be composed to each performance")

    def entries(self) -> list[SourceEntry]:
        """The songs: for each variant, one of every performance. Raises as ``performances`` does."""
        found = _performances(self.folder).items()
        return [
            SourceEntry(file, one.session, one.split, variant)
            for variant in range(self.variants)
            for file, one in found
        ]

    def size(self, entry: SourceEntry) -> int:
        """The size of the performance's file, or of the archive, in bytes; -1 if it is not there."""
        one = _performances(self.folder)[entry.file]
        try:
            return (one.archive or one.path).stat().st_size
        except OSError:
            return -1

    def read(self, entry: SourceEntry) -> Song:
        """The performance with its band. Raises MidiError, DrumsError if no band fits, OSError if the disk fails."""
        one = _performances(self.folder)[entry.file]
        try:
            song = one.song()
        except MidiError as error:
            raise reading_error(error, one.path) from None
        return compose(song, one.style, seed=self.seed * 1_000_003 + entry.variant)


@lru_cache(maxsize=2)
def _performances(folder: Path) -> dict[str, Performance]:
    """The performances in 4/4, by their files."""
    found = performances(folder, beat_type="beat", time_signature="4-4")
    return {f"{one.session}/{one.path.name}": one for one in found}
