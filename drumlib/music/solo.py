"""Drums without a band: a song made of nothing but a groove, and loudness for hits that have none yet."""

import numpy as np

from drumlib.music.grid import STEPS_PER_BAR, Grid, Groove, notes_from_groove
from drumlib.music.kit import DRUM_CHANNEL, KICK, SNARE
from drumlib.music.notes import Note
from drumlib.music.song import Song, Tempo, Track

TICKS_PER_BEAT = 480
TICKS_PER_BAR = 4 * TICKS_PER_BEAT

SLOWEST, FASTEST = 4, 100_000
"""Tempos, in beats a minute, that a MIDI file can hold: it has three bytes for a beat's microseconds."""

ON_THE_BEAT, ON_AN_EIGHTH, BETWEEN = 104, 84, 66
"""Velocities by a stroke's place in the beat, for a drum that is neither loud nor soft of itself."""

LOUDER, SOFTER = 10, 14
"""What kick and snare have more, and what all other drums have less."""


def drum_solo(groove: Groove, bpm: float) -> Song:
    """A song of this groove alone, in 4/4, from the song's first beat on.

    Parameters
    ----------
    groove : (steps, 9), one step or more. A bar begun is a bar. The song ends with its last note, as songs do: of
        bars of silence at the end nothing is left.
    bpm : beats a minute.

    Raises
    ------
    ValueError
        If the groove has no steps, or no MIDI file could have this tempo.
    """
    bars = -(-len(groove) // STEPS_PER_BAR)  # rounded up
    if not bars:
        raise ValueError("a groove of no steps is no solo")
    if not SLOWEST <= bpm <= FASTEST:
        raise ValueError(f"a tempo is {SLOWEST} to {FASTEST:,} beats a minute, not {bpm}")
    whole = np.pad(groove.to_array(), ((0, STEPS_PER_BAR * bars - len(groove)), (0, 0)))  # -> (16 * bars, 27)
    tempos = [Tempo(0, round(60e6 / bpm))]
    held = Track([Note(0, 60, 1, TICKS_PER_BAR * bars)])  # only to measure the grid by
    notes = notes_from_groove(Groove.from_array(whole), Grid(Song(TICKS_PER_BEAT, [held], tempos)))
    return Song(TICKS_PER_BEAT, [Track(notes, is_drum=True, channel=DRUM_CHANNEL, name="Drums")], tempos)


def with_accents(hits: np.ndarray) -> Groove:
    """Hits, (steps, 9) of 0 and 1, as a groove: on the grid, and loud by a rule of thumb.

    Beats are louder than the eighths between them, eighths louder than the rest; kick and snare louder than cymbals and
    toms. It makes hits bearable to hear, and knows nothing of any drummer.
    """
    hits = np.asarray(hits, dtype=np.float32)
    step = np.arange(len(hits))[:, None]  # (steps, 1)
    loud = np.where(step % 4 == 0, ON_THE_BEAT, np.where(step % 2 == 0, ON_AN_EIGHTH, BETWEEN))
    drums = np.arange(hits.shape[1])
    loud = loud + np.where((drums == KICK) | (drums == SNARE), LOUDER, -SOFTER)  # (steps, 1) -> (steps, 9)
    return Groove(hits, hits * loud / 127, np.zeros_like(hits))
