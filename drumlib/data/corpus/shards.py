"""Shards: charts on disk, some dozens to a file, so that a corpus larger than the memory can be trained on.

A shard is two files. ``shard-00000.npy`` holds the notes of its songs (``GRID_NOTE``), one song after the other: the
drums, then the parts. ``shard-00000.json`` says which song's they are, and which songs were left out and why. Both can
be opened with nothing but numpy and json. Notes are read where they lie, by memory mapping; nothing is ever unpickled.
"""

import hashlib
import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from drumlib.data.grid_song import GRID_NOTE, WINDOW_STEPS, GridPart, GridSong
from drumlib.files import write_whole
from drumlib.music.kit import DRUMS, FAMILIES


@dataclass(frozen=True)
class Record:
    """What ``shard-00000.json`` says of one song.

    Attributes
    ----------
    file, key, split, variant : as in ``sources.SourceEntry``.
    name : the song's name.
    steps : how many steps it has.
    drums : how many strokes the drums play.
    parts : family, program and number of notes of each part.
    starts : the steps on which a window starts.
    heard : for each window, which parts are heard: bit 0 for the first, bit 1 for the second, ...
    left_out : how many windows were left out for which reason.
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
            raise ValueError(f"{self.file}: its record has a count that is none")
        if len(self.starts) != len(self.audible) or not {part[0] for part in self.parts} <= {*FAMILIES}:
            raise ValueError(f"{self.file}: its record does not agree with itself")
        if self.starts and max(self.starts) > self.steps - WINDOW_STEPS:
            raise ValueError(f"{self.file}: a window of its record ends behind the song")

    @property
    def notes(self) -> int:
        """How many notes the song has in the shard."""
        return self.drums + sum(count for _, _, count in self.parts)


def record_of(entry, chart: GridSong, first: int) -> Record:
    """A chart without its notes."""
    heard = [sum(1 << number for number in np.flatnonzero(row).tolist()) for row in chart.audible]
    parts = [[part.family, part.program, len(part.notes)] for part in chart.parts]
    song = chart.name, chart.steps, len(chart.drums), parts, list(chart.starts), heard, chart.left_out
    return Record(entry.file, entry.key, entry.split, entry.variant, *song, first)


def grid_song_of(record: Record, notes: np.ndarray) -> GridSong:
    """A song's chart, from its record and its shard's notes."""
    if record.first + record.notes > len(notes):
        raise ValueError(f"{record.file}: its shard is too short; build into the same folder again, and it is mended")
    ends = np.cumsum([record.first, record.drums, *(count for _, _, count in record.parts)]).tolist()
    drums, *parts = (notes[start:end] for start, end in zip(ends, ends[1:], strict=False))
    if drums["pitch"].max(initial=0) >= len(DRUMS) or notes["pitch"][ends[0] : ends[-1]].max(initial=0) > 127:
        raise ValueError(f"{record.file}: it strikes a drum or a pitch that there is not")
    parts = tuple(GridPart(*head[:2], part) for head, part in zip(record.parts, parts, strict=True))
    heard = np.array([[row >> i & 1 for i in range(len(parts))] for row in record.audible], dtype=bool)
    heard = heard.reshape(len(record.starts), len(parts))
    return GridSong(record.name, record.steps, drums, parts, tuple(record.starts), heard, record.left_out)


def write_shard(stem: Path, charts: list[tuple], left_out: list[dict]) -> dict:
    """Write a shard: first its notes, then, with their sha256, what they are. Returns what the manifest says of it.

    ``charts`` are pairs of ``sources.SourceEntry`` and ``GridSong``; ``stem`` is the path without ``.npy`` or ``.json``.
    """
    notes, records, first = [np.empty(0, GRID_NOTE)], [], 0
    for entry, chart in charts:
        records.append(record_of(entry, chart, first))
        notes += [chart.drums, *(part.notes for part in chart.parts)]
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
    return summary(stem, about, text)


def finished_shard(stem: Path) -> dict | None:
    """What the manifest says of a shard that is already there and whole; None if it must be made."""
    try:
        text = stem.with_suffix(".json").read_bytes()
        about = json.loads(text)
        if hashlib.sha256(stem.with_suffix(".npy").read_bytes()).hexdigest() == about["notes_sha256"]:
            return summary(stem, about, text)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def read_shard(stem: Path) -> tuple[list[Record], list[GridSong], list[dict]]:
    """All of a shard: the records of its songs, their charts, and what was left out."""
    about, notes = json.loads(stem.with_suffix(".json").read_bytes()), open_notes(stem.with_suffix(".npy"))
    records = [Record(**record) for record in about["songs"]]
    return records, [grid_song_of(record, notes) for record in records], about["left_out"]


def summary(stem: Path, about: dict, text: bytes) -> dict:
    """What the manifest says of a shard."""
    return {
        "name": stem.name,
        "songs": len(about["songs"]),
        "windows": sum(len(song["starts"]) for song in about["songs"]),
        "left_out": len(about["left_out"]),
        "notes_sha256": about["notes_sha256"],
        "json_sha256": hashlib.sha256(text).hexdigest(),
    }


def open_notes(path: Path) -> np.ndarray:
    """A shard's notes, where they lie on disk.

    Raises ValueError if the file is not such an array, or a damaged one, and OSError if it cannot be read.
    """
    try:
        notes = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # numpy answers damage with many kinds of exception
        raise ValueError(f"{path}: not the notes of a shard ({str(error)[:80]})") from None
    if not isinstance(notes, np.ndarray) or notes.dtype != GRID_NOTE or notes.ndim != 1:
        raise ValueError(f"{path}: not the notes of a shard (it holds something else)")
    return notes
