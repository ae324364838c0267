"""How long the network needs to drum to a song of four minutes, after imports and model load.

    python bench/generation_speed.py

Writes bench/results/generation_speed.json. The song is one of our own, played over until it lasts four minutes.
"""

import argparse
import json
import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

from drumlib.drummer import candidates
from drumlib.files import write_whole
from drumlib.music import Song, Track, songbook
from drumlib.network.registry import pretrained

RUNS = 5


def repeated(song: Song, seconds: float) -> Song:
    """The band of a song, played over and over until it lasts at least so many seconds."""
    length = song.bars[-1].end
    times = 1 + int(seconds / song.seconds(length))
    tracks = [
        Track(
            tuple(note._replace(tick=note.tick + i * length) for i in range(times) for note in track.notes),
            *(track.program, track.is_drum, track.channel, track.name),
        )
        for track in song.band
    ]
    return Song(song.ticks_per_beat, tracks, song.tempos, song.meters, song.name)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    song = repeated(songbook.song("rock"), 240)
    pretrained("thesis")
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        candidates(song)
        times.append(time.perf_counter() - start)
    results = {
        "what": "drummer.candidates of a song of four minutes: rolls, network, thresholds, ranking; wall-clock seconds",
        "preset": "thesis",
        "song": {"seconds": round(song.duration, 1), "bars": len(song.bars)},
        "first_call": round(times[0], 3),
        "later_calls": [round(t, 3) for t in times[1:]],
        "median": round(statistics.median(times[1:]), 3),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in ("drumlib", "keras", "tensorflow")}
        | {"python": platform.python_version()},
    }
    print(json.dumps(results, indent=1))
    write_whole(
        Path(__file__).parent / "results" / "generation_speed.json", (json.dumps(results, indent=1) + "\n").encode()
    )


if __name__ == "__main__":
    main()
