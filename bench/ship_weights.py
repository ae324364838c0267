"""Make the shipped weights of a preset from a training run: float16 weights, their figures, their model card.

    python bench/ship_weights.py --run runs/thesis --songs SONGS

Writes drumlib/weights/PRESET.npz, PRESET.json (training history, held-out scores) and PRESET.md (the card, made from
the figures; nothing in it is typed by hand).
"""

import argparse
import csv
import hashlib
import json
from pathlib import Path
from textwrap import fill

from tqdm import tqdm

from drumlib.data.song_folder import list_songs, read_windows
from drumlib.evaluation.thesis_protocol import evaluate_windows, table
from drumlib.files import write_whole
from drumlib.inference.weights_file import model_card, write_checksums
from drumlib.network.registry import build
from drumlib.network.training_config import stalled
from drumlib.network.weights import load_weights, save_weights

SHELF = Path(__file__).parent.parent / "drumlib" / "weights"
CONFIG = ("epochs", "batch", "learning_rate", "transpose", "instrument_dropout", "kl_weight", "rollout_share", "seed")
"""The settings that the card's command gives."""

# ruff: noqa: E501 (the rows of a Markdown table are as long as they are)
CARD = """# Model card: `{preset}`

The network of the thesis "L'algorithme du batteur" (Goelzer 2021), layer by layer: {parameters:,} parameters. It hears
eight bars of piano, guitar and bass, and plays eight bars of drums. Weights: `{preset}.npz`, float16. Every figure
here is in `{preset}.json`, and was written by `bench/ship_weights.py`.

## Training

| | |
| --- | --- |
| songs | {train_songs} to train on, {validation_songs} to validate on; {silent} more are listed, and have no window with all four parts; split by group, so that one artist's songs stay together |
| windows | {train_windows:,} and {validation_windows:,}: eight bars each, a new one every two bars |
| command | `drumlib train --preset {preset} --songs SONGS --out RUN --epochs {epochs} --batch {batch} --learning-rate {learning_rate} --transpose {transpose} --instrument-dropout {instrument_dropout} --kl-weight {kl_weight} --rollout-share {rollout_share} --seed {seed}` |
| ended | after epoch {ran}{by_hand}; the weights are those of epoch {best} |
| versions | {versions} |

The songs that are listed, training and validation together, also those without a window; each has drums, a piano, a guitar and a bass, and is mostly in 4/4. None
of them is in this repository; the last section names each by the md5 of its file. The licence is the collection's, and
a collection's licence is not each song's: most of what Lakh's collection holds was typed in by people who do not own
the songs.

| source | licence | songs |
| --- | --- | --- |
{sources}

## Held-out scores

{songs_with_windows} of the {songs} test songs have windows with all four parts: {windows} windows, {notes:,} notes. Teacher-forced,
threshold 0.5, all cells pooled.

| | accuracy | precision | recall | F1 |
| --- | --- | --- | --- | --- |
{rows}

Free-running, threshold {free_threshold}, on the same windows:

| | accuracy | precision | recall | F1 |
| --- | --- | --- | --- | --- |
{free_rows}

The bar before is a baseline that repeats what was really played in the bar before. The figures of the thesis are its own,
on its own validation windows, among which are windows of songs it trained on.

## What it is good for, and what not

To learn from, and to put a plain, tidy drummer on a pop, rock or game song in 4/4. It has heard few songs, most of
them sequenced by hand on a strict grid: expect little micro-timing, few fills, and no sense of a chorus. Teacher-forced,
the bar before {copying}. The weights are offered under MIT, as the
rest of the project; what the licences of training songs mean for weights is nowhere settled, so the songs are named below.

## The songs

{named}
"""


