"""The Groove MIDI Dataset: ten drummers on an electronic kit, 1,150 performances (Gillick et al. 2019, CC BY 4.0).

The drummers played to a click, so the timing of each hit relative to the grid is known. (MIDI files of whole songs
mostly have programmed drums, without human timing.) The archive is

    https://storage.googleapis.com/magentadata/datasets/groove/groove-v1.0.0-midionly.zip  (3,260,318 bytes)
    sha256 651cbc524ffb891be1a3e46d89dc82a1cecb09a57c748c7b45b844c4841dcc1e

and is read packed or unpacked. Its table info.csv assigns each performance to a split.

The paper's evaluation of humanization, as reproduced here: the test split's beats (no fills) in 4/4; windows of two
bars, one starting every bar; the last bar is used only if it is played to its last sixteenth; each window counts all of
its notes, so most notes are counted twice. The quantized baseline (all offsets 0) then has a mean absolute error of
22.7 ms and a mean squared error of 0.0417 sixteenths squared (the paper: 22.6 and 0.041). What the paper leaves open
matters little: with fills, with an incomplete last bar, or with each note counted once, the error is 22.6 to 22.7 ms.

Offsets are those of ``music.grid``: onset minus grid line, in steps, in [-0.5, 0.5), positive is late.
"""

import csv
import errno
import io
import math
import os
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from drumlib.music import STEPS_PER_BAR, STEPS_PER_BEAT, Grid, Groove, MidiError, Song, groove_of, read_song
from drumlib.music.kit import DRUM_OF_ROLAND_PITCH, DRUMS
from drumlib.music.midi import MAX_BYTES, song_from_bytes

COLUMNS = ("drummer", "session", "style", "bpm", "beat_type", "time_signature", "midi_filename", "split")
"""The columns of info.csv that are used."""

BPM = (20, 400)
"""Tempos outside this range are refused as mistakes: the data set's are 50 to 290."""

MAX_TABLE_BYTES = 10_000_000
"""A larger info.csv is refused: the data set's has 270 kB."""

WINDOW_BARS = 2
HOP_BARS = 1


@dataclass(frozen=True)
class Performance:
    """One performance, as info.csv describes it.

    Attributes
    ----------
    path : the MIDI file; in an archive, the archive's path followed by the file's.
    drummer : ``"drummer1"`` to ``"drummer10"``.
    session : ``"drummer1/session2"``. Performances of one session are similar.
    style : such as ``"rock"`` or ``"funk/purdieshuffle"``; the word before the slash is the ``genre``.
    bpm : the tempo of the click, in beats a minute.
    beat_type : ``"beat"`` or ``"fill"``.
    time_signature : ``"4-4"``, ``"6-8"``, ...
    split : ``"train"``, ``"validation"`` or ``"test"``.
    archive : the archive that contains the file; None if it is in a folder.
    """

    path: Path
    drummer: str
    session: str
    style: str
    bpm: float
    beat_type: str
    time_signature: str
    split: str
    archive: Path | None = None

    @property
    def genre(self) -> str:
        """The style's first word: ``"funk"`` for ``"funk/purdieshuffle"``."""
        return self.style.partition("/")[0]

    def song(self) -> Song:
        """The performance: one drum track with the Roland kit's pitches, and no band.

        Raises MidiError if the file is unusable, OSError if the archive cannot be read.
        """
        if self.archive is None:
            return read_song(self.path)
        try:
            data = _from_archive(self.archive, self.path.relative_to(self.archive).as_posix(), MAX_BYTES)
            return song_from_bytes(data, self.path.stem)
        except MidiError as error:
            raise MidiError(f"{self.path}: {error}") from None

    def groove(self) -> Groove:
        """The performance on the grid. Raises as ``song`` does."""
        return groove_of(self.song(), drum_of_pitch=DRUM_OF_ROLAND_PITCH)


def performances(
    folder: str | os.PathLike,
    split: str | None = None,
    beat_type: str | None = None,
    time_signature: str | None = None,
) -> list[Performance]:
    """The performances of the data set in the order of info.csv, all or a selection.

    Parameters
    ----------
    folder
        The folder that contains info.csv, or its parent, or the archive.
    split, beat_type, time_signature
        The values to select, as in ``Performance``; None selects all.

    Raises
    ------
    FileNotFoundError
        If there is no info.csv.
    ValueError
        If info.csv is not such a table, or has an impossible entry: a tempo out of range, a file outside the folder, a
        file twice. The MIDI files themselves are not read here.
    """
    folder = Path(folder)
    zipped = folder.is_file()
    base, text = _table_in_archive(folder) if zipped else _table_in_folder(folder)
    where = base / "info.csv"
    if len(text) > MAX_TABLE_BYTES:
        raise ValueError(f"{where}: it is larger than {MAX_TABLE_BYTES:,} bytes")
    try:
        reader = csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline=""), restval="")
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{where}: not a table of performances ({error})") from None
    if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        raise ValueError(f"{where}: it has no column {' and no column '.join(missing)}")
    found, lines = [], {}
    for line, row in enumerate(rows, start=2):
        try:
            one = _performance(row, base, folder if zipped else None)
            if one.path in lines:
                raise ValueError(f"{row['midi_filename']} was in line {lines[one.path]} already")
        except ValueError as error:
            raise ValueError(f"{where}, line {line}: {error}") from None
        lines[one.path] = line
        found.append(one)
    wanted = {"split": split, "beat_type": beat_type, "time_signature": time_signature}
    return [one for one in found if all(value in (None, getattr(one, name)) for name, value in wanted.items())]


