"""The command line: ``python -m drumlib accompany SONG.mid -o OUT.mid``, and what else there is."""

import argparse
import os
import sys
import warnings
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from drumlib import __version__

MOST_METERS = 20
"""How many changes of meter ``inspect`` names."""


class UsageError(ValueError):
    """An input that cannot be used, told in one line."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0, or 1 with one line on standard error if the input cannot be used."""
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show must not stop a command
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = parser().parse_args(arguments)
    try:
        if (getattr(options, "seed", None) or 0) < 0:
            raise UsageError("--seed: a seed is 0 or more")
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: print(f"note: {message}", file=sys.stderr)
            options.run(options)
        print(end="", flush=True)
    except KeyboardInterrupt:
        print("drumlib: stopped", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        if isinstance(error, BrokenPipeError) and nobody_reads():
            sys.stdout = None  # or Python complains of it at the end
        else:
            print(f"drumlib: {one_line(error)}", file=sys.stderr)
        return 1
    return 0


def nobody_reads() -> bool:
    """Whether the pipe that broke is our own: who read our words has had enough of them, as with ``| head``."""
    try:
        print(flush=True)
    except BrokenPipeError:
        return True
    return False


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="python -m drumlib", description="A neural network that drums to your song.")
    top.add_argument("--version", action="version", version=f"drumlib {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    command = commands.add_parser("accompany", help="put a drummer on a song", description="Put a drummer on a song.")
    command.set_defaults(run=accompany)
    command.add_argument("song", type=Path, metavar="SONG.mid", help="a MIDI file")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mid", help="where the result goes")
    command.add_argument("--preset", default="band-conv", help="which network plays (default: best)")
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same drums (default: 0)")
    how = command.add_mutually_exclusive_group()
    how.add_argument("--threshold", type=float, metavar="P", help="play what is more probable than this (0 to 1)")
    how.add_argument(
        "--temperature", type=float, metavar="T", help="draw the notes: 1 as learned, above wilder, below tamer"
    )
    command.add_argument(
        "--subsequence-bars",
        "--section-bars",
        type=int,
        metavar="N",
        help="bars in a sub-sequence, for presets with a conductor",
    )
    command.add_argument("--keep-drums", action="store_true", help="keep the song's own drums as well")
    command.add_argument("--quantized-copy", action="store_true", help="add a second, quantized drum track to compare")
    command.add_argument("--render", type=Path, metavar="OUT.mp3", help="write the sound of it too")

    command = commands.add_parser(
        "inspect", help="what the drummer sees in a song", description="What the drummer sees in a song, and what not."
    )
    command.set_defaults(run=inspect)
    command.add_argument("song", type=Path, metavar="SONG.mid")

    command = commands.add_parser("render", help="a song's sound as MP3", description="Write a song's sound as MP3.")
    command.set_defaults(run=render)
    command.add_argument("song", type=Path, metavar="SONG.mid")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mp3")

    command = commands.add_parser(
        "songbook",
        help="write the songs of our own",
        description="Write the songs that come with drumlib as MIDI files.",
    )
    command.set_defaults(run=songbook)
    command.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")

    command = commands.add_parser(
        "download",
        help="fetch songs to learn from",
        description="Download a data set and unpack it: groove (ten drummers, 3 MB) or lakh (songs of all kinds, "
        "1.4 GB). Stop it with Ctrl-C when you like: the same command goes on.",
    )
    command.set_defaults(run=download)
    command.add_argument("source", metavar="SOURCE", help="groove or lakh")
    command.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="default: data/SOURCE")
    command.add_argument("--url", metavar="ADDRESS", help="a mirror of the archive; the sum stays the same")
    command.add_argument("--archive", type=Path, metavar="FILE", help="the archive, already downloaded by hand")
    command.add_argument("--sha256", metavar="SUM", help="another sum, if you know better")

    command = commands.add_parser(
        "corpus",
        help="cut many songs into windows to train on",
        description="Read a folder of MIDI songs, choose those that a drummer can learn from, cut them into windows, "
        "part them into splits, and write it all as a corpus. Stop it with Ctrl-C when you like: the same command "
        "goes on.",
    )
    command.set_defaults(run=corpus)
    command.add_argument("songs", type=Path, metavar="SONGS", help="MIDI files, songs.csv if there is one")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="CORPUS", help="the corpus's folder")
    command.add_argument("--bands", help=argparse.SUPPRESS)  # until 0.1: see the error that it raises
    command.add_argument("--all", action="store_true", help="also the songs that songs.csv does not call good")
    command.add_argument(
        "--missing", type=int, default=0, metavar="N", help="so many of the three families may be silent"
    )
    command.add_argument("--min-bars", type=int, default=16, metavar="N", help="of a song (default: 16)")
    command.add_argument(
        "--min-drum-notes", "--min-strokes", type=int, default=64, metavar="N", help="of a song (default: 64)"
    )
    command.add_argument(
        "--min-fit", type=float, default=0.8, metavar="P", help="share of drum notes on the grid (default: 0.8)"
    )
    command.add_argument("--seed", type=int, default=0, help="of the splits, where songs.csv has none (default: 0)")
    command.add_argument("--shard-songs", type=int, default=64, metavar="N", help="songs of a shard (default: 64)")
    command.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core; 0: only this one)")
    command.add_argument("--dask", metavar="ADDRESS", help="a dask scheduler whose machines see the same folders")

    command = commands.add_parser(
        "train",
        help="train a network on a folder of songs",
        description="Train a network on a folder of MIDI songs, or on drums alone. Stop it with Ctrl-C when you like: "
        "--resume goes on after the last whole epoch. What is not said is as the preset's own plan has it.",
    )
    command.set_defaults(run=train)
    command.add_argument("--songs", type=Path, metavar="FOLDER", help="MIDI files, songs.csv if there is one")
    command.add_argument(
        "--corpus",
        type=Path,
        metavar="CORPUS",
        action="append",
        default=[],
        help="what `drumlib corpus` made of many songs; with --songs, or said twice, it learns from all together "
        "(not from songs that validate or test in one of them), and is validated on the first",
    )
    command.add_argument("--groove", type=Path, metavar="GROOVE", help="the Groove MIDI Dataset: for drums alone")
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="checkpoints, history")
    command.add_argument(
        "--preset", help="which network (default: best; with --groove: humanize, and there is groove-vae)"
    )
    command.add_argument("--resume", action="store_true", help="go on with the run in --out")
    command.add_argument(
        "--epochs", type=int, help="at most; it ends when nothing is gained (default with stages: as many as they have)"
    )
    command.add_argument("--batch", type=int, help="windows in a batch")
    command.add_argument(
        "--learning-rate",
        "--rate",
        type=float,
        help="learning rate at the start; not with stages, which have their own",
    )
    command.add_argument("--transpose", type=int, help="semitones, up or down; the thesis: 0")
    command.add_argument(
        "--instrument-dropout", "--mute", type=float, help="how often an instrument is silenced; the thesis: 0"
    )
    command.add_argument("--kl-weight", type=float, help="how narrow the bottleneck; the thesis: 1")
    command.add_argument(
        "--kl-warm-up", "--warm-up", type=int, help="epochs in which that weight grows to what it is; the thesis: 0"
    )
    command.add_argument("--free-bits", type=float, help="of what the bottleneck says, at no cost; the thesis: 0")
    command.add_argument(
        "--rollout-share", "--own", type=float, help="how often it is told its own playing; the thesis: 0"
    )
    command.add_argument("--schedule", help="plain; or in stages: layer-wise (the thesis's) or transfer")
    command.add_argument("--transplant", type=Path, metavar="FILE.npz", help="begin with the decoder of these weights")
    command.add_argument("--mixed", action="store_true", default=None, help="half precision where it is enough (GPU)")
    command.add_argument("--backend", choices=["tensorflow", "jax"], help="what Keras computes with")
    command.add_argument(
        "--lr-schedule",
        "--fall",
        help="how the rate falls: stalls (where nothing is gained) or cosine (not with stages)",
    )
    command.add_argument(
        "--lr-patience", "--slow-after", type=int, metavar="N", help="epochs without a gain until the rate is cut"
    )
    command.add_argument(
        "--patience", "--stop-after", type=int, metavar="N", help="epochs without a gain until training ends"
    )
    command.add_argument(
        "--ema-decay", "--average", type=float, help="keep an average of the weights: its share of what was before"
    )
    command.add_argument("--windows", type=int, metavar="N", help="in an epoch (0: all)")
    command.add_argument("--seed", type=int, help="of its first weights and of all that is drawn")

    command = commands.add_parser(
        "evaluate",
        help="score drummers on songs",
        description="Let networks and their humble rivals drum to whole songs, and compare them with the songs' own "
        "drummers: told the truth, by themselves, with another song's band, drawing their notes. SONGS is any folder "
        "of MIDI files, with or without songs.csv, or what `drumlib corpus` made.",
    )
    command.set_defaults(run=evaluate)
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("folder", type=Path, nargs="?", metavar="SONGS", help="with --task humanize: the Groove dataset")
    where.add_argument("--songs", type=Path, metavar="FOLDER", help="the same, named")
    command.add_argument("--split", default="test", choices=["train", "validation", "test", "all"])
    command.add_argument("--preset", nargs="+", metavar="P", help="which networks (default: best)")
    command.add_argument(
        "--baseline", nargs="*", metavar="B", help="which rivals (default: all that can be had; none named: none)"
    )
    command.add_argument("--weights", type=Path, metavar="FILE.npz", help="other weights than those that are shipped")
    command.add_argument(
        "--task",
        default="songs",
        choices=["songs", "windows", "humanize"],
        help="songs: whole; windows: as the thesis, eight bars in which all four play; humanize: loudness and timing",
    )
    command.add_argument("--seed", type=int, default=0, help="of what is drawn (default: 0)")
    command.add_argument("--json", type=Path, metavar="OUT.json", help="write the figures there as well")
    return top


