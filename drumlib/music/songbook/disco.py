"""Disco, C minor, 118 beats a minute: four on the floor, a bass in octaves, hats that open between the beats."""

from drumlib.music.songbook.arrange import Feel, Player, Sheet, bass, comp, part, tune

PLAYERS = {
    "piano": Player("Piano", 0, level=0.98, spread=5),
    "guitar": Player("Clean guitar", 27, level=1.05, late=-2, spread=4, strum=3, hold=0.8),
    "bass": Player("Fingered bass", 33, level=1.02, spread=4, hold=0.85),
}
FEEL = Feel(snare=2, kick=-1, hat=0, upbeat=2, spread=3)

VERSE_TUNE = tune("""
    r:2 G4:2 Bb4:2 C5:4! Bb4:2 G4:4      | r:6 F4:2 G4:6 r:2
  | r:2 C5:2 Eb5:2 G5:4! Eb5:2 C5:4      | r:6 Bb4:2 D5:6 r:2
  | r:2 G4:2 Bb4:2 C5:4! Bb4:2 G4:4      | r:6 F4:2 G4:6 r:2
  | r:2 Ab4:2 C5:2 Eb5:4 F5:2 G5:4!      | F5:4 D5:4 B4:6 r:2""")
OCTAVE_RIFF = tune("""
    r:16 | D4+D5:2! r:2 r:8 Bb3+Bb4:1 D4+D5:1 F4+F5:2!
  | r:16 | F4+F5:2! r:2 r:8 D4+D5:1 F4+F5:1 G4+G5:2!
  | r:16 | D4+D5:2! r:2 r:8 Bb3+Bb4:1 D4+D5:1 F4+F5:2!
  | r:16 | r:16""")
HOOK = tune("""
    C5+C6:2! C5+C6:2 C5+C6:2 Ab4+Ab5:2 C5+C6:4 Eb5+Eb6:4    | D5+D6:2! D5+D6:2 D5+D6:2 Bb4+Bb5:2 D5+D6:4 F5+F6:4
  | Eb5+Eb6:2! Eb5+Eb6:2 Eb5+Eb6:2 C5+C6:2 Eb5+Eb6:4 G5+G6:4 | F5+F6:6! D5+D6:2 Bb4+Bb5:4 r:4
  | C5+C6:2! C5+C6:2 C5+C6:2 Ab4+Ab5:2 C5+C6:4 Eb5+Eb6:4    | D5+D6:2! D5+D6:2 D5+D6:2 Bb4+Bb5:2 D5+D6:4 F5+F6:4
  | Eb5+Eb6:2! F5+F6:2 G5+G6:2 Ab5+Ab6:2 C6+C7:8!           | C6:6! G5:2 B5:4 r:4""")
BREAK_RIFF = """
    C4+C5:2! r:1 C4+C5:1 Eb4+Eb5:2 C4+C5:2 G4+G5:2! F4+F5:2 Eb4+Eb5:2 C4+C5:2
  | r:4 Bb3+Bb4:2! C4+C5:2 r:8
  | {third}:2! r:1 {third}:1 C4+C5:2 {third}:2 F4+F5:2! Eb4+Eb5:2 C4+C5:2 {third}:2
  | r:4 {low}:2! C4+C5:2 r:8"""

VERSE_DRUMS = """
    hat   x.x.x.x.x.x.x.x.|%|%|x.x.x.x.x.x.x...
    open  ................|%|%|..............x.
    snare ....X.......X...|....X.......X..?
    kick  x...x...x...x..."""
CHORUS_DRUMS = """
    hat   x..ox..ox..ox..o
    open  ..x...x...x...x.
    snare ....X.......X...|....X.......X.gg
    kick  x...x...x...x..."""
BREAK_DRUMS = """
    hat   xoxoxoxoxoxoxoxo
    kick  x...x...x...x...
    rim   ................|%|%|..x..x..x......."""
FILL = """
    hat   x.x.x.x.x.......
    snare ....X.......xxXx
    high  ..........xx....
    kick  x...x...x...x..."""
