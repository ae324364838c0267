"""From music written as text to a ``Song``: chords, rhythms, bass lines and melodies, part by part.

A song is a few lines of text for each *part* (verse, chorus, ...), and the order of the parts:

- chords, ``"Em | C G | D"``: the chords of a bar share it evenly, ``%`` repeats the bar before;
- ``comp``, a rhythm on those chords: ``X``, ``x``, ``o`` are onsets (accented, plain, soft), ``-`` holds, ``.`` is
  silence, ``k`` is a scratch on muted strings, and a digit is one note of the voicing, counted from below;
- ``bass``, a rhythm of chord degrees: ``1`` the root, ``3 5 7`` the chord's own, ``8`` the octave, ``u`` and
  ``d`` lead up and down by a semitone into the next chord, ``g`` is a dead note;
- ``tune``, notes with lengths: ``"E5:3 G5:1 r:4 A4+C5:8"``, in sixteenths (or triplets: 12 to the bar);
  ``~`` holds the note before, ``!`` after the length is an accent.

Timing and velocities vary at random. Each player has a random generator of its own, with a fixed seed, so a change to
the bass does not change the drums.
"""

from dataclasses import dataclass, field, replace
from itertools import takewhile
from random import Random

from drumlib.music.kit import DRUM_CHANNEL
from drumlib.music.notes import Note, Notes
from drumlib.music.song import Meter, Song, Tempo, Track
from drumlib.music.songbook.drumming import BAR, TICKS, Feel, bars_of, play_drums, swung
from drumlib.music.songbook.harmony import Chord, boogie, chord, degree, octave, pitch, power, voicing

COMP_VELOCITIES = {"X": 106, "x": 90, "o": 70}
"""The MIDI velocity of each sign of a ``comp``, before that is scaled by beat, player and section."""

LOWEST = 28
"""The lowest pitch of a bass, E: ``u`` cannot lead into it from below."""

GHOST = 0.018
"""The length of a dead note or a scratch, in bars."""


@dataclass(frozen=True)
class Section:
    """The place of a part in the song: its name, its first bar (from 0) and its number of bars."""

    name: str
    bar: int
    bars: int


@dataclass(frozen=True)
class Line:
    """What one player plays in a part, or in some bars of it; made by ``comp``, ``bass`` and ``tune``."""

    kind: str
    text: str
    level: float = 1.0
    low: int = 55  # the range of a chord, or the lowest root of a bass
    high: int = 76
    size: int = 4  # notes in a chord
    steps: int = 16  # of a bar, for a tune
    at: int = 0  # the bar of the part where the line begins
    end: int = 999  # the bar of the part where it has ended

    def until(self, bar: int) -> "Line":
        """The same line, but silent from this bar of the part on."""
        return replace(self, end=bar)


def comp(text: str, kind: str = "chords", **settings) -> Line:
    """A rhythm on the chords, as ``kind`` says.

    It is ``"chords"`` (voice-led), ``"power"``, ``"octaves"`` or ``"boogie"``, a fifth at ``x`` and a sixth at ``o``.
    """
    return Line(kind, text, **settings)


def bass(text: str, low: int = 28, **settings) -> Line:
    """A rhythm of chord degrees, the roots in the octave above the pitch ``low``."""
    return Line("bass", text, low=low, **settings)


def tune(text: str, **settings) -> Line:
    """A melody or a riff, note by note."""
    return Line("tune", text, **settings)


@dataclass(frozen=True)
class Part:
    """A part of a song as text: chords, drum pattern and fill, relative loudness, and the lines of each player."""

    name: str
    chords: str
    drums: str
    fill: str = ""
    level: float = 1.0
    crash: bool = True
    lines: dict[str, list[Line]] = field(default_factory=dict)

    @property
    def bars(self) -> int:
        """How many bars it lasts."""
        return len(read_chords(self.chords))

    def but(self, **changes) -> "Part":
        """The same part with something changed: any of its fields, or one player's lines."""
        ours = {name: changes.pop(name) for name in list(changes) if name in self.__dataclass_fields__}
        return replace(self, lines=self.lines | changes, **ours)


