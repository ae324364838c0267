"""Which songs of a folder belong together by their content, beside the groups that its table names.

    python bench/groups_found.py --songs SONGS

The table knows artists, which content cannot; content knows copies, which a table may have missed. So the pairs of
songs are counted that only one of them joins, and those that only content joins are listed. Then: how many windows have
the drums of a window in another split, for the table's splits and for splits of our own; and, as a test whose answer is
known, how many planted copies of the songs are found. Writes bench/results/groups_found.json.
"""

import argparse
import json
import platform
import statistics
import time
from collections import Counter
from dataclasses import replace
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import numpy as np
from tqdm import tqdm

from drumlib.data.grid_song import grid_song
from drumlib.data.song_folder import read_table
from drumlib.data.splitting import fingerprints
from drumlib.data.splitting import related_songs as grouping
from drumlib.data.splitting.fingerprints import of_kind, song_fingerprints, window_fingerprints
from drumlib.data.splitting.related_songs import related_groups
from drumlib.data.splitting.splits import SHARES, SPLITS, duplicates_across_splits, split_groups
from drumlib.files import write_whole
from drumlib.music import Meter, MidiError, Notes, Song, Tempo
from drumlib.music.fast_midi import read_song_fast

SEED = 0
LOST = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
"""With which probability a note of a planted copy is missing."""


def planted(song: Song, lost: float, rng: np.random.Generator) -> Song:
    """A copy of a song: behind four empty bars, 1 to 6 semitones off, softer, each note lost by chance."""
    later = 4 * (song.bars[0].end - song.bars[0].tick)
    shift = rng.choice([-1, 1]) * rng.integers(1, 7)
    tracks = []
    for track in song.tracks:
        notes = track.notes.array[rng.random(len(track.notes)) >= lost] + [later, 0, 0, 0]
        notes[:, 1] += 0 if track.is_drum else shift
        notes[:, 2] = np.maximum(1, notes[:, 2] * rng.uniform(0.5, 1, len(notes)))
        tracks.append(replace(track, notes=Notes(notes[(notes[:, 1] >= 0) & (notes[:, 1] < 128)])))
    meters = [song.meters[0], *(Meter(m.tick + later, m.numerator, m.denominator) for m in song.meters[1:])]
    tempos = [song.tempos[0], *(Tempo(t.tick + later, t.microseconds) for t in song.tempos[1:])]
    return Song(song.ticks_per_beat, tracks, tempos, meters, song.name)


def shared(one: np.ndarray, other: np.ndarray) -> dict[str, str]:
    """How many phrases two songs share, of how many, for the drums and for the band."""
    counts = {}
    for kind, name in enumerate(("drums", "band")):
        sets = [of_kind(prints, kind) for prints in (one, other)]
        counts[name] = f"{len(np.intersect1d(*sets))} of {len(sets[0])} and {len(sets[1])}"
    return counts


def compared(rows: list[dict], prints: list[np.ndarray], found: np.ndarray) -> dict:
    """The table's groups and ours, by pairs of songs."""
    pairs, only_ours = Counter(), []
    for one, other in combinations(range(len(rows)), 2):
        table, ours = rows[one]["group"] == rows[other]["group"], found[one] == found[other]
        pairs[bool(table), bool(ours)] += 1
        if ours and not table:
            splits = [rows[one]["split"], rows[other]["split"]]
            names = [rows[one]["file"], rows[other]["file"]]
            only_ours.append({"songs": names, "splits": splits, "shared": shared(prints[one], prints[other])})
    splits_of = {}
    for row, group in zip(rows, found.tolist(), strict=True):
        splits_of.setdefault(group, set()).add(row["split"])
    return {
        "songs": len(rows),
        "groups_of_the_table": len({row["group"] for row in rows}),
        "groups_by_content": int(found.max()) + 1,
        "pairs": {
            "joined_by_both": pairs[True, True],
            "joined_by_the_table_only": pairs[True, False],
            "joined_by_content_only": pairs[False, True],
        },
        "our_groups_in_more_than_one_split_of_the_table": sum(len(splits) > 1 for splits in splits_of.values()),
        "joined_by_content_only": only_ours,
    }


