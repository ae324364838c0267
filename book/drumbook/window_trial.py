"""A trial: one network before held-out songs, asked the four questions that matter.

- Told the true past, how well does it go on? (teacher-forced, as in the thesis; cut at 0.5)
- Playing by itself, how near is it to the real drummer? (free-running; cut where F1 is best on the validation songs)
- Does it listen? (the same, but it hears another song's band: what it loses is its *listening gain*)
- When it draws its notes, does it play as many as a drummer would? (density)

F1 is pooled over all cells. Intervals come from drawing songs with repeats (``intervals``). Beside the network stand
humble rivals that listen to nobody.
"""

import numpy as np

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.data.windows import Windows
from drumlib.evaluation.metrics import Confusion, confusion, hit_scores
from drumlib.evaluation.statistics import bootstrap, mean_over_songs
from drumlib.evaluation.thesis_protocol import previous_bar
from drumlib.evaluation.thresholds import best_f1_threshold, f1
from drumlib.inference.sampling import sampler_for
from drumlib.music.grid import STEPS_PER_BAR
from drumlib.music.kit import DRUMS
from drumlib.music.rock_beat import rock_bar
from drumlib.network.registry import generate_windows

N = len(DRUMS)
ORACLE = "each song's own best bar (an oracle)"


def compare_on_windows(network, validation: Windows, test: Windows, seed: int = 0) -> dict:
    """All four questions. See the module's docstring.

    The band of another song is that of the window half the test windows further on; windows are in order of songs.
    """
    truth = hits_of(test)  # (windows, 128, 9)
    cut = best_f1_threshold(generate_windows(network, validation)[..., :N], hits_of(validation))
    told = teacher_forced_hits(network, test) > 0.5
    half = np.roll(np.arange(len(test)), len(test) // 2)
    same = test.index[:, 0] == test.index[half, 0]
    own, other = (generate_windows(network, test, order)[..., :N] > cut for order in (np.arange(len(test)), half))
    drawn = generate_windows(network, test, sampler=sampler_for(1.0, seed, network))[..., :N]
    right, wrong = per_song(test, truth, own), per_song(test, truth, other, ~same)  # (songs, 3)
    drawn_counts = per_song(test, truth, drawn)
    return {
        "songs": test.songs,
        "windows": len(test),
        "notes": int(truth.sum()),
        "teacher-forced": scored(test, truth, told),
        "free-running": {"cut": round(float(cut), 2), **scored(test, truth, own)},
        "another song's band": {"windows": int((~same).sum()), **scored(test, truth, other, ~same)},
        "listening gain": bootstrap(
            np.stack([per_song(test, truth, own, ~same), wrong], axis=1), lambda both: f1(both[0]) - f1(both[1])
        ),
        "listening gain, mean over songs": mean_over_songs(
            [f1(one) - f1(other) for one, other in zip(per_song(test, truth, own, ~same), wrong, strict=True)]
        ),
        "drawn": {
            **scored(test, truth, drawn),
            "notes for each of the real drummer's": bootstrap(
                drawn_counts, lambda c: float((c[0] + c[1]) / (c[0] + c[2]))
            ),
        },
        "counts": {"right band": right.astype(int).tolist(), "drawn": drawn_counts.astype(int).tolist()},
    }


def window_baselines(training: Windows, validation: Windows, test: Windows) -> dict:
    """The humble rivals on the same windows: the bar before, the rock beat, the average bar of the training songs.

    And one that is not humble: ``ORACLE`` knows which one bar agrees best with each test song's own drummer, and plays
    it throughout. It says how much there would be to win by choosing the right bar, and no more, for each song.
    """
    truth, bars = hits_of(test), WINDOW_STEPS // STEPS_PER_BAR
    average = hits_of(training).reshape(-1, STEPS_PER_BAR, N).mean(axis=0)  # (16, 9)

    def always(bar, windows: Windows) -> np.ndarray:
        return np.tile(bar, (len(windows), bars, 1))  # (windows, 128, 9)

    cut = best_f1_threshold(always(average, validation), hits_of(validation))
    copied = np.stack([previous_bar(test.charts[s])[i] for s, i in test.index[:, :2].tolist()])
    rows = {
        "the bar before again (told)": copied,
        "the thesis's rock beat": always(rock_bar(), test),
        "average bar of the training songs": always(average > cut, test),
        ORACLE: oracle_bars(test, truth),
    }
    return {
        **{name: scored(test, truth, played) for name, played in rows.items()},
        "counts": {name: per_song(test, truth, played).astype(int).tolist() for name, played in rows.items()},
        "average bar's cut": round(float(cut), 2),
    }


def oracle_bars(windows: Windows, truth: np.ndarray) -> np.ndarray:
    """Each song's own average bar in all its windows, cut where that song's F1 is best: (windows, 128, 9)."""
    played, numbers = np.zeros_like(truth), windows.index[:, 0]
    for song in np.unique(numbers):
        mine = truth[numbers == song]  # (its windows, 128, 9)
        bar = mine.reshape(-1, STEPS_PER_BAR, N).mean(axis=0)  # (16, 9)
        everywhere = np.tile(bar, (len(mine), WINDOW_STEPS // STEPS_PER_BAR, 1))  # (its windows, 128, 9)
        played[numbers == song] = everywhere > best_f1_threshold(everywhere, mine)
    return played


def hits_of(windows: Windows) -> np.ndarray:
    """The true hits of windows, bool (windows, 128, 9)."""
    drums = [windows.charts[s].groove(i).hits for s, i in windows.index[:, :2].tolist()]
    return np.array(drums, dtype=bool).reshape(-1, WINDOW_STEPS, N)


def teacher_forced_hits(network, windows: Windows, batch: int = 128) -> np.ndarray:
    """The network's teacher-forced probabilities of hits, (windows, 128, 9)."""
    parts = []
    for first in range(0, len(windows), batch):
        given = windows.batch(range(first, min(first + batch, len(windows))))
        parts.append(np.asarray(network(given, training=False)["hits"], dtype=np.float32))
    return np.concatenate(parts)


def per_song(windows: Windows, truth: np.ndarray, played: np.ndarray, which=None) -> np.ndarray:
    """Hits of both, only of the one judged, only of the real drummer, song by song: (songs, 3)."""
    which = np.ones(len(windows), dtype=bool) if which is None else which
    numbers, played = windows.index[:, 0], played.astype(bool)
    rows = []
    for song in np.unique(numbers):
        mine = (numbers == song) & which
        rows.append(confusion(truth[mine], played[mine])[:3])
    return np.array(rows, dtype=float)


def scored(windows: Windows, truth: np.ndarray, played: np.ndarray, which=None) -> dict:
    """Precision, recall, F1 of pooled cells, with F1's interval over songs; density: notes played for each true one."""
    counts = per_song(windows, truth, played, which)
    both, false, missed = counts.sum(axis=0).astype(int).tolist()
    every = int(truth.size if which is None else truth[which].size)
    scores = hit_scores(Confusion(both, false, missed, every - both - false - missed))
    interval = bootstrap(counts, f1)
    return {
        "accuracy": scores.accuracy,
        "precision": scores.precision,
        "recall": scores.recall,
        "f1": scores.f1,
        "f1 interval": [interval["low"], interval["high"]],
        "density": (both + false) / max(1, both + missed),
    }
