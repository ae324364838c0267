"""Bossa nova, B flat, 128 beats a minute: nylon guitar, cross-stick clave, a tune that leans over the bar lines."""

from drumlib.music.songbook.arrange import Feel, Player, Sheet, bass, comp, part, tune

PLAYERS = {
    "piano": Player("Piano", 0, level=1.0, late=6, spread=8),
    "guitar": Player("Nylon guitar", 24, level=0.8, late=0, spread=5, strum=5),
    "bass": Player("Acoustic bass", 32, level=0.98, late=1, spread=5),
}
FEEL = Feel(snare=4, kick=0, hat=-1, upbeat=3, spread=4)

VERSE_TUNE = tune("""
    r:4 D5:2 F5:4! A5:4 G5:2       | ~:2 F5:4 D5:6 r:4
  | r:4 C5:2 Eb5:4! G5:4 F#5:2     | ~:4 Eb5:2 D5:6 r:4
  | r:4 Bb4:2 D5:4! F5:4 E5:2      | ~:4 D5:2 C5:6 r:4
  | r:4 Eb5:2 G5:4! D5:4 C5:2      | ~:2 D5:10 r:4""")
CHORUS_TUNE = tune("""
    G5+Bb5:6! Eb5+G5:2 D5+F5:2 Eb5+G5:6    | Gb5+Bb5:6! Eb5+Gb5:2 C5+F5:2 Eb5+Gb5:6
  | F5+A5:6! D5+F5:2 C5+E5:2 D5+F5:6       | F5+Ab5:6! D5+F5:2 B4+D5:2 F4+B4:6
  | r:2 G4:2 C5:2 Eb5:2 Bb4+G5:8!          | A4+Gb5:6! Eb5:2 C5:2 Eb4+A4:6
  | r:2 C5:2 D5:2 F5:2 D5+G5:2 D5+F5:6     | Bb4+D5:10 r:6""")
BRIDGE_TUNE = tune("""
    r:2 D4:2 G4:2 Bb4:4! A4:6      | G4:4 E4:2 D4:6 r:4
  | r:2 C4:2 F4:2 Ab4:4! C5:6      | Bb4:4 Ab4:2 F4:6 r:4
  | r:2 Bb3:2 Eb4:2 G4:4! F4:6      | Eb4:4 G4:4 F#4:4 A4:4
  | Bb4:4! D5:4 E5:4 D5:4          | Eb5:4! D5:4 C5:4 A4:4""")

BOSSA = "x-x..x-.|x-.x-.x-"
BASS = "1--55--1|1--55--u"

VERSE_DRUMS = """
    hat   oooooooo
    pedal ..o...o.
    rim   x..x..x.|..x.x...
    kick  x..ox..o"""
CHORUS_DRUMS = """
    ride  xoxoxoxo|xoxoxoxo|xoxoxoxo|xoxoxxxo
    pedal ..o...o.
    rim   x..x..x.|..x.x...
    kick  x..xx..x
    high  ........|........|........|......o."""
BRIDGE_DRUMS = """
    hat   o.ooo.oo
    rim   ..x...x.|..x.....
    kick  x...o...|x...o..o
    low   ........|.....o.o"""
FILL = """
    hat   oo......
    snare ..o.xx.x
    high  ...x..x.
    kick  x..ox..o"""
SOFT_FILL = """
    hat   oooo....
    rim   ..x.....
    high  ....x.x.
    low   .....x.x
    kick  x..ox..o"""

intro = part(
    "intro",
    chords="Bbmaj9 | F9sus4 | Bbmaj9 | F13",
    drums=VERSE_DRUMS,
    fill=SOFT_FILL,
    level=0.84,
    crash=False,
    guitar=comp(BOSSA, low=50, high=72),
    bass=bass("........|........|1--55--1|1--55--d"),
)
verse = part(
    "verse",
    chords="Bbmaj9 | % | Am7b5 | D7b9 | Gm7 | C9 | Cm7 | F13",
    drums=VERSE_DRUMS,
    fill=SOFT_FILL,
    level=0.88,
    guitar=comp(BOSSA, low=50, high=70),
    bass=bass(BASS),
    piano=VERSE_TUNE,
)
chorus = part(
    "chorus",
    chords="Eb6 | Ebm6 | Dm7 | G7b9 | Cm9 | F7b9 | Bb69 | F9sus4",
    drums=CHORUS_DRUMS,
    fill=FILL,
    level=1.0,
    guitar=comp("x-x..x-x|.x-x-.x-", low=50, high=70),
    bass=bass("1--58--5|1--55--d"),
    piano=[CHORUS_TUNE, comp("........|........|........|...x-.x-", low=53, high=65, size=3, level=0.8)],
)
bridge = part(
    "bridge",
    chords="Gm7 | Gm6 | Fm7 | Bb13 | Ebmaj9 | Am7b5 D7b9 | Gm7 C9 | Cm7 F13",
    drums=BRIDGE_DRUMS,
    fill=FILL,
    level=0.86,
    crash=False,
    guitar=BRIDGE_TUNE,
    bass=bass("1---5---|1---5--d|1---5---|1---5--u|1---5---|1--u1--u|1--u1--u|1--u1--d"),
    piano=comp("x---....|..x-..x-|x---....|..x-..x-|x---....|x---x---|x---x---|x---x-x-", low=58, high=79),
)
ending = part(
    "ending",
    chords="Eb6 | Ebm6 | Bb69 | Bbmaj9",
    drums=VERSE_DRUMS,
    fill="""
        hat   oooooo..|........
        rim   x..x..x.|........
        high  ......x.|........
        low   .......x|........
        kick  x..ox..o|x.......
        ride  ........|x.......
        crash ........|o.......""",
    level=0.9,
    guitar=comp("x-x..x-.|x-.x-.x-|x-x..x-.|X-------", low=50, high=72),
    bass=bass("1--55--5|1--55--d|1--55--5|1-------"),
    piano=tune("""
        G5+Bb5:6! Eb5+G5:2 D5+F5:2 Eb5+G5:6 | Gb5+Bb5:6! Eb5+Gb5:2 C5+F5:2 Eb5+Gb5:6
      | r:2 C5:2 D5:2 F5:2 D5+G5:2 D5+F5:6  | A5+D6:16"""),
)

SHEET = Sheet(
    "Low Tide Letter",
    bpm=128,
    seed=7,
    players=PLAYERS,
    feel=FEEL,
    drum_level=1.12,
    form=[intro, verse, verse.but(fill=FILL, level=0.92), chorus, bridge, verse, chorus.but(level=1.04), ending],
)
