"""MIDI files in and out. The files are spelled out byte by byte, with what each byte means beside it."""

import io

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drumlib.music import (
    Meter,
    MidiError,
    Note,
    Song,
    Tempo,
    Track,
    only,
    read_song,
    song_from_bytes,
    song_to_bytes,
    with_tracks,
    without_drums,
    write_song,
)


def hexed(text):
    """Bytes from hexadecimal numbers, with comments from '#' to the end of the line."""
    return bytes.fromhex(" ".join(line.split("#")[0] for line in text.splitlines()))


def midi_file(*tracks, kind=None, ticks_per_beat=96):
    """A MIDI file: a header, and each track's bytes in a chunk with its length before it and its end behind it."""
    kind = (0 if len(tracks) == 1 else 1) if kind is None else kind
    data = b"MThd" + (6).to_bytes(4, "big")
    data += b"".join(number.to_bytes(2, "big") for number in (kind, len(tracks), ticks_per_beat))
    for track in tracks:
        body = (hexed(track) if isinstance(track, str) else track) + hexed("00 FF 2F 00")
        data += b"MTrk" + len(body).to_bytes(4, "big") + body
    return data


def parse(*tracks, **more):
    return song_from_bytes(midi_file(*tracks, **more), "name")


def messages(data):
    """The events of a file as mido reads them, for each track: (tick, message) with mido's own time set to 0."""
    streams = []
    for track in mido.MidiFile(file=io.BytesIO(data)).tracks:
        tick, stream = 0, []
        for message in track:
            tick += message.time
            stream.append((tick, message.copy(time=0)))
        streams.append(stream)
    return streams


TYPE_0 = """
    00 FF 03 04 53 6F 6E 67     # track name "Song"
    00 FF 51 03 06 1A 80        # tempo: 400,000 microseconds a beat
    00 FF 58 04 03 02 18 08     # meter: 3/4
    00 C0 18                    # channel 1: program 24, a guitar
    00 C1 21                    # channel 2: program 33, a bass
    00 90 3C 40                 # channel 1: C, loudness 64
    00 91 24 50                 # channel 2: C, loudness 80
    00 99 24 64                 # channel 10: a kick, loudness 100
    60 80 3C 00                 # 96 ticks later: channel 1: C ends
    00 81 24 00                 # channel 2: C ends
    00 89 24 00                 # channel 10: the kick ends
"""


def test_type_0_gives_a_track_for_each_channel():
    song = parse(TYPE_0)
    assert song == Song(
        96,
        [
            Track([Note(0, 60, 64, 96)], program=24, channel=0, name="Song"),
            Track([Note(0, 36, 80, 96)], program=33, channel=1, name="Song"),
            Track([Note(0, 36, 100, 96)], is_drum=True, channel=9, name="Song"),
        ],
        [Tempo(0, 400_000)],
        [Meter(0, 3, 4)],
    )
    assert song.name == "name", "a song is called after its file"


TYPE_1 = (
    """
    00 FF 51 03 07 A1 20        # tempo: 500,000 microseconds a beat
    60 FF 51 03 0F 42 40        # 96 ticks later: 1,000,000
    83 00 FF 58 04 07 03 18 08  # 384 ticks later: 7/8
    """,
    """
    00 FF 03 05 50 69 61 6E 6F  # track name "Piano"
    00 90 3C 40                 # C
    60 80 3C 00                 # ends
    """,
    """
    00 FF 03 04 42 61 73 73     # track name "Bass"
    00 C1 20                    # program 32
    81 40 91 28 7F              # 192 ticks later: E, as loud as can be
    30 81 28 40                 # 48 ticks later: E ends
    """,
)


def test_type_1():
    song = parse(*TYPE_1)
    assert song == Song(
        96,
        [
            Track([Note(0, 60, 64, 96)], program=0, channel=0, name="Piano"),
            Track([Note(192, 40, 127, 48)], program=32, channel=1, name="Bass"),
        ],
        [Tempo(0, 500_000), Tempo(96, 1_000_000)],
        [Meter(0, 4, 4), Meter(480, 7, 8)],
    )
    assert song.seconds(96) == pytest.approx(0.5)
    assert song.seconds(192) == pytest.approx(1.5)
    assert song.duration == pytest.approx(2.0)


