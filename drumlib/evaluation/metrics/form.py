"""Form: structure longer than a bar, from the drums alone: repetition, fills, crashes, loops.

A drummer repeats a bar, and leaves it where a phrase ends: a fill, then a crash on the next bar's first step. Scores of
single cells do not measure that.

Conventions: a groove is cut into bars of 16 steps, counted from 0. All shares and similarities are in [0, 1]. A figure
that is undefined (the fills of a song without fills) is nan, so that a mean can leave it out.
"""

from collections.abc import Sequence

import numpy as np

from drumlib.evaluation.metrics.checks import check_groove
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import CRASH, HIGH_TOM, LOW_TOM, MID_TOM, SNARE

FILL_DRUMS = (SNARE, LOW_TOM, MID_TOM, HIGH_TOM)
"""The drums of fills; the kick and the cymbals keep time."""

MORE_HITS = 2
"""A fill has at least so many hits more than usual: one more may be a ghost note."""

FILL_SIMILARITY = 0.8
"""A fill is less similar to its neighbours than this. Of a beat of 12 hits, one moved leaves 0.92, three moved 0.75."""

NEIGHBOURS = 4
"""The bars on either side that say what is usual: half of a usual section of 8, for a chorus is no fill."""

SAME = 0.01
"""Mean similarities no further apart than this count as equal: one hit in a hundred."""


def bars_of(groove: Groove) -> np.ndarray:
    """A groove's hits bar by bar: bool (bars, 16, 9).

    Raises
    ------
    ValueError
        If the groove is not whole bars of hits of 0 and 1.
    """
    check_groove(groove)
    if len(groove) % STEPS_PER_BAR:
        raise ValueError(
            f"the groove has {len(groove)} steps, not whole bars of {STEPS_PER_BAR}: does it end within a bar?"
        )
    return groove.hits.astype(bool).reshape(-1, STEPS_PER_BAR, groove.hits.shape[1])  # (B, 16, 9)


def similarity(one_bar: np.ndarray, other_bar: np.ndarray) -> float:
    """Dice's coefficient of the hits of two bars (their F1): 2 x shared hits / all hits.

    Range [0, 1]: 1 is the same bar, 0 shares no hit. Two silent bars have 1. Unlike the share of equal cells it gives
    no credit for silence, and nine cells in ten are silent.

    Source: Dice (1945), "Measures of the amount of ecologic association between species".

    Raises
    ------
    ValueError
        If the shapes differ, or a value is neither 0 nor 1.
    """
    one_bar, other_bar = np.asarray(one_bar), np.asarray(other_bar)
    if one_bar.shape != other_bar.shape:
        raise ValueError(f"the bars have shapes {one_bar.shape} and {other_bar.shape}: are both hits (16, 9)?")
    for bar in (one_bar, other_bar):
        if not np.isin(bar, (0, 1)).all():
            raise ValueError("a bar holds other values than 0 and 1: are these probabilities or velocities?")
    return float(_similarities(one_bar.reshape(1, -1), other_bar.reshape(1, -1))[0, 0])


def self_similarity(groove: Groove) -> np.ndarray:
    """The self-similarity matrix: ``similarity`` of each bar to each, float (bars, bars), 1 on the diagonal.

    Source: Foote (1999), "Visualizing music and audio using self-similarity",
    with the hits of a bar in the place of a frame of sound.
    """
    bars = bars_of(groove)
    flat = bars.reshape(len(bars), -1)  # (B, 144)
    return _similarities(flat, flat)


def mean_self_similarity(groove: Groove) -> float:
    """The mean of ``self_similarity`` off the diagonal; nan under two bars.

    Range [0, 1]: 1 is one bar throughout. There is no best value: compare with the real drummer's.
    """
    matrix = self_similarity(groove)
    bars = len(matrix)
    return float((matrix.sum() - np.trace(matrix)) / (bars * (bars - 1))) if bars > 1 else float("nan")


def neighbour_similarity(groove: Groove) -> float:
    """The mean ``similarity`` of a bar to the next one (lag 1); nan under two bars."""
    lags = lag_similarity(groove, most=1)
    return float(lags[0]) if len(lags) else float("nan")


