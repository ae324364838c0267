"""Whole songs to score predictions on, from a folder of MIDI files or from a corpus.

Scored are a song's bars in 4/4, from the bar of the real drummer's first hit to the bar of the last one. Before and
after, it is not known what the drummer should have played; networks learn no other meter. Bars of rest in between are
scored, too: resting is part of playing. All tracks of a family are merged into one roll.
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
"""In place of a split: all songs."""

SCORED = "bars in 4/4, from the bar of the real drummer's first hit to the bar of the last"


@dataclass(frozen=True, eq=False)
class EvaluationSong:
    """One song: the band, the real drummer's groove, and the steps that are scored.

    Attributes
    ----------
    name : the song's name.
    group : songs of one group belong together (versions, parts of one work).
    rolls : ``piano``, ``guitar``, ``bass``: onsets, uint8 (T, 128) each; T is a multiple of 16.
    truth : what the real drummer played, T steps.
    scored_steps : bool (T,).
    step_seconds : the length of a step, the median of the scored bars; None where it is not known.
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
        """The scored steps of a groove."""
        return Groove(
            groove.hits[self.scored_steps], groove.velocities[self.scored_steps], groove.offsets[self.scored_steps]
        )

    def band(self) -> dict[str, np.ndarray]:
        """The scored steps of the band."""
        return {family: roll[self.scored_steps] for family, roll in self.rolls.items()}


