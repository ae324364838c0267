"""Splits: which songs are for training, for validation (early stopping) and for testing.

Songs of one group (``related_groups``) stay in one split. Songs that are not related may still have the same eight bars
of drums: such windows are left out, so that no drum part occurs in two splits.
"""

import hashlib
from collections.abc import Hashable, Sequence

import numpy as np

SPLITS = ("train", "validation", "test")
SHARES = (0.8, 0.1, 0.1)


def split_groups(
    groups: Sequence[Hashable] | np.ndarray,
    windows_of_song: Sequence[int] | np.ndarray,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
    fingerprints: Sequence[np.ndarray] | None = None,
) -> list[str]:
    """The split of each song, ``"train"``, ``"validation"`` or ``"test"``; songs of one group stay together.

    The groups are shuffled with the seed. From the front, the test set takes every group that still fits into its share
    of all windows; from the back, so does the validation set; the rest is for training. A set into which none fits gets
    the smallest group that is left, as long as another is left to train on. So a single group is for training; of two,
    with the usual shares, the larger is for training and the other for validation.

    Parameters
    ----------
    groups
        The number (or name) of each song's group.
    windows_of_song
        How many windows each song has. Groups without windows are put with the training songs.
    shares
        The shares of all windows for training, validation and testing, which add up to 1.
    seed
        Of the shuffle.
    fingerprints
        Each song's ``song_fingerprints``. With them, a group's place in the order depends on what it plays, not on its
        number: songs that are added later, or listed in another order, move few others.

    Raises
    ------
    ValueError
        If the shares are not three that add up to 1, or a song lacks a group, a number of windows, or fingerprints.
    """
    share = np.asarray(shares, dtype=float)
    if share.shape != (3,) or not (share >= 0).all() or not np.isclose(share.sum(), 1):
        raise ValueError(f"shares must be three, none below 0, that make 1; these are {share.tolist()}")
    labels: list[Hashable] = np.asarray(groups).tolist()
    counts = np.asarray(windows_of_song, dtype=np.int64)  # (songs,)
    if not len(labels) == len(counts) == len(labels if fingerprints is None else fingerprints):
        raise ValueError("each song needs a group, a number of windows and, if fingerprints are given, its own")
    if (counts < 0).any():
        raise ValueError("a song has fewer than no windows")
    of_group: dict[Hashable, list[int]] = {}
    for song, group in enumerate(labels):
        of_group.setdefault(group, []).append(song)
    windows = {group: int(counts[songs].sum()) for group, songs in of_group.items()}
    split = dict.fromkeys(of_group, "train")

    def place(group: Hashable) -> tuple:
        """The sort key of a group."""
        if fingerprints is None:
            return _hash(seed, group), group
        lowest = min(_hash(seed, np.unique(fingerprints[song]).tolist()) for song in of_group[group])
        return _hash(seed, lowest), group  # hashed again: the lowest of many is low, so large groups would come first

    order = sorted((group for group in of_group if windows[group]), key=place)
    queues = {"validation": iter(order[::-1]), "test": iter(order)}
    room = {name: share[SPLITS.index(name)] * sum(windows.values()) + 1e-6 for name in queues}
    while queues:  # they take turns, so that each gets one of few groups
        for name in list(queues):
            group = next((g for g in queues[name] if split[g] == "train" and windows[g] <= room[name]), None)
            if group is None:
                del queues[name]
            else:
                split[group] = name
                room[name] -= windows[group]
    for name in ("validation", "test"):
        left = sorted((group for group in order if split[group] == "train"), key=lambda group: windows[group])
        if share[SPLITS.index(name)] and len(left) > 1 and name not in split.values():
            split[left[0]] = name  # the smallest
    return [split[group] for group in labels]


def duplicates_across_splits(fingerprints: Sequence[np.ndarray], splits: Sequence[str]) -> list[np.ndarray]:
    """Which windows to leave out so that no drum part occurs in two splits: for each song, bool (windows,).

    A drum part stays in the test set if it is there, else in the validation set: the test set is not thinned out.

    Parameters
    ----------
    fingerprints
        Each song's ``window_fingerprints``.
    splits
        Each song's split.

    Raises
    ------
    ValueError
        If there are not as many splits as songs, or one of them has no such name.
    """
    if len(fingerprints) != len(splits):
        raise ValueError(f"there are {len(splits)} splits for {len(fingerprints)} songs")
    strange = set(splits) - set(SPLITS)
    if strange:
        raise ValueError(f"no split is called {min(map(repr, strange))}: choose among {', '.join(SPLITS)}")
    lengths = np.array([len(song) for song in fingerprints], dtype=np.int64)
    ranks = np.repeat([SPLITS[::-1].index(split) for split in splits], lengths)  # (windows of all songs,): 0 is test
    every = np.concatenate([np.empty(0, np.uint64), *(np.asarray(song, np.uint64) for song in fingerprints)])
    _, number = np.unique(every, return_inverse=True)
    first = np.full(len(every), len(SPLITS))
    np.minimum.at(first, number, ranks)
    return np.split(ranks > first[number], np.cumsum(lengths)[:-1]) if len(fingerprints) else []


def _hash(seed: int, thing: object) -> bytes:
    """Eight bytes that depend on the seed and on a thing's ``repr``, the same on every machine."""
    return hashlib.blake2b(repr((int(seed), thing)).encode(), digest_size=8).digest()
