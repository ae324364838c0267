"""Reading a corpus: many songs in grid form on disk, and the split of each.

``builder.build`` makes one. The folder holds

- ``plan.json``: the songs and settings it is built from;
- ``shard-00000.npy``, ``shard-00000.json``, ...: the songs (see ``shards.py``);
- ``splits.json``: for each song its group and its split, and its windows that must not be used (``duplicates``);
- ``manifest.json``, written last: format, counts, the sha256 of every other file.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from drumlib.data.corpus.shards import Record, grid_song_of, open_notes, with_new_keys
from drumlib.data.grid_song import GridSong
from drumlib.data.splitting.splits import SPLITS
from drumlib.data.windows import Windows

FORMAT = 2
"""The version of the files. Format 1 differs in the names of keys (``shards.NEW_KEYS``), and is read as well."""

OPEN_SHARDS = 64
"""How many shards are kept open: each needs a file descriptor, of which a process has some 1,000."""


class Corpus:
    """The songs of a corpus, as a sequence of ``GridSong``. Notes stay on disk until they are used.

    Attributes
    ----------
    folder : its folder.
    manifest : the content of ``manifest.json``.
    records : for each song, the path of its notes and its ``Record``.
    groups : int (songs,): songs with the same number belong together.
    splits : for each song, ``"train"``, ``"validation"`` or ``"test"``.

    Raises
    ------
    FileNotFoundError
        If there is no corpus in the folder, or its build was not finished.
    ValueError
        If its files are not those that the manifest names, or of another format.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        self._open = lru_cache(maxsize=OPEN_SHARDS)(open_notes)
        if not (self.folder / "manifest.json").is_file():
            raise FileNotFoundError(f"{self.folder}: no corpus here, or one that was not built to the end")
        try:
            self.manifest = json.loads((self.folder / "manifest.json").read_bytes())
            if self.manifest["format"] not in (1, FORMAT):
                raise ValueError(f"it is of format {self.manifest['format']}; this drumlib reads format {FORMAT}")
            self.records: list[tuple[Path, Record]] = []
            for shard in self.manifest["shards"]:
                if not re.fullmatch(r"shard-\d+", shard["name"]):
                    raise ValueError(f"a shard is called {shard['name']!r}")
                stem = self.folder / shard["name"]
                about = json.loads(self._bytes(stem.name + ".json", shard["json_sha256"]))
                self.records += [(stem.with_suffix(".npy"), Record(**with_new_keys(song))) for song in about["songs"]]
            content = with_new_keys(json.loads(self._bytes("splits.json", self.manifest["splits_sha256"])))
            self.groups, self.splits = np.array(content["groups"], dtype=np.int64), content["splits"]
            self._duplicates = {int(song): set(windows) for song, windows in content["duplicates"].items()}
            if not len(self.records) == len(self.groups) == len(self.splits):
                raise ValueError("its shards and its splits are not of the same songs")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{self.folder}: not a corpus: {error}") from None

    def _bytes(self, name: str, sha256: str) -> bytes:
        """The content of a file of the corpus. Raises ValueError if its sum is not the manifest's."""
        data = (self.folder / name).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(
                f"{name} is not the file that the manifest names: build into the same folder again to repair it"
            )
        return data

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, number: int) -> GridSong:
        path, record = self.records[number]
        return grid_song_of(record, self._open(path))

    def __iter__(self) -> Iterator[GridSong]:
        return (self[number] for number in range(len(self)))

    def windows(self, split: str) -> Windows:
        """The windows of one split, without those whose drums occur in another split. Raises ValueError."""
        if split not in SPLITS:
            raise ValueError(f"no split {split!r}: there is {', '.join(SPLITS)}")
        index = [
            (number, i)
            for number, (_, record) in enumerate(self.records)
            if self.splits[number] == split
            for i in range(len(record.starts))
            if i not in self._duplicates.get(number, ())
        ]
        return Windows(self, np.array(index, dtype=np.int64))

    def check(self, progress: Callable[[list[dict]], Iterable[dict]] = lambda shards: shards) -> None:
        """Compare every shard's notes with the sums of the manifest. Raises ValueError on the first that differs."""
        for shard in progress(self.manifest["shards"]):
            self._bytes(shard["name"] + ".npy", shard["notes_sha256"])

    def __repr__(self) -> str:
        return (
            f"Corpus({self.folder}, {len(self)} songs, {sum(len(record.starts) for _, record in self.records)} windows)"
        )
