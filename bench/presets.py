"""Every network on the same songs, and ablations: size, training, scores on windows.

    python bench/presets.py --songs SONGS --runs RUNS --rows thesis flat band-conv --seeds 0 1 2 --epochs 12
    python bench/presets.py --songs SONGS --runs RUNS --rows ablations --epochs 12 --bands CORPUS

A row is a preset, or a preset with one change ("ablations"). Each row is trained on the training songs, its threshold
is chosen on the validation songs, and it is scored on the test songs, which nothing else has seen
(``drumbook.window_trial``). Runs lie in RUNS and are resumed; a row that is already in the results is not made again,
so the table can be made piece by piece, by several processes side by side: give each one core of its own, as with
``TF_NUM_INTRAOP_THREADS=1 taskset -c 0 python ...``. ``--epochs`` is a budget for every row; "stopped early" says
whether early stopping ended the training.
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

from drumbook.window_trial import AVERAGE, compare_on_windows, window_baselines
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

ABLATIONS = {
    # name: (preset, changes to it, changes to its training configuration)
    "band-conv, no transposition, no instrument dropout": (
        "band-conv",
        {},
        {"transpose": 0, "instrument_dropout": 0.0},
    ),
    "band-conv, no transposition": ("band-conv", {}, {"transpose": 0}),
    "band-conv, no instrument dropout": ("band-conv", {}, {"instrument_dropout": 0.0}),
    "band-conv, band dropout 0.2": ("band-conv", {"band_dropout": 0.2}, {}),
    "band-conv, 48 units": ("band-conv", {"units": 48}, {}),
    "band-conv, 192 units": ("band-conv", {"units": 192}, {}),
    "band-conv, dilations 1, 4": ("band-conv", {"dilations": (1, 4)}, {}),
    "band-conv, dilation 1": ("band-conv", {"dilations": (1,)}, {}),
    "band-conv, rollouts in half of the windows": ("band-conv", {}, {"rollout_share": 0.5}),
    "thesis, teacher forcing only": ("thesis", {}, {"rollout_share": 0.0}),
    "thesis, KL weight 1": ("thesis", {}, {"kl_weight": 1.0}),
    "thesis, masked loss": ("thesis", {"loss": "masked"}, {}),
    "thesis, masked loss, 64 free bits, 4 epochs of KL warm-up": (
        "thesis",
        {"loss": "masked"},
        {"free_bits": 64.0, "kl_warm_up": 4},
    ),
    "band-conv, moving average of the weights": ("band-conv", {}, {"ema_decay": 0.98}),
    "band-conv, Groove MIDI with composed bands added": ("band-conv", {}, {"windows": 2680}),
    "band-conv, Groove MIDI with composed bands only": ("band-conv", {}, {"windows": 2680}),
    "thesis, decoder transplanted from groove-vae": ("thesis", {}, {"schedule": "transfer"}),
    "thesis, layer-wise schedule, a tenth as long": ("thesis", {}, {"schedule": "layer-wise-short"}),
    "stacked, two-bar summaries": ("stacked", {"encoder_summary_states": 4}, {}),
}

BANDS = {
    "band-conv, Groove MIDI with composed bands added": ("songs", "bands"),
    "band-conv, Groove MIDI with composed bands only": ("bands",),
}
"""The training sets of some rows; the others learn from the songs. All are validated and scored on songs."""

TRANSPLANTS = {"thesis, decoder transplanted from groove-vae": SHELF / "groove-vae.npz"}
"""The weights whose decoder a row is initialised with (thesis, 4.3)."""


def table_of(path: Path) -> dict:
    """The table as far as it has been made."""
    return json.loads(path.read_text()) if path.exists() else {"rows": {}}


def row_of(name: str) -> tuple[str, dict, dict]:
    """The preset of a row, and what is changed in it and in its plan."""
    return ABLATIONS.get(name, (name, {}, {}))


def wanted(names: list[str]) -> list[str]:
    """The rows of these names: "presets" stands for all presets, "ablations" for all ablations."""
    groups = {"presets": preset_names("songs"), "ablations": list(ABLATIONS)}
    rows = [row for name in names for row in groups.get(name, [name])]
    if unknown := [row for row in rows if row not in ABLATIONS and row not in groups["presets"]]:
        raise SystemExit(f"no row {unknown[0]!r}: there is {', '.join([*groups['presets'], *ABLATIONS, *groups])}")
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
        "config": asdict(plan),
        "windows": len(training),
        "parameters": network.count_params(),
        "training": {
            "epochs": len(losses),
            "best epoch": int(np.argmin(losses)) + 1,
            "stopped early": is_over(history["epochs"], replace(plan, epochs=10**6)),
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
    parser.add_argument("--rows", nargs="+", default=["presets"], help="presets, ablations, or the names of rows")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--bands", type=Path, help="`python -m drumbook.bands`: for the rows that need it")
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
        "songs": {split: windows.song_count for split, windows in sets.items()},
        "windows": {split: len(windows) for split, windows in sets.items()},
        "baselines": window_baselines(*(sets[split] for split in ("train", "validation", "test"))),
        "the thesis's own figures": THESIS,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        },
        "versions": {name: version(name) for name in ("drumlib", "keras", "numpy", "mido")}
        | {"python": platform.python_version(), "backend": keras.backend.backend()},
    }
    average = about["baselines"]["counts"][AVERAGE]
    for name in wanted(options.rows):
        for seed in options.seeds:
            key = f"{name} / seed {seed}"
            if key in table_of(options.results)["rows"]:
                print(f"{key}: is there already")
                continue
            print(f"{key}:", flush=True)
            row = made(name, seed, sets, options.runs, options.epochs)
            row["F1 above the average bar"] = paired_f1_difference(row["trial"]["counts"]["free-running"], average)
            rows = table_of(options.results)["rows"] | {key: row}  # read anew: others may have added theirs
            write_whole(options.results, (json.dumps({**about, "rows": rows}, indent=1) + "\n").encode())
            print(in_words(key, row), flush=True)
    table = table_of(options.results)["rows"]  # the head is made anew, if only for the baselines
    write_whole(options.results, (json.dumps({**about, "rows": table}, indent=1) + "\n").encode())


def in_words(key: str, row: dict) -> str:
    """A row of the table, to print."""
    tried, gain = row["trial"], row["trial"]["conditioning gain"]
    forced, free, sampled = (tried[name] for name in ("teacher-forced", "free-running", "sampled"))
    return (
        f"{key}: {row['parameters']:,} parameters, F1 teacher-forced {forced['f1']:.4f}, free-running {free['f1']:.4f} "
        f"[{free['f1 interval'][0]:.3f}, {free['f1 interval'][1]:.3f}], conditioning gain {gain['value']:.3f} "
        f"[{gain['low']:.3f}, {gain['high']:.3f}], density sampled {sampled['density']:.2f}"
    )


if __name__ == "__main__":
    main()