def evaluation_songs(
    folder: str | os.PathLike, split: str = "test", refused: dict[str, str] | None = None, progress=lambda songs: songs
) -> list[EvaluationSong]:
    """The songs of one split (or ``"all"``) of a folder of MIDI files, or of a corpus that ``drumlib corpus`` built.

    ``refused`` gets the name of each song that cannot be scored, and the reason. ``progress`` may wrap what is read.

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
        raise ValueError(f"{folder}: none of its {len(refused)} {split} songs can be scored ({reasons[0]}{more})")
    return songs


def is_corpus(folder: Path) -> bool:
    """Whether a folder holds a corpus, rather than MIDI files."""
    return (folder / "manifest.json").is_file()


def from_files(folder: Path, split: str, refused: dict[str, str], progress) -> list[EvaluationSong]:
    """Read MIDI files."""
    group_of, songs = groups_in(folder), []
    for path in progress(files_of(folder, split)):
        name = path.relative_to(folder).as_posix()
        try:
            song = read_plausible(path)
            songs.append(evaluation_song(song, name, group_of.get(name, name)))
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
            raise FileNotFoundError(f"{error}; --split all scores every song") from None
    if not (files := midi_files(folder)):
        raise FileNotFoundError(f"{folder}: no songs here")
    return files


def groups_in(folder: Path) -> dict[str, str]:
    """The group of each file that ``songs.csv`` names one for."""
    if not (folder / "songs.csv").is_file():
        return {}
    return {row["file"]: row["group"] for row in read_table(folder / "songs.csv") if row.get("group")}


def evaluation_song(song: Song, name: str, group: str) -> EvaluationSong:
    """A song to score on, from one that was read. Raises ValueError if it cannot be scored."""
    grid = Grid(song)
    if grid.steps > MAX_STEPS:
        raise ValueError("far too long")
    truth = groove_of(song, grid)
    odd = set(grid.odd_bars)
    in_four = np.zeros(grid.steps // STEPS_PER_BAR, dtype=bool)
    in_four[grid.first_steps // STEPS_PER_BAR] = [bar not in odd for bar in grid.bars]
    scored = steps_to_score(truth, in_four)
    seconds = float(np.median(step_lengths(song, grid)[scored[::STEPS_PER_BAR]])) / 1000
    rolls = {family: piano_roll(song, family, grid) for family in FAMILIES}
    return EvaluationSong(name, group, rolls, truth, scored, seconds)


def from_corpus(folder: Path, split: str, refused: dict[str, str], progress) -> list[EvaluationSong]:
    """Read the songs of a corpus."""
    corpus, songs = Corpus(folder), []
    numbers = [n for n, its_split in enumerate(corpus.splits) if split in (ALL, its_split)]
    if not numbers:
        raise FileNotFoundError(f"{folder}: no songs for {split} here (a corpus of {len(corpus)})")
    for n in progress(numbers):
        try:
            songs.append(evaluation_song_on_grid(corpus[n], str(corpus.groups[n])))
        except ValueError as error:
            refused[corpus[n].name] = str(error)
    return songs


def evaluation_song_on_grid(song: GridSong, group: str) -> EvaluationSong:
    """A song to score on, from a corpus. Raises ValueError if it cannot be scored.

    A ``GridSong`` does not say which bars are in 4/4, but how many windows were left out because a bar was not. Where
    none was, all bars that a window could reach are in 4/4; elsewhere only the bars of its windows are known to be. A
    window starts every two bars, so that a last bar may lie behind all of them. It counts only if the band sounds to
    its end.
    """
    bars = song.steps // STEPS_PER_BAR
    in_four = np.ones(bars, dtype=bool)
    if song.left_out.get(ODD_METER) or song.steps < WINDOW_STEPS:
        in_four[:] = False
        for start in song.starts:
            in_four[start // STEPS_PER_BAR : (start + WINDOW_STEPS) // STEPS_PER_BAR] = True
    elif not sounds_to_the_end(song):
        in_four[WINDOW_BARS + (bars - WINDOW_BARS) // HOP_BARS * HOP_BARS :] = False
    truth = song.groove()
    scored = steps_to_score(truth, in_four)
    rolls = {family: np.zeros((song.steps, 128), dtype=np.uint8) for family in FAMILIES}
    for part in song.parts:
        rolls[part.family][part.notes["step"], part.notes["pitch"]] = 1
    return EvaluationSong(song.name, group, rolls, truth, scored)


def sounds_to_the_end(song: GridSong) -> bool:
    """Whether a note begins or lasts in the last sixteenth of the last bar: a bar of 3/4 has no such sixteenth."""
    notes = np.concatenate([song.drums, *(part.notes for part in song.parts)])
    return bool((notes["step"] + notes["offset"] + notes["length"] > song.steps - 1).any())


def steps_to_score(truth: Groove, in_four: np.ndarray) -> np.ndarray:
    """The steps that are scored, bool (T,). ``in_four``, bool (T / 16,): which bars are in 4/4.

    Raises ValueError if there are none.
    """
    bars = np.flatnonzero(truth.hits.any(axis=-1)) // STEPS_PER_BAR
    if not len(bars):
        raise ValueError("no drums")
    span = np.zeros(len(in_four), dtype=bool)
    span[bars[0] : bars[-1] + 1] = True
    if not (span & in_four).any():
        raise ValueError("its drums are not in 4/4")
    scored = np.repeat(span & in_four, STEPS_PER_BAR)  # (bars,) -> (T,)
    if not truth.hits[scored].any():
        raise ValueError("no drums in 4/4")
    return scored


def mismatched_bands(groups: Sequence[str]) -> list[int] | None:
    """Mismatched-band control: for each song another, by the cyclic shift with the fewest same-group pairs.

    Of equally good shifts the smallest is taken. None if there is only one song.
    """
    number = len(groups)

    def same_group_count(shift: int) -> int:
        return sum(groups[i] == groups[(i + shift) % number] for i in range(number))

    if number < 2:
        return None
    shift = min(range(1, number), key=same_group_count)
    return [(i + shift) % number for i in range(number)]


def bands_of_other_songs(songs: Sequence[EvaluationSong]) -> list[dict[str, np.ndarray]] | None:
    """For each song, another song's band (``mismatched_bands``), repeated or truncated to its own length."""
    others = mismatched_bands([song.group for song in songs])
    if others is None:
        return None
    return [
        {family: np.resize(roll, (len(song), 128)) for family, roll in songs[other].rolls.items()}
        for song, other in zip(songs, others, strict=True)
    ]


def training_windows(folder: str | os.PathLike, split: str, progress=lambda songs: songs) -> Windows | None:
    """The windows of a split, for baselines that learn; None if there are none."""
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
