"""Every network on the same songs: how large, how long to train, and how it stands the trial.

    python bench/presets.py --songs SONGS --runs RUNS --rows thesis flat best --seeds 0 1 2 --epochs 12
    python bench/presets.py --songs SONGS --runs RUNS --rows tries --epochs 12 --bands CORPUS

A row is a preset, or a change to one ("tries": what each idea is worth, one at a time). Each row is
trained on the training songs, chooses where to cut on the validation songs, and is tried on the test songs, which
nothing else has seen (``drumbook.window_trial``). Runs lie in RUNS and are gone on with; a row that is already in
the results is not made again, so the table can be made piece by piece, by several processes side by side: give each
one core of its own, as with ``TF_NUM_INTRAOP_THREADS=1 taskset -c 0 python ...``. ``--epochs`` is a budget for every
row; a row that stopped because nothing was gained says so.
"""

import argparse
import json
import os
import platform
import time
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np

from drumbook.window_trial import compare_on_windows, window_baselines
from drumlib.data.corpus.reader import Corpus
from drumlib.data.song_folder import list_songs, read_windows
from drumlib.data.splitting.joined_sets import join
from drumlib.evaluation.statistics import paired_f1_difference
from drumlib.evaluation.thesis_protocol import THESIS
from drumlib.files import write_whole
from drumlib.network.checkpoints import check_folder
from drumlib.network.registry import PRESETS, build, preset_names
from drumlib.network.training import train
from drumlib.network.training_config import config_for, is_over
from drumlib.network.weights import load_weights

RESULTS = Path(__file__).parent / "results" / "presets.json"
SHELF = Path(__file__).parent.parent / "drumlib" / "weights"

TRIES = {
    # name: (preset, changes to it, changes to its plan)
    "band-conv, songs as they are (no other keys, none silenced)": (
        "band-conv",
        {},
        {"transpose": 0, "instrument_dropout": 0.0},
    ),
    "band-conv, no other keys": ("band-conv", {}, {"transpose": 0}),
    "band-conv, none silenced": ("band-conv", {}, {"instrument_dropout": 0.0}),
    "band-conv, little dropout where it listens": ("band-conv", {"band_dropout": 0.2}, {}),
    "band-conv, half as large": ("band-conv", {"units": 48}, {}),
    "band-conv, twice as large": ("band-conv", {"units": 192}, {}),
    "band-conv, hears one bar around": ("band-conv", {"dilations": (1, 4)}, {}),
    "band-conv, hears one step around": ("band-conv", {"dilations": (1,)}, {}),
    "band-conv, told its own playing in half of the windows": ("band-conv", {}, {"rollout_share": 0.5}),
    "thesis, never told its own playing": ("thesis", {}, {"rollout_share": 0.0}),
    "thesis, a bottleneck as narrow as the thesis's": ("thesis", {}, {"kl_weight": 1.0}),
    "thesis, the mended loss": ("thesis", {"loss": "masked"}, {}),
    "thesis, the mended loss, 64 free bits, and 4 epochs of warm-up": (
        "thesis",
        {"loss": "masked"},
        {"free_bits": 64.0, "kl_warm_up": 4},
    ),
    "band-conv, an average of its weights": ("band-conv", {}, {"ema_decay": 0.98}),
    "band-conv, ten drummers with composed bands as well": ("band-conv", {}, {"windows": 2680}),
    "band-conv, ten drummers with composed bands alone": ("band-conv", {}, {"windows": 2680}),
    "thesis, the decoder of groove-vae transplanted": ("thesis", {}, {"schedule": "transfer"}),
    "thesis, layer-wise, in a tenth of the time": ("thesis", {}, {"schedule": "layer-wise-short"}),
    "stacked, in floors of two bars": ("stacked", {"encoder_summary_states": 4}, {}),
}


BANDS = {
    "band-conv, ten drummers with composed bands as well": ("songs", "bands"),
    "band-conv, ten drummers with composed bands alone": ("bands",),
}
"""What some rows learn from; the others learn from the songs. All are validated and tried on songs."""

TRANSPLANTS = {"thesis, the decoder of groove-vae transplanted": SHELF / "groove-vae.npz"}
"""The weights whose decoder some rows begin with (thesis, 4.3)."""


def table_of(path: Path) -> dict:
    """The table as far as it has been made."""
    return json.loads(path.read_text()) if path.exists() else {"rows": {}}


def row_of(name: str) -> tuple[str, dict, dict]:
    """The preset of a row, and what is changed in it and in its plan."""
    return TRIES.get(name, (name, {}, {}))


def wanted(names: list[str]) -> list[str]:
    """The rows that were asked for: "presets" stands for all of these, "tries" for all of those."""
    groups = {"presets": preset_names("songs"), "tries": list(TRIES)}
    rows = [row for name in names for row in groups.get(name, [name])]
    if unknown := [row for row in rows if row not in TRIES and row not in groups["presets"]]:
        raise SystemExit(f"no row {unknown[0]!r}: there is {', '.join([*groups['presets'], *TRIES, *groups])}")
    return rows


