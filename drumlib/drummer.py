"""The drummer: from a song to the same song with a drum track (thesis, 4.4).

song -> bands, one track a family -> piano rolls -> the model's outputs -> grooves -> the groove that is most like the
rock beat -> notes -> song
"""

import itertools
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from drumlib.data.grid_song import WINDOW_BARS
from drumlib.data.windows import songs_from_windows, windows_from_songs
from drumlib.inference.features import band_rolls
from drumlib.inference.presets import DEFAULT_PRESET, current_name
from drumlib.inference.sampling import conditional_velocities, groove_from_outputs, needs_calibration, sampler_for
from drumlib.music import (
    DRUM_CHANNEL,
    FAMILIES,
    STEPS_PER_BAR,
    Grid,
    Groove,
    Notes,
    Song,
    Track,
    notes_from_groove,
    with_tracks,
    without_drums,
)
from drumlib.music.grid import MAX_STEPS
from drumlib.music.rock_beat import rock_beat_similarity

THRESHOLDS = (0.60, 0.62, 0.64)
"""The thresholds that the thesis tries: a note is played where its probability exceeds the threshold."""

MAX_COMBINATIONS = 16
"""The most ways to choose one piano, one guitar and one bass that are tried: each takes the time of a whole song."""

BATCH_STEPS = 64 * WINDOW_BARS * STEPS_PER_BAR
"""Steps of all windows in one batch: what the memory of a small machine has room for."""


class SongError(ValueError):
    """A song that cannot be given drums."""


class DrummerWarning(UserWarning):
    """Something in the song that the model does not know, or that was left out."""


@dataclass(frozen=True)
class PlayOptions:
    """How drums are made for a song. A value that makes no sense raises ValueError."""

    preset: str = DEFAULT_PRESET
    """The model that plays."""
    seed: int = 0
    """The same seed gives the same drums. It matters only where something is sampled: ``temperature``, ``sample_z``."""
    threshold: float | None = None
    """Play a note where its probability exceeds this, in (0, 1). If neither this nor ``temperature`` is given, the
    preset's own thresholds are tried, and the best candidate is kept."""
    temperature: float | None = None
    """Sample the notes instead: from the calibrated probabilities p at 1; at T, the log odds of p are divided by T, so
    that notes vary more above 1 and less below."""
    subsequence_bars: int | None = None
    """Bars that the decoder plays for one vector of the conductor; None: as in training (2 in the thesis, which played
    with 1). Presets without a conductor ignore it."""
    window_bars: int | None = WINDOW_BARS
    """Bars that the model gets at once. It was trained on 8, so fewer are refused. None: the whole song with one z, as
    in the thesis. ``band-conv`` ignores it: it encodes windows of 8 bars, and remembers its sampled notes in all of
    them."""
    sample_z: bool = False
    """Sample z from the approximate posterior instead of taking its mean."""
    max_combinations: int = MAX_COMBINATIONS
    """Where a family has several tracks, each combination of one piano, one guitar and one bass is tried, up to this
    many, and the best candidate is kept."""
    keep_drums: bool = False
    """Keep the song's own drums beside the new ones; otherwise they are removed."""
    quantized_copy: bool = False
    """Add a second drum track with the same hits, all on the grid and equally loud, to compare."""

    def __post_init__(self):
        object.__setattr__(self, "preset", current_name(self.preset))
        if self.threshold is not None and self.temperature is not None:
            raise ValueError("choose a threshold or a temperature: notes are either thresholded or sampled")
        if self.threshold is not None and not 0 < self.threshold < 1:
            raise ValueError(f"the threshold is a probability, between 0 and 1, not {self.threshold}")
        if self.temperature is not None and not self.temperature > 0:
            raise ValueError(f"the temperature must be greater than 0, not {self.temperature}")
        if (self.subsequence_bars is not None and self.subsequence_bars < 1) or self.max_combinations < 1:
            raise ValueError("subsequence_bars and max_combinations are counts: at least 1")
        if self.window_bars is not None and self.window_bars < WINDOW_BARS:
            raise ValueError(f"the models were trained on windows of {WINDOW_BARS} bars: window_bars cannot be less")

    def changed(self, changes: Mapping) -> "PlayOptions":
        """These options with some values changed; names of version 0.1 give a ``FutureWarning``."""
        changes = dict(changes)
        for old in OLD_NAMES.keys() & changes.keys():
            warnings.warn(f"the option {old!r} is called {OLD_NAMES[old]!r} now", FutureWarning, stacklevel=3)
            changes[OLD_NAMES[old]] = changes.pop(old)
        return replace(self, **changes) if changes else self


