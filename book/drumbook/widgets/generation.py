"""Threshold and temperature: two ways to turn a network's probabilities into hits (thesis, 4.4)."""

import warnings
from functools import cache

import numpy as np

from drumlib.display.excerpt import chorus_of, some_bars, steps_of
from drumlib.display.player import SHORT_NAMES
from drumlib.display.widgets import Knob, Stage, Take
from drumlib.drummer import DrummerWarning, combinations, probabilities, warn_about_song
from drumlib.inference.features import band_rolls
from drumlib.inference.presets import DEFAULT_PRESET
from drumlib.inference.sampling import groove_from_outputs, needs_calibration
from drumlib.music import Grid, Song, songbook, without_drums

NO_SAMPLING = "none"
"""The value of the temperature knob at which hits are thresholded, not sampled."""

TEMPERATURES = (NO_SAMPLING, 0.5, 1.0, 1.5, 2.5)

THRESHOLDS = {"band-conv": (0.15, 0.25, 0.34, 0.45, 0.55, 0.7), "thesis": (0.4, 0.5, 0.6, 0.62, 0.7, 0.8)}
"""Values of the threshold knob, by preset. The thesis's outputs are biased upwards (see ``calibrate``)."""


def threshold_and_temperature(
    song: Song | str | None = None,
    bars: int = 4,
    start_bar: int | None = None,
    preset: str = DEFAULT_PRESET,
    seed: int = 0,
) -> Stage:
    """A stage with the drums that the network plays to a song, and two knobs: threshold and temperature.

    The network plays the whole song once for all thresholds, and once for each temperature. The picture is its output:
    the probability of each hit where hits are thresholded, and the sampled hits where they are sampled.

    Parameters
    ----------
    song
        A song, or the name of one in the songbook; rock, if not given.
    bars, start_bar
        The number of bars and the first of them (from 0; in a songbook song its first chorus).
    preset, seed
        As for ``drumlib.drummer.accompany``.

    Raises
    ------
    ValueError
        If there is no such song, bar or preset.
    """
    if song is None or isinstance(song, str):
        name = song or "rock"
        song, start_bar = songbook.song(name), chorus_of(name) if start_bar is None else start_bar
    song, start_bar = without_drums(song), start_bar or 0
    grid, steps = Grid(song), steps_of(song, start_bar, bars)
    thresholds = thresholds_of(preset)
    # One piano, one guitar, one bass; of several combinations the one with the most notes.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrummerWarning)
        band = combinations(song, 1)[0]
    rolls = band_rolls([band], grid)  # 3 x (1, T, 128)

    @cache
    def outputs(temperature: float | None) -> dict[str, np.ndarray]:
        """The network's outputs for the whole song: hits, velocities, offsets, each (T, 9)."""
        rhythm = probabilities(rolls, preset=preset, seed=seed, temperature=temperature)  # 3 x (1, T, 9)
        return {name: array[0] for name, array in rhythm.items()}

    def play(threshold: float, temperature) -> Take:
        sampled = temperature != NO_SAMPLING
        output = outputs(float(temperature) if sampled else None)
        groove = groove_from_outputs(**output, grid=grid, threshold=None if sampled else threshold)[steps]
        count = int(groove.hits.sum())
        if sampled:
            text = f"{count} hits, sampled at temperature {temperature}; the threshold is not used"
        else:
            text = f"{count} hits: where the network's output exceeds {threshold}{calibrated(preset, threshold)}"
        picture = np.clip(output["hits"][steps].T[::-1], 0, 1)  # (9, steps), the kick lowest: as in the roll below it
        return Take(groove, text, picture, SHORT_NAMES[::-1])

    warn_about_song(song, grid)
    knobs = (
        Knob("threshold", "Threshold", thresholds, start=thresholds.index(default_threshold(preset))),
        Knob("temperature", "Temperature", tuple(map(str, TEMPERATURES)), texts=texts_of(TEMPERATURES)),
    )
    stems = {"band": some_bars(song, start_bar, bars)}
    return Stage(f"{song.name}: {preset} at the drums", knobs, play, stems=stems, start_bar=start_bar)


def thresholds_of(preset: str) -> tuple[float, ...]:
    """The values of the threshold knob. Raises ValueError if there is no such preset."""
    return tuple(sorted({*THRESHOLDS.get(preset, THRESHOLDS[DEFAULT_PRESET]), default_threshold(preset)}))


def calibrated(preset: str, output: float) -> str:
    """The probability behind an output that is biased by the loss, in words; empty for an unbiased network."""
    from drumlib.inference.calibration import calibrate
    from drumlib.network.registry import pretrained

    return f", a probability of {calibrate(output):.0%}" if needs_calibration(pretrained(preset)) else ""


def default_threshold(preset: str) -> float:
    """The preset's threshold; the middle one of several."""
    from drumlib.network.registry import pretrained

    own = pretrained(preset).preset.thresholds
    return own[len(own) // 2]


def texts_of(temperatures) -> tuple[str, ...]:
    """The texts of the temperature knob."""
    return tuple("none: threshold" if t == NO_SAMPLING else f"{t}: sampled" for t in temperatures)
