"""Training and validation windows from folders and corpora."""

import sys
from collections.abc import Sequence
from functools import partial

from drumlib.data.splitting.splits import SPLITS
from drumlib.data.windows import Windows


def training_songs(folder, splits: Sequence[str] = SPLITS[:2]) -> tuple[Windows, ...]:
    """The windows of the songs to train on and to validate on, or of other splits, read with progress bars."""
    from tqdm import tqdm

    from drumlib.data.song_folder import list_songs, read_windows

    sets = []
    for split in splits:
        refused: dict[str, str] = {}
        bar = partial(tqdm, desc=f"{split} songs", unit="song")
        try:
            songs = list_songs(folder, split)
        except FileNotFoundError:
            if split != "test":
                raise
            songs = []  # one may train without
        sets.append(read_windows(songs, refused, bar))
        for reason in refused.values():
            print(f"left out: {reason}", file=sys.stderr)
    return tuple(sets)


def training_corpus(folder, splits: Sequence[str] = SPLITS[:2]) -> tuple[Windows, ...]:
    """The windows of a corpus to train on and to validate on, or of other splits."""
    from drumlib.data.corpus.reader import Corpus

    corpus = Corpus(folder)
    return tuple(corpus.windows(split) for split in splits)


def training_together(sets: Sequence[tuple[Windows, ...]]) -> tuple[Windows, Windows]:
    """What several collections give to train on, joined, and what the first of them gives to validate on.

    Of each collection, ``sets`` holds what trains, what validates, and what else must not train: its test songs. Each
    was parted by itself, and a song that is held back in one may train in another: when to stop would be chosen, or a
    score made, on songs that are known by heart. So what trains is kept apart from what is held back in any of them
    (``data.windows.drop_overlap`` says what that finds), and what is left out is printed. A single collection is taken as
    it is.

    Raises
    ------
    ValueError
        If nothing is left to train on.
    """
    from tqdm import tqdm

    from drumlib.data.splitting.joined_sets import drop_overlap, join

    training, *held = zip(*sets, strict=True)
    if len(sets) == 1:
        return training[0], held[0][0]
    whole = join(training)
    kept = drop_overlap(whole, join(sum(held, ())), partial(tqdm, desc="songs compared", unit="song"))
    if lost := len(whole) - len(kept):
        songs = f"{whole.songs - kept.songs:,} of {whole.songs:,} songs"
        why = "they belong together with songs to validate or to test on, or have the drums of one of their windows"
        print(f"left out: {lost:,} of {len(whole):,} windows to train on, {songs}: {why}", file=sys.stderr)
    if len(whole) and not len(kept):
        raise ValueError("nothing is left to train on: every song belongs together with one to validate or to test on")
    return kept, held[0][0]


def training_grooves(folder, splits: Sequence[str] = SPLITS[:2]) -> list:
    """The Groove MIDI Dataset's beats in 4/4 as windows of two bars, ``TwoBarWindows``, a set for each split.

    ``folder`` may be the archive as well. Raises MidiError, OSError or ValueError as ``data.groove_dataset`` does.
    """
    from tqdm import tqdm

    from drumlib.data.groove_dataset import performances, two_bar_windows

    found = [performances(folder, split, "beat", "4-4") for split in splits]
    return [
        two_bar_windows(tqdm(some, desc=f"{split} grooves", unit="groove"))
        for split, some in zip(splits, found, strict=True)
    ]
