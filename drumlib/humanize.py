"""Humanizing: a song with quantized drums comes out with the same hits, at the velocities and times of a drummer.

song -> hits on the grid -> a histogram of velocity and of offset for every note -> one number of each -> song

The preset ``humanize`` (``drumlib.network.groove.humanizer``) answers with histograms; ``drumlib.inference.histograms``
says how they are read out.
"""

import numpy as np

from drumlib.inference.histograms import (
    current_readout,
    read_histograms,
    readout_settings,
)
from drumlib.inference.presets import DEFAULT_GROOVE_PRESET
from drumlib.music import STEPS_PER_BAR, Grid, Note, Notes, Song, Track, with_tracks, without_drums
from drumlib.music.grid import MAX_STEPS, merge_notes, step_lengths
from drumlib.music.kit import DRUM_CHANNEL, DRUM_OF_PITCH, DRUMS

WINDOW = 2 * STEPS_PER_BAR
"""Steps of the model's input: two bars."""


def humanize(song: Song, seed: int = 0, amount: float = 1.0, readout: str = "sample") -> Song:
    """Return the song with velocities and timing of a drummer. Its other tracks come back untouched, event for event.

    Every hit of the nine drums gets the velocity and the offset from its sixteenth that the model gives it. Its pitch
    (a rim shot or a plain snare) stays. Of several notes of one drum on one sixteenth the loudest is kept. Percussion
    that is no drum of the kit (a cowbell) stays as it is.

    Parameters
    ----------
    song
        Any song with drums. The model was trained on 4/4; bars in other meters are played as far as the grid has them.
    seed
        The same seed gives the same performance. It matters for ``"sample"`` only.
    amount
        From 0, all hits exactly on the grid and as loud as they were, to 1, as the model answers; linear between.
    readout
        ``"sample"``, ``"median"`` or ``"spread-matched"``: see ``drumlib.inference.histograms``.

    Raises
    ------
    ValueError
        If the song has no drums or far too many bars, or an argument makes no sense.

    Warns
    -----
    FutureWarning
        If the read-out is given by its name of version 0.1.
    """
    if not 0 <= amount <= 1:
        raise ValueError(f"amount is a share, from 0 (on the grid) to 1, not {amount}")
    readout = current_readout(readout)
    grid = Grid(song)
    if grid.steps > MAX_STEPS:
        raise ValueError(f"its {len(grid.bars):,} bars are too many")
    hits, rest = hits_and_rest(song, grid)
    if not hits:
        raise ValueError("the song has no drums to humanize: add some first (drumlib.drummer.accompany)")
    cells = np.array(sorted(hits), dtype=np.int64)  # (notes, 2): step and drum
    histograms = histograms_of_song(cells, grid.steps, step_lengths(song, grid))
    performance = np.zeros(len(cells), dtype=np.int64)  # the whole song is one
    answers = read_histograms(histograms, cells, performance, readout_settings(), readout, seed)

    notes = [hits[cell] for cell in map(tuple, cells.tolist())]
    before = np.array([note.velocity for note in notes]) / 127
    velocities = before + amount * (answers["velocities"] - before)
    velocities = np.clip(np.rint(127 * velocities), 1, 127).astype(int)
    ticks = grid.ticks(cells[:, 0], amount * answers["offsets"])
    played = [
        Note(tick, note.pitch, velocity, note.length)
        for note, tick, velocity in zip(notes, ticks.tolist(), velocities.tolist(), strict=True)
    ]
    track = Track(Notes(played + rest), is_drum=True, channel=DRUM_CHANNEL, name="Drums, humanized")
    return with_tracks(without_drums(song), [track])


def hits_and_rest(song: Song, grid: Grid) -> tuple[dict[tuple[int, int], Note], list[Note]]:
    """The loudest drum note of each cell (step, drum), and the notes that are no drum of the kit or behind the grid."""
    hits, rest = {}, []
    notes = merge_notes(song.drums)
    for note, step in zip(notes, grid.locate(notes.ticks)[0].tolist(), strict=True):
        if note.pitch not in DRUM_OF_PITCH or step >= grid.steps:
            rest.append(note)
            continue
        cell = step, DRUM_OF_PITCH[note.pitch]
        if cell not in hits or note.velocity > hits[cell].velocity:
            hits[cell] = note
    return hits, rest


def histograms_of_song(cells: np.ndarray, steps: int, step_ms: np.ndarray, batch: int = 128) -> dict[str, np.ndarray]:
    """The histograms of a song's notes: ``velocities`` (notes, 32), ``offsets`` (notes, 40).

    The model gets windows of two bars, one starting on every bar, so each bar is in two windows. Their histograms are
    averaged with weights that fall linearly from a window's middle to its ends: the answers have no seams.

    ``cells`` is (notes, 2), the step and the drum of each note; ``step_ms`` the length of a step for each bar.
    """
    from drumlib.network.registry import pretrained  # only now: reading songs must not wait for Keras

    network = pretrained(DEFAULT_GROOVE_PRESET)
    steps = max(WINDOW, -(-steps // STEPS_PER_BAR) * STEPS_PER_BAR)  # whole bars
    hits = np.zeros((steps, len(DRUMS)), dtype="float32")
    number = np.full((steps, len(DRUMS)), -1)  # which note is in a cell
    hits[tuple(cells.T)], number[tuple(cells.T)] = 1, np.arange(len(cells))
    starts = np.arange(0, steps - WINDOW + 1, STEPS_PER_BAR)
    starts = [start for start in starts.tolist() if hits[start : start + WINDOW].any()]
    weights = np.minimum(np.arange(WINDOW) + 0.5, WINDOW - 0.5 - np.arange(WINDOW))  # (32,)
    sums, total = {}, np.zeros((len(cells), 1))
    for first in range(0, len(starts), batch):
        some = starts[first : first + batch]
        windows = np.stack([hits[start : start + WINDOW] for start in some])  # (B, 32, 9)
        ms = np.array([step_ms[min(start // STEPS_PER_BAR, len(step_ms) - 1)] for start in some])
        heads = network.histograms(windows, ms)  # 2 x (B, 32, 9, K)
        where = np.nonzero(windows)  # window, step, drum of each note
        notes = number[np.array(some)[where[0]] + where[1], where[2]]
        np.add.at(total, notes, weights[where[1], None])
        for name, histograms in heads.items():
            own = sums.setdefault(name, np.zeros((len(cells), histograms.shape[-1])))
            np.add.at(own, notes, weights[where[1], None] * histograms[where])
    return {name: own / total for name, own in sums.items()}
