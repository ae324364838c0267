"""Train the groove VAE on the Groove MIDI Dataset; reconstruction, samples and interpolation of its latent space.

    python bench/groove_vae.py --groove FOLDER_OR_ZIP --runs RUNS [--ship]
    python bench/groove_vae.py --groove FOLDER_OR_ZIP --shipped

Trains on the training split's beats in 4/4 (windows of two bars), chooses the epoch on the validation split, and is
only scored on the test split. The run lies in RUNS and is resumed. Writes bench/results/groove_vae.json; with
--ship also drumlib/weights/groove-vae.npz (float16), .json and .md. Some minutes on a CPU. --shipped trains nothing: it
scores the weights that ship, and writes results and card anew.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from evaluation import as_text
from grooves_trained import about, put_card, put_on_shelf, run_of, trained

from drumlib.data.groove_dataset import performances, two_bar_windows
from drumlib.files import write_whole
from drumlib.inference.weights_file import model_card
from drumlib.network.registry import pretrained
from drumlib.network.training_config import config_for

RESULTS = Path(__file__).parent / "results" / "groove_vae.json"
SAMPLES = 1000
PATHS = 200
POINTS = 7

# ruff: noqa: E501 (the rows of a Markdown table are as long as they are)
CARD = """# Model card: `groove-vae`

A small hierarchical variational autoencoder after MusicVAE (Roberts et al. 2018), {parameters:,} parameters: two bars of
drums to a latent vector z of {latent} dimensions, and back, bar by bar. Weights: `groove-vae.npz`, float16. Every figure here is
in `groove-vae.json`, and was written by `bench/groove_vae.py`.

## Training

| | |
| --- | --- |
| data | Groove MIDI Dataset 1.0.0 (Gillick et al. 2019), Google LLC, CC BY 4.0; beats in 4/4, its own split. Nothing of it is in this repository. A collection's licence is not each performance's: none is told for these one by one |
| windows | {train:,} to train on and {validation:,} to validate on: two bars each, a new one every bar |
| command | `{command}` |
| ended | after epoch {epochs}; the weights are those of epoch {best} |
| versions | {versions} |

## Held-out scores

{test:,} windows of the test split, {notes:,} notes. Threshold {threshold:g}, all cells pooled; z is the posterior's mean.

| | precision | recall | F1 |
| --- | --- | --- | --- |
{rows}

Teacher-forced, the decoder is given the true step before each step; free-running, it has nothing but z. A mismatched
window (or z) is a random one of the test windows. The KL divergence of posterior and prior is {bits:.1f} bits a window on
average; in training the first {free:g} are free bits.

Notes in a window of two bars, on average, and how many of the windows are silent:

| | notes | spread | silent |
| --- | --- | --- | --- |
{density}

The samples are decoded from {samples:,} z of the standard Gaussian prior, and their hits are sampled, too; thresholded, they
are fewer, and repeat themselves. The interpolations are linear, between {paths} pairs of test windows, {stops} points each,
of which the inner ones are counted.

## What it is good for, and what not

