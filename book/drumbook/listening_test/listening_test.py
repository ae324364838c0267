"""A blind listening test for a page: the same song with two drummers, whose names the page hides.

The page chooses the pairs at random, plays them and counts the answers (``listening_test.js``). It needs no network and
no kernel, so it works in a built page that is opened from a disk. The answers stay in the reader's browser; a reader
may save them to a file, which ``read_answers`` reads and ``tally`` counts, for one listener or for a class (chapter
"Judged by ear").

Loudness is the root mean square of the whole mix, band and drums together. All text is escaped.
"""

import base64
import hashlib
import html
import itertools
import json
import math
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from drumbook.listening_test.answers import VERSION, WHAT, is_name
from drumlib.display import sound
from drumlib.display.assets import assets, filled, safe_json
from drumlib.drummer import drum_track
from drumlib.files import write_whole
from drumlib.music import with_tracks, without_drums
from drumlib.music.grid import Grid, Groove
from drumlib.music.song import Song

RMS = 0.1
"""Root mean square of a mix, -20 dB of full scale; lower, if a peak would otherwise exceed ``sound.CEILING``."""

KBPS = 48
"""Bit rate of the MP3, in kilobits per second, mono: sixteen excerpts of eight bars are then some 2.5 MB of page."""


class Clip(NamedTuple):
    """An excerpt of one song with one drummer: ``audio`` (samples,), 48,000 samples a second."""

    song: str
    drummer: str
    audio: np.ndarray


def mixes(
    song: Song, grooves: Mapping[str, Groove], start_bar: int = 0, bars: int | None = None
) -> dict[str, np.ndarray]:
    """The same bars of the same band with several drummers, on the same drum kit, equally loud and equally long.

    Parameters
    ----------
    song
        The song; its own drums are left out.
    grooves
        The drums by the drummer's name, each (steps of the song, 9).
    start_bar, bars
        The first bar (from 0) and the number of bars; all, if not given.

    Returns
    -------
    dict of array, shape (samples,)
    """
    grid, band = Grid(song), without_drums(song)
    heard = {
        name: sound.render(with_tracks(band, [drum_track("Drums", groove, grid)]), start_bar, bars)
        for name, groove in grooves.items()
    }
    return matched(heard)


def matched(heard: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each audio times one factor, so that all have the same root mean square: ``RMS``, or less if a peak requires it.

    Shorter ones are padded with silence, so that all are equally long. Raises ValueError if one is silent.
    """
    length = max(map(len, heard.values()))
    heard = {name: np.pad(audio, (0, length - len(audio))).astype(np.float64) for name, audio in heard.items()}
    levels = {name: math.sqrt(np.mean(audio**2)) for name, audio in heard.items()}
    for name, level in levels.items():
        if not level > 0:
            raise ValueError(f"{name} is silent: nothing can make it as loud as the others")
    level = min([RMS, *(levels[name] * sound.CEILING / np.abs(audio).max() for name, audio in heard.items())])
    return {name: (audio * (level / levels[name])).astype(np.float32) for name, audio in heard.items()}


class ListeningTest:
    """A blind test of pairwise preference. Show it as the last line of a cell, or ``save`` it as a page of its own.

    Parameters
    ----------
    clips : sequence of Clip
        Every drummer with every song. Clips of one song are equally long: a listener switches between them.
    kinds : sequence of (str, str), optional
        The pairs of drummers that are compared; all pairs, if not given.
    pairs : int, optional
        Number of pairs in a sitting. Each kind gets as many as the others, or one more.
    hear : float, optional
        Seconds for which each of the two must have been heard before an answer counts.
    seed : int, optional
        Seed of the page's random order, for tests. Without it each sitting has another order.
    title : str, optional
        The heading.
    kbps : int, optional
        Bit rate of each MP3, in kilobits per second.

    Raises
    ------
    ValueError
        If a song lacks a drummer or a kind its drummers, if clips of one song differ in length, or if a number is out
        of range.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        kinds: Sequence[tuple[str, str]] | None = None,
        pairs: int = 10,
        hear: float = 2.0,
        seed: int | None = None,
        title: str = "Which drummer?",
        kbps: int = KBPS,
    ):
        self.clips = list(clips)
        self.songs = list(dict.fromkeys(clip.song for clip in self.clips))
        self.drummers = list(dict.fromkeys(clip.drummer for clip in self.clips))
        self.kinds = [tuple(kind) for kind in kinds or itertools.combinations(self.drummers, 2)]
        self.pairs, self.hear, self.seed, self.title, self.kbps = pairs, hear, seed, title, kbps
        there = [(clip.song, clip.drummer) for clip in self.clips]
        if sorted(there) != sorted(itertools.product(self.songs, self.drummers)):
            raise ValueError("every song must be there once with every drummer")
        if not all(map(is_name, [*self.songs, *self.drummers])):
            raise ValueError("songs and drummers need names, of 80 characters at most")
        if not self.kinds or not all(len(set(kind) & set(self.drummers)) == 2 == len(kind) for kind in self.kinds):
            raise ValueError(f"a kind is two of these drummers: {', '.join(self.drummers)}")
        if len(set(map(frozenset, self.kinds))) < len(self.kinds):
            raise ValueError("a kind of pair is there twice")
        for song in self.songs:
            if len({len(clip.audio) for clip in self.clips if clip.song == song}) > 1:
                raise ValueError(f"{song}: its clips must be equally long; mixes() makes them so")
        if not 1 <= pairs <= 1000 or not hear >= 0:
            raise ValueError("a sitting has 1 to 1000 pairs, and ``hear`` is 0 seconds or more")

    @cached_property
    def page(self) -> str:
        """A hash of the test's content: answers to another test are never mixed with its own."""
        digest = hashlib.sha256(json.dumps(self.kinds).encode())
        for clip in self.clips:
            digest.update(json.dumps([clip.song, clip.drummer]).encode())
            digest.update(np.round(clip.audio * 1000).astype("<i2").tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def html(self) -> str:
        """The whole test, for a page."""
        css, template = assets("listening_test", Path(__file__).parent)
        data = {
            "what": WHAT,
            "version": VERSION,
            "page": self.page,
            "kinds": self.kinds,
            "pairs": self.pairs,
            "hear": self.hear,
            "songs": self.songs,
            "rate": sound.SAMPLE_RATE,
            "clips": [
                {
                    "song": clip.song,
                    "drummer": clip.drummer,
                    "seconds": round(len(clip.audio) / sound.SAMPLE_RATE, 3),
                    "mp3": base64.b64encode(sound.encode_mp3(clip.audio, kbps=self.kbps)).decode("ascii"),
                }
                for clip in self.clips
            ],
        }
        fields = {
            "title": html.escape(self.title),
            "seed": "" if self.seed is None else f' data-seed="{int(self.seed)}"',
            "data": safe_json(data),
            "css": css,
        }
        return filled(template, fields)

    def save(self, path: str | os.PathLike) -> None:
        """Write the test as a page that needs no other file, to hand out to a class."""
        title = html.escape(self.title)
        head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        head += f"<title>{title}</title><style>:root {{ color-scheme: light dark; }}</style>"
        page = f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{self.html}\n</body>\n</html>\n'
        write_whole(path, page.encode("utf-8"))

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"ListeningTest({len(self.songs)} songs, {len(self.drummers)} drummers, {self.pairs} pairs a sitting)"
