"""A song as immutable data: a tempo map, meters, and tracks of notes. All times are in ticks.

A *tick* is the unit of time of a MIDI file; ``ticks_per_beat`` of them make one quarter note (a *beat*), whatever the
tempo. ``Notes`` (in ``notes.py``) is a sorted sequence of ``Note(tick, pitch, velocity, length)`` that is stored as an
integer array: ``notes.ticks``, ``notes.pitches``, ``notes.velocities`` and ``notes.lengths`` are its columns.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from drumlib.music.kit import DRUM_CHANNEL, FAMILIES
from drumlib.music.notes import Notes


class Tempo(NamedTuple):
    """From ``tick`` on, a beat (quarter note) lasts ``microseconds``."""

    tick: int
    microseconds: int

    @property
    def bpm(self) -> float:
        """Beats (quarter notes) per minute."""
        return 60_000_000 / self.microseconds


class Meter(NamedTuple):
    """From ``tick`` on, a bar has ``numerator`` beats of one ``denominator``-th note each."""

    tick: int
    numerator: int
    denominator: int

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


class Bar(NamedTuple):
    """One bar of the song: its first tick, the tick after its last, and its meter."""

    tick: int
    end: int
    numerator: int
    denominator: int


@dataclass(frozen=True)
class Track:
    """The notes of one instrument: one program (0-127) on one channel (0-15) of one track of the file.

    ``notes`` may be given as any sequence of ``Note``. A track of the file in which the program changes becomes one
    ``Track`` for each program that has notes. ``is_drum`` is true on channel 9, whatever the program or the name.
    """

    notes: Notes
    program: int = 0
    is_drum: bool = False
    channel: int = 0
    name: str = ""

    def __post_init__(self):
        object.__setattr__(self, "notes", Notes(self.notes))
        if self.is_drum:
            object.__setattr__(self, "channel", DRUM_CHANNEL)

    @property
    def family(self) -> str | None:
        """``"piano"``, ``"guitar"``, ``"bass"`` or ``"drums"``; None for an instrument that networks do not read."""
        if self.is_drum:
            return "drums"
        return next((family for family, programs in FAMILIES.items() if self.program in programs), None)

    def __repr__(self) -> str:
        kind = "drums" if self.is_drum else f"program {self.program}"
        return f"Track({self.name!r}, {kind}, {len(self.notes)} notes)"


@dataclass(frozen=True)
class Song:
    """A song: its tracks, and the tempos and meters that turn ticks into seconds and bars.

    ``events`` are the file's own events, for each of its tracks a tuple of (tick, mido message): pedals, bends and
    lyrics, which notes do not contain. With them, a song that is read and written again loses nothing. They are ignored
    when songs are compared; a song that was made of notes has None.
    """

    ticks_per_beat: int
    tracks: tuple[Track, ...]
    tempos: tuple[Tempo, ...] = (Tempo(0, 500_000),)
    meters: tuple[Meter, ...] = (Meter(0, 4, 4),)
    name: str = field(default="", compare=False)
    events: tuple | None = field(default=None, compare=False, repr=False)

    def __post_init__(self):
        if not 0 < self.ticks_per_beat < 32_768:
            raise ValueError(f"a song has 1 to 32,767 ticks a beat, not {self.ticks_per_beat}")
        object.__setattr__(self, "tracks", tuple(self.tracks))
        object.__setattr__(self, "tempos", _from_zero(self.tempos, Tempo(0, 500_000)))
        object.__setattr__(self, "meters", _from_zero(self.meters, Meter(0, 4, 4)))

    @property
    def drums(self) -> tuple[Track, ...]:
        """The drum tracks."""
        return tuple(track for track in self.tracks if track.is_drum)

    @property
    def band(self) -> tuple[Track, ...]:
        """Every track that is not drums."""
        return tuple(track for track in self.tracks if not track.is_drum)

    def parts(self, family: str) -> tuple[Track, ...]:
        """The tracks of one family: ``"piano"``, ``"guitar"``, ``"bass"`` or ``"drums"``."""
        if family != "drums" and family not in FAMILIES:
            raise ValueError(f"no family {family!r}: choose one of {', '.join([*FAMILIES, 'drums'])}")
        return tuple(track for track in self.tracks if track.family == family)

    @cached_property
    def end(self) -> int:
        """The tick at which the last note ends. A drum note counts as one tick long."""
        ends = [t.notes.ticks + (1 if t.is_drum else np.maximum(t.notes.lengths, 1)) for t in self.tracks if t.notes]
        return int(max((end.max() for end in ends), default=0))

    @cached_property
    def bars(self) -> tuple[Bar, ...]:
        """The bars from the beginning to the end of the last note. A change of meter starts a new bar."""
        bars = []
        for meter, until in zip(self.meters, [m.tick for m in self.meters[1:]] + [self.end], strict=True):
            length = max(1, self.ticks_per_beat * 4 * meter.numerator // meter.denominator)
            tick, until = meter.tick, min(until, self.end)
            while tick < until:
                bars.append(Bar(tick, tick + length, meter.numerator, meter.denominator))
                tick += length
            if bars and meter is not self.meters[-1] and bars[-1].end > until and until < self.end:
                bars[-1] = bars[-1]._replace(end=until)  # the meter changes inside this bar, and cuts it short
        return tuple(bars)

    @cached_property
    def _tempo_starts(self) -> tuple[list[int], list[float]]:
        """The tick and the second at which each tempo starts."""
        ticks, seconds = [0], [0.0]
        for before, after in zip(self.tempos, self.tempos[1:], strict=False):
            beats = (after.tick - before.tick) / self.ticks_per_beat
            ticks.append(after.tick)
            seconds.append(seconds[-1] + beats * before.microseconds / 1e6)
        return ticks, seconds

    def seconds(self, tick: float) -> float:
        """The time of a tick, in seconds."""
        ticks, seconds = self._tempo_starts
        i = max(0, bisect_right(ticks, tick) - 1)
        return seconds[i] + (tick - ticks[i]) / self.ticks_per_beat * self.tempos[i].microseconds / 1e6

    def tempo_at(self, tick: float) -> Tempo:
        """The tempo at a tick."""
        return self.tempos[max(0, bisect_right(self._tempo_starts[0], tick) - 1)]

    @property
    def duration(self) -> float:
        """The time of the end of the last note, in seconds."""
        return self.seconds(self.end)

    def __repr__(self) -> str:
        return f"Song({self.name!r}, {len(self.bars)} bars, {self.duration:.1f} s, {len(self.tracks)} tracks)"


def _from_zero(changes: Iterable, default):
    """Changes sorted by tick, the last of those on one tick; MIDI's ``default`` from tick 0 to the first of them."""
    by_tick = {change.tick: change for change in sorted(changes, key=lambda change: change.tick)}
    if 0 not in by_tick:
        by_tick[0] = default
    return tuple(by_tick[tick] for tick in sorted(by_tick))


def only(song: Song, tracks: Sequence[Track]) -> Song:
    """The song with these tracks in place of its own, and without the file's events."""
    return Song(song.ticks_per_beat, tuple(tracks), song.tempos, song.meters, song.name)
