"""Answers of a listening test: the file that a listener saves, checked field by field, and the tally of the answers.

Conventions:

- a *kind* of pair is two drummers, (first, second); a *pair* is a kind with a song; which of the two is A is random;
- an answer is ``"a"``, ``"b"`` or ``"none"`` (cannot tell). Answers of ``"none"`` are counted, but are in no share.

A file of answers may be hostile: it is checked, and its text is escaped wherever it is shown.
"""

import json
import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from drumlib.evaluation.statistics import sign_test, wilson_interval

WHAT, VERSION = "answers of a blind listening page of The Drummer's Book", 1
"""The first fields of a file of answers."""

MAX_BYTES = 1_000_000
"""Size of a file of answers, at most. Ten thousand answers are smaller."""


class Answer(NamedTuple):
    """One pair, judged: the sitting (from 1), the song, the drummers A and B, and ``a``, ``b`` or ``none``."""

    sitting: int
    song: str
    a: str
    b: str
    answer: str


class Answers(NamedTuple):
    """One listener's answers to one page. ``page`` is a hash of its content; ``kinds``, its kinds of pairs."""

    page: str
    kinds: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]


class Row(NamedTuple):
    """How often ``first`` was preferred to ``second``, which is ``"all others"`` in the row of the sums."""

    first: str
    second: str
    won: int
    lost: int
    undecided: int

    @property
    def decided(self) -> int:
        """Number of answers that name one of the two."""
        return self.won + self.lost

    @property
    def share(self) -> float:
        """Share of the decided answers that prefer ``first``: won / decided; NaN without any."""
        return self.won / self.decided if self.decided else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share."""
        return wilson_interval(self.won, self.decided)

    @property
    def p_value(self) -> float:
        """The two-sided sign test: how often a fair coin would be at least as one-sided."""
        return sign_test(self.won, self.decided)


def tally(listeners: Iterable[Answers]) -> list[Row]:
    """Count the answers of one listener or of many: a row for each kind of pair.

    If one drummer is in every kind, a last row has the sums of this drummer against all others.

    Raises
    ------
    ValueError
        If there are no listeners, or if they heard different pages, whose answers cannot be added.
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
        rows.append(Row(first, second, *(preferred.count(drummer) for drummer in (first, second, None))))
    common = set.intersection(*map(set, kinds))
    if len(kinds) > 1 and common:
        (drummer,) = common
        won = sum(row.won if row.first == drummer else row.lost for row in rows)
        decided = sum(row.decided for row in rows)
        rows.append(Row(drummer, "all others", won, decided - won, sum(row.undecided for row in rows)))
    return rows


def choice_of(answer: Answer) -> str | None:
    """The drummer that an answer prefers; None if neither."""
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
        content = file.read(MAX_BYTES + 1)  # whatever the file system says of its size
    try:
        need(len(content) <= MAX_BYTES, f"it is larger than {MAX_BYTES:,} bytes")
        return parsed(json.loads(content.decode("utf-8")))
    except RecursionError:
        raise ValueError(f"{path}: no answers of a listening page: it is nested too deeply") from None
    except ValueError as error:  # what is not UTF-8 or not JSON is a ValueError too
        raise ValueError(f"{path}: no answers of a listening page: {error}") from None


def parsed(data) -> Answers:
    """The answers in a file's JSON. Raises ValueError where it is not as ``listening_test.js`` writes it."""
    need(isinstance(data, dict) and set(data) == {"what", "version", "page", "kinds", "answers"}, "other fields")
    need(
        data["what"] == WHAT and data["version"] is not True and data["version"] == VERSION,
        "another kind of file, or another version",
    )
    need(isinstance(data["page"], str) and re.fullmatch("[0-9a-f]{16}", data["page"]), "the page has no such name")
    need(isinstance(data["kinds"], list) and 1 <= len(data["kinds"]) <= 100, "kinds must be a list of pairs")
    for kind in data["kinds"]:
        need(isinstance(kind, list) and len(kind) == 2 and all(map(is_name, kind)), "a kind must be two names")
        need(kind[0] != kind[1], "a drummer is compared with itself")
    kinds = tuple(map(tuple, data["kinds"]))
    known = {frozenset(kind) for kind in kinds}
    need(len(known) == len(kinds), "a kind is there twice")
    need(isinstance(data["answers"], list) and len(data["answers"]) <= 10_000, "answers must be a list, not too long")
    answers = []
    for one in data["answers"]:
        need(isinstance(one, dict) and set(one) == set(Answer._fields), "an answer has other fields")
        need(type(one["sitting"]) is int and 1 <= one["sitting"] <= 10_000, "a sitting must be a number from 1")
        need(all(is_name(one[field]) for field in ("song", "a", "b")), "songs and drummers must be names")
        need(frozenset((one["a"], one["b"])) in known, "an answer is about a pair that the page has not got")
        need(one["answer"] in ("a", "b", "none"), "an answer must be a, b or none")
        answers.append(Answer(**one))
    return Answers(data["page"], kinds, tuple(answers))


def need(fact, what_is_wrong: str) -> None:
    """Raises ValueError if ``fact`` is false."""
    if not fact:
        raise ValueError(what_is_wrong)


def is_name(text) -> bool:
    """Whether this can be the name of a song or a drummer: 1 to 80 characters."""
    return isinstance(text, str) and 0 < len(text) <= 80
