"""Drums without a band: a song from a groove alone, and velocities by rule for hits that have none."""

import numpy as np

from drumlib.music.grid import STEPS_PER_BAR, Grid, Groove, notes_from_groove
from drumlib.music.kit import DRUM_CHANNEL, KICK, SNARE
from drumlib.music.notes import Note, Notes
from drumlib.music.song import Song, Tempo, Track

TICKS_PER_BEAT = 480
TICKS_PER_BAR = 4 * TICKS_PER_BEAT

SLOWEST, FASTEST = 4, 100_000
"""The range of tempos, in beats a minute, of a MIDI file: it stores a beat's microseconds in three bytes."""

ON_THE_BEAT, ON_AN_EIGHTH, BETWEEN = 104, 84, 66
"""MIDI velocities by a hit's place in the beat, before the drum is considered."""

LOUDER, SOFTER = 10, 14
"""What is added for kick and snare, and subtracted for all other drums."""


def drum_solo(groove: Groove, bpm: float) -> Song:
    """A song in 4/4 with this groove, (steps, 9) with at least one step, and nothing else. ``bpm``: beats a minute.

    Silent bars at the end are lost, since a song ends with its last note.

    Raises
    ------
    ValueError
        If the groove has no steps, or the tempo is not one that a MIDI file can store.
    """
    bars = -(-len(groove) // STEPS_PER_BAR)  # rounded up
    if not bars:
        raise ValueError("a groove of no steps is no solo")
    if not SLOWEST <= bpm <= FASTEST:
        raise ValueError(f"a tempo is {SLOWEST} to {FASTEST:,} beats a minute, not {bpm}")
    padded = np.pad(groove.to_array(), ((0, STEPS_PER_BAR * bars - len(groove)), (0, 0)))  # -> (16 * bars, 27)
    tempos = (Tempo(0, round(60e6 / bpm)),)
    held = Track(Notes([Note(0, 60, 1, TICKS_PER_BAR * bars)]))  # gives the grid its length
    notes = notes_from_groove(Groove.from_array(padded), Grid(Song(TICKS_PER_BEAT, (held,), tempos)))
    return Song(TICKS_PER_BEAT, (Track(Notes(notes), is_drum=True, channel=DRUM_CHANNEL, name="Drums"),), tempos)


def with_accents(hits: np.ndarray) -> Groove:
    """A groove from hits alone, (steps, 9) of 0 and 1: all offsets are 0, and velocities follow a rule of thumb.

    Beats are louder than the eighths between them, eighths louder than other sixteenths; kick and snare are louder than
    cymbals and toms. It is meant for listening, not as a model of a drummer.
    """
    hits = np.asarray(hits, dtype=np.float32)
    step = np.arange(len(hits))[:, None]  # (steps, 1)
    loud = np.where(step % 4 == 0, ON_THE_BEAT, np.where(step % 2 == 0, ON_AN_EIGHTH, BETWEEN))
    drums = np.arange(hits.shape[1])
    loud = loud + np.where((drums == KICK) | (drums == SNARE), LOUDER, -SOFTER)  # (steps, 1) -> (steps, 9)
    return Groove(hits, hits * loud / 127, np.zeros_like(hits))