def part(name: str, chords: str, drums: str, fill="", level=1.0, crash=True, **lines) -> Part:
    """Write a part: chords and drums for all, then the lines of each player by the player's key."""
    return Part(name, chords, drums, fill, level, crash, lines)


@dataclass(frozen=True)
class Player:
    """A player: track name, General MIDI program (from 0), relative loudness, mean and spread of the timing in ms."""

    name: str
    program: int
    level: float = 1.0
    late: float = 0.0
    spread: float = 5.0
    strum: float = 2.0  # ms from one note of a chord to the next
    hold: float = 0.95  # how much of its written length a note sounds


def read_chords(text: str) -> list[list[Chord]]:
    """The chords of each bar."""
    bars = []
    for bar in (bar.split() for bar in text.split("|")):
        bars.append(bars[-1] if bar == ["%"] else [chord(symbol) for symbol in bar])
    return bars


@dataclass(frozen=True)
class Sheet:
    """A song as text, for ``play``. ``seed`` seeds all of its randomness."""

    title: str
    bpm: float
    seed: int
    players: dict[str, Player]
    feel: Feel
    form: list[Part]
    drum_level: float = 1.0


def play(sheet: Sheet) -> Song:
    """The ``Song`` of a sheet: the players' tracks, then the drums."""
    tracks: list[Track] = []
    for channel, (key, player) in enumerate(sheet.players.items()):
        notes = _play(key, player, sheet, Random(f"{sheet.seed} {key}"))
        channel += channel >= DRUM_CHANNEL
        tracks.append(Track(Notes(tidy(notes, sheet.form)), player.program, False, channel, player.name))
    drums = play_drums(sheet.form, sheet.feel, sheet.bpm, Random(f"{sheet.seed} drums"), sheet.drum_level)
    tracks.append(Track(Notes(tidy(drums, sheet.form)), 0, True, DRUM_CHANNEL, "Drums"))
    return Song(TICKS, tuple(tracks), (Tempo(0, round(60_000_000 / sheet.bpm)),), (Meter(0, 4, 4),), sheet.title)


def sections_of(form: list[Part]) -> list[Section]:
    """Where each part lies."""
    found, bar = [], 0
    for each in form:
        found.append(Section(each.name, bar, each.bars))
        bar += each.bars
    return found


def tidy(notes: list[Note], form: list[Part]) -> tuple[Note, ...]:
    """End each note before its pitch starts again and before the song ends; of simultaneous ones keep the loudest."""
    last = sum(each.bars for each in form) * BAR
    by_pitch = {}
    for note in sorted(notes, key=lambda n: (n.tick, -n.velocity)):
        same = by_pitch.setdefault(note.pitch, [])
        if same and note.tick - same[-1].tick < 30:
            continue
        if same and same[-1].tick + same[-1].length > note.tick:
            same[-1] = same[-1]._replace(length=note.tick - same[-1].tick)
        same.append(note._replace(length=max(1, min(note.length, last - note.tick))))
    return tuple(note for same in by_pitch.values() for note in same)


def _play(key: str, player: Player, sheet: Sheet, rng: Random) -> list[Note]:
    """All the notes of one player."""
    ticks_per_ms = sheet.bpm * TICKS / 60_000
    chords = [bar for each in sheet.form for bar in read_chords(each.chords)]
    notes, first = [], 0
    for each in sheet.form:
        lines = each.lines.get(key, [])
        for line in [lines] if isinstance(lines, Line) else lines:
            for position, length, pitches, loud in _events(line, each, first, chords):
                bar, inside = divmod(position, 1)
                late = player.late + rng.gauss(0, player.spread)
                begin = (bar + swung(inside, sheet.feel.swing)) * BAR + late * ticks_per_ms
                loud *= (1.06, 0.98, 1.0, 0.98)[int(inside * 4)] if inside * 4 % 1 == 0 else 0.93
                loud = loud * each.level * player.level * line.level + rng.gauss(0, 3)
                down = rng.random() < 0.8  # most strums go from the low strings to the high
                for i, note in enumerate(pitches if down else pitches[::-1]):
                    tick = round(begin + i * player.strum * ticks_per_ms)
                    # an inner voice is a little softer than the top one, which carries the line
                    velocity = loud - (0 if note == max(pitches) else 5) + rng.gauss(0, 1.5)
                    sounding = max(30, round(length * BAR * player.hold))
                    notes.append(Note(max(0, tick), note, round(min(127, max(12, velocity))), sounding))
        first += each.bars
    return notes