def test_running_status_and_velocity_0_as_the_end_of_a_note():
    song = parse("""
        00 90 3C 40             # C begins
        60 3C 00                # no status byte: still a note-on; velocity 0: C ends
        00 40 50                # E begins
        30 40 00                # E ends
        00 3C 01                # C again, as soft as can be
        30 80 3C 00             # and ends with a note-off
    """)
    assert song.tracks[0].notes == (Note(0, 60, 64, 96), Note(96, 64, 80, 48), Note(144, 60, 1, 48))


def test_a_meta_event_between_notes_does_not_end_the_running_status():
    """The standard says it does; many programs that write files do not know, and mido reads what they meant."""
    song = parse("""
        00 90 3C 40             # C begins
        00 FF 01 01 41          # text "A"
        60 3C 00                # C ends
    """)
    assert song.tracks[0].notes == (Note(0, 60, 64, 96),)


def test_a_program_change_in_mid_track_gives_two_tracks():
    song = parse("""
        00 FF 03 04 4B 65 79 73 # track name "Keys"
        00 C0 00                # program 0: piano
        00 90 3C 40             # C begins
        60 C0 18                # 96 ticks later: program 24, guitar
        00 90 40 40             # E begins, on the guitar
        60 80 3C 00             # C ends: it began on the piano
        00 80 40 00             # E ends
    """)
    assert song.tracks == (
        Track([Note(0, 60, 64, 192)], program=0, name="Keys"),
        Track([Note(96, 64, 64, 96)], program=24, name="Keys"),
    )


def test_a_program_holds_for_its_channel_in_whichever_track_it_is_set():
    song = parse(
        """
        00 C0 19                # channel 1: program 25
        60 C0 21                # 96 ticks later: program 33
        00 C2 30                # channel 3: program 48
        """,
        """
        00 90 3C 40             # channel 1: C
        60 80 3C 00             # ends
        00 90 3C 40             # C again, on the tick of the change: the new program
        60 80 3C 00             # ends
        00 91 3C 40             # channel 2, which has no program: the grand piano
        60 81 3C 00             # ends
        """,
    )
    assert [(track.channel, track.program, track.notes) for track in song.tracks] == [
        (0, 25, (Note(0, 60, 64, 96),)),
        (0, 33, (Note(96, 60, 64, 96),)),
        (1, 0, (Note(192, 60, 64, 96),)),
    ]


def test_drums_are_known_by_their_channel_and_not_by_their_name():
    song = parse(
        """
        00 FF 03 05 44 72 75 6D 73  # track name "Drums", but
        00 90 24 40                 # on channel 1
        60 80 24 00
        """,
        """
        00 C9 19                    # channel 10 and no name; a program there is a drum kit
        00 99 24 40                 # a kick
        60 89 24 00
        """,
    )
    piano, drums = song.tracks
    assert (piano.name, piano.is_drum, piano.family) == ("Drums", False, "piano")
    assert (drums.name, drums.is_drum, drums.family, drums.program) == ("", True, "drums", 0)
    assert song.drums == (drums,)
    assert song.band == (piano,)


def test_of_overlapping_notes_on_one_pitch_the_first_ends_first():
    song = parse("""
        00 90 3C 40             # C
        10 90 3C 50             # 16 ticks later: C again, louder
        10 80 3C 00             # tick 32: one of them ends
        10 80 3C 00             # tick 48: the other
    """)
    assert song.tracks[0].notes == (Note(0, 60, 64, 32), Note(16, 60, 80, 32))


def test_one_pitch_on_two_channels_is_two_notes():
    song = parse("00 90 3C 40  00 91 3C 50  10 81 3C 00  10 80 3C 00")
    assert [track.notes for track in song.tracks] == [(Note(0, 60, 64, 32),), (Note(0, 60, 80, 16),)]


def test_a_note_that_nobody_ends_sounds_to_the_tracks_last_note_event():
    song = parse("""
        00 90 3C 40             # C, never ended
        60 90 40 40             # E
        60 80 40 00             # tick 192: E ends
        83 60 FF 01 00          # tick 672: an empty text, which is no note
    """)
    assert song.tracks[0].notes == (Note(0, 60, 64, 192), Note(96, 64, 64, 96))


