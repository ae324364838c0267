"""How fast the network learns and plays, beside the thesis's way of doing the same, on this machine.

    python bench/network_speed.py
    python bench/network_speed.py --quick --out FILE    # only to see that the command works: the figures mean nothing

Writes bench/results/network_speed.json. Four things are measured, with the preset ``thesis``:

1. training: windows learned a second, against a plain transcription of the thesis's network (thesis_transcribed.py).
   Both get the same arrays, losses and metrics. ``as_drumlib_trains`` makes its batches as it goes, as ``train`` does.
2. arithmetic: what the matrix products of training need, against how fast this machine multiplies large matrices.
3. playing: drums for a song of four minutes with two pianos, two guitars and a bass, against the thesis's way: one
   step at a time, one sub-sequence, one combination of tracks and one threshold after another.
4. length: seconds of ``accompany`` from 8 to 512 bars, and the exponent with which they grow.

Whatever is compared is measured in turns, one round after another, and ratios are taken within a round: so what else
the machine does meanwhile weighs on both. All is wall clock, after a warm-up; the figures are medians over the rounds.
Training is also told by processor time: windows learned for each second that all processors together spent on it. On a
busy machine that is the steadier figure; it does not tell how well the work is parted among processors.
"""

import argparse
import json
import os
import platform
import re
import statistics
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
from thesis_transcribed import Transcription, compile_transcription, transcribe
from tqdm import tqdm

from drumlib.data.grid_song import grid_song
from drumlib.data.windows import Windows
from drumlib.drummer import THRESHOLDS, accompany, combinations, drum_track
from drumlib.files import write_whole
from drumlib.inference.features import family_roll
from drumlib.inference.sampling import groove_from_outputs
from drumlib.music import Grid, Song, Track, songbook, with_tracks
from drumlib.music.kit import FAMILIES
from drumlib.music.rock_beat import rock_beat_similarity
from drumlib.network.batches import Batches
from drumlib.network.registry import build, pretrained
from drumlib.network.thesis import DrummerNetwork
from drumlib.network.training import compile_network

BATCH = 64
OUT = Path(__file__).parent / "results" / "network_speed.json"
SONG = "funk"
THESIS_STEPS = 16  # of a sub-sequence, when the thesis plays (4.4)
PATIENCE = 120  # seconds after which the thesis's way need not play the song's remaining combinations

TIMES = {
    r"/beat/kernel": 32,
    r"/bar/kernel": 15,
    r"^(piano|guitar|bass)/lstm/.*kernel": 15,
    r"^bottleneck/.*/kernel": 1,
    r"^conductor/.*kernel": 4,
    r"^decoder/embedding/kernel": 4,
    r"^decoder/(lower|upper)/.*kernel": 128,
    r"^decoder/(hits|velocities|offsets)/kernel": 128,
}
"""How many times each matrix of weights is multiplied with a vector, for one window of eight bars: the encoder's
convolutions give 32 beats and 15 places, the conductor speaks 4 times, the decoder plays 128 steps."""


def seconds(function) -> float:
    """How long a function takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def by_both_clocks(function) -> dict[str, float]:
    """How long a function takes by the wall's clock, and how many seconds all processors together spent on it."""
    before = time.process_time()
    wall = seconds(function)
    return {"wall": wall, "cpu": time.process_time() - before}


class Stopwatch(keras.callbacks.Callback):
    """How long ``fit`` learns, by both clocks: from the first batch to the end of the last.

    What Keras does before and after is left out: it sometimes waits for two seconds until its data are put away, which
    on so few batches would decide the contest by chance.
    """

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 0:
            self.begun = time.perf_counter(), time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        self.taken = {"wall": time.perf_counter() - self.begun[0], "cpu": time.process_time() - self.begun[1]}


def learning(fit, *data, **options) -> dict[str, float]:
    """How long a network's ``fit`` learns, by both clocks."""
    watch = Stopwatch()
    fit(*data, shuffle=False, verbose=0, callbacks=[watch], **options)
    return watch.taken


def summary(values, digits: int = 3) -> dict:
    """The median of some measurements, and all of them in the order in which they were taken."""
    return {"median": round(statistics.median(values), digits), "rounds": [round(value, digits) for value in values]}


def ratios(slow, fast) -> dict:
    """How many times longer the one took than the other, round by round."""
    return summary([s / f for s, f in zip(slow, fast, strict=True)], 2)


# 1 and 2: training


