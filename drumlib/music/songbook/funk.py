"""Funk, D minor, 104 beats a minute, sixteenths a little swung: the guitar scratches, the bass answers the kick."""

from drumlib.music.songbook.arrange import Feel, Player, Sheet, bass, comp, part, tune

PLAYERS = {
    "piano": Player("Electric piano", 4, level=0.62, late=3, spread=6),
    "guitar": Player("Clean guitar", 27, level=1.1, late=-2, spread=4, strum=3, hold=0.8),
    "bass": Player("Fingered bass", 33, level=1.02, late=2, spread=4, hold=0.85),
}
FEEL = Feel(snare=9, kick=1, hat=-1, upbeat=2, spread=4, swing=0.55)

SCRATCH = comp("kkX.kkkxk.kkX.kk|kk.kX.kkkkx.kkXk", low=60, high=79, size=3)
KEYS = tune("""
    r:4 A4+C5:2! r:1 C5:1 D5:2 r:6              | r:16
  | r:4 A4+C5:2! r:1 C5:1 D5:1 F5:1 D5:4 r:2    | r:16
  | r:4 A4+C5:2! r:1 C5:1 D5:2 r:6              | r:16
  | r:4 D5+F5:2! r:1 F5:1 G5:1 F5:1 D5:2 C5:4   | r:6 C5+G5:2! C5+G5:3 r:5""")
ANSWER = tune("""
    r:16 | r:8 D5:1 F5:1 G5:2! F5:1 D5:3        | r:16 | r:8 B4:1 D5:1 F5:2! D5:1 B4:3
  | r:16 | r:8 D5:1 F5:1 G5:2! A5:1 G5:3        | r:16 | r:16""")
HOOK = tune("""
    D5+D6:3! F5+F6:3 A5+A6:2 r:2 G5+G6:2 F5+F6:4 | E5+E6:3! E5+E6:3 G5+G6:2 r:8
  | C5+C6:3! E5+E6:3 G5+G6:2 r:2 E5+E6:2 C5+C6:4 | D5+D6:6 r:10
  | D5+D6:3! F5+F6:3 A5+A6:2 r:2 G5+G6:2 F5+F6:4 | G5+G6:3! E5+E6:3 C5+C6:2 r:8
  | Bb4:2 D5:2 F5:4! A5:4 G5:4                   | G5+G6:3! E5+E6:3 C#5+C#6:2 r:8""")

VERSE_DRUMS = """
    hat   x.xxx.x.x.xxx.x.|x.x.x.xxx.x.x...
    open  ................|..............x.
    snare ....X..g.g..X..?|....X..g.g.?X..g
    kick  x.x....x..x.....|x.x......xx..x.."""
CHORUS_DRUMS = """
    hat   x..xx..xx..xx..x
    open  ..x...x...x...x.
    snare ....X..g....X.?.|....X..g.g..X..g
    kick  x..x....x.x.....|x..x..x...x..x.."""
BRIDGE_DRUMS = """
    ride  x...x.x.x...x.x.
    pedal ....o.......o...
    rim   ........x.......|........x.....?.
    kick  x.....x.........|x.....x...x....."""
FILL = """
    hat   x.x.x.x.........
    snare ....X..gxgxxX.xx
    kick  x.x....x..x...x."""
BIG_FILL = """
    hat   x.x.............
    snare ....X.xx.xx.....
    high  ........x..x....
    mid   ............xx..
    low   ..............xX
    kick  x..x..x.x..x.x.."""

intro = part(
    "intro",
    chords="Dm9 | G13 | Dm9 | G13",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.88,
    crash=False,
    guitar=SCRATCH,
    bass=bass("................|%|1--1..8.7.5..7g.|1--1..8.7-..5.u-"),
)
verse = part(
    "verse",
    chords="Dm9 | G13 | Dm9 | G13 | Dm9 | G13 | Dm9 | A7#9",
    drums=VERSE_DRUMS,
    fill=FILL,
    level=0.9,
    guitar=[SCRATCH, ANSWER],
    bass=bass("1--1..8.7.5..7g.|1--1..g.8-..7.u-|1--1..8.7.5.g7g.|1--1..5-7-8-..u-"),
    piano=KEYS,
)
chorus = part(
    "chorus",
    chords="Bbmaj7 | C9 | Am7 | Dm9 | Bbmaj7 | C9 | Gm7 | A7b9",
    drums=CHORUS_DRUMS,
    fill=BIG_FILL,
    level=1.02,
    guitar=comp("kkxkkkX.kkxkk.X.", low=58, high=77, size=3),
    bass=bass("1-.1..1-5-8-..u-|1-.1..1-3-5-..u-"),
    piano=[HOOK, comp("X-----x-..x-----|X-----x-....x-x-", low=53, high=69, level=0.75)],
)
bridge = part(
    "bridge",
    chords="Ebmaj9 | % | Cm9 | % | Fm9 | % | Gm7 | A7b9",
    drums=BRIDGE_DRUMS,
    fill=BIG_FILL,
    level=0.88,
    guitar=tune("""
        r:4 Bb4:2 D5:2 F5:6! r:2         | G5:4 F5:2 D5:2 Bb4:6 r:2
      | r:4 G4:2 Bb4:2 D5:6! r:2         | Eb5:4 D5:2 Bb4:2 G4:6 r:2
      | r:4 C5:2 Eb5:2 G5:6! r:2         | Ab5:4 G5:2 Eb5:2 C5:6 r:2
      | r:2 D5:2 F5:2 A5:2 Bb5:4! A5:4   | G5:3! E5:3 C#5:2 r:8"""),
    bass=bass("1-----1-........|1-----5---8-7-5-"),
    piano=comp("x-----------x---|..x-------------", low=53, high=74),
)
ending = part(
    "ending",
    chords="Dm9 | G13 | Dm9 | Dm7",
    drums=VERSE_DRUMS,
    fill="""
        hat   x.x.............|................
        snare ....X.xx.xx.xxxX|.......X........
        kick  x..x..x.x..x....|x..x..x.........
        crash ................|.......X........""",
    guitar=[SCRATCH.until(3), comp("X..X..kX--------", low=60, high=79, size=3, at=3)],
    bass=bass("1--1..8.7.5..7g.|1--1..g.8-..7.u-|1--1..8.7.5.g7u.|1..1..g8--------"),
    piano=[KEYS.until(3), comp("X..X...X--------", low=53, high=76, at=3)],
)

SHEET = Sheet(
    "Elbow Room",
    bpm=104,
    seed=3,
    players=PLAYERS,
    feel=FEEL,
    form=[
        intro,
        verse,
        chorus,
        verse.but(fill=BIG_FILL, level=0.94),
        chorus,
        bridge,
        chorus.but(level=1.06, fill=FILL),
        ending,
    ],
)
