"""Some bars of a song as a song of its own, to sound with a stage's drums."""

from dataclasses import replace

from drumlib.display.sound import section
from drumlib.music import Grid, Note, Song, Track, only, without_drums


def some_bars(song: Song, start_bar: int, bars: int, tracks: tuple[Track, ...] | None = None) -> Song:
    """These bars of the song without its drums, from tick 0 on, with the tempos and meters that hold in them.

    Notes that began before are left out, and those that sound longer end with the last bar; what begins within half a
    step of its end belongs to the next bar, as on the grid. A band that rests in the last bar gets a silent note
    there, so that the song is as long as was asked for.

    Parameters
    ----------
    start_bar, bars
        The first bar, from 0, and the number of bars.
    tracks
        The tracks; the whole band, if not given.

    Raises
    ------
    ValueError
        If there are no such bars.
    """
    first, last = section(song, start_bar, bars)
    check_bars(song, start_bar, bars)
    zero, end = song.bars[start_bar].tick, song.bars[start_bar + bars - 1].end
    last = min(last, end - song.ticks_per_beat // 8)  # an eighth of a beat is half a step
    kept = []
    for track in without_drums(song).band if tracks is None else tracks:
        notes = [
            Note(max(note.tick - zero, 0), note.pitch, note.velocity, min(note.length, end - max(note.tick, zero)))
            for note in track.notes
            if first <= note.tick < last
        ]
        kept.append(replace(track, notes=tuple(sorted(notes))))
    tempos, meters = (
        [change._replace(tick=max(change.tick - zero, 0)) for change in changes if change.tick < end]
        for changes in (song.tempos, song.meters)
    )
    some = replace(only(song, kept), tempos=tempos, meters=meters)
    if len(some.bars) < bars:
        bar = song.bars[start_bar + bars - 1]
        quiet = Note(bar.tick - zero, 60, 1, bar.end - bar.tick)
        kept[0] = replace(kept[0], notes=(*kept[0].notes, quiet)) if kept else Track((quiet,))
        some = replace(some, tracks=tuple(kept))
    return some


def check_bars(song: Song, start_bar: int, bars: int) -> None:
    """Raises ValueError if the song has no such bars."""
    if not 0 <= start_bar < start_bar + bars <= len(song.bars):
        raise ValueError(f"there are no bars {start_bar} to {start_bar + bars - 1}: the song has {len(song.bars)}")


def steps_of(song: Song, start_bar: int, bars: int) -> slice:
    """The steps of these bars on the song's grid. Raises ValueError if there are no such bars."""
    check_bars(song, start_bar, bars)
    grid = Grid(song)
    ends = [*grid.first_steps.tolist(), grid.steps]
    return slice(ends[start_bar], ends[start_bar + bars])


def chorus_of(name: str, section_name: str = "chorus") -> int:
    """The first bar, from 0, of a songbook song's section; 0, if it has no such section."""
    from drumlib.music import songbook

    return next((part.bar for part in songbook.sections(name) if part.name == section_name), 0)
