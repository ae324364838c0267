"""Ensemble: how the drums relate to the band.

Conventions: a groove is the drums, ``band`` a dict of piano rolls of the same steps, ``{"piano": ..., "guitar": ...,
"bass": ...}``, each (steps, 128), where what is not 0 is an onset. Bars have 16 steps. Shares are in [0, 1]; what the
music does not define (kicks with a silent bass) is nan, so that a mean can leave it out.

None of these needs a reference groove. Chance level is not 0: compare with the same drums and a mismatched band.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from drumlib.evaluation.metrics.checks import check_band
from drumlib.evaluation.metrics.form import bars_of
from drumlib.evaluation.metrics.groove import TIMEKEEPERS
from drumlib.music.grid import STEPS_PER_BAR, STEPS_PER_BEAT, Groove
from drumlib.music.kit import FAMILIES, KICK, SNARE

COMPING = ("piano", "guitar")
"""The families that play the chords, and with them the subdivision."""


class Locking(NamedTuple):
    """Kick and bass on the same steps: each in [0, 1], or nan."""

    kicks_with_bass: float
    bass_with_kicks: float
    f1: float


def onsets(roll: np.ndarray) -> np.ndarray:
    """The steps on which a part begins a note: bool (steps,)."""
    return (np.asarray(roll) != 0).any(axis=1)  # (steps, 128) -> (steps,)


def kick_with_bass(groove: Groove, band: Mapping[str, np.ndarray]) -> Locking:
    """Precision, recall and F1 of the kicks against the bass's onsets, step by step.

    - ``kicks_with_bass``: the share of kicks with a bass onset on the same step; nan without a kick;
    - ``bass_with_kicks``: the share of the bass's onsets (chords count once) with a kick; nan without a bass;
    - ``f1``: 2 x together / (kicks + onsets), nan if there is neither.

    Range [0, 1]. The definition is ours; what it measures is why the thesis's encoder hears a bass at all (4.2).
    """
    _check(groove, band, "bass")
    kicks, bass = groove.hits[:, KICK] > 0, onsets(band["bass"])  # (steps,)
    together, kicked, plucked = (int(x.sum()) for x in (kicks & bass, kicks, bass))
    return Locking(_ratio(together, kicked), _ratio(together, plucked), _ratio(2 * together, kicked + plucked))


def backbeat(groove: Groove) -> float:
    """The share of beats 2 and 4 (steps 4 and 12 of a bar) with a snare, over the bars where the drums play.

    Range [0, 1]; nan where they never play. Pop and rock are near 1; a bossa, a one-drop or a swing ride is not, and is
    none the worse for it: compare with the real drummer's. A snare on every step has 1 too. The definition is ours.
    """
    hits = bars_of(groove)  # (B, 16, 9)
    playing = hits.any(axis=(1, 2))  # (B,)
    snares = hits[playing][:, STEPS_PER_BEAT :: 2 * STEPS_PER_BEAT, SNARE]  # (playing, 2)
    return float(snares.mean()) if snares.size else float("nan")


def subdivision(steps: np.ndarray) -> np.ndarray:
    """The finest subdivision played in each bar: 4, 8 or 16, and 0 in a silent bar: int (bars,).

    A bar with onsets on odd steps moves in sixteenths (16); else one with onsets between the beats (steps 2, 6, 10, 14)
    in eighths (8); else in quarters (4). One stray onset does not count: it takes two in a bar.

    ``steps`` is bool (steps,).
    """
    bars = np.asarray(steps, dtype=bool).reshape(-1, STEPS_PER_BAR)  # (B, 16)
    sixteenths = bars[:, 1::2].sum(axis=1) >= 2
    eighths = bars[:, 2::4].sum(axis=1) >= 2
    return np.where(bars.any(axis=1), np.where(sixteenths, 16, np.where(eighths, 8, 4)), 0)


def hats_with_subdivision(groove: Groove, band: Mapping[str, np.ndarray]) -> float:
    """The share of bars where hats and ride have the same ``subdivision`` as piano and guitar together.

    Only bars where both play count; nan if there are none. Range [0, 1]. The definition is ours.
    """
    _check(groove, band, *COMPING)
    time = subdivision(groove.hits[:, list(TIMEKEEPERS)].any(axis=1))  # (B,)
    chords = subdivision(np.logical_or.reduce([onsets(band[family]) for family in COMPING]))  # (B,)
    both = (time > 0) & (chords > 0)
    return float((time == chords)[both].mean()) if both.any() else float("nan")


def density_following(groove: Groove, band: Mapping[str, np.ndarray]) -> float:
    """Pearson's correlation, over bars, of the number of hits and the number of the band's onsets.

    Hits are of all drums. The band's onsets are the steps on which each family begins a note, added up:
    a chord counts once, or a pianist's left hand would outweigh the bass. Range [-1, 1]; nan under two bars, or where
    drums or band play the same number in every bar. The definition is ours.
    """
    _check(groove, band, *FAMILIES)
    hits = bars_of(groove).sum(axis=(1, 2))  # (B,)
    notes = np.sum([onsets(band[family]) for family in FAMILIES], axis=0).reshape(-1, STEPS_PER_BAR).sum(axis=1)  # (B,)
    if len(hits) < 2 or np.ptp(hits) == 0 or np.ptp(notes) == 0:
        return float("nan")
    return float(np.corrcoef(hits, notes)[0, 1])


def _check(groove: Groove, band: Mapping[str, np.ndarray], *families: str) -> None:
    """Raise ValueError unless the families are there, each on the groove's own steps."""
    bars_of(groove)
    for family in families:
        if family not in band:
            raise ValueError(f"the band has no {family!r}, only {sorted(band)}")
    check_band({family: band[family] for family in families}, len(groove))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
