"""Train humanizers on the Groove MIDI Dataset, and score them by the protocol that GrooVAE's paper published.

    python bench/humanize.py --groove FOLDER_OR_ZIP --runs RUNS [--rows humanize-untold] [--ship]
    python bench/humanize.py --groove FOLDER_OR_ZIP --shipped

A row is a preset: ``humanize``, conditioned on the tempo; ``humanize-untold``, not conditioned on it, as the paper's;
``humanize-bottleneck``, on the tempo, through one z. All are trained alike on the training split's beats in 4/4
(windows of two bars). Runs lie in RUNS and are resumed; rows that are not made anew stay in the results as they are.
Epochs and the settings of all read-outs are chosen on the validation split; the test split is only scored. Writes
bench/results/humanize.json; with --ship also drumlib/weights/humanize.npz (float16), .json and .md. --shipped trains
nothing: it scores the weights that ship, and writes results and card anew.

What the rows mean. The model answers with a histogram for every note; a *read-out* makes one number of it:

- ``median``: its median. The smallest error, note by note, and too small a spread.
- ``mean``: its mean. The smallest squared error, and an even smaller spread.
- ``spread-matched``: the median of the sharpened histogram, moved away from the drum's mean. Nothing is sampled. Its two
  numbers are those that reach the real spread on the validation split at the smallest error.
- ``sample``: sampled, with noise that the notes of a performance, a drum and a place in the bar share. The figures are
  means over several seeds. It has the real spread, and the error of *another* performance, as good as the real one.
- ``sample, note by note``: the same with independent noise for each note: the same spread, but no common timing.

``spread`` is the standard deviation over played notes, as a share of the real drummers'. ``kl`` is the KL divergence of
the answers' histogram from the real one (nats; 40 bins of offset, 32 of velocity): whether the whole set of answers
looks real. The paper's own KL is computed differently, and is not comparable.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from statistics import NormalDist

import numpy as np
from evaluation import as_text
from grooves_trained import about, put_card, put_on_shelf, run_of, trained

from drumlib.data.groove_dataset import TwoBarWindows, performances, two_bar_windows
from drumlib.evaluation.humanizers import quantized_baseline, timing_errors
from drumlib.files import write_whole
from drumlib.inference.histograms import (
    RANGES,
    VARIANCE_GROUPS,
    bin_edges,
    correlated_noise,
    normal_cdf,
    quantile,
    spread_matched,
    variance_groups,
)
from drumlib.inference.weights_file import model_card
from drumlib.music.kit import DRUMS
from drumlib.network.groove.humanizer import HumanizerPreset
from drumlib.network.registry import PRESETS, pretrained
from drumlib.network.training_config import config_for

RESULTS = Path(__file__).parent / "results" / "humanize.json"
ROWS = [name for name, preset in PRESETS.items() if isinstance(preset, HumanizerPreset)]
SEEDS = 5
SPREAD = 0.95
"""The target of ``spread_matched`` on the validation split, as a share of the real spread: the least safely within 10 %."""
SHARPNESS = (1.0, 1.5, 2.0, 3.0, 5.0)
PUBLISHED = {
    "source": "Gillick et al. 2019, table of humanization, as quoted in the field; not checked against a copy here",
    "linear": {"mae_ms": 19.77, "mse": 0.033},
    "MLP": {"mae_ms": 19.25, "mse": 0.032},
    "KNN": {"mae_ms": 22.34, "mse": 0.043},
    "Seq2Seq": {"mae_ms": 18.80, "mse": 0.032},
    "VIB": {"mae_ms": 24.49, "mse": 0.051},
}

# ruff: noqa: E501 (the rows of a Markdown table are as long as they are)
CARD = """# Model card: `humanize`

GrooVAE's humanization (Gillick et al. 2019), with a distribution for every note: from the hits on two bars of sixteenths,
and the tempo, it predicts the velocity and the offset of each note. {parameters:,} parameters. Weights:
`humanize.npz`, float16. Every figure here is in `humanize.json`, and was written by `bench/humanize.py`.

