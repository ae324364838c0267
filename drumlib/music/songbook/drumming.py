"""Reference drum parts: patterns written as text, played with random deviations of velocity and timing.

A pattern has one line for each drum: its name, then its bars, ``|`` between them. A bar of 16 signs
is in sixteenths; one of 12 is in triplets of eighths, which is how shuffle and swing are written.

    hat   x.x.x.x.x.x.x.x.
    snare ....X.......X..g
    kick  x.......x.x.....|x......x..x.....

``X`` is an accented hit, ``x`` a plain one, ``o`` a soft one, ``g`` a ghost note, ``?`` a ghost note that is
played with probability 0.5, ``.`` is silence, and a bar ``%`` repeats the bar before. A line that is
shorter than the part is repeated.
"""

from dataclasses import dataclass
from random import Random

from drumlib.music.notes import Note

TICKS = 480
"""Ticks in a beat, in every song of the songbook."""
BAR = 4 * TICKS
"""Ticks in a bar of 4/4."""

PITCHES = {
    "kick": 36,
    "rim": 37,
    "snare": 38,
    "hat": 42,
    "pedal": 44,
    "open": 46,
    "low": 43,
    "mid": 47,
    "high": 50,
    "ride": 51,
    "bell": 53,
    "crash": 49,
}
"""The names that a pattern may use, and their General MIDI pitches (all of them drums of ``kit.DRUMS``)."""

HIT_VELOCITIES = {"X": 114, "x": 92, "o": 70, "g": 34, "?": 32}
"""The MIDI velocity of each sign, before it is scaled by drum, beat and section."""

CYMBALS = ("hat", "open", "pedal", "ride", "bell")
"""The drums that keep the time: louder on the beats than between them."""


@dataclass(frozen=True)
class Feel:
    """Mean timing of the drums in milliseconds, positive is late; and the swing ratio.

    ``swing`` is the position of the second of two sixteenths within their eighth: 0.5 is straight.
    """

    snare: float = 0.0
    kick: float = 0.0
    hat: float = 0.0
    upbeat: float = 0.0  # added for hats between the beats
    spread: float = 4.0  # standard deviation
    swing: float = 0.5


def swung(position: float, ratio: float) -> float:
    """Move a position in a bar (0 to 1) as swung sixteenths do: the second of each pair comes late."""
    pair, part = divmod(position * 8, 1)
    part = part * 2 * ratio if part < 0.5 else ratio + (part - 0.5) * 2 * (1 - ratio)
    return (pair + part) / 8


def bars_of(text: str) -> list[str]:
    """Split a line at its bar lines, fill in ``%``, and check that each bar has 16 or 12 signs (or 8, or 4)."""
    bars = []
    for bar in ("".join(part.split()) for part in text.split("|")):
        bars.append(bars[-1] if bar == "%" and bars else bar)
        if len(bars[-1]) not in (4, 8, 12, 16):
            raise ValueError(
                f"a bar has 16 signs, or 12 for triplets (8 or 4 will do): {bars[-1]!r} has {len(bars[-1])}"
            )
    return bars


def read_pattern(text: str) -> dict[str, list[str]]:
    """From drum text to the bars of each drum. Raises ValueError on an unknown drum, sign or length."""
    pattern = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, bars = line.split(maxsplit=1)
        if name not in PITCHES:
            raise ValueError(f"no drum is called {name!r}: choose one of {', '.join(PITCHES)}")
        pattern[name] = bars_of(bars)
        if unknown := set("".join(pattern[name])) - set(HIT_VELOCITIES) - {"."}:
            raise ValueError(f"the drum {name!r} has signs that are not hits: {sorted(unknown)}")
    return pattern


def drum_bars(part) -> list[dict[str, str]]:
    """The pattern of every bar of a part: its groove, then its fill in the last bars, a crash on the first beat."""
    groove = read_pattern(part.drums)
    bars = [{name: line[i % len(line)] for name, line in groove.items()} for i in range(part.bars)]
    if part.fill:
        fill = read_pattern(part.fill)
        length = max(len(line) for line in fill.values())
        bars[-length:] = [{name: line[i % len(line)] for name, line in fill.items()} for i in range(length)]
    if part.crash:
        first = {name: "." + bar[1:] if name in CYMBALS else bar for name, bar in bars[0].items()}
        first["crash"] = "X" + first.get("crash", "................")[1:]
        first["kick"] = "X" + first.get("kick", "................")[1:]
        bars[0] = first
    return bars


def play_drums(parts, feel: Feel, bpm: float, rng: Random, level: float = 1.0) -> list[Note]:
    """The drum notes of all parts, one after the other.

    A velocity depends on the sign, the place in the beat and the part, plus noise; a fill grows towards its end. The
    timing is that of ``feel`` plus noise, most of which simultaneous hits share.
    """
    notes, start = [], 0
    ticks_per_ms = bpm * TICKS / 60_000
    for part in parts:
        fills = part.bars - (max(map(len, read_pattern(part.fill).values())) if part.fill else 0)
        for number, bar in enumerate(drum_bars(part)):
            together = {}
            for name, line in sorted(bar.items()):
                for i, sign in enumerate(line):
                    if sign == "." or (sign == "?" and rng.random() < 0.5):
                        continue
                    position = i / len(line)
                    body = together.setdefault(position, rng.gauss(0, feel.spread))
                    late = _late(name, position, feel) + 0.8 * body + rng.gauss(0, 0.5 * feel.spread)
                    loud = HIT_VELOCITIES[sign] * _weight(name, position) * part.level * level
                    if number >= fills and name in ("snare", "low", "mid", "high"):
                        loud *= 0.78 + 0.32 * position
                    velocity = round(min(127, max(12, loud + rng.gauss(0, 2 + 0.03 * loud))))
                    tick = start + number * BAR + swung(position, feel.swing) * BAR + late * ticks_per_ms
                    notes.append(Note(max(0, round(tick)), PITCHES[name], velocity, TICKS // 8))
        start += part.bars * BAR
    return notes


def _late(name: str, position: float, feel: Feel) -> float:
    """The mean timing of a drum at a position of the bar, in milliseconds, positive is late."""
    if name in CYMBALS:
        return feel.hat + (feel.upbeat if position * 4 % 1 else 0)
    return {"snare": feel.snare, "rim": feel.snare, "kick": feel.kick}.get(name, 0.5 * feel.snare)


def _weight(name: str, position: float) -> float:
    """The factor for the velocity of a drum at a position of the bar."""
    if name not in CYMBALS:
        return {"kick": 0.98, "crash": 0.95, "rim": 0.9}.get(name, 1.0)
    if position * 4 % 1 == 0:
        return 0.88
    return 0.74 if position * 8 % 1 == 0 or position * 12 % 3 > 1.9 else 0.62
