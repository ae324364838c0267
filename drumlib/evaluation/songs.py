"""Whole songs to be judged on, from any folder of MIDI files or from a corpus.

What is judged of a song: its bars in 4/4, from the bar of the real drummer's first stroke to that of his last. Before
and after, nobody can say what he should have played; the network learned no other meter. Bars in between in which he
rests are judged, too: resting is part of playing. All tracks of a family are laid over each other.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from drumlib.data.corpus.reader import Corpus
from drumlib.data.grid_song import HOP_BARS, ODD_METER, WINDOW_BARS, WINDOW_STEPS, GridSong
from drumlib.data.song_folder import list_songs, midi_files, read_plausible, read_table, read_windows
from drumlib.data.windows import Windows
from drumlib.music import Grid, Groove, MidiError, Song, piano_roll
from drumlib.music.grid import MAX_STEPS, STEPS_PER_BAR, groove_of, step_lengths
from drumlib.music.kit import FAMILIES

ALL = "all"
"""In place of a split: every song there is."""

SCORED = "bars in 4/4, from the bar of the real drummer's first stroke to the bar of his last"


@dataclass(frozen=True, eq=False)
class EvaluationSong:
    """One song to be judged on.

    Attributes
    ----------
    name : the song's name.
    group : songs of one group belong together (versions, parts of one work).
    rolls : ``piano``, ``guitar``, ``bass``: onsets, uint8 (T, 128) each; T is a multiple of 16.
    truth : what the real drummer played, T steps.
    judged : bool (T,): the steps that count.
    step_seconds : how long a step lasts, the median of the judged bars; None if nobody wrote it down.
    """

    name: str
    group: str
    rolls: dict[str, np.ndarray]
    truth: Groove
    scored_steps: np.ndarray
    step_seconds: float | None = None

    def __len__(self) -> int:
        return len(self.scored_steps)

    def part(self, groove: Groove) -> Groove:
        """The judged steps of a groove."""
        return Groove(
            groove.hits[self.scored_steps], groove.velocities[self.scored_steps], groove.offsets[self.scored_steps]
        )

    def band(self) -> dict[str, np.ndarray]:
        """The judged steps of the band."""
        return {family: roll[self.scored_steps] for family, roll in self.rolls.items()}


def whole_songs(
    folder: str | os.PathLike, split: str = "test", refused: dict[str, str] | None = None, progress=lambda songs: songs
) -> list[EvaluationSong]:
    """The songs of one split (or ``"all"``) of a folder of MIDI files, or of a corpus that ``drumlib corpus`` built.

    Songs that cannot be judged are named, with the reason, in ``refused``. ``progress`` may wrap what is read.

    Raises
    ------
    FileNotFoundError
        If there are no songs, or none of this split.
    ValueError
        If none of the songs has drums in 4/4.
    """
    folder, refused = Path(folder), {} if refused is None else refused
    found = from_corpus if is_corpus(folder) else from_files
    songs = found(folder, split, refused, progress)
    if not songs:
        reasons = sorted(set(refused.values()))
        more = f", and {len(reasons) - 1} more reasons" if len(reasons) > 1 else ""
        raise ValueError(f"{folder}: none of its {len(refused)} {split} songs can be judged ({reasons[0]}{more})")
    return songs


def is_corpus(folder: Path) -> bool:
    """Whether a folder holds a corpus, and not MIDI files."""
    return (folder / "manifest.json").is_file()


def from_files(folder: Path, split: str, refused: dict[str, str], progress) -> list[EvaluationSong]:
    """Read MIDI files."""
    group_of, songs = groups_in(folder), []
    for path in progress(files_of(folder, split)):
        name = path.relative_to(folder).as_posix()
        try:
            song = read_plausible(path)
            songs.append(whole(song, name, group_of.get(name, name)))
        except (MidiError, ValueError) as error:
            refused[name] = " ".join(str(error).split())
    return songs


def files_of(folder: Path, split: str) -> list[Path]:
    """The files of a split, or all."""
    if split != ALL:
        try:
            return list_songs(folder, split)
        except FileNotFoundError as error:
            if not midi_files(folder):
                raise
            raise FileNotFoundError(f"{error}; --split all judges every song") from None
    if not (files := midi_files(folder)):
        raise FileNotFoundError(f"{folder}: no songs here")
    return files


def groups_in(folder: Path) -> dict[str, str]:
    """The group of each file that ``songs.csv`` names one for."""
    if not (folder / "songs.csv").is_file():
        return {}
    return {row["file"]: row["group"] for row in read_table(folder / "songs.csv") if row.get("group")}


def whole(song: Song, name: str, group: str) -> EvaluationSong:
    """A song read from a file. Raises ValueError if it cannot be judged."""
    grid = Grid(song)
    if grid.steps > MAX_STEPS:
        raise ValueError("far too long")
    truth = groove_of(song, grid)
    odd = set(grid.odd_bars)
    fours = np.zeros(grid.steps // STEPS_PER_BAR, dtype=bool)
    fours[grid.first_steps // STEPS_PER_BAR] = [bar not in odd for bar in grid.bars]
    judged = steps_to_score(truth, fours)
    seconds = float(np.median(step_lengths(song, grid)[judged[::STEPS_PER_BAR]])) / 1000
    rolls = {family: piano_roll(song, family, grid) for family in FAMILIES}
    return EvaluationSong(name, group, rolls, truth, judged, seconds)


def from_corpus(folder: Path, split: str, refused: dict[str, str], progress) -> list[EvaluationSong]:
    """Read the charts of a corpus."""
    corpus, songs = Corpus(folder), []
    numbers = [n for n, its_split in enumerate(corpus.splits) if split in (ALL, its_split)]
    if not numbers:
        raise FileNotFoundError(f"{folder}: no songs for {split} here (a corpus of {len(corpus)})")
    for n in progress(numbers):
        try:
            songs.append(whole_chart(corpus[n], str(corpus.groups[n])))
        except ValueError as error:
            refused[corpus[n].name] = str(error)
    return songs


def whole_chart(chart: GridSong, group: str) -> EvaluationSong:
    """A song of a corpus. Raises ValueError if it cannot be judged.

    A chart does not say which bars are in 4/4, but how many windows were left out because one was not. Where none
    was, all bars that a window could reach are; elsewhere only the bars of its windows are known to be. A window starts
    every two bars: a last bar may lie behind them all. It is known to be in 4/4 only if the band sounds to its end.
    """
    bars = chart.steps // STEPS_PER_BAR
    fours = np.ones(bars, dtype=bool)
    if chart.left_out.get(ODD_METER) or chart.steps < WINDOW_STEPS:
        fours[:] = False
        for start in chart.starts:
            fours[start // STEPS_PER_BAR : (start + WINDOW_STEPS) // STEPS_PER_BAR] = True
    elif not sounds_to_the_end(chart):
        fours[WINDOW_BARS + (bars - WINDOW_BARS) // HOP_BARS * HOP_BARS :] = False
    truth = chart.groove()
    judged = steps_to_score(truth, fours)
    rolls = {family: np.zeros((chart.steps, 128), dtype=np.uint8) for family in FAMILIES}
    for part in chart.parts:
        rolls[part.family][part.notes["step"], part.notes["pitch"]] = 1
    return EvaluationSong(chart.name, group, rolls, truth, judged)


def sounds_to_the_end(chart: GridSong) -> bool:
    """Whether something strikes or sounds in the last sixteenth of the last bar: a bar of 3/4 has no such sixteenth."""
    heard = np.concatenate([chart.drums, *(part.notes for part in chart.parts)])
    return bool((heard["step"] + heard["offset"] + heard["length"] > chart.steps - 1).any())


def steps_to_score(truth: Groove, fours: np.ndarray) -> np.ndarray:
    """The steps that count, bool (T,). ``fours``, (T / 16,), says which bars are in 4/4.

    Raises ValueError if none do.
    """
    struck = np.flatnonzero(truth.hits.any(axis=-1)) // STEPS_PER_BAR
    if not len(struck):
        raise ValueError("no drums")
    span = np.zeros(len(fours), dtype=bool)
    span[struck[0] : struck[-1] + 1] = True
    if not (span & fours).any():
        raise ValueError("its drums are not in 4/4")
    judged = np.repeat(span & fours, STEPS_PER_BAR)  # (bars,) -> (T,)
    if not truth.hits[judged].any():
        raise ValueError("no drums in 4/4")
    return judged


def mismatched_bands(groups: Sequence[str]) -> list[int] | None:
    """For each song, the song whose band is played to it in its place: the next one's, the last gets the first's.

    Nobody hears his own band. Versions of one song often stand side by side, and would be no other song: if the next
    is of the same group for anyone, all go further on, as far as leaves the fewest with their own group. None if there
    is only one song.
    """
    number = len(groups)

    def kin(shift: int) -> int:
        return sum(groups[i] == groups[(i + shift) % number] for i in range(number))

    if number < 2:
        return None
    shift = min(range(1, number), key=kin)
    return [(i + shift) % number for i in range(number)]


def bands_of_other_songs(songs: Sequence[EvaluationSong]) -> list[dict[str, np.ndarray]] | None:
    """For each song, another song's band (``mismatched_bands``), repeated or cut to its own length."""
    others = mismatched_bands([song.group for song in songs])
    if others is None:
        return None
    return [
        {family: np.resize(roll, (len(song), 128)) for family, roll in songs[other].rolls.items()}
        for song, other in zip(songs, others, strict=True)
    ]


def training_windows(folder: str | os.PathLike, split: str, progress=lambda songs: songs) -> Windows | None:
    """The windows of a split, for rivals that learn; None if there are none."""
    folder = Path(folder)
    try:
        windows = (
            Corpus(folder).windows(split)
            if is_corpus(folder)
            else read_windows(list_songs(folder, split), {}, progress)
        )
    except FileNotFoundError:
        return None
    return windows if len(windows) else None
