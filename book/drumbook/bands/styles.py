"""The styles of a composed band: chords, instruments, and the roles of its players.

A *role* says what one player does: which drums to follow, on which sixteenths of the bar to play by habit, how many of
them, and what to play there. A habit is written as 16 digits, one a sixteenth: 0 never, 9 almost certainly.

Chords are written in C major or A minor, ``"Am | % | F G | C"``, and transposed to a random key. So the scale of every
song is a transposition of the white keys; some chords of blues and jazz have notes outside it.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Role:
    """What one player does.

    Attributes
    ----------
    shape : what is played: ``"chord"``, ``"top"`` (its two highest notes), ``"broken"`` (note after note), ``"power"``,
        ``"octaves"``, ``"line"`` (a riff on the scale), and for basses ``"bass"`` or ``"walk"``.
    listens : the voice of the drums to follow: ``"kick"``, ``"snare"``, ``"time"`` or ``"accents"``.
    habit : 16 digits.
    count : the fewest and the most onsets in a bar.
    hold : the length of a note, as a share of the time to the next onset.
    extra : the probability of an onset on a hit of the drums that is not in the habit.
    alone : the probability of an onset of the habit without a hit of the drums.
    level : MIDI velocity, before the drummer's own level.
    """

    shape: str
    listens: str
    habit: str
    count: tuple[int, int]
    hold: float = 0.9
    extra: float = 0.08
    alone: float = 0.6
    level: int = 72


ROLES = {
    "pad": Role("chord", "accents", "9000000030000000", (1, 2), hold=0.97, extra=0.02, alone=0.9, level=62),
    "strum": Role("chord", "time", "9050607090506070", (4, 8), hold=0.8, extra=0.15, alone=0.4, level=66),
    "scratch": Role("top", "time", "3263527332635273", (5, 9), hold=0.5, extra=0.15, alone=0.3, level=70),
    "chop": Role("chord", "snare", "0000900000109000", (2, 2), hold=0.25, extra=0.3, alone=0.5, level=74),
    "skank": Role("chord", "time", "0090009000900090", (3, 4), hold=0.4, extra=0.02, alone=0.8, level=72),
    "broken": Role("broken", "time", "9050706090507060", (6, 8), hold=0.98, extra=0.15, alone=0.6, level=64),
    "picked": Role("broken", "time", "9030609060306090", (4, 7), hold=0.98, extra=0.1, alone=0.6, level=66),
    "riff": Role("line", "accents", "9013206250142052", (3, 6), hold=0.85, extra=0.1, level=72),
    "tune": Role("line", "snare", "4020504050306040", (2, 4), hold=0.95, extra=0.1, alone=0.7, level=76),
    "power": Role("power", "kick", "9030302060302030", (2, 5), hold=0.9, extra=0.3, alone=0.4, level=66),
    "chug": Role("power", "time", "9090909090909090", (6, 8), hold=0.5, extra=0.1, alone=0.6, level=60),
    "octaves": Role("octaves", "accents", "6030603060306030", (4, 7), hold=0.4, extra=0.1, alone=0.5, level=66),
    "stabs": Role("chord", "accents", "6001003020010050", (1, 3), hold=0.4, extra=0.12, level=74),
    "comp": Role("chord", "snare", "4001004230020042", (2, 3), hold=0.5, extra=0.15, alone=0.6, level=66),
    "four": Role("chord", "time", "9000900090009000", (4, 4), hold=0.6, extra=0.02, alone=0.95, level=56),
    "montuno": Role("broken", "time", "9250525052505250", (6, 9), hold=0.7, extra=0.15, alone=0.6, level=68),
}
"""Roles for guitar and piano."""

EIGHTHS = Role("bass", "kick", "9040503070405030", (4, 7), hold=0.9, extra=0.35, alone=0.4, level=78)
LEAN = Role("bass", "kick", "9012103140122031", (3, 6), hold=0.7, extra=0.4, alone=0.3, level=80)
SPARSE = Role("bass", "kick", "9000102030002010", (2, 4), hold=0.95, extra=0.4, alone=0.35, level=80)
WALKING = Role("walk", "kick", "9000900090009000", (4, 4), hold=0.92, extra=0.2, alone=0.95, level=74)
TWO_BEAT = Role("bass", "kick", "9000001090000010", (2, 3), hold=0.8, extra=0.3, alone=0.7, level=78)
TUMBAO = Role("bass", "kick", "4001008010038030", (2, 4), hold=0.9, extra=0.35, alone=0.5, level=78)
SINGING = Role("bass", "kick", "5013204080403020", (3, 6), hold=0.85, extra=0.35, alone=0.5, level=80)


@dataclass(frozen=True)
class Style:
    """How a band plays in a style.

    Attributes
    ----------
    verses, choruses : chords to choose from, for quiet and for loud sections.
    home : chords that lead back to where a section begins.
    bass, guitar, piano : the roles to choose from; one that is named twice is twice as likely.
    degrees : the chord degrees that the bass plays beside the root.
    programs : the instruments to choose from, General MIDI programs from 0: of piano, guitar, bass.
    push : the probability that the band anticipates chords: a note on the last eighth already belongs to the next.
    """

    verses: tuple[str, ...]
    choruses: tuple[str, ...]
    home: tuple[str, ...]
    bass: tuple[Role, ...]
    guitar: tuple[str, ...]
    piano: tuple[str, ...]
    degrees: str
    programs: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    push: float = 0.2


POP = Style(
    verses=("C | % | Am | F", "C | G | Am | F", "Am | % | F | G", "F | % | C | G", "C | Em | F | G", "Am | F | C | %"),
    choruses=("F | G | Am | C", "C | G | F | %", "Am | F | C | G", "F | C | G | Am", "Dm | F | C | G"),
    home=("G", "Gsus4", "F"),
    bass=(EIGHTHS, LEAN, SPARSE),
    guitar=("strum", "strum", "picked", "chop", "riff", "pad"),
    piano=("pad", "strum", "broken", "stabs", "tune"),
    degrees="1111585",
    programs=((0, 0, 1, 4), (24, 25, 27, 27), (33, 33, 34)),
)
ROCK = replace(
    POP,
    verses=("Am | % | F | G", "C | % | F | G", "Am | G | F | G", "C | F | C | G", "Am | % | % | G", "Em | % | G | Am"),
    choruses=("F | C | G | Am", "C | G | Am | F", "F | G | Am | %", "C | F | G | %", "Am | C | G | F"),
    home=("G", "Gsus4", "F G"),
    bass=(EIGHTHS, EIGHTHS, LEAN),
    guitar=("power", "power", "chug", "strum", "riff"),
    piano=("pad", "strum", "stabs", "tune", "broken"),
    degrees="1111158",
    programs=((0, 0, 1), (27, 29, 29, 30), (33, 34, 34)),
)
FUNK = Style(
    verses=("Dm9 | % | G13 | %", "Am7 | % | % | Dm9", "Em7 | % | Am7 | %", "C9 | % | % | F9", "Dm7 | % | % | G13"),
    choruses=("Fmaj7 | Em7 | Dm7 | G13", "F9 | G9 | Am7 | %", "Bbmaj7 | C9 | Dm9 | %", "Dm9 | Em7 | Fmaj7 | G13"),
    home=("G13", "E7#9", "A7#9"),
    bass=(LEAN, LEAN, SINGING),
    guitar=("scratch", "scratch", "chop", "riff", "octaves"),
    piano=("stabs", "riff", "comp", "pad", "scratch"),
    degrees="1118857",
    programs=((0, 4, 4, 7), (27, 27, 28), (33, 36, 34)),
    push=0.4,
)
JAZZ = Style(
    verses=(
        "Dm7 | G13 | Cmaj9 | A7b9",
        "Cmaj7 | Am7 | Dm9 | G13",
        "Dm7 G7 | Em7 A7b9 | Dm7 G7 | C69",
        "Am9 | D13 | Dm9 | G13",
        "Am7 | % | Dm7 | E7b9",
    ),
    choruses=(
        "Fmaj7 | Fm6 | Em7 | A7b9",
        "C7 | F9 | C7 | %",
        "Fmaj7 | Bm7b5 E7b9 | Am7 | D13",
        "Em7 | A7b9 | Dm9 | G13",
    ),
    home=("Dm7 G7", "G13", "G7b9"),
    bass=(WALKING, WALKING, WALKING, SPARSE),
    guitar=("four", "four", "comp", "tune", "pad"),
    piano=("comp", "comp", "stabs", "tune"),
    degrees="135",
    programs=((0, 0, 4), (26, 26, 26, 24), (32, 32, 33)),
    push=0.4,
)
BLUES = replace(
    JAZZ,
    verses=("C7 | F7 | C7 | % | F7 | % | C7 | % | G7 | F7 | C7 | G7", "Am7 | % | Dm7 | Am7", "C7 | % | F7 | C7"),
    choruses=("F7 | % | C7 | %", "F9 | % | C7 | A7", "C7 | F7 | C7 | G7"),
    home=("G7", "G7#9"),
    bass=(WALKING, EIGHTHS, TWO_BEAT),
    guitar=("chug", "comp", "riff", "four"),
    piano=("comp", "broken", "tune", "strum"),
    degrees="13561",
    programs=((0, 0, 1), (26, 27, 29), (32, 33, 33)),
)
LATIN = Style(
    verses=("Dm7 | G7 | Cmaj7 | %", "Am7 | % | Dm7 | E7b9", "C | F | G | F", "Am | G | F | E7", "Am | % | E7 | %"),
    choruses=("F | G | Am | %", "Dm7 | G9 | C69 | A7b9", "C | % | Dm7 | G7", "Am | Dm | E7 | Am"),
    home=("E7", "G7", "E7b9"),
    bass=(TUMBAO, TUMBAO, TWO_BEAT),
    guitar=("picked", "comp", "strum", "skank", "tune"),
    piano=("montuno", "montuno", "comp", "stabs", "tune"),
    degrees="15158",
    programs=((0, 0, 1), (24, 24, 25, 27), (32, 33, 35)),
    push=0.6,
)
AFRO = replace(
    LATIN,
    verses=("Am7 | % | % | Dm7", "C | F | G | F", "Am7 | Em7 | Am7 | Dm9", "C | Am | F | G", "Dm9 | % | Am7 | %"),
    choruses=("C | F | C | G", "Dm9 | Em7 | Am7 | %", "F | G | C | Am"),
    home=("G", "Em7", "E7#9"),
    bass=(SINGING, LEAN, TUMBAO),
    guitar=("picked", "picked", "scratch", "octaves", "riff"),
    piano=("stabs", "riff", "comp", "montuno"),
    degrees="1185513",
    programs=((0, 4, 7), (27, 27, 28, 25), (33, 33, 36)),
    push=0.4,
)
REGGAE = Style(
    verses=("Am | % | Dm | %", "C | G | Am | F", "Am7 | Em7 | Dm7 | %", "F | G | F | C", "Am | G | % | Am"),
    choruses=("F | G | Am | %", "C | F | G | %", "Dm | F | G | Am"),
    home=("Em7", "G", "E7"),
    bass=(SINGING, SINGING, LEAN),
    guitar=("skank", "skank", "skank", "riff", "scratch"),
    piano=("skank", "pad", "tune", "stabs"),
    degrees="1135815",
    programs=((0, 1, 4), (27, 27, 28), (33, 33, 32)),
)
HIPHOP = Style(
    verses=("Am9 | % | Fmaj7 | %", "Dm9 | % | Am7 | %", "Am7 | % | % | Em7", "Fmaj9 | % | Em7 | %"),
    choruses=("Fmaj9 | Em7 | Dm9 | %", "Am9 | Dm9 | Em7 | %", "Dm9 | G13 | Cmaj9 | Am7"),
    home=("Em7", "E7#9", "G9sus4"),
    bass=(SPARSE, SPARSE, LEAN),
    guitar=("riff", "picked", "chop", "scratch", "tune"),
    piano=("pad", "stabs", "comp", "riff", "broken"),
    degrees="1111587",
    programs=((4, 4, 5, 0), (26, 27, 28, 24), (33, 38, 39, 32)),
    push=0.3,
)
SOUL = Style(
    verses=("C6 | Am7 | Dm7 | G9sus4", "C | Em7 | Fmaj7 | G7sus4", "C | % | F | %", "Am7 | Dm7 | G9 | Cmaj7"),
    choruses=("F | C/E | Dm7 | G7", "Fmaj7 | Em7 | Am7 | D9", "F | G | C | Am7", "Dm7 | Em7 | Fmaj7 | G9sus4"),
    home=("G9sus4", "Dm7 G7", "G7"),
    bass=(LEAN, EIGHTHS, SINGING),
    guitar=("chop", "chop", "picked", "tune", "strum"),
    piano=("strum", "pad", "broken", "comp", "stabs"),
    degrees="1135685",
    programs=((0, 0, 4), (26, 27, 27), (33, 33, 32)),
    push=0.3,
)
COUNTRY = replace(
    POP,
    verses=("C | % | F | C", "C | % | G | %", "C | F | G | C", "Am | % | C | G"),
    choruses=("F | C | G | C", "F | % | C | G", "G | F | C | %"),
    bass=(TWO_BEAT, TWO_BEAT, EIGHTHS),
    guitar=("strum", "skank", "picked", "broken", "tune"),
    piano=("chop", "skank", "tune", "pad"),
    degrees="15153",
    programs=((0, 0, 1), (25, 25, 27), (32, 33, 34)),
)

STYLES = {
    **dict.fromkeys(("pop", "dance", "middleeastern"), POP),
    **dict.fromkeys(("rock", "punk", "prog", "indie"), ROCK),
    **dict.fromkeys(("funk", "neworleans", "purdieshuffle", "fusion"), FUNK),
    **dict.fromkeys(("jazz", "swing"), JAZZ),
    **dict.fromkeys(("blues", "shuffle"), BLUES),
    **dict.fromkeys(("latin", "bossa", "samba", "songo", "chacha", "rhumba"), LATIN),
    **dict.fromkeys(("afrobeat", "afrocuban", "highlife", "bembe"), AFRO),
    **dict.fromkeys(("reggae", "sambareggae"), REGGAE),
    **dict.fromkeys(("hiphop", "breakbeat"), HIPHOP),
    **dict.fromkeys(("soul", "motown", "gospel"), SOUL),
    **dict.fromkeys(("country", "folk", "rockabilly"), COUNTRY),
}
"""From a word in the name of a style to its ``Style``."""


def style_of(style: str) -> Style:
    """The style of a name: of the words in ``"latin/brazilian-samba"``, the last that is in ``STYLES``; else pop."""
    words = style.lower().replace("/", " ").replace("-", " ").split()
    return next((STYLES[word] for word in reversed(words) if word in STYLES), POP)
