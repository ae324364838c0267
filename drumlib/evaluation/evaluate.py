"""Scores of networks and baselines on the same whole songs.

What is predicted under which condition is in ``predict``, what is scored of a song in ``songs``. A row holds:

- accuracy, precision, recall, F1 for each condition, over the scored cells of all songs together, with 95 % confidence
  intervals (bootstrap over songs, percentile method: ``statistics``);
- the *conditioning gain*: F1 with the song's own band minus F1 with a mismatched band;
- *metrics*: properties of the playing, song by song, averaged over songs (``metrics``), beside the real drummers';
- *sets*: all bars together: are they distributed as the real drummers' are, are they copies of training bars?

A baseline has the conditions that make sense for it. What is undefined is None.
"""

import hashlib
import os
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.evaluation.baselines import BASELINES, Baseline, check_names, make
from drumlib.evaluation.metrics import Confusion, confusion, f1, hit_scores
from drumlib.evaluation.predict import (
    FREE_RUNNING,
    MISMATCHED,
    SAMPLED,
    TEACHER_FORCED,
    TEACHER_FORCED_THRESHOLD,
    choose_threshold,
    predict_songs,
)
from drumlib.evaluation.set_distances import copied_bars, mean_record, records, rounded, set_distances, training_bars
from drumlib.evaluation.songs import (
    ALL,
    SCORED,
    EvaluationSong,
    bands_of_other_songs,
    evaluation_songs,
    is_corpus,
    training_windows,
)
from drumlib.evaluation.statistics import bootstrap, mean_over_songs, paired_f1_difference
from drumlib.evaluation.thresholds import THRESHOLDS
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import DRUMS
from drumlib.terminal import say

REFERENCE = "real drummers"
"""The name of the reference's row."""


def score_network(
    network,
    songs: Sequence[EvaluationSong],
    validation: Sequence[EvaluationSong] = (),
    seed: int = 0,
    curves: bool = False,
    learned: np.ndarray | None = None,
) -> dict:
    """A network's row.

    Parameters
    ----------
    validation
        The songs that choose the threshold; without any, it is the preset's own.
    curves
        Whether to add precision and recall of each drum at every threshold of ``THRESHOLDS``, and each drum's density.
    learned
        The different bars of the training songs, (bars, 16, 9), to find copies (``training_bars``).
    """
    began = time.perf_counter()
    threshold, chosen_by = choose_threshold(network, validation)
    grooves, outputs = predict_songs(network, songs, threshold, seed)
    row = {"kind": "network", "parameters": network.count_params()}
    row |= {"threshold": threshold, "threshold chosen by": chosen_by, **scored_conditions(songs, grooves, learned)}
    if curves:
        row["drums"] = precision_recall_curves(songs, outputs, grooves)
    return {**row, "seconds": round(time.perf_counter() - began, 1)}


def score_baseline(
    baseline: Baseline, songs: Sequence[EvaluationSong], seed: int = 0, learned: np.ndarray | None = None
) -> dict:
    """A baseline's row; arguments as for ``score_network``."""
    began = time.perf_counter()
    name = TEACHER_FORCED if baseline.teacher_forced else FREE_RUNNING
    grooves = {name: [baseline.play(song.rolls, song.truth, seed) for song in songs]}
    if not baseline.teacher_forced and (others := bands_of_other_songs(songs)):
        grooves[MISMATCHED] = [baseline.play(rolls, None, seed) for rolls in others]
    row = {"kind": "baseline", **scored_conditions(songs, grooves, learned)}
    return {**row, "seconds": round(time.perf_counter() - began, 1)}


def reference_scores(songs: Sequence[EvaluationSong], learned: np.ndarray | None = None) -> dict:
    """The real drummers' row: the metrics of their playing, and the distance between two halves of their songs."""
    truth = [song.truth for song in songs]
    row = {"kind": "reference", "metrics": {"played": mean_record(records(songs, truth))}}
    row["sets"] = {"every second song against the others": set_distances(songs[::2], truth[::2], songs[1::2])}
    if learned is not None:
        row["sets"]["copies"] = copied_bars(songs, truth, learned)
    return row


