"""Blues shuffle, A, 112 beats a minute, in triplets (12 signs a bar): twelve-bar choruses and a minor bridge."""

from drumlib.music.songbook.arrange import Feel, Player, Sheet, bass, comp, part, tune

PLAYERS = {
    "piano": Player("Piano", 0, level=0.95, late=4, spread=7),
    "guitar": Player("Guitar", 26, level=0.92, late=4, spread=6, strum=4),
    "bass": Player("Bass", 32, level=1.05, late=2, spread=5),
}
FEEL = Feel(snare=14, kick=2, hat=0, upbeat=4, spread=5)

CALL = tune(  # three lines of a blues: said, said again, answered
    """
    r:2 E4:1 G4:2 A4:1 C5:2! A4:1 G4:2 E4:1       | A4:6 r:6           | r:12 | r:12
  | r:2 E4:1 G4:2 A4:1 C5:2! D5:1 C5:2 A4:1       | C5:6! r:6          | r:12 | r:12
  | r:2 D5:1 F#5:2! E5:1 D5:2 B4:1 A4:2 F#4:1     | G#4:3 B4:3 E4:6    | A4:6 r:6 | r:12""",
    steps=12,
)
ANSWER = tune(
    """
    r:12 | r:12 | r:2 C5:1 E5:2! D5:1 C5:2 A4:1 r:3   | r:2 G4:1 A4:6 r:3
  | r:12 | r:12 | r:2 E5:1 G5:2! E5:1 C#5:2 A4:1 r:3  | r:2 A#4:1 C#5:6 r:3
  | r:12 | r:12 | r:6 C#5:2 A#4:1 C#5:3               | D5:2! B4:1 F#4:3 G#4:2 B4:1 D5:3""",
    steps=12,
)
HOOK = tune(
    """
    D5:3! D5:2 F5:1 F#5:2 D5:1 A4:3      | C5:3! C5:2 D5:1 A4:6
  | A4:3! A4:2 C5:1 C#5:2 A4:1 E4:3      | G4:3! G4:2 A4:1 E4:6
  | D5:3! D5:2 F5:1 F#5:2 D5:1 A4:3      | C5:3! C5:2 D5:1 A4:6
  | A4:3! A4:2 C5:1 C#5:2 E5:1 F#5:3     | E5:3 C#5:2 A#4:1 F#4:6
  | B4:3! D5:2 F#5:1 A5:3! F#5:2 D5:1    | E5:3 D5:2 B4:1 G#4:6
  | A4:2 C5:1 C#5:3 D5:2 F#5:1 A5:3!     | A5:3! r:3 G#5:3! r:3""",
    steps=12,
)
HOOK_BELOW = tune(  # the piano doubles the riff an octave down, and fills its gaps
    """
    D4:3! D4:2 F4:1 F#4:2 D4:1 A3:3      | C4:3! C4:2 D4:1 A3:3 F#5+C6:2! E5+B5:1
  | A3:3! A3:2 C4:1 C#4:2 A3:1 E3:3      | G3:3! G3:2 A3:1 E3:3 G5+C#6:2! G5+C#6:1
  | D4:3! D4:2 F4:1 F#4:2 D4:1 A3:3      | C4:3! C4:2 D4:1 A3:3 F#5+C6:2! E5+B5:1
  | A3:3! A3:2 C4:1 C#4:2 E4:1 F#4:3     | E4:3 C#4:2 A#3:1 F#3:6""",
    steps=12,
)

VERSE_DRUMS = """
    hat   x.ox.ox.ox.o
    snare ..?X....?X.g|...X.g..?X..
    kick  x.....x....o|x..o..x....."""
CHORUS_DRUMS = """
    ride  x.xx.xx.xx.x
    pedal ...o.....o..
    snare ..gX....gX.g|...X.g..gX.g
    kick  x..o..x..o.o|x..o..x....."""
BRIDGE_DRUMS = """
    hat   x..o..x..o..
    rim   ......x.....|......x..?..
    kick  x....o......|x....ox....."""
FILL = """
    hat   x.ox.o......
    snare ..gX..xgxXxx
    kick  x.....x....."""
BIG_FILL = """
    snare x.xXxx......
    high  ......xxx...
    mid   .........x..
    low   ..........xX
    kick  x..x..x..x.."""