OLD_NAMES = {"section_bars": "subsequence_bars", "sample": "sample_z"}
"""Options of version 0.1. They work for one more release."""


@dataclass(frozen=True)
class Candidate:
    """One groove among those that were made for a song.

    Attributes
    ----------
    groove : the hits, velocities and offsets, on the song's grid.
    band : the tracks that were the model's input, one a family at most.
    threshold : the threshold of the hits; None if they were sampled.
    rock_beat_similarity : the share of cells, in [0, 1], that agree with the one-bar rock beat.
    """

    groove: Groove
    band: tuple[Track, ...]
    threshold: float | None
    rock_beat_similarity: float


def accompany(song: Song, options: PlayOptions = PlayOptions(), **changes) -> Song:
    """Return the song with a drum track. Its other tracks come back untouched, event for event.

    Parameters
    ----------
    song
        Any song with notes. Where piano, guitar or bass is missing, the model gets silence in its place.
    options, **changes
        How the drums are made: ``PlayOptions``, with changes: ``accompany(song, seed=1, temperature=1.0)``.

    Raises
    ------
    SongError
        If the song has no notes, or too many bars.
    ValueError
        If an option makes no sense, or the preset is unknown or has no weights. (A SongError is a ValueError, too.)

    Warns
    -----
    DrummerWarning
        If a family is missing, if bars are not in 4/4, or if not all combinations of tracks are tried.
    FutureWarning
        If an option or a preset is given by its name of version 0.1.
    """
    options = options.changed(changes)
    grid = Grid(song)
    groove = candidates(song, options, grid)[0].groove
    parts = [drum_track("Drums", groove, grid)]
    if options.quantized_copy:
        parts.append(drum_track("Drums, quantized", quantized(groove), grid))
    return with_tracks(song if options.keep_drums else without_drums(song), parts)


def candidates(
    song: Song, options: PlayOptions = PlayOptions(), grid: Grid | None = None, **changes
) -> list[Candidate]:
    """Every groove that is made for the song, the most like the rock beat first. Arguments as for ``accompany``."""
    options = options.changed(changes)
    grid = grid or Grid(song)
    if not any(track.notes for track in song.tracks):
        raise SongError("the song has no notes: there is nothing to drum to")
    if grid.steps > MAX_STEPS:
        raise SongError(f"its {len(grid.bars):,} bars are too many to drum to")
    from drumlib.network.registry import pretrained  # only now: reading songs must not wait for Keras

    thresholds = pretrained(options.preset, "songs").preset.thresholds  # unknown presets fail before any warning
    if options.temperature is not None:
        thresholds = (None,)
    elif options.threshold is not None:
        thresholds = (options.threshold,)
    bands = combinations(song, options.max_combinations)
    warn_about_song(song, grid)
    outputs = probabilities(band_rolls(bands, grid), options)  # 3 x (C, T, 9)
    found = []
    for band, hits, velocities, offsets in zip(bands, *outputs.values(), strict=True):
        for threshold in thresholds:
            groove = groove_from_outputs(hits, velocities, offsets, grid, threshold)
            found.append(Candidate(groove, band, threshold, rock_beat_similarity(groove.hits, grid)))
    return sorted(found, key=lambda one: -one.rock_beat_similarity)  # a stable sort: of equals, the first made is first