def test_an_end_without_a_beginning_is_ignored():
    assert parse("00 80 3C 00  60 80 3C 00").tracks == ()


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"Bass", "Bass"),
        ("Caisse éclairée".encode(), "Caisse éclairée"),  # UTF-8
        ("Caisse éclairée".encode("latin-1"), "Caisse éclairée"),
        ("ドラム".encode(), "ドラム"),
        (b"Ba\x00ss\x1b[31m\x07\r\n", "Bass[31m"),  # a terminal's colour, a bell, a new line
        ("\u202eBass\u200b".encode(), "Bass"),  # writing from right to left; a space of no width
        (b"  Bass \x00\x00", "Bass"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),  # text is text; whoever shows it escapes it
        (b"\x80\x81", ""),
        (b"", ""),
    ],
)
def test_names_of_tracks(raw, name):
    body = b"\x00\xff\x03" + bytes([len(raw)]) + raw + hexed("00 90 3C 40 60 80 3C 00")
    assert parse(body).tracks[0].name == name


def test_the_first_name_of_a_track_counts():
    song = parse("00 FF 03 00  00 FF 03 01 41  00 FF 03 01 42  00 90 3C 40  60 80 3C 00")  # "", "A", "B"
    assert song.tracks[0].name == "A"


def test_tempos_and_meters_are_found_in_every_track():
    song = parse("00 90 3C 40 60 80 3C 00", "60 FF 51 03 0F 42 40  60 FF 58 04 05 02 18 08")
    assert song.tempos == (Tempo(0, 500_000), Tempo(96, 1_000_000))
    assert song.meters == (Meter(0, 4, 4), Meter(192, 5, 4))


def test_a_meter_that_changes_inside_a_bar():
    song = parse("""
        00 FF 58 04 04 02 18 08     # 4/4
        81 40 FF 58 04 03 02 18 08  # half a bar later: 3/4
        00 90 3C 40                 # C
        81 40 80 3C 00              # for 192 ticks
    """)
    assert [tuple(bar) for bar in song.bars] == [(0, 192, 4, 4), (192, 480, 3, 4)]


def test_time_passes_in_events_that_nobody_knows():
    """Kind 0x60 is no event of the standard: it is kept, and the 96 ticks before it count."""
    song = parse("00 90 3C 40  60 FF 60 01 07  00 80 3C 00")
    assert song.tracks[0].notes == (Note(0, 60, 64, 96),)


def test_a_file_without_notes_is_a_song_without_tracks():
    song = parse("00 FF 51 03 0F 42 40")
    assert song.tracks == ()
    assert song.end == 0


# There and back again


EVENTFUL = (
    """
    00 FF 02 01 43              # copyright
    00 FF 51 03 06 1A 80        # tempo
    00 FF 58 04 04 02 18 08     # meter
    00 FF 59 02 FD 01           # key: three flats, minor
    00 FF 54 05 21 02 03 04 05  # SMPTE offset
    00 F0 05 7E 7F 09 01 F7     # system exclusive: General MIDI on
    60 FF 06 05 56 65 72 73 65  # marker "Verse"
    00 FF 05 02 6C 61           # lyric "la"
    00 FF 7F 03 00 41 01        # for one maker's sequencer
    """,
    """
    00 FF 03 05 C9 74 C3 A9 21  # a name that is neither
    00 FF 21 01 00              # port
    00 FF 20 01 00              # channel prefix
    00 C0 1A                    # program
    00 B0 07 64                 # volume
    00 90 3C 40
    10 A0 3C 22                 # pressure on one key
    00 D0 33                    # pressure on all
    00 E0 00 50                 # bend
    10 B0 40 7F                 # pedal
    10 80 3C 33                 # end, with a velocity of its own
    00 90 3C 00                 # an end without a beginning
    """,
    """
    00 C9 08                    # drum kit 8
    00 B9 07 50                 # volume of the drums
    00 99 24 64
    10 99 2A 40
    20 89 24 00
    00 89 2A 00
    60 FF 06 03 45 6E 64        # marker "End"
    """,
)


@pytest.mark.parametrize("data", [midi_file(TYPE_0), midi_file(*TYPE_1), midi_file(*EVENTFUL)])
def test_what_is_read_and_written_keeps_each_event(data):
    song = song_from_bytes(data)
    again = song_to_bytes(song)
    assert messages(again) == messages(data)
    assert song_from_bytes(again) == song
    assert song_to_bytes(song_from_bytes(again)) == again