def _events(line: Line, part: Part, first: int, chords: list[list[Chord]]):
    """Yield the onsets of a line in a part: position and length in bars, pitches, and velocity."""
    if line.kind == "tune":
        for position, length, pitches, accent in read_tune(line.text, line.steps):
            if position + line.at < min(line.end, part.bars):
                yield first + line.at + position, length, pitches, 104 if accent else 92
        return
    bars, before = bars_of(line.text), None
    played = [(bar, bars[(bar - line.at) % len(bars)]) for bar in range(line.at, min(line.end, part.bars))]
    signs = [(first + bar + i / len(text), 1 / len(text), sign) for bar, text in played for i, sign in enumerate(text)]
    for n, (position, step, sign) in enumerate(signs):
        if sign in ".-":
            continue
        length = step
        for _, more, _ in takewhile(lambda each: each[2] == "-", signs[n + 1 :]):
            length += more
        now = _chord_at(chords, position)
        if line.kind == "bass":
            note = _bass_note(sign, now, _chord_at(chords, position + length), line.low)
            yield position, GHOST if sign == "g" else length, (note,), 52 if sign == "g" else 92
            continue
        if line.kind == "chords":
            shape = before = voicing(now, before, line.low, line.high, line.size)
        elif line.kind == "boogie":
            shape = boogie(now, sign == "o", line.low)
        else:
            shape = {"power": power, "octaves": octave}[line.kind](now, line.low)
        if sign == "k":
            yield position, GHOST, shape[-2:], 46
        elif sign.isdigit():
            yield position, length, (shape[min(int(sign), len(shape)) - 1],), 82
        else:
            yield position, length, shape, COMP_VELOCITIES["x" if line.kind == "boogie" else sign]


def _chord_at(chords: list[list[Chord]], position: float) -> Chord:
    """The chord at a position in bars; behind the end, the last."""
    bar, inside = divmod(position + 1e-6, 1)  # a triplet's position is rounded: not before the bar line
    here = chords[min(int(bar), len(chords) - 1)]
    return here[int(inside * len(here))]


def _bass_note(sign: str, now: Chord, coming: Chord, low: int) -> int:
    """The pitch of one sign of a bass line."""
    if sign in "ud":
        target = low + (coming.bass - low) % 12
        return target - 1 if sign == "u" and target > LOWEST else target + 1
    root = low + (now.root - low) % 12
    if sign in "1g" and now.bass != now.root:
        return low + (now.bass - low) % 12
    return root + (0 if sign == "g" else degree(now, sign))


def read_tune(text: str, steps: int = 16) -> list[tuple[float, float, tuple[int, ...], bool]]:
    """Read a tune: (position, length, pitches, accent) of each note, in bars.

    Raises ValueError on a bar whose lengths do not add up to ``steps``.
    """
    notes = []
    for number, bar in enumerate(text.split("|")):
        at = 0
        for token in bar.split():
            name, colon, length = token.partition(":")
            if not colon or not length.rstrip("!").isdigit():
                raise ValueError(f"{token!r}: write a note and its length, as in E5:3")
            accent, length = length.endswith("!"), int(length.rstrip("!"))
            if name == "~" and notes:
                notes[-1] = (notes[-1][0], notes[-1][1] + length / steps, *notes[-1][2:])
            elif name != "r":
                notes.append((number + at / steps, length / steps, tuple(sorted(map(pitch, name.split("+")))), accent))
            at += length
        if bar.strip() and at != steps:
            raise ValueError(f"bar {number + 1} of the tune has {at} steps, not {steps}: {bar.strip()!r}")
    return notes