## Training

| | |
| --- | --- |
| data | Groove MIDI Dataset 1.0.0 (Gillick et al. 2019), Google LLC, CC BY 4.0; beats in 4/4, its own split. Nothing of it is in this repository. A collection's licence is not each performance's: none is told for these one by one |
| windows | {train:,} to train on and {validation:,} to validate on: two bars each, a new one every bar |
| command | `{command}` |
| ended | after epoch {epochs}; the weights are those of epoch {best} |
| versions | {versions} |

## Held-out scores

{test:,} windows of the test split, {notes:,} notes, the paper's protocol. Errors over played notes; spread is the standard
deviation as a share of the real drummers'.

| | timing error ms | squared, steps | timing spread | velocity error | velocity spread |
| --- | --- | --- | --- | --- | --- |
{rows}

The *median* has the smallest error, and too small a spread. A *sample* (what `humanize` plays) varies as real drummers
do, and is another performance than the one it is compared with, so its error must be larger. The *spread-matched*
median is one answer between the two. Published, as quoted and not checked here: Seq2Seq {seq2seq:.2f} ms, VIB {vib:.2f} ms; theirs were
not conditioned on the tempo.

## What it is good for, and what not

To give a quantized drum part in 4/4 the velocities and timing of a drummer. It knows ten drummers on one electronic kit, who played to a click;
they are early by some 9 ms on average, and so is it. The weights are offered under MIT, as the rest of the project; credit
for the data: Gillick, Roberts, Engel, Eck, Bamman, "Learning to Groove with Inverse Sequence Transformations", ICML 2019.
"""


class Notes:
    """The played notes of windows, one row each: their cells, and their true velocities and offsets."""

    def __init__(self, windows: TwoBarWindows):
        self.windows = windows
        self.where = np.nonzero(windows.grooves[..., : len(DRUMS)] > 0)
        window, step, drum = self.where
        self.cells = np.stack([step, drum], axis=1)  # (notes, 2)
        self.performance = windows.performance[window]
        _, velocities, offsets = np.split(windows.grooves, 3, axis=-1)
        self.truth = {"velocities": velocities[self.where].astype(float), "offsets": offsets[self.where].astype(float)}
        self.places = self.cells[:, 1] * 16 + self.cells[:, 0] % 16

    def found(self, network) -> dict[str, np.ndarray]:
        """The network's histograms of these notes: (notes, K)."""
        parts = {name: [] for name in RANGES}
        for first in range(0, len(self.windows), 256):
            grooves = self.windows.grooves[first : first + 256]
            hits = grooves[..., : len(DRUMS)]
            heads = network.histograms(hits, self.windows.step_ms[first : first + 256])
            for name, histograms in heads.items():
                parts[name].append(histograms[hits > 0])
        return {name: np.concatenate(rows) for name, rows in parts.items()}

    def score(self, answers: dict[str, np.ndarray]) -> dict:
        """The scores of one answer a note: errors, spread, KL divergence."""
        offsets = np.zeros(self.windows.grooves.shape[:2] + (len(DRUMS),))
        offsets[self.where] = answers["offsets"]
        timing = timing_errors(self.windows, offsets)
        row = {"mae_ms": timing["mae_ms"], "mse": timing["mse"]}
        row |= {"velocity_mae": float(np.abs(answers["velocities"] - self.truth["velocities"]).mean())}
        for name, bins in (("offsets", 40), ("velocities", 32)):
            row[f"spread_{name}"] = float(answers[name].std() / self.truth[name].std())
            row[f"kl_{name}"] = divergence(self.truth[name], answers[name], bin_edges(name, bins))
        return {name: round(value, 4) for name, value in row.items()}

    def windows_a_spread(self, values: np.ndarray) -> float:
        """The standard deviation of the windows' mean offsets."""
        count = np.bincount(self.where[0], minlength=len(self.windows))
        return float((np.bincount(self.where[0], values, len(self.windows)) / np.maximum(count, 1))[count > 0].std())


