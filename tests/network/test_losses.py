"""The thesis's loss on hits, and what it does to probabilities."""

import numpy as np
import pytest

from drumlib.inference.calibration import calibrate
from drumlib.network.losses import squared_error, weighted_focal_loss


def loss(truth: float, probability: float) -> float:
    return float(weighted_focal_loss(np.array([truth], dtype=float), np.array([probability], dtype=float)))


@pytest.mark.parametrize(
    "truth, probability, expected",
    [
        (1, 0.5, 6 * 0.5 * np.log(2)),
        (0, 0.5, 2 * 0.5 * np.log(2)),
        (1, 0.9, 6 * 0.1 * -np.log(0.9)),
        (0, 0.9, 2 * 0.9 * -np.log(0.1)),
    ],
)
def test_known_losses(truth, probability, expected):
    assert loss(truth, probability) == pytest.approx(expected, rel=1e-5)


def test_certainty_costs_nothing_when_right_and_is_finite_when_wrong():
    assert loss(1, 1) == pytest.approx(0, abs=1e-5) and loss(0, 0) == pytest.approx(0, abs=1e-5)
    assert 10 < loss(1, 0) < 200


def test_it_is_a_mean_over_cells():
    assert float(weighted_focal_loss(np.array([1.0, 0]), np.array([0.5, 0.5]))) == pytest.approx(
        (loss(1, 0.5) + loss(0, 0.5)) / 2
    )


def test_squared_error():
    assert float(squared_error(np.array([0.0, 1]), np.array([0.5, 1]))) == pytest.approx(0.125)


@pytest.mark.parametrize("q", [0.05, 0.25, 0.5, 0.8])
def test_calibration_undoes_the_loss(q):
    """Among all answers p, the one that costs least where notes have probability q is calibrated to q."""
    p = np.linspace(0.001, 0.999, 9981)
    cost = q * 6 * (1 - p) * -np.log(p) + (1 - q) * 2 * p * -np.log(1 - p)
    assert float(calibrate(p[np.argmin(cost)])) == pytest.approx(q, abs=0.002)


def test_calibration_is_monotone_and_bounded():
    q = calibrate(np.linspace(0, 1, 101))
    assert (np.diff(q) > 0).all() and 0 <= q[0] < 1e-4 and 1 - 1e-4 < q[-1] <= 1
    assert float(calibrate(0.5)) == pytest.approx(0.25)
