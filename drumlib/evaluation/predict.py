"""What a network plays to whole songs: told the truth, or by itself; and where its answers are cut."""

from collections.abc import Sequence

import numpy as np

from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.evaluation.songs import EvaluationSong
from drumlib.evaluation.thresholds import best_f1_threshold
from drumlib.inference.sampling import conditional_velocities, needs_calibration, sampler_for
from drumlib.music.grid import Groove
from drumlib.music.kit import DRUMS, FAMILIES

BATCH = 64
"""How many windows of eight bars a network is given at once."""

SONGS_AT_ONCE = 32
"""How many songs are laid out in windows at once: a whole corpus in windows would not fit into memory."""


def teacher_forced(network, songs: Sequence[EvaluationSong]) -> list[dict[str, np.ndarray]]:
    """The network's teacher-forced answers to whole songs: for each, its three heads, (T, 9)."""
    if len(songs) > SONGS_AT_ONCE:
        return [heads for some in in_batches(songs) for heads in teacher_forced(network, some)]
    given = {family: windows_from_songs([song.rolls[family] for song in songs], WINDOW_STEPS) for family in FAMILIES}
    given["drums"] = windows_from_songs([song.truth.to_array() for song in songs], WINDOW_STEPS)  # (W, 128, 27)
    parts = []
    for first in range(0, len(given["drums"]), BATCH):
        heads = network({name: x[first : first + BATCH] for name, x in given.items()}, training=False)
        parts.append({name: np.asarray(heads[name], dtype=np.float32) for name in ("hits", "velocities", "offsets")})
    heads = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if needs_calibration(network):
        heads = conditional_velocities(heads)
    return songs_from_windows(heads, [len(song) for song in songs], WINDOW_STEPS)


def free_running(
    network, bands: Sequence[dict[str, np.ndarray]], seed: int | None = None
) -> list[dict[str, np.ndarray]]:
    """What the network plays by itself to whole songs: for each, its three heads, (T, 9).

    As ``drummer.probabilities`` does it: in windows of eight bars side by side, or, for a preset that remembers what
    it played, the whole song. With ``seed``, notes are drawn at temperature 1. Songs are played side by side, padded
    with silence at their ends.
    """
    choose = None if seed is None else sampler_for(1.0, seed, network)
    return [heads for some in in_batches(bands) for heads in generate_batch(network, some, choose)]


def generate_batch(network, bands: Sequence[dict[str, np.ndarray]], choose=None) -> list[dict[str, np.ndarray]]:
    """The same for so many songs as are laid out at once; ``choose`` draws the notes."""
    lengths = [len(band["bass"]) for band in bands]
    whole = network.preset.whole_song
    size = max(WINDOW_STEPS, -(-max(lengths) // WINDOW_STEPS) * WINDOW_STEPS) if whole else WINDOW_STEPS
    given = {
        family: windows_from_songs([band[family] for band in bands], size) for family in FAMILIES
    }  # (W, size, 128)
    batch = max(1, BATCH * WINDOW_STEPS // size) if choose is None else len(given["bass"])
    parts = [
        network.generate({family: x[first : first + batch] for family, x in given.items()}, sampler=choose)
        for first in range(0, len(given["bass"]), batch)
    ]
    heads = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if choose is None and needs_calibration(network):
        heads = conditional_velocities(heads)
    return songs_from_windows(heads, lengths, size)


def in_batches(songs: Sequence) -> list[Sequence]:
    """Songs in portions of ``SONGS_AT_ONCE``."""
    return [songs[first : first + SONGS_AT_ONCE] for first in range(0, len(songs), SONGS_AT_ONCE)]


def windows_from_songs(arrays: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Songs (T, ...) cut into windows, each song's last one filled up with silence: (windows, size, ...)."""
    padded = [np.pad(x, ((0, -len(x) % size), (0, 0))) for x in arrays]
    return np.concatenate([x.reshape(-1, size, x.shape[-1]) for x in padded])


def songs_from_windows(heads: dict[str, np.ndarray], lengths: Sequence[int], size: int) -> list[dict[str, np.ndarray]]:
    """The way back: heads in windows, (windows, size, 9), as one dictionary a song, (T, 9)."""
    found, first = [], 0
    for length in lengths:
        count = -(-length // size)
        found.append({name: x[first : first + count].reshape(-1, len(DRUMS))[:length] for name, x in heads.items()})
        first += count
    return found


def apply_threshold(heads: dict[str, np.ndarray], cut: float) -> Groove:
    """Notes where the probability exceeds ``cut``."""
    struck = heads["hits"] > cut
    loud, late = np.clip(heads["velocities"], 1 / 127, 1), np.clip(heads["offsets"], -0.5, 0.499)
    return Groove(struck, loud * struck, late * struck)


def default_threshold(network) -> float:
    """Where a network's own playing is cut if there are no songs to choose by: the middle one of its thresholds."""
    own = network.preset.thresholds
    return float(own[len(own) // 2])


def choose_threshold(network, validation: Sequence[EvaluationSong]) -> tuple[float, str]:
    """Where a network's own playing is cut, and who chose it."""
    if not validation:
        return default_threshold(network), "the preset: there are no validation songs"
    heads = free_running(network, [song.rolls for song in validation])
    probability = np.concatenate([one["hits"][song.scored_steps] for one, song in zip(heads, validation, strict=True)])
    truth = np.concatenate([song.truth.hits[song.scored_steps] for song in validation]) > 0  # (steps, 9)
    return round(best_f1_threshold(probability, truth), 2), f"F1 on {len(validation)} validation songs"
