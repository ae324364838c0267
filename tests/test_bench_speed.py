"""The benchmark of speed runs, counts the arithmetic rightly, and measures what it says it does."""

import importlib
import json

import numpy as np
import pytest

from drumlib.music import Grid, songbook
from drumlib.network.registry import build


@pytest.fixture(scope="module")
def bench(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "bench"))
        yield importlib.import_module("network_speed")


@pytest.mark.slow
def test_the_quick_run_writes_every_figure(bench, tmp_path, capsys):
    out = tmp_path / "speed.json"
    bench.main(["--quick", "--out", str(out)])
    results = json.loads(out.read_text())
    assert results["training"]["parameters"] == {"ours": 3_945_135, "thesis": 3_945_135}
    for clock in ("wall", "cpu"):
        assert results["training"][clock]["ours_against_thesis"]["median"] > 0
        assert 0 < results["arithmetic"][clock]["share_ours"]["median"] < 1
        assert 0 < results["arithmetic"][clock]["share_thesis"]["median"] < 1
    assert results["playing"]["song"]["combinations"] == 4
    assert results["playing"]["thesis"]["rhythms"] == 12
    assert results["playing"]["thesis"]["from_python"]["ours_against_it"]["median"] > 0
    assert list(results["length"]["seconds"]) == ["8", "16"]
    assert "--quick" in results["command"]  # nobody shall take these figures for the real ones
    assert "times as fast" in capsys.readouterr().out


def test_a_quick_run_never_replaces_the_results(bench, capsys):
    with pytest.raises(SystemExit):
        bench.main(["--quick"])
    assert "--out" in capsys.readouterr().err


def test_the_operations_are_those_of_the_layers(bench):
    network = build("thesis")
    forward = bench.forward_products(network)
    assert sum("kernel" in weight.path for weight in network.weights) == len(forward)  # none forgotten
    beat = 32 * 2 * 4 * 128 * 32  # 32 places, kernels of 4 steps and 128 pitches, 32 filters
    bar = 15 * 2 * 4 * 32 * 64
    memory = 2 * 15 * 2 * (64 + 200) * 4 * 200  # both ways, 15 places, four gates
    bottleneck = 2 * (1200 * 500 + 2 * 500 * 256)
    conductor = 4 * 2 * (512 * 4 * 256 + 256 * 512)  # with the embedding
    lower, upper, heads = (128 * 2 * size for size in ((283 + 256) * 1024, 512 * 1024, 3 * 256 * 9))
    total = 3 * (beat + bar + memory) + bottleneck + conductor + lower + upper + heads
    assert sum(forward.values()) == total
    products = bench.training_products(network)
    assert products["forward"] == total
    assert products["thesis"] == 3 * total - 3 * beat
    # the vector is projected once in 32 steps, three times (forward, weights, input); the drums need no gradient
    spared = 128 * 2 * 1024 * 256 * 31 // 32 * 3 + 128 * 2 * 1024 * 27
    assert products["ours"] == products["thesis"] - spared


@pytest.mark.slow
@pytest.mark.parametrize("bars", [1, 8, 100])
def test_a_song_is_repeated_to_the_bar(bench, bars):
    song = bench.repeated(songbook.song("funk"), bars)
    assert len(song.bars) == bars and len(Grid(song).bars) == bars
    assert song.end <= bars * 4 * song.ticks_per_beat
    once = songbook.song("funk")
    again = len(once.bars) * 4 * once.ticks_per_beat
    for before, after in zip(once.band, song.band, strict=True):
        ticks = (before.notes.ticks[:, None] + again * np.arange(2)).T.ravel()  # played twice
        np.testing.assert_array_equal(after.notes.ticks, ticks[: len(after.notes)])


def test_the_doubled_song_has_four_bands(bench):
    song = bench.doubled(songbook.song("funk"))
    assert [len(song.parts(family)) for family in ("piano", "guitar", "bass")] == [2, 2, 1]
    assert len({track.channel for track in song.band}) == 5