def fills(groove: Groove) -> np.ndarray:
    """The numbers of the bars that are fills, counted from 0, in order.

    A bar is a fill where both hold:

    - its second half has at least two hits more on the snare and the toms (``MORE_HITS``) than the median of
      its neighbours' second halves: fills lead to the bar line;
    - its similarity to the prevailing bar is below 0.8 (``FILL_SIMILARITY``): it leaves the beat. The prevailing bar
      has the hits that more than half of the neighbours have.

    Its neighbours are the four bars before and the four behind it (``NEIGHBOURS``), itself left out: a chorus that is
    played on other drums than the verse is not one long fill. A fill with fewer hits, or one on cymbals, is
    not found.

    Source: Tamagnan & Yang (2019), "Drum fills detection and generation", observe that fills use toms, snares or
    cymbals more than the regular pattern, and differ from it. The two numbers, and the bar's second half, are ours.
    """
    bars = bars_of(groove)
    busy = bars[:, STEPS_PER_BAR // 2 :, list(FILL_DRUMS)].sum(axis=(1, 2))  # (B,)
    found = []
    for i in range(len(bars)):
        near = [j for j in range(max(0, i - NEIGHBOURS), min(len(bars), i + NEIGHBOURS + 1)) if j != i]
        if not near or busy[i] < np.median(busy[near]) + MORE_HITS:
            continue
        prevailing = bars[near].mean(axis=0) > 0.5  # (16, 9)
        if similarity(bars[i], prevailing) < FILL_SIMILARITY:
            found.append(i)
    return np.array(found, dtype=np.int64)


def fills_at_phrase_ends(groove: Groove, bars: Sequence[int] = (2, 4, 8), first: int = 0) -> dict[int, float]:
    """The share of fills in the last bar of a phrase, for phrases of 2, 4, 8 bars counted from bar ``first``.

    Range [0, 1]; nan in a song without fills. Fills at random give 1/2, 1/4, 1/8. After an intro of four
    bars the phrases of eight begin on bar 4: give ``first``, or fills at every phrase's end count as 0. Source:
    Tamagnan & Yang (2019) observe that fills come at the end of a cycle of four or eight bars.

    Raises
    ------
    ValueError
        If a phrase has less than one bar.
    """
    if any(length < 1 for length in bars):
        raise ValueError(f"phrases of {tuple(bars)} bars: a phrase has at least one bar")
    where = fills(groove)
    return {length: _share((where - first) % length == length - 1) for length in bars}


def crashes(groove: Groove, section_starts: Sequence[int] | None = None) -> float:
    """The share of crashes on a bar's first step, or of section starts with a crash.

    Without ``section_starts``: the share of crashes that are on a bar's first step; nan without a crash.
    With them (bars, counted from 0): the share of these bars that have a crash on their first step; nan without any.
    Range [0, 1]. A crash in every bar gives 1 in both: look at the number of crashes as well.

    Raises
    ------
    ValueError
        If a section starts outside the groove.
    """
    struck = bars_of(groove)[:, :, CRASH]  # (B, 16)
    if section_starts is None:
        return _share(np.nonzero(struck)[1] == 0)
    starts = np.asarray(section_starts, dtype=np.int64)
    if len(starts) and not (0 <= starts.min() and starts.max() < len(struck)):
        raise ValueError(
            f"sections start in bars {starts.min()} to {starts.max()}, the groove has {len(struck)} bars: "
            "are these steps, or bars counted from 1?"
        )
    return _share(struck[starts, 0])


def lag_similarity(groove: Groove, most: int = 16) -> np.ndarray:
    """Mean ``similarity`` of bars 1, 2, ... ``most`` bars apart: float (lags,).

    Lags of more than half the groove are left out: they have too few pairs.
    """
    matrix = self_similarity(groove)
    lags = range(1, min(most, len(matrix) // 2) + 1)
    return np.array([np.diagonal(matrix, lag).mean() for lag in lags])


def loop_length(groove: Groove, most: int = 16) -> float:
    """The period of the drums in bars: the smallest lag whose mean similarity is the highest, to within 0.01.

    In bars, a whole number in [1, most]; nan under two bars. One bar for ever gives 1; a groove of four bars with a
    fill in the fourth gives 4. The lag is that of an autocorrelation of bars (Foote & Uchihashi 2001, "The beat
    spectrum").

    Raises
    ------
    ValueError
        If ``most`` is not positive.
    """
    if most < 1:
        raise ValueError(f"most = {most}: a loop has at least one bar")
    means = lag_similarity(groove, most)
    return float(np.argmax(means >= means.max() - SAME) + 1) if len(means) else float("nan")


def _similarities(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """F1 of the hits of each row of one array and each of another: (m, cells), (n, cells) -> (m, n)."""
    ones, others = ones.astype(np.float64), others.astype(np.float64)
    hits = ones.sum(axis=1)[:, None] + others.sum(axis=1)[None]  # (m, n)
    return np.where(hits > 0, 2 * (ones @ others.T) / np.maximum(hits, 1), 1.0)  # (m, n)


def _share(true: np.ndarray) -> float:
    return float(np.mean(true)) if len(true) else float("nan")
