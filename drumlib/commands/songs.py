"""Commands on single songs: ``accompany``, ``inspect``, ``render``, ``songbook``."""

from bisect import bisect_right
from pathlib import Path

from drumlib.commands.common import UsageError, about_song, add_command, add_renamed, check_output, counted
from drumlib.inference.presets import DEFAULT_PRESET
from drumlib.terminal import say

MOST_METERS = 20
"""How many changes of meter ``inspect`` lists."""


def add_commands(commands) -> None:
    """Describe the commands of this module."""
    command = add_command(commands, "accompany", accompany, "add a drum track to a song")
    command.add_argument("song", type=Path, metavar="SONG.mid", help="a MIDI file")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mid", help="where the result goes")
    command.add_argument("--preset", default=DEFAULT_PRESET, help=f"which model plays (default: {DEFAULT_PRESET})")
    command.add_argument("--seed", type=int, default=0, help="the same seed gives the same drums (default: 0)")
    how = command.add_mutually_exclusive_group()
    how.add_argument(
        "--threshold", type=float, metavar="P", help="play each note whose probability exceeds this (0 to 1)"
    )
    how.add_argument(
        "--temperature", type=float, metavar="T", help="sample the notes: 1 as learned, more varied above, less below"
    )
    add_renamed(
        command,
        "--subsequence-bars",
        "--section-bars",
        int,
        "bars in a sub-sequence, for presets with a conductor (default: as in training)",
        metavar="N",
    )
    command.add_argument("--keep-drums", action="store_true", help="keep the song's own drums as well")
    command.add_argument("--quantized-copy", action="store_true", help="add a second, quantized drum track to compare")
    command.add_argument("--render", type=Path, metavar="OUT.mp3", help="write the result's sound, too")

    command = add_command(commands, "inspect", inspect, "show what the model reads from a song, and what it ignores")
    command.add_argument("song", type=Path, metavar="SONG.mid")

    command = add_command(commands, "render", render, "write a song's sound as MP3")
    command.add_argument("song", type=Path, metavar="SONG.mid")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mp3")

    command = add_command(commands, "songbook", songbook, "write the songs that come with drumlib as MIDI files")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")


def accompany(options) -> None:
    """Read a song, add drums, write it, and its sound if asked: either both files, or what was there before."""
    from drumlib.drummer import SongError, accompany
    from drumlib.files import write_whole
    from drumlib.music import read_song, song_to_bytes

    song = read_song(options.song)
    check_output(options.output, options.song)
    if options.render:
        check_output(options.render, options.song, options.output)
        check_song_sound(options.song, song)
    try:
        result = accompany(
            song,
            preset=options.preset,
            seed=options.seed,
            threshold=options.threshold,
            temperature=options.temperature,
            subsequence_bars=options.subsequence_bars,
            keep_drums=options.keep_drums,
            quantized_copy=options.quantized_copy,
        )
    except SongError as error:
        raise UsageError(f"{options.song}: {error}") from None
    sound = mp3_of(options.song, result) if options.render else None
    before = options.output.read_bytes() if options.output.exists() else None
    try:
        write_whole(options.output, song_to_bytes(result))
        if sound:
            write_whole(options.render, sound)
    except BaseException:  # the sound could not be written, or Ctrl-C came between the two
        if sound and before is not None:
            write_whole(options.output, before)
        elif sound:
            options.output.unlink(missing_ok=True)
        raise
    drums = result.tracks[-1].notes
    say(f"{options.output}: {counted(len(result.bars), 'bar')}, {counted(len(drums), 'drum note')}")


def inspect(options) -> None:
    """Print what the model reads from a song, and what it ignores."""
    from drumlib.music import Grid, read_song

    song = read_song(options.song)
    grid = Grid(song)
    minutes, seconds = divmod(round(song.duration), 60)
    length = f"{counted(len(song.bars), 'bar')}, {minutes}:{seconds:02}, {song.ticks_per_beat} ticks a beat"
    say(f"{options.song}: {length}")
    tempos = sorted({round(tempo.bpm) for tempo in song.tempos})
    tempo = f"{tempos[0]}" if len(tempos) == 1 else f"{tempos[0]} to {tempos[-1]}"
    print(f"tempo: {tempo} bpm")
    ends = [bar.end for bar in song.bars]
    meters = [f"{meter} from bar {1 + bisect_right(ends, meter.tick)}" for meter in song.meters[:MOST_METERS]]
    more = len(song.meters) - len(meters)
    print("meter: " + ", ".join(meters) + (f", and {more:,} more changes" if more else ""))
    print("tracks:")
    for track in song.tracks:
        kind = track.family or "ignored"
        program = "" if track.is_drum else f"program {track.program}"
        print(f"  {kind:10} {program:12} channel {track.channel + 1:2}  {len(track.notes):5} notes  {track.name}")
    ignored = []
    for family in ("piano", "guitar", "bass"):
        if not song.parts(family):
            ignored.append(f"there is no {family}: the model gets silence in its place")
    others = [track for track in song.band if not track.family]
    if others:
        ignored.append(f"{counted(len(others), 'track')} of other instruments: they stay in the song, but are no input")
    if song.drums:
        notes = counted(sum(len(track.notes) for track in song.drums), "drum note")
        ignored.append(f"its own {notes}: new ones will replace them (--keep-drums keeps them)")
    if grid.odd_bars:
        ignored.append(f"{counted(len(grid.odd_bars), 'bar')} not of four beats: the drums play as much as fits")
    print("\n".join(["ignored:", *(f"  {line}" for line in ignored)]) if ignored else "ignored: nothing")


def render(options) -> None:
    """Write a song's sound."""
    from drumlib.files import write_whole
    from drumlib.music import read_song

    song = read_song(options.song)
    check_output(options.output, options.song)
    check_song_sound(options.song, song)
    write_whole(options.output, mp3_of(options.song, song))
    say(f"{options.output}: {song.duration:.1f} s")


def check_song_sound(path: Path, song) -> None:
    """Raise a UsageError, before the work, if a song cannot be rendered."""
    from drumlib.display.sound import check_sound

    about_song(path, check_sound, song)


def mp3_of(path: Path, song) -> bytes:
    """The sound of a song, which was read from ``path``, as the bytes of an MP3 file."""
    from drumlib.display.sound import render_mp3

    return about_song(path, render_mp3, song)


def songbook(options) -> None:
    """Write the songs that come with drumlib as MIDI files."""
    from drumlib.music import songbook, write_song

    options.output.mkdir(parents=True, exist_ok=True)
    for name in songbook.names():
        write_song(songbook.song(name), options.output / f"{name}.mid")
    say(*(str(options.output / f"{name}.mid") for name in songbook.names()))