def songbook_windows() -> Windows:
    """The windows of the book's own songs."""
    return Windows([grid_song(songbook.song(name)) for name in songbook.names()])


def forward_products(network: DrummerNetwork) -> dict[str, int]:
    """Floating-point operations of the matrix products for one window, forward, by the matrix of weights.

    A matrix of weights (n, m) and a vector make n * m multiplications and as many additions.
    """
    products = {}
    for weight in network.trainable_weights:
        if "kernel" in weight.path:
            (times,) = (number for pattern, number in TIMES.items() if re.search(pattern, weight.path))
            products[weight.path] = 2 * int(np.prod(weight.shape)) * times
    return products


def training_products(network: DrummerNetwork) -> dict[str, int]:
    """Operations of the matrix products to learn from one window: as the thesis's graph is written, and as ours is.

    Backward, each product is made twice more: for the gradient of its weights and for that of its input. The input of
    the first convolution is data and needs none. That is what the transcription does. ``ours`` is less, as
    network/recurrence.py does at every step only what differs from step to step: what the conductor vector adds to the
    lower LSTM's input is the same for 32 steps, and the drums before need no gradient.
    """
    forward = forward_products(network)
    beat = sum(number for path, number in forward.items() if "/beat/" in path)
    written = 3 * sum(forward.values()) - beat
    (entry,) = (path for path in forward if re.search(r"^decoder/lower/.*(?<!recurrent_)kernel$", path))
    drums, vector = 27, network.preset.conductor_units
    from_drums, from_vector = (forward[entry] * rows // (drums + vector) for rows in (drums, vector))
    steps = TIMES[r"^decoder/(lower|upper)/.*kernel"] // TIMES[r"^conductor/.*kernel"]
    ours = written - from_drums - 3 * (from_vector - from_vector // steps)
    return {"forward": sum(forward.values()), "thesis": written, "ours": ours}


def multiplying(size: int, times: int) -> dict[str, float]:
    """Operations a second that large float32 matrix products reach here, through Keras's backend: by each clock."""
    a, b = (keras.random.normal((size, size), seed=seed) for seed in (0, 1))

    def products():
        for _ in range(times):
            keras.ops.convert_to_numpy(keras.ops.matmul(a, b)[0, 0])  # reading a number waits for all of them

    return {clock: 2 * size**3 * times / s for clock, s in by_both_clocks(products).items()}


def measure_training(rounds: int, windows: int, quick: bool) -> dict:
    """Windows learned a second: ours, as drumlib trains, and the transcription; and what of the machine that takes."""
    songs = songbook_windows()
    order = np.resize(np.random.default_rng(0).permutation(len(songs)), windows)
    batch = BATCH if not quick else windows
    given = songs.batch(order)
    if quick:
        given = {name: x[:, :32] for name, x in given.items()}  # one sub-sequence is enough to see that it works
    hits, velocities, offsets = np.split(given["drums"], 3, axis=-1)  # 3 x (windows, T, 9)
    wanted = {"hits": hits, "velocities": velocities, "offsets": offsets}
    ours, thesis = build("thesis"), transcribe(build("thesis"))
    compile_network(ours)
    compile_transcription(thesis)
    ours.run_eagerly = thesis.run_eagerly = quick  # tracing graphs takes half a minute

    def drumlib():
        epoch = Batches(songs, batch, order, np.random.default_rng(0), transpose=5, mute=0.15)
        return learning(ours.fit, epoch)

    contest = {
        "ours": lambda: learning(ours.fit, given, wanted, batch_size=batch),
        "thesis": lambda: learning(thesis.fit, given, wanted, batch_size=batch),
    }
    if not quick:
        contest["as_drumlib_trains"] = drumlib
    size, times = (256, 1) if quick else (2048, 10)
    for run in tqdm([] if quick else contest.values(), desc="warming up", disable=quick):
        run()
    multiplying(size, 1)
    taken, speeds = {name: [] for name in contest}, []
    for _ in tqdm(range(rounds), desc="training", unit="round"):
        for name, run in contest.items():
            taken[name].append(run())
        speeds.append(multiplying(size, times))
    products = training_products(ours)
    training = {
        "what": f"windows learned a second: fit on {windows} windows of the songbook, batches of {batch}; by the "
        "wall's clock, and for each second that all processors together spent",
        "parameters": {"ours": ours.count_params(), "thesis": thesis.count_params()},
    }
    arithmetic = {
        "what": "operations of the matrix products to learn from a window, counted from the shapes; reachable: "
        f"float32 products of {size} x {size} matrices",
        "operations_a_window": products,
    }
    for clock in ("wall", "cpu"):
        took = {name: [s[clock] for s in rows] for name, rows in taken.items()}
        training[clock] = {
            "windows_a_second": {name: summary([windows / s for s in row], 2) for name, row in took.items()},
            "ours_against_thesis": ratios(took["thesis"], took["ours"]),
        }
        reached = [speed[clock] for speed in speeds]
        arithmetic[clock] = {"reachable_gflops": summary([speed / 1e9 for speed in reached], 2)}
        for name in ("ours", "thesis"):
            done = [windows * products[name] / seconds for seconds in took[name]]  # operations a second
            arithmetic[clock][f"{name}_gflops"] = summary([x / 1e9 for x in done], 2)
            arithmetic[clock][f"share_{name}"] = summary([x / most for x, most in zip(done, reached, strict=True)])
    return {"training": training, "arithmetic": arithmetic}


# 3 and 4: playing


def repeated(song: Song, bars: int) -> Song:
    """The band of a song in 4/4, played over and over for so many bars."""
    end = bars * 4 * song.ticks_per_beat
    last = end - song.ticks_per_beat // 8  # half a step before: what comes later would stand on the next bar's first
    length = song.bars[-1].end
    tracks = []
    for track in song.band:
        notes = [note._replace(tick=note.tick + i * length) for i in range(-(-end // length)) for note in track.notes]
        notes = [note._replace(length=min(note.length, end - note.tick)) for note in notes if note.tick < last]
        tracks.append(Track(notes, track.program, track.is_drum, track.channel, track.name))
    return Song(song.ticks_per_beat, tracks, song.tempos, song.meters, song.name)


def doubled(song: Song) -> Song:
    """The song with a second piano and a second guitar, an octave above: 2 x 2 x 1 combinations to listen to."""
    second = [
        Track([note._replace(pitch=min(note.pitch + 12, 127)) for note in track.notes], track.program, channel=channel)
        for channel, track in enumerate((*song.parts("piano"), *song.parts("guitar")), start=10)
    ]
    return Song(song.ticks_per_beat, [*song.tracks, *second], song.tempos, song.meters, song.name)


def bars_of(minutes: float, song: Song) -> int:
    """How many whole bars of a song last at least so many minutes."""
    return int(np.ceil(minutes * 60 / song.duration * len(song.bars)))


def thesis_rhythm(network: Transcription, band, grid: Grid, threshold: float, step=None):
    """One rhythm the thesis's way: for one combination of tracks and one threshold. Returns agreement and groove."""
    rolls = {family: family_roll(band, family, grid)[None] for family in FAMILIES}  # (1, T, 128)
    hits, velocities, offsets = np.split(network.play(rolls, THESIS_STEPS, step)[0], 3, axis=-1)  # 3 x (T, 9)
    groove = groove_from_outputs(hits, velocities, offsets, grid, threshold)
    return rock_beat_similarity(groove.hits, grid), groove


def measure_playing(minutes: float, rounds: int) -> dict:
    """A song of so many minutes, ours and the thesis's way.

    The thesis's way is one rhythm after another, for every combination and threshold. After each of them (up to
    ``rounds``, or as long as there is patience) ours makes the whole song.
    """
    single = songbook.song(SONG)
    song = doubled(repeated(single, bars_of(minutes, single)))
    grid, network = Grid(song), transcribe(pretrained("thesis"))
    tries = [(band, threshold) for band in combinations(song) for threshold in THRESHOLDS]
    ways = {"from_python": None}
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        ways["step_compiled"] = tf.function(network.step)
    accompany(song, preset="thesis")  # a warm-up, as is the following
    short = Grid(repeated(single, 2))
    for step in ways.values():
        thesis_rhythm(network, tries[0][0], short, 0.6, step)
    whole, each, began = [], {way: [] for way in ways}, time.perf_counter()
    best = (-1.0, None)
    for band, threshold in tqdm(tries[:rounds], desc="playing", unit="rhythm"):
        whole.append(seconds(lambda: accompany(song, preset="thesis")))
        for way, step in ways.items():
            start = time.perf_counter()
            best = max(best, thesis_rhythm(network, band, grid, threshold, step), key=lambda rhythm: rhythm[0])
            each[way].append(time.perf_counter() - start)
        if time.perf_counter() - began > PATIENCE:
            break
    start = time.perf_counter()
    with_tracks(song, [drum_track("Drums", best[1], grid)])
    finish = time.perf_counter() - start
    result = {
        "what": "seconds from a song to the song with drums. The thesis's way takes the song's combinations and its "
        "three thresholds one by one: 'whole' is the rhythms measured, scaled up to all of them",
        "song": {"seconds": round(song.duration, 1), "bars": len(song.bars), "combinations": len(combinations(song))},
        "ours": summary(whole),
        "thesis": {"rhythms": len(tries), "rhythms_measured": len(whole)},
    }
    for way, took in each.items():
        result["thesis"][way] = {
            "a_rhythm": summary(took),
            "whole": round(len(tries) * statistics.mean(took) + finish, 1),
            "ours_against_it": ratios([len(tries) * t + finish for t in took], whole),
        }
    return result


def measure_length(bars: list[int], rounds: int) -> dict:
    """Seconds for songs of so many bars, and how they grow: seconds = constant * bars ** exponent.

    Two exponents: fitted to all lengths (where short songs take what any call takes), and to the longer half alone.
    """
    songs = {number: repeated(songbook.song(SONG), number) for number in bars}
    accompany(songs[bars[0]], preset="thesis")
    taken = {number: [] for number in bars}
    for _ in tqdm(range(rounds), desc="length", unit="round"):
        for number, song in songs.items():
            taken[number].append(seconds(lambda song=song: accompany(song, preset="thesis")))
    medians = {number: statistics.median(took) for number, took in taken.items()}

    def exponent(numbers) -> float:
        x, y = np.log(numbers), np.log([medians[number] for number in numbers])
        return round(float(np.polyfit(x, y, 1)[0]), 3)

    return {
        "what": "seconds of accompany, by the song's bars; one piano, guitar and bass, three thresholds",
        "seconds": {str(number): summary(took, 4) for number, took in taken.items()},
        "exponent": exponent(bars),
        "exponent_of_the_longer_half": exponent(bars[len(bars) // 2 :]),
    }


def machine() -> dict:
    """What this was measured on."""
    name = platform.processor()
    try:
        rows = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((row.split(":", 1)[1].strip() for row in rows if row.startswith("model name")), name)
    except OSError:
        pass
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"processor": name, "cores": os.cpu_count(), "system": platform.system(), "load_before": load}


def main(arguments=None) -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="a few seconds, and figures that mean nothing: for tests")
    options.add_argument("--out", type=Path, default=OUT, help="where the results are written (default: %(default)s)")
    chosen = options.parse_args(arguments)
    quick = chosen.quick
    if quick and chosen.out == OUT:
        options.error("--quick measures nothing worth keeping: say with --out where to write it")
    results = {
        "what": "how fast the preset 'thesis' learns and plays, beside the thesis's way of doing it",
        "command": "python bench/network_speed.py" + " --quick" * quick,
        "machine": machine(),
        "versions": {name: version(name) for name in ("drumlib", "keras", "tensorflow", "numpy")}
        | {"python": platform.python_version(), "backend": keras.backend.backend()},
        "seed": 0,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results |= measure_training(1 if quick else 6, 2 if quick else 4 * BATCH, quick)
        results["playing"] = measure_playing(0.05 if quick else 4, 1 if quick else 3)
        results["length"] = measure_length([8, 16] if quick else [8, 16, 32, 64, 128, 256, 512], 1 if quick else 3)
    results["machine"]["load_after"] = machine()["load_before"]
    text = json.dumps(results, indent=1)
    text = re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda row: f"[{' '.join(row[1].split())}]", text)
    write_whole(chosen.out, (text + "\n").encode())
    training, arithmetic, playing, length = (results[x] for x in ("training", "arithmetic", "playing", "length"))
    for clock in ("wall", "cpu"):
        print(
            f"training ({clock}): {training[clock]['ours_against_thesis']['median']} times as fast as the thesis's way"
        )
        share = arithmetic[clock]["share_ours"]["median"]
        print(f"arithmetic ({clock}): {share:.0%} of what large matrix products reach here")
    for way in playing["thesis"]:
        if isinstance(playing["thesis"][way], dict):
            print(f"playing ({way}): {playing['thesis'][way]['ours_against_it']['median']} times as fast")
    print(f"length: seconds grow as bars ** {length['exponent_of_the_longer_half']} (longer songs)")


if __name__ == "__main__":
    main()
