"""The windows of many songs, numbered through, and the batches that a network learns from."""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from drumlib.data.grid_song import Chart, chart
from drumlib.data.splitting.fingerprints import song_prints, window_prints
from drumlib.data.splitting.related_songs import groups
from drumlib.data.corpus.selection import read_credible
from drumlib.data.splitting.splits import SPLITS, split_groups
from drumlib.music import MidiError
from drumlib.music.kit import FAMILIES


class Windows:
    """All windows of many songs, numbered through, with the songs kept apart.

    Attributes
    ----------
    charts : the songs. They may be any sequence: a corpus on disk makes them as they are asked for.
    index : int (windows, 2): for each window the number of its song, and its number within that song. With a third
        column, the number of the combination of tracks that is heard.
    """

    def __init__(self, charts: Sequence[Chart], index: np.ndarray | None = None):
        self.charts = charts
        if index is None:
            index = np.array([(s, i) for s, song in enumerate(charts) for i in range(len(song.starts))], dtype=np.int64)
        self.index = np.asarray(index)
        self.index = self.index.reshape(-1, self.index.shape[1] if self.index.ndim == 2 else 2)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def songs(self) -> int:
        """How many songs have a window here."""
        return len(np.unique(self.index[:, 0]))

    def combined(self, most: int = 16) -> "Windows":
        """The same windows with every piano x guitar x bass combination as one of its own, as in the thesis (3.3).

        Of a window's combinations, ``most`` at most are taken: some files have a dozen tracks of one family.
        """
        counts = {s: np.minimum(most, self.charts[s].combinations()).tolist() for s in set(self.index[:, 0].tolist())}
        index = [(s, i, number) for s, i in self.index.tolist() for number in range(counts[s][i])]
        return Windows(self.charts, np.array(index, dtype=np.int64).reshape(-1, 3))

    def window(self, number: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, ...]:
        """Window ``number``, as ``Chart.window`` gives it."""
        s, i, *combination = self.index[number].tolist()
        song = self.charts[s]
        if combination:
            return *song.band(i, song.combination(i, *combination)), song.groove(i).to_array()
        return song.window(i, rng)

    def batch(
        self, numbers, rng: np.random.Generator | None = None, transpose: int = 0, mute: float = 0.0
    ) -> dict[str, np.ndarray]:
        """The windows with these numbers, as arrays of shape (batch, 128, 128), and (batch, 128, 27) for the drums.

        With ``rng``, tracks are drawn as in ``Chart.window``; the band of each window is transposed by up to
        ``transpose`` semitones up or down, for a song's drums do not depend on its key; and each instrument of each
        window is silenced with the probability ``mute``, though never all three.
        """
        windows = [self.window(number, rng) for number in numbers]
        *band, drums = (np.stack(parts) for parts in zip(*windows, strict=True))
        if rng is not None:
            muted = rng.random((len(windows), len(band))) < mute  # (batch, 3)
            muted[muted.all(axis=1)] = False
            shifts = rng.integers(-transpose, transpose + 1, len(windows))
            for number, part in enumerate(band):
                part[muted[:, number]] = 0
                for row, shift in enumerate(shifts):
                    part[row] = _shifted(part[row], shift)
        return dict(zip([*FAMILIES, "drums"], [*band, drums], strict=True))


class Joined(Sequence):
    """The songs of several collections, one collection after the other. A corpus on disk stays there."""

    def __init__(self, collections: Sequence[Sequence[Chart]]):
        self.collections = collections
        self.ends = np.cumsum([len(songs) for songs in collections])

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def __getitem__(self, number: int) -> Chart:
        which = int(np.searchsorted(self.ends, number, side="right"))
        return self.collections[which][number - (int(self.ends[which - 1]) if which else 0)]


def join(parts: Sequence[Windows]) -> Windows:
    """The windows of several collections as one: first all of the first, then all of the second, and so on.

    Raises ValueError if some of them say which combination of tracks is heard, and others do not.
    """
    if len(parts) == 1:
        return parts[0]
    charts, index, before = Joined([part.charts for part in parts]), [], 0
    for part in parts:
        index.append(part.index.copy())
        index[-1][:, 0] += before
        before += len(part.charts)
    return Windows(charts, np.concatenate(index))


def kept_apart(training: Windows, held: Windows, progress=lambda songs: songs) -> Windows:
    """The windows to train on, without those whose song is held back, to validate or to test on.

    Collections that were parted each by itself and then joined can have one song on both sides. Here all are compared
    by what they play, as the songs of one corpus are: a song that belongs together with one held back (``groups``) does
    not train, nor does any window that has the very drums of a window held back (``window_prints``).

    So copies are found, under whatever name and in whatever key, and songs with another's drums or band. What is known
    of songs only from outside is not looked at, since each collection has its own names for it: two songs of one artist
    may stand on both sides if they share no notes. A song with fewer than eight phrases that tell it from others is
    found by its drums alone, window by window.

    ``progress`` may wrap the songs of either side in a progress bar.
    """
    ours, drums = _prints_of(training, progress)
    theirs, their_drums = _prints_of(held, progress)
    together = groups([None] * (len(ours) + len(theirs)), [*ours.values(), *theirs.values()])
    belongs = np.isin(together[: len(ours)], together[len(ours) :])  # (songs to train on,)
    related = [song for song, is_related in zip(ours, belongs, strict=True) if is_related]
    lost = np.isin(training.index[:, 0], related) | np.isin(drums, their_drums)  # (windows to train on,)
    return Windows(training.charts, training.index[~lost])


