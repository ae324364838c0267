"""Bands for real drummers: pairs of a band and its drums, made backwards.

Real bands come with drums that somebody typed in, and real drummers come alone. Gillick et al. (2019) make their pairs
from the drummer's side: take something away from a performance by a simple rule, and have a network learn the way
back. So do we: from the drums we compose a band that they would fit, and the network learns to go from band to drums.

The band listens. The bass leans on the kick; guitar and piano go with the hats, the snare, the accents; the chords
turn over where the drummer fills or crashes; loud sections are choruses; everyone plays in the drummer's own time,
early where he is early. Each of these only is likely, never certain, and the rest is up to chance: key, chords,
instruments, roles, registers, density, who rests. So one performance gives as many songs as there are seeds.

What a network can learn from such pairs is to undo our own rules, and how human drummers time and weigh their strokes
when the music is known. It cannot learn from them what a drummer would do for *music*: the band is as good as these
rules, it has no melody that means anything, and its part follows from the drums more closely than any real band's.
A score on such pairs says nothing about real songs; only real songs do.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import numpy as np

from drumbook.bands.drum_analysis import TURN, DrumAnalysis, analyse_drums
from drumbook.bands.parts import SLOT, BandContext, Harmony, Performer, perform
from drumbook.bands.styles import ROLES, Role, Style, style_of
from drumlib.music import (
    DRUM_OF_PITCH,
    DRUM_OF_ROLAND_PITCH,
    FAMILIES,
    PITCH_OF_DRUM,
    STEPS_PER_BAR,
    Grid,
    Song,
    Track,
    groove_of,
)
from drumlib.music.grid import merge_notes
from drumlib.music.kit import DRUM_CHANNEL
from drumlib.music.songbook.arrange import read_chords
from drumlib.music.songbook.harmony import Chord

DRUM_OF_ANY_PITCH = DRUM_OF_PITCH | DRUM_OF_ROLAND_PITCH
"""General MIDI's drums and the Roland kit's: the two never contradict each other."""

REST = 0.12
"""How likely the guitar or the piano rests in a section of up to eight bars."""

OBEY = 0.9
"""How likely a chord changes where the drummer marks a bar line inside a section."""

REGISTERS = {
    "piano": (((53, 70), (69, 86)), ((57, 76), (72, 88)), ((60, 79), (64, 81))),
    "guitar": (((48, 67), (64, 81)), ((52, 71), (55, 74)), ((55, 76), (62, 84))),
}
"""Ranges to choose from, each for chords and for lines."""


@dataclass(frozen=True, eq=False)
class BandPlan:
    """What a band agrees on before it plays.

    Attributes
    ----------
    heard : the drummer, as the band hears them.
    manner : how the style is played.
    harmony : key and chords.
    roles : for each family, what its player does in each section; None is a rest.
    """

    drums: DrumAnalysis
    manner: Style
    harmony: Harmony
    roles: dict[str, list[Role | None]]


def compose(drums: Song, style: str, seed: int, drum_of_pitch: Mapping[int, int] = DRUM_OF_ANY_PITCH) -> Song:
    """Compose a band for a drummer's performance.

    Parameters
    ----------
    drums
        A song with drums, in 4/4 throughout, of at least four bars. What else plays in it is left out.
    style
        As in the Groove MIDI Dataset: ``"funk"``, ``"latin/brazilian-samba"``. An unknown style is played as pop.
    seed
        The same performance, style and seed give the same song.
    drum_of_pitch
        Which drum (0-8) a pitch is; by default as General MIDI and the Roland kit have it.

    Returns
    -------
    Song
        Piano, guitar, bass and drums. The strokes are the drummer's, as loud and as long and at the same ticks; their
        pitches are General MIDI's for their class (``kit.PITCH_OF_DRUM``), or as they were if they are no drum of ours.

    Raises
    ------
    ValueError
        If nobody drums, or not in 4/4, or for less than four bars.
    """
    agreed = plan(drums, style, seed, drum_of_pitch)
    grid, bars = Grid(drums), agreed.drums.bars
    seconds = [drums.seconds(bar.tick) for bar in grid.bars[:bars]] + [drums.seconds(grid.bars[bars - 1].end)]
    stage = BandContext(grid, np.maximum(1e-3, np.diff(seconds) * 1000 / STEPS_PER_BAR))
    tracks = []
    for channel, (family, programs) in enumerate(zip(FAMILIES, agreed.manner.programs, strict=True)):
        rng = _chance(drums, style, seed, family)
        program, player = rng.choice(programs), _player(family, agreed.manner, rng)
        notes = perform(player, agreed.roles[family], agreed.drums, agreed.harmony, stage, rng)
        tracks.append(Track(notes, program, channel=channel, name=family.capitalize()))
    tracks.append(
        Track(_as_general_midi(merge_notes(drums.drums).array, drum_of_pitch), 0, True, DRUM_CHANNEL, "Drums")
    )
    return Song(drums.ticks_per_beat, tracks, drums.tempos, drums.meters, f"{drums.name} {seed}".strip())


def plan(drums: Song, style: str, seed: int, drum_of_pitch: Mapping[int, int] = DRUM_OF_ANY_PITCH) -> BandPlan:
    """What the band of ``compose`` agrees on: the same arguments, the same errors."""
    heard, manner, rng = analyse_drums(drums, drum_of_pitch), style_of(style), _chance(drums, style, seed, "plan")
    return BandPlan(heard, manner, harmonize(heard, manner, rng), _roles(heard, manner, rng))


def _chance(drums: Song, style: str, seed: int, name: str) -> Random:
    """A source of chance for each player of each performance: the same seed does not give all songs the same key."""
    what = merge_notes(drums.drums).array.astype("<i8").tobytes() + style.encode("utf-8", "replace")
    return Random(f"{hashlib.blake2b(what, digest_size=8).hexdigest()} {seed} {name}")


def harmonize(heard: DrumAnalysis, manner: Style, rng: Random) -> Harmony:
    """Choose a key, chords for verse and chorus, and lay them out so that they turn over where the drummer does."""
    key, times = rng.randrange(12), rng.choice((1, 1, 2, 2, 2))
    texts = {False: rng.choice(manner.verses), True: rng.choice(manner.choruses)}
    home = read_chords(rng.choice(manner.home))[0]
    bars: list[list[Chord]] = []
    for number, section in enumerate(heard.sections):
        chords = [bar for bar in read_chords(texts[section.chorus]) for _ in range(times)]
        at = 0
        for bar in range(section.bar, section.bar + section.bars):
            if bar > section.bar and heard.turns[bar] >= TURN and rng.random() < OBEY:
                at = next((at + i for i in range(len(chords)) if chords[(at + i) % len(chords)] != bars[-1]), at)
            bars.append(chords[at % len(chords)])
            at += 1
        following = heard.sections[number + 1 :]
        if following and section.bars > 1:
            first = read_chords(texts[following[0].chorus])[0]
            if bars[-1][-1] == first[0] or rng.random() < 0.5:
                lead = home if home[-1] != first[0] else read_chords("F")[0]
                bars[-1] = [bars[-1][0], lead[-1]] if rng.random() < 0.4 else lead
    bars[-1] = read_chords(texts[heard.sections[-1].chorus])[0]
    halves = [bar[half * len(bar) // 2] for bar in bars for half in range(STEPS_PER_BAR // SLOT)]
    moved = tuple(Chord((c.root + key) % 12, c.intervals, (c.bass + key) % 12) for c in halves)
    return Harmony(moved, key, rng.random() < manner.push)


def _roles(heard: DrumAnalysis, manner: Style, rng: Random) -> dict[str, list[Role | None]]:
    """What each player does in each section: one thing in all verses, perhaps another in the choruses; or nothing."""
    chosen = {"bass": [rng.choice(manner.bass)] * 2, "guitar": [], "piano": []}
    for chorus in (False, True):
        for family, names in (("guitar", manner.guitar), ("piano", manner.piano)):
            taken = chosen["guitar"][chorus:] if family == "piano" else []
            free = [ROLES[name] for name in names if ROLES[name] not in taken]
            if any(role.shape == "line" for role in taken):  # somebody must play the chords
                free = [role for role in free if role.shape != "line"]
            keep = chorus and rng.random() < 0.4 and chosen[family][0] in free
            chosen[family].append(chosen[family][0] if keep else rng.choice(free))
    roles: dict[str, list[Role | None]] = {family: [] for family in FAMILIES}
    for section in heard.sections:
        rests = rng.choice(("guitar", "piano")) if section.bars <= 8 and rng.random() < REST else None
        for family in FAMILIES:
            roles[family].append(None if family == rests else chosen[family][section.chorus])
    return roles


def _player(family: str, manner: Style, rng: Random) -> Performer:
    """Somebody to play bass, guitar or piano."""
    chords, lines = rng.choice(REGISTERS.get(family, (((0, 0), (0, 0)),)))
    return Performer(
        chords,
        lines,
        size=rng.choice((3, 3, 4)),
        late=rng.gauss(0, 4),
        spread=rng.uniform(3, 8),
        strum=rng.uniform(2, 9) if family == "guitar" else rng.uniform(0, 2),
        density=rng.random(),
        degrees=manner.degrees,
    )


def _as_general_midi(strokes: np.ndarray, drum_of_pitch: Mapping[int, int]) -> np.ndarray:
    """The same notes, (notes, 4), with the pitches that General MIDI has for their drums."""
    pitches = np.arange(128)
    for pitch, drum in drum_of_pitch.items():
        pitches[pitch] = PITCH_OF_DRUM[drum]
    strokes = strokes.copy()
    strokes[:, 1] = pitches[strokes[:, 1]]
    return strokes


def share_together(song: Song, family: str, drum: int, drums: Song | None = None) -> float:
    """The share of a family's onsets that fall on a sixteenth on which a drum (0-8) is struck too, in [0, 1].

    With ``drums``, those of another song are taken: what the share would be by accident. Only steps that both songs
    have count. Not a number if the family does not play.
    """
    struck = groove_of(drums or song).hits[:, drum] > 0  # (steps,)
    grid = Grid(song)
    steps = np.unique(grid.locate(merge_notes(song.parts(family)).ticks)[0])
    steps = steps[steps < min(grid.steps, len(struck))]
    return float(struck[steps].mean()) if len(steps) else math.nan
