"""Windows of several collections joined, with training kept apart from what is held out."""

from collections.abc import Sequence

import numpy as np

from drumlib.data.grid_song import GridSong
from drumlib.data.splitting.fingerprints import song_fingerprints, window_fingerprints
from drumlib.data.splitting.related_songs import related_groups
from drumlib.data.windows import Windows


class JoinedSongs(Sequence):
    """The songs of several collections, one collection after the other. A corpus on disk stays there."""

    def __init__(self, collections: Sequence[Sequence[GridSong]]):
        self.collections = collections
        self.ends = np.cumsum([len(songs) for songs in collections])

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def __getitem__(self, number: int) -> GridSong:
        which = int(np.searchsorted(self.ends, number, side="right"))
        return self.collections[which][number - (int(self.ends[which - 1]) if which else 0)]


def join(parts: Sequence[Windows]) -> Windows:
    """The windows of several collections as one: first all of the first, then all of the second, and so on.

    Raises ValueError if some of them say which combination of tracks is heard, and others do not.
    """
    if len(parts) == 1:
        return parts[0]
    charts, index, before = JoinedSongs([part.charts for part in parts]), [], 0
    for part in parts:
        index.append(part.index.copy())
        index[-1][:, 0] += before
        before += len(part.charts)
    return Windows(charts, np.concatenate(index))


def drop_overlap(training: Windows, held: Windows, progress=lambda songs: songs) -> Windows:
    """The windows to train on, without those whose song is held back, to validate or to test on.

    Collections that were parted each by itself and then joined can have one song on both sides. Here all are compared
    by what they play, as the songs of one corpus are: a song that belongs together with one held back (``related_groups``) does
    not train, nor does any window that has the very drums of a window held back (``window_fingerprints``).

    So copies are found, under whatever name and in whatever key, and songs with another's drums or band. What is known
    of songs only from outside is not looked at, since each collection has its own names for it: two songs of one artist
    may stand on both sides if they share no notes. A song with fewer than eight phrases that tell it from others is
    found by its drums alone, window by window.

    ``progress`` may wrap the songs of either side in a progress bar.
    """
    ours, drums = _fingerprints_of(training, progress)
    theirs, their_drums = _fingerprints_of(held, progress)
    together = related_groups([None] * (len(ours) + len(theirs)), [*ours.values(), *theirs.values()])
    belongs = np.isin(together[: len(ours)], together[len(ours) :])  # (songs to train on,)
    related = [song for song, is_related in zip(ours, belongs, strict=True) if is_related]
    lost = np.isin(training.index[:, 0], related) | np.isin(drums, their_drums)  # (windows to train on,)
    return Windows(training.charts, training.index[~lost])


def _fingerprints_of(windows: Windows, progress) -> tuple[dict[int, np.ndarray], np.ndarray]:
    """The ``song_fingerprints`` of each song that has a window here, and of each window the print of its drums."""
    songs, drums = {}, {}
    for number in progress(np.unique(windows.index[:, 0]).tolist()):
        song = windows.charts[number]
        songs[number], drums[number] = song_fingerprints(song), window_fingerprints(song)
    return songs, np.array([drums[song][i] for song, i, *_ in windows.index.tolist()], dtype=np.uint64)
