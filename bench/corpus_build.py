"""How fast songs are read and a corpus is built, in how much memory, and whether being killed changes anything.

    python bench/corpus_build.py --songs SONGS --groove GROOVE

SONGS is a folder with a songs.csv, GROOVE the Groove MIDI Dataset (its folder, or its archive). Needs some five minutes
on a quiet machine, and Linux. Results go to ``bench/results/corpus_build.json``.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import symusic

from drumbook.bands.source import RULES, GrooveBands
from drumlib.data.corpus.builder import build
from drumlib.data.corpus.selection import exclusion_reason
from drumlib.data.corpus.sources import SongFolder
from drumlib.data.grid_song import grid_song
from drumlib.data.groove_dataset import performances
from drumlib.data.splitting.fingerprints import song_fingerprints, window_fingerprints
from drumlib.files import write_whole
from drumlib.music import MidiError, midi
from drumlib.music import fast_midi as fast

RESULTS = Path(__file__).parent / "results" / "corpus_build.json"
README = Path(__file__).parents[1] / "README.md"
START = "<!-- written by bench/corpus_build.py: a test compares it with bench/results/corpus_build.json -->"
END = "<!-- end -->"
LAKH_FILES = 116_189  # of lmd_matched


@dataclass(frozen=True)
class PlainFolder(SongFolder):
    """A folder of songs, read by mido."""

    def read(self, entry):
        return midi.read_song(self.folder / entry.file)


@dataclass(frozen=True)
class Some(GrooveBands):
    """The first so many of the performances with bands."""

    count: int = 500

    def entries(self):
        return super().entries()[: self.count]


def agreement(files: dict[str, bytes]) -> dict:
    """Read files with both readers: do they make the same songs, and how long does each take?"""
    seconds, outcomes = {}, {}
    for name, reader in (("mido", midi.song_from_bytes), ("symusic", fast.song_from_bytes_fast)):
        outcomes[name] = []
        started = time.perf_counter()
        for file, data in files.items():
            try:
                outcomes[name].append(reader(data, file))
            except MidiError as error:
                outcomes[name].append(str(error))
        seconds[name] = time.perf_counter() - started
    pairs = list(zip(files, outcomes["mido"], outcomes["symusic"], strict=True))
    return {
        "files": len(files),
        "read": sum(not isinstance(one, str) for one in outcomes["mido"]),
        "refused": sum(isinstance(one, str) for one in outcomes["mido"]),
        "differences": [file for file, one, other in pairs if one != other],
        "songs a second": {name: len(files) / taken for name, taken in seconds.items()},
        "times as fast": seconds["mido"] / seconds["symusic"],
    }


def measured(source, workers: int, **settings) -> dict:
    """Build in a process of its own: seconds, memory at the most (of it, and of its largest worker), what came out."""
    fresh = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = fresh.Pipe()
        child = fresh.Process(target=build_and_tell, args=(theirs, source, Path(folder) / "corpus", workers, settings))
        child.start()
        largest: dict[bool, float] = {True: 0.0, False: 0.0}
        while not ours.poll(0.02):  # what the system calls a process's peak only grows, so looking now and then will do
            for process, peak in peaks(child.pid):
                largest[process == child.pid] = max(largest[process == child.pid], peak)
        taken, counts, size = ours.recv()
        child.join()
    return {
        "workers": workers,
        "songs": counts["songs"],
        "songs kept": counts["songs_kept"],
        "windows": counts["windows"],
        "combinations": counts["combinations"],
        "seconds": taken,
        "songs a second": counts["songs"] / taken,
        "peak memory, MB": {"the process": round(largest[True]), "its largest worker": round(largest[False])},
        "bytes on disk": size,
    }


def build_and_tell(pipe, source, out: Path, workers: int, settings: dict) -> None:
    """Build, and tell how long it took, what is in it, and how large it is."""
    started = time.perf_counter()
    counts = build(source, out, workers=workers, progress=False, **settings)["counts"]
    taken = time.perf_counter() - started
    time.sleep(0.1)  # so that our last peak is seen
    pipe.send((taken, counts, sum(path.stat().st_size for path in out.iterdir())))


def peaks(parent: int) -> list[tuple[int, float]]:
    """A process and its children: the most memory that each has had so far, in MB (``VmHWM`` in /proc)."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            said = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        own = int(status.parent.name)
        if "VmHWM" in said and parent in (own, int(said["PPid"])):
            found.append((own, int(said["VmHWM"].split()[0]) / 1024))
    return found


