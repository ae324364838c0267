"""A small player of sound fonts: it makes the sound of one note, from the recordings in an SF2 file.

An SF2 file holds short recordings (*samples*) and says, for each instrument (*program*) and each stretch of
pitches (a *zone*), which recording to play, how fast, in what loop, how loud, how bright, and how it dies away.
The format is the SoundFont 2.04 specification (E-mu and Creative, 2006); section numbers below are its own.

Why not symusic's synthesizer, which is at hand? With this sound font it plays wrong notes: version 0.5.9 takes no
notice of a zone's root key (the grand piano's middle C sounds twenty semitones too high), of velocity, or of the
way a sound dies away. A book about loudness and timing cannot use it. ``tests/display/test_soundfont.py`` measures
the tuning of ours.

What is left out, because it is hardly heard or this font does not use it: vibrato, stereo, velocity layers,
modulators other than velocity to loudness. Loudness is the caller's business: sounds come at full velocity.
"""

import importlib.util
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

DRUM_BANK = 128
"""The bank of the drum kits; instruments are in bank 0."""

# Generators, by their numbers in the file (8.1.2)
START_LOOP, END_LOOP, CUTOFF, SWEEP = 2, 3, 8, 11
SWEEP_HOLD, SWEEP_DECAY, SWEEP_SUSTAIN = 27, 28, 29
DELAY, ATTACK, HOLD, DECAY, SUSTAIN, RELEASE = 33, 34, 35, 36, 37, 38
INSTRUMENT, KEYS, ATTENUATION, SEMITONES, CENTS, SAMPLE = 41, 43, 48, 51, 52, 53
LOOP_MODE, SCALE, EXCLUSIVE_CLASS, ROOT_KEY = 54, 56, 57, 58

SHORTEST = -12_000
"""The default of every time: 2 ** (-12000 / 1200) seconds, a millisecond."""

DEFAULTS = {CUTOFF: 13_500, SCALE: 100, ROOT_KEY: -1, SWEEP_HOLD: SHORTEST, SWEEP_DECAY: SHORTEST}
DEFAULTS |= {stage: SHORTEST for stage in (DELAY, ATTACK, HOLD, DECAY, RELEASE)}
NOT_ADDED = {INSTRUMENT, KEYS, SAMPLE, LOOP_MODE, ROOT_KEY, EXCLUSIVE_CLASS}
"""Generators of an instrument to which a preset's generators are not added (9.4)."""

PRESET_RECORD = np.dtype(
    [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("first_zone", "<u2"), ("unused", "V12")]
)
INSTRUMENT_RECORD = np.dtype([("name", "S20"), ("first_zone", "<u2")])
SAMPLE_RECORD = np.dtype(
    [("name", "S20"), ("start", "<u4"), ("end", "<u4"), ("loop_start", "<u4"), ("loop_end", "<u4")]
    + [("rate", "<u4"), ("key", "u1"), ("correction", "i1"), ("unused", "V4")]
)
"""What the file holds of each preset, instrument and sample (7.2, 7.6, 7.10)."""

ATTENUATION_FACTOR = 0.4
"""Fonts were tuned by ear on E-mu's sound cards, which turned a sound down by 0.4 of what the file says."""


@dataclass(frozen=True)
class Layer:
    """One recording at one pitch, at full loudness, held for as long as was asked.

    Attributes
    ----------
    held : array of float32, shape (samples,)
        The sound with the key held down.
    release : float
        Once the key is up, the sound dies away by 100 dB in this many seconds.
    exclusive_class : int
        A stroke ends the sounds before it of the same class (a closed hi-hat ends the open one). 0 is no class.
    """

    held: np.ndarray
    release: float
    exclusive_class: int


def font_path() -> Path:
    """Where the sound font TimGM6mb.sf2 is, which the package pretty_midi carries. The package is not imported.

    Raises
    ------
    FileNotFoundError
        If pretty_midi is not installed, or came without the font.
    """
    package = importlib.util.find_spec("pretty_midi")
    if package is None or not package.origin:
        raise FileNotFoundError("no sound font: the package pretty_midi, which carries it, is not installed")
    path = Path(package.origin).with_name("TimGM6mb.sf2")
    if not path.is_file():
        raise FileNotFoundError(f"no sound font: {path} is missing; installing pretty_midi again may bring it back")
    return path


