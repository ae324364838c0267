"""The windows of many songs, numbered through, and the batches that a network learns from."""

from collections.abc import Sequence

import numpy as np

from drumlib.data.grid_song import GridSong
from drumlib.music.kit import FAMILIES


def windows_from_songs(songs: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Songs, (T, N) each, as windows side by side, the last of each padded with silence: (windows, size, N)."""
    padded = [np.pad(x, ((0, -len(x) % size), (0, 0))) for x in songs]
    return np.concatenate([x.reshape(-1, size, x.shape[-1]) for x in padded])  # (T, ...) -> (windows, size, ...)


def songs_from_windows(heads: dict[str, np.ndarray], lengths: Sequence[int], size: int) -> list[dict[str, np.ndarray]]:
    """The inverse of ``windows_from_songs``: arrays (windows, size, N) as one dictionary a song, of arrays (T, N)."""
    found, first = [], 0
    for length in lengths:
        count = -(-length // size)
        found.append({name: x[first : first + count].reshape(-1, x.shape[-1])[:length] for name, x in heads.items()})
        first += count
    return found


class Windows:
    """All windows of many songs, numbered through, with the songs kept apart.

    Attributes
    ----------
    charts : the songs. They may be any sequence: a corpus on disk makes them as they are asked for.
    index : int (windows, 2): for each window the number of its song, and its number within that song. With a third
        column, the number of the combination of tracks that is heard.
    """

    def __init__(self, charts: Sequence[GridSong], index: np.ndarray | None = None):
        self.charts = charts
        if index is None:
            index = np.array([(s, i) for s, song in enumerate(charts) for i in range(len(song.starts))], dtype=np.int64)
        self.index = np.asarray(index)
        self.index = self.index.reshape(-1, self.index.shape[1] if self.index.ndim == 2 else 2)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def songs(self) -> int:
        """How many songs have a window here."""
        return len(np.unique(self.index[:, 0]))

    def combined(self, most: int = 16) -> "Windows":
        """The same windows with every piano x guitar x bass combination as one of its own, as in the thesis (3.3).

        Of a window's combinations, ``most`` at most are taken: some files have a dozen tracks of one family.
        """
        counts = {s: np.minimum(most, self.charts[s].combinations()).tolist() for s in set(self.index[:, 0].tolist())}
        index = [(s, i, number) for s, i in self.index.tolist() for number in range(counts[s][i])]
        return Windows(self.charts, np.array(index, dtype=np.int64).reshape(-1, 3))

    def window(self, number: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, ...]:
        """Window ``number``, as ``Chart.window`` gives it."""
        s, i, *combination = self.index[number].tolist()
        song = self.charts[s]
        if combination:
            return *song.band(i, song.combination(i, *combination)), song.groove(i).to_array()
        return song.window(i, rng)

    def batch(
        self, numbers, rng: np.random.Generator | None = None, transpose: int = 0, mute: float = 0.0
    ) -> dict[str, np.ndarray]:
        """The windows with these numbers, as arrays of shape (batch, 128, 128), and (batch, 128, 27) for the drums.

        With ``rng``, tracks are drawn as in ``Chart.window``; the band of each window is transposed by up to
        ``transpose`` semitones up or down, for a song's drums do not depend on its key; and each instrument of each
        window is silenced with the probability ``mute``, though never all three.
        """
        windows = [self.window(number, rng) for number in numbers]
        *band, drums = (np.stack(parts) for parts in zip(*windows, strict=True))
        if rng is not None:
            muted = rng.random((len(windows), len(band))) < mute  # (batch, 3)
            muted[muted.all(axis=1)] = False
            shifts = rng.integers(-transpose, transpose + 1, len(windows))
            for number, part in enumerate(band):
                part[muted[:, number]] = 0
                for row, shift in enumerate(shifts):
                    part[row] = _shifted(part[row], shift)
        return dict(zip([*FAMILIES, "drums"], [*band, drums], strict=True))


def _shifted(roll: np.ndarray, semitones: int) -> np.ndarray:
    """A roll (steps, 128) some semitones higher or lower. What would leave the keyboard is not played."""
    moved = np.roll(roll, semitones, axis=1)
    if semitones > 0:
        moved[:, :semitones] = 0
    elif semitones < 0:
        moved[:, semitones:] = 0
    return moved
