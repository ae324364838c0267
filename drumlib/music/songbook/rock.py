"""Rock, E minor and G major, 132 beats a minute: a riff, palm-muted verses, a chorus with open hats."""

from drumlib.music.songbook.arrange import Feel, Player, Sheet, bass, comp, part, tune

PLAYERS = {
    "piano": Player("Piano", 0, level=1.0, spread=6),
    "guitar": Player("Overdriven guitar", 29, level=0.85, spread=5, strum=4),
    "bass": Player("Bass with a pick", 34, level=1.0, spread=4),
}
FEEL = Feel(snare=3, kick=-1, hat=-2, upbeat=3, spread=4)

RIFF = tune("""
    E2+B2:3! E2+B2:3 G2+D3:2 A2+E3:2 r:2 B2:2 D3:2       | E2+B2:3! E2+B2:3 G2+D3:2 A2+E3:4 G2+D3:4
  | C3+G3:3! C3+G3:3 C3+G3:2 E3:2 r:2 D3:2 C3:2          | D3+A3:3! D3+A3:3 D3+A3:2 A3:2 G3:2 F#3:2 D3:2""")
RIFF_BASS = bass("1--1--3-4-..5-7-|1--1--3-4---3---|1--1--1-3-..2-1-|1--1--1-5-4-3-1-")

VERSE_TUNE = tune("""
    r:2 E4:2 G4:2 A4:2 B4:4! A4:2 G4:2   | E4:6 r:10
  | r:2 G4:2 A4:2 B4:2 C5:4! B4:2 G4:2   | B4:6 r:10
  | r:2 E4:2 G4:2 A4:2 B4:4! A4:2 G4:2   | E4:6 r:2 D4:2 E4:2 G4:4
  | E4:2 G4:2 C5:4! B4:2 A4:2 G4:4       | A4:10 r:6""")
VERSE_ANSWER = tune(  # the guitar speaks where the piano breathes
    "r:16 | r:8 E5:2! D5:2 B4:2 A4:2 | r:16 | r:6 G4:2 B4:2 D5:2! B4:4", level=0.95
)
HOOK = """
    {d}:3! {d}:3 {e}:2 {d}:2 {b}:6       | {a}:6 r:2 {f}:2 {a}:2 {b}:4
  | {b}:3! {b}:3 {d}:2 {b}:2 {g}:6       | {e}:6! {d}:2 {e}:4 r:4
  | {d}:3! {d}:3 {e}:2 {G}:2 {d}:6       | {F}:6! {e}:2 {d}:4 r:4
  | {e}:3! {e}:3 {G}:2 {e}:2 {d}:2 {c}:4 | {d}:12! r:4"""
OCTAVES = {  # both hands of the chorus, an octave apart
    **{"f": "F#4+F#5", "g": "G4+G5", "a": "A4+A5", "b": "B4+B5", "c": "C5+C6", "d": "D5+D6"},
    **{"e": "E5+E6", "F": "F#5+F#6", "G": "G5+G6"},
}

VERSE_DRUMS = """
    hat   x.x.x.x.x.x.x.x.
    snare ....X.......X...|....X..g....X...|....X.......X...|....X..g....X.g.
    kick  x.......x.x.....|x.....x.x.......|x.......x.x.....|x.....x.x....x.."""
CHORUS_DRUMS = """
    open  x.x.x.x.x.x.x.x.
    snare ....X.......X...|....X.......X..o
    kick  x..x....x.x.....|x..x..x.x.x....."""
BRIDGE_DRUMS = """
    ride  x.x.x.x.x.x.x.x.
    bell  ................|%|%|............x...
    snare ........X.......|........X.....g.
    kick  x.........x.....|x.....x.........
    low   ................|%|%|..............o."""
FILL = """
    hat   x.x.x.x.........
    snare ....X.......xxX.
    high  ........xx......
    mid   ..........xx....
    kick  x.......x...x..."""
BIG_FILL = """
    snare x.xxX.xxX.......
    high  ........xxx.....
    mid   ...........xx...
    low   .............xxX
    kick  x...x...x...x..x"""

intro = part(
    "intro",
    chords="Em | % | C | D",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.95,
    guitar=RIFF,
    bass=RIFF_BASS,
    piano=comp("................|%|x---------------|X---------------", low=52, high=72),
)
verse = part(
    "verse",
    chords="Em | % | C | G | Em | % | C | D",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.9,
    guitar=[comp("x.o.o.x.o.o.x.o.", "power", level=0.85), VERSE_ANSWER],
    bass=bass("1-1-1-1-1-1-1-1-|1-1-1-1-1-1-1-u-|1-1-1-1-1-1-5-u-|1-1-1-1-1-1-3-1-"),
    piano=VERSE_TUNE,
)
chorus = part(
    "chorus",
    chords="G | D/F# | Em | C | G | D/F# | C | Dsus4 D",
    drums=CHORUS_DRUMS,
    fill=BIG_FILL,
    level=1.0,
    guitar=comp("X--x--x-x---x-x-|X--x--x-x-------", "power"),
    bass=bass("1--1--1-8-5-3-1-|1--1--1-1---1-u-"),
    piano=[tune(HOOK.format(**OCTAVES)), comp("x-------x-------", low=52, high=67, size=3, level=0.8)],
)
bridge = part(
    "bridge",
    chords="Am | Em | Bm | C | Am | Em | F | D",
    drums=BRIDGE_DRUMS,
    fill=BIG_FILL,
    level=0.88,
    guitar=tune("""
        E5:8 D5:4 C5:4 | B4:14 r:2           | D5:8 F#5:8 | E5:12 r:4
      | A5:8! G5:4 E5:4 | G5:6 E5:4 B4:6      | F5:8! A5:8 | F#5:4! G5:4 A5:8!"""),
    bass=bass("1---------1-5---|1-------5---1-u-|1---------1-5---|1-------5---3-u-"),
    piano=comp("1-2-3-4-3-2-3-2-", low=52, high=74),
)
ending = part(
    "ending",
    chords="Em | C D | Em | %",
    drums=VERSE_DRUMS,
    fill="""
        snare ....X.xxX.x.xxxX|................
        low   ..............xx|................
        kick  x..x..x.x.x.....|X...............
        crash ................|X...............
        hat   x.x.............|................""",
    guitar=[
        tune("E2+B2:3! E2+B2:3 G2+D3:2 A2+E3:2 r:2 B2:2 D3:2"),
        comp("X--x--x-X--x--x-|X-----X-----X---|X---------------", "power", at=1),
    ],
    bass=bass("1--1--3-4-..5-7-|1--1--1-1--1--u-|1-----1-----1---|1---------------"),
    piano=[
        tune("r:16 | E5+E6:6! D5+D6:2 F#5+F#6:6! D5+D6:2 | E5+E6:16! | r:16"),
        comp("X---------------", low=50, high=72),
    ],
)

SHEET = Sheet(
    "Last Bus Home",
    bpm=132,
    seed=2,
    players=PLAYERS,
    feel=FEEL,
    form=[
        intro,
        verse,
        chorus,
        verse.but(level=0.94),
        chorus.but(fill=FILL),
        bridge,
        chorus.but(level=1.06),
        ending,
    ],
)
