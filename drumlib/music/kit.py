"""The nine drums of the network's kit, and the three families of its band.

General MIDI gives a drum kit some sixty sounds. Roberts, Gillick and the thesis (3.1) fold them
into nine classes; a class is written back as one representative pitch. Numbers of drums, from 0
to 8, are the columns of every drum array in this package.
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
"""The General MIDI percussion pitches that count as each drum; the first is the one we write (thesis, 3.1)."""

PITCH_OF_DRUM = tuple(pitches[0] for pitches in PITCHES_READ)
"""The pitch each drum is written back as."""

DRUM_OF_PITCH = {pitch: drum for drum, pitches in enumerate(PITCHES_READ) for pitch in pitches}
"""From percussion pitch to drum number. Pitches that are not here (cowbell, shaker, ...) are not drums of this kit."""

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
"""The same for the Roland kit of the Groove MIDI Dataset, whose hats and toms have edges too (Gillick et al. 2019)."""

DRUM_OF_ROLAND_PITCH = {pitch: drum for drum, pitches in enumerate(ROLAND_PITCHES_READ) for pitch in pitches}
"""From the Roland kit's pitch to drum number. General MIDI's 26 and 58, say, are no drums of the kit at all."""

FAMILIES = {"piano": range(0, 8), "guitar": range(24, 32), "bass": range(32, 40)}
"""The band the network listens to: General MIDI programs, counted from 0, of each family."""

DRUM_CHANNEL = 9
"""The channel that is drums by convention: General MIDI's channel 10, counted from 0."""