def one_line(error: Exception) -> str:
    """An error as one line that says which file and why."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def about_song(path: Path, work: Callable, song):
    """What some work makes of a song. If it says that the song will not do, the file is named."""
    try:
        return work(song)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None


def check_output(path: Path, *others: Path) -> None:
    """Say before the work, not after it, that a result cannot be written there."""
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: it is there already, and is no ordinary file")
    for other in others:
        if path.resolve() == other.resolve():
            raise UsageError(f"{path}: the result would take the place of {other}")


def accompany(options) -> None:
    """Read a song, put a drummer on it, write it, and its sound if asked: both files, or what was there before."""
    from drumlib.drummer import SongError, accompany
    from drumlib.files import write_whole
    from drumlib.music import read_song, song_to_bytes

    song = read_song(options.song)
    check_output(options.output, options.song)
    if options.render:
        check_output(options.render, options.song, options.output)
        from drumlib.display.sound import check_sound, encode_mp3, render

        about_song(options.song, check_sound, song)
    try:
        result = accompany(
            song,
            preset=options.preset,
            seed=options.seed,
            threshold=options.threshold,
            temperature=options.temperature,
            section_bars=options.subsequence_bars,
            keep_drums=options.keep_drums,
            quantized_copy=options.quantized_copy,
        )
    except SongError as error:
        raise UsageError(f"{options.song}: {error}") from None
    sound = encode_mp3(about_song(options.song, render, result)) if options.render else None
    before = options.output.read_bytes() if options.render and options.output.exists() else None
    try:
        write_whole(options.output, song_to_bytes(result))
        if options.render:
            write_whole(options.render, sound)
    except BaseException:  # the sound could not be written, or Ctrl-C came between the two
        if options.render and before is not None:
            write_whole(options.output, before)
        elif options.render:
            options.output.unlink(missing_ok=True)
        raise
    print(f"{options.output}: {some(len(result.bars), 'bar')}, {some(len(result.tracks[-1].notes), 'drum note')}")


def inspect(options) -> None:
    """Print what the drummer sees."""
    from drumlib.music import Grid, read_song

    song = read_song(options.song)
    grid = Grid(song)
    minutes, seconds = divmod(round(song.duration), 60)
    tempos = sorted({round(tempo.bpm) for tempo in song.tempos})
    print(f"{options.song}: {some(len(song.bars), 'bar')}, {minutes}:{seconds:02}, {song.ticks_per_beat} ticks a beat")
    tempo = f"{tempos[0]}" if len(tempos) == 1 else f"{tempos[0]} to {tempos[-1]}"
    print(f"tempo: {tempo} bpm")
    ends = [bar.end for bar in song.bars]
    meters = [f"{meter} from bar {1 + bisect_right(ends, meter.tick)}" for meter in song.meters[:MOST_METERS]]
    more = len(song.meters) - len(meters)
    print("meter: " + ", ".join(meters) + (f", and {more:,} more changes" if more else ""))
    print("tracks:")
    for track in song.tracks:
        kind = track.family or "not heard"
        program = "" if track.is_drum else f"program {track.program}"
        print(f"  {kind:10} {program:12} channel {track.channel + 1:2}  {len(track.notes):5} notes  {track.name}")
    ignored = []
    for family in ("piano", "guitar", "bass"):
        if not song.parts(family):
            ignored.append(f"there is no {family}: the drummer will hear silence in its place")
    unheard = [track for track in song.band if not track.family]
    if unheard:
        ignored.append(f"{some(len(unheard), 'track')} of other instruments: in the song, but not heard by the drummer")
    if song.drums:
        notes = some(sum(len(track.notes) for track in song.drums), "drum note")
        ignored.append(f"its own {notes}: others will be in their place (--keep-drums keeps them)")
    if grid.odd_bars:
        ignored.append(f"{some(len(grid.odd_bars), 'bar')} not of four beats: there, as much is played as fits")
    print("\n".join(["ignored:", *(f"  {line}" for line in ignored)]) if ignored else "ignored: nothing")


def some(count: int, thing: str) -> str:
    """A number of things: ``1 bar``, ``2 bars``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def render(options) -> None:
    """Write a song's sound."""
    from drumlib.display.sound import check_sound, render, save_mp3
    from drumlib.music import read_song

    song = read_song(options.song)
    check_output(options.output, options.song)
    about_song(options.song, check_sound, song)
    save_mp3(about_song(options.song, render, song), options.output)
    print(f"{options.output}: {song.duration:.1f} s")