def divergence(real: np.ndarray, played: np.ndarray, borders: np.ndarray) -> float:
    """KL(real || played) of two sets of values, as histograms with one count more in every bin."""
    p, q = (np.histogram(np.clip(x, borders[0], borders[-1]), borders)[0] + 1.0 for x in (real, played))
    p, q = p / p.sum(), q / q.sum()
    return float((p * np.log(p / q)).sum())


def fit_shares(
    found: np.ndarray, name: str, truth: np.ndarray, cells: np.ndarray, performance: np.ndarray
) -> dict[str, float]:
    """The shares of variance of ``VARIANCE_GROUPS`` in the residuals: common to a performance, a drum, a place, a note.

    A residual is the normal quantile of where the true value lies in its histogram. The mean product of two residuals
    over all pairs of notes of one group estimates the variance that the group has in common (analysis of variance).
    """
    sums = np.cumsum(found, axis=-1, dtype=float)
    sums = np.concatenate([np.zeros((len(sums), 1)), sums / sums[:, -1:]], axis=-1)  # (notes, K + 1)
    borders = bin_edges(name, found.shape[-1])
    position = np.clip((truth - borders[0]) / (borders[1] - borders[0]), 0, found.shape[-1] - 1e-6)
    bin_ = position.astype(int)
    rows = np.arange(len(sums))
    rank = sums[rows, bin_] + (position - bin_) * (sums[rows, bin_ + 1] - sums[rows, bin_])
    residuals = normal_quantile(np.clip(rank, 0.005, 0.995))
    residuals = (residuals - residuals.mean()) / residuals.std()
    covariances = []
    for group in variance_groups(cells, performance)[:3]:
        _, which, sizes = np.unique(group, return_inverse=True, return_counts=True)
        sums_, squares = np.bincount(which, residuals), np.bincount(which, residuals**2)
        covariances.append(float((sums_**2 - squares).sum() / max(1, (sizes * (sizes - 1.0)).sum())))
    common = np.clip(np.maximum.accumulate(np.maximum(covariances, 0)), 0, 1)  # each group lies within the one before
    return dict(zip(VARIANCE_GROUPS, np.diff([0, *common, 1]).round(4).tolist(), strict=True))


def normal_quantile(share: np.ndarray) -> np.ndarray:
    """The quantile function of the standard normal distribution, interpolated (the inverse of ``normal_cdf``)."""
    known = np.linspace(0.0005, 0.9995, 2000)
    return np.interp(share, known, [NormalDist().inv_cdf(x) for x in known])


def fit_readouts(notes: Notes, found: dict[str, np.ndarray]) -> tuple[dict, dict]:
    """The settings of the read-outs, chosen on validation notes, and all that were tried."""
    settings, tried = {}, {}
    ms = notes.windows.step_ms[notes.where[0]]
    for name, histograms in found.items():
        truth, drums = notes.truth[name], notes.cells[:, 1]
        cost = ms if name == "offsets" else np.ones(len(ms))
        rows = []
        for sharpness in SHARPNESS:
            median = quantile(np.maximum(histograms, 1e-9) ** sharpness, name, 0.5)
            centres = [
                round(float(median[drums == d].mean()), 4) if (drums == d).any() else 0.0 for d in range(len(DRUMS))
            ]
            low, high = 0.2, 6.0
            for _ in range(25):  # the spread grows with the stretch: bisection
                stretch = (low + high) / 2
                answer = spread_matched(histograms, name, drums, sharpness, stretch, centres)
                low, high = (stretch, high) if answer.std() < SPREAD * truth.std() else (low, stretch)
            rows.append(
                {
                    "sharpness": sharpness,
                    "stretch": round(stretch, 4),
                    "centres": centres,
                    "spread": round(float(answer.std() / truth.std()), 4),
                    "error": round(float((np.abs(answer - truth) * cost).mean()), 4),
                }
            )
        reached = [row for row in rows if row["spread"] > SPREAD - 0.01] or rows
        best = min(reached, key=lambda row: row["error"])
        settings[name] = {
            "shares": fit_shares(histograms, name, truth, notes.cells, notes.performance),
            "spread-matched": {key: best[key] for key in ("sharpness", "stretch", "centres")},
        }
        tried[name] = [{key: row[key] for key in ("sharpness", "stretch", "spread", "error")} for row in rows]
    return settings, tried


