"""Groups of songs that must stay in one split, against leakage from training to test.

The thesis took the last quarter of its windows for validation, in the order of files. So windows of one song, and
copies of it, were on both sides, and memorised songs counted as skill. Here songs belong together that have the same
key, such as the artist, or that share their content: versions in any key, copies under other names, songs with
the drums of another.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np

from drumlib.data.splitting.fingerprints import KINDS, of_kind

SHARED_PART = 0.5
"""Two songs belong together if they share this part of the distinctive fingerprints of the song with fewer ..."""

SHARED_FINGERPRINTS = 8
"""... and this many of them: a song of three simple phrases would be found in every other song."""

COMMON_SONGS = 20
COMMON_PART = 1 / 400
"""A fingerprint is *common*, not distinctive, if more than 20 songs have it, and more than one in 400: a plain beat."""

PAIRS_AT_ONCE = 8_000_000
"""About how many pairs of songs are counted at a time, to limit memory."""


def related_groups(keys: Sequence[Hashable | None], fingerprints: Sequence[np.ndarray]) -> np.ndarray:
    """The group of songs that each song belongs to: int (songs,), numbered by first appearance.

    Two songs belong together if they have the same key, or if their drums or their bands share at least half of their
    distinctive fingerprints, and at least eight; and so do two songs that both belong with a third one (connected
    components). The order of the songs changes only the numbers of the groups.

    More than ``COMMON_SONGS`` near-copies of one song, no two of them equal, are found only by their keys: the
    fingerprints that they share are common.

    Parameters
    ----------
    keys
        What is known of each song from outside, such as its artist; None for nothing.
    fingerprints
        Each song's ``song_fingerprints``.

    Raises
    ------
    ValueError
        If there are not as many keys as songs.
    """
    if len(keys) != len(fingerprints):
        raise ValueError(f"there are {len(keys)} keys for {len(fingerprints)} songs")
    roots = list(range(len(fingerprints)))  # union-find: songs of one group lead to the same first song

    def root(song: int) -> int:
        while roots[song] != song:
            roots[song] = song = roots[roots[song]]
        return song

    def unite(pairs: Iterable[tuple[int, int]]) -> None:
        for one, other in pairs:
            first, second = sorted((root(one), root(other)))
            roots[second] = first

    unite(equal_pairs(keys))
    for kind in KINDS:
        sets = [np.unique(of_kind(song, kind)) for song in fingerprints]
        copies = list(equal_pairs([one.tobytes() if len(one) >= SHARED_FINGERPRINTS else None for one in sets]))
        unite(copies)
        for _, copy in copies:  # one of each is enough, and copies must not make their own fingerprints common
            sets[copy] = sets[copy][:0]
        unite(similar_pairs(sets))
    return np.unique([root(song) for song in range(len(fingerprints))], return_inverse=True)[1]


def equal_pairs(labels: Sequence[Hashable | None]) -> Iterator[tuple[int, int]]:
    """Pairs of songs with the same label: the first song with each of the others. None is not a label."""
    first: dict[Hashable, int] = {}
    for song, label in enumerate(labels):
        if label is not None and first.setdefault(label, song) != song:
            yield first[label], song


def similar_pairs(sets: Sequence[np.ndarray]) -> Iterator[tuple[int, int]]:
    """Pairs of songs that share enough distinctive fingerprints. ``sets``: each song's fingerprints, each once."""
    count = len(sets)
    common = max(COMMON_SONGS, int(count * COMMON_PART))
    prints = np.concatenate([np.empty(0, np.uint64), *sets])
    songs = np.repeat(np.arange(count), [len(one) for one in sets])
    order = np.argsort(prints, kind="stable")  # an inverted index: songs that share a fingerprint are neighbours
    prints, songs = prints[order], songs[order]
    _, numbers, lengths = np.unique(prints, return_inverse=True, return_counts=True)
    distinctive = np.bincount(songs[lengths[numbers] <= common], minlength=count)  # (songs,)
    shared = (lengths[numbers] > 1) & (lengths[numbers] <= common)
    prints, songs = prints[shared], songs[shared]

    lengths = lengths[(lengths > 1) & (lengths <= common)]
    rounds = 1 + int((lengths * (lengths - 1) // 2).sum()) // PAIRS_AT_ONCE
    for number in range(rounds):  # each round finds the pairs of some songs with all later songs
        here, found = np.flatnonzero(songs % rounds == number), []
        for far in range(1, common):
            here = here[here < len(prints) - far]
            here = here[prints[here] == prints[here + far]]
            found.append(songs[here] * count + songs[here + far])
        pairs, times = np.unique(np.concatenate(found), return_counts=True)
        one, other = np.divmod(pairs, max(1, count))
        enough = (times >= SHARED_FINGERPRINTS) & (
            times >= SHARED_PART * np.minimum(distinctive[one], distinctive[other])
        )
        yield from zip(one[enough].tolist(), other[enough].tolist(), strict=True)