intro = part(
    "intro",
    chords="E7 | D7 | A7 F#7 | Bm7 E7",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.88,
    guitar=tune(
        """
        G#4+D5:3! G#4+D5:2 G#4+D5:1 r:3 B4:2 D5:1 | F#4+C5:3! F#4+C5:2 F#4+C5:1 r:3 A4:2 C5:1
      | C#5:2! A4:1 E4:3 C#5:2 A#4:1 F#4:3        | D5:2 B4:1 F#4:3 G#4:2 B4:1 D5:3!""",
        steps=12,
    ),
    bass=bass("1--3--5--u--|1--3--5--u--|1--3--1--u--|1--3--1--u--"),
    piano=comp("...x.x...x.x|...x.x...x.x|x-----x-----|x-----x.....", low=54, high=74),
)
verse = part(
    "verse",
    chords="A7 | D7 | A7 | % | D7 | Ebdim7 | A7 | F#7 | Bm7 | E7 | A7 F#7 | Bm7 E7",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.88,
    guitar=[comp("x-xo-ox-xo-o", "boogie", low=43, level=0.75), ANSWER],
    bass=bass("""1--3--5--u-- | 1--3--5--u-- | 1--3--5--6-- | 8--7--5--d-- | 1--3--5--6-- | 1--3--5--u--
               | 1--3--5--d-- | 1--3--5--d-- | 1--3--5--d-- | 1--3--5--u-- | 1--3--1--d-- | 1--3--1--u--"""),
    piano=[CALL, comp("............|............|.....x-..x..|...x.x......", low=54, high=72, level=0.8)],
)
chorus = part(
    "chorus",
    chords="D9 | % | A7 | % | D9 | % | A7 | F#7 | Bm7 | E7 | A7 D7 | A7 E7",
    drums=CHORUS_DRUMS,
    fill=BIG_FILL,
    level=1.02,
    guitar=HOOK,
    bass=bass("""1--3--5--6-- | 8--7--5--d-- | 1--3--5--6-- | 8--7--5--u-- | 1--3--5--6-- | 8--7--5--d--
               | 1--3--5--d-- | 1--3--5--d-- | 1--3--5--d-- | 1--3--5--u-- | 1--3--1--d-- | 1--3--1--d--"""),
    piano=[HOOK_BELOW, comp("x-xx-xx-xx-x|x-xx-xx-xx-x|x-xx-xx-xx-x|x--...x--...", low=56, high=77, at=8)],
)
bridge = part(
    "bridge",
    chords="Dm7 | G7 | C6 | F9 | Bm7b5 | E7b9 | Am7 | E7#9",
    drums=BRIDGE_DRUMS,
    fill=BIG_FILL,
    level=0.88,
    guitar=tune(
        """
        A4:5! F4:1 A4:2 C5:1 D5:3    | F5:6! D5:2 B4:1 r:3
      | E5:5! D5:1 C5:2 A4:1 G4:3    | Eb5:6! C5:2 A4:1 r:3
      | D5:3 F5:3 A5:6!              | G#5:6 F5:2 D5:1 B4:3
      | C5:3 E5:3 A5:6!              | G5:3! E5:3 G#4:3 B4:3""",
        steps=12,
    ),
    bass=bass(
        "1-----5-----|1-----5--u--|1-----5-----|1-----5--d--|1-----5--d--|1-----5--u--|1-----5--d--|1--5--8--u--"
    ),
    piano=comp(".....x-----.|.....x---x-x", low=55, high=74),
)
ending = part(
    "ending",
    chords="D9 | Ebdim7 | A7 F#7 | Bm7 E7 | A7 | A9",
    drums=CHORUS_DRUMS,
    fill="""
        snare x..XxxX.xxxX|............
        kick  x.....x..x..|X...........
        crash ............|X...........""",
    guitar=[
        tune(
            """
            D5:3! D5:2 F5:1 F#5:2 D5:1 A4:3   | C5:3! C5:2 D5:1 A4:6
          | C#5:2! A4:1 E4:3 C#5:2 A#4:1 F#4:3 | D5:2 B4:1 F#4:3 G#4:2 B4:1 D5:3!
          | C#5:2! A4:1 r:3 C5:2! A4:1 G4:2 E4:1""",
            steps=12,
        ),
        comp("X-----------", low=52, high=72, at=5),
    ],
    bass=bass("1--3--5--6--|1--3--5--u--|1--3--1--d--|1--3--1--d--|1--5--7--6-u|1-----------"),
    piano=comp("x-xx-xx-xx-x|x-xx-xx-xx-x|x-----x-----|x-----x-----|x-....x-....|X-----------", low=55, high=76),
)

SHEET = Sheet(
    "Half Past the Hill",
    bpm=112,
    seed=5,
    players=PLAYERS,
    feel=FEEL,
    drum_level=1.02,
    form=[intro, verse, chorus, bridge, chorus.but(level=1.06), ending],
)
