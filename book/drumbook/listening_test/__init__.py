"""A blind listening test for a page: two drummers, the same song, and nobody says who is who.

The page draws the pairs, plays them and counts the answers by itself. It needs no network and no kernel, so it works
in a built page that is opened from a disk. The answers stay in the reader's browser; a reader may save them to a file,
which ``read_answers`` reads and ``tally`` counts, for one listener or for a class (chapter "Judged by ear").

Conventions:

- a *kind* of pair is two drummers, (first, second); a *pair* is a kind with a song; who of the two is A is drawn;
- an answer is ``"a"``, ``"b"`` or ``"none"`` (cannot tell). Those who cannot tell are counted, and left out of shares;
- loudness is the root mean square of the whole mix, band and drums together.

Text in a file of answers is somebody else's: it is checked, and it is escaped wherever it is shown.
"""

import base64
import hashlib
import html
import itertools
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from drumlib.display import sound
from drumlib.display.assets import assets, filled, safe_json
from drumlib.drummer import drum_track
from drumlib.evaluation.statistics import sign_test, wilson_interval
from drumlib.files import write_whole
from drumlib.music import with_tracks, without_drums
from drumlib.music.grid import Grid, Groove
from drumlib.music.song import Song

RMS = 0.1
"""How loud a mix is: -20 dB below the loudest square wave. Softer, if a peak would otherwise pass the ceiling."""

KBPS = 48
"""Kilobits a second of MP3, mono: sixteen excerpts of eight bars are then some 2.5 MB of page."""


WHAT, VERSION = "answers of a blind listening page of The Drummer's Book", 1
LARGEST = 1_000_000
"""Bytes; a file of answers that is larger is refused. Ten thousand answers are fewer."""


class Clip(NamedTuple):
    """What is heard: ``audio`` (samples,), 48,000 a second, of one song with one drummer."""

    song: str
    drummer: str
    audio: np.ndarray


class Answer(NamedTuple):
    """One pair, judged: in which sitting (from 1), which song, who was A and who B, and ``a``, ``b`` or ``none``."""

    sitting: int
    song: str
    a: str
    b: str
    answer: str


class Answers(NamedTuple):
    """One listener's answers to one page. ``page`` names the page by its content; ``kinds`` are its kinds of pairs."""

    page: str
    kinds: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]


class Row(NamedTuple):
    """How often one drummer was preferred to another: ``first`` against ``second``.

    ``second`` is ``"all others"`` in the row that sums up.
    """

    first: str
    second: str
    won: int
    lost: int
    undecided: int

    @property
    def decided(self) -> int:
        """How many answers name one of the two."""
        return self.won + self.lost

    @property
    def share(self) -> float:
        """How often ``first`` was preferred, among the decided answers; NaN without any."""
        return self.won / self.decided if self.decided else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share."""
        return wilson_interval(self.won, self.decided)

    @property
    def chance(self) -> float:
        """How often a fair coin would be at least as one-sided."""
        return sign_test(self.won, self.decided)


def tally(listeners: Iterable[Answers]) -> list[Row]:
    """Count the answers of one listener or of many: a row for each kind of pair.

    Where one drummer is in every kind, a last row sums up how he did against all others.

    Raises
    ------
    ValueError
        If there are no listeners, or if they did not hear the same page: their answers cannot be added.
    """
    listeners = list(listeners)
    if not listeners:
        raise ValueError("there are no listeners: nothing to count")
    if len({(one.page, one.kinds) for one in listeners}) > 1:
        raise ValueError("these listeners did not hear the same page: their answers cannot be added")
    answers = [answer for one in listeners for answer in one.answers]
    kinds = listeners[0].kinds
    rows = []
    for first, second in kinds:
        preferred = [choice_of(answer) for answer in answers if {answer.a, answer.b} == {first, second}]
        rows.append(Row(first, second, *(preferred.count(who) for who in (first, second, None))))
    common = set.intersection(*map(set, kinds))
    if len(kinds) > 1 and common:
        (star,) = common
        won = sum(row.won if row.first == star else row.lost for row in rows)
        decided = sum(row.decided for row in rows)
        rows.append(Row(star, "all others", won, decided - won, sum(row.undecided for row in rows)))
    return rows


def choice_of(answer: Answer) -> str | None:
    """Which drummer an answer prefers; None if neither."""
    return {"a": answer.a, "b": answer.b, "none": None}[answer.answer]


def read_answers(path: str | os.PathLike) -> Answers:
    """Read the file that a listener saved.

    Raises
    ------
    ValueError
        If it is not such a file, or larger than a megabyte. The message says what is wrong with it.
    OSError
        If it cannot be read.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise ValueError(f"{path}: no ordinary file, so no answers")
    with open(path, "rb") as file:
        data = file.read(LARGEST + 1)  # whatever the file says of its size
    try:
        need(len(data) <= LARGEST, f"it is larger than {LARGEST:,} bytes")
        return parsed(json.loads(data.decode("utf-8")))
    except RecursionError:
        raise ValueError(f"{path}: no answers of a listening page: it is nested too deeply") from None
    except ValueError as error:  # what is not UTF-8 or not JSON is a ValueError too
        raise ValueError(f"{path}: no answers of a listening page: {error}") from None


