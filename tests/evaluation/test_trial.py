"""The protocol on windows, with networks whose scores are known; and confidence intervals."""

from types import SimpleNamespace

import numpy as np
import pytest

from drumbook.window_trial import (
    AVERAGE,
    ORACLE,
    compare_on_windows,
    counts_by_song,
    oracle_bars,
    window_baselines,
)
from drumlib.data.grid_song import grid_song
from drumlib.data.windows import Windows
from drumlib.evaluation.statistics import bootstrap, paired_f1_difference
from drumlib.evaluation.thresholds import best_f1_threshold
from drumlib.music import songbook


@pytest.fixture(scope="module")
def windows():
    return Windows([grid_song(songbook.song(name)) for name in ("rock", "funk")])


class Listener:
    """Knows by heart which drums go with which band, if ``listens``; else plays the first song's drums to any band."""

    preset = SimpleNamespace(loss="masked")

    def __init__(self, windows, listens=True):
        given = windows.batch(range(len(windows)))
        self.known = {bass.tobytes(): drums for bass, drums in zip(given["bass"], given["drums"], strict=True)}
        self.first, self.listens = given["drums"][0], listens

    def __call__(self, inputs, training=False):
        return {name: inputs["drums"][..., :9] * 0.9 for name in ("hits", "velocities", "offsets")}

    def generate(self, band, sampler=None):
        played = np.stack([self.known[bass.tobytes()] if self.listens else self.first for bass in band["bass"]])
        heads = dict(zip(("hits", "velocities", "offsets"), np.split(played, 3, axis=-1), strict=True))
        return heads if sampler is None else sampler(heads)


def test_a_network_that_depends_on_the_band_has_a_conditioning_gain(windows):
    found = compare_on_windows(Listener(windows), windows, windows)
    assert found["teacher-forced"]["f1"] == 1
    known = found["free-running"]["f1"]  # of two windows with the same bass, it knows the drums of one only
    assert 0.95 < known < 1
    assert found["songs"] == 2 and found["notes"] > 1000
    assert found["mismatched band"]["f1"] < 0.9
    assert found["conditioning gain"]["value"] == pytest.approx(known - found["mismatched band"]["f1"], abs=0.01)
    assert found["conditioning gain"]["low"] > 0.1
    assert found["sampled"]["density, interval over songs"]["value"] == pytest.approx(1, abs=0.01)


def test_a_network_that_ignores_the_band_has_none(windows):
    gain = compare_on_windows(Listener(windows, listens=False), windows, windows)["conditioning gain"]
    assert gain == {"value": 0, "low": 0, "high": 0}


def test_the_baselines_and_a_paired_difference(windows):
    rows = window_baselines(windows, windows, windows)
    assert 0.3 < rows["rock beat"]["f1"] < rows["bar before (teacher-forced)"]["f1"] < 1
    perfect = [[hits, 0, 0] for hits in per_song_notes(windows)]
    lead = paired_f1_difference(perfect, rows["counts"][AVERAGE])
    assert lead["value"] == pytest.approx(1 - rows[AVERAGE]["f1"])
    assert 0 < lead["low"] <= lead["value"] <= lead["high"]
    assert rows[ORACLE]["f1"] > rows[AVERAGE]["f1"]  # it knows more


def test_the_oracle_knows_one_bar_of_each_song():
    truth = np.zeros((3, 128, 9), dtype=bool)
    truth[0, ::4, 0] = truth[1, ::4, 0] = truth[2, ::2, 1] = True  # two windows of one song, one of another
    truth[1, 3, 5] = True  # once: not in its bar
    played = oracle_bars(Windows([None] * 2, np.array([[0, 0], [0, 1], [1, 0]])), truth)
    assert (played != truth).sum() == 1 and not played[1, 3, 5]


def per_song_notes(windows) -> list[int]:
    numbers = windows.index[:, 0]
    hits = windows.batch(range(len(windows)))["drums"][..., :9].sum(axis=(1, 2))
    return [int(hits[numbers == song].sum()) for song in np.unique(numbers)]


def test_counts_by_hand():
    windows = Windows([None] * 4, np.array([[0, 0], [0, 1], [3, 0]]))
    truth, played = np.zeros((2, 3, 128, 9), dtype=bool)
    truth[0, 0, 0] = truth[1, 0, 0] = played[0, 0, 0] = played[2, 5, 1] = True
    cells = 128 * 9
    counts = counts_by_song(windows, truth, played)
    assert counts.tolist() == [[1, 0, 1, 2 * cells - 2], [0, 1, 0, cells - 1]]
    first = counts_by_song(windows, truth, played, np.array([True, False, True]))
    assert first.tolist() == [[1, 0, 0, cells - 1], [0, 1, 0, cells - 1]]


def test_the_best_threshold():
    truth = np.array([True, True, False, False])
    assert 0.39 < best_f1_threshold(np.array([0.9, 0.5, 0.39, 0.1]), truth) < 0.5


def test_intervals():
    counts = np.random.default_rng(0).normal(3, 1, size=(400, 1))
    one = bootstrap(counts, lambda total: total[0] / 400)
    assert one["value"] == pytest.approx(counts.mean())
    assert one["high"] - one["low"] == pytest.approx(2 * 1.96 * counts.std() / 20, rel=0.1)
    assert one == bootstrap(counts, lambda total: total[0] / 400)
    with pytest.raises(ValueError, match="no songs"):
        bootstrap(counts[:0], lambda total: 0.0)
