"""Thousands of damaged MIDI files: each must be read, or refused with one MidiError, soon and in bounded memory.

    python bench/hostile_files.py --songs SONGS [--count 5000]

Files are made of those in SONGS by flipping bits, cutting, splicing chunks of others in, and lying about lengths,
tempos, meters and divisions. Both readers read each, in a process whose memory is limited to 500 MB more than it needs
to begin with; then a corpus is built of a folder of 500 of them. Results go to ``bench/results/hostile_files.json``.
"""

import argparse
import json
import multiprocessing
import os
import platform
import random
import resource
import struct
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

from drumlib.data.corpus.builder import build
from drumlib.data.corpus.sources import SongFolder
from drumlib.data.grid_song import grid_song
from drumlib.files import write_whole
from drumlib.music import Grid, MidiError, groove_of, midi
from drumlib.music import fast_midi as fast

RESULTS = Path(__file__).parent / "results" / "hostile_files.json"
SECONDS, MEGABYTES = 2.0, 500


def flipped(data: bytearray, chance: random.Random, others: list[bytes]) -> None:
    """Some bits turned over, anywhere."""
    for _ in range(chance.choice([1, 2, 5, 20, 200])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def cut(data: bytearray, chance: random.Random, others: list[bytes]) -> None:
    """The end is missing, or a piece of the middle."""
    start = chance.randrange(len(data))
    del data[start : chance.choice([len(data), start + chance.randrange(1, 500)])]


def spliced(data: bytearray, chance: random.Random, others: list[bytes]) -> None:
    """A piece of another file, or of this one, put in."""
    other = chance.choice([*others, bytes(data)])
    start = chance.randrange(len(other))
    at = chance.randrange(len(data))
    data[at:at] = other[start : start + chance.choice([4, 100, 5_000, 50_000])]


def lengths(data: bytearray, chance: random.Random, others: list[bytes]) -> None:
    """Chunks that claim to be longer or shorter than they are; headers that claim many tracks, or another size."""
    starts = [i for i in range(len(data) - 8) if data[i : i + 4] == b"MTrk"]
    for at in chance.sample(starts, min(len(starts), 3)):
        data[at + 4 : at + 8] = struct.pack(">I", chance.choice([0, 1, 2**31, 2**32 - 1, chance.randrange(100_000)]))
    if chance.random() < 0.5:
        data[10:12] = struct.pack(">H", chance.choice([0, 1, 300, 65_535]))
    if chance.random() < 0.2:
        data[4:8] = struct.pack(">I", chance.choice([0, 5, 7, 2**31, 2**32 - 1]))


def times(data: bytearray, chance: random.Random, others: list[bytes]) -> None:
    """Absurd divisions, tempos and meters."""
    if chance.random() < 0.7:
        data[12:14] = struct.pack(">H", chance.choice([0, 1, 2, 7, 32_767, 32_768, 0xE728, 65_535]))
    for kind, values in (
        (b"\xff\x51\x03", [0, 1, 2**24 - 1]),
        (b"\xff\x58\x04", [0, 0x00FF0000, 0xFFFFFFFF, 0x01070000]),
    ):
        at = bytes(data).find(kind)
        if at >= 0 and chance.random() < 0.7:
            size = kind[2]
            data[at + 3 : at + 3 + size] = chance.choice(values).to_bytes(4, "big")[-size:]


def far(data: bytearray, chance: random.Random, others: list[bytes]) -> None:
    """Very long times between events, written over what was there."""
    for _ in range(chance.choice([1, 3, 30])):
        at = chance.randrange(14, max(15, len(data) - 5))
        data[at : at + 4] = chance.choice([b"\xff\xff\xff\x7f", b"\xff\xff\x7f\x90", b"\x8f\xff\x7f\x80"])


DAMAGES = (flipped, cut, spliced, lengths, times, far)


def damaged(files: list[bytes], seed: int) -> tuple[str, bytes]:
    """A damaged file: how, and its bytes."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(files))
    harms = chance.sample(DAMAGES, chance.choice([1, 1, 2, 3]))
    for harm in harms:
        harm(data, chance, files)
        if not data:
            break
    return "+".join(sorted(harm.__name__ for harm in harms)), bytes(data)


def judge(data: bytes) -> tuple[str, float]:
    """What both readers make of these bytes, and how long the slower took, charts and grooves included."""
    outcomes, slowest = [], 0.0
    for reader in (midi.song_from_bytes, fast.song_from_bytes_fast):
        started = time.perf_counter()
        try:
            song = reader(data, "a damaged file")
            grid = Grid(song)
            groove_of(song, grid)
            grid_song(song)
            outcomes.append(song)
        except MidiError as error:
            outcomes.append(str(error))
        except MemoryError:
            return "out of memory", time.perf_counter() - started
        except BaseException as error:
            return f"{type(error).__name__}: {error}", time.perf_counter() - started
        slowest = max(slowest, time.perf_counter() - started)
    if outcomes[0] != outcomes[1]:
        return "the readers differ", slowest
    return ("refused" if isinstance(outcomes[0], str) else "read"), slowest


def worker(folder: Path, seeds: list[int], results) -> None:
    """Judge files, one after the other, and send what came of each."""
    files = originals(folder)
    judge(files[0])
    now = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (now + MEGABYTES * 2**20,) * 2)
    for seed in seeds:
        results.put((seed, None))
        how, data = damaged(files, seed)
        results.put((seed, (how, len(data), *judge(data))))
    results.put(None)


def originals(folder: Path) -> list[bytes]:
    """The files that are damaged."""
    return [path.read_bytes() for path in sorted(folder.rglob("*.mid"))]


def main() -> None:
    """Damage, judge, and write what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, required=True)
    parser.add_argument("--count", type=int, default=5_000)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if not originals(options.songs):
        parser.error(f"{options.songs}: there is no .mid file that could be damaged")
    outcomes, by_damage, worst, slow = Counter(), Counter(), 0.0, []
    seeds = list(range(options.count))
    fresh = multiprocessing.get_context("spawn")
    with tqdm(total=options.count, unit="file") as bar:
        while seeds:
            results = fresh.SimpleQueue()
            process = fresh.Process(target=worker, args=(options.songs, seeds, results))
            process.start()
            while True:
                while results.empty() and process.is_alive():
                    time.sleep(0.001)
                if results.empty():
                    break  # it died: the file it was at is the one that was begun last
                message = results.get()
                if message is None:
                    seeds = []
                    break
                seed, said = message
                if said is None:
                    begun = seed
                    continue
                how, size, outcome, seconds = said
                outcomes[outcome] += 1
                by_damage.update(f"{harm}: {outcome}" for harm in how.split("+"))
                worst = max(worst, seconds)
                if seconds > SECONDS:
                    slow.append({"seed": seed, "damage": how, "bytes": size, "seconds": seconds})
                bar.update()
            process.join()
            if seeds:
                outcomes["killed the process"] += 1
                seeds = list(range(begun + 1, options.count))
                bar.update()
    files = originals(options.songs)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "songs").mkdir()
        for seed in range(500):
            (Path(folder) / "songs" / f"{seed:03}.mid").write_bytes(damaged(files, seed)[1])
        started = time.perf_counter()
        manifest = build(SongFolder(Path(folder) / "songs"), Path(folder) / "corpus", workers=2)
        taken = time.perf_counter() - started
    report = {
        "command": f"python bench/hostile_files.py --songs SONGS --count {options.count}",
        "made of": len(files),
        "files": options.count,
        "outcomes": dict(outcomes.most_common()),
        "by damage (a file may have several)": dict(sorted(by_damage.items())),
        "slowest, seconds": worst,
        "slower than two seconds": slow,
        "memory allowed, MB": MEGABYTES,
        "a corpus of 500 of them": {"seconds": taken} | manifest["counts"],
        "versions": {name: version(name) for name in ("drumlib", "numpy", "mido", "symusic")}
        | {"python": platform.python_version()},
    }
    print(json.dumps(report, indent=1))
    write_whole(options.output, (json.dumps(report, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
