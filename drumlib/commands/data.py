"""Commands that collect training data: ``download`` and ``corpus``."""

import argparse
from pathlib import Path

from drumlib.commands.common import UsageError, add_command, add_renamed, counted
from drumlib.terminal import say

MOST_ERRORS = 20
"""How many unreadable files ``corpus`` lists."""


def add_commands(commands) -> None:
    """Describe the commands of this module."""
    command = add_command(
        commands,
        "download",
        download,
        "download songs to train on",
        "Download a data set and unpack it: groove (ten drummers, 3 MB) or lakh (songs of all kinds, 1.4 GB). After an "
        "interruption (Ctrl-C), the same command continues.",
    )
    command.add_argument("source", metavar="SOURCE", help="groove or lakh")
    command.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="default: data/SOURCE")
    command.add_argument("--url", metavar="ADDRESS", help="a mirror of the archive; its checksum must be the same")
    command.add_argument("--archive", type=Path, metavar="FILE", help="the archive, if it has been downloaded by hand")
    command.add_argument("--sha256", metavar="SUM", help="expect this checksum instead of the known one")

    command = add_command(
        commands,
        "corpus",
        corpus,
        "convert a large collection of songs to windows to train on",
        "Read a folder of MIDI songs, select those that are fit to train on, cut them into windows, assign them to "
        "splits, and write the result as a corpus. After an interruption (Ctrl-C), the same command continues.",
    )
    command.add_argument("songs", type=Path, metavar="SONGS", help="MIDI files, and songs.csv if there is one")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="CORPUS", help="the corpus's folder")
    command.add_argument("--bands", help=argparse.SUPPRESS)  # until 0.1: see the error that it raises
    command.add_argument("--all", action="store_true", help="also the songs that songs.csv does not call good")
    command.add_argument(
        *("--missing",),
        type=int,
        default=0,
        metavar="N",
        help="how many of the three families may be silent (default: 0)",
    )
    command.add_argument(
        "--min-bars", type=int, default=16, metavar="N", help="bars that a song must have (default: 16)"
    )
    words = "drum notes that a song must have (default: 64)"
    add_renamed(command, "--min-drum-notes", "--min-strokes", int, words, default=64, metavar="N")
    command.add_argument(
        "--min-fit", type=float, default=0.8, metavar="P", help="share of them that must be on the grid (default: 0.8)"
    )
    command.add_argument("--seed", type=int, default=0, help="of the splits, where songs.csv has none (default: 0)")
    command.add_argument("--shard-songs", type=int, default=64, metavar="N", help="songs in a shard (default: 64)")
    command.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: one for each core; 0: only this one)"
    )
    command.add_argument("--dask", metavar="ADDRESS", help="a dask scheduler whose machines see the same folders")


def download(options) -> None:
    """Download a data set and unpack it."""
    from drumlib.data.download.download import download, find_source, is_downloaded

    source = find_source(options.source)
    folder = options.output or Path("data") / source.name
    if is_downloaded(source.name, folder, options.sha256):
        say(f"{folder}: {source.name} is there already, nothing to do")
        return
    download(source.name, folder, options.url, options.sha256, options.archive)
    say(f"{folder}: {source.what}", f"licence: {source.licence}", f"to cite: {source.citation}")


def corpus(options) -> None:
    """Build a corpus."""
    from drumlib.data.corpus.builder import build
    from drumlib.data.corpus.selection import SelectionRules
    from drumlib.data.corpus.sources import SongFolder

    if options.bands is not None:
        raise UsageError("to compose bands, run python -m drumbook.bands GROOVE -o CORPUS --variants N")
    rules = SelectionRules(options.missing, options.min_bars, options.min_drum_notes, options.min_fit)
    # Folders and the number of workers do not change the result: the manifest's command leaves them out.
    names = ("all", "missing", "seed", "min_bars", "min_drum_notes", "min_fit", "shard_songs")
    settings = {f"--{name.replace('_', '-')}": getattr(options, name) for name in names}
    words = [name if value is True else f"{name} {value}" for name, value in settings.items() if value is not False]
    manifest = build(
        SongFolder(options.songs.resolve(), options.all),  # workers on other machines start in other folders
        options.output,
        rules,
        executor=dask_executor(options.dask) if options.dask else None,
        workers=options.workers,
        shard_songs=options.shard_songs,
        seed=options.seed,
        command=" ".join(["drumlib corpus SONGS -o CORPUS", *words]),
    )
    counts = manifest["counts"]
    windows = counted(counts["windows"], "window")
    say(f"{options.output}: {counts['songs_kept']:,} songs of {counts['songs']:,}, {windows}")
    for name, split in manifest["splits"].items():
        print(f"  {name:11} {split['songs']:7,} songs {split['windows']:9,} windows")
    for title in ("songs_left_out", "windows_left_out"):
        if not counts[title]:
            continue
        print(f"{title.replace('_', ' ')}:")
        for reason, count in counts[title].items():
            print(f"  {count:9,}  {reason}")
    errors = manifest["errors"]
    for error in errors[:MOST_ERRORS]:
        say(f"{error['file']}: {error['error']}", error=True)
    if len(errors) > MOST_ERRORS:
        say(f"and {len(errors) - MOST_ERRORS:,} more, in {options.output / 'manifest.json'}", error=True)


def dask_executor(address: str):
    """The executor of a dask cluster, an object with the interface of ``concurrent.futures.Executor``."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("dask is not installed: pip install 'dask[distributed]'") from None
    return Client(address).get_executor()
