"""The drummer: a song goes in, the song with drums comes out (thesis, 4.4).

song -> the bands to listen to -> the network's probabilities -> grooves -> the best of them -> notes -> song
"""

import itertools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drumlib.data.grid_song import WINDOW_BARS
from drumlib.inference.sampling import conditional_velocities, groove_from_outputs, needs_calibration, sampler_for
from drumlib.music import (
    DRUM_CHANNEL,
    STEPS_PER_BAR,
    Grid,
    Groove,
    Note,
    Song,
    Track,
    notes_from_groove,
    roll_from_notes,
    with_tracks,
    without_drums,
)
from drumlib.music.grid import MAX_STEPS
from drumlib.music.kit import DRUMS, FAMILIES
from drumlib.music.rock_beat import rock_beat_similarity

THRESHOLDS = (0.60, 0.62, 0.64)
"""What the thesis tried: a note is played where its probability exceeds the threshold. Each preset has its own."""


MAX_COMBINATIONS = 16
"""How many ways to choose one piano, one guitar and one bass are listened to at most."""

MOST_STEPS = 64 * WINDOW_BARS * STEPS_PER_BAR
"""How many steps, of all windows together, the network plays at a time."""


class SongError(ValueError):
    """A song that cannot be drummed to."""


class DrummerWarning(UserWarning):
    """Something about the song that the drummer had to do without, or around."""


@dataclass(frozen=True)
class Candidate:
    """One rhythm among those that the drummer tried.

    Attributes
    ----------
    groove : what is played, on the song's grid.
    band : the tracks that were listened to, one a family at most.
    threshold : the threshold that made notes of probabilities; None if notes were drawn.
    rock_beat_similarity : the share of cells, in [0, 1], that agree with the one-bar rock beat.
    """

    groove: Groove
    band: tuple[Track, ...]
    threshold: float | None
    rock_beat_similarity: float


def accompany(
    song: Song,
    preset: str = "band-conv",
    seed: int = 0,
    threshold: float | None = None,
    temperature: float | None = None,
    section_bars: int | None = None,
    window_bars: int | None = 8,
    sample: bool = False,
    max_combinations: int = MAX_COMBINATIONS,
    keep_drums: bool = False,
    quantized_copy: bool = False,
) -> Song:
    """Return the song with a drummer on it. Its other tracks come back untouched, event for event.

    Parameters
    ----------
    song
        Any song with notes. Where piano, guitar or bass is missing, the drummer hears silence in its place.
    preset
        Which network plays.
    seed
        The same seed gives the same drums. It matters only where something is drawn: ``temperature``, ``sample``.
    threshold
        Play a note where its probability exceeds this, in (0, 1). If neither this nor ``temperature`` is given, the
        preset's own are tried; the thesis's are 0.60, 0.62 and 0.64.
    temperature
        Draw notes instead: from the network's calibrated probabilities at 1, more wildly above, more tamely below.
    section_bars
        How many bars the lower decoder plays before the conductor speaks again; as in training if not given (2, for
        the thesis). A preset without a conductor does not mind.
    window_bars
        How many bars the network listens to at once; it was trained with 8, and needs no fewer. None: the whole song
        at once, as the thesis does, in one z. ``band-conv`` does not mind: it always listens to 8, and when it draws its
        notes, it remembers what it played in all of them.
    sample
        Draw z from the posterior instead of taking its mean.
    max_combinations
        Where a family has several tracks, each combination of one piano, one guitar and one bass is tried, up to so
        many; the best take is kept.
    keep_drums
        Keep the song's own drums beside the new ones. They are taken out otherwise.
    quantized_copy
        Add a second drum track with the same hits, all on the grid and equally loud, to compare.

    Raises
    ------
    SongError
        If the song has no notes, or more bars than any song has.
    ValueError
        If an option makes no sense. (A SongError is a ValueError too.)

    Warns
    -----
    DrummerWarning
        If a family is missing, if bars are not in 4/4, or if there were too many combinations to try.
    """
    grid = Grid(song)
    take = candidates(
        song, grid, preset, seed, threshold, temperature, section_bars, window_bars, sample, max_combinations
    )[0]
    parts = [drum_track("Drums", take.groove, grid)]
    if quantized_copy:
        parts.append(drum_track("Drums, quantized", quantized(take.groove), grid))
    return with_tracks(song if keep_drums else without_drums(song), parts)


def candidates(
    song: Song,
    grid: Grid | None = None,
    preset: str = "band-conv",
    seed: int = 0,
    threshold: float | None = None,
    temperature: float | None = None,
    section_bars: int | None = None,
    window_bars: int | None = 8,
    sample: bool = False,
    max_combinations: int = MAX_COMBINATIONS,
) -> list[Candidate]:
    """Every rhythm that the drummer tries for this song, the best first. Arguments as for ``accompany``."""
    if threshold is not None and temperature is not None:
        raise ValueError("choose a threshold or a temperature: notes are either cut off or drawn")
    if threshold is not None and not 0 < threshold < 1:
        raise ValueError(f"the threshold is a probability, between 0 and 1, not {threshold}")
    if temperature is not None and not temperature > 0:
        raise ValueError(f"the temperature must be greater than 0, not {temperature}")
    if (section_bars is not None and section_bars < 1) or max_combinations < 1:
        raise ValueError("section_bars and max_combinations are counts: at least 1")
    if window_bars is not None and window_bars < WINDOW_BARS:
        raise ValueError(f"the network learned from windows of {WINDOW_BARS} bars: window_bars cannot be less")
    grid = grid or Grid(song)
    if not any(track.notes for track in song.tracks):
        raise SongError("the song has no notes: there is nothing to drum to")
    if grid.steps > MAX_STEPS:
        raise SongError(f"its {len(grid.bars):,} bars are too many to drum to")
    from drumlib.network.weights import pretrained  # only now: reading songs must not wait for Keras

    cuts = pretrained(preset).preset.thresholds  # an unknown preset is said before anything is said of the song
    bands = combinations(song, max_combinations)
    warn_about_song(song, grid)
    rolls = {
        family: np.stack([family_roll(band, family, grid) for band in bands]) for family in FAMILIES
    }  # (C, T, 128)
    rhythm = probabilities(rolls, preset, seed, temperature, section_bars, window_bars, sample)
    tried = []
    for band, hits, velocities, offsets in zip(bands, *rhythm.values(), strict=True):
        for cut in (None,) if temperature else cuts if threshold is None else (threshold,):
            groove = groove_from_outputs(hits, velocities, offsets, grid, cut)
            tried.append(Candidate(groove, band, cut, rock_beat_similarity(groove.hits, grid)))
    return sorted(
        tried, key=lambda take: -take.rock_beat_similarity
    )  # sorted keeps the order of equals: the first tried wins


