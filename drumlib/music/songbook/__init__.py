"""Songs of our own, written as code and data: the default input of everything in this project.

    >>> from drumlib.music import songbook
    >>> songbook.names()
    ['rock', 'funk', ...]
    >>> songbook.song("funk")
    Song('Elbow Room', ...)

Each song has a piano, a guitar, a bass and a drummer's reference part, and lives in a file of its own: read
one, change a chord, listen. ``arrange.py`` says how to read it. A song is the same, note for note, at each call.
"""

from functools import partial

from drumlib.music.song import Song
from drumlib.music.songbook import ballad, blues, bossa, disco, funk, reggae, rock, swing
from drumlib.music.songbook.arrange import Section, Sheet, play, sections_of

SHEETS: dict[str, Sheet] = {
    "rock": rock.SHEET,
    "funk": funk.SHEET,
    "blues": blues.SHEET,
    "bossa": bossa.SHEET,
    "ballad": ballad.SHEET,
    "disco": disco.SHEET,
    "reggae": reggae.SHEET,
    "swing": swing.SHEET,
}
"""The songs as written, by name."""

SONGS = {name: partial(play, sheet) for name, sheet in SHEETS.items()}
"""From a song's name to the function that makes it."""


def names() -> list[str]:
    """The names of all songs."""
    return list(SONGS)


def song(name: str) -> Song:
    """Make a song. Raises ValueError, with the names there are, on one that is not in the book."""
    return play(_sheet(name))


def sections(name: str) -> list[Section]:
    """The sections of a song in order: name, first bar (counted from 0), number of bars. Raises ValueError likewise."""
    return sections_of(_sheet(name).form)


def _sheet(name: str) -> Sheet:
    if name not in SHEETS:
        raise ValueError(f"no song is called {name!r}: choose one of {', '.join(SHEETS)}")
    return SHEETS[name]