def readouts(notes: Notes, found: dict[str, np.ndarray], settings: dict) -> dict:
    """The scores of every read-out."""
    drums = notes.cells[:, 1]
    centres = {
        name: (bin_edges(name, h.shape[-1])[1:] + bin_edges(name, h.shape[-1])[:-1]) / 2 for name, h in found.items()
    }
    rows = {
        "median": notes.score({name: quantile(h, name, 0.5) for name, h in found.items()}),
        "mean": notes.score({name: h @ centres[name] for name, h in found.items()}),
        "spread-matched": notes.score(
            {name: spread_matched(h, name, drums, **settings[name]["spread-matched"]) for name, h in found.items()}
        ),
    }
    independent = {name: float(name == "note") for name in VARIANCE_GROUPS}
    for title, common in (("sample", None), ("sample, note by note", independent)):
        scores, feels = [], []
        for seed in range(SEEDS):
            answers = {}
            for number, (name, histograms) in enumerate(found.items()):
                rng = np.random.default_rng([seed, number])
                noise = correlated_noise(notes.cells, notes.performance, common or settings[name]["shares"], rng)
                answers[name] = quantile(histograms, name, normal_cdf(noise))
            scores.append(notes.score(answers))
            feels.append(notes.windows_a_spread(answers["offsets"]))
        rows[title] = {key: round(float(np.mean([score[key] for score in scores])), 4) for key in scores[0]}
        rows[title] |= {"seeds": SEEDS, "mae_ms_of_seeds": [round(score["mae_ms"], 3) for score in scores]}
        rows[title]["spread_of_window_means"] = round(
            float(np.mean(feels)) / notes.windows_a_spread(notes.truth["offsets"]), 4
        )
    return rows


def baselines(training: Notes, notes: Notes) -> dict:
    """Baselines: quantized, and a table by drum and place in the bar of the training split's values."""
    grid = quantized_baseline(notes.windows)
    even = np.full(len(notes.cells), np.mean(training.truth["velocities"]))
    rows = {"quantized, constant velocity": notes.score({"offsets": np.zeros(len(even)), "velocities": even})}
    assert abs(rows["quantized, constant velocity"]["mae_ms"] - grid["mae_ms"]) < 1e-3
    medians, samples, rng = {}, {}, np.random.default_rng(0)
    for name in RANGES:
        medians[name], samples[name] = np.zeros(len(notes.cells)), np.zeros(len(notes.cells))
        for place in np.unique(notes.places):
            known = training.truth[name][training.places == place]
            known = known if len(known) else training.truth[name]
            some = notes.places == place
            medians[name][some], samples[name][some] = np.median(known), rng.choice(known, some.sum())
    rows["median by drum and sixteenth"] = notes.score(medians)
    rows["sampled by drum and sixteenth"] = notes.score(samples)
    return rows


def scored(network, notes: dict) -> dict:
    """The settings of a network's read-outs, from the validation split, and its scores."""
    found = notes["validation"].found(network)
    settings, tried = fit_readouts(notes["validation"], found)
    return {
        "readout": settings,
        "spread_matched_tried_on_validation": tried,
        "validation": readouts(notes["validation"], found, settings),
        "test": readouts(notes["test"], notes["test"].found(network), settings),
    }