def songbook(options) -> None:
    """Write the songs of our own as MIDI files."""
    from drumlib.music import songbook, write_song

    options.output.mkdir(parents=True, exist_ok=True)
    for name in songbook.names():
        write_song(songbook.song(name), options.output / f"{name}.mid")
    print("\n".join(str(options.output / f"{name}.mid") for name in songbook.names()))


def download(options) -> None:
    """Fetch a data set."""
    from drumlib.data.download.download import download, find_source, is_downloaded

    source = find_source(options.source)
    folder = options.output or Path("data") / source.name
    if is_downloaded(source.name, folder, options.sha256):
        print(f"{folder}: {source.name} is there already, nothing to do")
        return
    download(source.name, folder, options.url, options.sha256, options.archive)
    print(f"{folder}: {source.what}\nlicence: {source.licence}\nto cite: {source.citation}")


def corpus(options) -> None:
    """Build a corpus."""
    from drumlib.data.corpus.builder import build
    from drumlib.data.corpus.selection import SelectionRules
    from drumlib.data.corpus.sources import SongFolder

    if options.bands is not None:
        raise UsageError("to compose bands, run python -m drumbook.bands GROOVE -o CORPUS --variants N")
    rules = SelectionRules(options.missing, options.min_bars, options.min_drum_notes, options.min_fit)
    # The manifest names what the corpus depends on: neither folders nor the number of workers.
    names = ("all", "missing", "seed", "min_bars", "min_drum_notes", "min_fit", "shard_songs")
    settings = {f"--{name.replace('_', '-')}": getattr(options, name) for name in names}
    words = [name if value is True else f"{name} {value}" for name, value in settings.items() if value is not False]
    manifest = build(
        SongFolder(options.songs.resolve(), options.all),  # a worker may start in another folder
        options.output,
        rules,
        executor=dask_executor(options.dask) if options.dask else None,
        workers=options.workers,
        shard_songs=options.shard_songs,
        seed=options.seed,
        command=" ".join(["python -m drumlib corpus SONGS -o CORPUS", *words]),
    )
    counts = manifest["counts"]
    print(
        f"{options.output}: {counts['songs_kept']:,} songs of {counts['songs']:,}, {some(counts['windows'], 'window')}"
    )
    for name, split in manifest["splits"].items():
        print(f"  {name:11} {split['songs']:7,} songs {split['windows']:9,} windows")
    for title in ("songs_left_out", "windows_left_out"):
        if not counts[title]:
            continue
        print(f"{title.replace('_', ' ')}:")
        for reason, count in counts[title].items():
            print(f"  {count:9,}  {reason}")
    for error in manifest["errors"][:20]:
        print(f"{error['file']}: {error['error']}", file=sys.stderr)
    if len(manifest["errors"]) > 20:
        print(f"and {len(manifest['errors']) - 20:,} more, in {options.output / 'manifest.json'}", file=sys.stderr)


