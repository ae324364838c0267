"""The windows of many songs as one numbered set, and the batches that a network learns from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from drumlib.data.grid_song import GridSong
from drumlib.music.kit import FAMILIES


class GridSongs(Protocol):
    """A sequence of songs on the grid: a list of them, or a corpus on disk that reads each song on request."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> GridSong: ...

    def __iter__(self) -> Iterator[GridSong]: ...


class Windows:
    """The windows of many songs, numbered from 0.

    Attributes
    ----------
    grid_songs : the songs.
    index : int (windows, 2): for each window the number of its song, and its number within that song; or (windows, 3),
        the third being the number of the combination of tracks (``GridSong.combination``).
    """

    def __init__(self, grid_songs: GridSongs, index: np.ndarray | None = None):
        self.grid_songs = grid_songs
        if index is None:
            pairs = [(s, i) for s, song in enumerate(grid_songs) for i in range(len(song.starts))]
            index = np.array(pairs, dtype=np.int64)
        self.index = np.asarray(index)
        self.index = self.index.reshape(-1, self.index.shape[1] if self.index.ndim == 2 else 2)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def song_count(self) -> int:
        """How many songs have a window in this set."""
        return len(np.unique(self.index[:, 0]))

    def combined(self, most: int = 16) -> "Windows":
        """The same windows with each piano x guitar x bass combination of tracks as a window of its own (thesis, 3.3).

        At most ``most`` combinations of a window are used: some files have a dozen tracks of one family.
        """
        counts = {
            s: np.minimum(most, self.grid_songs[s].combinations()).tolist() for s in set(self.index[:, 0].tolist())
        }
        index = [(s, i, number) for s, i in self.index.tolist() for number in range(counts[s][i])]
        return Windows(self.grid_songs, np.array(index, dtype=np.int64).reshape(-1, 3))

    def window(self, number: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, ...]:
        """Window ``number``, as ``GridSong.window`` gives it."""
        s, i, *combination = self.index[number].tolist()
        song = self.grid_songs[s]
        if combination:
            return *song.band(i, song.combination(i, *combination)), song.groove(i).to_array()
        return song.window(i, rng)

    def batch(
        self,
        numbers: Iterable[int],
        rng: np.random.Generator | None = None,
        transpose: int = 0,
        instrument_dropout: float = 0.0,
    ) -> dict[str, np.ndarray]:
        """The windows with these numbers: each family uint8 (batch, 128, 128), and ``drums`` float32 (batch, 128, 27).

        With ``rng``, the data are augmented: tracks are sampled as in ``GridSong.window``; the band of each window is
        transposed by up to ``transpose`` semitones, since drums do not depend on the key; and each family of a window
        is silenced with the probability ``instrument_dropout``, but never all three (instrument dropout).
        """
        windows = [self.window(number, rng) for number in numbers]
        *band, drums = (np.stack(parts) for parts in zip(*windows, strict=True))
        if rng is not None:
            muted = rng.random((len(windows), len(band))) < instrument_dropout  # (batch, 3)
            muted[muted.all(axis=1)] = False
            shifts = rng.integers(-transpose, transpose + 1, len(windows))
            for number, part in enumerate(band):
                part[muted[:, number]] = 0
                for row, shift in enumerate(shifts):
                    part[row] = _transposed(part[row], shift)
        return dict(zip([*FAMILIES, "drums"], [*band, drums], strict=True))


def _transposed(roll: np.ndarray, semitones: int) -> np.ndarray:
    """A piano roll (steps, 128) transposed. Pitches that leave the range 0-127 are dropped."""
    moved = np.roll(roll, semitones, axis=1)
    if semitones > 0:
        moved[:, :semitones] = 0
    elif semitones < 0:
        moved[:, semitones:] = 0
    return moved


def windows_from_songs(songs: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Songs, (T, N) each, cut into windows that do not overlap, the last of each padded with 0: (windows, size, N)."""
    padded = [np.pad(x, ((0, -len(x) % size), (0, 0))) for x in songs]
    return np.concatenate([x.reshape(-1, size, x.shape[-1]) for x in padded])  # (T, N) -> (windows, size, N)


def songs_from_windows(
    outputs: Mapping[str, np.ndarray], lengths: Sequence[int], size: int
) -> list[dict[str, np.ndarray]]:
    """The inverse of ``windows_from_songs``: from arrays (windows, size, N), arrays (T, N) for each song."""
    songs, first = [], 0
    for length in lengths:
        last = first - (-length // size)
        songs.append({name: x[first:last].reshape(-1, x.shape[-1])[:length] for name, x in outputs.items()})
        first = last
    return songs