def main() -> None:
    """Make the rows that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groove", type=Path, help="the Groove MIDI Dataset: archive or folder; not with --card")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--runs", type=Path, help="where the training runs go, or lie")
    what.add_argument("--shipped", action="store_true", help="only score the weights that ship")
    what.add_argument("--card", action="store_true", help="score nothing: only write the card anew, from its figures")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=["humanize"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="if not given, as in the preset's configuration")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--ship", action="store_true", help="write the weights and their card into the package")
    options = parser.parse_args()
    if options.card:
        return put_card("humanize", card(model_card("humanize")))
    if not options.groove:
        parser.error("--groove is missing: where is the data set?")
    sets = {s: two_bar_windows(performances(options.groove, s, "beat", "4-4")) for s in ("train", "validation", "test")}
    notes = {name: Notes(windows) for name, windows in sets.items()}
    networks = json.loads(options.results.read_text())["networks"] if options.results.exists() else {}
    networks = {name: networks[name] for name in ROWS if name in networks}
    for preset in ["humanize"] if options.shipped else options.rows:
        print(preset, flush=True)
        if options.shipped:
            network, training = pretrained(preset), networks.get(preset, {})
        else:
            plan = config_for(preset, seed=options.seed, epochs=options.epochs)
            network, training = trained(preset, sets, options.runs, plan, networks.get(preset))
            training |= {"parameters": network.count_params(), "preset": asdict(network.preset)}
        networks[preset] = {**training, **scored(network, notes)}
        print(json.dumps({k: networks[preset][k] for k in ("readout", "validation", "test")}, indent=1), flush=True)
    results = {
        "what": "velocities and offsets of notes whose hits are given: Groove MIDI Dataset, beats in 4/4, windows of two bars",
        "how_to_read": __doc__.split("What the rows mean. ")[1],
        "command": f"python bench/humanize.py --groove GROOVE --runs RUNS --rows {' '.join(networks)} --ship",
        "windows": {name: len(windows) for name, windows in sets.items()},
        "notes": {name: len(one.cells) for name, one in notes.items()},
        "real_spread_on_test": {name: round(float(x.std()), 5) for name, x in notes["test"].truth.items()},
        "baselines": baselines(notes["train"], notes["test"]),
        "networks": networks,
        "published": PUBLISHED,
        **about(options.groove),
    }
    write_whole(options.results, as_text(results))
    print(table(results))
    if options.ship or options.shipped:
        weights = run_of(options.runs, "humanize", options.seed) / "shipped.npz" if options.ship else None
        put_on_shelf("humanize", {**results, "readout": networks["humanize"]["readout"]}, card(results), weights)


def table(results: dict) -> str:
    """The rows of a Markdown table: the test split's scores, baselines first."""
    rows = dict(results["baselines"])
    for title, network in results["networks"].items():
        rows |= {f"{title}: {readout}": row for readout, row in network["test"].items() if readout != "mean"}
    return "\n".join(
        f"| {title} | {row['mae_ms']:.2f} | {row['mse']:.4f} | {row['spread_offsets']:.0%} | {row['velocity_mae']:.3f} | {row['spread_velocities']:.0%} |"
        for title, row in rows.items()
    )


def card(results: dict) -> str:
    """The model card, from the figures."""
    network = results["networks"]["humanize"]
    return CARD.format(
        parameters=network["parameters"],
        train=results["windows"]["train"],
        validation=results["windows"]["validation"],
        command=results["command"],
        epochs=len(network["epochs"]),
        best=network["best_epoch"],
        versions=", ".join(f"{name} {number}" for name, number in results["versions"].items()),
        test=results["windows"]["test"],
        notes=results["notes"]["test"],
        rows=table(results),
        seq2seq=PUBLISHED["Seq2Seq"]["mae_ms"],
        vib=PUBLISHED["VIB"]["mae_ms"],
    )


if __name__ == "__main__":
    main()
