"""A small song of our own for the tests: four bars of piano, guitar, bass and drums at 120 beats a minute."""

from drumlib.music import Note, Song, Tempo, Track

TICKS = 480
STEP = TICKS // 4


def make_song(bars: int = 4, scale: float = 1.0, name: str = "Four bars") -> Song:
    def loud(velocity):
        return max(1, round(velocity * scale))

    piano, guitar, bass, drums = [], [], [], []
    for bar in range(bars):
        start = bar * 16 * STEP
        piano += [Note(start, pitch, loud(80), 12 * STEP) for pitch in (60, 64, 67)]
        guitar += [Note(start + step * STEP, 76, loud(70), STEP) for step in (4, 12)]
        bass += [Note(start + step * STEP, 36, loud(96), 3 * STEP) for step in (0, 6, 10)]
        drums += [Note(start + step * STEP, 42, loud(64 if step % 4 else 84), 30) for step in range(0, 16, 2)]
        drums += [Note(start + step * STEP, 36, loud(112), 30) for step in (0, 8)]
        drums += [Note(start + step * STEP + 24, 38, loud(110), 30) for step in (4, 12)]  # late by a fifth of a step
    return Song(
        TICKS,
        (
            Track(tuple(piano), 0, channel=0, name="piano"),
            Track(tuple(guitar), 27, channel=1, name="guitar"),
            Track(tuple(bass), 33, channel=2, name="bass"),
            Track(tuple(drums), 0, True, 9, "drums"),
        ),
        (Tempo(0, 500_000),),
        name=name,
    )
