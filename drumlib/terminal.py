"""Words for a terminal: names of strangers' files are printed so that they cannot command it."""

import sys


def printable(text: str) -> str:
    """The text with all control characters escaped: one that begins with ESC can move the cursor or hide a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(*lines: str, error: bool = False) -> None:
    """Print lines to standard output, or to standard error, with control characters escaped."""
    for line in lines:
        print(printable(line), file=sys.stderr if error else sys.stdout)
