"""Training and validation windows from song folders and corpora."""

import os
from collections.abc import Sequence
from functools import partial

from drumlib.data.splitting.splits import SPLITS
from drumlib.data.windows import Windows
from drumlib.terminal import say


def training_songs(folder: str | os.PathLike, splits: Sequence[str] = SPLITS[:2]) -> tuple[Windows, ...]:
    """The windows of each of these splits of a song folder, read with progress bars. Only test songs may be absent."""
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
            songs = []
        sets.append(read_windows(songs, refused, bar))
        for reason in refused.values():
            say(f"left out: {reason}", error=True)
    return tuple(sets)


def training_corpus(folder: str | os.PathLike, splits: Sequence[str] = SPLITS[:2]) -> tuple[Windows, ...]:
    """The windows of each of these splits of a corpus."""
    from drumlib.data.corpus.reader import Corpus

    corpus = Corpus(folder)
    return tuple(corpus.windows(split) for split in splits)


def training_together(sets: Sequence[tuple[Windows, ...]]) -> tuple[Windows, Windows]:
    """The joined training windows of several collections, and the validation windows of the first.

    ``sets`` holds for each collection its training windows, its validation windows, and other windows that must not be
    trained on: its test songs. Each collection was split by itself, so a song that one of them holds out may be a
    training song of another. What overlaps is dropped (``drop_overlap``), and reported. A single collection is taken
    as it is.

    Raises
    ------
    ValueError
        If no training window is left.
    """
    from tqdm import tqdm

    from drumlib.data.splitting.joined_sets import drop_overlap, join

    training, *held_out = zip(*sets, strict=True)
    if len(sets) == 1:
        return training[0], held_out[0][0]
    whole = join(training)
    kept = drop_overlap(whole, join(sum(held_out, ())), partial(tqdm, desc="songs compared", unit="song"))
    if lost := len(whole) - len(kept):
        songs = f"{whole.song_count - kept.song_count:,} of {whole.song_count:,} songs"
        why = "they belong together with songs to validate or to test on, or have the drums of one of their windows"
        say(f"left out: {lost:,} of {len(whole):,} windows to train on, {songs}: {why}", error=True)
    if len(whole) and not len(kept):
        raise ValueError("nothing is left to train on: every song belongs together with one to validate or to test on")
    return kept, held_out[0][0]


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
