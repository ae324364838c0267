"""Interpolation between two grooves in the latent space of the shipped groove VAE (Roberts et al. 2018).

Each point of the straight line between two latent vectors decodes to a groove. The baseline is a cross-fade of the two
grooves' velocities.
"""

from functools import cache

import numpy as np

from drumlib.display.excerpt import chorus_of, steps_of
from drumlib.display.widgets import Knob, Stage, Take
from drumlib.music import STEPS_PER_BAR, Groove, groove_of, songbook

STEPS = 2 * STEPS_PER_BAR
"""Length of the groove VAE's input: two bars."""

LINE, FADE = "line", "fade"


def latent_walk(
    a: Groove | str = "rock", b: Groove | str = "bossa", stops: int = 9, seed: int | None = None, bpm: float = 120.0
) -> Stage:
    """A stage with the grooves between two grooves, and two knobs: the position, and the kind of interpolation.

    Both ends are the network's reconstructions of the two grooves, not the grooves themselves.

    Parameters
    ----------
    a, b
        Grooves of two bars, (32, 9), or names of songs in the songbook: two bars of their drummer's chorus.
    stops
        Number of grooves, both ends included; 2 to 60.
    seed
        If given, hits are sampled, with common random numbers at all stops; else they are thresholded at the preset's
        threshold.
    bpm
        The tempo.

    Raises
    ------
    ValueError
        If a groove has not two bars, or there are too few or too many stops.
    """
    if not 2 <= stops <= 60:
        raise ValueError(f"a walk has 2 to 60 stops, not {stops}")
    names = [end if isinstance(end, str) else text for end, text in ((a, "the first groove"), (b, "the second"))]
    ends = [two_bars(end) for end in (a, b)]

    @cache
    def walk() -> np.ndarray:
        """The grooves on the straight line, (stops, 32, 27)."""
        from drumlib.network.registry import pretrained

        network = pretrained("groove-vae")
        arrays = [end.to_array() for end in ends]
        if seed is None:
            return network.interpolate(*arrays, stops)
        corners = network.encode(np.stack(arrays))  # (2, Z)
        share = np.linspace(0, 1, stops, dtype=np.float32)[:, None]  # (stops, 1)
        line = (1 - share) * corners[0] + share * corners[1]  # (stops, Z)
        # One at a time, each with the same seed: common random numbers, so that only z changes.
        return np.concatenate([network.decode(z[None], seed=seed) for z in line])

    def play(stop: int, way: str) -> Take:
        grooves = [Groove.from_array(array) for array in walk()]
        first, last = grooves[0], grooves[-1]
        groove = grooves[stop] if way == LINE else cross_fade(first, last, stop / (stops - 1))
        hits = groove.hits > 0
        shared = [(hits & (end.hits > 0)).sum() for end in (first, last)]
        text = (
            f"{int(hits.sum())} hits: {shared[0]} are also in the reconstruction of {names[0]}, {shared[1]} in"
            f" that of {names[1]}, {int((hits & (first.hits == 0) & (last.hits == 0)).sum())} in neither"
        )
        return Take(groove, text, *shared_hits(groove, first, last, names))

    knobs = (
        Knob("stop", f"From {names[0]} to {names[1]}", tuple(range(stops)), texts=stop_texts(stops)),
        Knob("way", "Interpolation", (LINE, FADE), texts=("a straight line in the latent space", "a cross-fade")),
    )
    return Stage(f"From {names[0]} to {names[1]}", knobs, play, bpm=bpm)


def two_bars(groove: Groove | str) -> Groove:
    """A groove of 32 steps; of a song's name, the first two bars of its drummer's chorus. Raises ValueError."""
    if isinstance(groove, str):
        song = songbook.song(groove)
        groove = groove_of(song)[steps_of(song, chorus_of(groove), 2)]
    if len(groove) != STEPS:
        raise ValueError(f"a groove of two bars has {STEPS} steps, not {len(groove)}")
    return groove


def cross_fade(first: Groove, last: Groove, share: float) -> Groove:
    """Velocities (1 - share) * first and share * last; in each cell the louder of the two hits remains."""
    soft, loud = (1 - share) * first.velocities, share * last.velocities
    later = loud > soft
    velocities = np.where(later, loud, soft)
    hits = velocities * 127 >= 0.5  # MIDI's smallest velocity is 1
    return Groove(hits, velocities * hits, np.where(later, last.offsets, first.offsets) * hits)


def shared_hits(groove: Groove, first: Groove, last: Groove, names) -> tuple[np.ndarray, tuple[str, ...]]:
    """A picture, (3, steps): the share of each step's hits that is in the first groove, in the last, in neither."""
    hits, one, other = (each.hits > 0 for each in (groove, first, last))  # (steps, 9)
    parts = np.stack([hits & one, hits & other, hits & ~one & ~other]).sum(axis=-1)  # (3, steps)
    return parts / np.maximum(hits.sum(axis=-1), 1), (names[0], names[1], "new")


def stop_texts(stops: int) -> tuple[str, ...]:
    """The texts of the position knob."""
    return tuple(f"{i / (stops - 1):.0%} of the way" for i in range(stops))
