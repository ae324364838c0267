"""The evaluation of the thesis (5.1): windows of eight bars in which all four parts play, all cells pooled.

Beside the network stand the bar before, silence, the rock beat of the thesis, and the figures that the thesis reports.
``predict`` makes the predictions. For whole songs and all baselines, see ``evaluate``.
"""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np

from drumlib.data.corpus.reader import Corpus
from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.data.song_folder import list_songs, read_windows
from drumlib.data.windows import Windows
from drumlib.evaluation.baselines import bar_before
from drumlib.evaluation.evaluate import defined, network_of
from drumlib.evaluation.metrics import confusion, error_on_played, hit_scores
from drumlib.evaluation.predict import (
    TEACHER_FORCED_THRESHOLD,
    free_running_windows,
    has_other_band,
    teacher_forced_windows,
    true_drums,
)
from drumlib.evaluation.songs import is_corpus
from drumlib.evaluation.thresholds import default_threshold
from drumlib.files import write_whole
from drumlib.inference.sampling import conditional_velocities, needs_calibration, thesis_velocity_gains
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.rock_beat import rock_bar
from drumlib.terminal import say

THESIS = {
    "source": "Goelzer 2021, image 7: its own validation windows, teacher-forced, epoch 76",
    "accuracy": 0.9178,
    "precision": 0.6382,
    "recall": 0.7764,
    "f1": 2 * 0.6382 * 0.7764 / (0.6382 + 0.7764),  # not in the thesis; it follows from the two
}
"""The scores that the thesis reports. Its windows were split by file order, so songs are in both sets (leakage)."""


def evaluate_windows(
    folder: str | os.PathLike,
    split: str = "test",
    preset: str = "band-conv",
    weights: str | os.PathLike | None = None,
    progress=lambda items: items,
) -> dict:
    """The scores of a network on the windows of a split, teacher-forced and free-running, beside baselines.

    The folder is one of MIDI files, or a corpus that ``drumlib corpus`` built. All tracks of a family are merged, and
    each window counts once. Returns a dictionary that can be written as JSON: pooled over all windows, and by song.
    """
    network = network_of(preset, weights)
    windows, songs, refused = windows_of_split(Path(folder), split, progress)
    truth, outputs = true_drums(windows), teacher_forced_windows(network, windows)
    hits = outputs["hits"] > TEACHER_FORCED_THRESHOLD
    copied = previous_bars(windows)
    return {
        "what": "teacher-forced, hits where the probability exceeds the threshold, all cells of all windows pooled",
        "preset": preset,
        "weights": "shipped" if weights is None else Path(weights).name,
        "training": None if weights is None else training_config_of(Path(weights)),
        "threshold": TEACHER_FORCED_THRESHOLD,
        "split": split,
        "songs": songs - refused,
        "songs_with_windows": windows.song_count,
        "refused": refused,
        "windows": len(windows),
        "notes": int((truth["hits"] > 0).sum()),
        "scores": {
            "network": scores(truth["hits"], hits),
            "bar before": scores(truth["hits"], copied),
            "silence": scores(truth["hits"], np.zeros_like(hits)),
            "thesis": THESIS,
        },
        "free_running": free_running_scores(network, windows, truth["hits"]),
        "errors": errors(truth, outputs, needs_calibration(network)),
        "per_song": f1_by_song(windows, truth["hits"], hits, copied),
        "versions": {name: version(name) for name in ("drumlib", "keras", "numpy", "mido")}
        | {"python": platform.python_version()},
    }


def windows_of_split(folder: Path, split: str, progress) -> tuple[Windows, int, int]:
    """The windows of a split, the number of its songs, and the number of these that could not be read.

    Raises FileNotFoundError if it has no songs, ValueError if they have no windows.
    """
    refused: dict[str, str] = {}
    if is_corpus(folder):
        corpus = Corpus(folder)
        windows, songs, why = corpus.windows(split), corpus.splits.count(split), "another split has the same drums"
        if not songs:
            raise FileNotFoundError(f"{folder}: no songs for {split} here (a corpus of {len(corpus)})")
    else:
        files = list_songs(folder, split)
        windows, songs = read_windows(files, refused, progress), len(files)
        why = "none could be read" if len(refused) == songs else "none of them has all four parts in 4/4"
    for reason in refused.values():
        say(f"left out: {reason}", error=True)
    if not len(windows):
        raise ValueError(f"{folder}: no window in the {songs} {split} songs: {why}")
    return windows, songs, len(refused)


