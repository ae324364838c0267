"""Humanizers are scored over played notes, and by how much they vary."""

import numpy as np
import pytest

from drumlib.data.groove_dataset import TwoBarWindows
from drumlib.evaluation import humanizers
from drumlib.evaluation.humanizers import timing_errors
from drumlib.network.groove.humanizer import RANGES, bin_edges


def two_windows() -> TwoBarWindows:
    """Two performances of two bars each: random strokes, early by 0.1 step or late by 0.3."""
    rng = np.random.default_rng(0)
    hits = rng.random((4, 32, 9)) < 0.2
    velocities = hits * rng.choice([0.25, 0.75], hits.shape)
    offsets = hits * rng.choice([-0.1, 0.3], hits.shape)
    grooves = np.concatenate([hits, velocities, offsets], axis=-1).astype(np.float32)
    return TwoBarWindows(grooves, np.array([100.0, 100.0, 150.0, 150.0]), np.array([3, 3, 8, 8]))


def notes_of(windows: TwoBarWindows) -> tuple:
    where = np.nonzero(windows.grooves[..., :9] > 0)
    return where, windows.grooves[..., 9:18][where], windows.grooves[..., 18:][where]


def test_who_plays_the_truth_has_no_error_and_all_the_spread():
    windows = two_windows()
    where, velocities, offsets = notes_of(windows)
    row = humanizers.scored(windows, where, [(velocities, offsets)])
    assert row["timing error, ms"] == row["velocity error"] == row["timing error squared, steps"] == 0
    assert row["timing spread"] == pytest.approx(1) and row["velocity spread"] == pytest.approx(1)
    assert row["timing error interval"] == [0, 0]


def test_errors_of_the_grid():
    windows = two_windows()
    where, _, offsets = notes_of(windows)
    row = humanizers.scored(windows, where, [(np.full(len(offsets), 0.5), np.zeros(len(offsets)))])
    known = timing_errors(windows, np.zeros(1))
    assert row["timing error, ms"] == pytest.approx(known["mae_ms"], abs=1e-4)
    assert row["timing error squared, steps"] == pytest.approx(known["mse"], abs=1e-4)
    assert row["velocity error"] == pytest.approx(0.25) and row["timing spread"] == row["velocity spread"] == 0
    assert row["timing error interval"][0] < row["timing error, ms"] < row["timing error interval"][1]


def test_histograms_stand_in_order_of_the_notes():
    windows = two_windows()

    class Numbered:
        """Says of each note its drum, as the bin of all its weight."""

        def histograms(self, hits, step_ms):
            heads = {name: np.zeros((*hits.shape, len(bin_edges(name, 16)) - 1)) for name in RANGES}
            for drum in range(9):
                for head in heads.values():
                    head[..., drum, drum] = 1
            return heads

    where, _, _ = notes_of(windows)
    for head in humanizers.histograms(Numbered(), windows).values():
        assert np.array_equal(head.argmax(axis=-1), where[2])


def test_unknown_humanizers_are_named():
    with pytest.raises(ValueError, match="no humanizer 'groove-vae': there is humanize"):
        humanizers.humanizer("groove-vae", None)
