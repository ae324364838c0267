"""The command ``evaluate``."""

from functools import partial
from pathlib import Path

from drumlib.commands.common import UsageError, add_command, check_output
from drumlib.inference.presets import DEFAULT_GROOVE_PRESET, DEFAULT_PRESET


def add_commands(commands) -> None:
    """Describe the command."""
    command = add_command(
        commands,
        "evaluate",
        evaluate,
        "score models and baselines on songs",
        "Let models and baselines play to whole songs, and compare them with the songs' own drums: teacher-forced, "
        "free-running, with the band of another song, and with sampled notes. SONGS is any folder of MIDI files, with "
        "or without songs.csv, or a corpus that `drumlib corpus` wrote.",
    )
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("folder", type=Path, nargs="?", metavar="SONGS", help="with --task humanize: the Groove dataset")
    where.add_argument("--songs", type=Path, metavar="FOLDER", help="the same, as an option")
    command.add_argument("--split", default="test", choices=["train", "validation", "test", "all"])
    command.add_argument("--preset", nargs="+", metavar="P", help=f"which models (default: {DEFAULT_PRESET})")
    command.add_argument(
        "--baseline", nargs="*", metavar="B", help="which baselines (default: all that apply; without names: none)"
    )
    command.add_argument("--weights", type=Path, metavar="FILE.npz", help="other weights than those that are shipped")
    command.add_argument(
        "--task",
        default="songs",
        choices=["songs", "windows", "humanize"],
        help="songs: whole songs; windows: as in the thesis, eight bars in which band and drums all play; humanize: "
        "velocity and timing of given hits",
    )
    command.add_argument("--seed", type=int, default=0, help="of all sampling (default: 0)")
    command.add_argument("--json", type=Path, metavar="OUT.json", help="write the figures to this file, too")


def evaluate(options) -> None:
    """Score models, or humanizers, and print the table."""
    from tqdm import tqdm

    folder = options.folder or options.songs
    if options.json:
        check_output(options.json)
    presets = options.preset or [DEFAULT_GROOVE_PRESET if options.task == "humanize" else DEFAULT_PRESET]
    if options.task != "songs" and (len(presets) > 1 or options.baseline is not None):
        raise UsageError(f"--task {options.task} scores one preset, beside baselines of its own")
    if options.weights and len(presets) > 1:
        raise UsageError("--weights are of one preset: name the one that they are of")
    bar = partial(tqdm, leave=False, disable=None)
    if options.task == "songs":
        from drumlib.evaluation.evaluate import evaluate_songs, table

        split, baselines = options.split, options.baseline
        results = evaluate_songs(folder, split, presets, baselines, options.weights, options.seed, bar)
    elif options.task == "windows":
        from drumlib.evaluation.thesis_protocol import evaluate_windows, table

        if options.split == "all":
            raise UsageError("--task windows scores one split")
        results = evaluate_windows(folder, options.split, presets[0], options.weights, bar)
    else:
        from drumlib.evaluation.humanizers import evaluate_humanizer, table

        results = evaluate_humanizer(folder, options.split, presets[0], options.weights, options.seed, bar)
    print(table(results))
    if options.json:
        from drumlib.evaluation.thesis_protocol import write_results

        write_results(results, options.json)
