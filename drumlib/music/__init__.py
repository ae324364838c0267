"""Songs as data: notes, MIDI files, the grid of sixteenths, the nine drums. Nothing here imports Keras."""

from drumlib.music.grid import (
    STEPS_PER_BAR,
    STEPS_PER_BEAT,
    Grid,
    Groove,
    groove_from_notes,
    groove_of,
    notes_from_groove,
    piano_roll,
    roll_from_notes,
)
from drumlib.music.kit import DRUM_CHANNEL, DRUM_OF_PITCH, DRUM_OF_ROLAND_PITCH, DRUMS, FAMILIES, PITCH_OF_DRUM
from drumlib.music.midi import (
    MidiError,
    read_song,
    song_from_bytes,
    song_to_bytes,
    with_tracks,
    without_drums,
    write_song,
)
from drumlib.music.notes import Note, Notes
from drumlib.music.solo import drum_solo, with_accents
from drumlib.music.song import Bar, Meter, Song, Tempo, Track, only

__all__ = [
    "DRUMS",
    "DRUM_CHANNEL",
    "DRUM_OF_PITCH",
    "DRUM_OF_ROLAND_PITCH",
    "FAMILIES",
    "PITCH_OF_DRUM",
    "STEPS_PER_BAR",
    "STEPS_PER_BEAT",
    "Bar",
    "Grid",
    "Groove",
    "Meter",
    "MidiError",
    "Note",
    "Notes",
    "Song",
    "Tempo",
    "Track",
    "drum_solo",
    "groove_from_notes",
    "groove_of",
    "notes_from_groove",
    "only",
    "piano_roll",
    "read_song",
    "roll_from_notes",
    "song_from_bytes",
    "song_to_bytes",
    "with_accents",
    "with_tracks",
    "without_drums",
    "write_song",
]
