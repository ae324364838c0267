"""Read every song of a folder, and put a drummer on every good one; check each result.

    python bench/accompany_corpus.py --songs SONGS

Checked of each good song, with the command line: it succeeds; the result is read again; it
has drums on channel 10 to the song's last bar; every other event of the file is what it was; the same seed gives the
same bytes. Writes bench/results/accompany_corpus.json.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
import warnings
from pathlib import Path

import mido
from tqdm import tqdm

from drumlib.__main__ import main as drumlib
from drumlib.data.song_folder import read_table
from drumlib.files import write_whole
from drumlib.music import DRUM_CHANNEL, Grid, MidiError, read_song


def other_events(path: Path) -> list:
    """Every event of a file that is not on the drum channel, track by track, each with its absolute tick."""
    tracks = []
    for track in mido.MidiFile(path).tracks:
        tick, events = 0, []
        for message in track:
            tick += message.time
            if getattr(message, "channel", None) != DRUM_CHANNEL and message.type != "end_of_track":
                events.append((tick, message.copy(time=0)))
        tracks.append(events)
    return tracks


def check(source: Path, folder: Path, *options: str) -> list[str]:
    """The faults found in the accompaniment of one song; an empty list if there are none."""
    outputs = [folder / "first.mid", folder / "second.mid"]
    for output in outputs:
        output.unlink(missing_ok=True)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            status = drumlib(["accompany", str(source), "-o", str(output), "--seed", "1", *options])
        if status:
            return [f"exit {status}: {said.getvalue().strip()}"]
    faults = []
    if outputs[0].read_bytes() != outputs[1].read_bytes():
        faults.append("the same seed gave other bytes")
    song, result = read_song(source), read_song(outputs[0])
    grid = Grid(song)
    last = max((note.tick for track in result.drums for note in track.notes), default=0)
    if grid.locate([last])[0][0] < grid.first_steps[len(song.bars) - 1]:
        faults.append("the drums end before the last bar")
    if other_events(source) != other_events(outputs[0])[:-1]:
        faults.append("another track was changed")
    if len(result.drums) != 1 or any(track.channel != DRUM_CHANNEL for track in result.drums):
        faults.append("the drums are not one track on channel 10")
    return faults


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--songs", type=Path, required=True)
    folder = options.parse_args().songs
    rows = read_table(folder / "songs.csv")
    warnings.simplefilter("ignore")
    refused, faults, seconds, sampled = {}, {}, [], 0
    for row in tqdm(rows, desc="reading"):
        try:
            Grid(read_song(folder / row["file"]))
        except MidiError as error:
            refused[row["file"]] = str(error).removeprefix(f"{folder / row['file']}: ")
    good = [row["file"] for row in rows if row["good"] == "1"]
    with tempfile.TemporaryDirectory() as temporary:
        for number, name in enumerate(tqdm(good, desc="accompanying")):
            start = time.perf_counter()
            found = check(folder / name, Path(temporary))
            seconds.append((time.perf_counter() - start) / 2)
            if not found and number % 10 == 0:  # sampled notes, for some
                found = check(folder / name, Path(temporary), "--temperature", "1")
                sampled += 1
            if found:
                faults[name] = found
    results = {
        "songs": len(rows),
        "read": len(rows) - len(refused),
        "refused": refused,
        "good_songs": len(good),
        "accompanied_without_fault": len(good) - len(faults),
        "of_these_sampled_too": sampled,
        "faults": faults,
        "seconds_per_song": {"median": round(sorted(seconds)[len(seconds) // 2], 2), "most": round(max(seconds), 2)},
    }
    print(json.dumps(results, indent=1))
    write_whole(
        Path(__file__).parent / "results" / "accompany_corpus.json", (json.dumps(results, indent=1) + "\n").encode()
    )


if __name__ == "__main__":
    main()
