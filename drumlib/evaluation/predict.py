"""The predictions of a network under the evaluation protocol, for whole songs and for windows of eight bars.

The protocol has four conditions:

- *teacher-forced*: each step is predicted from the true drums of the steps before it;
- *free-running*: the network hears the band and is given no true drums;
- *mismatched band*: free-running, with another song's band (a shuffled-condition control);
- *sampled*: free-running, each note sampled from its probability at temperature 1.

Notes are hits whose probability exceeds a threshold: 0.5 if teacher-forced, as in the thesis's table; free-running, the
one that ``choose_threshold`` found on the validation songs. ``evaluate`` scores the predictions.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.data.windows import Windows, songs_from_windows, windows_from_songs
from drumlib.evaluation.songs import EvaluationSong, bands_of_other_songs
from drumlib.evaluation.thresholds import apply_threshold, best_f1_threshold, default_threshold
from drumlib.inference.sampling import conditional_velocities, needs_calibration, sampler_for
from drumlib.music.grid import Groove
from drumlib.music.kit import FAMILIES

TEACHER_FORCED, FREE_RUNNING, MISMATCHED, SAMPLED = "teacher-forced", "free-running", "mismatched band", "sampled"
"""The conditions, as tables and results call them."""

TEACHER_FORCED_THRESHOLD = 0.5
"""The threshold of teacher-forced outputs, as in the thesis's table."""

HEADS = ("hits", "velocities", "offsets")

BATCH = 64
"""Windows of eight bars in one batch."""

SONGS_AT_ONCE = 32
"""Songs laid out in windows at once: the windows of a whole corpus would not fit into memory."""


# --- whole songs ------------------------------------------------------------------------------------------------------


def predict_songs(
    network, songs: Sequence[EvaluationSong], threshold: float, seed: int = 0
) -> tuple[dict[str, list[Groove]], list[dict[str, np.ndarray]]]:
    """The grooves of each condition, and the free-running outputs. One song alone has no mismatched band."""
    outputs = free_running(network, [song.rolls for song in songs])
    sampled = free_running(network, [song.rolls for song in songs], seed)
    forced = teacher_forced(network, songs)
    grooves = {
        TEACHER_FORCED: [apply_threshold(heads, TEACHER_FORCED_THRESHOLD) for heads in forced],
        FREE_RUNNING: [apply_threshold(heads, threshold) for heads in outputs],
        SAMPLED: [apply_threshold(heads, 0.5) for heads in sampled],  # hits are 0 or 1 already
    }
    if others := bands_of_other_songs(songs):
        grooves[MISMATCHED] = [apply_threshold(heads, threshold) for heads in free_running(network, others)]
    return grooves, outputs


def teacher_forced(network, songs: Sequence[EvaluationSong]) -> list[dict[str, np.ndarray]]:
    """Teacher-forced outputs: for each song its three heads, (T, 9). Windows do not know the ones before them."""
    found = []
    for some in _portions(songs):
        given = {family: windows_from_songs([song.rolls[family] for song in some], WINDOW_STEPS) for family in FAMILIES}
        given["drums"] = windows_from_songs([song.truth.to_array() for song in some], WINDOW_STEPS)  # (W, 128, 27)
        batches = range(0, len(given["drums"]), BATCH)
        heads = _forced(network, ({name: x[at : at + BATCH] for name, x in given.items()} for at in batches))
        if needs_calibration(network):
            heads = conditional_velocities(heads)
        found += songs_from_windows(heads, [len(song) for song in some], WINDOW_STEPS)
    return found


def free_running(
    network, bands: Sequence[dict[str, np.ndarray]], seed: int | None = None
) -> list[dict[str, np.ndarray]]:
    """Free-running outputs to whole songs: for each its three heads, (T, 9).

    As in ``drummer.probabilities``: in windows of eight bars side by side, or, for a preset that remembers what it
    played, the whole song at once. With ``seed``, notes are sampled at temperature 1. Songs of a batch are padded with
    silence at their ends.
    """
    sampler = None if seed is None else sampler_for(1.0, seed, network)
    return [heads for some in _portions(bands) for heads in generate_songs(network, some, sampler)]


