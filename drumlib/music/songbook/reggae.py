"""Reggae, B minor, 76 beats a minute: the one drop (kick and cross-stick on three), the skank, a bass that sings."""

from drumlib.music.songbook.arrange import Feel, Player, Sheet, bass, comp, part, tune

PLAYERS = {
    "piano": Player("Piano", 1, level=0.9, late=4, spread=6),
    "guitar": Player("Clean guitar", 27, level=1.1, late=3, spread=5, strum=4),
    "bass": Player("Bass", 33, level=0.98, late=6, spread=5),
}
FEEL = Feel(snare=8, kick=5, hat=0, upbeat=3, spread=4, swing=0.57)

VERSE_TUNE = tune("""
    r:4 F#5:2! E5:2 D5:4 B4:4        | r:4 E5:2! F#5:2 G5:4 E5:4
  | r:4 F#5:2! E5:2 D5:4 B4:2 A4:2   | r:4 A4:2 C#5:2 E5:4 C#5:4
  | r:4 F#5:2! E5:2 D5:4 B4:4        | r:4 E5:2! F#5:2 G5:4 B5:4
  | A5:2 F#5:2 E5:2 D5:6 r:4         | C#5:8! A4:4 r:4""")
ANSWER = tune(  # three small notes where the piano waits
    "r:16 | r:16 | r:16 | r:16 | r:16 | r:16 | r:10 B4:1 D5:1 F#5:4! | r:12 C#5:1 E5:1 F#5:2!", level=0.9
)
HOOK = tune("""
    B4+D5:3! B4+D5:3 D5+G5:2 D5+G5:4 r:4    | C#5+E5:3! C#5+E5:3 E5+A5:2 E5+A5:4 r:4
  | D5+F#5:3! D5+F#5:3 F#5+A5:2 D5+F#5:4 A4+D5:4 | F#4+D5:6 F#4+B4:6 r:4
  | B4+D5:3! B4+D5:3 D5+G5:2 D5+G5:4 r:4    | C#5+E5:3! C#5+E5:3 E5+A5:2 E5+A5:4 r:4
  | A4+E5:3! A4+E5:3 A4+C#5:2 F#4+A4:4 A4+C#5:4 | F#4+B4:12 r:4""")
DUB = tune("""
    r:4 B4:2! D5:2 E5:2 G5:6        | r:4 C#5:2! E5:2 F#5:2 A5:6
  | B5:4! A5:2 G5:2 D5:4 r:4        | A5:4! E5:2 C#5:2 A4:4 r:4
  | r:4 B4:2! D5:2 E5:2 G5:6        | r:4 C#5:2! E5:2 F#5:2 A5:6
  | B5:4! A5:2 G5:2 r:8             | A#4:4 C#5:4 F#5:8!""")

SKANK = comp("..x...x...x...x.|..x...x...x...xo", low=57, high=74, size=3)
BASS = bass("1-.1..5-8-..5-3-|1-.1..3-5-..3-u-")

VERSE_DRUMS = """
    hat   x.xxx.xxx.xxx.x.|x.xxx.xxx.xxx.xo
    rim   ........X.......|........X.....?.
    kick  ........X......."""
CHORUS_DRUMS = """
    hat   x.xxx.xxx.xxx...|x.xxx...x.xxx.x.
    open  ..............x.|......x.........
    snare ........X.......|........X......g
    kick  x...x...X...x..."""
BRIDGE_DRUMS = """
    hat   x...x...x...x...
    rim   ...x..x.....x...|......x.X.......
    high  ................|..............oo
    kick  ........x......."""
FILL = """
    hat   x.xxx...........
    snare ....x..xX.......
    high  ..........xx....
    low   ............x.xX
    kick  ........X......."""
PICK_UP = """
    snare X..x..X.x.x.....
    high  ...........xx...
    mid   .............x..
    low   ..............xX
    kick  x.....x........."""

intro = part(
    "intro",
    chords="Bm7 | Em7 | Bm7 | F#m7",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.92,
    crash=False,
    guitar=SKANK,
    bass=BASS,
    piano=comp("..x...x...x...x.", low=52, high=69, size=3, level=0.85),
)
verse = part(
    "verse",
    chords="Bm7 | Em7 | Bm7 | F#m7 | Bm7 | Em7 | G6 | F#m7",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.92,
    guitar=[SKANK, ANSWER],
    bass=BASS,
    piano=VERSE_TUNE,
)
chorus = part(
    "chorus",
    chords="G | A | D | Bm7 | G | A | F#m7 | Bm7",
    drums=CHORUS_DRUMS,
    fill=FILL,
    level=1.02,
    guitar=comp("..x...x...x...xx|..xk..xk..xk..xk", low=57, high=74, size=3),
    bass=bass("1---1-3-5---3-u-|1---1-5-8-5-3-u-"),
    piano=[HOOK, comp("..x-..x-..x-..x-", low=52, high=66, size=3, level=0.8)],
)
bridge = part(
    "bridge",
    chords="Em7 | F#m7 | G6 | A | Em7 | F#m7 | Gmaj7 | F#7",
    drums=BRIDGE_DRUMS,
    fill=PICK_UP,
    level=0.92,
    guitar=DUB,
    bass=bass("1--1--5-........|1--1--5-....8-u-"),
    piano=comp("..x.............|..x...x.........", low=57, high=76, level=1.05),
)
ending = part(
    "ending",
    chords="G | A | Bm7 | Bm7",
    drums=VERSE_DRUMS,
    fill="""
        hat   x.xxx...........|................
        snare ....x..xX..xx.xX|................
        kick  ........X.......|X...............
        crash ................|X...............""",
    level=0.96,
    guitar=[SKANK.until(3), comp("X---------------", low=57, high=74, at=3)],
    bass=bass("1---1-3-5---3-u-|1---1-5-8-5-3-u-|1-.1..5-8-..5-7-|1---------------"),
    piano=[
        tune("""
            B4+D5:3! B4+D5:3 D5+G5:2 D5+G5:4 r:4 | C#5+E5:3! C#5+E5:3 E5+A5:2 E5+A5:4 r:4
          | F#5+B5:3! D5+F#5:3 B4+D5:2 r:8       | F#4+B4:16"""),
    ],
)

SHEET = Sheet(
    "Slow Ferry Sunday",
    bpm=76,
    seed=17,
    players=PLAYERS,
    feel=FEEL,
    form=[intro, verse, chorus, verse.but(level=0.92, fill=PICK_UP), bridge, chorus.but(level=1.06), ending],
)
