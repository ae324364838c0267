"""Windows of several collections as one training set, without what overlaps with validation and test songs."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from drumlib.data.grid_song import GridSong
from drumlib.data.splitting.fingerprints import song_fingerprints, window_fingerprints
from drumlib.data.splitting.related_songs import related_groups
from drumlib.data.windows import GridSongs, Windows

Progress = Callable[[list[int]], Iterable[int]]
"""What may wrap a list in a progress bar."""


class JoinedSongs:
    """The songs of several collections, one collection after the other. A corpus on disk stays on disk."""

    def __init__(self, collections: Sequence[GridSongs]):
        self.collections = collections
        self.ends = np.cumsum([len(songs) for songs in collections])

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def __getitem__(self, number: int) -> GridSong:
        which = int(np.searchsorted(self.ends, number, side="right"))
        return self.collections[which][number - (int(self.ends[which - 1]) if which else 0)]

    def __iter__(self) -> Iterator[GridSong]:
        return (song for songs in self.collections for song in songs)


def join(parts: Sequence[Windows]) -> Windows:
    """The windows of several collections as one set, in the order of the collections.

    Raises ValueError if some of them name combinations of tracks (an index of three columns), and others do not.
    """
    if len(parts) == 1:
        return parts[0]
    songs, index, before = JoinedSongs([part.grid_songs for part in parts]), [], 0
    for part in parts:
        index.append(part.index.copy())
        index[-1][:, 0] += before
        before += len(part.grid_songs)
    return Windows(songs, np.concatenate(index))


def drop_overlap(training: Windows, held_out: Windows, progress: Progress = lambda songs: songs) -> Windows:
    """The training windows without those of songs that are held out, for validation or test.

    Collections that were split each by itself and then joined can have one song on both sides. So all songs are
    compared by what they play: a song in the same group as one held out (``related_groups``) is dropped, and so is a
    window with exactly the drums of a window held out (``window_fingerprints``).

    This finds copies, under any name and in any key, and songs with the drums or the band of another. It does not use
    keys such as the artist, which each collection names in its own way. A song with fewer than eight distinctive
    phrases is found by its drums only, window by window.

    ``progress`` may wrap the songs of either side in a progress bar.
    """
    ours, drums = _fingerprints_of(training, progress)
    theirs, their_drums = _fingerprints_of(held_out, progress)
    groups = related_groups([None] * (len(ours) + len(theirs)), [*ours.values(), *theirs.values()])
    is_related = np.isin(groups[: len(ours)], groups[len(ours) :])  # (training songs,)
    related = [song for song, lost in zip(ours, is_related, strict=True) if lost]
    lost = np.isin(training.index[:, 0], related) | np.isin(drums, their_drums)  # (training windows,)
    return Windows(training.grid_songs, training.index[~lost])


def _fingerprints_of(windows: Windows, progress: Progress) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """The ``song_fingerprints`` of each song with a window in the set, and the drum fingerprint of each window."""
    songs, drums = {}, {}
    for number in progress(np.unique(windows.index[:, 0]).tolist()):
        song = windows.grid_songs[number]
        songs[number], drums[number] = song_fingerprints(song), window_fingerprints(song)
    return songs, np.array([drums[song][i] for song, i, *_ in windows.index.tolist()], dtype=np.uint64)