def scored_conditions(
    songs: Sequence[EvaluationSong], grooves: dict[str, list[Groove]], learned: np.ndarray | None = None
) -> dict:
    """Scores, conditioning gain, metrics, sets and each song's counts, of the grooves of each condition."""
    counts = {name: count_cells(songs, played) for name, played in grooves.items()}  # each (songs, 4)
    found = {name: score(one) for name, one in counts.items()}
    if MISMATCHED in counts:
        found |= conditioning_gain(counts[FREE_RUNNING], counts[MISMATCHED])
    own_band = {name: played for name, played in grooves.items() if name != MISMATCHED}
    found["metrics"] = {name: mean_record(records(songs, played)) for name, played in own_band.items()}
    found["sets"] = {name: set_distances(songs, played, songs) for name, played in own_band.items()}
    if learned is not None:
        for name, of in found["sets"].items():
            of["copies"] = copied_bars(songs, grooves[name], learned)
    return {**found, "per song": {name: one.tolist() for name, one in counts.items()}}


# --- scores -----------------------------------------------------------------------------------------------------------


def count_cells(songs: Sequence[EvaluationSong], played: Sequence[Groove]) -> np.ndarray:
    """The ``Confusion`` of each song's scored cells: int (songs, 4)."""
    return np.array(
        [
            confusion(song.truth.hits[song.scored_steps], groove.hits[song.scored_steps])
            for song, groove in zip(songs, played, strict=True)
        ]
    )


def score(counts: np.ndarray) -> dict:
    """The scores of songs' counts, (songs, 4): of all cells together, and F1 as a mean over songs.

    ``density`` is the number of notes played, over the number that the real drummer played.
    """
    scores = hit_scores(Confusion(*counts.sum(axis=0).tolist()))
    pooled = bootstrap(counts, f1)
    density = density_over_songs(counts)
    return {
        **{name: defined(value) for name, value in scores._asdict().items()},
        "f1 interval": interval_ends(pooled, len(counts)),
        "f1, mean over songs": mean_over_songs([f1(one) for one in counts]),
        "density": density["value"],
        "density interval": interval_ends(density, len(counts)),
    }


def density_over_songs(counts: np.ndarray) -> dict:
    """(TP + FP) / (TP + FN), with its interval over songs; nan where the real drummers rest."""
    return bootstrap(counts, lambda c: float((c[0] + c[1]) / (c[0] + c[2])) if c[0] + c[2] else float("nan"))


def conditioning_gain(own: np.ndarray, mismatched: np.ndarray) -> dict[str, dict]:
    """F1 with the song's own band minus F1 with a mismatched band, of counts (songs, 3 or 4): pooled, and by song."""
    by_song = [f1(one) - f1(other) for one, other in zip(own, mismatched, strict=True)]
    return {
        "conditioning gain": paired_f1_difference(own, mismatched),
        "conditioning gain, mean over songs": mean_over_songs(by_song),
    }


def interval_ends(found: dict, songs: int) -> list[float] | None:
    """The ends of an interval; None for a single song: there is nothing to resample."""
    return [found["low"], found["high"]] if songs > 1 else None


def defined(value: float) -> float | None:
    """A number for JSON: None where it is nan."""
    return None if np.isnan(value) else value


def precision_recall_curves(
    songs: Sequence[EvaluationSong], outputs: Sequence[dict], grooves: dict[str, list[Groove]]
) -> dict:
    """Precision and recall of free-running outputs at every threshold, by drum and of all; each drum's density."""
    truth = np.concatenate([song.truth.hits[song.scored_steps] for song in songs]) > 0  # (steps, 9)
    probability = np.concatenate([one["hits"][song.scored_steps] for one, song in zip(outputs, songs, strict=True)])
    curves = {name: {"precision": [], "recall": [], "notes": int(truth[:, d].sum())} for d, name in enumerate(DRUMS)}
    together = {"precision": [], "recall": []}
    for threshold in THRESHOLDS:
        hits = probability > threshold
        true, played, real = (x.sum(axis=0) for x in (hits & truth, hits, truth))  # 3 x (9,)
        for d, name in enumerate(DRUMS):
            curves[name]["precision"].append(ratio(true[d], played[d]))
            curves[name]["recall"].append(ratio(true[d], real[d]))
        together["precision"].append(ratio(true.sum(), played.sum()))
        together["recall"].append(ratio(true.sum(), real.sum()))
    for condition, of in grooves.items():
        if condition != MISMATCHED:
            hits = np.concatenate([groove.hits[song.scored_steps] for groove, song in zip(of, songs, strict=True)])
            for d, name in enumerate(DRUMS):
                curves[name][f"density, {condition}"] = ratio(hits[:, d].sum(), truth[:, d].sum())
    thresholds = [round(float(threshold), 2) for threshold in THRESHOLDS]
    return {"thresholds": thresholds, "by drum": curves, "all drums": together}


