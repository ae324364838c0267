"""Metrics for the thesis's claims about its network's playing (sections 5.2 and 5.3), one claim a function.

The thesis describes what its network played to one song. Here each sentence is a number that can be measured in any
groove, a real drummer's as well. The chapter "Analysis" shows them one by one.

Conventions: bars have 16 steps, beats are steps 0, 4, 8, 12. Velocities are in [0, 1] (MIDI over 127), offsets in
steps, plus is late. What is undefined (the late snares of a song without a snare) is nan, so that a mean can leave it
out. The definitions are ours.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from drumlib.evaluation import metrics
from drumlib.evaluation.metrics.form import bars_of
from drumlib.evaluation.statistics import mean_over_songs
from drumlib.music.grid import STEPS_PER_BAR, STEPS_PER_BEAT, Groove
from drumlib.music.kit import (
    CLOSED_HAT,
    CRASH,
    FAMILIES,
    HIGH_TOM,
    KICK,
    LOW_TOM,
    MID_TOM,
    OPEN_HAT,
    RIDE,
    SNARE,
)

BACKBEATS = (4, 12)
"""Where the "main snares" of a rock beat are: beats two and four."""

AUDIBLE_MS = 10.0
"""The thesis: micro-timing is "of the order of 10 to 20 milliseconds", and can be heard. Less is imperceptible."""

ONE_VELOCITY = 1 / 127
"""The smallest difference of MIDI velocities."""

SIDE = 4
"""Sections are compared by so many bars on either side of a border."""

APART = 8
"""Borders lie at least so many bars apart: a section is no shorter."""

PHRASE = 8
"""A border is compared with bars at the same place in a phrase of so many bars: every eighth bar is special anyway.