BUILD = """
    snare o...o...o...o...|o.o.o.o.oooooxxX
    hat   xoxoxoxoxoxoxoxo|%
    open  ................|..............x.
    kick  x...x...x...x...|x...x...x...x..."""

CHUCK = comp("kkx.kkx.kkx.kkxx|kkx.kkx.kkX.k.X.", low=60, high=78, size=3)

intro = part(
    "intro",
    chords="Cm9 | Bb | Cm9 | Bb",
    drums=BREAK_DRUMS,
    fill=FILL,
    level=0.92,
    guitar=CHUCK,
    bass=bass("................|%|1.8.1.8.1.8.1.8.|1.8.1.8.1.8.7.u."),
)
verse = part(
    "verse",
    chords="Cm9 | Gm7 | Abmaj7 | Bb | Cm9 | Gm7 | Fm9 | G7sus4 G7",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.88,
    guitar=[OCTAVE_RIFF, comp("..x.kkx.kkx.kkx.|......x...x.....", low=60, high=78, size=3, level=0.9)],
    bass=bass("1..81..81..51.u.|1..81..81.8.5.u."),
    piano=[VERSE_TUNE],
)
chorus = part(
    "chorus",
    chords="Fm7 | Gm7 | Abmaj7 | Bb13 | Fm7 | Gm7 | Ab6 | G7sus4 G7",
    drums=CHORUS_DRUMS,
    fill=FILL,
    level=1.0,
    guitar=CHUCK,
    bass=bass("1.8.1.8.1.8.1.8.|1.8.1.8.1.8.5.u."),
    piano=[HOOK, comp("x--x--x---..x-..", low=53, high=68, size=3, level=0.8)],
)
bridge = part(
    "bridge",
    chords="Cm7 | % | F9 | % | Cm7 | % | Ab6 | G7sus4 G7",
    drums=BREAK_DRUMS,
    fill=BUILD,
    level=0.92,
    guitar=[
        tune(BREAK_RIFF.format(third="A3+A4", low="A3+A4")),
        tune(BREAK_RIFF.format(third="Ab3+Ab4", low="Bb3+Bb4"), at=4).until(6),
        comp("X..X..X...X.X...|x.x.x.x.xxxxX.X.", low=60, high=78, size=3, at=6),
    ],
    bass=bass("1..1..8.1..5..7.|1..1..8.7.8.5.u."),
    piano=comp("................|....x--x--......|................|....x--x--......|x---------------", low=58, high=77),
)
ending = part(
    "ending",
    chords="Abmaj7 | Bb13 | Cm7 | Cm7",
    drums=CHORUS_DRUMS,
    fill="""
        hat   x..ox...........|................
        open  ..x.............|................
        snare ....X.X.xxX.xxxX|................
        kick  x...x.x.x.x.x...|X...............
        crash ................|X...............""",
    guitar=[CHUCK.until(3), comp("X---------------", low=60, high=78, at=3)],
    bass=bass("1.8.1.8.1.8.5.u.|1.8.1.8.1.8.5.u.|1.8.1.8.1.1.1.u.|1---------------"),
    piano=[
        tune("""
            Eb5+Eb6:2! Eb5+Eb6:2 Eb5+Eb6:2 C5+C6:2 Eb5+Eb6:4 G5+G6:4
          | F5+F6:6! D5+D6:2 Bb4+Bb5:4 D5+D6:4
          | C5+C6:2! Eb5+Eb6:2 G5+G6:2 Bb5+Bb6:2 C6+C7:8! | C5+C6:16!"""),
        comp("x--x--x---..x-..|%|x--x--x---......|X---------------", low=53, high=68, level=0.8),
    ],
)

SHEET = Sheet(
    "Mirrorball Weather",
    bpm=118,
    seed=13,
    players=PLAYERS,
    feel=FEEL,
    form=[intro, verse, chorus, verse.but(level=0.92), chorus, bridge, chorus.but(level=1.06), ending],
)
