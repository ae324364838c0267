"""Humanize strength: a quantized beat with more or less of a network's timing and velocity (``drumlib.humanize``)."""

from functools import cache

import numpy as np

from drumlib.display.player import SHORT_NAMES
from drumlib.display.widgets import Knob, Stage, Take
from drumlib.drummer import drum_track, quantized
from drumlib.humanize import humanize
from drumlib.inference.histograms import READOUTS
from drumlib.music import STEPS_PER_BAR, STEPS_PER_BEAT, Grid, Groove, Note, Song, Tempo, Track, groove_of, only
from drumlib.music.rock_beat import rock_bar

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)

READ = {
    "sample": "sample: one performance",
    "median": "median: smallest error, note by note",
    "spread-matched": "spread-matched median",
}
"""Texts of the read-outs of ``drumlib.humanize``."""

FULL_OFFSET = 0.25
"""Offset in steps that is 1 in the picture: a sixteenth of a beat."""

FULL_CHANGE = 0.5
"""Change of velocity that is 1 in the picture; velocities are from 0 to 1."""

TICKS = 4800
"""Ticks per beat of the intermediate song: fine enough that no rounding is heard."""


def humanize_strength(
    groove: Groove | None = None, song: Song | None = None, bpm: float = 105.0, seed: int = 0
) -> Stage:
    """A stage with a quantized beat, and two knobs: the strength of the humanizing and the read-out of the network.

    From 0 to 1 the strength is ``amount`` of ``drumlib.humanize.humanize``. Beyond 1 the change is extrapolated.
    The picture shows the change: timing and loudness, drum by drum.

    Parameters
    ----------
    groove
        A beat of whole bars, (steps, 9); four bars of the rock beat, if neither this nor a song is given. It is
        quantized first (``drumlib.drummer.quantized``).
    song
        A song, in place of a groove: its drums, quantized, at its first tempo.
    bpm, seed
        The tempo of a groove, and the seed of the samples.

    Raises
    ------
    ValueError
        If the groove has no hits or no whole bars, if both are given, or if the tempo is out of range.
    """
    if groove is not None and song is not None:
        raise ValueError("give a groove or a song, not both")
    if song is not None:
        groove, bpm = groove_of(song), song.tempos[0].bpm
    if groove is None:
        hits = np.tile(rock_bar(), (4, 1))  # (16, 9) -> (64, 9)
        hits[STEPS_PER_BAR:, -1] = 0  # one crash is enough
        groove = Groove(hits, hits, hits * 0)
    if not groove.hits.any():
        raise ValueError("there are no drums to humanize")
    if len(groove) % STEPS_PER_BAR:
        raise ValueError(f"a beat has whole bars of {STEPS_PER_BAR} steps, and this one {len(groove)} steps")
    plain = quantized(groove)
    song = song_of(plain, bpm)

    @cache
    def human(readout: str) -> Groove:
        """The quantized beat with the network's velocities and offsets."""
        return groove_of(only(humanized := humanize(song, seed, 1.0, readout), humanized.tracks), Grid(song))

    def play(strength: float, readout: str) -> Take:
        groove = interpolate(plain, human(readout), strength)
        hits = groove.hits > 0
        step_ms = 60_000 / bpm / STEPS_PER_BEAT
        spread = 1 if strength == 0 else groove.offsets[hits].std() * step_ms
        midi = 127 * groove.velocities[hits]
        text = (
            "on the grid, all equally loud"
            if strength == 0
            else f"offsets spread by {spread:.0f} ms; velocities from {midi.min():.0f} to {midi.max():.0f}"
        )
        return Take(groove, text, *changes(plain, groove))

    knobs = (
        Knob("strength", "Strength", STRENGTHS, start=STRENGTHS.index(1.0), texts=[f"{s:.0%}" for s in STRENGTHS]),
        Knob("readout", "Read out", READOUTS, texts=[READ[readout] for readout in READOUTS]),
    )
    return Stage("A quantized beat, humanized", knobs, play, bpm=bpm)


def song_of(groove: Groove, bpm: float) -> Song:
    """A song of this groove in 4/4, with a silent track of one note that makes its last bar whole."""
    beats = len(groove) // STEPS_PER_BEAT
    frame = Track((Note(0, 60, 1, beats * TICKS),), name="Frame")
    song = Song(TICKS, (frame,), (Tempo(0, round(60_000_000 / bpm)),))
    return only(song, (frame, drum_track("Drums", groove, Grid(song))))


def interpolate(plain: Groove, human: Groove, strength: float) -> Groove:
    """plain + strength * (human - plain), clipped to valid velocities and offsets; beyond 1 it extrapolates."""
    hits = plain.hits > 0
    velocities = plain.velocities + strength * (human.velocities - plain.velocities)
    velocities = np.clip(velocities, 1 / 127, 1) * hits
    return Groove(hits, velocities, np.clip(strength * human.offsets, -0.5, 0.49) * hits)


def changes(plain: Groove, groove: Groove) -> tuple[np.ndarray, tuple[str, ...]]:
    """A picture, (2 * drums, steps): distance of each hit from the grid, and change of its velocity."""
    drums = np.flatnonzero(plain.hits.any(axis=0))[::-1]  # the kick lowest: as in the roll below it
    timing = np.abs(groove.offsets.T[drums]) / FULL_OFFSET  # (drums, steps)
    loudness = np.abs((groove.velocities - plain.velocities).T[drums]) / FULL_CHANGE  # (drums, steps)
    rows = [f"{SHORT_NAMES[drum]}, {what}" for what in ("timing", "loudness") for drum in drums]
    return np.clip(np.concatenate([timing, loudness]), 0, 1), tuple(rows)
