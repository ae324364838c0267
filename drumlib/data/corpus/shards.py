"""Shards: some dozens of songs in grid form in two files, so that a corpus larger than the memory can be trained on.

``shard-00000.npy`` holds the notes of its songs (``GRID_NOTE``), one song after the other: the drums, then the parts.
``shard-00000.json`` holds a ``Record`` for each of them, and the songs left out with the reason. Both can be opened
with nothing but numpy and json. Notes are memory-mapped, and nothing is unpickled.
"""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drumlib.data.corpus.sources import SourceEntry
from drumlib.data.grid_song import GRID_NOTE, WINDOW_STEPS, GridPart, GridSong
from drumlib.files import write_whole
from drumlib.music.kit import DRUMS, FAMILIES

NEW_KEYS = {"heard": "audible", "clashes": "duplicates"}
"""The keys of format 1 that have other names in format 2."""


@dataclass(frozen=True)
class Record:
    """One song's entry in ``shard-00000.json``: all of its ``GridSong`` but the notes.

    Attributes
    ----------
    file, key, split, variant : as in ``sources.SourceEntry``.
    name : the song's name.
    steps : how many steps it has.
    drums : how many drum notes it has.
    parts : family, program and number of notes of each part.
    starts : the steps on which a window starts.
    audible : for each window, a bit mask of the parts that are audible: bit 0 is the first part, bit 1 the second, ...
    left_out : how many windows were left out for each reason.
    first : where the song's notes begin in the shard.
    """

    file: str
    key: str | None
    split: str | None
    variant: int
    name: str
    steps: int
    drums: int
    parts: list
    starts: list
    audible: list
    left_out: dict = field(default_factory=dict)
    first: int = 0

    def __post_init__(self):
        counts = [self.steps, self.drums, self.first, *self.starts, *self.audible, *(part[2] for part in self.parts)]
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            raise ValueError(f"{self.file}: a count in its record is not one")
        if len(self.starts) != len(self.audible) or not {part[0] for part in self.parts} <= {*FAMILIES}:
            raise ValueError(f"{self.file}: its record contradicts itself")
        if self.starts and max(self.starts) > self.steps - WINDOW_STEPS:
            raise ValueError(f"{self.file}: a window of its record ends behind the song")

    @property
    def notes(self) -> int:
        """How many notes the song has in the shard."""
        return self.drums + sum(count for _, _, count in self.parts)


def with_new_keys(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a JSON file of format 1 or 2, with the keys of format 2."""
    return {NEW_KEYS.get(key, key): value for key, value in content.items()}


def record_of(entry: SourceEntry, song: GridSong, first: int) -> Record:
    """The record of a song whose notes begin at ``first``."""
    audible = [sum(1 << number for number in np.flatnonzero(row).tolist()) for row in song.audible]
    parts = [[part.family, part.program, len(part.notes)] for part in song.parts]
    fields = song.name, song.steps, len(song.drums), parts, list(song.starts), audible, song.left_out
    return Record(entry.file, entry.key, entry.split, entry.variant, *fields, first)


def grid_song_of(record: Record, notes: np.ndarray) -> GridSong:
    """A song from its record and its shard's notes. Raises ValueError if they do not fit together."""
    if record.first + record.notes > len(notes):
        raise ValueError(f"{record.file}: its shard is too short; build into the same folder again to repair it")
    ends = np.cumsum([record.first, record.drums, *(count for _, _, count in record.parts)]).tolist()
    drums, *parts = (notes[start:end] for start, end in zip(ends, ends[1:], strict=False))
    if drums["pitch"].max(initial=0) >= len(DRUMS) or notes["pitch"][ends[0] : ends[-1]].max(initial=0) > 127:
        raise ValueError(f"{record.file}: it has a drum or a pitch that does not exist")
    parts = tuple(GridPart(family, program, own) for (family, program, _), own in zip(record.parts, parts, strict=True))
    audible = np.array([[row >> i & 1 for i in range(len(parts))] for row in record.audible], dtype=bool)
    audible = audible.reshape(len(record.starts), len(parts))
    return GridSong(record.name, record.steps, drums, parts, tuple(record.starts), audible, record.left_out)


def write_shard(stem: Path, songs: Sequence[tuple[SourceEntry, GridSong]], left_out: list[dict]) -> dict:
    """Write a shard: first its notes, then the JSON file with their sha256. Returns its entry in the manifest.

    ``stem`` is the path without ``.npy`` or ``.json``.
    """
    notes, records, first = [np.empty(0, GRID_NOTE)], [], 0
    for entry, song in songs:
        records.append(record_of(entry, song, first))
        notes += [song.drums, *(part.notes for part in song.parts)]
        first += records[-1].notes
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate(notes), allow_pickle=False)
    write_whole(stem.with_suffix(".npy"), buffer.getvalue())
    about = {
        "notes": first,
        "notes_sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
        "songs": [asdict(record) for record in records],
        "left_out": left_out,
    }
    text = json.dumps(about, separators=(",", ":")).encode()
    write_whole(stem.with_suffix(".json"), text)
    return manifest_entry(stem, about, text)


def finished_shard(stem: Path) -> dict | None:
    """The manifest entry of a shard that is already there and whole; None if it must be made."""
    try:
        text = stem.with_suffix(".json").read_bytes()
        about = json.loads(text)
        if hashlib.sha256(stem.with_suffix(".npy").read_bytes()).hexdigest() == about["notes_sha256"]:
            return manifest_entry(stem, about, text)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def read_shard(stem: Path) -> tuple[list[Record], list[GridSong], list[dict]]:
    """All of a shard: the records of its songs, the songs, and what was left out."""
    about, notes = json.loads(stem.with_suffix(".json").read_bytes()), open_notes(stem.with_suffix(".npy"))
    records = [Record(**with_new_keys(song)) for song in about["songs"]]
    return records, [grid_song_of(record, notes) for record in records], about["left_out"]


def manifest_entry(stem: Path, about: dict, text: bytes) -> dict:
    """A shard's entry in the manifest: its name, counts and sums. ``text`` is its JSON file, ``about`` the content."""
    return {
        "name": stem.name,
        "songs": len(about["songs"]),
        "windows": sum(len(song["starts"]) for song in about["songs"]),
        "left_out": len(about["left_out"]),
        "notes_sha256": about["notes_sha256"],
        "json_sha256": hashlib.sha256(text).hexdigest(),
    }


def open_notes(path: Path) -> np.ndarray:
    """A shard's notes, memory-mapped: ``GRID_NOTE`` (notes,).

    Raises ValueError if the file is not such an array or is damaged, OSError if it cannot be read.
    """
    try:
        notes = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # numpy raises many kinds of exception on damaged files
        raise ValueError(f"{path}: not the notes of a shard ({str(error)[:80]})") from None
    if not isinstance(notes, np.ndarray) or notes.dtype != GRID_NOTE or notes.ndim != 1:
        raise ValueError(f"{path}: not the notes of a shard (it holds something else)")
    return notes