def grown(songs: Path, times: list[int]) -> list[dict]:
    """Builds of ever more songs: every MIDI file of the folder, under so many names."""
    rows = []
    for count in times:
        with tempfile.TemporaryDirectory() as folder:
            for file in sorted(songs.rglob("*.mid")):
                for copy in range(count):
                    (Path(folder) / f"{copy}-{file.name}").symlink_to(file.resolve())
            rows.append(measured(SongFolder(Path(folder)), workers=2))
    return rows


def contents(folder: Path) -> str:
    """One sum of all that is in a folder."""
    found = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in sorted(folder.iterdir())]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def killed(songs: Path, times: int, seed: int = 0) -> dict:
    """Kill a build at random, again and again; let it end; compare it with one that was left in peace."""
    chance = random.Random(seed)
    command = [sys.executable, "-m", "drumlib", "corpus", str(songs), "--workers", "1", "--shard-songs", "2", "-o"]
    with tempfile.TemporaryDirectory() as folder:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*command, f"{folder}/undisturbed"], check=True, **quiet)
        kills, shards = [], [0]
        for _ in range(times):
            process = subprocess.Popen([*command, f"{folder}/killed"], start_new_session=True, **quiet)
            enough = shards[-1] + chance.randint(1, 6)  # so many more shards, and a moment longer, shall it live
            while process.poll() is None and finished(folder) < enough:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.05))
            try:
                os.killpg(process.pid, 9)
            except ProcessLookupError:
                pass
            process.wait()
            kills.append(process.returncode == -9)
            shards.append(finished(folder))
        subprocess.run([*command, f"{folder}/killed"], check=True, **quiet)
        same = contents(Path(folder, "undisturbed")) == contents(Path(folder, "killed"))
    return {"begun": times, "killed": sum(kills), "shards after each": shards[1:], "identical": same}


def finished(folder: str) -> int:
    """How many shards the build that is killed has finished."""
    return len(list(Path(folder, "killed").glob("shard-*.json")))


def shares(songs: Path, build_seconds: float) -> dict:
    """Of a build of the good songs on one core: what share of the time goes into what."""
    source = SongFolder(songs)
    paths = [songs / entry.file for entry in source.entries()]
    data = [path.read_bytes() for path in paths]
    seconds = {}
    started = time.perf_counter()
    for one in data:
        symusic.Score.from_midi(one)
    seconds["symusic alone, on the same files"] = time.perf_counter() - started
    started = time.perf_counter()
    read = [fast.song_from_bytes_fast(one) for one in data]
    seconds["reading, symusic and our checks"] = time.perf_counter() - started
    started = time.perf_counter()
    grid_songs = [grid_song(song) for song in read if exclusion_reason(song) is None]
    seconds["selection and the grid"] = time.perf_counter() - started
    started = time.perf_counter()
    for one in grid_songs:
        song_fingerprints(one), window_fingerprints(one)
    seconds["fingerprints"] = time.perf_counter() - started
    return {name: taken / build_seconds for name, taken in seconds.items()}