def made(name: str, seed: int, sets: dict, runs: Path, epochs: int | None) -> dict:
    """Train a row with a seed, or go on with it; put it to the trial."""
    training = join([sets["train" if part == "songs" else part] for part in BANDS.get(name, ["songs"])])
    preset, changes, plan_changes = row_of(name)
    changed = replace(PRESETS[preset], **changes)
    plan = config_for(preset, seed=seed, **{"epochs": epochs, **plan_changes})
    run = runs / f"{name.replace(',', '').replace(' ', '-').replace('(', '').replace(')', '')}-{seed}"
    resume = (run / "last.npz").exists()
    check_folder(run, resume)
    started, used = time.perf_counter(), time.process_time()
    history = train(
        changed, training, sets["validation"], run, plan, resume, verbose=2, decoder_from=TRANSPLANTS.get(name)
    )
    taken, used = time.perf_counter() - started, time.process_time() - used
    network = build(changed, seed)
    load_weights(network, run / "best.npz")
    losses = [epoch["val_loss"] for epoch in history["epochs"]]
    return {
        "preset": preset,
        "changed": changes,
        "plan": asdict(plan),
        "windows": len(training),
        "parameters": network.count_params(),
        "training": {
            "epochs": len(losses),
            "best epoch": int(np.argmin(losses)) + 1,
            "ended by itself": is_over(history["epochs"], replace(plan, epochs=10**6)),
            "seconds": None if resume else round(taken, 1),  # by the clock, whatever else the machine did
            "processor seconds": None if resume else round(used, 1),
        },
        "trial": compare_on_windows(network, sets["validation"], sets["test"], seed),
    }


def main() -> None:
    """Make the rows that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, required=True, help="a folder of songs with a songs.csv")
    parser.add_argument("--runs", type=Path, required=True, help="where the training runs go")
    parser.add_argument("--rows", nargs="+", default=["presets"], help="presets, tries, or the names of rows")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--bands", type=Path, help="`drumlib corpus GROOVE --bands 1`: for the rows that need it")
    parser.add_argument("--epochs", type=int, help="at most, for every row; if not given, as its plan has it")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    sets = {split: read_windows(list_songs(options.songs, split), {}) for split in ("train", "validation", "test")}
    if options.bands:
        sets["bands"] = Corpus(options.bands).windows("train")
    elif needed := [name for name in wanted(options.rows) if name in BANDS]:
        parser.error(f"{needed[0]!r} needs --bands CORPUS")
    about = {
        "command": "python bench/presets.py --songs SONGS --runs RUNS --rows ROWS --seeds SEEDS",
        "songs": {split: windows.songs for split, windows in sets.items()},
        "windows": {split: len(windows) for split, windows in sets.items()},
        "rivals": window_baselines(*(sets[split] for split in ("train", "validation", "test"))),
        "the thesis's own figures": THESIS,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        },
        "versions": {name: version(name) for name in ("drumlib", "keras", "numpy", "mido")}
        | {"python": platform.python_version(), "backend": keras.backend.backend()},
    }
    average = about["rivals"]["counts"]["average bar of the training songs"]
    for name in wanted(options.rows):
        for seed in options.seeds:
            key = f"{name} / seed {seed}"
            if key in table_of(options.results)["rows"]:
                print(f"{key}: is there already")
                continue
            print(f"{key}:", flush=True)
            row = made(name, seed, sets, options.runs, options.epochs)
            row["ahead of the average bar"] = paired_f1_difference(row["trial"]["counts"]["right band"], average)
            rows = table_of(options.results)["rows"] | {key: row}  # read anew: others may have added theirs
            write_whole(options.results, (json.dumps({**about, "rows": rows}, indent=1) + "\n").encode())
            print(in_words(key, row), flush=True)
    table = table_of(options.results)["rows"]  # the head is made anew, were it only for this drumlib's rivals
    write_whole(options.results, (json.dumps({**about, "rows": table}, indent=1) + "\n").encode())


def in_words(key: str, row: dict) -> str:
    """A row of the table, to print."""
    tried, gain = row["trial"], row["trial"]["listening gain"]
    told, free, drawn = tried["teacher-forced"], tried["free-running"], tried["drawn"]
    return (
        f"{key}: {row['parameters']:,} parameters, told {told['f1']:.4f}, by itself {free['f1']:.4f} "
        f"[{free['f1 interval'][0]:.3f}, {free['f1 interval'][1]:.3f}], listening gain {gain['value']:.3f} "
        f"[{gain['low']:.3f}, {gain['high']:.3f}], drawn {drawn['density']:.2f} notes a note"
    )


if __name__ == "__main__":
    main()
