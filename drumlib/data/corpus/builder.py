"""Building a corpus: read every song of a source, write those that are fit in grid form, and assign the splits.

Each shard is a task of its own that needs nothing but the list of its songs, so tasks run on any executor and in any
order. A shard that exists is not made again. The same songs give the same bytes, however often the build was killed
and resumed.
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
from typing import Any

import numpy as np
from tqdm import tqdm

from drumlib import __version__
from drumlib.data.corpus.reader import FORMAT
from drumlib.data.corpus.selection import SelectionRules, exclusion_reason
from drumlib.data.corpus.shards import finished_shard, read_shard, write_shard
from drumlib.data.corpus.sources import Source, SourceEntry, UnusableSongError
from drumlib.data.corpus.workers import WorkerDied, Workers, one_by_one
from drumlib.data.grid_song import GridSong, grid_song
from drumlib.data.splitting.fingerprints import song_fingerprints, window_fingerprints
from drumlib.data.splitting.related_songs import related_groups
from drumlib.data.splitting.splits import SPLITS, duplicates_across_splits, split_groups
from drumlib.files import UNFINISHED, write_whole
from drumlib.music import MidiError

SHARD_SONGS = 64
RULES = SelectionRules()


@dataclass(frozen=True)
class Shard:
    """A task: read the songs of one shard, but not those that kill the process (``crashing``), and write it."""

    source: Source
    rules: SelectionRules
    entries: tuple[SourceEntry, ...]
    stem: Path
    crashing: tuple[SourceEntry, ...] = ()

    def make(self) -> dict:
        """Make the shard; return its entry in the manifest. Runs in a worker.

        An error in a song costs that song, and is recorded. OSError, an error of the disk, ends the build.
        """
        grid_songs, left_out = [], []
        for entry in self.entries:
            if entry in self.crashing:
                reason, message = "a fault in reading", "the process that read it died"
            else:
                reason, message = self.add(entry, grid_songs)
            if reason:
                left_out.append({"file": entry.file, "reason": reason, **({"error": message} if message else {})})
        return write_shard(self.stem, grid_songs, left_out)

    def add(self, entry: SourceEntry, grid_songs: list[tuple[SourceEntry, GridSong]]) -> tuple[str | None, str]:
        """Append a song to ``grid_songs``; or return the reason for leaving it out, and the error message if any."""
        try:
            song = self.source.read(entry)
            reason = exclusion_reason(song, self.rules)
            if reason:
                return reason, ""
            on_grid = grid_song(song, self.rules.missing)
        except OSError:  # of the disk or the network: the song may be readable later
            raise
        except MidiError as error:
            return "not a song", str(error)
        except UnusableSongError as error:
            return error.reason, str(error)
        except Exception as error:  # a defect of ours: it is recorded in the manifest, and the build goes on
            return "a fault in reading", f"{type(error).__name__}: {error}"
        if not on_grid.starts:
            left_out = on_grid.left_out
            return "no window: " + max(left_out, key=lambda reason: left_out[reason], default="too short"), ""
        grid_songs.append((entry, on_grid))
        return None, ""


@dataclass(frozen=True)
class CrashTest:
    """A task: read one song as its shard would, to find out whether the process survives it."""

    shard: Shard
    entry: SourceEntry

    def make(self) -> None:
        """Read the song, and discard it."""
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
    """Build a corpus, or resume a build, and return its manifest.

    Parameters
    ----------
    source
        Where the songs come from.
    out
        The corpus's folder; it is created.
    rules
        Which songs are taken.
    executor
        What runs the tasks: any ``concurrent.futures.Executor``, such as that of a dask cluster whose machines see
        the same folders; or a function that returns one, and a new one if it breaks. By default a pool of ``workers``
        processes (one a core); with ``workers=0``, this process itself. A script must call ``build`` below
        ``if __name__ == "__main__":``, because each new process imports the script.
    shard_songs
        How many songs of the source make a shard.
    seed
        Of the splits, if the source does not decide them.
    command
        The command that the manifest names.
    progress
        Whether to show a progress bar.

    Raises
    ------
    FileExistsError
        If the folder holds a corpus of other songs or settings.
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
    plan = build_plan(source, entries, rules, shard_songs, seed, command)
    prepare_folder(out, plan)
    shards = [
        Shard(source, rules, tuple(entries[first : first + shard_songs]), out / f"shard-{number:05}")
        for number, first in enumerate(range(0, len(entries), shard_songs))
    ]
    done = {shard.stem: finished_shard(shard.stem) for shard in shards}
    for recorded in read_manifest(out).get("shards", ()):  # a shard that was changed since is made again
        if done.get(out / recorded["name"]) != recorded:
            done[out / recorded["name"]] = None
    before = sum(len(shard.entries) for shard in shards if done[shard.stem])
    with Workers(executor, workers) as pool:
        with tqdm(total=len(entries), initial=before, desc="songs", unit="song", disable=not progress) as bar:
            for shard, result in pool.run([shard for shard in shards if not done[shard.stem]]):
                done[shard.stem] = make_without_crashing(shard) if isinstance(result, WorkerDied) else result
                bar.update(len(shard.entries))
                bar.set_postfix(windows=sum(about["windows"] for about in done.values() if about))
        made = [about for shard in shards if (about := done[shard.stem])]
        return finish(out, plan, made, seed, pool, progress)


