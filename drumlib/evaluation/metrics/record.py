"""The record of one song: all metrics of a groove beside the real drummer's, in a fixed order."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from drumlib.evaluation.metrics import ensemble, form, groove, hits
from drumlib.evaluation.metrics.checks import check_band, check_pair
from drumlib.music.grid import Groove

GROOVE: dict[str, Callable[[Groove], float]] = {
    "density": groove.density,
    "syncopation": groove.syncopation,
    "swing": groove.swing,
    "laid back": groove.laid_back,
    "velocity spread": lambda one: groove.spreads(one).velocity,
    "offset spread": lambda one: groove.spreads(one).offset,
    "ghost notes": groove.ghost_notes,
    "accents": groove.accents,
}
ENSEMBLE: dict[str, Callable[[Groove, Mapping[str, np.ndarray]], float]] = {
    "kick with bass": lambda one, band: ensemble.kick_with_bass(one, band).f1,
    "backbeat": lambda one, band: ensemble.backbeat(one),
    "hats with subdivision": ensemble.hats_with_subdivision,
    "density following": ensemble.density_following,
}
"""The properties that a record holds of both grooves, side by side."""


def song_record(
    truth: Groove, played: Groove, band: Mapping[str, np.ndarray] | None = None, step_seconds: float | None = None
) -> dict:
    """All metrics of one song: scores, errors, properties of both grooves.

    Parameters
    ----------
    truth, played
        The real drummer's groove and the one that is scored, whole bars on one grid.
    band
        ``piano``, ``guitar``, ``bass``: onsets, each (steps, 128). Without it, no metrics of the ensemble.
    step_seconds
        The length of a step. With it, the error of the offset is given in milliseconds, too.

    Returns
    -------
    dict, always in the same order, that can be written as JSON: numbers, None where a metric is undefined, and for
    properties ``{"real": ..., "played": ...}``.

    Raises
    ------
    ValueError
        If the grooves cannot be compared, or the band is on another grid.
    """
    check_pair(truth, played)
    record: dict = dict(hits.hit_scores(hits.confusion(truth.hits, played.hits))._asdict())
    record["tolerant f1"] = hits.tolerant_f1(truth, played)
    record["f1 by drum"] = {name: scores.f1 for name, scores in hits.by_drum(truth, played).items()}
    errors = hits.errors_on_shared(truth, played)
    record["velocity error"], record["offset error"] = errors.velocity, errors.offset
    record["offset error, ms"] = errors.offset * step_seconds * 1000 if step_seconds else None
    for name, of in GROOVE.items():
        record[name] = {"real": of(truth), "played": of(played)}
    real, own = form_of(truth), form_of(played)
    record |= {name: {"real": real[name], "played": own[name]} for name in real}
    if band is not None:
        check_band(band, len(truth))
        for name, of in ENSEMBLE.items():
            record[name] = {"real": of(truth, band), "played": of(played, band)}
    return _plain(record)


def form_of(one: Groove) -> dict[str, float]:
    """The properties of a groove's form. (Fills are searched for twice, not four times: they take longest.)"""
    ends = form.fills_at_phrase_ends(one)
    return {
        "self-similarity": form.mean_self_similarity(one),
        "similarity to the next bar": form.neighbour_similarity(one),
        "fills, share of bars": len(form.fills(one)) / max(1, len(form.bars_of(one))),
        **{f"fills at ends of {bars} bars": share for bars, share in ends.items()},
        "crashes on a bar's first step": form.crashes(one),
        "loop length": form.loop_length(one),
    }


def _plain(value):
    """Numbers for JSON: None where they are nan."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return None if value is None or not math.isfinite(value) else float(value)