@lru_cache(maxsize=1)
def default_font() -> "SoundFont":
    """The sound font we play through, read once."""
    return SoundFont(font_path())


class SoundFont:
    """The instruments of an SF2 file.

    Raises
    ------
    ValueError
        If the file is not a sound font.
    """

    def __init__(self, path: str | Path):
        data = Path(path).read_bytes()
        if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
            raise ValueError(f"{path} is not a sound font")
        chunks = dict(_chunks(data, 12, len(data)))
        self._audio = np.frombuffer(chunks["smpl"], "<i2")
        self._samples = np.frombuffer(chunks["shdr"], SAMPLE_RECORD)
        self._presets = np.frombuffer(chunks["phdr"], PRESET_RECORD)
        self._instruments = np.frombuffer(chunks["inst"], INSTRUMENT_RECORD)
        self._preset_zones = _zones(chunks["pbag"], chunks["pgen"])
        self._instrument_zones = _zones(chunks["ibag"], chunks["igen"])

    @cached_property
    def _preset_of(self) -> dict[tuple[int, int], int]:
        """From (bank, program) to the preset's row."""
        return {(int(p["bank"]), int(p["program"])): row for row, p in enumerate(self._presets[:-1])}

    def zones(self, program: int, is_drum: bool, pitch: int) -> list[dict[int, int]]:
        """What to play for one pitch of one instrument, or drum kit: generators and their amounts, zone by zone.

        An instrument that the font lacks is played by the first one of its bank; a pitch that has no zone, by none.
        """
        bank = DRUM_BANK if is_drum else 0
        preset = self._preset_of.get((bank, program), self._preset_of[bank, 0])
        found = []
        for outer in _in_reach(self._presets, self._preset_zones, preset, INSTRUMENT, pitch):
            for inner in _in_reach(self._instruments, self._instrument_zones, outer[INSTRUMENT], SAMPLE, pitch):
                zone = DEFAULTS | inner
                for generator in outer.keys() - NOT_ADDED:
                    zone[generator] = zone.get(generator, 0) + outer[generator]
                found.append(zone)
        return found

    def layers(self, program: int, is_drum: bool, pitch: int, seconds: float, sample_rate: int) -> list[Layer]:
        """The sound of one pitch with its key held for some seconds; a list, for some instruments are made of two."""
        return [self._layer(zone, pitch, seconds, sample_rate) for zone in self.zones(program, is_drum, pitch)]

    def _layer(self, zone: dict[int, int], pitch: int, seconds: float, sample_rate: int) -> Layer:
        sample = self._samples[zone[SAMPLE]]
        root = zone[ROOT_KEY] if zone[ROOT_KEY] >= 0 else int(sample["key"])
        cents = (pitch - root) * zone[SCALE] + 100 * zone.get(SEMITONES, 0) + zone.get(CENTS, 0)
        speed = 2 ** ((cents + int(sample["correction"])) / 1200) * int(sample["rate"]) / sample_rate
        sound = self._played(zone, sample, speed, round(seconds * sample_rate))
        sound = _filtered(sound, zone, sample_rate)
        time = np.arange(len(sound)) / sample_rate
        loudness = -ATTENUATION_FACTOR * zone.get(ATTENUATION, 0) / 10
        start = _seconds(zone[DELAY])
        attack = np.clip((time - start) / _seconds(zone[ATTACK]), 0, 1)
        decaying = time - start - _seconds(zone[ATTACK]) - _seconds(zone[HOLD])
        fall = np.clip(decaying / _seconds(zone[DECAY]) * 100, 0, min(100, zone.get(SUSTAIN, 0) / 10))
        held = sound * attack * 10 ** ((loudness - fall) / 20)
        return Layer(held.astype(np.float32), _seconds(zone[RELEASE]), zone.get(EXCLUSIVE_CLASS, 0))

    def _played(self, zone: dict[int, int], sample, speed: float, length: int) -> np.ndarray:
        """The recording at some speed (1 is a recorded sample for each one played), looped if the zone says so."""
        audio = self._audio[int(sample["start"]) : int(sample["end"])] / 32768
        position = np.arange(length) * speed
        loop_start = int(sample["loop_start"]) - int(sample["start"]) + zone.get(START_LOOP, 0)
        loop_end = min(int(sample["loop_end"]) - int(sample["start"]) + zone.get(END_LOOP, 0), len(audio))
        if zone.get(LOOP_MODE, 0) & 1 and 0 <= loop_start < loop_end:
            turn = loop_end - loop_start
            position = np.where(position < loop_end, position, loop_start + (position - loop_start) % turn)
            before = position.astype(np.int64)
            after = np.where(before + 1 < loop_end, before + 1, loop_start)
        else:
            position = position[position < len(audio) - 1]
            before = position.astype(np.int64)
            after = before + 1
        part = position - before  # between two recorded samples: a straight line
        return audio[before] * (1 - part) + audio[after] * part