def rows(scores: dict) -> str:
    """Scores as the rows of a Markdown table."""
    figures = ("accuracy", "precision", "recall", "f1")
    return "\n".join(
        f"| {name} | " + " | ".join("-" if row[x] is None else f"{row[x]:.2%}" for x in figures) + " |"
        for name, row in scores.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--run", type=Path, help="the folder that training wrote: its weights are to ship")
    what.add_argument("--shipped", metavar="PRESET", help="only score the weights that ship, and write the card anew")
    what.add_argument("--card", metavar="PRESET", help="score nothing: only write the card anew, from its figures")
    parser.add_argument("--songs", type=Path, help="the folder of songs, with songs.csv; not with --card")
    options = parser.parse_args()
    if options.card:
        return write_whole(SHELF / f"{options.card}.md", card_of(model_card(options.card)).encode())
    if not options.songs:
        parser.error("--songs is missing: where are they?")
    history = (
        json.loads((options.run / "history.json").read_text())
        if options.run
        else model_card(options.shipped)["training"]
    )
    preset = history["preset"]
    network = build(preset)
    if options.run:
        load_weights(network, options.run / "best.npz")
        save_weights(network, SHELF / f"{preset}.npz")
        write_checksums(SHELF)
    results = evaluate_windows(options.songs, "test", preset, SHELF / f"{preset}.npz", tqdm)
    print(table(results))
    figures = {"training": history, "held_out": results, "learned_from": learned_from(options.songs)}
    write_whole(SHELF / f"{preset}.json", (json.dumps(figures, indent=1) + "\n").encode())
    write_whole(SHELF / f"{preset}.md", card_of(figures).encode())


def learned_from(folder: Path) -> dict:
    """The songs to train and to validate on: how many have windows; and the md5 of each file, by collection."""
    with open(folder / "songs.csv", newline="", encoding="utf-8") as file:
        learned = [row for row in csv.DictReader(file) if row["good"] == "1" and row["split"] != "test"]
    collections = {}
    for row in learned:
        md5 = hashlib.md5((folder / row["file"]).read_bytes()).hexdigest()
        collections.setdefault((row["source"], row["licence"].split(";")[0]), []).append(md5)
    return {
        "songs_with_windows": {
            part: read_windows(list_songs(folder, part), {}).song_count for part in ("train", "validation")
        },
        "collections": [
            {"source": source, "licence": licence, "md5": sorted(sums)}
            for (source, licence), sums in collections.items()
        ],
    }


def card_of(figures: dict) -> str:
    """The model card, from the figures."""
    history, results, learned = figures["training"], figures["held_out"], figures["learned_from"]
    preset, ran, songs = history["preset"], history["epochs"], learned["songs_with_windows"]
    collections = learned["collections"]
    finished = len(ran) == history["config"]["epochs"] or stalled(ran, history["config"]["patience"], 1e-4)
    copying = results["scores"]["bar before"]["f1"] > results["scores"]["network"]["f1"]
    losses = [epoch["val_loss"] for epoch in history["epochs"]]
    plan = history["config"]
    return CARD.format(
        **{"preset": preset, "parameters": build(preset).count_params(), "ran": len(losses)},
        **{
            "by_hand": "" if finished else ", stopped by hand (the command alone would go on)",
            "copying": "beats it" if copying else "does not beat it",
        },
        **{"best": len(losses) - losses[::-1].index(min(losses)), "train_songs": songs["train"]},
        **{"validation_songs": songs["validation"], "train_windows": history["windows"]["train"]},
        silent=sum(len(one["md5"]) for one in collections) - sum(songs.values()),
        validation_windows=history["windows"]["validation"],
        **{name: plan[name] for name in CONFIG},
        versions=", ".join(f"{name} {number}" for name, number in history["versions"].items()),
        **{name: results[name] for name in ("songs", "songs_with_windows", "windows", "notes")},
        sources="\n".join(f"| {one['source']} | {one['licence']} | {len(one['md5'])} |" for one in collections),
        named="\n\n".join(
            f"{one['source']}, {one['licence']}:\n" + fill(" ".join(one["md5"]), 120) for one in collections
        ),
        rows=rows(results["scores"]),
        free_rows=rows(results["free_running"]["scores"]),
        free_threshold=results["free_running"]["threshold"],
    )


if __name__ == "__main__":
    main()
