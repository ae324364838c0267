"""The report on windows, as the thesis has it: a network and its humble rival, where all four parts play.

The report on whole songs, with all rivals, is in ``contest``.
"""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

from drumlib.data.corpus.reader import Corpus
from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.data.song_folder import list_songs, read_windows
from drumlib.data.windows import Windows
from drumlib.evaluation.baselines import bar_before
from drumlib.evaluation.metrics import Confusion, confusion, error_on_played, hit_scores
from drumlib.evaluation.predict import default_threshold
from drumlib.evaluation.songs import is_corpus
from drumlib.files import write_whole
from drumlib.inference.sampling import conditional_velocities, needs_calibration, thesis_velocity_gains
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.rock_beat import rock_bar

THRESHOLD = 0.5
"""Where teacher-forced answers are cut, as in the thesis's table."""

THESIS = {
    "source": "Goelzer 2021, image 7: its own validation windows, teacher-forced, epoch 76",
    "accuracy": 0.9178,
    "precision": 0.6382,
    "recall": 0.7764,
    "f1": 2 * 0.6382 * 0.7764 / (0.6382 + 0.7764),  # not in the thesis; it follows from the two
}
"""What the thesis says of itself. Its windows were split by file order, so songs stand on both sides (leakage)."""


def evaluate_windows(
    folder: str | os.PathLike,
    split: str = "test",
    preset: str = "band-conv",
    weights: str | os.PathLike | None = None,
    progress=lambda items: items,
) -> dict:
    """Score a network, teacher-forced and cut at 0.5, on the windows of a split; beside it, the bar before again.

    The folder is one of MIDI files, or a corpus that ``drumlib corpus`` built. All tracks of a family are laid over
    each other, and each window counts once. Returns a dictionary of figures: pooled over all windows, and song by song.
    """
    from drumlib.network.registry import build
    from drumlib.network.weights import load_or_shipped

    network = load_or_shipped(build(preset, data="songs"), preset, weights)
    windows, songs, refused = windows_held_out(Path(folder), split, progress)
    inputs, outputs = predict(network, windows)
    truth = dict(zip(("hits", "velocities", "offsets"), np.split(inputs["drums"], 3, axis=-1), strict=True))
    struck = truth["hits"] > 0
    played = outputs["hits"] > THRESHOLD
    copied = np.concatenate(
        [previous_bar(windows.charts[n])[mine] for n, mine in by_song(windows)]
    )  # (windows, 128, 9)
    return {
        "what": "teacher-forced, hits where the probability exceeds the threshold, all cells of all windows pooled",
        "preset": preset,
        "weights": "shipped" if weights is None else Path(weights).name,
        "training": None if weights is None else conductor_vectors(Path(weights)),
        "threshold": THRESHOLD,
        "split": split,
        "songs": songs - refused,
        "songs_with_windows": windows.songs,
        "refused": refused,
        "windows": len(windows),
        "notes": int(struck.sum()),
        "scores": {
            "network": scores(confusion(truth["hits"], played)),
            "the bar before again": scores(confusion(truth["hits"], copied)),
            "silence": scores(confusion(truth["hits"], np.zeros_like(played))),
            "thesis": THESIS,
        },
        "free_running": free_running(network, windows, truth["hits"]),
        "errors": errors(truth, outputs, needs_calibration(network)),
        "per_song": per_song(windows, truth["hits"], played, copied),
        "versions": {name: version(name) for name in ("drumlib", "keras", "numpy", "mido")}
        | {"python": platform.python_version()},
    }


