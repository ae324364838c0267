"""Drummers on the same whole songs: networks and their humble rivals, asked the same questions.

- **told**: told the true drums so far, how well does he go on? A network hears and is told windows of eight bars,
  side by side, and is cut at 0.5, as in the thesis; no window knows the one before. The bar before again is told, too.
- **by itself**: he hears the whole song as ``drummer.probabilities`` gives it to him, and nobody tells him anything.
- **another song's band**: the same, but the band is another song's. What he loses by it is his *listening gain*.
- **drawn**: by himself, each note drawn from its probability (temperature 1): does he play as many notes as a drummer?
- **metrics**: what the playing is like, song by song, averaged over songs (``metrics``), beside the real drummers' own.
- **sets**: all bars taken together: are they like the real drummers'? Are they bars of the training songs?

What is judged is said in ``songs``. Scores are counted over all judged cells together; intervals come from drawing
songs with repeats (``intervals``).
"""

import hashlib
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.evaluation.baselines import BASELINES, Baseline, check_names, make
from drumlib.evaluation.metrics import Confusion, confusion, hit_scores
from drumlib.evaluation.predict import apply_threshold, choose_threshold, free_running, teacher_forced
from drumlib.evaluation.set_distances import copied_bars, mean_record, records, rounded, set_distances, training_bars
from drumlib.evaluation.songs import (
    ALL,
    SCORED,
    EvaluationSong,
    bands_of_other_songs,
    is_corpus,
    training_windows,
    whole_songs,
)
from drumlib.evaluation.statistics import bootstrap, mean_over_songs
from drumlib.evaluation.thresholds import THRESHOLDS, f1
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import DRUMS

TEACHER_FORCED_THRESHOLD = 0.5
"""Where teacher-forced answers are cut, as in the thesis's table."""

REAL = "the real drummers"
OTHER = "another song's band"


def score_network(
    network,
    songs: Sequence[EvaluationSong],
    validation: Sequence[EvaluationSong] = (),
    seed: int = 0,
    curves: bool = False,
    learned: np.ndarray | None = None,
) -> dict:
    """A network's row. ``validation`` are the songs that say where it is cut; without any, its preset does.

    ``learned`` are the bars of the training songs, (bars, 16, 9), to see what is copied from them (``training_bars``).
    With ``curves``, also precision and recall of each drum at every cut of ``CUTS``, and each drum's density.
    """
    began = time.perf_counter()
    cut, chosen_by = choose_threshold(network, validation)
    bands = [song.rolls for song in songs]
    heard = free_running(network, bands)
    rows = {
        "told": [apply_threshold(heads, TEACHER_FORCED_THRESHOLD) for heads in teacher_forced(network, songs)],
        "by itself": [apply_threshold(heads, cut) for heads in heard],
        "drawn": [apply_threshold(heads, 0.5) for heads in free_running(network, bands, seed)],
    }
    if others := bands_of_other_songs(songs):
        rows[OTHER] = [apply_threshold(heads, cut) for heads in free_running(network, others)]
    row = {"kind": "network", "parameters": network.count_params(), "cut": cut, "cut chosen by": chosen_by}
    row |= scored_rows(songs, rows, learned)
    if curves:
        row["drums"] = curves_of(songs, heard, rows)
    return {**row, "seconds": round(time.perf_counter() - began, 1)}


def score_baseline(
    baseline: Baseline, songs: Sequence[EvaluationSong], seed: int = 0, learned: np.ndarray | None = None
) -> dict:
    """A rival's row: the same questions, as far as they make sense."""
    began = time.perf_counter()
    name = "told" if baseline.teacher_forced else "by itself"
    rows = {name: [baseline.play(song.rolls, song.truth, seed) for song in songs]}
    if not baseline.teacher_forced and (others := bands_of_other_songs(songs)):
        rows[OTHER] = [baseline.play(rolls, None, seed) for rolls in others]
    row = {"kind": "baseline", **scored_rows(songs, rows, learned)}
    return {**row, "seconds": round(time.perf_counter() - began, 1)}


def reference_scores(songs: Sequence[EvaluationSong], learned: np.ndarray | None = None) -> dict:
    """The real drummers' own row: what their playing is like, and how alike two halves of their songs are."""
    truth = [song.truth for song in songs]
    row = {"kind": REAL, "metrics": {"played": mean_record(records(songs, truth))}}
    row["sets"] = {"every second song against the others": set_distances(songs[::2], truth[::2], songs[1::2])}
    if learned is not None:
        row["sets"]["copies"] = copied_bars(songs, truth, learned)
    return row


