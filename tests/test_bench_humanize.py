"""bench/humanize.py fits the shares of variance that correlated noise was made with."""

import importlib

import numpy as np
import pytest

from drumlib.inference.histograms import VARIANCE_GROUPS, correlated_noise, normal_cdf, quantile


@pytest.fixture(scope="module")
def bench(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "bench"))
        yield importlib.import_module("humanize")


def test_the_normal_distribution_there_and_back(bench):
    x = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(bench.normal_quantile(normal_cdf(x)), x, atol=0.01)
    assert normal_cdf(np.array([0.0, 1.959964])) == pytest.approx([0.5, 0.975], abs=1e-5)


def test_the_variance_shares_of_correlated_noise_are_estimated(bench):
    rng = np.random.default_rng(0)
    performance = np.repeat(np.arange(150), 120)
    cells = np.stack([rng.integers(0, 128, len(performance)), rng.integers(0, 4, len(performance))], axis=1)
    shares = {"performance": 0.3, "drum": 0.1, "place": 0.2, "note": 0.4}
    noise = correlated_noise(cells, performance, shares, rng)
    assert noise.std() == pytest.approx(1, abs=0.05)
    histogram = np.full((len(cells), 32), 1 / 32)
    truth = quantile(histogram, "velocities", normal_cdf(noise))
    found = bench.fit_shares(histogram, "velocities", truth, cells, performance)
    assert sum(found.values()) == pytest.approx(1, abs=1e-3)
    for name in VARIANCE_GROUPS:
        assert found[name] == pytest.approx(shares[name], abs=0.06)
