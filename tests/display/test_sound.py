import io
import subprocess
import sys
import time
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from display_song import STEP, TICKS, make_song

from drumlib.display import encode_mp3, render, render_mp3, render_stems, save_mp3, sound
from drumlib.display.sound import CEILING, SAMPLE_RATE, TAIL, section
from drumlib.music import Note, Song, Tempo, Track, only, songbook
from drumlib.music.kit import PITCH_OF_DRUM
from drumlib.music.midi import song_from_bytes, song_to_bytes


def power(audio) -> float:
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))


def between(audio, start: float, end: float) -> float:
    """How loud it is between two times, in seconds. Silence at the end is trimmed: put it back."""
    part = audio[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
    return power(np.pad(part, (0, int((end - start) * SAMPLE_RATE) + 1 - len(part))))


def pitch_of(audio: np.ndarray) -> float:
    """The MIDI pitch of a tone, from its autocorrelation."""
    part = audio[4_000:36_000].astype(float)
    spectrum = np.abs(np.fft.rfft(part - part.mean(), 1 << 17)) ** 2
    likeness = np.fft.irfft(spectrum)[: SAMPLE_RATE // 25]
    shortest = SAMPLE_RATE // 2_500
    best = likeness[shortest:].max()
    inner = likeness[shortest:-1]
    peaks = (inner > likeness[shortest - 1 : -2]) & (inner >= likeness[shortest + 1 :]) & (inner > 0.85 * best)
    return 69 + 12 * np.log2(SAMPLE_RATE / (np.nonzero(peaks)[0][0] + shortest) / 440)


@pytest.mark.parametrize("program", [0, 4, 24, 27, 33, 34])
@pytest.mark.parametrize("pitch", [43, 48, 60])
def test_notes_are_in_tune(program, pitch):
    assert pitch_of(render(one(Note(0, pitch, 100, 3 * TICKS), program=program))) == pytest.approx(pitch, abs=0.2)


@pytest.mark.parametrize("pitch", PITCH_OF_DRUM)
def test_every_drum_of_the_kit_is_a_stroke(pitch):
    audio = render(one(Note(0, pitch, 127, 10), is_drum=True))
    energy = np.cumsum(audio.astype(float) ** 2)
    assert np.abs(audio).max() > 0.02
    assert len(audio) > 0.05 * SAMPLE_RATE
    assert np.searchsorted(energy, energy[-1] / 2) / SAMPLE_RATE < 0.7  # it dies away


def one(note: Note, is_drum: bool = False, program: int = 0, **changes) -> Song:
    return Song(TICKS, (Track((note,), program, is_drum, 9 if is_drum else 0),), **changes)


def test_audio_is_mono_and_in_range(song):
    audio = render(song)
    assert audio.dtype == np.float32 and audio.ndim == 1
    assert 0.05 < np.abs(audio).max() <= CEILING + 1e-6
    assert song.duration < len(audio) / SAMPLE_RATE <= song.duration + TAIL + 0.01


def test_half_the_velocity_is_a_quarter_of_the_amplitude():
    full, half = render(make_song(scale=1.0)), render(make_song(scale=0.5))
    assert power(half[: len(full)]) / power(full) == pytest.approx(0.25, rel=0.05)


@pytest.mark.parametrize("is_drum, pitch", [(True, 38), (True, 36), (False, 60)])
def test_softer_is_quieter(is_drum, pitch):
    levels = [power(render(one(Note(0, pitch, v, TICKS), is_drum))[:20_000]) for v in (10, 30, 60, 90, 127)]
    assert levels == sorted(levels)
    assert levels[0] < 0.02 * levels[-1]


def test_ordinary_songs_share_one_gain(song):
    alone = render(only(song, song.drums))
    together = render_stems(song)["drums"]
    shared = min(len(alone), len(together))
    assert np.allclose(alone[: shared - SAMPLE_RATE], together[: shared - SAMPLE_RATE], atol=1e-5)


def test_stems_add_up_to_the_song(song):
    stems = render_stems(song)
    assert list(stems) == ["band", "drums"]
    assert len(stems["band"]) == len(stems["drums"])
    assert np.allclose(stems["band"] + stems["drums"], render(song), atol=1e-6)


def crowd() -> Song:
    """Far too loud: six pianos and six drummers."""
    song = make_song(1, scale=1.1)
    return only(song, song.band * 6 + song.drums * 6)


def test_what_would_pass_the_ceiling_is_turned_down_as_a_whole():
    stems, plain = render_stems(crowd()), render_stems(make_song(1, scale=1.1))
    peaks = [np.abs(audio).max() for audio in (*stems.values(), sum(stems.values()))]
    assert max(peaks) == pytest.approx(CEILING, rel=1e-3)
    balance, plain_balance = (power(s["band"]) / power(s["drums"]) for s in (stems, plain))
    assert balance == pytest.approx(plain_balance, rel=0.05)


def test_notes_begin_when_they_should():
    song = one(Note(2 * TICKS, 38, 120, 10), is_drum=True, tempos=(Tempo(0, 600_000), Tempo(TICKS, 300_000)))
    audio = render(song)
    assert np.nonzero(np.abs(audio) > 1e-3)[0][0] / SAMPLE_RATE == pytest.approx(0.9, abs=0.003)


def test_a_stroke_rings_whatever_its_length():
    short, long = render(one(Note(0, 38, 100, 1), True)), render(one(Note(0, 38, 100, 480), True))
    shared = min(len(short), len(long))
    assert np.allclose(short[: shared // 2], long[: shared // 2])
    assert power(short[: SAMPLE_RATE // 10]) > 0.01


def test_a_note_ends():
    audio = render(Song(TICKS, (Track((Note(0, 48, 100, TICKS), Note(8 * TICKS, 48, 1, 10)), 16),)))  # an organ
    assert between(audio, 0, 0.5) > 0.01
    assert between(audio, 2, 3) < 1e-4


def test_the_closed_hi_hat_ends_the_open_one():
    def after(pitch):
        song = Song(TICKS, (Track((Note(0, 46, 127, 10), Note(TICKS, pitch, 1, 10)), is_drum=True, channel=9),))
        return between(render(song), 0.6, 0.9)

    assert after(42) < 0.1 * after(36)


def test_programs_are_heard(song):
    piano, guitar = (render(one(Note(0, 60, 100, TICKS), program=p))[:20_000] for p in (0, 27))
    assert abs(np.corrcoef(piano, guitar)[0, 1]) < 0.9


def from_file(*events, length: int = TICKS) -> Song:
    track = mido.MidiTrack([mido.Message("control_change", control=c, value=v, time=t) for t, c, v in events])
    track.append(mido.Message("note_on", note=60, velocity=100))
    track.append(mido.Message("note_off", note=60, time=length))
    track.append(mido.Message("control_change", control=64, value=0, time=4 * TICKS))
    track.append(mido.Message("note_on", note=100, velocity=1))  # so that the song goes on
    track.append(mido.Message("note_off", note=100, time=TICKS))
    buffer = io.BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=TICKS, tracks=[track]).save(file=buffer)
    return song_from_bytes(buffer.getvalue())


def test_a_files_volume_and_expression_are_heard():
    plain, soft, faint = (
        power(render(from_file(*events))[:20_000]) for events in ((), [(0, 7, 50)], [(0, 7, 50), (0, 11, 64)])
    )
    assert soft == pytest.approx(plain / 4, rel=0.02)
    assert faint == pytest.approx(soft * (64 / 127) ** 2, rel=0.05)


def test_a_files_pedal_is_heard():
    assert between(render(from_file((0, 64, 127))), 1.6, 2.0) > 20 * between(render(from_file()), 1.6, 2.0)


def test_a_song_that_was_written_and_read_sounds_the_same(song):
    again = song_from_bytes(song_to_bytes(song))
    assert np.allclose(render(song), render(again), atol=1e-6)


def test_bars(song):
    whole, second = render(song), render(song, start_bar=1, bars=1)
    begin = round(song.seconds(section(song, 1, 1)[0]) * SAMPLE_RATE)
    assert len(second) / SAMPLE_RATE < 2 + TAIL + 0.1
    shift = range(-2, 3)
    part = second[2_000 : SAMPLE_RATE // 4]
    likeness = [np.corrcoef(part, whole[begin + s + 2_000 : begin + s + 2_000 + len(part)])[0, 1] for s in shift]
    assert max(likeness) > 0.9


def test_a_section_keeps_its_early_strokes_and_not_those_of_the_next_bar(song):
    first, last = section(song, 1, 1)
    assert first == 16 * STEP - STEP // 2 and last == 32 * STEP - STEP // 2
    assert section(song) == (0, song.bars[-1].end)


@pytest.mark.parametrize("start, bars", [(4, 1), (-1, 2), (0, 0), (2, -1)])
def test_bars_that_are_not_there(song, start, bars):
    with pytest.raises(ValueError, match="no bars"):
        render(song, start_bar=start, bars=bars)


@pytest.mark.parametrize("tracks", [(), (Track(()),)])
def test_nothing_to_hear(tracks):
    with pytest.raises(ValueError, match="no notes"):
        render(Song(TICKS, tracks))


def test_empty_bars():
    song = one(Note(64 * STEP, 60, 100, STEP))
    with pytest.raises(ValueError, match="no notes"):
        render(song, start_bar=0, bars=2)


def test_one_part_alone(song):
    assert list(render_stems(only(song, song.band))) == ["band"]
    assert list(render_stems(only(song, song.drums))) == ["drums"]


@pytest.mark.parametrize("kbps", [64, 80, 96])
@pytest.mark.parametrize("rate", [32_000, 44_100])
def test_mp3_has_the_bit_rate_asked_for(kbps, rate):
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * rate).astype(np.float32)
    data = encode_mp3(noise, rate, kbps)
    assert len(data) * 8 / 4 / 1000 == pytest.approx(kbps, rel=0.03)


def test_mp3_sounds_as_the_audio_did(song):
    audio = render(song, bars=2)
    decoded, rate = soundfile.read(io.BytesIO(encode_mp3(audio)), dtype="float32")
    assert rate == SAMPLE_RATE and decoded.ndim == 1 and len(decoded) == len(audio)
    assert np.abs(decoded).max() < 1
    assert np.corrcoef(decoded, audio)[0, 1] > 0.97


def test_mp3_of_an_odd_sample_rate_is_brought_to_one_that_mp3_has():
    tone = 0.3 * np.sin(np.arange(22_050) * 2 * np.pi * 440 / 22_050)
    decoded, rate = soundfile.read(io.BytesIO(encode_mp3(tone, 22_050)))
    assert rate == SAMPLE_RATE and len(decoded) / rate == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("audio", [np.full(1000, 1.2), np.full(1000, np.nan), np.zeros((10, 2)), np.zeros(0)])
def test_mp3_refuses_what_it_would_spoil(audio):
    with pytest.raises(ValueError):
        encode_mp3(audio)


def test_save_mp3_is_whole_or_not_at_all(song, tmp_path):
    path = tmp_path / "song.mp3"
    save_mp3(render(song, bars=1), path)
    assert soundfile.info(str(path)).format == "MP3"
    before = path.read_bytes()
    with pytest.raises(ValueError):
        save_mp3(np.full(1000, 2.0), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError):
        save_mp3(render(song, bars=1), tmp_path / "nowhere" / "song.mp3")


def test_a_drum_rings_at_its_own_tempo():
    late = one(Note(0, 49, 120, 10), is_drum=True)
    slows = Song(TICKS, late.tracks, tempos=(Tempo(0, 500_000), Tempo(4 * TICKS, 5_000_000)))
    assert between(render(slows), 1.0, 1.5) == pytest.approx(between(render(late), 1.0, 1.5), rel=0.05)


def test_thousands_of_tempos_are_not_gone_through_for_every_stroke():
    tempos = [Tempo(2 * i, 500_000 + i) for i in range(20_000)]
    song = Song(TICKS, [Track([Note(2 * i, 38, 90, 1) for i in range(20_000)], is_drum=True, channel=9)], tempos)
    start = time.process_time()
    assert song.tempo_at(7) == tempos[3] and song.tempo_at(0) == song.tempo_at(-1) == tempos[0]
    section(song, 0, 10)
    assert time.process_time() - start < 5


def test_days_of_sound_are_refused():
    song = one(Note(400 * TICKS, 60, 100, TICKS), tempos=(Tempo(0, 16_000_000),))
    with pytest.raises(ValueError, match="30 minutes"):
        render(song)
    assert 0 < len(render(song, start_bar=100, bars=1)) / SAMPLE_RATE < 70


def test_display_is_imported_when_it_is_used():
    code = (
        "import sys, drumlib.display as d; heavy = {'soundfile', 'matplotlib', 'symusic', 'keras', 'numpy'}; "
        "assert not heavy & set(sys.modules); assert callable(d.render) and 'plot_groove' in dir(d); d.Player; "
        "d.plot_roll; assert not (heavy - {'numpy'}) & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    import drumlib.display

    with pytest.raises(AttributeError, match="nothing_such"):
        _ = drumlib.display.nothing_such


@pytest.mark.parametrize("kbps", [32, 40, 48, 56, 64, 96])
def test_mp3_keeps_time_at_every_rate(kbps):
    """As long as what went in, and every click within a fifth of a millisecond of where it was."""
    clicks = np.zeros(3 * SAMPLE_RATE, dtype="float32")
    for start in (24_000, 72_000, 120_000):
        clicks[start : start + 2000] = np.sin(np.arange(2000) / 8) * np.exp(-np.arange(2000) / 500) / 2
    heard, _ = soundfile.read(io.BytesIO(encode_mp3(clicks, kbps=kbps)))
    assert len(heard) == len(clicks)
    for start in (24_000, 72_000, 120_000):
        assert abs(np.argmax(np.abs(heard[start - 4800 :]) > 0.05) - 4800) < 10


@pytest.mark.slow
def test_below_64_kilobits_a_band_takes_less_and_less():
    band = render(songbook.song("rock"), start_bar=8, bars=4)
    sizes = [len(encode_mp3(band, kbps=kbps)) for kbps in (64, 56, 48, 40, 32)]
    assert sizes == sorted(sizes, reverse=True) and sizes[2] < 0.85 * sizes[0]


def test_a_tempo_at_which_a_song_is_over_at_once():
    song = Song(480, [Track([Note(0, 60, 90, 480)])], [Tempo(0, 1)])
    assert len(render(song)) <= (TAIL + 0.1) * SAMPLE_RATE


def test_what_the_synthesizer_cannot_play_is_refused_by_name(monkeypatch):
    import midirenderer

    def refuse(font, midi):
        raise RuntimeError("MIDI error")

    monkeypatch.setattr(midirenderer, "render_wave_from", refuse)
    with pytest.raises(ValueError, match="^a song: the synthesizer cannot play this: MIDI error"):
        render(Song(480, [Track([Note(0, 60, 90, 480)])], name="a song"))


def long_song(seconds: int, *pad: Track) -> Song:
    """Short notes and drums at 120 bpm, and tracks of choice."""
    short = [Note(beat * TICKS, 60 + beat % 12, 100, TICKS) for beat in range(2 * seconds)]
    strokes = [Note(beat * TICKS, 38 if beat % 2 else 36, 110, 10) for beat in range(2 * seconds)]
    return Song(TICKS, (*pad, Track(short, 0, channel=1), Track(strokes, is_drum=True)))


@pytest.mark.slow
def test_in_blocks_a_song_sounds_as_it_does_at_once(monkeypatch):
    """Each block is synthesized from a little before its border, so that nothing is heard of the border."""
    whole = render_stems(long_song(50))
    monkeypatch.setattr(sound, "BLOCK", 12)
    parts = render_stems(long_song(50))
    for name, audio in whole.items():
        assert len(audio) == len(parts[name])
        assert np.abs(audio - parts[name]).max() < 2e-3 * np.abs(audio).max(), name


def test_a_note_that_is_held_across_blocks_sounds_in_all_of_them(monkeypatch):
    pad = Song(TICKS, (Track([Note(0, 48, 90, 96 * TICKS)], 16),))  # 48 s of an organ
    whole = render(pad)
    monkeypatch.setattr(sound, "BLOCK", 12)
    monkeypatch.setattr(sound, "RUN_UP", 3)
    parts = render(pad)
    for start in np.arange(1, 46, 0.5):
        assert between(parts, start, start + 1) == pytest.approx(between(whole, start, start + 1), rel=0.2)
    assert between(parts, 48.5, 49.5) < 1e-3  # and ends when it should


@pytest.mark.slow
def test_the_mp3_of_a_song_is_that_of_its_sound(song, monkeypatch):
    """Byte for byte, in however many chunks it is read and encoded."""
    expected = encode_mp3(render(song))
    assert render_mp3(song) == expected
    monkeypatch.setattr(sound, "CHUNK", 10_007)
    assert render_mp3(song) == expected
    alone = only(song, song.drums)
    assert render_mp3(alone) == encode_mp3(render(alone))
    with pytest.raises(ValueError, match="no notes"):
        render_mp3(Song(TICKS, ()))


@pytest.mark.parametrize("beats", [23, 24, 25, 48])
def test_a_song_that_ends_where_a_block_does(monkeypatch, beats):
    """Of 24 beats, 12 seconds, nothing is left for a second block."""
    organ = Song(TICKS, (Track([Note(0, 60, 90, beats * TICKS)], 16),))
    whole = render(organ)
    monkeypatch.setattr(sound, "BLOCK", 12)
    assert len(render(organ)) == pytest.approx(len(whole), abs=2)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc, which says how much memory was taken")
def test_a_long_song_is_rendered_in_little_memory(tmp_path):
    path = tmp_path / "long.mid"
    path.write_bytes(song_to_bytes(long_song(10 * 60)))
    script = (
        "import sys; from drumlib.__main__ import main; "
        "assert main(['render', sys.argv[1], '-o', sys.argv[2]]) == 0; "
        "print(int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) // 1024)"  # ru_maxrss is inherited
    )
    command = [sys.executable, "-c", script, str(path), str(tmp_path / "long.mp3")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) < 320  # MB; at once it would be some 700
    info = soundfile.info(tmp_path / "long.mp3")
    assert info.frames / info.samplerate == pytest.approx(10 * 60, abs=2)
