"""Threshold and temperature: one network, one song, and two ways to make strokes of probabilities (thesis, 4.4)."""

import warnings
from functools import cache

import numpy as np

from drumlib.display.excerpt import chorus_of, some_bars, steps_of
from drumlib.display.player import SHORT_NAMES
from drumlib.display.widgets.stage import Knob, Stage, Take
from drumlib.drummer import DrummerWarning, combinations, probabilities, warn_about_song
from drumlib.inference.features import band_rolls
from drumlib.inference.presets import DEFAULT_PRESET
from drumlib.inference.sampling import groove_from_outputs, needs_calibration
from drumlib.music import Grid, Song, songbook, without_drums

CUT = "cut"
"""The temperature at which nothing is drawn: the threshold decides."""

TEMPERATURES = (CUT, 0.5, 1.0, 1.5, 2.5)

THRESHOLDS = {"band-conv": (0.15, 0.25, 0.34, 0.45, 0.55, 0.7), "thesis": (0.4, 0.5, 0.6, 0.62, 0.7, 0.8)}
"""For each preset so many, its own among them. The thesis's answers are no probabilities: theirs lie higher."""


def threshold_and_temperature(
    song: Song | str | None = None,
    bars: int = 4,
    start_bar: int | None = None,
    preset: str = DEFAULT_PRESET,
    seed: int = 0,
) -> Stage:
    """A stage with the drums that the network plays to a song, and two knobs: threshold and temperature.

    The network plays the whole song once for all thresholds, and once for each temperature. The picture is what it
    answered: how probable each stroke is where notes are cut, and the strokes that were drawn where they are drawn.

    Parameters
    ----------
    song
        A song, or the name of one in the songbook; rock, if not given.
    bars, start_bar
        How many bars are heard, and from which on (from 0): the first chorus of a song from the songbook.
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
    cuts = thresholds_of(preset)
    # One piano, one guitar, one bass: where a song has several, the band with the most notes.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrummerWarning)
        band = combinations(song, 1)[0]
    rolls = band_rolls([band], grid)  # 3 x (1, T, 128)

    @cache
    def answers(temperature: float | None) -> dict[str, np.ndarray]:
        """What the network says to the whole song: hits, velocities, offsets, each (T, 9)."""
        rhythm = probabilities(rolls, preset=preset, seed=seed, temperature=temperature)  # 3 x (1, T, 9)
        return {name: array[0] for name, array in rhythm.items()}

    def play(threshold: float, temperature) -> Take:
        drawn = temperature != CUT
        said = answers(float(temperature) if drawn else None)
        groove = groove_from_outputs(**said, grid=grid, threshold=None if drawn else threshold)[steps]
        count = int(groove.hits.sum())
        if drawn:
            text = f"{count} strokes, drawn at temperature {temperature}; the threshold has no say here"
        else:
            text = f"{count} strokes: where the network answers more than {threshold}{meaning(preset, threshold)}"
        picture = np.clip(said["hits"][steps].T[::-1], 0, 1)  # (9, steps), the kick lowest: as in the roll below it
        return Take(groove, text, picture, SHORT_NAMES[::-1])

    warn_about_song(song, grid)
    knobs = (
        Knob("threshold", "Threshold", cuts, start=cuts.index(middle(cuts, preset))),
        Knob("temperature", "Temperature", tuple(map(str, TEMPERATURES)), texts=texts_of(TEMPERATURES)),
    )
    stems = {"band": some_bars(song, start_bar, bars)}
    return Stage(f"{song.name}: {preset} at the drums", knobs, play, stems=stems, start_bar=start_bar)


def thresholds_of(preset: str) -> tuple[float, ...]:
    """The thresholds on the knob. Raises ValueError if there is no such preset."""
    from drumlib.network.registry import pretrained

    own = pretrained(preset).preset.thresholds
    return tuple(sorted({*THRESHOLDS.get(preset, THRESHOLDS[DEFAULT_PRESET]), own[len(own) // 2]}))


def meaning(preset: str, answer: float) -> str:
    """What stands behind an answer that is no probability: the probability that it is an answer for."""
    from drumlib.inference.calibration import calibrate
    from drumlib.network.registry import pretrained

    return f", by which it means {calibrate(answer):.0%}" if needs_calibration(pretrained(preset)) else ""


def middle(cuts: tuple[float, ...], preset: str) -> float:
    """The preset's own threshold, the middle one of several."""
    from drumlib.network.registry import pretrained

    own = pretrained(preset).preset.thresholds
    return own[len(own) // 2]


def texts_of(temperatures) -> tuple[str, ...]:
    return tuple("none: cut at the threshold" if t == CUT else f"{t}: drawn" for t in temperatures)
