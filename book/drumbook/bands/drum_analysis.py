"""Analysis of a drum performance: loudness of each voice, timing, swing, marked bar lines, sections. No randomness."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from drumlib.data.corpus.sources import UnusableSongError
from drumlib.music import STEPS_PER_BAR, STEPS_PER_BEAT, Grid, Song, groove_of
from drumlib.music.kit import CLOSED_HAT, CRASH, HIGH_TOM, KICK, LOW_TOM, OPEN_HAT, RIDE, SNARE

MIN_BARS = 4
"""Shorter performances are refused: they have no phrases to tell apart."""

TURN = 0.5
"""A bar line that is marked at least this much may begin a section, and a new chord."""

USUAL = 0.62
"""A typical drummer's loudness: the root mean square of the velocities, in [0, 1]."""

LONGEST_SECTION = 16
"""A section ends after this many bars even if no bar line is marked."""


@dataclass(frozen=True)
class DrumSection:
    """A section: its first bar, its number of bars, and whether it is a chorus (louder than most)."""

    bar: int
    bars: int
    chorus: bool


@dataclass(frozen=True, eq=False)
class DrumAnalysis:
    """What the composition of a band uses of a drum performance. Velocities are in [0, 1]; steps are sixteenths.

    Attributes
    ----------
    bars : the number of bars up to the last hit.
    last : the step of the last hit.
    voices : the velocities that a player can follow, each (16 * bars,), 0 without a hit: ``"kick"``, ``"snare"``,
        ``"time"`` (hats and ride), ``"accents"`` (kick, snare and crash).
    crash : the velocities of the crashes, (16 * bars,).
    pocket : the offset at which a player is in time with the drummer, in steps, positive is late: (16 * bars,).
    swings : whether the off-beat is on the fourth sixteenth of a beat instead of the third.
    level : the drummer's loudness relative to ``USUAL``: the band must not drown the drums.
    energy : the loudness of each bar, 1 on average: (bars,).
    turns : how much the beginning of each bar is marked, by a crash on it or a fill before it, 0 to 1: (bars,).
    sections : all bars, in sections that begin at marked bar lines.
    """

    bars: int
    last: int
    voices: dict[str, np.ndarray]
    crash: np.ndarray
    pocket: np.ndarray
    swings: bool
    level: float
    energy: np.ndarray
    turns: np.ndarray
    sections: tuple[DrumSection, ...]


class DrumsError(UnusableSongError):
    """Drums to which no band can be composed."""

    reason = "no band can be composed to it"


def analyse_drums(song: Song, drum_of_pitch: Mapping[int, int]) -> DrumAnalysis:
    """Analyse a performance.

    Raises
    ------
    DrumsError
        If it has no drums, is shorter than ``MIN_BARS`` bars, or is not in 4/4 throughout.
    """
    grid = Grid(song)
    groove = groove_of(song, grid, drum_of_pitch)
    hits = np.flatnonzero(groove.hits.any(axis=1))  # steps with a hit
    name = song.name or "the performance"
    if not len(hits):
        raise DrumsError(f"{name}: it has no drums")
    bars = int(hits[-1]) // STEPS_PER_BAR + 1
    if set(grid.odd_bars) & set(grid.bars[:bars]):
        raise DrumsError(f"{name}: it is not in 4/4 throughout")
    if bars < MIN_BARS:
        raise DrumsError(f"{name}: {bars} bar{'s' * (bars > 1)} of drums; a band needs {MIN_BARS}")
    loud = groove.velocities[: bars * STEPS_PER_BAR].astype(float)  # (steps, 9)
    offsets = groove.offsets[: bars * STEPS_PER_BAR].astype(float)
    pocket = _pocket(loud, offsets)
    by_beat = (
        (loud > 0).any(axis=1).reshape(-1, STEPS_PER_BEAT).mean(axis=0)
    )  # the share of beats with a hit on each sixteenth
    energy = loud.reshape(bars, -1).sum(axis=1)
    turns = _turns(loud)
    energy = energy / energy.mean()
    return DrumAnalysis(
        bars=bars,
        last=int(hits[-1]),
        voices={
            "kick": loud[:, KICK],
            "snare": loud[:, SNARE],
            "time": loud[:, [CLOSED_HAT, OPEN_HAT, RIDE]].max(axis=1),
            "accents": loud[:, [KICK, SNARE, CRASH]].max(axis=1),
        },
        crash=loud[:, CRASH],
        pocket=pocket,
        swings=bool(by_beat[3] > max(by_beat[1], by_beat[2])),
        level=min(1.1, max(0.55, float(np.sqrt((loud[loud > 0] ** 2).mean())) / USUAL)),
        energy=energy,
        turns=turns,
        sections=_sections(turns, energy),
    )


