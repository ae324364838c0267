"""Splits: which songs train, which of them say when to stop, and which are kept for the end.

Whole groups only (see ``related_groups``). And since two songs that have nothing else in common may still have the same eight
bars of drums, windows are left out until no drum part stands in two splits.
"""

import hashlib
from collections.abc import Hashable, Sequence

import numpy as np

SPLITS = ("train", "validation", "test")
SHARES = (0.8, 0.1, 0.1)


def split_groups(
    groups: Sequence[Hashable],
    windows_of_song: Sequence[int],
    shares: Sequence[float] = SHARES,
    seed: int = 0,
    prints: Sequence[np.ndarray] | None = None,
) -> list[str]:
    """The split of each song, ``"train"``, ``"validation"`` or ``"test"``; songs of one group stay together.

    The groups are put in an order that the seed decides. From its front, the test set takes every group that still fits
    into its share of all windows; from its back, so does the validation set; the rest trains. A set into which none
    fits gets the smallest group that is left, as long as another is left to train on. So one group trains; and of two,
    with the usual shares, the larger trains and the other validates.

    Parameters
    ----------
    groups
        The number (or name) of each song's group.
    windows_of_song
        How many windows each song has. Groups without windows are put to training, where they do nothing.
    shares
        How much of all windows should train, validate and test; together 1.
    seed
        Another seed draws another split.
    prints
        Each song's ``song_fingerprints``. With them, a group's place in the order depends on what it plays, and not on its
        number: songs that are added later, or stand in another order, move few others.

    Raises
    ------
    ValueError
        If the shares are not three that make 1, or a song lacks a group, a number of windows, or prints.
    """
    shares = np.asarray(shares, dtype=float)
    if shares.shape != (3,) or not (shares >= 0).all() or not np.isclose(shares.sum(), 1):
        raise ValueError(f"shares must be three, none below 0, that make 1; these are {shares.tolist()}")
    groups, windows_of_song = np.asarray(groups).tolist(), np.asarray(windows_of_song, dtype=np.int64)
    if not len(groups) == len(windows_of_song) == len(groups if prints is None else prints):
        raise ValueError("each song needs a group, a number of windows and, if prints are given, its own")
    if (windows_of_song < 0).any():
        raise ValueError("a song has fewer than no windows")
    of_group: dict[Hashable, list[int]] = {}
    for song, group in enumerate(groups):
        of_group.setdefault(group, []).append(song)
    windows = {group: int(windows_of_song[songs].sum()) for group, songs in of_group.items()}
    split = dict.fromkeys(of_group, "train")

    def place(group: Hashable) -> tuple:
        """Where in the order a group stands."""
        if prints is None:
            return _draw(seed, group), group
        lowest = min(_draw(seed, np.unique(prints[song]).tolist()) for song in of_group[group])
        return _draw(seed, lowest), group  # drawn again: the lowest of many is lower, and large groups would come first

    order = sorted((group for group in of_group if windows[group]), key=place)
    lines = {"validation": iter(order[::-1]), "test": iter(order)}
    room = {name: shares[SPLITS.index(name)] * sum(windows.values()) + 1e-6 for name in lines}
    while lines:  # they take turns, so that of few groups each gets one
        for name in list(lines):
            group = next((g for g in lines[name] if split[g] == "train" and windows[g] <= room[name]), None)
            if group is None:
                del lines[name]
            else:
                split[group] = name
                room[name] -= windows[group]
    for name, share in (("validation", shares[1]), ("test", shares[2])):
        left = sorted((group for group in order if split[group] == "train"), key=windows.get)  # the smallest first
        if share and len(left) > 1 and name not in split.values():
            split[left[0]] = name
    return [split[group] for group in groups]


def clashes(prints: Sequence[np.ndarray], splits: Sequence[str]) -> list[np.ndarray]:
    """Which windows to leave out so that no drum part stands in two splits: for each song, bool (windows,).

    Test has the first claim, then validation, then training: the test set stays what real music is.

    Parameters
    ----------
    prints
        Each song's ``window_fingerprints``.
    splits
        Each song's split, however it came about.

    Raises
    ------
    ValueError
        If there are not as many splits as songs, or one of them has no such name.
    """
    if len(prints) != len(splits):
        raise ValueError(f"there are {len(splits)} splits for {len(prints)} songs")
    strange = set(splits) - set(SPLITS)
    if strange:
        raise ValueError(f"no split is called {min(map(repr, strange))}: choose among {', '.join(SPLITS)}")
    lengths = np.array([len(song) for song in prints], dtype=np.int64)
    claims = np.repeat([SPLITS[::-1].index(split) for split in splits], lengths)  # (windows of all songs,): 0 is test
    every = np.concatenate([np.empty(0, np.uint64), *(np.asarray(song, np.uint64) for song in prints)])
    _, number = np.unique(every, return_inverse=True)
    first = np.full(len(every), len(SPLITS))
    np.minimum.at(first, number, claims)
    return np.split(claims > first[number], np.cumsum(lengths)[:-1]) if len(prints) else []


def _draw(seed: int, thing) -> bytes:
    """Eight bytes that look random, and are the same for the same seed and thing on every machine."""
    return hashlib.blake2b(repr((int(seed), thing)).encode(), digest_size=8).digest()