def _chunks(data: bytes, start: int, end: int):
    """The chunks of a RIFF file, (name, bytes); lists are opened."""
    while start + 8 <= end:
        name, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        if name == b"LIST":
            yield from _chunks(data, start + 12, start + 8 + size)
        else:
            yield name.decode("latin-1"), data[start + 8 : start + 8 + size]
        start += 8 + size + size % 2


def _zones(bags: bytes, generators: bytes) -> list[dict[int, int]]:
    """Every zone's generators: a zone's first generator is told in its bag, its last by the next bag's first."""
    firsts = np.frombuffer(bags, "<u2").reshape(-1, 2)[:, 0].tolist()
    amounts = np.frombuffer(generators, "<i2").reshape(-1, 2).tolist()
    return [dict(amounts[first:end]) for first, end in zip(firsts, firsts[1:], strict=False)]


def _in_reach(headers, zones, row: int, target: int, pitch: int):
    """The zones of one preset or instrument that have a target and sound at a pitch, the global zone merged in."""
    common = {}
    for index in range(headers[row]["first_zone"], headers[row + 1]["first_zone"]):
        if target not in zones[index]:
            common = zones[index]  # a first zone without a target holds for all that follow (7.3, 7.7)
            continue
        zone = common | zones[index]
        lowest, highest = zone.get(KEYS, 127 << 8) & 255, zone.get(KEYS, 127 << 8) >> 8 & 255
        if lowest <= pitch <= highest:
            yield zone


def _seconds(timecents: int) -> float:
    """Times are in cents of a second: 0 is one second, 1200 two, -1200 a half."""
    return 2 ** (timecents / 1200)


def _filtered(sound: np.ndarray, zone: dict[int, int], sample_rate: int) -> np.ndarray:
    """The zone's low-pass filter, which may open at first and close as the sound goes on (9.1).

    The sound is cut into short, overlapping pieces, and each piece's spectrum is turned down above the cutoff
    of that moment by 12 dB an octave.
    """
    size, hop = 512, 256
    start = np.arange(0, len(sound) + hop, hop) - hop  # the pieces' beginnings
    after = np.maximum(0, (start + hop) / sample_rate - _seconds(zone[SWEEP_HOLD])) / _seconds(zone[SWEEP_DECAY])
    opening = np.maximum(1 - after, 1 - min(1000, max(0, zone.get(SWEEP_SUSTAIN, 0))) / 1000)
    cutoff = 8.176 * 2 ** ((zone[CUTOFF] + zone.get(SWEEP, 0) * opening) / 1200)  # (pieces,) in Hz
    if len(sound) == 0 or cutoff.min() > 0.4 * sample_rate:
        return sound
    padded = np.concatenate([np.zeros(hop), sound, np.zeros(size)])
    pieces = padded[(start + hop)[:, None] + np.arange(size)]  # (pieces, size)
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2  # two neighbours add up to 1
    frequency = np.fft.rfftfreq(2 * size, 1 / sample_rate)
    gain = 1 / np.sqrt(1 + (frequency / cutoff[:, None]) ** 4)  # (pieces, frequencies)
    pieces = np.fft.irfft(np.fft.rfft(pieces * window, 2 * size) * gain, 2 * size)
    out = np.zeros(hop * (len(pieces) + 4))
    for quarter in range(0, 2 * size, hop):  # pieces overlap: add them up, one hop's worth at a time
        rows = pieces[:, quarter : quarter + hop].reshape(-1)
        out[quarter : quarter + len(rows)] += rows
    return out[hop : hop + len(sound)]
