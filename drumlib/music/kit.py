"""The nine drum classes, and the three families of the band.

General MIDI has some sixty percussion sounds. Roberts et al. 2018, Gillick et al. 2019 and the thesis (3.1) map them to
nine classes; a class is written as one representative pitch. The numbers 0 to 8 of the classes are the columns of
every drum array in this package.
"""

DRUMS = ("kick", "snare", "closed hi-hat", "open hi-hat", "low tom", "mid tom", "high tom", "ride", "crash")
"""Names of the nine drums, in column order."""

KICK, SNARE, CLOSED_HAT, OPEN_HAT, LOW_TOM, MID_TOM, HIGH_TOM, RIDE, CRASH = range(9)

PITCHES_READ = (
    (36, 35),
    (38, 37, 39, 40),
    (42, 44),
    (46,),
    (43, 41),
    (47, 45),
    (50, 48),
    (51, 53, 59),
    (49, 52, 55, 57),
)
"""The General MIDI percussion pitches read as each drum; the first is the one that is written (thesis, 3.1)."""

PITCH_OF_DRUM = tuple(pitches[0] for pitches in PITCHES_READ)
"""The pitch that each drum is written as."""

DRUM_OF_PITCH = {pitch: drum for drum, pitches in enumerate(PITCHES_READ) for pitch in pitches}
"""From percussion pitch to drum number. Other percussion (cowbell, shaker, ...) has none."""

ROLAND_PITCHES_READ = (
    (36,),
    (38, 37, 40),
    (42, 22, 44),
    (46, 26),
    (43, 58),
    (47, 45),
    (50, 48),
    (51, 53, 59),
    (49, 52, 55, 57),
)
"""The same for the Roland kit of the Groove MIDI Dataset, whose hats and toms have edges (Gillick et al. 2019)."""

DRUM_OF_ROLAND_PITCH = {pitch: drum for drum, pitches in enumerate(ROLAND_PITCHES_READ) for pitch in pitches}
"""From the Roland kit's pitch to drum number. Its pitches 26 and 58, say, have no drum in ``DRUM_OF_PITCH``."""

FAMILIES = {"piano": range(0, 8), "guitar": range(24, 32), "bass": range(32, 40)}
"""The band that is the network's input: General MIDI programs, counted from 0, of each family."""

DRUM_CHANNEL = 9
"""The drum channel of General MIDI, counted from 0 (musicians call it 10)."""