def scored_rows(
    songs: Sequence[EvaluationSong], rows: dict[str, list[Groove]], learned: np.ndarray | None = None
) -> dict:
    """Everything that follows from what was played: scores, listening gain, metrics, sets, counts of every song."""
    counts = {name: count_cells(songs, played) for name, played in rows.items()}  # each (songs, 4)
    found = {name: score(one) for name, one in counts.items()}
    if OTHER in counts:
        pair = np.stack([counts["by itself"], counts[OTHER]], axis=1)  # (songs, 2, 4)
        found["listening gain"] = bootstrap(pair, lambda both: f1(both[0]) - f1(both[1]))
        found["listening gain, mean over songs"] = mean_over_songs([f1(own) - f1(other) for own, other in pair])
    found["metrics"] = {name: mean_record(records(songs, played)) for name, played in rows.items() if name != OTHER}
    found["sets"] = {name: set_distances(songs, played, songs) for name, played in rows.items() if name != OTHER}
    if learned is not None:
        for name, of in found["sets"].items():
            of["copies"] = copied_bars(songs, rows[name], learned)
    return {**found, "per song": {name: one.tolist() for name, one in counts.items()}}


# --- scores -----------------------------------------------------------------------------------------------------------


def count_cells(songs: Sequence[EvaluationSong], played: Sequence[Groove]) -> np.ndarray:
    """Judged cells struck by both, only by the one judged, only by the real drummer, by neither: int (songs, 4)."""
    return np.array(
        [
            confusion(song.truth.hits[song.scored_steps], groove.hits[song.scored_steps])
            for song, groove in zip(songs, played, strict=True)
        ]
    )


def score(counts: np.ndarray) -> dict:
    """All scores of songs' counts (songs, 4): of all cells together, and F1 as a mean over songs."""
    scores = hit_scores(Confusion(*counts.sum(axis=0).tolist()))
    pooled = bootstrap(counts, f1)
    density = bootstrap(counts, lambda c: float((c[0] + c[1]) / (c[0] + c[2])) if c[0] + c[2] else float("nan"))
    return {
        **scores._asdict(),
        "f1 interval": interval_ends(pooled, len(counts)),
        "f1, mean over songs": mean_over_songs([f1(one) for one in counts]),
        "density": density["value"],
        "density interval": interval_ends(density, len(counts)),
    }


def interval_ends(found: dict, songs: int) -> list[float] | None:
    """An interval's ends; None for a single song, from which nothing can be drawn but itself."""
    return [found["low"], found["high"]] if songs > 1 else None


def curves_of(songs: Sequence[EvaluationSong], heard: Sequence[dict], rows: dict[str, list[Groove]]) -> dict:
    """By drum: how precision and recall of the network's own playing go with the cut; how many notes each drum has."""
    truth = np.concatenate([song.truth.hits[song.scored_steps] for song in songs]) > 0  # (steps, 9)
    probability = np.concatenate([one["hits"][song.scored_steps] for one, song in zip(heard, songs, strict=True)])
    curves = {name: {"precision": [], "recall": [], "notes": int(truth[:, d].sum())} for d, name in enumerate(DRUMS)}
    together = {"precision": [], "recall": []}
    for cut in THRESHOLDS:
        played = probability > cut
        both, own, real_ones = (x.sum(axis=0) for x in (played & truth, played, truth))  # 3 x (9,)
        for d, name in enumerate(DRUMS):
            curves[name]["precision"].append(share(both[d], own[d]))
            curves[name]["recall"].append(share(both[d], real_ones[d]))
        together["precision"].append(share(both.sum(), own.sum()))
        together["recall"].append(share(both.sum(), real_ones.sum()))
    for way, played in rows.items():
        if way != OTHER:
            hits = np.concatenate([groove.hits[song.scored_steps] for groove, song in zip(played, songs, strict=True)])
            for d, name in enumerate(DRUMS):
                curves[name][f"density, {way}"] = share(hits[:, d].sum(), truth[:, d].sum())
    return {"cuts": [round(float(cut), 2) for cut in THRESHOLDS], "by drum": curves, "all drums": together}


def share(part: float, whole: float) -> float | None:
    """A quotient to four digits; None where there is nothing to divide by."""
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
    """Let drummers play. ``drummers`` maps names to what makes them: a ``Baseline`` or a network, built when it is due.

    Returns a dictionary that can be written as JSON.
    """
    rows = {REAL: reference_scores(songs, learned)}
    for name in progress(list(drummers)):
        drummer = drummers[name]()
        if isinstance(drummer, Baseline):
            rows[name] = score_baseline(drummer, songs, seed, learned)
        else:
            rows[name] = score_network(drummer, songs, validation, seed, learned=learned)
    return {**about(songs, validation, seed), "drummers": rows}