def test_unknown_events_are_kept_with_their_time():
    body = hexed("60 FF 60 01 07  00 90 3C 40  60 80 3C 00")
    assert body in song_to_bytes(parse(body))


def test_type_0_stays_type_0():
    assert song_to_bytes(parse(TYPE_0))[8:10] == b"\x00\x00"
    assert song_to_bytes(parse(*TYPE_1))[8:10] == b"\x00\x01"


def test_without_drums_takes_out_the_drum_channel_and_nothing_else():
    data = midi_file(*EVENTFUL)
    song = song_from_bytes(data)
    band = without_drums(song)
    assert band.drums == ()
    assert band.tracks == song.band
    expected = messages(data)
    expected[2] = [(tick, message) for tick, message in expected[2] if message.is_meta]
    assert messages(song_to_bytes(band)) == expected
    assert messages(song_to_bytes(song)) == messages(data), "the song itself is as it was"


def test_without_drums_in_type_0():
    song = without_drums(parse(TYPE_0))
    again = song_from_bytes(song_to_bytes(song))
    assert [track.program for track in again.tracks] == [24, 33]
    assert again == song
    assert song_to_bytes(song)[8:10] == b"\x00\x00"


def test_with_tracks_adds_behind_and_changes_nothing_else():
    data = midi_file(*EVENTFUL)
    drums = Track([Note(0, 36, 90, 12), Note(48, 38, 127, 12)], is_drum=True, channel=9, name="Trömmler")
    song = with_tracks(song_from_bytes(data), [drums])
    written = song_to_bytes(song)
    assert messages(written)[:3] == messages(data)
    assert len(messages(written)) == 4
    again = song_from_bytes(written)
    assert again == song
    assert again.drums[-1] == drums


def test_with_tracks_makes_type_0_a_type_1():
    drums = Track([Note(0, 36, 90, 12)], is_drum=True, channel=9)
    written = song_to_bytes(with_tracks(parse(TYPE_0), [drums]))
    assert written[8:12] == b"\x00\x01\x00\x02"
    assert messages(written)[0] == messages(midi_file(TYPE_0))[0]


def test_with_tracks_of_a_song_made_of_notes():
    song = Song(96, [Track([Note(0, 60, 90, 96)])])
    drums = Track([Note(0, 36, 90, 12)], is_drum=True, channel=9)
    both = with_tracks(song, [drums])
    assert both.tracks == (*song.tracks, drums)
    assert song_from_bytes(song_to_bytes(both)) == both
    assert without_drums(both) == song


def test_a_track_that_is_added_does_not_take_anothers_channel():
    """An instrument on the channel of another would give it a new sound."""
    song = parse(TYPE_0)  # a guitar on channel 1, a bass on channel 2
    flute = Track([Note(0, 72, 90, 96)], program=73)  # says nothing of its channel
    again = song_from_bytes(song_to_bytes(with_tracks(song, [flute])))
    assert again.tracks[:3] == song.tracks
    assert [(track.program, track.notes) for track in again.tracks[3:]] == [(73, flute.notes)]


def test_a_drum_track_goes_to_the_drum_channel_whatever_it_says():
    song = Song(96, [Track([Note(0, 36, 90, 12)], is_drum=True)])
    again = song_from_bytes(song_to_bytes(song))
    assert again.tracks[0].is_drum
    assert again.tracks[0].notes == song.tracks[0].notes


def test_programs_that_want_one_channel_are_given_others():
    song = Song(96, [Track([Note(0, 60 + i, 90, 96)], program=i) for i in range(15)])
    again = song_from_bytes(song_to_bytes(song))
    assert [(t.program, t.notes) for t in again.tracks] == [(t.program, t.notes) for t in song.tracks]
    assert len({track.channel for track in again.tracks} - {9}) == 15


def test_a_16th_program_is_refused():
    song = Song(96, [Track([Note(0, 60, 90, 96)], program=i) for i in range(16)])
    with pytest.raises(ValueError, match="15 channels"):
        song_to_bytes(song)


def test_an_instrument_never_ends_up_among_the_drums():
    song = Song(96, [Track([Note(0, 60, 90, 96)], program=5, channel=9)])
    again = song_from_bytes(song_to_bytes(song))
    assert (again.tracks[0].is_drum, again.tracks[0].program) == (False, 5)


