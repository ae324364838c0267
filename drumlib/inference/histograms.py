"""From histograms to numbers: how the answers of the preset ``humanize`` are read out, in numpy.

The model answers with a histogram for every note's velocity and offset. Each way to make one number of it (a read-out)
has its price (``bench/results/humanize.json``):

- ``median``: the smallest error, note by note; but medians vary less than real drummers do;
- ``sample``: the velocities, timing and spread of real drummers; but of another performance than the one it is compared
  with, so the error is larger;
- ``spread-matched``: the median, moved away from the mean until the spread is that of real drummers. Nothing is
  sampled. It has the real spread, and loses most of the median's advantage in error.

Samples are not independent from note to note: a drummer who plays late now plays late in the next bar, too.
``correlated_noise`` samples one term for a whole performance, one for each drum, one for each place in the bar, and
only the rest for each note, in the shares of the variance that real performances have. The histograms stay the
marginal distributions of the notes: this is a Gaussian copula.
"""

import json
import math
import warnings
from functools import lru_cache

import numpy as np

from drumlib.inference.weights_file import shipped_file
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS

RANGES = {"velocities": (0.0, 1.0), "offsets": (-0.5, 0.5)}
"""Where the bins of each histogram begin and end: velocities are MIDI's / 127, offsets in steps, plus is late."""

READOUTS = ("sample", "median", "spread-matched")

OLD_READOUTS = {"draw": "sample", "middle": "median", "lively": "spread-matched"}
"""Read-outs of version 0.1. Their names work for one more release."""

VARIANCE_GROUPS = ("performance", "drum", "place", "note")
"""The notes that share a term of ``correlated_noise``: of a performance, of a drum in it, of this drum on one of the
16 places in the bar; the last term is each note's own."""


def current_readout(readout: str) -> str:
    """The present name of a read-out.

    Raises ValueError if there is none of this name. Warns (``FutureWarning``) if it is a name of version 0.1.
    """
    if readout in OLD_READOUTS:
        warnings.warn(f"the read-out {readout!r} is called {OLD_READOUTS[readout]!r} now", FutureWarning, stacklevel=3)
    readout = OLD_READOUTS.get(readout, readout)
    if readout not in READOUTS:
        raise ValueError(f"no read-out {readout!r}: there is {', '.join(READOUTS)}")
    return readout


def read_histograms(
    histograms: dict[str, np.ndarray],
    cells: np.ndarray,
    performance: np.ndarray,
    settings: dict,
    readout: str = "sample",
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """One number for each note: ``velocities`` and ``offsets``, (notes,) each.

    Parameters
    ----------
    histograms
        Of each of the two, (notes, K).
    cells
        The step and the drum of each note, int (notes, 2).
    performance
        The number of the performance that each note belongs to, int (notes,): noise is shared within it only.
    settings
        For each of the two, ``"shares"`` (for ``correlated_noise``) and ``"spread-matched"`` (for ``spread_matched``);
        those of the shipped weights are ``readout_settings()``.
    readout, seed
        A name of ``READOUTS``; the seed is of the samples.
    """
    readout, answers = current_readout(readout), {}
    for number, (name, own) in enumerate(histograms.items()):
        if readout == "sample":
            rng = np.random.default_rng([seed, number])
            noise = correlated_noise(cells, performance, settings[name]["shares"], rng)
            answers[name] = quantile(own, name, normal_cdf(noise))
        elif readout == "median":
            answers[name] = quantile(own, name, 0.5)
        else:
            answers[name] = spread_matched(own, name, cells[:, 1], **settings[name]["spread-matched"])
    return answers


def bin_edges(name: str, bins: int) -> np.ndarray:
    """The edges of the bins of ``"velocities"`` or ``"offsets"``: (bins + 1,)."""
    return np.linspace(*RANGES[name], bins + 1)


def quantile(histograms: np.ndarray, name: str, share: np.ndarray | float) -> np.ndarray:
    """The quantile ``share`` of each histogram (notes, K), interpolated linearly within its bin: (notes,)."""
    edges = bin_edges(name, histograms.shape[-1])  # (K + 1,)
    sums = np.cumsum(histograms, axis=-1, dtype=float)
    sums /= sums[:, -1:]
    share = np.broadcast_to(share, sums.shape[:1])
    bin_ = np.minimum((sums <= share[:, None]).sum(axis=-1), sums.shape[-1] - 1)  # (notes,)
    rows = np.arange(len(sums))
    before = np.where(bin_ > 0, sums[rows, np.maximum(bin_ - 1, 0)], 0.0)
    inside = (share - before) / np.maximum(sums[rows, bin_] - before, 1e-12)
    return edges[bin_] + np.clip(inside, 0, 1) * (edges[1] - edges[0])


def spread_matched(
    histograms: np.ndarray, name: str, drums: np.ndarray, sharpness: float, stretch: float, centres
) -> np.ndarray:
    """c + stretch * (m - c), with m the median of the sharpened histogram and c the drum's mean: (notes,).

    Sharpening raises the histogram (notes, K) to the power ``sharpness``: where a note may be straight or swung, the
    plain median is neither, and that of the sharpened histogram is one of them. ``centres`` has c for each drum,
    ``drums`` the drum of each note. Sharpness and stretch are those that reach the real spread at the smallest error on
    validation data.
    """
    centre = np.asarray(centres)[drums]  # (notes,)
    median = quantile(np.maximum(histograms, 1e-9) ** sharpness, name, 0.5)
    low, high = RANGES[name]
    return np.clip(centre + stretch * (median - centre), low, high - 1e-3)


def correlated_noise(
    cells: np.ndarray, performance: np.ndarray, shares: dict[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Standard normal noise, one number for each note, with a term for each of ``VARIANCE_GROUPS``: (notes,).

    ``shares`` has the share of the variance of each term; they sum to 1.
    """
    total = np.zeros(len(cells))
    for kind, group in zip(VARIANCE_GROUPS, variance_groups(cells, performance), strict=True):
        names, which = np.unique(group, return_inverse=True)
        total += math.sqrt(shares[kind]) * rng.standard_normal(len(names))[which]
    return total


def variance_groups(cells: np.ndarray, performance: np.ndarray) -> list[np.ndarray]:
    """The number of each note's group in each of ``VARIANCE_GROUPS``: four arrays (notes,)."""
    drum = performance * len(DRUMS) + cells[:, 1]
    return [performance, drum, drum * STEPS_PER_BAR + cells[:, 0] % STEPS_PER_BAR, np.arange(len(cells))]


def normal_cdf(x: np.ndarray) -> np.ndarray:
    """The cumulative distribution function of the standard normal distribution."""
    return np.vectorize(math.erf, otypes=[float])(np.asarray(x) / math.sqrt(2)) / 2 + 0.5


@lru_cache(maxsize=1)
def readout_settings() -> dict:
    """The settings of the shipped model's read-outs, from its card ``weights/humanize.json``."""
    path = shipped_file("humanize", "json")
    if not path.is_file():
        raise ValueError("no weights of the preset 'humanize' are shipped")
    return json.loads(path.read_text(encoding="utf-8"))["readout"]