def generate_songs(network, bands: Sequence[dict[str, np.ndarray]], sampler=None) -> list[dict[str, np.ndarray]]:
    """``free_running`` of as many songs as are laid out at once."""
    lengths = [len(band["bass"]) for band in bands]
    whole = network.preset.whole_song
    size = max(WINDOW_STEPS, -(-max(lengths) // WINDOW_STEPS) * WINDOW_STEPS) if whole else WINDOW_STEPS
    given = {
        family: windows_from_songs([band[family] for band in bands], size) for family in FAMILIES
    }  # (W, size, 128)
    batch = max(1, BATCH * WINDOW_STEPS // size) if sampler is None else len(given["bass"])
    parts = [
        network.generate({family: x[at : at + batch] for family, x in given.items()}, sampler=sampler)
        for at in range(0, len(given["bass"]), batch)
    ]
    heads = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if sampler is None and needs_calibration(network):
        heads = conditional_velocities(heads)
    return songs_from_windows(heads, lengths, size)


def choose_threshold(network, validation: Sequence[EvaluationSong]) -> tuple[float, str]:
    """The threshold of free-running outputs with the best F1 on the validation songs, and what it was chosen by."""
    if not validation:
        return default_threshold(network), "the preset: there are no validation songs"
    heads = free_running(network, [song.rolls for song in validation])
    probability = np.concatenate([one["hits"][song.scored_steps] for one, song in zip(heads, validation, strict=True)])
    truth = np.concatenate([song.truth.hits[song.scored_steps] for song in validation]) > 0  # (steps, 9)
    return round(best_f1_threshold(probability, truth), 2), f"F1 on {len(validation)} validation songs"


def _portions(songs: Sequence) -> list[Sequence]:
    return [songs[first : first + SONGS_AT_ONCE] for first in range(0, len(songs), SONGS_AT_ONCE)]


def _forced(network, batches: Iterable[dict]) -> dict[str, np.ndarray]:
    """Teacher-forced outputs to batches of inputs, one behind the other: three arrays (windows, T, 9)."""
    parts = [network(given, training=False) for given in batches]
    return {name: np.concatenate([np.asarray(x[name], dtype=np.float32) for x in parts]) for name in HEADS}


# --- windows ----------------------------------------------------------------------------------------------------------


def predict_windows(network, windows: Windows, threshold: float, seed: int | None = None) -> dict[str, np.ndarray]:
    """The hits of each condition, bool (windows, 128, 9); sampled only with a ``seed``.

    Of the mismatched band, only the windows with ``has_other_band`` count.
    """
    hits = {
        TEACHER_FORCED: teacher_forced_windows(network, windows)["hits"] > TEACHER_FORCED_THRESHOLD,
        FREE_RUNNING: free_running_windows(network, windows)["hits"] > threshold,
        MISMATCHED: free_running_windows(network, windows, mismatched=True)["hits"] > threshold,
    }
    if seed is not None:
        hits[SAMPLED] = free_running_windows(network, windows, seed=seed)["hits"] > 0
    return hits


def teacher_forced_windows(network, windows: Windows) -> dict[str, np.ndarray]:
    """Teacher-forced outputs, three arrays (windows, 128, 9), as the network gives them, without calibration."""
    numbers = range(len(windows))
    return _forced(network, (windows.batch(numbers[at : at + BATCH]) for at in range(0, len(windows), BATCH)))


def free_running_windows(
    network, windows: Windows, mismatched: bool = False, seed: int | None = None
) -> dict[str, np.ndarray]:
    """Free-running outputs, three arrays (windows, 128, 9) in half precision, without calibration.

    ``mismatched``: each window hears the band of the window half of all windows further on. With ``seed``, notes are
    sampled at temperature 1.
    """
    from drumlib.network.registry import generate_windows

    order = _half_way_on(len(windows)) if mismatched else None
    sampler = None if seed is None else sampler_for(1.0, seed, network)
    return dict(
        zip(HEADS, np.split(generate_windows(network, windows, order, sampler=sampler), 3, axis=-1), strict=True)
    )


def has_other_band(windows: Windows) -> np.ndarray:
    """Whether a window's mismatched band is of another song, bool (windows,): windows are in order of songs."""
    songs = windows.index[:, 0]
    return songs != songs[_half_way_on(len(windows))]


def true_drums(windows: Windows) -> dict[str, np.ndarray]:
    """What the real drummers played: hits, velocities, offsets, (windows, 128, 9) each."""
    drums = [windows.grid_songs[s].groove(i).to_array() for s, i in windows.index[:, :2].tolist()]
    drums = np.array(drums).reshape(len(drums), WINDOW_STEPS, -1)  # (windows, 128, 27)
    return dict(zip(HEADS, np.split(drums, 3, axis=-1), strict=True))


def _half_way_on(number: int) -> np.ndarray:
    return np.roll(np.arange(number), number // 2)