def windows_held_out(folder: Path, split: str, progress) -> tuple[Windows, int, int]:
    """The windows of a split, how many songs it has, and how many of these could not be read.

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
        print(f"left out: {reason}", file=sys.stderr)
    if not len(windows):
        raise ValueError(f"{folder}: no window in the {songs} {split} songs: {why}")
    return windows, songs, len(refused)


def by_song(windows: Windows) -> list[tuple[int, np.ndarray]]:
    """For each song that has windows here, its number, and the numbers that these have within it."""
    songs, windows_of = windows.index[:, 0], windows.index[:, 1]
    return [(int(number), windows_of[songs == number]) for number in np.unique(songs)]


def free_running(network, windows: Windows, truth: np.ndarray) -> dict:
    """The same windows, but the network plays by itself and is told nothing of the true drums.

    Its notes are cut at the middle one of its preset's thresholds: 0.62 for the thesis's. Beside it: the same network
    hearing the band of another song (does it listen?), and the thesis's rock beat.
    """
    from drumlib.network.registry import generate_windows

    number, cut = len(windows), default_threshold(network)
    half = np.roll(np.arange(number), number // 2)  # windows are in order of songs: half way on is another song
    beat = np.tile(rock_bar(), (number, WINDOW_STEPS // STEPS_PER_BAR, 1))  # (windows, 128, 9)
    own, other = (
        np.split(generate_windows(network, windows, order), 3, axis=-1)[0] for order in (np.arange(number), half)
    )
    same_song = windows.index[:, 0] == windows.index[half, 0]
    rows = {"network": (truth, own > cut)}
    if not same_song.all():  # with one song there is no other
        rows["network, hearing another song"] = truth[~same_song], other[~same_song] > cut
    rows["the thesis's rock beat"] = truth, beat
    return {
        "threshold": cut,
        "scores": {name: scores(confusion(*row)) for name, row in rows.items()},
        "notes_played_per_true_note": float((own > cut).sum() / truth.sum()),
    }


def errors(truth: dict[str, np.ndarray], outputs: dict[str, np.ndarray], too_much: bool = True) -> dict:
    """How far velocities and offsets are from the truth: as the thesis counts it, and as a listener hears it.

    The second is counted on the real drummer's notes only, for each way of reading the network: as it answers; with
    the thesis's gains (1.8, snare 2.5); and divided by the calibrated probability (``drummer.conditional_velocities``). The last two
    mend what the thesis's loss does, and are left out unless the network says ``too_much`` (``drummer.needs_calibration``).
    Offsets are compared with those of a drummer who plays exactly on the grid.
    """
    struck = truth["hits"] > 0
    velocities = {"as answered": outputs["velocities"]}
    if too_much:
        velocities["with the thesis's gains"] = thesis_velocity_gains(outputs["velocities"])
        velocities["if struck"] = conditional_velocities(outputs)["velocities"]
    offsets = {"as answered": outputs["offsets"], "none at all": np.zeros_like(outputs["offsets"])}
    return {
        "mean square, all cells": {
            name: float(np.square(truth[name] - outputs[name]).mean()) for name in ("velocities", "offsets")
        },
        "mean absolute, played notes": {
            "velocities": {
                way: error_on_played(truth["velocities"], answer, struck) for way, answer in velocities.items()
            },
            "offsets": {way: error_on_played(truth["offsets"], answer, struck) for way, answer in offsets.items()},
        },
        "mean velocity of played notes": {
            "truth": float(truth["velocities"][struck].mean()),
            **{way: float(answer[struck].mean()) for way, answer in velocities.items()},
        },
    }


def predict(network, windows: Windows, batch: int = 64) -> tuple[dict, dict]:
    """The network's teacher-forced answers to all windows, and what it was given: dictionaries of arrays."""
    inputs, outputs = [], []
    for first in range(0, len(windows), batch):
        given = windows.batch(range(first, min(first + batch, len(windows))))
        inputs.append({"drums": given["drums"]})
        outputs.append({name: np.asarray(x) for name, x in network(given, training=False).items()})
    return tuple(
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} for parts in (inputs, outputs)
    )


def previous_bar(song) -> np.ndarray:
    """What the drummer who plays the bar before again plays in each window of a song: (windows, 128, 9)."""
    copied = bar_before(song.groove().hits)
    return np.stack([copied[start : start + WINDOW_STEPS] for start in song.starts])


def conductor_vectors(weights: Path) -> dict | None:
    """How weights were trained: the plan in the ``history.json`` that training wrote beside them, if it is there."""
    try:
        history = json.loads((weights.parent / "history.json").read_bytes())
        return history["config" if "config" in history else "plan"]  # "plan" in version 0.1
    except (OSError, ValueError, KeyError, TypeError):  # none, or another program's
        return None


def scores(counts: Confusion) -> dict[str, float]:
    """Accuracy, precision, recall and F1 as a dictionary."""
    return hit_scores(counts)._asdict()


def per_song(windows: Windows, truth: np.ndarray, played: np.ndarray, copied: np.ndarray) -> list[dict]:
    """F1 of the network and of its rival, song by song, in the order of the songs' names."""
    rows = []
    for number in np.unique(windows.index[:, 0]).tolist():
        mine = windows.index[:, 0] == number
        rows.append(
            {
                "song": windows.charts[number].name,
                "windows": int(mine.sum()),
                "network": scores(confusion(truth[mine], played[mine]))["f1"],
                "the bar before again": scores(confusion(truth[mine], copied[mine]))["f1"],
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
            lines.append(
                f"{name:32}{row['accuracy']:10.2%}{row['precision']:11.2%}{row['recall']:8.2%}{row['f1']:8.2%}"
            )
    return "\n".join(lines)


def write_results(results: dict, path: str | os.PathLike) -> None:
    """Write a report as JSON, whole or not at all."""
    write_whole(path, (json.dumps(results, indent=1) + "\n").encode())
