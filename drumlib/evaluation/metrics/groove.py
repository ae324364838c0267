"""Groove: density, syncopation, swing, timing and dynamics. Each is a property of one groove; none is right or wrong.

Conventions: a groove begins on a bar line; offsets are in steps, plus is late; velocities in [0, 1]. What is undefined
(the ghost notes of a groove without a snare) is nan, so that a mean can leave it out.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from drumlib.evaluation.metrics.checks import check_groove
from drumlib.music.grid import STEPS_PER_BAR, STEPS_PER_BEAT, Groove
from drumlib.music.kit import CLOSED_HAT, KICK, OPEN_HAT, RIDE, SNARE

TIMEKEEPERS = (CLOSED_HAT, OPEN_HAT, RIDE)
"""The drums that keep time."""

GHOST = 0.4
"""A snare note with a velocity below this (MIDI: 51) is a ghost note."""

STRENGTHS = np.array([0, -4, -3, -4, -2, -4, -3, -4, -1, -4, -3, -4, -2, -4, -3, -4])
"""The metrical weight of each step of a bar, from the bar line down to the sixteenth (Longuet-Higgins and Lee 1984)."""


class Spreads(NamedTuple):
    """Standard deviations over notes; nan where there is none."""

    velocity: float  # in [0, 1]
    offset: float  # in steps


def density(groove: Groove) -> float:
    """Notes a bar. Range [0, 144]; nan for a groove of no bar. (A usual rock beat has 12 to 16.)"""
    check_groove(groove)
    return float(groove.hits.sum()) / len(groove) * STEPS_PER_BAR if len(groove) else float("nan")


def syncopation(groove: Groove) -> float:
    """Longuet-Higgins and Lee's measure of syncopation (1984) of kick and snare, in points a bar.

    A note syncopates where the rest behind it, before the next note, holds a stronger step than its own: it counts as
    many points as that step is stronger (``STRENGTHS``). Points are added up and divided by the bars. Range from 0: no
    rest is stronger than the note before it. (A backbeat without a kick has up to 3: it leans on beats 3 and 1.) Hats
    are left out: they fill the gaps that make syncopation. Kick and snare are taken as one line; Witek et al. (2014)
    weigh them apart.
    """
    check_groove(groove)
    struck = (groove.hits[:, KICK] > 0) | (groove.hits[:, SNARE] > 0)  # (T,)
    places = np.flatnonzero(struck)
    bars = len(groove) / STEPS_PER_BAR
    if not bars:
        return float("nan")
    strengths, points = np.resize(STRENGTHS, len(groove)), 0
    for place, after in itertools.pairwise([*places, len(groove)]):
        rest = strengths[place + 1 : after]
        if len(rest):
            points += max(0, int(rest.max()) - int(strengths[place]))
    return float(points / bars)


def swing(groove: Groove) -> float:
    """The swing ratio: the first eighth of a beat over the second. 1 is straight, 2 the triplet's swing, 3 dotted.

    Looked at are beats in which hats or ride strike once between the beats, from half a step before the eighth
    on: at p steps behind the beat, the ratio is p / (4 - p); the median over all such beats, so that a stray note does
    not matter. On a grid of sixteenths, full swing is a note on the last sixteenth that comes a third of a step early.
    nan if there is none. (Friberg and Sundström 2002 measure jazz drummers' rides so.)
    """
    check_groove(groove)
    keepers = list(TIMEKEEPERS)
    struck = groove.hits[:, keepers] > 0  # (T, 3)
    beats = len(groove) // STEPS_PER_BEAT
    places = (np.arange(len(groove))[:, None] % STEPS_PER_BEAT + groove.offsets[:, keepers]) * struck  # (T, 3)
    count = struck.any(axis=1)[: beats * STEPS_PER_BEAT].reshape(beats, STEPS_PER_BEAT)  # (beats, 4)
    places = places.max(axis=1)[: beats * STEPS_PER_BEAT].reshape(beats, STEPS_PER_BEAT)  # (beats, 4)
    single = (count[:, 1:].sum(axis=1) == 1) & ~count[:, 1]
    p = np.where(count[:, 2], places[:, 2], places[:, 3])[single].astype(float)
    return float(np.median(p / (STEPS_PER_BEAT - p))) if len(p) else float("nan")


def laid_back(groove: Groove, others: Sequence[int] = (KICK,)) -> float:
    """Mean offset of the backbeat's snares minus mean offset of the kicks, in steps.

    ``others`` are the drums that they are compared with, if not with the kick alone.

    Range (-1, 1): plus is laid back, minus pushes; nan without either. The thesis sees its network's snares come late
    (5.2).
    """
    check_groove(groove)
    backbeat = np.isin(np.arange(len(groove)) % STEPS_PER_BAR, (4, 12))
    snares = groove.offsets[backbeat & (groove.hits[:, SNARE] > 0), SNARE]
    rest = groove.offsets[:, list(others)][groove.hits[:, list(others)] > 0]
    return float(snares.mean() - rest.mean()) if len(snares) and len(rest) else float("nan")


def spreads(groove: Groove) -> Spreads:
    """Standard deviations of velocity and offset around each drum's own mean.

    A snare that is always late by as much is steady. The mean square is taken over all notes. Machines have 0.
    """
    check_groove(groove)
    struck = groove.hits > 0
    notes = struck.sum(axis=0)  # (9,)
    if not notes.sum():
        return Spreads(float("nan"), float("nan"))
    found = []
    for values in (groove.velocities, groove.offsets):
        values = np.asarray(values, dtype=float)
        means = (values * struck).sum(axis=0) / np.maximum(notes, 1)  # (9,)
        found.append(float(np.sqrt((np.square(values - means) * struck).sum() / notes.sum())))
    return Spreads(*found)


def ghost_notes(groove: Groove) -> float:
    """The share of snare notes that are softer than ``GHOST`` and not on beats 2 and 4. Range [0, 1]; nan without."""
    check_groove(groove)
    snares = groove.hits[:, SNARE] > 0
    backbeat = np.isin(np.arange(len(groove)) % STEPS_PER_BAR, (4, 12))
    soft = groove.velocities[:, SNARE] < GHOST
    return float((soft & ~backbeat)[snares].mean()) if snares.any() else float("nan")


def accents(groove: Groove) -> float:
    """Mean velocity of hats and ride on the beat minus their mean velocity between beats, in [-1, 1].

    Only those that keep time are asked: kick and snare stand on beats anyway, and are louder. nan where they strike
    only on the beat, or only between. The thesis finds its network's accents on the beat (5.2).
    """
    check_groove(groove)
    struck = groove.hits[:, list(TIMEKEEPERS)] > 0  # (T, 3)
    loud = groove.velocities[:, list(TIMEKEEPERS)]
    on = (np.arange(len(groove)) % STEPS_PER_BEAT == 0)[:, None] & struck
    off = struck & ~on
    return float(loud[on].mean() - loud[off].mean()) if on.any() and off.any() else float("nan")