def _prints_of(windows: Windows, progress) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """The ``song_prints`` of each song that has a window here, and of each window the print of its drums."""
    songs, drums = {}, {}
    for number in progress(np.unique(windows.index[:, 0]).tolist()):
        song = windows.charts[number]
        songs[number], drums[number] = song_prints(song), window_prints(song)
    return songs, np.array([drums[song][i] for song, i, *_ in windows.index.tolist()], dtype=np.uint64)


def _shifted(roll: np.ndarray, semitones: int) -> np.ndarray:
    """A roll (steps, 128) some semitones higher or lower. What would leave the keyboard is not played."""
    moved = np.roll(roll, semitones, axis=1)
    if semitones > 0:
        moved[:, :semitones] = 0
    elif semitones < 0:
        moved[:, semitones:] = 0
    return moved


def list_songs(folder: str | os.PathLike, split: str) -> list[Path]:
    """The songs of one split: ``"train"``, ``"validation"`` or ``"test"``.

    A file ``songs.csv`` in the folder decides, by its columns ``file``, ``split`` and, if there is one, ``good``
    (only songs with a 1 are taken). Without it, all MIDI files are taken, and about eight of ten windows are for
    training, one for validation, one for testing; songs that belong together by what they play stay together.

    Raises
    ------
    FileNotFoundError
        If there are no songs in the folder, or none for this split.
    ValueError
        If there is no such split, or ``songs.csv`` is no such table, or names a split that there is not.
    """
    folder = Path(folder)
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}: there is {', '.join(SPLITS)}")
    if (folder / "songs.csv").is_file():
        rows = read_table(folder / "songs.csv")
        songs = [folder / row["file"] for row in rows if row["split"] == split and is_good(row)]
        found = f"songs.csv names {len(rows)}"
    else:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
        songs = [path for path, its_split in zip(files, splits_of(files), strict=True) if its_split == split]
        found = f"{len(files)} MIDI files, by what they play" if files else "no songs.csv, and no MIDI files"
    if not songs:
        raise FileNotFoundError(f"{folder}: no songs for {split} here ({found})")
    return songs


def splits_of(files: list[Path]) -> list[str]:
    """The split of each file, by what the songs play; those that cannot be read are put with the training songs."""
    charts = {}
    for number, path in enumerate(files):
        try:
            charts[number] = chart(read_credible(path))
        except MidiError:  # whoever reads the songs of the split will hear of it
            pass
    prints = [song_prints(song) for song in charts.values()]
    together = groups([None] * len(prints), prints)
    splits = split_groups(together, [len(song.starts) for song in charts.values()], prints=prints)
    decided = dict(zip(charts, splits, strict=True))
    return [decided.get(number, "train") for number in range(len(files))]


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a ``songs.csv``.

    Raises ValueError if it is no table with the columns ``file`` and ``split``, or if a row that is taken (see
    ``is_good``) has a split that there is not: passed over, its song would be missing, and nobody would know.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: not a table of songs ({error})") from None
    missing = {"file", "split"} - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"{path}: it has no column {' and no column '.join(sorted(missing))}")
    for row in rows:
        file = PurePosixPath(row["file"])
        if file.is_absolute() or ".." in file.parts:
            raise ValueError(f"{path}: {row['file']!r} leads out of the folder")
    check_splits(path, [row for row in rows if is_good(row)])
    return rows


def is_good(row: dict[str, str]) -> bool:
    """Whether a row's song is taken: it is marked as ``good``, or the table has no such marks."""
    return row.get("good", "1") == "1"


def check_splits(path: Path, rows: list[dict[str, str]]) -> None:
    """Raise ValueError if one of these rows of a ``songs.csv`` names a split that there is not."""
    for row in rows:
        if row["split"] not in SPLITS:
            strange = f"{row['file']!r}: no split is called {row['split']!r}"
            raise ValueError(f"{path}: {strange}; there is {', '.join(SPLITS)}")


def read_windows(songs: Iterable[Path], refused: dict[str, str] | None = None, progress=lambda songs: songs) -> Windows:
    """Read songs and cut them into windows.

    Files that are no songs are left out, and named with the reason in ``refused``. ``progress`` may wrap the songs
    in a progress bar.
    """
    charts = []
    for path in progress(list(songs)):
        try:
            charts.append(chart(read_credible(path)))
        except MidiError as error:
            if refused is not None:
                refused[str(path)] = str(error)
    return Windows(charts)