def main() -> None:
    """Measure, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, required=True)
    parser.add_argument("--groove", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    results = {
        "command": "python bench/corpus_build.py --songs SONGS --groove GROOVE",
        "machine": {"cores": os.cpu_count(), "processor": processor(), "system": platform.platform()},
        "versions": {name: version(name) for name in ("drumlib", "numpy", "mido", "symusic")}
        | {"python": platform.python_version()},
    }
    songs = {path.name: path.read_bytes() for path in sorted(options.songs.rglob("*.mid"))}
    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(options.groove, folder) if options.groove.is_file() else None
        where = Path(folder) if options.groove.is_file() else options.groove
        groove = {one.path.as_posix()[len(str(where)) :]: one.path.read_bytes() for one in performances(where)}
        results["readers"] = {"songs": agreement(songs), "groove": agreement(groove)}
        show(results["readers"])

        folder = options.songs
        one = {"mido": measured(PlainFolder(folder), 0), "symusic": measured(SongFolder(folder), 0)}
        results["good songs"] = {
            "one core": one,
            "times as fast": one["mido"]["seconds"] / one["symusic"]["seconds"],
            "shares of the time on one core": shares(folder, one["symusic"]["seconds"]),
            "two workers": measured(SongFolder(folder), 2),
        }
        show(results["good songs"])
        results["500 performances with bands"] = [
            measured(Some(where, variants=2), workers, rules=RULES) for workers in (0, 2)
        ]
        show(results["500 performances with bands"])
    results["ever more songs"] = grown(options.songs, [1, 2, 4, 8])
    show(results["ever more songs"])
    results["killed at random"] = killed(options.songs, 10)
    show(results["killed at random"])
    results["all of lmd_matched"] = extrapolated(options.songs)
    show(results["all of lmd_matched"])
    write_whole(options.output, (json.dumps(results, indent=1) + "\n").encode())
    head, start, rest = README.read_text(encoding="utf-8").partition(START)
    write_whole(README, (head + start + "\n" + in_words(results) + END + rest.partition(END)[2]).encode())


def extrapolated(songs: Path) -> dict:
    """What all of lmd_matched would take, judged by the songs of Lakh that are here: all of them, fit or not."""
    with tempfile.TemporaryDirectory() as folder:
        files = sorted((songs / "lakh").rglob("*.mid"))
        for copy in range(10):
            for file in files:
                (Path(folder) / f"{copy}-{file.name}").symlink_to(file.resolve())
        one, two = (measured(SongFolder(Path(folder)), workers) for workers in (0, 2))
    gain = two["songs a second"] / one["songs a second"]  # of a second core
    share = one["songs kept"] / one["songs"]
    return {
        "files": LAKH_FILES,
        "measured on": {"different songs": len(files), "one core": one, "two workers": two},
        "minutes on 2 cores": LAKH_FILES / two["songs a second"] / 60,
        "minutes on 64 cores, if each adds as much as the second": LAKH_FILES / (two["songs a second"] / 2 * 64) / 60,
        "gain of the second core": gain,
        "share of these songs that are kept": share,
        "gigabytes on disk, if as many are kept": one["bytes on disk"] / one["songs"] * LAKH_FILES / 1e9,
    }


def in_words(results: dict) -> str:
    """What README.md says of it."""
    machine, readers, lakh = results["machine"], results["readers"]["songs"], results["all of lmd_matched"]
    good, one = results["good songs"], results["good songs"]["one core"]["symusic"]
    rates = readers["songs a second"]
    first, *_, last = results["ever more songs"]
    peaks = [max(build["peak memory, MB"].values()) for build in (first, last)]
    on_64 = lakh["minutes on 64 cores, if each adds as much as the second"]
    kept = lakh["gigabytes on disk, if as many are kept"]
    goes = good["shares of the time on one core"]
    reading, gridding = (goes[name] for name in ("reading, symusic and our checks", "selection and the grid"))
    text = f"""
        Measured on {machine["cores"]} cores ({machine["processor"]}): the fast reader reads {rates["symusic"]:.0f}
        songs a second and the plain one {rates["mido"]:.0f}, and both read the same songs. A corpus of the
        {one["songs"]} good songs takes {one["seconds"]:.1f} s on one core, {good["times as fast"]:.0f} times as fast as
        with the plain reader. We wanted 20 times. What bounds it is no longer symusic, which needs
        {goes["symusic alone, on the same files"]:.0%} of the time for these files: {reading:.0%} goes into reading
        and checking every byte, which is Python for the most part, and {gridding:.0%} into selection and the grid. No
        process needs more than {peaks[1]} MB for {last["songs"]:,} songs, and {peaks[0]} MB for {first["songs"]:,}.
        All {lakh["files"]:,} files of `lmd_matched` would take {lakh["minutes on 2 cores"]:.0f} minutes on 2 cores,
        and {on_64:.1f} on 64 if each adds as much as the second did and the disk keeps up; and {kept:.1f} GB on disk
        if as many are kept as of the {lakh["measured on"]["different songs"]} songs of Lakh that this was measured
        on."""
    return textwrap.fill(" ".join(text.split()), 118) + "\n"


def processor() -> str:
    """The processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def show(what) -> None:
    """Say what came out, as it comes."""
    print(json.dumps(what, indent=1), flush=True)


if __name__ == "__main__":
    main()