def _performance(row: dict[str, str], base: Path, archive: Path | None) -> Performance:
    """The performance in one row of info.csv. Raises ValueError."""
    try:
        bpm = float(row["bpm"])
    except ValueError:
        bpm = math.nan
    if not BPM[0] <= bpm <= BPM[1]:
        raise ValueError(f"a tempo of {row['bpm'][:20]!r} beats a minute, not {BPM[0]} to {BPM[1]}")
    if not re.fullmatch(r"[1-9]\d?-[1-9]\d?", row["time_signature"]):
        raise ValueError(f"a time signature of {row['time_signature'][:20]!r}; write it as in 4-4")
    name = row["midi_filename"]
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or re.search(r'[\x00-\x1f\\:*?"<>|]', name):
        raise ValueError(f"{name[:80]!r} is not the name of a file in this folder")
    path = base / name
    if archive is None and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(base)):  # it may be a link
        raise ValueError(f"{name[:80]!r} leads out of this folder")
    same = {key: row[key] for key in ("drummer", "session", "style", "beat_type", "time_signature", "split")}
    return Performance(path=path, bpm=bpm, archive=archive, **same)


def _table_in_folder(folder: Path) -> tuple[Path, bytes]:
    """The folder that contains info.csv (this one or a subfolder), and the bytes of that file."""
    tables = [folder / "info.csv", *sorted(folder.glob("*/info.csv"))]
    table = next((table for table in tables if table.is_file()), None)
    if table is None:
        raise FileNotFoundError(f"{folder}: no info.csv here; unpack the Groove MIDI Dataset, or name its archive")
    with open(table, "rb") as file:
        return table.parent, file.read(MAX_TABLE_BYTES + 1)


def _table_in_archive(archive: Path) -> tuple[Path, bytes]:
    """The path within an archive that contains info.csv, and the bytes of that file."""
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if re.fullmatch(r"([^/\\]+/)?info\.csv", name)]
    except OSError:
        raise
    except Exception as error:  # zipfile raises many kinds of exception on damage
        raise ValueError(f"{archive}: neither a folder nor a zip archive ({str(error)[:80]})") from None
    if not names:
        raise FileNotFoundError(f"{archive}: no info.csv in this archive; is it the Groove MIDI Dataset's?")
    table = min(names, key=len)
    try:
        return (archive / table).parent, _from_archive(archive, table, MAX_TABLE_BYTES)
    except MidiError as error:
        raise ValueError(f"{archive / table}: {error}") from None


def _from_archive(archive: Path, name: str, limit: int) -> bytes:
    """The bytes of a file in an archive, at most ``limit`` + 1, against decompression bombs.

    Raises OSError if the archive cannot be read, MidiError if the file in it cannot.
    """
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(name) as file:
            return file.read(limit + 1)
    except KeyError:
        raise MidiError("it is not in the archive") from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # EINVAL: a seek to before the file's beginning
            raise
        raise MidiError(f"the archive is damaged, or locked ({str(error)[:80]})") from None


@dataclass(frozen=True, eq=False)
class TwoBarWindows:
    """Windows of two bars, from many performances.

    Attributes
    ----------
    grooves : float32 (windows, 32, 27): hits, velocities, offsets, as in ``Groove.to_array``.
    step_ms : float (windows,): the length of a sixteenth, in milliseconds.
    performance : int (windows,): the number of the performance of each window.
    """

    grooves: np.ndarray
    step_ms: np.ndarray
    performance: np.ndarray

    def __len__(self) -> int:
        return len(self.grooves)


def two_bar_windows(played: Iterable[Performance]) -> TwoBarWindows:
    """Cut performances into windows of two bars, one starting every bar, as in the module's docstring.

    ``played`` may be wrapped in a progress bar. A performance shorter than two bars gives no window.

    Raises
    ------
    MidiError
        If a file is absent or unusable.
    OSError
        If the archive cannot be read.
    ValueError
        If a performance is not in 4/4 throughout: use ``performances(..., time_signature="4-4")``.
    """
    length, hop = WINDOW_BARS * STEPS_PER_BAR, HOP_BARS * STEPS_PER_BAR
    windows, step_ms, numbers = [np.zeros((0, length, 3 * len(DRUMS)), dtype=np.float32)], [], []
    for number, one in enumerate(played):
        song = one.song()
        grid = Grid(song)
        if grid.odd_bars or one.time_signature != "4-4":
            raise ValueError(f"{one.path}: it is not in 4/4 throughout")
        groove = groove_of(song, grid, DRUM_OF_ROLAND_PITCH).to_array()
        played_steps = np.flatnonzero(groove[:, : len(DRUMS)].any(axis=1)).max(initial=-1) + 1
        starts = range(0, played_steps // STEPS_PER_BAR * STEPS_PER_BAR - length + 1, hop)
        windows += [groove[None, start : start + length] for start in starts]
        step_ms += [song.tempos[0].microseconds / 1000 / STEPS_PER_BEAT] * len(starts)
        numbers += [number] * len(starts)
    return TwoBarWindows(np.concatenate(windows), np.array(step_ms, dtype=float), np.array(numbers, dtype=np.int64))
