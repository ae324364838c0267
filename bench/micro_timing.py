"""How human drummers play around the grid, and how loud: the Groove MIDI Dataset's beats in 4/4, counted.

    python bench/micro_timing.py --groove FOLDER_OR_ZIP

Writes bench/results/micro_timing.json. Every note counts once; of two of one drum on one sixteenth, the louder. An
offset is onset - grid, **plus is late**, in milliseconds and in sixteenths (steps). Nothing is random.

Two things to know when reading it. Triplets and swung notes lie between the sixteenths, and count as far from them:
that is the grid's doing, not the drummer's. And notes are some 9 ms early on average, from 16 ms early to 19 late
by drummer; how much of this is the drummer (people do anticipate a click) and how much the recording is not known.
"""

import argparse
import hashlib
import json
import platform
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tqdm import tqdm

from drumlib.data.groove_dataset import performances, two_bar_windows
from drumlib.evaluation.humanizers import quantized_baseline
from drumlib.files import write_whole
from drumlib.music import DRUM_OF_ROLAND_PITCH, DRUMS, STEPS_PER_BAR, STEPS_PER_BEAT, Grid
from drumlib.music.grid import merge_notes, quantize_hits

BINS = {"ms": np.linspace(-150, 150, 101), "steps": np.linspace(-0.5, 0.5, 51)}
"""Edges of the histograms. Half a sixteenth lasts 150 ms at 50 beats a minute, the slowest tempo of the data set."""


def columns(played) -> dict[str, np.ndarray]:
    """Every note of these performances, as columns: (notes,) each."""
    rows = []
    for one in played:
        song = one.song()
        grid = Grid(song)
        steps, drums, velocities, offsets = quantize_hits(merge_notes(song.drums), grid, DRUM_OF_ROLAND_PITCH)
        ms = offsets * song.tempos[0].microseconds / 1000 / STEPS_PER_BEAT
        labels = [np.full(len(steps), text) for text in (one.genre, one.drummer)]
        rows.append((steps % STEPS_PER_BAR, drums, velocities, offsets, ms, *labels))
    names = ("position", "drum", "velocity", "steps", "ms", "style", "drummer")
    return dict(zip(names, map(np.concatenate, zip(*rows, strict=True)), strict=True))


def timing(notes: dict[str, np.ndarray], some: np.ndarray) -> dict:
    """What the offsets of some notes are like; ``histogram_ms`` and ``histogram_steps`` count them by ``BINS``."""
    found = {"notes": int(some.sum())}
    for unit, edges in BINS.items():
        offsets = notes[unit][some]
        low, first, middle, third, high = np.percentile(offsets, [5, 25, 50, 75, 95])
        values = {"mean": offsets.mean(), "std": offsets.std(), "mean_absolute": np.abs(offsets).mean()}
        values |= {"p05": low, "p25": first, "median": middle, "p75": third, "p95": high}
        found |= {f"{name}_{unit}": round(float(value), 4) for name, value in values.items()}
        found[f"histogram_{unit}"] = np.histogram(offsets, edges)[0].tolist()
    return found


def loudness(notes: dict[str, np.ndarray], some: np.ndarray) -> dict:
    """What the velocities (1-127) of some notes are like; the histogram counts them by eights."""
    velocities = notes["velocity"][some]
    return {
        "notes": int(some.sum()),
        "mean": round(float(velocities.mean()), 2),
        "std": round(float(velocities.std()), 2),
        "histogram": np.histogram(velocities, np.arange(0, 129, 8))[0].tolist(),
    }


def by_position(notes: dict[str, np.ndarray], column: str, some: np.ndarray) -> dict[str, list]:
    """Number, mean and standard deviation of a column on each of the bar's 16 sixteenths; null where nothing is."""
    groups = [notes[column][some & (notes["position"] == position)] for position in range(STEPS_PER_BAR)]
    return {
        "notes": [len(group) for group in groups],
        "mean": [round(float(group.mean()), 3) if len(group) else None for group in groups],
        "std": [round(float(group.std()), 3) if len(group) else None for group in groups],
    }


def measure(notes: dict[str, np.ndarray]) -> dict:
    """All the tables."""
    everything = np.ones(len(notes["drum"]), dtype=bool)
    groups = {
        "drum": {name: notes["drum"] == number for number, name in enumerate(DRUMS)},
        "position": {str(number): notes["position"] == number for number in range(STEPS_PER_BAR)},
        "style": {str(name): notes["style"] == name for name in np.unique(notes["style"])},
        "drummer": {str(name): notes["drummer"] == name for name in sorted(np.unique(notes["drummer"]), key=natural)},
    }
    groups = {kind: {name: some for name, some in group.items() if some.any()} for kind, group in groups.items()}
    found = {}
    for title, describe in (("timing", timing), ("velocity", loudness)):
        found[title] = {"all": describe(notes, everything)}
        for kind, group in groups.items():
            found[title][f"by_{kind}"] = {name: describe(notes, some) for name, some in group.items()}
    for kind in ("drum", "style"):
        group = groups[kind].items()
        found["timing"][f"ms_by_{kind}_and_position"] = {n: by_position(notes, "ms", some) for n, some in group}
        found["velocity"][f"by_{kind}_and_position"] = {n: by_position(notes, "velocity", some) for n, some in group}
    return found


def natural(name: str) -> tuple:
    """Sorts drummer2 before drummer10."""
    word, number = re.fullmatch(r"(.*?)(\d*)", name).groups()
    return word, int(number or 0)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--groove", type=Path, required=True, help="the Groove MIDI Dataset: archive or folder")
    source = options.parse_args().groove
    played = performances(source, beat_type="beat", time_signature="4-4")
    notes = columns(tqdm(played, desc="reading"))
    test = [one for one in played if one.split == "test"]
    results = {
        "what": "notes of the Groove MIDI Dataset's beats in 4/4, each once; offset = onset - grid, plus is late",
        "command": "python bench/micro_timing.py --groove FOLDER_OR_ZIP",
        "archive": {"name": source.name, "sha256": hashlib.sha256(source.read_bytes()).hexdigest()}
        if source.is_file()
        else None,
        "performances": len(played),
        "notes": len(notes["drum"]),
        "performances_by_style": counts(one.genre for one in played),
        "performances_by_drummer": counts(one.drummer for one in played),
        "quantized_baseline_on_the_test_split": quantized_baseline(two_bar_windows(tqdm(test, desc="baseline"))),
        "bins": {
            **{unit: [round(edge, 4) for edge in edges.tolist()] for unit, edges in BINS.items()},
            "velocity": list(range(0, 129, 8)),
        },
        **measure(notes),
        "versions": {name: version(name) for name in ("drumlib", "numpy", "mido")}
        | {"python": platform.python_version()},
    }
    text = re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda row: f"[{' '.join(row[1].split())}]", json.dumps(results, indent=1))
    write_whole(Path(__file__).parent / "results" / "micro_timing.json", (text + "\n").encode())
    print("offsets in milliseconds, plus is late:")
    for drum, row in results["timing"]["by_drum"].items():
        print(f"{drum:14}{row['notes']:8,} notes  mean {row['mean_ms']:+6.1f}  spread {row['std_ms']:5.1f}")


def counts(names) -> dict[str, int]:
    """How often each name occurs, in order."""
    names = list(names)
    return {name: names.count(name) for name in sorted(set(names), key=natural)}


if __name__ == "__main__":
    main()
