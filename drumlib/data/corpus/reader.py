"""A corpus: the charts of many songs on disk, and which of them train, validate and test.

``build`` (in ``building.py``) makes one; here it is read. The folder holds

- ``plan.json``: what it was built of, and how;
- ``shard-00000.npy``, ``shard-00000.json``, ...: the songs (see ``shards.py``);
- ``splits.json``: for each song its group and its split, and which of its windows must not be used;
- ``manifest.json``, written last: format, counts, the sha256 of every other file.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from drumlib.data.corpus.shards import Record, grid_song_of, open_notes
from drumlib.data.grid_song import GridSong
from drumlib.data.splitting.splits import SPLITS
from drumlib.data.windows import Windows

FORMAT = 1
"""The version of what is on disk. It changes when an older reader would misread it."""

OPEN_SHARDS = 64
"""How many shards are kept open: each takes up an open file, of which a process may have some 1,000."""


class Corpus(Sequence):
    """The songs of a corpus, as a sequence of ``GridSong``. Notes stay on disk until they are looked at.

    Attributes
    ----------
    folder : where it is.
    manifest : what ``manifest.json`` says.
    records : for each song, its shard and its ``Record``.
    groups : int (songs,): songs with the same number belong together.
    splits : for each song, ``"train"``, ``"validation"`` or ``"test"``.

    Raises
    ------
    FileNotFoundError
        If there is no corpus in the folder, or it was not built to the end.
    ValueError
        If its files are not those that the manifest names, or of a later format.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = Path(folder)
        self._open = lru_cache(maxsize=OPEN_SHARDS)(open_notes)
        if not (self.folder / "manifest.json").is_file():
            raise FileNotFoundError(f"{self.folder}: no corpus here, or one that was not built to the end")
        try:
            self.manifest = json.loads((self.folder / "manifest.json").read_bytes())
            if self.manifest["format"] != FORMAT:
                raise ValueError(f"it is of format {self.manifest['format']}; this drumlib reads format {FORMAT}")
            self.records = []
            for shard in self.manifest["shards"]:
                if not re.fullmatch(r"shard-\d+", shard["name"]):
                    raise ValueError(f"a shard is called {shard['name']!r}")
                stem = self.folder / shard["name"]
                about = json.loads(self._bytes(stem.name + ".json", shard["json_sha256"]))
                self.records += [(stem.with_suffix(".npy"), Record(**record)) for record in about["songs"]]
            said = json.loads(self._bytes("splits.json", self.manifest["splits_sha256"]))
            self.groups, self.splits = np.array(said["groups"], dtype=np.int64), said["splits"]
            self._clashes = {int(song): set(windows) for song, windows in said["clashes"].items()}
            if not len(self.records) == len(self.groups) == len(self.splits):
                raise ValueError("its shards and its splits are not of the same songs")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"{self.folder}: not a corpus: {error}") from None

    def _bytes(self, name: str, sha256: str) -> bytes:
        """A file of the corpus. Raises ValueError if it is not the one that the manifest means."""
        data = (self.folder / name).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(
                f"{name} is not the file that the manifest names: build into the same folder again, and it is mended"
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
        """The windows of one split; those whose drums stand in another split as well are left out.

        Raises
        ------
        ValueError
            If there is no such split.
        """
        if split not in SPLITS:
            raise ValueError(f"no split {split!r}: there is {', '.join(SPLITS)}")
        index = [
            (number, i)
            for number, (_, record) in enumerate(self.records)
            if self.splits[number] == split
            for i in range(len(record.starts))
            if i not in self._clashes.get(number, ())
        ]
        return Windows(self, np.array(index, dtype=np.int64))

    def check(self, progress=lambda shards: shards) -> None:
        """Read every shard's notes and compare them with the manifest. Raises ValueError on the first that differs."""
        for shard in progress(self.manifest["shards"]):
            self._bytes(shard["name"] + ".npy", shard["notes_sha256"])

    def __repr__(self) -> str:
        return (
            f"Corpus({self.folder}, {len(self)} songs, {sum(len(record.starts) for _, record in self.records)} windows)"
        )
