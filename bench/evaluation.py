"""All networks and all baselines on whole songs: the table of the chapter "Results".

    python bench/evaluation.py --songs SONGS --runs RUNS
    python bench/evaluation.py --songs SONGS --runs RUNS --rows band-conv rules --again
    python bench/evaluation.py --songs SONGS --shipped

Every row is a network or a baseline on the test songs: teacher-forced, free-running, with a mismatched band, sampled
(``drumlib.evaluation.evaluate``). A network has the weights of RUNS/PRESET-0/best.npz, which bench/presets.py trains,
all on the same songs with the same budget; without a run there, the weights that ship; without either, it is left out.
Thresholds are chosen on the validation songs; baselines learn from the training songs. For ``band-conv`` and ``thesis``
there are also precision and recall of each drum, and of all, at every threshold. The table can be made piece by piece:
a row that is in the results already is not made again, unless ``--again`` asks for it.
"""

import argparse
import json
import re
from pathlib import Path

from drumlib.evaluation.baselines import BASELINES, make
from drumlib.evaluation.evaluate import (
    REFERENCE,
    about,
    reference_scores,
    score_baseline,
    score_network,
    table,
    table_sum,
)
from drumlib.evaluation.set_distances import training_bars
from drumlib.evaluation.songs import evaluation_songs, training_windows
from drumlib.files import write_whole
from drumlib.network.registry import build, preset_names
from drumlib.network.weights import load_or_shipped

ROWS = [*preset_names("songs"), *BASELINES]
RESULTS = Path(__file__).parent / "results" / "evaluation.json"
CURVES = ("band-conv", "thesis")
SEED = 0


def loaded(preset: str, runs: Path | None) -> tuple:
    """A preset's network and where its weights are from. Raises ValueError if there are none."""
    network = build(preset)
    run = runs / f"{preset}-0" / "best.npz" if runs else None
    if run and run.is_file():
        return load_or_shipped(network, preset, run), f"RUNS/{preset}-0/best.npz"
    return load_or_shipped(network, preset), "shipped"


def as_text(results: dict) -> bytes:
    """Results as JSON, with short lists on one line."""
    text = json.dumps(results, indent=1)
    return (re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda row: f"[{' '.join(row[1].split())}]", text) + "\n").encode()


def main(arguments: list[str] | None = None) -> None:
    """Make the rows that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, required=True, help="a folder of songs with a songs.csv, or a corpus")
    parser.add_argument("--runs", type=Path, help="where bench/presets.py trained; if not given, the shipped weights")
    parser.add_argument("--rows", nargs="+", default=ROWS, help="presets and baselines (all)")
    parser.add_argument("--again", action="store_true", help="make these rows anew")
    parser.add_argument(
        "--shipped", action="store_true", help="make anew what needs no run: band-conv, and the baselines"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if options.shipped:
        options.rows, options.again = ["band-conv", *BASELINES], True
    if unknown := [name for name in options.rows if name not in ROWS]:
        parser.error(f"no row {unknown[0]!r}: there is {', '.join(ROWS)}")
    songs, validation = evaluation_songs(options.songs, "test"), evaluation_songs(options.songs, "validation")
    learning = [training_windows(options.songs, split) for split in ("train", "validation")]
    head = {
        "command": "python bench/evaluation.py --songs SONGS --runs RUNS",
        "sha256 of the songs' table": table_sum(options.songs),
        **about(songs, validation, SEED),
    }
    results = json.loads(options.results.read_text(encoding="utf-8")) if options.results.exists() else {"drummers": {}}
    learned = training_bars(learning[0])
    rows = {REFERENCE: reference_scores(songs, learned)} | {
        name: row for name, row in results["drummers"].items() if name != REFERENCE
    }
    for name in options.rows:
        if name in rows and not options.again:
            print(f"{name}: is there already")
            continue
        if name in BASELINES:
            rows[name] = score_baseline(make(name, *learning), songs, SEED, learned)
        else:
            try:
                network, weights = loaded(name, options.runs)
            except ValueError as error:
                print(f"{name}: left out ({error})")
                continue
            rows[name] = {
                "weights": weights,
                **score_network(network, songs, validation, SEED, name in CURVES, learned),
            }
        print(f"{name}: {rows[name]['seconds']} s", flush=True)
        order = [REFERENCE, *ROWS]
        kept = {key: rows[key] for key in sorted(rows, key=order.index)}
        write_whole(options.results, as_text({**head, "drummers": kept}))
    print(table({**head, "drummers": rows}))


if __name__ == "__main__":
    main()
