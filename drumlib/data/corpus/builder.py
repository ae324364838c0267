"""Building a corpus: read every song of a source, write the charts of those that are fit, and part them into splits.

Every shard is a task of its own, for which nothing is needed but the list of its songs. So tasks run wherever an
executor runs them, in any order; a shard that is there already is not made again; and the same songs give the same
bytes, whether the build was killed ten times or not at all.
"""

import hashlib
import json
import os
import platform
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from drumbook.bands.drum_analysis import DrumsError
from tqdm import tqdm

from drumlib import __version__
from drumlib.data.corpus.reader import FORMAT
from drumlib.data.corpus.selection import SelectionRules, exclusion_reason
from drumlib.data.corpus.shards import finished_shard, read_shard, write_shard
from drumlib.data.corpus.sources import Source, SourceEntry
from drumlib.data.corpus.workers import WorkerDied, Workers, one_by_one
from drumlib.data.grid_song import grid_song
from drumlib.data.splitting.fingerprints import song_fingerprints, window_fingerprints
from drumlib.data.splitting.related_songs import related_groups
from drumlib.data.splitting.splits import SPLITS, clashes, split_groups
from drumlib.files import UNFINISHED, write_whole
from drumlib.music import MidiError

SHARD_SONGS = 64
RULES = SelectionRules()


@dataclass(frozen=True)
class Shard:
    """A task: the songs of one shard, where it goes, and what is known of songs that kill their reader."""

    source: Source
    rules: SelectionRules
    entries: tuple[SourceEntry, ...]
    stem: Path
    deadly: tuple[SourceEntry, ...] = ()

    def make(self) -> dict:
        """Read the songs, write the shard, and return what the manifest says of it. Runs in a worker.

        Whatever is wrong with a song costs that song, and is said. What is wrong with the disk ends the build.
        """
        charts, left_out = [], []
        for entry in self.entries:
            if entry in self.deadly:
                reason, said = "a fault in reading", "the process that read it died"
            else:
                reason, said = self.add(entry, charts)
            if reason:
                left_out.append({"file": entry.file, "reason": reason, **({"error": said} if said else {})})
        return write_shard(self.stem, charts, left_out)

    def add(self, entry: SourceEntry, charts: list) -> tuple[str | None, str]:
        """Add a song's chart to ``charts``, or say for which reason it is left out, and what error came of it."""
        try:
            song = self.source.read(entry)
            reason = exclusion_reason(song, self.rules)
            if reason:
                return reason, ""
            written = grid_song(song, self.rules.missing)
        except OSError:  # the disk's fault, or the network's: tomorrow the song may be there again
            raise
        except MidiError as error:
            return "not a song", str(error)
        except DrumsError as error:
            return "no band can be composed to it", str(error)
        except Exception as error:  # our fault, not the song's. It is not passed over in silence; but the rest goes on
            return "a fault in reading", f"{type(error).__name__}: {error}"
        if not written.starts:
            return "no window: " + max(written.left_out, key=written.left_out.get, default="too short"), ""
        charts.append((entry, written))
        return None, ""


@dataclass(frozen=True)
class Trial:
    """A task: read one song, as its shard would, and see whether that is survived."""

    shard: Shard
    entry: SourceEntry

    def make(self) -> None:
        """Read the song, and forget it."""
        self.shard.add(self.entry, [])


