"""Ship the weights of ``band-conv``: float16 weights, their figures, their model card.

    drumlib train --preset band-conv --songs SONGS --out RUN --epochs 12
    python bench/ship_band_conv.py --run RUN --songs SONGS

The scores (``drumbook.window_trial``) are of the weights as they are shipped, on the test songs, which nothing else has
seen. Writes drumlib/weights/band-conv.npz, .json and .md; nothing in the card is typed by hand.
"""

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path

from drumbook.window_trial import AVERAGE, compare_on_windows, window_baselines
from drumlib.data.song_folder import list_songs, read_windows
from drumlib.evaluation.statistics import paired_f1_difference
from drumlib.files import write_whole
from drumlib.inference.weights_file import model_card, write_checksums
from drumlib.network.registry import build
from drumlib.network.weights import load_weights, save_weights

SHELF = Path(__file__).parent.parent / "drumlib" / "weights"

# ruff: noqa: E501 (the rows of a Markdown table are as long as they are)
CARD = """# Model card: `band-conv`

A convolutional band encoder with two heads (`drumlib/network/band_conv/model.py`): {parameters:,} parameters. One head
predicts each step from the band only, the other also from the drums so far. Weights: `band-conv.npz`,
float16. Every figure here is in `band-conv.json`, and was written by `bench/ship_band_conv.py`.

## Training

{train_songs} songs to train on ({train_windows:,} windows of eight bars), {validation_songs} to validate on ({validation_windows:,}): those of the card of `thesis`, which
names each by its md5, with its collection's licence; split by group, so that one artist's songs stay together. A
collection's licence is not each song's. Command:
`{command}`. The weights are those of epoch {best} of {ran}; {versions}.

## Held-out scores

{songs} test songs, {windows} windows, {notes:,} notes; F1 of all cells pooled, with its 95 % confidence interval (bootstrap over
songs).

| | precision | recall | F1 | 95 % confidence interval |
| --- | --- | --- | --- | --- |
{rows}

Thresholds: 0.5 teacher-forced; free-running {threshold}, where F1 was best on the validation songs. Conditioning gain (free-running F1
minus F1 with a mismatched band): {gain:.3f}, interval {gain_low:.3f} to {gain_high:.3f}. Free-running F1 above the average bar of the training songs:
{ahead:.3f}, interval {ahead_low:.3f} to {ahead_high:.3f}. Sampled, it plays {density:.2f} notes for each note of the real drummers, interval {density_low:.2f} to {density_high:.2f}.

## What it is good for, and what not

To put a drummer on a pop, rock or game song in 4/4. It has heard few songs, most of them sequenced by hand on a strict
grid: expect little micro-timing. The weights are offered under MIT, as the rest of the project; what the licences of
training songs mean for weights is nowhere settled.
"""


def main() -> None:
    """Score the weights, and write all three files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--run", type=Path, help="the folder that training wrote: its weights are to ship")
    what.add_argument(
        "--shipped", action="store_true", help="only score the weights that ship, and write the card anew"
    )
    what.add_argument("--card", action="store_true", help="score nothing: only write the card anew, from its figures")
    parser.add_argument("--songs", type=Path, help="the folder of songs, with songs.csv; not with --card")
    options = parser.parse_args()
    if options.card:
        return write_whole(SHELF / "band-conv.md", card_of(model_card("band-conv")).encode())
    if not options.songs:
        parser.error("--songs is missing: where are they?")
    network = build("band-conv")
    if options.run:
        history = json.loads((options.run / "history.json").read_text())
        load_weights(network, options.run / "best.npz")
        save_weights(network, SHELF / "band-conv.npz")
        write_checksums(SHELF)
    else:
        history = model_card("band-conv")["training"]
    load_weights(network, SHELF / "band-conv.npz")
    training, validation, test = (
        read_windows(list_songs(options.songs, split), {}) for split in ("train", "validation", "test")
    )
    tried, others = compare_on_windows(network, validation, test), window_baselines(training, validation, test)
    lead = paired_f1_difference(tried["counts"]["free-running"], others["counts"][AVERAGE])
    plan = history["config"]
    command = (
        f"drumlib train --preset band-conv --songs SONGS --out RUN --epochs {plan['epochs']} --seed {plan['seed']}"
    )
    figures = {
        "command": command,
        "training": history,
        "trial": tried,
        "baselines": others,
        "F1 above the average bar": lead,
        "versions": {name: version(name) for name in ("drumlib", "keras", "numpy")}
        | {"python": platform.python_version()},
    }
    write_whole(SHELF / "band-conv.json", (json.dumps(figures, indent=1) + "\n").encode())
    page = card_of(figures)
    write_whole(SHELF / "band-conv.md", page.encode())
    print(page)


def card_of(figures: dict) -> str:
    """The model card, from the figures."""
    history, tried, others = figures["training"], figures["trial"], figures["baselines"]
    lead, losses = figures["F1 above the average bar"], [epoch["val_loss"] for epoch in history["epochs"]]
    named = {
        "band-conv, teacher-forced": tried["teacher-forced"],
        "band-conv, free-running": tried["free-running"],
        "band-conv, mismatched band": tried["mismatched band"],
        **{name: row for name, row in others.items() if isinstance(row, dict) and "f1" in row},
    }
    rows = [
        f"| {name} | {row['precision']:.2%} | {row['recall']:.2%} | {row['f1']:.2%} | {row['f1 interval'][0]:.2%} to {row['f1 interval'][1]:.2%} |"
        for name, row in named.items()
    ]
    gain, density = tried["conditioning gain"], tried["sampled"]["density, interval over songs"]
    return CARD.format(
        **{name: tried[name] for name in ("songs", "windows", "notes")},
        **{f"{split}_songs": count for split, count in history["songs"].items()},
        **{f"{split}_windows": count for split, count in history["windows"].items()},
        **{"parameters": build("band-conv").count_params(), "command": figures["command"], "rows": "\n".join(rows)},
        **{"ran": len(losses), "best": len(losses) - losses[::-1].index(min(losses))},
        **{
            "threshold": tried["free-running"]["threshold"],
            "gain": gain["value"],
            "gain_low": gain["low"],
            "gain_high": gain["high"],
        },
        **{"ahead": lead["value"], "ahead_low": lead["low"], "ahead_high": lead["high"]},
        **{"density": density["value"], "density_low": density["low"], "density_high": density["high"]},
        versions=", ".join(f"{name} {number}" for name, number in history["versions"].items()),
    )


if __name__ == "__main__":
    main()