def ratio(part: float, whole: float) -> float | None:
    """A quotient to four digits; None where it is undefined."""
    return rounded(part / whole) if whole else None


# --- the whole report -------------------------------------------------------------------------------------------------


def report(
    songs: Sequence[EvaluationSong],
    validation: Sequence[EvaluationSong],
    drummers: dict[str, Callable[[], object]],
    seed: int = 0,
    progress: Callable = lambda items: items,
    learned: np.ndarray | None = None,
) -> dict:
    """The rows of networks and baselines, as a dictionary that can be written as JSON.

    ``drummers`` maps names to functions that build a ``Baseline`` or a network; each is built when its row is due.
    """
    rows = {REFERENCE: reference_scores(songs, learned)}
    for name in progress(list(drummers)):
        drummer = drummers[name]()
        if isinstance(drummer, Baseline):
            rows[name] = score_baseline(drummer, songs, seed, learned)
        else:
            rows[name] = score_network(drummer, songs, validation, seed, learned=learned)
    return {**about(songs, validation, seed), "drummers": rows}


def evaluate_songs(
    folder: str | os.PathLike,
    split: str = "test",
    presets: Sequence[str] = ("band-conv",),
    baselines: Sequence[str] | None = None,
    weights: str | os.PathLike | None = None,
    seed: int = 0,
    progress: Callable = lambda items: items,
) -> dict:
    """The report on a folder of MIDI songs, or on a corpus.

    Parameters
    ----------
    folder, split
        Which songs; ``"all"`` for every one. (Then no songs are left to train baselines or choose thresholds.)
    presets
        Which networks, with the weights that ship.
    baselines
        Which baselines; all that can be built, if not given.
    weights
        Other weights, for the only preset.

    Raises
    ------
    FileNotFoundError
        If there are no songs.
    ValueError
        If no song can be scored, or a preset, its weights or a baseline are not available.
    """
    folder, refused = Path(folder), {}
    networks = {name: network_of(name, weights) for name in presets}
    if weights is not None and len(networks) != 1:
        raise ValueError("weights are of one preset: name the one that they are of")
    check_names(baselines or ())
    songs = evaluation_songs(folder, split, refused, progress)
    for name, reason in refused.items():
        say(f"left out: {name}: {reason}", error=True)
    validation, training, tuning = [], None, None
    if split != ALL:
        validation = validation_songs(folder, split)
        training, tuning = (
            training_windows(folder, part) if part != split else None for part in ("train", "validation")
        )
    drummers = {name: (lambda network=network: network) for name, network in networks.items()}
    for name in BASELINES if baselines is None else baselines:
        if baselines is None and BASELINES[name].learns and training is None:
            say(f"left out: {name}: it learns from training songs, and there are none here", error=True)
        else:
            drummers[name] = lambda name=name: make(name, training, tuning)
    results = report(songs, validation, drummers, seed, progress, training_bars(training))
    for name in networks:
        results["drummers"][name] |= {"preset": name, "weights": Path(weights).name if weights else "shipped"}
    settings = {
        "split": split,
        "presets": list(networks),
        "baselines": [name for name in drummers if name in BASELINES],
    }
    words = ["drumlib evaluate SONGS", f"--split {split}", f"--preset {' '.join(networks)}"]
    words += [f"--baseline {' '.join(settings['baselines'])}".strip(), f"--seed {seed}"]
    words += ["--weights WEIGHTS.npz"] if weights else []
    return {
        "command": " ".join(words),
        "settings": settings,
        "data": {"kind": "corpus" if is_corpus(folder) else "folder", "sha256 of its table": table_sum(folder)},
        "left out": len(refused),
        **results,
    }


def network_of(preset: str, weights: str | os.PathLike | None):
    """A preset's network with the shipped weights, or with others. Imports Keras only here: --help must not wait."""
    from drumlib.network.registry import build
    from drumlib.network.weights import load_or_shipped

    return load_or_shipped(build(preset, data="songs"), preset, weights)


