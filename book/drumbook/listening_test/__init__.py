"""A blind listening test: its page (``ListeningTest``), and the tally of its answers (``read_answers``, ``tally``)."""

from drumbook.listening_test.answers import Answer, Answers, Row, read_answers, tally
from drumbook.listening_test.listening_test import Clip, ListeningTest, matched, mixes

__all__ = ["Answer", "Answers", "Clip", "ListeningTest", "Row", "matched", "mixes", "read_answers", "tally"]