def build(
    source: Source,
    out: str | os.PathLike,
    rules: SelectionRules = RULES,
    executor: Executor | Callable[[], Executor] | None = None,
    workers: int | None = None,
    shard_songs: int = SHARD_SONGS,
    seed: int = 0,
    command: str = "drumlib.data.corpus.builder.build",
    progress: bool = True,
) -> dict:
    """Build a corpus, or go on with one that was begun, and return its manifest.

    Parameters
    ----------
    source
        Where the songs come from.
    out
        The corpus's folder; it is made.
    rules
        Which songs are fit.
    executor
        What runs the tasks: any ``concurrent.futures.Executor``, such as that of a dask cluster whose machines see
        the same folders; or a function that makes one, and can make another if it breaks. By default a pool of
        ``workers`` processes (as many as there are cores); with ``workers=0``, this process itself. A script that
        calls this must do so below ``if __name__ == "__main__":``, for each new process reads the script again.
    shard_songs
        How many songs of the source make a shard.
    seed
        For the splits, if the source does not decide them.
    command
        What the manifest names as the command that made it.
    progress
        Whether to show a progress bar.

    Raises
    ------
    FileExistsError
        If the folder holds a corpus of other songs, or built otherwise.
    ValueError
        If no song of the source is fit.
    OSError
        If something cannot be written.
    RuntimeError
        If no process can be started.
    """
    if workers is not None and workers < 0:
        raise ValueError("workers are a count: 0 or more")
    out = Path(out)
    entries = source.entries()
    plan = planned(source, entries, rules, shard_songs, seed, command)
    begin(out, plan)
    shards = [
        Shard(source, rules, tuple(entries[first : first + shard_songs]), out / f"shard-{number:05}")
        for number, first in enumerate(range(0, len(entries), shard_songs))
    ]
    done = {shard.stem: finished_shard(shard.stem) for shard in shards}
    for said in finished(out).get("shards", ()):  # a shard that was changed since is made again
        if done.get(out / said["name"]) != said:
            done[out / said["name"]] = None
    before = sum(len(shard.entries) for shard in shards if done[shard.stem])
    with Workers(executor, workers) as hands:
        with tqdm(total=len(entries), initial=before, desc="songs", unit="song", disable=not progress) as shown:
            for shard, about in hands.run([shard for shard in shards if not done[shard.stem]]):
                done[shard.stem] = without_deadly(shard) if isinstance(about, WorkerDied) else about
                shown.update(len(shard.entries))
                shown.set_postfix(windows=sum(about["windows"] for about in done.values() if about))
        return finish(out, plan, [done[shard.stem] for shard in shards], seed, hands, progress)


def without_deadly(shard: Shard) -> dict:
    """Make a shard that killed its worker: find the songs that do so, one by one, and leave them out."""
    trials = one_by_one([Trial(shard, entry) for entry in shard.entries])
    deadly = tuple(trial.entry for trial, result in trials if isinstance(result, WorkerDied))
    [(shard, about)] = one_by_one([replace(shard, deadly=deadly)])
    if isinstance(about, WorkerDied):
        raise RuntimeError(f"{shard.stem}: the process that wrote it died, though none of its songs alone killed one")
    return about


def planned(
    source: Source, entries: list[SourceEntry], rules: SelectionRules, shard_songs: int, seed: int, command: str
) -> dict:
    """What is to be built, so that a build that goes on can see whether it is the same one."""
    if shard_songs < 1 or seed < 0:
        raise ValueError("a shard has at least 1 song, and a seed is not negative")
    listed = [[entry.file, entry.key, entry.split, entry.variant, source.size(entry)] for entry in entries]
    return {
        "format": FORMAT,
        "command": command,
        "source": type(source).__name__,
        "songs": len(entries),
        "songs_sha256": hashlib.sha256(json.dumps(listed).encode()).hexdigest(),
        "rules": asdict(rules),
        "shard_songs": shard_songs,
        "seed": seed,
        "versions": {name: version(name) for name in ("numpy", "mido", "symusic")}
        | {"drumlib": __version__, "python": platform.python_version()},
    }


def begin(out: Path, plan: dict) -> None:
    """Make the folder, or see that what is in it is of the same plan. Raises FileExistsError if it is not."""
    text = (json.dumps(plan, indent=1) + "\n").encode()
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "plan.json").exists():
        if any(not file.name.startswith(UNFINISHED) for file in out.iterdir()):
            raise FileExistsError(f"{out}: there is something else in this folder; choose an empty one")
        write_whole(out / "plan.json", text)
    elif (out / "plan.json").read_bytes() != text:
        differing = "it is not the plan of a corpus"
        try:
            old = json.loads((out / "plan.json").read_bytes())
            differing = ", ".join(name for name in plan if old.get(name) != plan[name]) + " differ"
        except (ValueError, AttributeError):
            pass
        raise FileExistsError(
            f"{out}: another corpus was begun here ({differing}); choose an empty folder, or remove it"
        )
    for rest in out.glob(f"{UNFINISHED}*"):  # the folder is ours, and so is what a build left there that was killed
        rest.unlink(missing_ok=True)