Most of all for the thesis's network, which plays windows of eight bars, independently of each other.
"""

# --- single notes -----------------------------------------------------------------------------------------------------


def late_snares(groove: Groove) -> float:
    """Thesis 5.2: "the main snares are imperceptibly late on the metronome".

    The mean offset of the snares on beats two and four, in steps. Range [-0.5, 0.5), plus is late.
    """
    place = np.arange(len(groove)) % STEPS_PER_BAR
    struck = (groove.hits[:, SNARE] > 0) & np.isin(place, BACKBEATS)  # (T,)
    return mean(groove.offsets[struck, SNARE])


def audible_lateness(groove: Groove, step_ms: float) -> float:
    """The same sentence's "imperceptibly": how far the main snares are from the grid on average, in milliseconds.

    The size of ``late_snares``, early or late. Range [0, step_ms / 2]. ``step_ms`` is how long a step lasts.
    """
    return abs(late_snares(groove)) * step_ms


def laid_back(groove: Groove) -> float:
    """Mean offset of the main snares minus that of the groove's own hats and kicks, in steps.

    Not a claim of the thesis. A groove that is early throughout, as with a click, can be laid back all the same. Range
    (-1, 1).
    """
    return metrics.laid_back(groove, others=(KICK, CLOSED_HAT))


def uneven_hats(groove: Groove) -> float:
    """Thesis 5.2: "the velocities of the hi-hats are not exactly constant".

    The standard deviation of the closed hat's velocities. Range [0, 0.5]; a drum machine has 0.
    """
    loud = groove.velocities[groove.hits[:, CLOSED_HAT] > 0, CLOSED_HAT].astype(float)  # or equal ones are not quite
    return float(loud.std()) if len(loud) > 1 else math.nan


def accented_beats(groove: Groove) -> float:
    """Thesis 5.2: of the hi-hats, "light accents are visible on the beats".

    The mean velocity of closed hats on a beat, less that of all others. Range [-1, 1].
    """
    struck = groove.hits[:, CLOSED_HAT] > 0
    on_beat = np.arange(len(groove)) % STEPS_PER_BEAT == 0  # (T,)
    loud = groove.velocities[:, CLOSED_HAT]
    return mean(loud[struck & on_beat]) - mean(loud[struck & ~on_beat])


def accented_doubles(groove: Groove, most: int = 2) -> float:
    """Thesis 5.2: in doubles of snare and kick, "a distinct accent on the note on the beat", the first or the second.

    A double is two notes of one drum, one on a beat and one not, at most ``most`` steps apart (an eighth), with none
    between. The mean velocity of its note on the beat, minus that of the other. Range [-1, 1].
    """
    gains = []
    for drum in (KICK, SNARE):
        struck = np.flatnonzero(groove.hits[:, drum])
        loud = groove.velocities[:, drum]
        for one, other in zip(struck[:-1], struck[1:], strict=True):
            if other - one <= most and (one % STEPS_PER_BEAT == 0) != (other % STEPS_PER_BEAT == 0):
                beat, off = (one, other) if one % STEPS_PER_BEAT == 0 else (other, one)
                gains.append(loud[beat] - loud[off])
    return mean(gains)


def louder_pillars(groove: Groove) -> float:
    """Thesis 5.2: a difference of volume between the main notes (kick, snare on the beats) and other drums' notes.

    The mean velocity of kicks and snares on beats, less that of toms, open hats and cymbals anywhere. Range [-1, 1].
    """
    on_beat = (np.arange(len(groove)) % STEPS_PER_BEAT == 0)[:, None]  # (T, 1)
    pillars, rest = [KICK, SNARE], [OPEN_HAT, LOW_TOM, MID_TOM, HIGH_TOM, RIDE, CRASH]
    main = groove.velocities[:, pillars][(groove.hits[:, pillars] > 0) & on_beat]
    return mean(main) - mean(groove.velocities[:, rest][groove.hits[:, rest] > 0])


# --- from bar to bar --------------------------------------------------------------------------------------------------


def changing_touch(groove: Groove) -> float:
    """Thesis 5.2: "the light variations (of timing and velocity) change a little from bar to bar".

    Of hits that come back in the next bar on the same drum and step: the mean absolute difference of velocity.
    Range [0, 1]; a drum machine has 0.
    """
    before, after = slice(None, -STEPS_PER_BAR), slice(STEPS_PER_BAR, None)
    again = (groove.hits[before] > 0) & (groove.hits[after] > 0)  # (T - 16, 9)
    return mean(np.abs(groove.velocities[after] - groove.velocities[before])[again])


def changing_notes(groove: Groove) -> float:
    """Thesis 5.2: "the rhythm is not constant in the course of the song, as a drum machine's would be".

    1 minus the F1 of the hits of neighbouring bars, averaged over pairs of bars, of which not both are
    silent. Range [0, 1]; a drum machine has 0.
    """
    bars = bars_of(groove)
    unlike = [unlikeness(one, other) for one, other in zip(bars[:-1], bars[1:], strict=True)]
    return mean([x for x in unlike if not math.isnan(x)])


def fill_hits(groove: Groove) -> np.ndarray:
    """Hits of toms, and of snares off the backbeat, on steps 8-15 of each bar: (bars,)."""
    ends = bars_of(groove)[:, STEPS_PER_BAR // 2 :]  # (B, 8, 9)
    hits = ends[..., [SNARE, LOW_TOM, MID_TOM, HIGH_TOM]].sum(axis=(1, 2))
    return hits - ends[:, BACKBEATS[1] - STEPS_PER_BAR // 2, SNARE]


def snare_doubles(groove: Groove) -> np.ndarray:
    """The number of snares of each bar with another one on the step before: (bars,)."""
    snare = groove.hits[:, SNARE] > 0  # (T,)
    return (snare & np.concatenate([[False], snare[:-1]])).reshape(-1, STEPS_PER_BAR).sum(axis=1)


def fills_end_phrases(groove: Groove, scored: Sequence[bool] | None = None, bars: int = 2) -> float:
    """Thesis 5.2: "the model sometimes generates little fills at the end of groups of two bars".

    Fill hits (``fill_hits``) of the last bar of a group, less those of its other bars. Groups are counted from
    the song's first bar. ``scored``, (bars,), says which bars count. In hits a bar; 0 for a drum machine.
    """
    hits = fill_hits(groove)
    scored = np.ones(len(hits), dtype=bool) if scored is None else np.asarray(scored, dtype=bool)
    last = np.arange(len(hits)) % bars == bars - 1
    return mean(hits[scored & last]) - mean(hits[scored & ~last])


def fill_profile(groove: Groove, scored: Sequence[bool] | None = None, bars: int = PHRASE) -> np.ndarray:
    """Fill hits by place in a group of bars, minus their mean: (bars,)."""
    hits = fill_hits(groove).astype(float)
    scored = np.ones(len(hits), dtype=bool) if scored is None else np.asarray(scored, dtype=bool)
    place = np.arange(len(hits)) % bars
    return np.array([mean(hits[scored & (place == i)]) for i in range(bars)]) - mean(hits[scored])


# --- along the song ---------------------------------------------------------------------------------------------------


def borders(rolls: dict[str, np.ndarray], side: int = SIDE, apart: int = APART) -> np.ndarray:
    """Section borders by the novelty of the band (Foote 2000): bars, counted from 0, in order.

    Our songs have no annotated sections. A bar's novelty is how unlike its
    band's rhythm is in the four bars from it and in the four before it (Foote 2000): cosine distance of onsets by
    instrument and sixteenth. Pitches are left out, as chords change every bar. Borders are the bars whose novelty is
    highest, as long as it is a standard deviation above the song's mean, and eight bars from any higher one.
    """
    novelty = unlike_sides(band_bars(rolls), side, cosine)
    known = np.isfinite(novelty)
    if not known.any():
        return np.zeros(0, dtype=np.int64)
    least = novelty[known].mean() + novelty[known].std()
    found: list[int] = []
    for bar in np.argsort(-np.where(known, novelty, -1), kind="stable"):
        if not known[bar] or novelty[bar] <= least:
            break
        if all(abs(bar - other) >= apart for other in found):
            found.append(int(bar))
    return np.array(sorted(found), dtype=np.int64)


def entrances(rolls: dict[str, np.ndarray], side: int = SIDE) -> np.ndarray:
    """Where an instrument enters after four bars of silence or more: bars, counted from 0, in order."""
    sounding = np.stack([rolls[family].any(axis=1).reshape(-1, STEPS_PER_BAR).any(axis=1) for family in FAMILIES])
    return np.array(
        [b for b in range(side, sounding.shape[1]) if (sounding[:, b] & ~sounding[:, b - side : b].any(axis=1)).any()],
        dtype=np.int64,
    )


def fills_before(groove: Groove, starts: Sequence[int], scored: Sequence[bool] | None = None) -> float:
    """Thesis 5.2: "the absence of transitional fills between the movements of the song".

    Fill hits (``fill_hits``) of the bar before a section starts, less those of other bars at the same place in
    a phrase of eight. In hits a bar: 0 is a groove that does not depend on the border.
    """
    return more_at(fill_hits(groove), np.asarray(starts) - 1, scored, near=0)


def doubles_before(groove: Groove, starts: Sequence[int], scored: Sequence[bool] | None = None) -> float:
    """Thesis 5.2: it "precedes certain movements (such as the arrival of an instrument)" with double snare hits.

    Snare doubles (``snare_doubles``) of the bar before, less those of other bars at the same place in a phrase.
    """
    return more_at(snare_doubles(groove), np.asarray(starts) - 1, scored, near=0)


def new_pattern(groove: Groove, starts: Sequence[int], scored: Sequence[bool] | None = None) -> float:
    """Thesis 5.2: "on the largest scale, the rhythm does not seem to change much".

    How unlike (0 to 1) the drums' average bar is in the four bars from a border and in the four before it, less the
    same at bars that are no border but at the same place in a phrase. Range [-1, 1]; 0 follows no section.
    """
    return more_at(unlike_sides(bars_of(groove), SIDE, unlikeness), starts, scored)


def new_cymbals(groove: Groove, starts: Sequence[int], scored: Sequence[bool] | None = None) -> float:
    """Thesis 5.2: "notably one sees no change of cymbals for the choruses".

    The same as ``new_pattern``, for the shares of time that closed hat, open hat, ride and crash keep. Range [-1, 1].
    """
    hits = bars_of(groove)[..., [CLOSED_HAT, OPEN_HAT, RIDE, CRASH]].sum(axis=1)  # (B, 4)
    return more_at(unlike_sides(hits, SIDE, other_shares), starts, scored)


def more_at(
    values: np.ndarray, places: Sequence[int], scored: Sequence[bool] | None = None, near: int = SIDE - 1
) -> float:
    """The mean difference of a bar's value at some bars to that at others in the same place of a phrase of eight.

    Others are scored bars more than ``near`` bars from any of them. A bar without any such is left out; nan if all are.
    """
    values = np.asarray(values, dtype=float)
    scored = np.ones(len(values), dtype=bool) if scored is None else np.asarray(scored, dtype=bool)
    places, bars, known = np.asarray(places, dtype=np.int64), np.arange(len(values)), np.isfinite(values) & scored
    if not len(places):
        return math.nan
    far = np.abs(bars[:, None] - places[None]).min(axis=1) > near  # (B,)
    gains = []
    for place in places:
        others = known & far & (bars % PHRASE == place % PHRASE)
        if 0 <= place < len(values) and known[place] and others.any():
            gains.append(values[place] - values[others].mean())
    return mean(gains)


# --- tools ------------------------------------------------------------------------------------------------------------


def mean(values) -> float:
    """The mean; nan, without a warning, of nothing."""
    values = np.asarray(values, dtype=float)
    return float(values.mean()) if values.size else math.nan


def band_bars(rolls: dict[str, np.ndarray]) -> np.ndarray:
    """The band's rhythm bar by bar: which of the three instruments begins a note on each step, (bars, 16, 3)."""
    return np.stack([rolls[family].any(axis=1) for family in FAMILIES], axis=-1).reshape(-1, STEPS_PER_BAR, 3) * 1.0


