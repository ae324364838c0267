"""The evaluation of humanizers: errors and spreads of velocities and offsets of notes whose hits are given.

By the protocol of GrooVAE (Gillick et al. 2019): the Groove MIDI Dataset's own split, beats in 4/4, windows of two
bars, a new one every bar; errors are of played notes. bench/humanize.py trains, and measures more.

An error is the distance to one real performance, and is lowest for the average of all. So beside it stands the
*spread*: the standard deviation over notes, as a share of the real drummers'. Quantized drums have none.
"""

import hashlib
import math
import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from drumlib.data.groove_dataset import TwoBarWindows, performances, two_bar_windows
from drumlib.evaluation.baselines.machines import VELOCITY, HumanizedMachine
from drumlib.evaluation.statistics import bootstrap
from drumlib.inference.histograms import READOUTS, read_histograms, readout_settings
from drumlib.music.kit import DRUMS

N = len(DRUMS)
BATCH = 256
SEEDS = 5
"""Samples of each randomized answer; its figures are means."""


def evaluate_humanizer(
    groove: str | os.PathLike,
    split: str = "test",
    preset: str = "humanize",
    weights: str | os.PathLike | None = None,
    seed: int = 0,
    progress: Callable = lambda items: items,
) -> dict:
    """The scores of a humanizer's readouts and of baselines on a split of the Groove MIDI Dataset.

    ``groove`` is its folder or its archive. The readouts have the settings of the shipped weights, chosen on the
    validation split. Raises ValueError or OSError if there are no data, no such preset, or no weights of it.
    """
    network = humanizer(preset, weights)
    if split == "all":
        raise ValueError("humanizers are scored on one split: train, validation or test")
    windows = two_bar_windows(progress(performances(groove, split, "beat", "4-4")))
    if not len(windows):
        raise ValueError(f"{groove}: no beats in 4/4 for {split} here")
    where = np.nonzero(windows.grooves[..., :N] > 0)  # window, step, drum
    cells, performance = np.stack(where[1:], axis=1), windows.performance[where[0]]
    found = histograms(network, windows, progress)
    rng, machine = np.random.default_rng(seed), HumanizedMachine
    jitters = rng.standard_normal((SEEDS, 2, len(cells)))
    baselines = {
        "quantized, constant velocity": [(np.full(len(cells), VELOCITY), np.zeros(len(cells)))],
        "i.i.d. noise": [(VELOCITY + machine.loud * x, machine.late * y) for x, y in jitters],
    }
    rows = {name: scored(windows, where, answers) for name, answers in baselines.items()}
    for readout in READOUTS:
        answers = []
        for one in range(seed, seed + (SEEDS if readout == "sample" else 1)):
            answer = read_histograms(found, cells, performance, readout_settings(), readout, one)
            answers.append((answer["velocities"], answer["offsets"]))
        rows[f"{preset}: {readout}"] = scored(windows, where, answers)
    words = f"--split {split} --preset {preset} --seed {seed}" + (" --weights WEIGHTS.npz" if weights else "")
    return {
        "what": "velocities and offsets of notes whose hits are given; Groove MIDI Dataset, beats in 4/4",
        "command": f"drumlib evaluate GROOVE --task humanize {words}",
        "data": {"sha256": hashlib.sha256(Path(groove).read_bytes()).hexdigest() if Path(groove).is_file() else None},
        "split": split,
        "preset": preset,
        "weights": "shipped" if weights is None else Path(weights).name,
        "seed": seed,
        "performances": len(np.unique(windows.performance)),
        "windows": len(windows),
        "notes": len(cells),
        "rows": rows,
        "versions": {name: version(name) for name in ("drumlib", "keras", "numpy", "mido")}
        | {"python": platform.python_version()},
    }


def humanizer(preset: str, weights: str | os.PathLike | None):
    """A humanizer with the shipped weights, or with others. Raises ValueError if there is none of that name."""
    from drumlib.network.groove.humanizer import HumanizerPreset
    from drumlib.network.registry import PRESETS, build
    from drumlib.network.weights import load_or_shipped

    known = [name for name, kind in PRESETS.items() if isinstance(kind, HumanizerPreset)]
    if preset not in known:
        raise ValueError(f"no humanizer {preset!r}: there is {', '.join(known)}")
    return load_or_shipped(build(preset), preset, weights)