def evaluate(
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
        Which songs; ``"all"`` for every one. (Then nothing is left to learn from, or to choose cuts by.)
    presets
        Which networks, with the weights that ship.
    baselines
        Which rivals; all that can be had, if not given.
    weights
        Other weights, for the only preset.

    Raises
    ------
    FileNotFoundError
        If there are no songs.
    ValueError
        If no song can be judged, or a preset, its weights or a baseline are not to be had.
    """
    folder, refused = Path(folder), {}
    networks = {name: network_of(name, weights) for name in presets}
    if weights is not None and len(networks) != 1:
        raise ValueError("weights are of one preset: name the one that they are of")
    check_names(baselines or ())
    songs = whole_songs(folder, split, refused, progress)
    for name, reason in refused.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    validation, training, tuning = [], None, None
    if split != ALL:
        validation = songs_to_tune_on(folder, split)
        training, tuning = (
            training_windows(folder, part) if part != split else None for part in ("train", "validation")
        )
    drummers = {name: (lambda network=network: network) for name, network in networks.items()}
    for name in BASELINES if baselines is None else baselines:
        if baselines is None and BASELINES[name].learns and training is None:
            print(f"left out: {name}: it learns from training songs, and there are none here", file=sys.stderr)
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
    words = ["python -m drumlib evaluate SONGS", f"--split {split}", f"--preset {' '.join(networks)}"]
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
    """A preset's network with the shipped weights, or with others. Keras is loaded only now: --help must not wait."""
    from drumlib.network.registry import build
    from drumlib.network.weights import load_or_shipped

    return load_or_shipped(build(preset, data="songs"), preset, weights)


def songs_to_tune_on(folder: Path, split: str) -> list[EvaluationSong]:
    """The validation songs, if there are any, and if it is not they that are judged."""
    if split == "validation":
        return []
    try:
        return whole_songs(folder, "validation")
    except (FileNotFoundError, ValueError):
        return []


def table_sum(folder: Path) -> str | None:
    """The sha256 of what says which songs there are: ``manifest.json`` or ``songs.csv``; None if there is neither."""
    for name in ("manifest.json", "songs.csv"):
        if (folder / name).is_file():
            return hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return None


def about(songs: Sequence[EvaluationSong], validation: Sequence[EvaluationSong], seed: int) -> dict:
    """What a report is about: the songs, what is judged of them, how to read the rows, versions."""
    import keras

    return {
        "what": "drummers on whole songs: told the truth, by themselves, with another song's band, drawing their notes",
        "judged": SCORED,
        "how to read": {
            "told": f"windows of {WINDOW_STEPS} steps side by side, each told its own true drums; cut at {TEACHER_FORCED_THRESHOLD}",
            "by itself": "the whole song's band, nothing told; cut where the row says",
            OTHER: "the same, with the band of another song, repeated or cut to length",
            "drawn": "by itself, notes drawn at temperature 1; density is notes played for each of the real drummer's",
            "per song": "cells: struck by both, only by this drummer, only by the real one, by neither",
            "intervals": "95 of 100 draws of as many songs, with repeats; gains are paired, song by song",
            "metrics": "means over songs, each song counting once",
            "sets": "all judged bars: overlap (1: alike) and divergence (nats, 0: alike) of features of a bar with the "
            "real drummers', means over features; copies: bars that are in the training songs, cell for cell",
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
    """The report to print: one line a drummer, the best by itself first."""
    counts = f"{results['songs']} song{'' if results['songs'] == 1 else 's'}, {results['bars']:,} bars"
    lines = [
        f"{counts}, {results['notes']:,} notes: {results['judged']}",
        f"{'':18}{'told':>21}   {'by itself':>29}   {'other':>6}   {'listening gain':>22}   {'drawn':>5}",
        f"{'':18}{'P':>7}{'R':>7}{'F1':>7}   {'P':>6}{'R':>7}{'F1':>16}   {'F1':>6}   {'':22}   {'notes':>5}",
    ]
    rows = {name: row for name, row in results["drummers"].items() if name != REAL}
    for name, row in sorted(rows.items(), key=lambda item: -item[1].get("by itself", {"f1": 2})["f1"]):
        free, cells = row.get("by itself"), [f"{name:18}"]
        cells.append(numbers(row.get("told"), "precision", "recall", "f1"))
        cells.append(
            numbers(free, "precision", "recall", "f1") + (in_brackets(free["f1 interval"]) if free else 15 * " ")
        )
        cells.append(f"{row[OTHER]['f1']:8.3f}" if OTHER in row else 8 * " ")
        gain = row.get("listening gain")
        cells.append(f"   {gain['value']:7.3f} " + in_brackets([gain["low"], gain["high"]]) if gain else 25 * " ")
        cells.append(f"{row['drawn']['density']:8.2f}" if "drawn" in row else "")
        lines.append(" ".join(cells).rstrip())
    return "\n".join(lines)


def numbers(row: dict | None, *names: str) -> str:
    """Some scores in columns; blanks if there are none."""
    return "".join(f"{row[name]:7.3f}" for name in names) if row else 7 * len(names) * " "


def in_brackets(ends: list[float] | None) -> str:
    """An interval; blanks if there is none."""
    return f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else 15 * " "