def combinations(song: Song, most: int = MAX_COMBINATIONS) -> list[tuple[Track, ...]]:
    """The bands to play to: one track of each family that the song has, in every combination (thesis, 3.3).

    If there are more than ``most``, those with the most notes are kept.
    """
    families = [tracks for tracks in map(song.parts, FAMILIES) if tracks]
    count = math.prod(map(len, families))
    if count > most:
        # The bands with the most notes consist of each family's tracks with the most notes: the others need no look.
        families = [sorted(tracks, key=lambda track: -len(track.notes))[:most] for tracks in families]
    bands = list(itertools.product(*families))
    if count > most:
        warnings.warn(
            f"{count} combinations of piano, guitar and bass: only the {most} with the most notes are tried",
            DrummerWarning,
            stacklevel=4,
        )
        bands.sort(key=lambda band: -sum(len(track.notes) for track in band))
    return bands[:most]


def warn_about_song(song: Song, grid: Grid) -> None:
    """Warn of what the song lacks, and of bars that the model does not know."""
    missing = [family for family in FAMILIES if not song.parts(family)]
    if missing:
        warnings.warn(
            f"no {', no '.join(missing)} in this song: the model gets silence there", DrummerWarning, stacklevel=4
        )
    if odd := sorted({f"{bar.numerator}/{bar.denominator}" for bar in grid.odd_bars}):
        warnings.warn(
            f"bars in {', '.join(odd)}: the model knows only 4/4, and plays as much of its bar as fits",
            DrummerWarning,
            stacklevel=4,
        )


def probabilities(
    rolls: dict[str, np.ndarray], options: PlayOptions = PlayOptions(), **changes
) -> dict[str, np.ndarray]:
    """The model's outputs for piano rolls of any length: ``hits``, ``velocities``, ``offsets``, each (C, T, 9).

    ``rolls`` has, for each family, an array (C, T, 128): C bands, T steps. The song is cut into windows, and the
    windows of all bands are played side by side, in one batch: a long song takes as many steps as a short one.
    Hits are probabilities, or 0 and 1 where notes are sampled. Velocities are conditional: those of a note if it is
    played.
    """
    from drumlib.network.registry import pretrained

    options = options.changed(changes)
    network = pretrained(options.preset, "songs")
    bands, length = rolls["bass"].shape[:2]  # C, T
    if options.window_bars is None or network.preset.whole_song:
        size = length  # W
    else:
        size = options.window_bars * STEPS_PER_BAR
    size = max(size, WINDOW_BARS * STEPS_PER_BAR)  # no shorter than in training
    windows = {
        family: windows_from_songs(list(roll), size) for family, roll in rolls.items()
    }  # (C, T, 128) -> (N, W, 128)
    count = len(windows["bass"])  # N = C * ceil(T / W)
    sampler = None if options.temperature is None else sampler_for(options.temperature, options.seed, network)
    sampled = sampler is not None or options.sample_z
    batch = count if sampled else max(1, BATCH_STEPS // size)  # one batch, or batches would change what is sampled
    more = {"subsequence_bars": options.subsequence_bars, "z_seed": options.seed if options.sample_z else None}
    more = {name: more[name] for name in network.generation_options}
    parts = [
        network.generate({family: x[first : first + batch] for family, x in windows.items()}, sampler, **more)
        for first in range(0, count, batch)
    ]
    outputs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}  # 3 x (N, W, 9)
    if sampler is None and needs_calibration(network):
        outputs = conditional_velocities(outputs)
    songs = songs_from_windows(outputs, [length] * bands, size)  # (N, W, 9) -> C times (T, 9)
    return {name: np.stack([song[name] for song in songs]) for name in outputs}


def quantized(groove: Groove, velocity: int = 90) -> Groove:
    """The same hits, all on the grid and with one velocity (MIDI, 1-127)."""
    return Groove(groove.hits, groove.hits * velocity / 127, np.zeros_like(groove.offsets))


def drum_track(name: str, groove: Groove, grid: Grid) -> Track:
    """A groove as a track of notes on the drum channel."""
    return Track(Notes(notes_from_groove(groove, grid)), is_drum=True, channel=DRUM_CHANNEL, name=name)