def free_running_scores(network, windows: Windows, truth: np.ndarray) -> dict:
    """The scores of free-running outputs at the preset's middle threshold (0.62 for the thesis's).

    Beside them: the same with a mismatched band, and the rock beat.
    """
    threshold, other = default_threshold(network), has_other_band(windows)
    own = free_running_windows(network, windows)["hits"] > threshold
    rows = {"network": scores(truth, own)}
    if other.any():  # with one song there is no other
        mismatched = free_running_windows(network, windows, mismatched=True)["hits"] > threshold
        rows["network, mismatched band"] = scores(truth[other], mismatched[other])
    beat = np.tile(rock_bar(), (len(windows), WINDOW_STEPS // STEPS_PER_BAR, 1))  # (windows, 128, 9)
    rows["rock beat"] = scores(truth, beat)
    return {"threshold": threshold, "scores": rows, "density": float(own.sum() / truth.sum())}


def errors(truth: dict[str, np.ndarray], outputs: dict[str, np.ndarray], calibration: bool = True) -> dict:
    """Errors of velocities and offsets: squared over all cells, as in the thesis; absolute over the true hits.

    The second for each way to read velocities: the network's output; with the thesis's gains (1.8, snare 2.5); given a
    hit, which is the output divided by the calibrated hit probability (``conditional_velocities``). The last two only
    make sense for a network that needs ``calibration`` (``needs_calibration``). Offsets are compared with none at all.
    """
    struck = truth["hits"] > 0
    velocities = {"network output": outputs["velocities"]}
    if calibration:
        velocities["with the thesis's gains"] = thesis_velocity_gains(outputs["velocities"])
        velocities["given a hit"] = conditional_velocities(outputs)["velocities"]
    offsets = {"network output": outputs["offsets"], "on the grid": np.zeros_like(outputs["offsets"])}
    return {
        "mean squared error, all cells": {
            name: float(np.square(truth[name] - outputs[name]).mean()) for name in ("velocities", "offsets")
        },
        "mean absolute error, played notes": {
            "velocities": {way: error_on_played(truth["velocities"], x, struck) for way, x in velocities.items()},
            "offsets": {way: error_on_played(truth["offsets"], x, struck) for way, x in offsets.items()},
        },
        "mean velocity of played notes": {
            "truth": float(truth["velocities"][struck].mean()),
            **{way: float(x[struck].mean()) for way, x in velocities.items()},
        },
    }


def previous_bar(song) -> np.ndarray:
    """The baseline that repeats the true bar before, in each window of a song: hits (windows, 128, 9)."""
    copied = bar_before(song.groove().hits)
    return np.stack([copied[start : start + WINDOW_STEPS] for start in song.starts])


def previous_bars(windows: Windows) -> np.ndarray:
    """``previous_bar`` of all windows: (windows, 128, 9)."""
    copied = {s: previous_bar(windows.grid_songs[s]) for s in np.unique(windows.index[:, 0]).tolist()}
    return np.stack([copied[s][i] for s, i in windows.index[:, :2].tolist()])


def training_config_of(weights: Path) -> dict | None:
    """The training configuration in the ``history.json`` beside the weights; None if there is none."""
    try:
        history = json.loads((weights.parent / "history.json").read_bytes())
        return history["config" if "config" in history else "plan"]  # "plan" in version 0.1
    except (OSError, ValueError, KeyError, TypeError):  # none, or another program's
        return None


def scores(truth: np.ndarray, hits: np.ndarray) -> dict[str, float | None]:
    """Accuracy, precision, recall and F1 of hits, for JSON."""
    return {name: defined(value) for name, value in hit_scores(confusion(truth, hits))._asdict().items()}


def f1_by_song(windows: Windows, truth: np.ndarray, hits: np.ndarray, copied: np.ndarray) -> list[dict]:
    """F1 of the network and of the bar before, song by song, in the order of the songs' names."""
    rows = []
    for number in np.unique(windows.index[:, 0]).tolist():
        mine = windows.index[:, 0] == number
        rows.append(
            {
                "song": windows.grid_songs[number].name,
                "windows": int(mine.sum()),
                "network": scores(truth[mine], hits[mine])["f1"],
                "bar before": scores(truth[mine], copied[mine])["f1"],
            }
        )
    return sorted(rows, key=lambda row: row["song"])


def table(results: dict) -> str:
    """The scores as small tables to print: teacher-forced, then free-running."""
    counts = (results[name] for name in ("songs_with_windows", "windows", "notes", "split"))
    lines = ["{} songs, {} windows, {} notes ({})".format(*counts)]
    for title, rows in (("teacher-forced", results["scores"]), ("free-running", results["free_running"]["scores"])):
        lines.append(f"{title:32}{'accuracy':>10}{'precision':>11}{'recall':>8}{'F1':>8}")
        for name, row in rows.items():
            cells = (row["accuracy"], row["precision"], row["recall"], row["f1"])
            texts = ("-" if cell is None else f"{cell:.2%}" for cell in cells)
            lines.append("{:32}{:>10}{:>11}{:>8}{:>8}".format(name, *texts))
    return "\n".join(lines)


def write_results(results: dict, path: str | os.PathLike) -> None:
    """Write a report as JSON, whole or not at all."""
    write_whole(path, (json.dumps(results, indent=1) + "\n").encode())