@dataclass(frozen=True)
class Reading:
    """A task: read a shard, count what is in it, and take the fingerprints of its songs."""

    stem: Path

    def make(self) -> dict:
        """For each song its key, its split if it has one, and its prints; and counts. Runs in a worker."""
        records, charts, left_out = read_shard(self.stem)
        lost, total = Counter(), Counter()
        for record, song in zip(records, charts, strict=True):
            lost.update(record.left_out)
            total.update(songs=1, windows=len(song.starts), notes=record.notes, strokes=record.drums)
            total.update(combinations=int(song.combinations().sum()))
        return {
            "keys": [record.key for record in records],
            "given": [record.split for record in records],
            "windows": [window_fingerprints(song) for song in charts],
            "prints": [song_fingerprints(song) for song in charts],
            "errors": [song for song in left_out if "error" in song],
            "left_out": Counter(song["reason"] for song in left_out),
            "lost": lost,
            "total": total,
        }


def finish(out: Path, plan: dict, shards: list[dict], seed: int, hands: Workers, progress: bool) -> dict:
    """Part the songs into groups and splits, and write the manifest."""
    before = finished(out)
    if before.get("shards") == shards:
        try:
            if hashlib.sha256((out / "splits.json").read_bytes()).hexdigest() == before["splits_sha256"]:
                return before  # the corpus was finished already
        except (OSError, KeyError):
            pass
    tasks = [Reading(out / shard["name"]) for shard in shards]
    read = dict(tqdm(hands.run(tasks), total=len(tasks), desc="fingerprints", unit="shard", disable=not progress))
    if any(isinstance(result, WorkerDied) for result in read.values()):
        raise RuntimeError(f"{out}: a process that read a finished shard died")
    read = [read[task] for task in tasks]  # in the order of the shards, whoever was first
    keys, given, windows, prints, errors = (
        [one for result in read for one in result[name]] for name in ("keys", "given", "windows", "prints", "errors")
    )
    left_out, lost, total = (
        sum((result[name] for result in read), Counter()) for name in ("left_out", "lost", "total")
    )
    if not keys:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in left_out.most_common(5))
        raise ValueError(f"none of the {plan['songs']} songs is fit for a corpus: {reasons}")
    numbers = related_groups(keys, prints)
    splits = given if all(given) else split_groups(numbers, [len(one) for one in windows], seed=seed, prints=prints)
    unused = {
        str(song): np.flatnonzero(rows).tolist() for song, rows in enumerate(clashes(windows, splits)) if rows.any()
    }
    text = json.dumps({"groups": numbers.tolist(), "splits": splits, "clashes": unused}, separators=(",", ":")).encode()
    write_whole(out / "splits.json", text)
    manifest = plan | {
        "counts": {
            "songs": plan["songs"],
            "songs_kept": total["songs"],
            "songs_left_out": dict(left_out.most_common()),
            "windows": total["windows"],
            "windows_left_out": dict(lost.most_common()),
            "combinations": total["combinations"],
            "notes": total["notes"],
            "strokes": total["strokes"],
            "groups": int(numbers.max()) + 1,
        },
        "splits": {name: in_split(name, splits, windows, unused) for name in SPLITS},
        "splits_by": "the source's own list" if all(given) else "groups",
        "errors": errors,
        "splits_sha256": hashlib.sha256(text).hexdigest(),
        "shards": shards,
    }
    write_whole(out / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode())
    return manifest


def finished(out: Path) -> dict:
    """The manifest of a corpus that was finished before; an empty one if there is none."""
    try:
        before = json.loads((out / "manifest.json").read_bytes())
        return before if all(isinstance(said["name"], str) for said in before["shards"]) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def in_split(name: str, splits: list[str], windows: list, unused: dict) -> dict[str, int]:
    """How many songs and windows a split has, and how many of its windows must not be used."""
    songs = [song for song, split in enumerate(splits) if split == name]
    clashing = sum(len(unused.get(str(song), ())) for song in songs)
    return {
        "songs": len(songs),
        "windows": sum(len(windows[song]) for song in songs) - clashing,
        "windows_left_out": clashing,
    }