def validation_songs(folder: Path, split: str) -> list[EvaluationSong]:
    """The songs that choose thresholds: those of the validation split, unless it is the one that is scored."""
    if split == "validation":
        return []
    try:
        return evaluation_songs(folder, "validation")
    except (FileNotFoundError, ValueError):
        return []


def table_sum(folder: Path) -> str | None:
    """The sha256 of ``manifest.json`` or ``songs.csv``, which list the songs; None if there is neither."""
    for name in ("manifest.json", "songs.csv"):
        if (folder / name).is_file():
            return hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return None


def about(songs: Sequence[EvaluationSong], validation: Sequence[EvaluationSong], seed: int) -> dict:
    """The head of a report: the songs, which steps are scored, how to read the rows, versions."""
    import keras

    return {
        "what": "networks and baselines on whole songs: teacher-forced, free-running, with a mismatched band, sampled",
        "scored": SCORED,
        "how to read": {
            TEACHER_FORCED: f"windows of {WINDOW_STEPS} steps with their drums; threshold {TEACHER_FORCED_THRESHOLD}",
            FREE_RUNNING: "given the whole song's band and no true drums; the row's threshold",
            MISMATCHED: "the same, with the band of another song, repeated or truncated to the song's length",
            SAMPLED: "free-running, notes sampled at temperature 1; density: notes played over true notes",
            "per song": "cells: true positives, false positives, false negatives, true negatives",
            "intervals": "95 % confidence intervals, bootstrap over songs (percentile); gains are paired by song",
            "metrics": "means over songs, each song counting once",
            "sets": "all scored bars: overlap (1: the same) and KL divergence (nats, 0: the same) of the distributions "
            "of features of a bar, means over features; copies: bars that are in the training songs, cell for cell",
        },
        "songs": len(songs),
        "names": [song.name for song in songs],
        "validation songs": len(validation),
        "bars": sum(int(song.scored_steps.sum()) for song in songs) // STEPS_PER_BAR,
        "notes": sum(int(song.truth.hits[song.scored_steps].sum()) for song in songs),
        "seed": seed,
        "versions": {name: version(name) for name in ("drumlib", "keras", "numpy", "mido")}
        | {"python": platform.python_version(), "backend": keras.backend.backend()},
    }


def table(results: dict) -> str:
    """The report to print: one line a drummer, the best free-running F1 first."""
    counts = f"{results['songs']} song{'' if results['songs'] == 1 else 's'}, {results['bars']:,} bars"
    lines = [
        f"{counts}, {results['notes']:,} notes: {results['scored']}",
        f"{'':18}{TEACHER_FORCED:>21}   {FREE_RUNNING:>29}   {'mism.':>6}   {'conditioning gain':>22}   {'sampled':>7}",
        f"{'':18}{'P':>7}{'R':>7}{'F1':>7}   {'P':>6}{'R':>7}{'F1':>16}   {'F1':>6}   {'':22}   {'density':>7}",
    ]
    rows = {name: row for name, row in results["drummers"].items() if name != REFERENCE}
    for name, row in sorted(rows.items(), key=lambda item: -item[1].get(FREE_RUNNING, {"f1": 2})["f1"]):
        free, cells = row.get(FREE_RUNNING), [f"{name:18}"]
        cells.append(numbers(row.get(TEACHER_FORCED), "precision", "recall", "f1"))
        cells.append(
            numbers(free, "precision", "recall", "f1") + (in_brackets(free["f1 interval"]) if free else 15 * " ")
        )
        cells.append(f"{row[MISMATCHED]['f1']:8.3f}" if MISMATCHED in row else 8 * " ")
        gain = row.get("conditioning gain")
        cells.append(f"   {gain['value']:7.3f} " + in_brackets([gain["low"], gain["high"]]) if gain else 25 * " ")
        cells.append(f"{row[SAMPLED]['density']:10.2f}" if SAMPLED in row else "")
        lines.append(" ".join(cells).rstrip())
    return "\n".join(lines)


def numbers(row: dict | None, *names: str) -> str:
    """Some scores in columns: blanks if there is no row, a dash where a score is undefined."""
    if not row:
        return 7 * len(names) * " "
    return "".join(f"{'-':>7}" if row[name] is None else f"{row[name]:7.3f}" for name in names)


def in_brackets(ends: list[float] | None) -> str:
    """An interval; blanks if there is none."""
    return f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else 15 * " "