To learn from: to sample grooves, and to interpolate between them. Two bars, 4/4, ten drummers. It smooths: rare hits of
the original are left out, and ghost notes go first. The weights are offered under MIT, as the rest of the project; credit for the data: Gillick, Roberts, Engel,
Eck, Bamman, "Learning to Groove with Inverse Sequence Transformations", ICML 2019.
"""


def agreement(truth: np.ndarray, played: np.ndarray) -> dict[str, float]:
    """Precision, recall and F1 of hits (windows, T, 9), all cells pooled."""
    truth, played = truth > 0, played > 0
    both = int((truth & played).sum())
    precision, recall = both / max(1, int(played.sum())), both / max(1, int(truth.sum()))
    f1 = 2 * precision * recall / max(1e-12, precision + recall)
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def density(grooves: np.ndarray) -> dict:
    """Density, velocities and offsets of grooves (windows, T, 27)."""
    hits, velocities, offsets = np.split(grooves, 3, axis=-1)
    notes, struck = hits.sum(axis=(1, 2)), hits > 0
    return {
        "windows": len(grooves),
        "notes_a_window": round(float(notes.mean()), 3),
        "notes_a_window_std": round(float(notes.std()), 3),
        "silent_windows": int((notes == 0).sum()),
        "windows_with_a_silent_bar": int((hits.reshape(len(hits), -1, 16, 9).sum(axis=(2, 3)) == 0).any(axis=1).sum()),
        "drums_a_window": round(float(hits.any(axis=1).sum(axis=-1).mean()), 3),
        "velocity_mean": round(float(velocities[struck].mean()), 4),
        "velocity_std": round(float(velocities[struck].std()), 4),
        "offset_mean_steps": round(float(offsets[struck].mean()), 4),
        "offset_std_steps": round(float(offsets[struck].std()), 4),
    }


def thresholds(network, grooves: np.ndarray) -> dict:
    """Free-running reconstruction of these windows at several thresholds: scores, and density."""
    z, hits, rows = network.encode(grooves), grooves[..., :9], {}
    for threshold in (0.3, 0.35, 0.4, 0.45, 0.5):
        played = network.decode(z, threshold=threshold)[..., :9]
        rows[threshold] = agreement(hits, played) | {"density_ratio": round(float(played.sum() / hits.sum()), 4)}
    return rows


def measure(network, test, seed: int) -> dict:
    """All measurements on held-out windows."""
    rng = np.random.default_rng(seed)
    truth = test.grooves
    hits = truth[..., :9]
    heads = network.predict({"drums": truth}, batch_size=256, verbose=0)
    z = np.concatenate([network.encode(truth[i : i + 256]) for i in range(0, len(truth), 256)])
    free = np.concatenate([network.decode(z[i : i + 512]) for i in range(0, len(z), 512)])
    other = rng.permutation(len(truth))
    bits = []
    for i in range(0, len(truth), 256):
        mean, log_var = (np.asarray(x) for x in network.encoder(truth[i : i + 256]))
        bits.append(((mean**2 + np.exp(log_var) - log_var - 1) / 2).sum(axis=-1) / np.log(2))
    pairs = rng.choice(len(truth), size=(PATHS, 2), replace=False)
    share = np.linspace(0, 1, POINTS)[None, :, None]
    between = (1 - share) * z[pairs[:, :1]] + share * z[pairs[:, 1:]]  # (paths, points, Z)
    points = network.decode(between.reshape(-1, z.shape[-1])).reshape(PATHS, POINTS, *truth.shape[1:])
    moves = (points[:, 1:, :, :9] != points[:, :-1, :, :9]).sum(axis=(2, 3))  # (paths, points - 1): cells that change
    whole = (points[:, -1, :, :9] != points[:, 0, :, :9]).sum(axis=(1, 2))
    both = (hits > 0) & (free[..., :9] > 0)
    return {
        "windows": len(truth),
        "notes": int(hits.sum()),
        "reconstruction": {
            "teacher-forced": agreement(hits, heads["hits"] > network.preset.threshold),
            "free-running": agreement(hits, free[..., :9]),
            "mismatched window": agreement(hits, truth[other][..., :9]),
            "mismatched z": agreement(hits, free[other][..., :9]),
        },
        "posterior_bits": round(float(np.concatenate(bits).mean()), 3),
        "errors_on_shared_hits": {
            "velocity_mean_absolute": round(float(np.abs(free - truth)[..., 9:18][both].mean()), 4),
            "offset_mean_absolute_steps": round(float(np.abs(free - truth)[..., 18:][both].mean()), 4),
        },
        "density": {
            "real windows": density(truth),
            "reconstructions": density(free),
            "samples": density(network.sample(SAMPLES, seed)),
            "samples, thresholded": density(
                network.decode(rng.standard_normal((SAMPLES, z.shape[-1])).astype("float32"))
            ),
            "interpolations": density(points[:, 1:-1].reshape(-1, *truth.shape[1:])),
        },
        "interpolation": {
            "pairs": PATHS,
            "stops": POINTS,
            "cells_that_change_from_end_to_end": round(float(whole.mean()), 3),
            "cells_that_change_in_a_step": round(float(moves.mean()), 3),
            "largest_step_as_a_share_of_the_whole": round(float((moves.max(axis=1) / np.maximum(whole, 1)).mean()), 3),
        },
    }


def main() -> None:
    """Train it, unless the shipped weights are asked for; score it; write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--groove", type=Path, help="the Groove MIDI Dataset: archive or folder; not with --card")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--runs", type=Path, help="where the training run goes, or lies")
    what.add_argument("--shipped", action="store_true", help="only score the weights that ship")
    what.add_argument("--card", action="store_true", help="score nothing: only write the card anew, from its figures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="if not given, as in the preset's configuration")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--ship", action="store_true", help="write the weights and their card into the package")
    options = parser.parse_args()
    if options.card:
        return put_card("groove-vae", card(model_card("groove-vae")))
    if not options.groove:
        parser.error("--groove is missing: where is the data set?")
    sets = {s: two_bar_windows(performances(options.groove, s, "beat", "4-4")) for s in ("train", "validation", "test")}
    before = json.loads(options.results.read_text()) if options.results.exists() else {"training": {}}
    if options.shipped:
        network, training = pretrained("groove-vae"), before["training"]
    else:
        plan = config_for("groove-vae", seed=options.seed, epochs=options.epochs)
        network, training = trained("groove-vae", sets, options.runs, plan, before["training"])
    results = {
        "what": "a hierarchical VAE of two bars of drums, trained and scored on the Groove MIDI Dataset's beats in 4/4",
        "command": "python bench/groove_vae.py --groove GROOVE --runs RUNS --ship",
        "parameters": network.count_params(),
        "preset": asdict(network.preset),
        "training": training,
        "thresholds_on_validation": thresholds(network, sets["validation"].grooves),
        "test": measure(network, sets["test"], options.seed),
        **about(options.groove),
    }
    write_whole(options.results, as_text(results))
    print(json.dumps({name: results[name] for name in ("thresholds_on_validation", "test")}, indent=1))
    if options.ship or options.shipped:
        weights = run_of(options.runs, "groove-vae", options.seed) / "shipped.npz" if options.ship else None
        put_on_shelf("groove-vae", results, card(results), weights)


def card(results: dict) -> str:
    """The model card, from the figures."""
    test, training = results["test"], results["training"]
    return CARD.format(
        parameters=results["parameters"],
        latent=results["preset"]["latent"],
        train=training["windows"]["train"],
        validation=training["windows"]["validation"],
        command=results["command"],
        epochs=len(training["epochs"]),
        best=training["best_epoch"],
        versions=", ".join(f"{name} {number}" for name, number in results["versions"].items()),
        test=test["windows"],
        notes=test["notes"],
        rows="\n".join(
            f"| {name} | {row['precision']:.1%} | {row['recall']:.1%} | {row['f1']:.1%} |"
            for name, row in test["reconstruction"].items()
        ),
        bits=test["posterior_bits"],
        free=results["preset"]["free_bits"],
        threshold=results["preset"]["threshold"],
        density="\n".join(
            f"| {name} | {row['notes_a_window']:.1f} | {row['notes_a_window_std']:.1f} | {row['silent_windows']} of {row['windows']} |"
            for name, row in test["density"].items()
        ),
        samples=SAMPLES,
        paths=PATHS,
        stops=POINTS,
    )


if __name__ == "__main__":
    main()