def histograms(network, windows: TwoBarWindows, progress: Callable = lambda items: items) -> dict[str, np.ndarray]:
    """The network's distributions of all played notes, in order of window, step, drum: (notes, K) each."""
    parts: dict[str, list] = {}
    for first in progress(range(0, len(windows), BATCH)):
        hits = windows.grooves[first : first + BATCH, :, :N]  # (B, 32, 9)
        for name, heads in network.histograms(hits, windows.step_ms[first : first + BATCH]).items():
            parts.setdefault(name, []).append(heads[hits > 0])  # (B, 32, 9, K) -> (notes, K)
    return {name: np.concatenate(rows) for name, rows in parts.items()}


def scored(windows: TwoBarWindows, where: tuple, answers: list[tuple]) -> dict:
    """Errors and spreads of answers (velocities, offsets), each (notes,); means over several samples.

    The timing error's interval is by bootstrap over performances.
    """
    truth = [windows.grooves[..., k * N : (k + 1) * N][where].astype(float) for k in (1, 2)]
    ms, performance = windows.step_ms[where[0]], windows.performance[where[0]]
    rows, late = [], np.zeros(len(ms))
    for velocities, offsets in answers:
        missed = np.abs(offsets - truth[1])
        late += missed * ms / len(answers)
        rows.append(
            [
                (missed * ms).mean(),
                (missed**2).mean(),
                np.std(offsets) / truth[1].std(),
                np.abs(velocities - truth[0]).mean(),
                np.std(velocities) / truth[0].std(),
            ]
        )
    names = ("timing error, ms", "timing error squared, steps", "timing spread", "velocity error", "velocity spread")
    _, number = np.unique(performance, return_inverse=True)
    sums = np.stack([np.bincount(number, late), np.bincount(number)], axis=1)  # (performances, 2)
    interval = bootstrap(sums, lambda both: float(both[0] / both[1]))
    means = dict(zip(names, (round(float(x), 5) for x in np.mean(rows, axis=0)), strict=True))
    return {**means, "timing error interval": [round(interval["low"], 5), round(interval["high"], 5)]}


def table(results: dict) -> str:
    """The report to print."""
    lines = [
        f"{results['performances']} performances, {results['windows']:,} windows, {results['notes']:,} notes "
        f"({results['split']})",
        f"{'':28}{'timing ms':>10}{'spread':>9}{'velocity':>10}{'spread':>9}",
    ]
    for name, row in results["rows"].items():
        lines.append(
            f"{name:28}{row['timing error, ms']:10.2f}{row['timing spread']:9.0%}"
            f"{row['velocity error']:10.3f}{row['velocity spread']:9.0%}"
        )
    return "\n".join(lines)


def timing_errors(windows: TwoBarWindows, offsets: np.ndarray) -> dict[str, float]:
    """The errors of offsets over played notes.

    Parameters
    ----------
    windows
        The truth.
    offsets
        In steps, plus is late: shape (windows, 32, 9), or anything that broadcasts to it.

    Returns
    -------
    dict
        ``"mae_ms"``, the mean absolute error in milliseconds; ``"mse"``, the mean squared error in steps squared; and
        ``"notes"``, the number of notes. Without notes, the errors are nan.
    """
    hits, _, true = np.split(windows.grooves, 3, axis=-1)
    played = hits > 0
    missed = (np.broadcast_to(offsets, true.shape) - true)[played].astype(float)  # (notes,)
    if not len(missed):
        return {"mae_ms": math.nan, "mse": math.nan, "notes": 0}
    ms = np.broadcast_to(windows.step_ms[:, None, None], true.shape)[played]
    return {"mae_ms": float((np.abs(missed) * ms).mean()), "mse": float((missed**2).mean()), "notes": len(missed)}


def quantized_baseline(windows: TwoBarWindows) -> dict[str, float]:
    """``timing_errors`` of offsets of 0: the baseline that every model must beat."""
    return timing_errors(windows, np.zeros(1))
