"""Metrics over many songs: records averaged over songs; all bars of all songs as one set."""

from collections.abc import Sequence
from numbers import Real

import numpy as np

from drumlib.data.windows import Windows
from drumlib.evaluation.metrics import divergence, features, nearest_bars, overlap, record
from drumlib.evaluation.metrics.sets import all_bars
from drumlib.evaluation.songs import EvaluationSong
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import DRUMS


def records(songs: Sequence[EvaluationSong], played: Sequence[Groove]) -> list[dict]:
    """The metrics' record of every song, over its scored steps."""
    return [
        record.song_record(song.part(song.truth), song.part(groove), song.band(), song.step_seconds)
        for song, groove in zip(songs, played, strict=True)
    ]


def mean_record(rows: Sequence[dict]) -> dict:
    """Means over songs of all numbers of their records; None is left out."""
    found = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row[name] for row in rows if row.get(name) is not None]
        if values and all(isinstance(value, dict) for value in values):
            found[name] = mean_record(values)
        elif numbers := [float(v) for v in values if isinstance(v, Real) and np.isfinite(v)]:
            found[name] = round(float(np.mean(numbers)), 5)
    return found


def set_distances(songs: Sequence[EvaluationSong], played: Sequence[Groove], others: Sequence[EvaluationSong]) -> dict:
    """Overlap and divergence of the bars played to ``songs`` and the real drummers' bars of ``others``, by feature.

    Two sets of real drummers do not overlap fully either: see the row of the real drummers.
    """
    if not songs or not others:
        return {}
    own = features([song.part(groove) for song, groove in zip(songs, played, strict=True)])
    real_ones = features([song.part(song.truth) for song in others])
    shared = {name: overlap(own[name], real_ones[name]) for name in own}
    apart = {name: divergence(real_ones[name], own[name]) for name in own}
    return {
        "overlap": mean_number(shared.values()),
        "divergence": mean_number(apart.values()),
        "overlap by feature": {name: rounded(value) for name, value in shared.items()},
    }


def copied_bars(songs: Sequence[EvaluationSong], played: Sequence[Groove], learned: np.ndarray) -> dict:
    """The distances of the bars that were played to the nearest of the training bars ``learned``, (bars, 16, 9)."""
    bars = all_bars([song.part(groove) for song, groove in zip(songs, played, strict=True)])
    bars = bars[bars.any(axis=(1, 2))]  # a silent bar is no copy
    if not len(bars):
        return {}
    far = nearest_bars(bars, learned)
    return {"share of bars that are copies": rounded(np.mean(far == 0)), "cells from the nearest": rounded(far.mean())}


def training_bars(windows: Windows | None) -> np.ndarray | None:
    """The different bars that the drummers of training windows play, (bars, 16, 9); None without windows."""
    if windows is None:
        return None
    bars = np.concatenate(
        [windows.grid_songs[s].groove(i).hits.reshape(-1, STEPS_PER_BAR, len(DRUMS)) for s, i in windows.index[:, :2]]
    )
    return np.unique(bars.astype(np.uint8), axis=0)


def rounded(value: float) -> float | None:
    """A number to four digits; None where it is nan."""
    return round(float(value), 4) if np.isfinite(value) else None


def mean_number(values) -> float | None:
    """The mean, nan left out."""
    values = [value for value in values if np.isfinite(value)]
    return rounded(np.mean(values)) if values else None
