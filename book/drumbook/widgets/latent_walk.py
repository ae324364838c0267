"""A walk from one groove to another, through the latent space of the shipped groove VAE (Roberts et al. 2018).

The straight line between two points of that space is a groove at each stop. Beside it stands the cross-fade, which
only turns one groove down and the other up.
"""

from functools import cache

import numpy as np

from drumlib.display.excerpt import chorus_of, steps_of
from drumlib.display.widgets.stage import Knob, Stage, Take
from drumlib.music import STEPS_PER_BAR, Groove, groove_of, songbook

STEPS = 2 * STEPS_PER_BAR
"""The groove VAE learned from two bars at a time."""

LINE, FADE = "line", "fade"


def latent_walk(
    a: Groove | str = "rock", b: Groove | str = "bossa", stops: int = 9, seed: int | None = None, bpm: float = 120.0
) -> Stage:
    """A stage with the grooves on the way from one to another, and two knobs: where on the way, and which way.

    Both ends are what the network makes of the two grooves, not the grooves themselves.

    Parameters
    ----------
    a, b
        Grooves of two bars, (32, 9), or names of songs in the songbook: two bars of their drummer's chorus.
    stops
        How many grooves, both ends included; 2 to 60.
    seed
        If given, strokes are drawn from their probabilities, with the same luck at each stop, instead of cut at the
        preset's threshold.
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
        # One at a time, each with the same seed: what changes on the way is the place, not the luck.
        return np.concatenate([network.decode(z[None], seed=seed) for z in line])

    def play(stop: int, way: str) -> Take:
        grooves = [Groove.from_array(array) for array in walk()]
        first, last = grooves[0], grooves[-1]
        groove = grooves[stop] if way == LINE else cross_fade(first, last, stop / (stops - 1))
        mine = groove.hits > 0
        known = [(mine & (end.hits > 0)).sum() for end in (first, last)]
        text = (
            f"{int(mine.sum())} strokes: {known[0]} stand in the network's copy of {names[0]} too, {known[1]} in"
            f" that of {names[1]}, {int((mine & (first.hits == 0) & (last.hits == 0)).sum())} in neither"
        )
        return Take(groove, text, *whose(groove, first, last, names))

    knobs = (
        Knob("stop", f"From {names[0]} to {names[1]}", tuple(range(stops)), texts=stop_texts(stops)),
        Knob("way", "The way", (LINE, FADE), texts=("a straight line in the latent space", "a cross-fade")),
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
    """Both grooves at once, the first turned down as ``share`` goes from 0 to 1. In one cell, the louder is heard."""
    soft, loud = (1 - share) * first.velocities, share * last.velocities
    ours = loud > soft
    velocities = np.where(ours, loud, soft)
    hits = velocities * 127 >= 0.5  # MIDI knows nothing softer
    return Groove(hits, velocities * hits, np.where(ours, last.offsets, first.offsets) * hits)


def whose(groove: Groove, first: Groove, last: Groove, names) -> tuple[np.ndarray, tuple[str, ...]]:
    """A picture, (3, steps): which share of each step's strokes stands in the first groove, in the last, in neither."""
    mine, one, other = (each.hits > 0 for each in (groove, first, last))  # (steps, 9)
    parts = np.stack([mine & one, mine & other, mine & ~one & ~other]).sum(axis=-1)  # (3, steps)
    return parts / np.maximum(mine.sum(axis=-1), 1), (names[0], names[1], "new")


def stop_texts(stops: int) -> tuple[str, ...]:
    return tuple(f"{i / (stops - 1):.0%} of the way" for i in range(stops))