def make_without_crashing(shard: Shard) -> dict:
    """Make a shard that killed its worker: test its songs one by one, and leave out those that kill a process."""
    tests = one_by_one([CrashTest(shard, entry) for entry in shard.entries])
    crashing = tuple(test.entry for test, result in tests if isinstance(result, WorkerDied))
    [(shard, about)] = one_by_one([replace(shard, crashing=crashing)])
    if isinstance(about, WorkerDied):
        raise RuntimeError(f"{shard.stem}: the process that wrote it died, though none of its songs alone killed one")
    return about


def build_plan(
    source: Source, entries: list[SourceEntry], rules: SelectionRules, shard_songs: int, seed: int, command: str
) -> dict:
    """The content of ``plan.json``: all that the corpus depends on. A build is resumed only with an equal plan."""
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


def prepare_folder(out: Path, plan: dict) -> None:
    """Create the folder, or check that it holds a build with the same plan. Raises FileExistsError if it does not."""
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
    for rest in out.glob(f"{UNFINISHED}*"):  # unfinished files of a build that was killed
        rest.unlink(missing_ok=True)


@dataclass(frozen=True)
class ShardSummary:
    """A task: read a finished shard, count its contents, and compute the fingerprints of its songs."""

    stem: Path

    def make(self) -> dict[str, Any]:
        """For each song its key, its split (or None) and its fingerprints; and counts. Runs in a worker."""
        records, grid_songs, left_out = read_shard(self.stem)
        windows_left_out, total = Counter(), Counter()
        for record, song in zip(records, grid_songs, strict=True):
            windows_left_out.update(record.left_out)
            total.update(songs=1, windows=len(song.starts), notes=record.notes, drum_notes=record.drums)
            total.update(combinations=int(song.combinations().sum()))
        return {
            "keys": [record.key for record in records],
            "splits": [record.split for record in records],
            "windows": [window_fingerprints(song) for song in grid_songs],
            "fingerprints": [song_fingerprints(song) for song in grid_songs],
            "errors": [song for song in left_out if "error" in song],
            "left_out": Counter(song["reason"] for song in left_out),
            "windows_left_out": windows_left_out,
            "total": total,
        }


def finish(out: Path, plan: dict, shards: list[dict], seed: int, pool: Workers, progress: bool) -> dict:
    """Assign the songs to groups and splits, and write ``splits.json`` and the manifest, which is returned."""
    before = read_manifest(out)
    if before.get("shards") == shards:
        try:
            if hashlib.sha256((out / "splits.json").read_bytes()).hexdigest() == before["splits_sha256"]:
                return before  # the corpus was finished already
        except (OSError, KeyError):
            pass
    tasks = [ShardSummary(out / shard["name"]) for shard in shards]
    results = dict(tqdm(pool.run(tasks), total=len(tasks), desc="fingerprints", unit="shard", disable=not progress))
    if any(isinstance(result, WorkerDied) for result in results.values()):
        raise RuntimeError(f"{out}: a process that read a finished shard died")
    summaries = [results[task] for task in tasks]  # in the order of the shards, whichever finished first
    keys, given, windows, fingerprints, errors = (
        [one for summary in summaries for one in summary[name]]
        for name in ("keys", "splits", "windows", "fingerprints", "errors")
    )
    left_out, windows_left_out, total = (
        sum((summary[name] for summary in summaries), Counter()) for name in ("left_out", "windows_left_out", "total")
    )
    if not keys:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in left_out.most_common(5))
        raise ValueError(f"none of the {plan['songs']} songs is fit for a corpus: {reasons}")
    groups = related_groups(keys, fingerprints)
    window_counts = [len(one) for one in windows]
    splits = given if all(given) else split_groups(groups, window_counts, seed=seed, fingerprints=fingerprints)
    found = enumerate(duplicates_across_splits(windows, splits))
    duplicates = {str(song): np.flatnonzero(rows).tolist() for song, rows in found if rows.any()}
    content = {"groups": groups.tolist(), "splits": splits, "duplicates": duplicates}
    text = json.dumps(content, separators=(",", ":")).encode()
    write_whole(out / "splits.json", text)
    manifest = plan | {
        "counts": {
            "songs": plan["songs"],
            "songs_kept": total["songs"],
            "songs_left_out": dict(left_out.most_common()),
            "windows": total["windows"],
            "windows_left_out": dict(windows_left_out.most_common()),
            "combinations": total["combinations"],
            "notes": total["notes"],
            "drum_notes": total["drum_notes"],
            "groups": int(groups.max()) + 1,
        },
        "splits": {name: split_counts(name, splits, window_counts, duplicates) for name in SPLITS},
        "splits_by": "the source's own list" if all(given) else "groups",
        "errors": errors,
        "splits_sha256": hashlib.sha256(text).hexdigest(),
        "shards": shards,
    }
    write_whole(out / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode())
    return manifest


def read_manifest(out: Path) -> dict:
    """The manifest of a corpus that was finished before; an empty one if there is none."""
    try:
        before = json.loads((out / "manifest.json").read_bytes())
        return before if all(isinstance(shard["name"], str) for shard in before["shards"]) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def split_counts(name: str, splits: list[str], windows: list[int], duplicates: dict) -> dict[str, int]:
    """A split's songs, its windows in use, and its windows left out as duplicates of another split's."""
    songs = [song for song, split in enumerate(splits) if split == name]
    lost = sum(len(duplicates.get(str(song), ())) for song in songs)
    return {"songs": len(songs), "windows": sum(windows[song] for song in songs) - lost, "windows_left_out": lost}