def unlike_sides(bars: np.ndarray, side: int, unlike: Callable) -> np.ndarray:
    """At each bar, how unlike the average of ``side`` bars from it is to that of those before: (bars,), nan at ends."""
    found = np.full(len(bars), np.nan)
    for i in range(side, len(bars) - side + 1):
        found[i] = unlike(bars[i - side : i].mean(axis=0), bars[i : i + side].mean(axis=0))
    return found


def unlikeness(one: np.ndarray, other: np.ndarray) -> float:
    """1 less what two bars share of their hits (F1; of averages, Bray-Curtis); nan if both are silent."""
    hits = one.sum() + other.sum()
    return float(1 - 2 * np.minimum(one, other).sum() / hits) if hits else math.nan


def other_shares(one: np.ndarray, other: np.ndarray) -> float:
    """Half the sum of the differences between two sets of shares (total variation); nan if either is empty."""
    if not one.sum() or not other.sum():
        return math.nan
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Cosine distance, [0, 1] for counts; 1 if one is silent and the other is not, nan if both are."""
    sizes = math.sqrt(float((one**2).sum())), math.sqrt(float((other**2).sum()))
    if not any(sizes):
        return math.nan
    return float(1 - (one * other).sum() / (sizes[0] * sizes[1])) if all(sizes) else 1.0


# --- claims and verdicts ----------------------------------------------------------------------------------------------

HOLDS, OPPOSITE, NOT_SHOWN, IN_PART, WRONG = "holds", "the opposite", "not shown", "holds in part", "does not hold"


@dataclass(frozen=True)
class Claim:
    """One sentence of the thesis, and how it is tested.

    Attributes
    ----------
    says : the sentence, translated and shortened.
    measure : the function that counts it.
    needs : what the function is given beside the groove: ``step_ms``, ``scored``, ``borders``, ``entrances``, nothing.
    unit : of the figure.
    rule : ``above`` or ``below`` a bar, or ``absent``, less than with real drummers.
    bar : what the whole interval has to be above, or below.
    """

    says: str
    measure: Callable[..., float]
    needs: str
    unit: str
    rule: str = "above"
    bar: float = 0.0

    def value(self, groove: Groove, scored: np.ndarray, rolls=None, step_ms: float = math.nan) -> float:
        """The figure of one song. ``scored``, (T,), are the steps that count; ``rolls`` is the band."""
        bars = scored.reshape(-1, STEPS_PER_BAR).any(axis=1)
        if self.needs == "scored":
            return self.measure(groove, bars)
        if self.needs in ("borders", "entrances"):
            starts = (borders if self.needs == "borders" else entrances)(rolls)
            return self.measure(groove, starts, bars)
        part = Groove(groove.hits[scored], groove.velocities[scored], groove.offsets[scored])
        return self.measure(part, step_ms) if self.needs == "step_ms" else self.measure(part)


CLAIMS = {
    "late snares": Claim("The main snares are late on the metronome", late_snares, "", "steps"),
    "imperceptibly": Claim("... imperceptibly so", audible_lateness, "step_ms", "ms", "below", AUDIBLE_MS),
    "uneven hats": Claim(
        "The velocities of the hi-hats are not exactly constant", uneven_hats, "", "velocity", bar=ONE_VELOCITY
    ),
    "accented beats": Claim("Light accents are visible on the beats", accented_beats, "", "velocity"),
    "accented doubles": Claim(
        "In doubles of snare and kick, a distinct accent on the note on the beat", accented_doubles, "", "velocity"
    ),
    "louder pillars": Claim(
        "Kicks and snares on the beats are louder than toms, open hats, cymbals", louder_pillars, "", "velocity"
    ),
    "changing touch": Claim(
        "The light variations change a little from bar to bar", changing_touch, "", "velocity", bar=ONE_VELOCITY
    ),
    "changing notes": Claim(
        "The rhythm is not constant, as a drum machine's would be", changing_notes, "", "share of hits"
    ),
    "fills every two bars": Claim(
        "It sometimes generates little fills at the end of groups of two bars", fills_end_phrases, "scored", "hits"
    ),
    "no transitions": Claim(
        "The absence of transitional fills between the movements", fills_before, "borders", "hits", "absent"
    ),
    "no new pattern": Claim(
        "On the largest scale, the rhythm does not seem to change much", new_pattern, "borders", "unlikeness", "absent"
    ),
    "no new cymbals": Claim(
        "One sees no change of cymbals for the choruses", new_cymbals, "borders", "unlikeness", "absent"
    ),
    "doubles before entrances": Claim(
        "It precedes the arrival of an instrument with double snare hits", doubles_before, "entrances", "doubles"
    ),
}
"""All claims, by a short name, in the order of the chapter."""


def over_songs(values: Sequence[float], seed: int = 0) -> dict | None:
    """The mean over songs, each counting once, with its interval (``intervals``); None if no song has one."""
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return None
    return {**mean_over_songs(values, seed), "songs": len(values)}


def verdict(claim: Claim, own: dict | None, real_minus_played: dict | None = None) -> str:
    """The verdict on a claim, from confidence intervals, by a fixed rule.

    Parameters
    ----------
    own
        The groove's figure, from ``over_songs``.
    real_minus_played
        The real drummers' figure minus it, song by song. Only claims that something is ``absent`` need it.

    Returns
    -------
    str
        ``above``, ``below``: "holds" if the interval is on that side of the bar; "the opposite" if it is on the other
        side; "not shown" if the bar lies within.

        ``absent``: where real drummers do significantly more, it "holds" if the own figure is not above zero, "holds in
        part" if it is. Where they do not, it "does not hold" if the own figure is above zero, and is "not shown" if it
        is not: absence of evidence is not evidence of absence.
    """
    if own is None or (claim.rule == "absent" and real_minus_played is None):
        return NOT_SHOWN
    if claim.rule == "absent":
        does, real_do_more = own["low"] > 0, real_minus_played["low"] > 0
        return (IN_PART if does else HOLDS) if real_do_more else (WRONG if does else NOT_SHOWN)
    low, high = own["low"] - claim.bar, own["high"] - claim.bar
    if claim.rule == "below":
        low, high = -high, -low
    return HOLDS if low > 0 else OPPOSITE if high < 0 else NOT_SHOWN
