"""Eight songs written as text, so that the project has songs of its own: the default input everywhere.

    >>> from drumlib.music import songbook
    >>> songbook.names()
    ['rock', 'funk', ...]
    >>> songbook.song("funk")
    Song('Elbow Room', ...)

Each song has a piano, a guitar, a bass and a reference drum part, and a file of its own. ``arrange.py`` explains the
notation. A song is the same, note for note, at each call.
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
"""A function that makes each song, by name."""


def names() -> list[str]:
    """The names of all songs."""
    return list(SONGS)


def song(name: str) -> Song:
    """A song by name. Raises ValueError on an unknown name."""
    return play(_sheet(name))


def sections(name: str) -> list[Section]:
    """The sections of a song, in order. Raises ValueError on an unknown name."""
    return sections_of(_sheet(name).form)


def _sheet(name: str) -> Sheet:
    if name not in SHEETS:
        raise ValueError(f"no song is called {name!r}: choose one of {', '.join(SHEETS)}")
    return SHEETS[name]
