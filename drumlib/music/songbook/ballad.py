"""Ballad, E flat, 72 beats a minute: the verse climbs, the chorus answers by falling, the bridge turns dark."""

from drumlib.music.songbook.arrange import Feel, Player, Sheet, bass, comp, part, tune

PLAYERS = {
    "piano": Player("Piano", 0, level=0.95, spread=9, strum=4),
    "guitar": Player("Steel-string guitar", 25, level=1.0, late=5, spread=8, strum=8),
    "bass": Player("Fretless bass", 35, level=0.88, late=6, spread=7),
}
FEEL = Feel(snare=18, kick=4, hat=2, upbeat=4, spread=6)

VERSE_TUNE = tune("""
    r:4 G4:4 Bb4:4 Eb5:4!     | D5:6 Bb4:2 F4:4 r:4
  | r:4 Eb4:4 G4:4 C5:4!      | Bb4:6 G4:2 D4:4 r:4
  | r:4 C5:4 Eb5:4 Ab5:4!     | G5:6 Eb5:2 Bb4:4 r:4
  | r:4 Ab4:4 C5:4 Eb5:4!     | Eb5:8 D5:6 r:2""")
VERSE_ANSWER = tune(
    """
    r:16 | r:10 F4:2 Bb4:2 D5:2 | C5:4 r:12 | r:10 D5:2 F5:2 G5:2
  | Ab5:4 r:12 | r:10 Bb4:2 Eb5:2 G5:2 | F5:4 r:12 | r:16""",
    level=0.85,
)
HOOK = tune("""
    Eb5+G5:6! D5+F5:2 C5+Eb5:4 Ab4+C5:4   | Bb4+D5:6 D5+F5:2 F4+Bb4:8
  | D5+F5:6! C5+Eb5:2 Bb4+D5:4 F4+Bb4:4   | G4+Eb5:6 Eb5+G5:2 Eb4+C5:8
  | C5+Ab5:6! Bb4+G5:2 Ab4+F5:4 Eb4+C5:4  | Bb4+Eb5:8! Ab4+D5:4 D5+F5:4
  | G4+Eb5:12 r:4                         | r:4 F4:4 Bb4:4 D5:4""")
BRIDGE_TUNE = tune("""
    r:4 Eb4:4 G4:4 C5:4       | Eb5:8! D5:4 C5:4
  | r:4 Bb4:4 Eb5:4 G5:4      | F5:6! Ab5:2 G5:4 F5:4
  | Eb5:12 G5:4               | A5:8! G5:4 F5:4
  | Ab5:6! F5:2 Eb5:4 B4:4    | Bb4:4 Eb5:4 D5:4 F5:4""")
ARPEGGIO = "1-2-3-4-3-2-3-2-"
PAD = "o---------------|%|%|o-------o-------"

VERSE_DRUMS = """
    hat   x.o.o.o.x.o.o.o.|x.o.o.o.x.o.o.oo
    rim   ....x.......x...
    kick  x.........o.....|x......o..x....."""
CHORUS_DRUMS = """
    ride  x.o.x.o.x.o.x.o.|x.o.x.o.x.o.x.oo
    snare ....X.......X...|....X..g....X..g
    kick  x......xx.......|x.....ox..x....."""
BRIDGE_DRUMS = """
    low   x..o..x.x..o..x.|x..o..x.x..o..xo
    mid   ....o.......o...
    pedal ....x.......x...
    kick  x.......x......."""
FILL = """
    hat   x.o.o.o.........
    snare ....x.......o.xx
    high  ........x.x.....
    low   ...........x.x..
    kick  x.......x...x..."""
BIG_FILL = """
    snare x...X..xx.x.xxxx
    high  .........x......
    mid   ...........x....
    low   .............x..
    kick  x...x...x...x..."""

intro = part(
    "intro",
    chords="Eb | Bb/D | Abmaj7 | Bb7sus4 Bb7",
    drums="""
        hat   ................|%|x.o.o.o.x.o.o.o.
        pedal ....o.......o...|%|................
        ride  x.......o.......|%|................""",
    fill=FILL,
    level=0.9,
    crash=False,
    piano=[
        tune("r:4 G5:4 Bb5:4 Eb6:4! | D6:6 Bb5:2 F5:8 | r:4 G5:4 Eb5:4 C5:4 | Eb5:8! D5:8"),
        comp("1-2-3-2-1-2-3-2-", low=51, high=69, size=3, level=0.85),
    ],
    bass=bass("................|%|1---------------|1-------1---5-u-"),
)
verse = part(
    "verse",
    chords="Eb | Bb/D | Cm7 | Gm7 | Ab | Eb/G | Fm7 | Bb7sus4 Bb7",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.92,
    crash=False,
    piano=[VERSE_TUNE, comp("1-2-3-2-1-2-3-2-", low=48, high=65, size=3, level=0.7)],
    guitar=[VERSE_ANSWER, comp(PAD, low=48, high=64, level=0.9)],
    bass=bass("1---------1-5-u-|1-----------u---"),
)
chorus = part(
    "chorus",
    chords="Ab | Bb | Gm7 | Cm7 | Fm7 | Bb7sus4 Bb7 | Eb | Bb/D",
    drums=CHORUS_DRUMS,
    fill=FILL,
    level=1.02,
    piano=[HOOK, comp("X-------x-----x-", low=50, high=66, size=3, level=0.8)],
    guitar=comp(ARPEGGIO, low=50, high=72, level=1.05),
    bass=bass("1-----1-5---1-u-|1-----1-5-8-5-u-"),
)
bridge = part(
    "bridge",
    chords="Cm | Ab | Eb/G | Dm7b5 G7 | Cm | F7 | Abm6 | Bb7sus4 Bb7",
    drums=BRIDGE_DRUMS,
    fill=BIG_FILL,
    level=0.92,
    guitar=[BRIDGE_TUNE, comp(PAD, low=48, high=64, level=0.85)],
    piano=comp("1-3-2-4-3-4-2-3-", low=55, high=79, level=0.9),
    bass=bass("1-------1-------|1-------1---5-u-"),
)
ending = part(
    "ending",
    chords="Abmaj7 Bb | Gm7 Cm7 | Abm6 | Ebmaj9",
    drums=VERSE_DRUMS,
    fill="""
        hat   x.o.o.o.o.......|................
        rim   ....x...........|................
        high  ..........o.....|................
        low   ............o.o.|................
        kick  x.......o.......|x...............
        ride  ................|o...............
        crash ................|x...............""",
    level=0.92,
    piano=[
        tune("Eb5+G5:6! D5+F5:2 D5+F5:8 | D5+F5:6 C5+Eb5:2 C5+Eb5:8 | r:4 Eb5:4 F5:4 Ab5:4 | G5+D6:16"),
        comp("1-2-3-2-1-2-3-2-|%|1-2-3-2-1-------|X---------------", low=51, high=67, size=3, level=0.8),
    ],
    guitar=comp("o-------o-------|%|o---------------|1-2-3-4---------", low=48, high=70),
    bass=bass("1-------1-----u-|1-------1-----u-|1-----------5-d-|1---------------"),
)

SHEET = Sheet(
    "Lanterns on the Water",
    bpm=72,
    seed=11,
    players=PLAYERS,
    feel=FEEL,
    drum_level=1.03,
    form=[
        intro,
        verse,
        chorus,
        verse.but(level=0.96, fill=BIG_FILL),
        bridge,
        chorus.but(level=1.08, fill=BIG_FILL),
        ending,
    ],
)