def dask_executor(address: str):
    """The executor of a dask cluster."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("dask is not installed: pip install 'dask[distributed]'") from None
    return Client(address).get_executor()


def train(options) -> None:
    """Train a network."""
    if options.backend:
        if "keras" in sys.modules:
            raise UsageError("--backend comes too late: Keras is loaded already")
        os.environ["KERAS_BACKEND"] = options.backend
    from drumlib.data.splitting.splits import SPLITS
    from drumlib.data.training_sets import training_corpus, training_songs, training_together
    from drumlib.network.checkpoints import check_folder
    from drumlib.network.training import train
    from drumlib.network.training_config import TrainingConfig, config_for

    if bool(options.groove) == bool(options.songs or options.corpus):
        raise UsageError("what to learn from? --songs FOLDER, or --corpus CORPUS, or both; or --groove GROOVE alone")
    options.preset = options.preset or ("humanize" if options.groove else "band-conv")
    plan = config_for(options.preset, **{field.name: getattr(options, field.name) for field in fields(TrainingConfig)})
    check_folder(options.out, options.resume)
    if options.groove:
        from drumlib.network.groove.training import groove_windows, train_on_grooves

        if options.transplant:
            raise UsageError("--transplant is for networks that learn from songs")
        training, validation = groove_windows(options.groove)
        history = train_on_grooves(training, validation, options.out, options.preset, plan, options.resume)
    else:
        # In one collection no test song trains; of several, one's test song may train in another.
        splits = SPLITS if len(options.corpus) + bool(options.songs) > 1 else SPLITS[:2]
        sets = [training_songs(options.songs, splits)] if options.songs else []
        sets += [training_corpus(folder, splits) for folder in options.corpus]
        training, validation = training_together(sets)
        history = train(
            training, validation, options.out, options.preset, plan, options.resume, transplant=options.transplant
        )
    best = min(epoch["val_loss"] for epoch in history["epochs"])
    print(f"{options.out / 'best.npz'}: the weights of the best epoch, with a validation loss of {best:.4f}")


def evaluate(options) -> None:
    """Score drummers, or humanizers."""
    from functools import partial

    from tqdm import tqdm

    folder = options.folder or options.songs
    if options.json:
        check_output(options.json)
    presets = options.preset or ["humanize" if options.task == "humanize" else "band-conv"]
    if options.task != "songs" and (len(presets) > 1 or options.baseline is not None):
        raise UsageError(f"--task {options.task} scores one preset, beside rivals of its own")
    if options.weights and len(presets) > 1:
        raise UsageError("--weights are of one preset: name the one that they are of")
    bar = partial(tqdm, leave=False, disable=None)
    if options.task == "songs":
        from drumlib.evaluation.evaluate import evaluate, table

        split, baselines = options.split, options.baseline
        results = evaluate(folder, split, presets, baselines, options.weights, options.seed, bar)
    elif options.task == "windows":
        from drumlib.evaluation.thesis_protocol import evaluate_windows, table

        if options.split == "all":
            raise UsageError("--task windows scores one split")
        results = evaluate_windows(folder, options.split, presets[0], options.weights, bar)
    else:
        from drumlib.evaluation.humanizers import evaluate, table

        results = evaluate(folder, options.split, presets[0], options.weights, options.seed, bar)
    print(table(results))
    if options.json:
        from drumlib.evaluation.thesis_protocol import write_results

        write_results(results, options.json)


if __name__ == "__main__":
    sys.exit(main())
