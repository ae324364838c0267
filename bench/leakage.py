"""The effect of leakage: one network, trained alike, with three ways to choose its validation windows.

    python bench/leakage.py --corpus CORPUS --runs FOLDER

- "the thesis's": every combination of tracks is a sample; the last quarter of them, in file order, validates (3.3);
- "random": a random quarter of the same samples validates, as validation sets are often made;
- "groups": songs that belong together stay together, as in the corpus.

The songs of the corpus's test split are in no training set. Each network is scored on its own validation windows, as
its author would report, and on the test windows. The difference is the effect of leakage. Results go to
``bench/results/leakage.json``. It takes an hour on two cores; called again, it resumes.
"""

import argparse
import json
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np

from drumlib.data.corpus.reader import Corpus
from drumlib.data.splitting.fingerprints import window_fingerprints
from drumlib.data.windows import Windows
from drumlib.drummer import THRESHOLDS
from drumlib.evaluation.predict import (
    FREE_RUNNING,
    TEACHER_FORCED,
    TEACHER_FORCED_THRESHOLD,
    predict_windows,
    true_drums,
)
from drumlib.evaluation.thesis_protocol import scores
from drumlib.files import write_whole
from drumlib.network.registry import build
from drumlib.network.training import TrainingConfig, train
from drumlib.network.weights import load_weights

RESULTS = Path(__file__).parent / "results" / "leakage.json"
COMBINATIONS = 2  # of a window, at most: with all of them, three songs with many tracks would be half of the samples


def ways(corpus: Corpus) -> dict[str, tuple[Windows, Windows]]:
    """For each way to split, what to train and what to validate on."""
    training, validation = corpus.windows("train"), corpus.windows("validation")
    both = np.concatenate([training.index, validation.index])
    both = Windows(corpus, both[np.lexsort(both.T[::-1])]).combined(COMBINATIONS).index  # in file order
    shuffled = both[np.random.default_rng(0).permutation(len(both))]
    first = len(both) * 3 // 4
    return {
        "the thesis's": (Windows(corpus, both[:first]), Windows(corpus, both[first:])),
        "random": (Windows(corpus, shuffled[:first]), Windows(corpus, shuffled[first:])),
        "groups": (training.combined(COMBINATIONS), validation.combined(COMBINATIONS)),
    }


def leak(corpus: Corpus, training: Windows, validation: Windows) -> dict[str, float]:
    """The shares of the validation windows whose song, group or drum part is in the training set."""
    fingerprints = {number: window_fingerprints(corpus[number]) for number in range(len(corpus))}
    known_songs = set(training.index[:, 0].tolist())
    known_groups = {int(corpus.groups[number]) for number in known_songs}
    known_drums = {int(fingerprints[song][i]) for song, i, *_ in training.index.tolist()}
    rows = validation.index.tolist()
    return {
        "songs also trained on": float(np.mean([song in known_songs for song, *_ in rows])),
        "groups also trained on": float(np.mean([int(corpus.groups[song]) in known_groups for song, *_ in rows])),
        "drum parts also trained on": float(
            np.mean([int(fingerprints[song][i]) in known_drums for song, i, *_ in rows])
        ),
    }


def score(network, windows: Windows) -> dict:
    """The scores of a network on these windows, teacher-forced and free-running."""
    truth = true_drums(windows)["hits"]
    hits = predict_windows(network, windows, THRESHOLDS[1])
    return {
        "windows": len(windows),
        **{name: scores(truth, hits[name]) for name in (TEACHER_FORCED, FREE_RUNNING)},
    }


def main() -> None:
    """Train and score the three networks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True, help="where the training runs go")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    corpus = Corpus(options.corpus)
    plan = TrainingConfig(epochs=options.epochs, transpose=0, instrument_dropout=0.0)
    results = {
        "command": f"python bench/leakage.py --corpus CORPUS --runs RUNS --epochs {options.epochs}",
        "what": "one network, trained alike, with three ways to choose its validation windows",
        "corpus": {name: corpus.manifest[name] for name in ("command", "songs_sha256", "counts")},
        "preset": "thesis",
        "config": asdict(plan),
        "combinations of a window, at most": COMBINATIONS,
        "thresholds": {TEACHER_FORCED: TEACHER_FORCED_THRESHOLD, FREE_RUNNING: THRESHOLDS[1]},
        "ways": {},
        "versions": {name: version(name) for name in ("drumlib", "keras", "tensorflow", "numpy", "symusic")}
        | {"python": platform.python_version()},
    }
    test = corpus.windows("test")
    for name, (training, validation) in ways(corpus).items():
        run = options.runs / name.replace(" ", "-").replace("'", "")
        train("thesis", training, validation, run, plan, resume=(run / "last.npz").exists(), verbose=2)
        network = build("thesis")
        load_weights(network, run / "best.npz")
        results["ways"][name] = {
            "trained on": len(training),
            "of the validation windows": leak(corpus, training, validation),
            "on its own validation windows": score(network, validation),
            "on the test windows": score(network, test),
        }
        print(name, json.dumps(results["ways"][name], indent=1), flush=True)
    write_whole(options.output, (json.dumps(results, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
