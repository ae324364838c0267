"""Swing, F, 168 beats a minute, in triplets (12 signs a bar): a walking bass, four to the bar, calls and answers."""

from drumlib.music.songbook.arrange import Feel, Player, Sheet, bass, comp, part, tune

PLAYERS = {
    "piano": Player("Piano", 0, level=0.98, late=5, spread=6),
    "guitar": Player("Jazz guitar", 26, level=0.9, late=2, spread=5, strum=4),
    "bass": Player("Acoustic bass", 32, level=0.95, late=-2, spread=4),
}
FEEL = Feel(snare=5, kick=0, hat=-3, upbeat=2, spread=4)

VERSE_TUNE = tune(
    """
    r:3 C5:2 D5:1 F5:3! D5:2 C5:1        | Eb5:5! D5:1 C5:3 A4:3
  | r:3 Bb4:2 C5:1 D5:3! Bb4:2 G4:1      | E5:5! D5:1 Bb4:3 G4:3
  | A4:3 C5:2 F5:4! Eb5:3                | D5:5 F5:1 G#5:5! F5:1
  | C5:3 A5:3! F#5:2 Eb5:1 D5:3          | Bb4:3 D5:3 E5:3 r:3""",
    steps=12,
)
RIFF = tune(
    """
    D5+F5:2! D5+G5:1 r:3 D5+F5:2! D5+G5:1 r:3   | D5+F5:2! D5+G#5:1 r:3 D5+F5:2! D5+G#5:1 r:3
  | F5+A5:3! F5:2 D5:1 C5:3 r:3                 | r:12
  | Bb4+D5:2! D5+F5:1 r:3 Bb4+D5:2! D5+F5:1 r:3 | Bb4+E5:2! E5+G5:1 r:3 Bb4+D5:2! G4+Bb4:1 r:3
  | C5:3! E5:3 F#5:2 Eb5:1 C5:3                 | Bb4+D5:3 r:9""",
    steps=12,
)
RIFF_ANSWER = tune(
    """
    r:12 | r:12 | r:12 | r:3 A4:2 C5:1 Eb5:3! D5:3
  | r:12 | r:12 | r:12 | r:5 D5:1 Bb4:2 G4:1 C5:2 E5:1""",
    steps=12,
)
BRIDGE_TUNE = tune(
    """
    r:3 G4:2 Bb4:1 D5:3! Eb5:3           | D5:5 C5:1 A4:6
  | r:3 F4:2 A4:1 D5:3! F5:3             | G5:5! F5:1 D5:6
  | r:3 A4:2 C5:1 F5:3! A5:3             | G5:5! F5:1 D5:3 B4:3
  | r:2 Bb4:1 D5:2 F5:1 A5:3! F5:2 D5:1  | E5:3 D5:2 Bb4:1 G4:3 E4:3""",
    steps=12,
)
FOUR = comp("x-.x-.x-.x-.", low=50, high=67, size=3, level=0.72)

VERSE_DRUMS = """
    hat   x..x.xx..x.x
    snare ............|..?.....?...|............|.....?..g...
    kick  o..o..o..o.."""
CHORUS_DRUMS = """
    ride  x..X.xx..X.x
    pedal ...x.....x..
    snare ........g...|..x.....?..g|.....g......|..g..x..g..?
    kick  o..o..o..o..|o..o..o..o.x"""
SHOUT_DRUMS = """
    ride  x..X.xx..X.x
    pedal ...x.....x..
    snare ..X..g..X..g|..X..g..X..g|X.....?.....|..g..x..X..X
    kick  o.xo..o.xo..|o.xo..o.xo..|x..o..o..o..|o..o..o..o.x
    crash ............|............|x...........|............"""
BRIDGE_DRUMS = """
    ride  x..x..x..x.x
    pedal ...x.....x..
    rim   .........x..
    kick  o.....o....."""
FILL = """
    ride  x..x........
    snare ...x.xx.xX.x
    kick  x.....x....."""
