"""Composing a band to a drummer's performance, for training pairs of a band and human drums.

MIDI files of whole songs mostly have programmed drums, and recordings of human drummers have no band. Gillick et al.
(2019) derive the input of a training pair from the performance by a simple rule, and train a network to invert it. Here
the input is a band that is composed to the drums, and the network learns to go from band to drums.

The bass follows the kick; guitar and piano follow the hats, the snare or the accents; chords change at fills and
crashes; loud sections are choruses; all players share the drummer's timing. Each of these is probable, not certain.
Everything else is random: key, chords, instruments, roles, registers, density, rests. So a performance gives another
song for each seed.

From such pairs, a network can learn to invert these rules, and how human drummers time and accent their hits when the
music is given. It cannot learn from them what drummers play to *real* music: the band is only as good as the rules, and
depends on the drums more closely than any real band. A score on such pairs does not predict one on real songs.
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
"""The probability that the guitar or the piano rests in a section of up to eight bars."""

OBEY = 0.9
"""The probability that a chord changes where the drummer marks a bar line inside a section."""

REGISTERS = {
    "piano": (((53, 70), (69, 86)), ((57, 76), (72, 88)), ((60, 79), (64, 81))),
    "guitar": (((48, 67), (64, 81)), ((52, 71), (55, 74)), ((55, 76), (62, 84))),
}
"""Ranges to choose from, each for chords and for lines."""


@dataclass(frozen=True, eq=False)
class BandPlan:
    """What is decided for the whole band before its notes are composed.

    Attributes
    ----------
    drums : the analysis of the drums.
    style : how the style is played.
    harmony : key and chords.
    roles : for each family, its role in each section; None is a rest.
    """

    drums: DrumAnalysis
    style: Style
    harmony: Harmony
    roles: dict[str, list[Role | None]]


def compose(drums: Song, style: str, seed: int, drum_of_pitch: Mapping[int, int] = DRUM_OF_ANY_PITCH) -> Song:
    """Compose a band for a drummer's performance.

    Parameters
    ----------
    drums
        A song with drums, in 4/4 throughout, of at least four bars. Its other tracks are left out.
    style
        As in the Groove MIDI Dataset: ``"funk"``, ``"latin/brazilian-samba"``. An unknown style is played as pop.
    seed
        The same performance, style and seed give the same song.
    drum_of_pitch
        Which drum (0-8) a pitch is; by default as General MIDI and the Roland kit have it.

    Returns
    -------
    Song
        Piano, guitar, bass and drums. The drum notes keep their ticks, velocities and lengths; their pitches become
        ``kit.PITCH_OF_DRUM`` of their class, or stay as they are if they are of none.

    Raises
    ------
    DrumsError
        If there are no drums, or fewer than four bars, or a bar that is not in 4/4.
    """
    planned = plan(drums, style, seed, drum_of_pitch)
    grid, bars = Grid(drums), planned.drums.bars
    seconds = [drums.seconds(bar.tick) for bar in grid.bars[:bars]] + [drums.seconds(grid.bars[bars - 1].end)]
    context = BandContext(grid, np.maximum(1e-3, np.diff(seconds) * 1000 / STEPS_PER_BAR))
    tracks = []
    for channel, (family, programs) in enumerate(zip(FAMILIES, planned.style.programs, strict=True)):
        rng = _random(drums, style, seed, family)
        program, player = rng.choice(programs), _performer(family, planned.style, rng)
        notes = perform(player, planned.roles[family], planned.drums, planned.harmony, context, rng)
        tracks.append(Track(notes, program, channel=channel, name=family.capitalize()))
    tracks.append(
        Track(_as_general_midi(merge_notes(drums.drums).array, drum_of_pitch), 0, True, DRUM_CHANNEL, "Drums")
    )
    return Song(drums.ticks_per_beat, tracks, drums.tempos, drums.meters, f"{drums.name} {seed}".strip())


def plan(drums: Song, style: str, seed: int, drum_of_pitch: Mapping[int, int] = DRUM_OF_ANY_PITCH) -> BandPlan:
    """The plan of ``compose``, with the same arguments and errors."""
    analysis, played, rng = analyse_drums(drums, drum_of_pitch), style_of(style), _random(drums, style, seed, "plan")
    return BandPlan(analysis, played, harmonize(analysis, played, rng), _roles(analysis, played, rng))


def _random(drums: Song, style: str, seed: int, name: str) -> Random:
    """A random generator for one player, seeded by the performance too: equal seeds do not give all songs one key."""
    what = merge_notes(drums.drums).array.astype("<i8").tobytes() + style.encode("utf-8", "replace")
    return Random(f"{hashlib.blake2b(what, digest_size=8).hexdigest()} {seed} {name}")


def harmonize(drums: DrumAnalysis, style: Style, rng: Random) -> Harmony:
    """Choose a key and chords for verse and chorus, and place them so that they change at the drums' marked bars."""
    key, times = rng.randrange(12), rng.choice((1, 1, 2, 2, 2))
    texts = {False: rng.choice(style.verses), True: rng.choice(style.choruses)}
    home = read_chords(rng.choice(style.home))[0]
    bars: list[list[Chord]] = []
    for number, section in enumerate(drums.sections):
        chords = [bar for bar in read_chords(texts[section.chorus]) for _ in range(times)]
        at = 0
        for bar in range(section.bar, section.bar + section.bars):
            if bar > section.bar and drums.turns[bar] >= TURN and rng.random() < OBEY:
                at = next((at + i for i in range(len(chords)) if chords[(at + i) % len(chords)] != bars[-1]), at)
            bars.append(chords[at % len(chords)])
            at += 1
        following = drums.sections[number + 1 :]
        if following and section.bars > 1:
            first = read_chords(texts[following[0].chorus])[0]
            if bars[-1][-1] == first[0] or rng.random() < 0.5:
                lead = home if home[-1] != first[0] else read_chords("F")[0]
                bars[-1] = [bars[-1][0], lead[-1]] if rng.random() < 0.4 else lead
    bars[-1] = read_chords(texts[drums.sections[-1].chorus])[0]
    halves = [bar[half * len(bar) // 2] for bar in bars for half in range(STEPS_PER_BAR // SLOT)]
    moved = tuple(Chord((c.root + key) % 12, c.intervals, (c.bass + key) % 12) for c in halves)
    return Harmony(moved, key, rng.random() < style.push)


def _roles(drums: DrumAnalysis, style: Style, rng: Random) -> dict[str, list[Role | None]]:
    """Each player's role in each section: one for all verses, perhaps another for all choruses; None is a rest."""
    chosen = {"bass": [rng.choice(style.bass)] * 2, "guitar": [], "piano": []}
    for chorus in (False, True):
        for family, names in (("guitar", style.guitar), ("piano", style.piano)):
            taken = chosen["guitar"][chorus:] if family == "piano" else []
            free = [ROLES[name] for name in names if ROLES[name] not in taken]
            if any(role.shape == "line" for role in taken):  # the chords must be played
                free = [role for role in free if role.shape != "line"]
            keep = chorus and rng.random() < 0.4 and chosen[family][0] in free
            chosen[family].append(chosen[family][0] if keep else rng.choice(free))
    roles: dict[str, list[Role | None]] = {family: [] for family in FAMILIES}
    for section in drums.sections:
        rests = rng.choice(("guitar", "piano")) if section.bars <= 8 and rng.random() < REST else None
        for family in FAMILIES:
            roles[family].append(None if family == rests else chosen[family][section.chorus])
    return roles


def _performer(family: str, style: Style, rng: Random) -> Performer:
    """A random player of bass, guitar or piano."""
    chords, lines = rng.choice(REGISTERS.get(family, (((0, 0), (0, 0)),)))
    return Performer(
        chords,
        lines,
        size=rng.choice((3, 3, 4)),
        late=rng.gauss(0, 4),
        spread=rng.uniform(3, 8),
        strum=rng.uniform(2, 9) if family == "guitar" else rng.uniform(0, 2),
        density=rng.random(),
        degrees=style.degrees,
    )


def _as_general_midi(notes: np.ndarray, drum_of_pitch: Mapping[int, int]) -> np.ndarray:
    """Drum notes, (notes, 4), with the General MIDI pitches of their drums."""
    pitches = np.arange(128)
    for pitch, drum in drum_of_pitch.items():
        pitches[pitch] = PITCH_OF_DRUM[drum]
    notes = notes.copy()
    notes[:, 1] = pitches[notes[:, 1]]
    return notes


def share_together(song: Song, family: str, drum: int, drums: Song | None = None) -> float:
    """The share of the steps with an onset of a family on which a drum (0-8) has a hit too, in [0, 1].

    With ``drums``, the hits of another song are used, for the share by chance. Only steps that both songs have count.
    NaN if the family does not play.
    """
    hits = groove_of(drums or song).hits[:, drum] > 0  # (steps,)
    grid = Grid(song)
    steps = np.unique(grid.locate(merge_notes(song.parts(family)).ticks)[0])
    steps = steps[steps < min(grid.steps, len(hits))]
    return float(hits[steps].mean()) if len(steps) else math.nan
