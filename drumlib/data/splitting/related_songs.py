"""Groups of songs that belong together, and must not be parted between training and test.

The thesis took the last quarter of its windows for validation, in the order of files. So windows of one song, and
copies of it, stood on both sides, and what the network had learned by heart counted as skill. Here songs belong
together that have one artist, or share their content: versions of one song in whatever key, copies under other names,
songs with another's drums.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np

from drumlib.data.splitting.fingerprints import KINDS, of_kind

SHARED_PART = 0.5
"""Two songs belong together if they share this part of the telling prints of the one that has fewer ..."""

SHARED_PRINTS = 8
"""... and this many of them: a song of three plain phrases is in every other song."""

COMMON_SONGS = 20
COMMON_PART = 1 / 400
"""A print that stands in more than 20 songs, and in more than one of 400, tells nothing: it is a plain beat."""

PAIRS_AT_ONCE = 8_000_000
"""About so many pairs of songs are counted at a time, to spare memory."""


def related_groups(keys: Sequence[Hashable | None], prints: Sequence[np.ndarray]) -> np.ndarray:
    """Which songs belong together: the number of each song's group, int (songs,), numbered by first appearance.

    Two songs belong together if they have the same key, or if their drums or their bands share at least half of their
    telling prints and eight of them; and so do songs that both belong with a third one. The order of the songs changes
    nothing but the numbers.

    Near-copies of one song that are more than ``COMMON_SONGS``, no two of them alike, find each other only by their
    keys: what they share is common.

    Parameters
    ----------
    keys
        What is known of each song from outside, such as its artist; None where nothing is.
    prints
        Each song's ``song_fingerprints``.

    Raises
    ------
    ValueError
        If there are not as many keys as songs.
    """
    if len(keys) != len(prints):
        raise ValueError(f"there are {len(keys)} keys for {len(prints)} songs")
    roots = list(range(len(prints)))  # union-find: songs of one group lead to the same first song

    def root(song: int) -> int:
        while roots[song] != song:
            roots[song] = song = roots[roots[song]]
        return song

    def join(pairs: Iterable[tuple[int, int]]) -> None:
        for one, other in pairs:
            first, second = sorted((root(one), root(other)))
            roots[second] = first

    join(same_part(keys))
    for kind in KINDS:
        sets = [np.unique(of_kind(song, kind)) for song in prints]
        copies = list(same_part([p.tobytes() if len(p) >= SHARED_PRINTS else None for p in sets]))
        join(copies)
        for _, copy in copies:  # one of each is enough, and copies shall not make their own prints common
            sets[copy] = sets[copy][:0]
        join(similar_songs(sets))
    return np.unique([root(song) for song in range(len(prints))], return_inverse=True)[1]


def same_part(labels: Sequence[Hashable | None]) -> Iterator[tuple[int, int]]:
    """Pairs of songs with the same label: each but the first with the first. None is no label."""
    first: dict[Hashable, int] = {}
    for song, label in enumerate(labels):
        if label is not None and first.setdefault(label, song) != song:
            yield first[label], song


def similar_songs(sets: Sequence[np.ndarray]) -> Iterator[tuple[int, int]]:
    """Pairs of songs that share enough telling prints. ``sets`` are each song's prints, each once."""
    count = len(sets)
    common = max(COMMON_SONGS, int(count * COMMON_PART))
    prints = np.concatenate([np.empty(0, np.uint64), *sets])
    songs = np.repeat(np.arange(count), [len(one) for one in sets])
    order = np.argsort(prints, kind="stable")  # an index: the songs that share a print are neighbours, in their order
    prints, songs = prints[order], songs[order]
    _, numbers, lengths = np.unique(prints, return_inverse=True, return_counts=True)
    telling = np.bincount(songs[lengths[numbers] <= common], minlength=count)  # (songs,)
    shared = (lengths[numbers] > 1) & (lengths[numbers] <= common)
    prints, songs = prints[shared], songs[shared]

    lengths = lengths[(lengths > 1) & (lengths <= common)]
    rounds = 1 + int((lengths * (lengths - 1) // 2).sum()) // PAIRS_AT_ONCE
    for number in range(rounds):  # each round finds the pairs of some songs with all that come after them
        here, found = np.flatnonzero(songs % rounds == number), []
        for far in range(1, common):
            here = here[here < len(prints) - far]
            here = here[prints[here] == prints[here + far]]
            found.append(songs[here] * count + songs[here + far])
        pairs, times = np.unique(np.concatenate(found), return_counts=True)
        one, other = np.divmod(pairs, max(1, count))
        enough = (times >= SHARED_PRINTS) & (times >= SHARED_PART * np.minimum(telling[one], telling[other]))
        yield from zip(one[enough].tolist(), other[enough].tolist(), strict=True)