def _pocket(loud: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The offset of the drummer's time on each step, (steps,).

    On a step with hits, mostly their mean offset (the kick weighs most, since the bass follows it). Elsewhere, the
    usual offset of this sixteenth of the beat (the swing) plus the mean deviation nearby (the drift).
    """
    weights = (loud > 0) * np.where(np.arange(loud.shape[1]) == KICK, 3.0, 1.0)  # (steps, 9)
    weight = weights.sum(axis=1)
    here = np.divide((weights * offsets).sum(axis=1), weight, out=np.zeros(len(weight)), where=weight > 0)
    usual = np.zeros(STEPS_PER_BEAT)
    for part in range(STEPS_PER_BEAT):
        own = weight[part::STEPS_PER_BEAT]
        usual[part] = (own * here[part::STEPS_PER_BEAT]).sum() / (own.sum() + 1)
    usual = np.tile(usual, len(weight) // STEPS_PER_BEAT)
    around = np.ones(2 * STEPS_PER_BEAT * 2 + 1)  # two beats before and two after
    drift = np.convolve(weight * (here - usual), around, "same") / (np.convolve(weight, around, "same") + 1)
    return np.where(weight > 0, 0.8 * here + 0.2 * (usual + drift), usual + drift)


def _turns(loud: np.ndarray) -> np.ndarray:
    """How much each bar's beginning is marked, (bars,): by the velocity of a crash, or by a fill before it."""
    bars = len(loud) // STEPS_PER_BAR
    crash = np.concatenate([[0], loud[:, CRASH]])[:-1] + loud[:, CRASH]  # a crash on a step, or on the one before it
    crash = np.minimum(1, crash[::STEPS_PER_BAR] * 1.4)
    second_half = loud.reshape(bars, 2, STEPS_PER_BAR // 2, -1)[:, 1] > 0
    toms = second_half[..., LOW_TOM : HIGH_TOM + 1].any(axis=-1).sum(axis=1)  # steps of each bar's second half
    snares = second_half[..., SNARE].sum(axis=1)
    fill = (toms - np.median(toms)) / 4 + (snares - np.median(snares)) / 6
    fill = np.clip(np.concatenate([[0], fill[:-1]]), 0, 1)
    return np.maximum(crash, fill)


def _sections(turns: np.ndarray, energy: np.ndarray) -> tuple[DrumSection, ...]:
    """Sections of at least four bars that begin where a bar line is marked, and of at most ``LONGEST_SECTION``."""
    starts = [0]
    for bar in range(1, len(turns)):
        length, left = bar - starts[-1], len(turns) - bar
        marked = turns[bar] >= TURN and (length % 4 == 0 or turns[bar] >= 0.8)
        if length >= 4 and left >= 2 and (marked or length == LONGEST_SECTION):
            starts.append(bar)
    ends = [*starts[1:], len(turns)]
    levels = [energy[start:end].mean() for start, end in zip(starts, ends, strict=True)]
    usual = float(np.median(levels))
    return tuple(
        DrumSection(start, end - start, bool(level > 1.02 * usual))
        for start, end, level in zip(starts, ends, levels, strict=True)
    )