def left_out(prints: list[np.ndarray], splits: list[str]) -> dict:
    """How many windows each split has, and how many of them are left out."""
    duplicates = duplicates_across_splits(prints, splits)
    counts = {
        name: {
            "songs": splits.count(name),
            "windows": sum(len(bad) for bad, split in zip(duplicates, splits, strict=True) if split == name),
            "left_out": sum(int(bad.sum()) for bad, split in zip(duplicates, splits, strict=True) if split == name),
            "songs_that_lose_some": sum(
                bool(bad.any()) for bad, at in zip(duplicates, splits, strict=True) if at == name
            ),
        }
        for name in SPLITS
    }
    kept = {name: set() for name in SPLITS}
    for song, bad, split in zip(prints, duplicates, splits, strict=True):
        kept[split].update(song[~bad].tolist())
    counts["drum_parts_in_two_splits_after_that"] = sum(len(kept[a] & kept[b]) for a, b in combinations(SPLITS, 2))
    return counts


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--songs", type=Path, required=True)
    folder = options.parse_args().songs
    rows, songs, grid_songs = [], [], []
    for row in tqdm(read_table(folder / "songs.csv"), desc="reading"):
        try:
            song = read_song_fast(folder / row["file"])
        except MidiError:
            continue
        rows, songs, grid_songs = [*rows, row], [*songs, song], [*grid_songs, grid_song(song)]
    prints, seconds = [], {"window_fingerprints": [], "song_fingerprints": []}
    for one in grid_songs:
        for function in (window_fingerprints, song_fingerprints):
            start = time.perf_counter()
            result = function(one)
            if one.starts:  # the rest would flatter us
                seconds[function.__name__].append(time.perf_counter() - start)
        prints.append(result)
    start = time.perf_counter()
    everything = related_groups([None] * len(rows), prints)
    seconds_of_groups = time.perf_counter() - start

    with_windows = [number for number, one in enumerate(grid_songs) if one.starts]
    table = [rows[number] for number in with_windows]
    content = [prints[number] for number in with_windows]
    windows = [window_fingerprints(grid_songs[number]) for number in with_windows]
    joined = related_groups([row["group"] for row in table], content)
    own = split_groups(joined, [len(song) for song in windows], SHARES, SEED, content)
    seeds = [split_groups(joined, [len(song) for song in windows], SHARES, seed, content) for seed in range(20)]
    alone, found = related_groups([None] * len(content), content), {}
    for lost in tqdm(LOST, desc="planted copies"):
        rng = np.random.default_rng(SEED)
        copies = [song_fingerprints(grid_song(planted(songs[number], lost, rng))) for number in with_windows]
        both = related_groups([None] * (2 * len(copies)), content + copies).reshape(2, -1)
        strangers = (both[0][:, None] == both[0]) & (alone[:, None] != alone)
        found[f"{lost:.1%} of notes lost"] = {
            "copies_found": int((both[0] == both[1]).sum()),
            "of": len(copies),
            "pairs_of_other_songs_joined_by_them": int(strangers.sum()) // 2,
        }
    results = {
        "what": "groups by content against the table's; duplicate windows across splits; planted copies found",
        "command": "python bench/groups_found.py --songs SONGS",
        "settings": {
            "phrase_bars": fingerprints.PHRASE_BARS,
            "phrase_notes": fingerprints.PHRASE_NOTES,
            "shared_part": grouping.SHARED_PART,
            "shared_fingerprints": grouping.SHARED_FINGERPRINTS,
            "common_songs": grouping.COMMON_SONGS,
            "common_part": grouping.COMMON_PART,
            "seed": SEED,
        },
        "songs_with_windows": compared(table, content, alone),
        "all_songs_that_can_be_read": compared(rows, prints, everything),
        "duplicates_across_the_tables_splits": left_out(windows, [row["split"] for row in table]),
        "duplicates_across_our_splits_by_the_tables_groups_and_content": left_out(windows, own),
        "share_of_windows_in_test_over_20_seeds": spread(seeds, windows, "test"),
        "share_of_windows_in_validation_over_20_seeds": spread(seeds, windows, "validation"),
        "planted_copies": found,
        "milliseconds_a_song_with_windows": {
            name: {"median": round(statistics.median(times) * 1000, 3), "most": round(max(times) * 1000, 3)}
            for name, times in seconds.items()
        },
        "milliseconds_to_group_all_songs": round(seconds_of_groups * 1000, 1),
        "versions": {name: version(name) for name in ("drumlib", "numpy", "symusic")}
        | {"python": platform.python_version()},
    }
    print(json.dumps(results, indent=1))
    write_whole(
        Path(__file__).parent / "results" / "groups_found.json", (json.dumps(results, indent=1) + "\n").encode()
    )


def spread(samples: list[list[str]], windows: list[np.ndarray], name: str) -> dict[str, float]:
    """The least and the largest share of all windows that a split got."""
    sizes = np.array([len(song) for song in windows])
    shares = [sizes[np.array(splits) == name].sum() / sizes.sum() for splits in samples]
    return {"least": round(float(min(shares)), 4), "most": round(float(max(shares)), 4)}


if __name__ == "__main__":
    main()