def test_a_note_that_ends_as_the_next_begins_and_notes_of_no_length():
    notes = (Note(0, 60, 90, 96), Note(96, 60, 80, 0), Note(96, 60, 85, 96), Note(192, 60, 70, 0))
    song = Song(96, [Track(notes)])
    assert song_from_bytes(song_to_bytes(song)) == song


@pytest.mark.parametrize("name", ["plain", "Händel", "ドラム", "bad\udcffbyte", "", "a" * 300])
def test_a_songs_name_never_stops_it_from_being_written(name):
    """A file's name need not be text at all; Python then gives its odd bytes as lone surrogates."""
    song = Song(96, [Track([Note(0, 60, 90, 96)], name=name)], name=name)
    again = song_from_bytes(song_to_bytes(song))
    assert again.tracks[0].notes == song.tracks[0].notes
    if "\udcff" not in name:
        assert again.tracks[0].name == name


def test_a_song_can_be_written_with_the_text_of_a_file_and_without():
    song = parse(*EVENTFUL)
    assert song_from_bytes(song_to_bytes(only(song, song.tracks))).band == song.band


def test_write_and_read_a_file(tmp_path):
    song = parse(*TYPE_1)
    write_song(song, tmp_path / "out.mid")
    again = read_song(str(tmp_path / "out.mid"))
    assert again == song
    assert again.name == "out"


def test_a_song_that_cannot_be_written_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="15 channels"):
        write_song(Song(96, [Track([Note(0, 60, 90, 1)], program=i) for i in range(16)]), tmp_path / "out.mid")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError):
        write_song(Song(96, []), tmp_path / "nowhere" / "out.mid")


@st.composite
def tracks_of_notes(draw, channel):
    """A track whose notes on one pitch follow each other: where they overlap, MIDI cannot say which one ends."""
    notes = []
    for pitch in draw(st.lists(st.integers(0, 127), max_size=4, unique=True)):
        tick = 0
        for _ in range(draw(st.integers(1, 4))):
            tick += draw(st.integers(0, 500))
            length = draw(st.integers(1, 500))
            notes.append(Note(tick, pitch, draw(st.integers(1, 127)), length))
            tick += length
    is_drum = channel == 9
    name = draw(st.text(st.characters(categories=["L", "N", "P", "S"], max_codepoint=0xFFFF), max_size=8))
    try:
        name.encode("latin-1").decode("utf-8")
        name = name.encode("ascii", "ignore").decode()  # Latin-1 that happens to be UTF-8 would be read as such
    except UnicodeError:
        pass
    notes = notes or [Note(0, 60, 64, 1)]  # a track without a note is none in a MIDI file
    return Track(notes, 0 if is_drum else draw(st.integers(0, 127)), is_drum, channel, name)


@st.composite
def songs(draw):
    channels = draw(st.lists(st.integers(0, 15), max_size=5, unique=True))
    tracks = [draw(tracks_of_notes(channel)) for channel in channels]
    ticks = st.integers(0, 5000)
    tempos = draw(st.lists(st.builds(Tempo, ticks, st.integers(1, 0xFFFFFF)), max_size=4))
    meters = draw(
        st.lists(st.builds(Meter, ticks, st.integers(1, 255), st.sampled_from([1, 2, 4, 8, 16, 32, 64])), max_size=4)
    )
    return Song(draw(st.integers(1, 32767)), tracks, tempos, meters)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(songs())
def test_what_is_written_and_read_is_the_same_song(song):
    data = song_to_bytes(song)
    again = song_from_bytes(data)
    assert again.tracks == song.tracks
    assert again.tempos == song.tempos
    assert again.meters == song.meters
    assert again.ticks_per_beat == song.ticks_per_beat
    assert song_to_bytes(again) == data
    drums = without_drums(again)
    assert drums.tracks == song.band
    assert song_from_bytes(song_to_bytes(drums)) == drums


def test_errors_are_value_errors():
    """So that whoever does not know of MidiError still catches it."""
    assert issubclass(MidiError, ValueError)


def test_a_wait_longer_than_a_file_can_say_is_said_in_several():
    far = 300_000_000  # ticks: 9,155 beats
    song = Song(32_767, [Track([Note(far, 60, 90, 100)])])
    again = song_from_bytes(song_to_bytes(song))
    assert [track.notes for track in again.tracks] == [track.notes for track in song.tracks]