BIG_FILL = """
    snare X.xxXx......
    high  ......X.x...
    mid   ........x...
    low   .........X.X
    kick  x..x..x..x.."""

intro = part(
    "intro",
    chords="F6 D7b9 | Gm7 C9 | F6 D7b9 | Gm7 C9",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.9,
    guitar=FOUR,
    bass=bass("1--5--1--u--|1--5--1--u--|1--5--1--u--|1--5--1--u--"),
    piano=comp(".....x......|x....x......|.....x......|x..x..x.....", low=58, high=77),
)
verse = part(
    "verse",
    chords="F6 | D7b9 | Gm7 | C9 | F6 F7 | Bb6 Bdim7 | F6/C D7b9 | Gm7 C9",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.88,
    guitar=FOUR,
    bass=bass(
        "1--3--5--d--|8--7--5--u--|1--3--5--d--|8--7--5--u--|1--3--1--u--|1--u--1--u--|1--d--1--u--|1--5--1--u--"
    ),
    piano=[
        VERSE_TUNE,
        comp("............|%|%|.....x......", low=52, high=66, size=3, level=0.85),
    ],
)
chorus = part(
    "chorus",
    chords="Bb6 | Bdim7 | F6/C | D7b9 | Gm7 | C9 | Am7 D7b9 | Gm7 C9",
    drums=CHORUS_DRUMS,
    fill=FILL,
    level=1.0,
    guitar=[FOUR, RIFF_ANSWER],
    bass=bass(
        "1--3--5--u--|1--3--5--u--|1--5--6--d--|8--7--5--u--|1--3--5--d--|8--7--5--d--|1--5--1--u--|1--5--1--d--"
    ),
    piano=[
        RIFF,
        comp("............|%|%|x....x......|............|%|%|%", low=55, high=72, level=0.9),
    ],
)
bridge = part(
    "bridge",
    chords="Cm9 | F13 | Bbmaj7 | Bb6 | Dm7 | G13 | Gm7 | C13",
    drums=BRIDGE_DRUMS,
    fill=BIG_FILL,
    level=0.84,
    guitar=BRIDGE_TUNE,
    bass=bass(
        "1--3--5--d--|1--3--5--u--|1--3--5--6--|8--6--5--u--|1--3--5--d--|8--7--5--d--|1--3--5--d--|8--7--5--u--"
    ),
    piano=comp("x-...x......|.....x..x-..", low=57, high=76),
)
shout = chorus.but(
    drums=SHOUT_DRUMS,
    fill=BIG_FILL,
    level=1.06,
    guitar=[comp("X-....X-....|X-....X-....|X-----......|............", low=55, high=74), RIFF_ANSWER],
)
ending = part(
    "ending",
    chords="Gm7 | C9 | F6 D7b9 | Gm7 Gb7 | F6",
    drums=CHORUS_DRUMS,
    fill="""
        ride  x..x........|............
        snare ...x.xX.xxxX|............
        kick  x.....x..x..|X...........
        crash ............|X...........""",
    guitar=[FOUR.until(4), comp("X-----------", low=52, high=70, at=4)],
    bass=bass("1--3--5--d--|8--7--5--u--|1--5--1--u--|1--5--1--d--|1-----------"),
    piano=[
        tune(
            """
            Bb4+D5:2! D5+F5:1 r:3 Bb4+D5:2! D5+F5:1 r:3 | Bb4+E5:2! E5+G5:1 r:3 Bb4+D5:2! G4+Bb4:1 r:3
          | F5+A5:3! F5:2 D5:1 C5:3 r:3 | r:3 D5:2 F5:1 E5:3! Db5:3 | C5+F5:12!""",
            steps=12,
        ),
        comp("X-----------", low=53, high=67, at=4),
    ],
)

SHEET = Sheet(
    "Seven Doors Down",
    bpm=168,
    seed=19,
    players=PLAYERS,
    feel=FEEL,
    drum_level=1.06,
    form=[intro, verse, chorus, verse, chorus.but(fill=BIG_FILL), bridge, shout, ending],
)