def parsed(said) -> Answers:
    """Answers from what was in the file; ValueError where it is not as ``listening_test.js`` writes it."""
    need(isinstance(said, dict) and set(said) == {"what", "version", "page", "kinds", "answers"}, "other fields")
    need(
        said["what"] == WHAT and said["version"] is not True and said["version"] == VERSION,
        "another kind of file, or another version",
    )
    need(isinstance(said["page"], str) and re.fullmatch("[0-9a-f]{16}", said["page"]), "the page has no such name")
    need(isinstance(said["kinds"], list) and 1 <= len(said["kinds"]) <= 100, "kinds must be a list of pairs")
    for kind in said["kinds"]:
        need(isinstance(kind, list) and len(kind) == 2 and all(map(is_name, kind)), "a kind must be two names")
        need(kind[0] != kind[1], "a drummer is compared with himself")
    kinds = tuple(map(tuple, said["kinds"]))
    known = {frozenset(kind) for kind in kinds}
    need(len(known) == len(kinds), "a kind is there twice")
    need(isinstance(said["answers"], list) and len(said["answers"]) <= 10_000, "answers must be a list, not too long")
    answers = []
    for one in said["answers"]:
        need(isinstance(one, dict) and set(one) == set(Answer._fields), "an answer has other fields")
        need(type(one["sitting"]) is int and 1 <= one["sitting"] <= 10_000, "a sitting must be a number from 1")
        need(all(is_name(one[field]) for field in ("song", "a", "b")), "songs and drummers must be names")
        need(frozenset((one["a"], one["b"])) in known, "an answer is about a pair that the page has not got")
        need(one["answer"] in ("a", "b", "none"), "an answer must be a, b or none")
        answers.append(Answer(**one))
    return Answers(said["page"], kinds, tuple(answers))


def need(fact, what_is_wrong: str) -> None:
    if not fact:
        raise ValueError(what_is_wrong)


def is_name(text) -> bool:
    return isinstance(text, str) and 0 < len(text) <= 80


def mixes(
    song: Song, grooves: Mapping[str, Groove], start_bar: int = 0, bars: int | None = None
) -> dict[str, np.ndarray]:
    """The same bars of the same band with several drummers, on the same drums, equally loud and equally long.

    Parameters
    ----------
    song
        Its band plays; its own drums are taken out.
    grooves
        What each drummer plays, by his name: (steps of the song, 9).
    start_bar, bars
        The first bar (from 0) and how many; all, if not given.

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
    """Audio turned up or down as a whole until all have one root mean square: ``RMS``, or what their peaks allow.

    Shorter ones are filled up with silence first, so that all are equally long.
    """
    length = max(map(len, heard.values()))
    heard = {name: np.pad(audio, (0, length - len(audio))).astype(np.float64) for name, audio in heard.items()}
    levels = {name: math.sqrt(np.mean(audio**2)) for name, audio in heard.items()}
    for name, level in levels.items():
        if not level > 0:
            raise ValueError(f"{name} is silent: nothing can make it as loud as the others")
    level = min([RMS, *(levels[name] * sound.CEILING / np.abs(audio).max() for name, audio in heard.items())])
    return {name: (audio * (level / levels[name])).astype(np.float32) for name, audio in heard.items()}


class BlindTest:
    """A listening test. Show it as the last line of a notebook's cell, or ``save`` it as a page of its own.

    Parameters
    ----------
    clips : sequence of Clip
        Every drummer with every song. Clips of one song must be equally long: readers switch in the middle.
    kinds : sequence of (str, str), optional
        Which drummers are compared; every two of them, if not given.
    pairs : int, optional
        How many pairs make a sitting. Each kind gets as many as the others, or one more.
    hear : float, optional
        For how many seconds each of the two must have been heard before an answer counts.
    seed : int, optional
        The draws of the page, for tests. A reader's page draws anew each time.
    title : str, optional
        The heading.
    kbps : int, optional
        Kilobits a second of each MP3.

    Raises
    ------
    ValueError
        If a song lacks a drummer or a kind its drummers, if clips of one song differ in length, or if numbers make no
        sense.
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
        self.pairs, self.encode, self.seed, self.title, self.kbps = pairs, hear, seed, title, kbps
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
            raise ValueError("a sitting has at least one pair, and nobody can hear less than nothing")

    @cached_property
    def page(self) -> str:
        """The name of this test, from its content: answers to another one are never mixed with its own."""
        digest = hashlib.sha256(json.dumps(self.kinds).encode())
        for clip in self.clips:
            digest.update(json.dumps([clip.song, clip.drummer]).encode())
            digest.update(np.round(clip.audio * 1000).astype("<i2").tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def html(self) -> str:
        """The whole test, as a piece of a page."""
        css, template = assets("blind")
        data = {
            "what": WHAT,
            "version": VERSION,
            "page": self.page,
            "kinds": self.kinds,
            "pairs": self.pairs,
            "hear": self.encode,
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
        """Write a page of its own, which needs nothing beside it: to give to a class."""
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
        return f"BlindTest({len(self.songs)} songs, {len(self.drummers)} drummers, {self.pairs} pairs a sitting)"