def combinations(song: Song, most: int = MAX_COMBINATIONS) -> list[tuple[Track, ...]]:
    """The bands to listen to: one track of each family that the song has, in every combination (thesis, 3.3).

    If there are more than ``most``, those with the most notes are kept.
    """
    families = [tracks for tracks in map(song.parts, FAMILIES) if tracks]
    count = math.prod(map(len, families))
    if count > most:
        # The fullest bands are made of each family's fullest tracks: no need to look at millions of others.
        families = [sorted(tracks, key=lambda track: -len(track.notes))[:most] for tracks in families]
    bands = list(itertools.product(*families))
    if count > most:
        warnings.warn(
            f"{count} combinations of piano, guitar and bass: listening to the {most} with the most notes",
            DrummerWarning,
            stacklevel=4,
        )
        bands.sort(key=lambda band: -sum(len(track.notes) for track in band))
    return bands[:most]


def warn_about_song(song: Song, grid: Grid) -> None:
    """Warn of what the drummer has to do without, or around."""
    missing = [family for family in FAMILIES if not song.parts(family)]
    if missing:
        warnings.warn(
            f"no {', no '.join(missing)} in this song: the drummer hears silence there", DrummerWarning, stacklevel=4
        )
    if odd := sorted({f"{bar.numerator}/{bar.denominator}" for bar in grid.odd_bars}):
        warnings.warn(
            f"bars in {', '.join(odd)}: the drummer learned only 4/4, and plays as much of his bar as fits",
            DrummerWarning,
            stacklevel=4,
        )


def family_roll(band: Sequence[Track], family: str, grid: Grid) -> np.ndarray:
    """The piano roll of one family of one band, (steps, 128); silence if the band has none of that family."""
    return roll_from_notes([note for track in band if track.family == family for note in track.notes], grid)


def probabilities(
    rolls: dict[str, np.ndarray],
    preset: str = "band-conv",
    seed: int = 0,
    temperature: float | None = None,
    section_bars: int | None = None,
    window_bars: int | None = 8,
    sample: bool = False,
) -> dict[str, np.ndarray]:
    """What the network plays to piano rolls of any length: hits, velocities, offsets.

    ``rolls`` has, for each family, an array (C, T, 128): C bands, T steps. The song is cut into windows, and all
    windows of all bands are played side by side, in one batch: a long song takes as many steps as a short one.
    Returns three arrays (C, T, 9). Hits are probabilities, or 0 and 1 where notes are drawn; velocities are as they
    would be if the drum were struck.
    """
    from drumlib.network.weights import pretrained

    network = pretrained(preset)
    bands, length = rolls["bass"].shape[:2]  # C, T
    whole = window_bars is None or network.preset.whole_song
    size = length if whole else window_bars * STEPS_PER_BAR  # W
    size = max(size, WINDOW_BARS * STEPS_PER_BAR)  # no shorter than what the network knows
    padding = ((0, 0), (0, -length % size), (0, 0))
    windows = {
        family: np.pad(roll, padding).reshape(-1, size, 128) for family, roll in rolls.items()
    }  # (C*T/W, W, 128)
    choose = None if temperature is None else sampler_for(temperature, seed, network)
    # What is drawn is drawn for all at once. Else so many windows are played at a time as memory surely has room for.
    number = len(windows["bass"])  # C*T/W
    together = max(1, MOST_STEPS // size) if choose is None and not sample else number
    played = [
        network.generate(
            {family: x[first : first + together] for family, x in windows.items()},
            *(section_bars, choose),
            sample=seed if sample else None,
        )
        for first in range(0, number, together)
    ]
    rhythm = {name: np.concatenate([part[name] for part in played]) for name in played[0]}  # 3 x (C*T/W, W, 9)
    if choose is None and needs_calibration(network):
        rhythm = conditional_velocities(rhythm)
    return {name: x.reshape(bands, -1, len(DRUMS))[:, :length] for name, x in rhythm.items()}


def quantized(groove: Groove, velocity: int = 90) -> Groove:
    """The same hits with nothing human left: all on the grid, all of one velocity (MIDI 1-127)."""
    return Groove(groove.hits, groove.hits * velocity / 127, np.zeros_like(groove.offsets))


def drum_track(name: str, groove: Groove, grid: Grid) -> Track:
    """A groove as a track of notes on the drum channel."""
    notes: tuple[Note, ...] = notes_from_groove(groove, grid)
    return Track(notes, is_drum=True, channel=DRUM_CHANNEL, name=name)
