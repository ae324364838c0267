"""Humanize strength: a stiff beat, and how far a drummer's hand moves it (``drumlib.humanize``)."""

from functools import cache

import numpy as np

from drumlib.display.player import SHORT_NAMES
from drumlib.display.widgets.stage import Knob, Stage, Take
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
"""What the menu calls the read-outs of ``drumlib.humanize``."""

FARTHEST = 0.25
"""Offset, in steps, that is white hot in the picture: a sixteenth of a beat."""

LOUDEST = 0.5
"""Change of velocity, as a share of the loudest, that is white hot."""

TICKS = 4800
"""Ticks a beat while it is computed: fine enough that no rounding is heard."""


def humanize_strength(
    groove: Groove | None = None, song: Song | None = None, bpm: float = 105.0, seed: int = 0
) -> Stage:
    """A stage with a stiff beat, and two knobs: how strongly it is humanized, and how the network is read out.

    From 0 to 1 the strength is ``amount`` of ``drumlib.humanize.humanize``. Beyond 1 the same change is exaggerated.
    The picture shows what the network changed: timing and loudness, drum by drum.

    Parameters
    ----------
    groove
        A beat of whole bars, (steps, 9); four bars of the rock beat, if neither this nor a song is given. What is
        human in it is taken out first (``drumlib.drummer.quantized``).
    song
        A song, in place of a groove: its drums, made stiff, at its own first tempo.
    bpm, seed
        The tempo of a groove, and the luck of what is drawn.

    Raises
    ------
    ValueError
        If the groove has no strokes or no whole bars, if both are given, or if nobody could play the tempo
        (``stage.check_bpm``).
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
    stiff = quantized(groove)
    song = song_of(stiff, bpm)

    @cache
    def human(readout: str) -> Groove:
        """The stiff beat, as the network plays it."""
        return groove_of(only(humanized := humanize(song, seed, 1.0, readout), humanized.tracks), Grid(song))

    def play(strength: float, readout: str) -> Take:
        groove = between(stiff, human(readout), strength)
        struck = groove.hits > 0
        step_ms = 60_000 / bpm / STEPS_PER_BEAT
        late = 1 if strength == 0 else groove.offsets[struck].std() * step_ms
        loud = 127 * groove.velocities[struck]
        text = (
            "on the grid, all equally loud"
            if strength == 0
            else f"strokes spread by {late:.0f} ms; velocities from {loud.min():.0f} to {loud.max():.0f}"
        )
        return Take(groove, text, *changes(stiff, groove))

    knobs = (
        Knob("strength", "Strength", STRENGTHS, start=STRENGTHS.index(1.0), texts=[f"{s:.0%}" for s in STRENGTHS]),
        Knob("readout", "Read out", READOUTS, texts=[READ[readout] for readout in READOUTS]),
    )
    return Stage("A stiff beat, humanized", knobs, play, bpm=bpm)


def song_of(groove: Groove, bpm: float) -> Song:
    """A song of this groove alone, in 4/4, and of a note that nobody hears, so that its last bar is whole."""
    beats = len(groove) // STEPS_PER_BEAT
    frame = Track((Note(0, 60, 1, beats * TICKS),), name="Frame")
    song = Song(TICKS, (frame,), (Tempo(0, round(60_000_000 / bpm)),))
    return only(song, (frame, drum_track("Drums", groove, Grid(song))))


def between(stiff: Groove, human: Groove, strength: float) -> Groove:
    """The stiff beat, moved so far towards the human one, and beyond it if ``strength`` exceeds 1."""
    struck = stiff.hits > 0
    velocities = stiff.velocities + strength * (human.velocities - stiff.velocities)
    velocities = np.clip(velocities, 1 / 127, 1) * struck
    return Groove(struck, velocities, np.clip(strength * human.offsets, -0.5, 0.49) * struck)


def changes(stiff: Groove, groove: Groove) -> tuple[np.ndarray, tuple[str, ...]]:
    """A picture, (2 * drums, steps), of how far strokes lie from the grid and from their old velocity."""
    drums = np.flatnonzero(stiff.hits.any(axis=0))[::-1]  # the kick lowest: as in the roll below it
    timing = np.abs(groove.offsets.T[drums]) / FARTHEST  # (drums, steps)
    loudness = np.abs((groove.velocities - stiff.velocities).T[drums]) / LOUDEST  # (drums, steps)
    rows = [f"{SHORT_NAMES[drum]}, {what}" for what in ("timing", "loudness") for drum in drums]
    return np.clip(np.concatenate([timing, loudness]), 0, 1), tuple(rows)
