"""A player for a page: one piece of HTML with a song's sound, a drum roll and a moving playhead.

It needs no network and no kernel, so it works in a built page that is opened from a disk as well as in JupyterLab
and Colab. The drum roll shows hits, velocities (colour and height) and offsets from the grid (a note stands to the
right of its line if it is late, to the left if it is early).

Text that comes from a song may be hostile: all of it is escaped.
"""

import html
from functools import cached_property

import numpy as np

from drumlib.display import sound
from drumlib.display.assets import assets, audio_element, filled, safe_json
from drumlib.display.plots import LOUDNESS
from drumlib.music.grid import Grid, Groove, notes_from_groove
from drumlib.music.kit import DRUM_OF_PITCH, DRUMS, FAMILIES
from drumlib.music.notes import Note
from drumlib.music.song import Song

SHORT_NAMES = ("kick", "snare", "hi-hat", "open hat", "low tom", "mid tom", "high tom", "ride", "crash")
"""Short names of the drums, for narrow screens."""

KBPS = 48
"""Bit rate of the MP3, in kilobits per second, mono. Sixteen bars of a band and its drums are then some 500 kB of page;
what is lost lies above 11 kHz, where our sound font has little but cymbals."""


class Player:
    """A song to hear, with a drum roll. Show it as the last line of a notebook's cell.

    Parameters
    ----------
    song : Song
        The song. With a band and drums, each can be muted.
    title : str, optional
        A heading; the song's name, if not given.
    start_bar, bars : int, optional
        The first bar (from 0) and the number of bars; all, if not given.
    groove : Groove, optional
        A groove of the whole song, (steps, 9), that the drum roll shows in place of the song's drum notes.
    kbps : int, optional
        Bit rate of each stem's MP3, in kilobits per second; ``KBPS``, if not given.

    Raises
    ------
    ValueError
        If the song has no notes, no such bars, or another number of steps than the groove.

    Attributes
    ----------
    audio : dict of array
        The sound: ``{"band": (samples,), "drums": (samples,)}``, at 48,000 samples a second; a part without
        notes is missing.
    html : str
        The whole player.
    """

    def __init__(
        self,
        song: Song,
        title: str | None = None,
        start_bar: int = 0,
        bars: int | None = None,
        groove: Groove | None = None,
        kbps: int | None = None,
    ):
        self.song, self.title, self.kbps = song, str(title or song.name or "Untitled"), kbps or KBPS
        self.start_bar, self.bars = start_bar, bars
        self._ticks = sound.section(song, start_bar, bars)
        self._bars = song.bars[start_bar : len(song.bars) if bars is None else start_bar + bars]
        self._grid = Grid(song)
        if groove is None:
            notes = sorted(note for track in song.drums for note in track.notes)
        else:
            notes = notes_from_groove(groove, self._grid)
        first, last = self._ticks
        self._notes = [note for note in notes if first <= note.tick < last and note.pitch in DRUM_OF_PITCH]

    @cached_property
    def audio(self) -> dict[str, np.ndarray]:
        return sound.render_stems(self.song, start_bar=self.start_bar, bars=self.bars)

    @cached_property
    def html(self) -> str:
        css, template = assets("player")
        stems = self.audio
        title = html.escape(self.title)
        mutes = [
            f'<button type="button" class="dlp-mute" data-mutes="{name}" aria-pressed="false"'
            f' aria-label="Mute {name}">{name.capitalize()}</button>'
            for name in stems
        ]
        shades = ", ".join(f"rgb{colour}" for colour in LOUDNESS)
        legend = (
            f'<span>soft <i style="background: linear-gradient(to right, {shades})"></i> loud</span>'
            "<span><b></b> right of its line: late; left: early</span>"
        )
        fields = {
            "title": title,
            "about": html.escape(self._about()),
            "summary": html.escape(self.summary),
            "mutes": "".join(mutes) if len(stems) > 1 else "",
            "legend": legend if self._notes else "",
            "audio": "".join(audio_element(name, audio, self.kbps) for name, audio in stems.items()),
            "data": safe_json(self._data()),
            "css": css,
        }
        return filled(template, fields)

    @property
    def summary(self) -> str:
        """The drum roll in words, for screen readers."""
        if not self._notes:
            return f"{self.title}: {self._about()}. There are no drums in it."
        drums = [DRUM_OF_PITCH[note.pitch] for note in self._notes]
        counts = [f"{name} {drums.count(drum)}" for drum, name in enumerate(DRUMS) if drum in drums]
        loud = [note.velocity / 127 for note in self._notes]
        offsets = self._offsets()
        lean = float(offsets.mean())
        timing = "on the grid" if abs(lean) < 0.005 else f"{abs(lean):.2f} sixteenths {'late' if lean > 0 else 'early'}"
        return (
            f"{self.title}: {self._about()}. The drums play {len(drums)} notes: {', '.join(counts)}. Their loudness"
            f" goes from {min(loud):.0%} to {max(loud):.0%} of the loudest possible, {np.mean(loud):.0%} on average."
            f" On average they are {timing}, with a spread of {offsets.std():.2f} sixteenths."
        )

    def _about(self) -> str:
        """Bars, tempo and meter."""
        first = self._bars[0]
        tempo = next(tempo for tempo in reversed(self.song.tempos) if tempo.tick <= first.tick)
        bars = f"{len(self._bars)} bars" if len(self._bars) > 1 else "1 bar"
        if self.start_bar:
            bars += f" from bar {self.start_bar + 1}"
        return f"{bars}, {tempo.bpm:.0f} bpm, {first.numerator}/{first.denominator}"

    def _offsets(self) -> np.ndarray:
        """Offset of each note from the grid, in steps, plus is late."""
        return self._grid.locate([note.tick for note in self._notes])[1]

    def _data(self) -> dict:
        """What ``player.js`` reads: x is in sixteenths from the first bar line, t in seconds of the audio."""
        song, tpb = self.song, self.song.ticks_per_beat
        zero, begin = self._bars[0].tick, song.seconds(self._ticks[0])
        end = self._bars[-1].end
        lines = [tick for bar in self._bars for tick in range(bar.tick, bar.end, max(1, tpb * 4 // bar.denominator))]
        lines.append(end)
        samples = len(next(iter(self.audio.values())))
        notes = []
        for note, offset in zip(self._notes, self._offsets(), strict=True):
            x = (note.tick - zero) * 4 / tpb
            notes += [round(100 * x), DRUM_OF_PITCH[note.pitch], note.velocity, round(100 * offset)]
        return {
            "number": self.start_bar + 1,
            "bars": [_short((bar.tick - zero) * 4 / tpb) for bar in self._bars] + [_short((end - zero) * 4 / tpb)],
            "x": [_short((tick - zero) * 4 / tpb) for tick in lines],
            "t": [_short(song.seconds(tick) - begin) for tick in lines],
            "seconds": _short(min(samples / sound.SAMPLE_RATE, song.seconds(end) - begin + sound.TAIL)),
            "audio": _short(samples / sound.SAMPLE_RATE),
            "rate": sound.SAMPLE_RATE,
            "notes": notes,
            "band": self._lanes(),
            "drums": DRUMS,
            "short": SHORT_NAMES,
            "palette": LOUDNESS,
        }

    def _lanes(self) -> list[tuple[str, str]]:
        """The band by family: the number of notes that sound on each sixteenth, as a string of digits."""
        names = {family: family for family in FAMILIES} | {None: "others"}
        zero, tpb = self._bars[0].tick, self.song.ticks_per_beat
        steps = -(-(self._bars[-1].end - zero) * 4 // tpb)
        lanes = []
        for family, name in names.items():
            sounding = np.zeros(steps, dtype=int)
            for track in self.song.band:
                if track.family == family:
                    for note in track.notes:
                        if self._ticks[0] <= note.tick < self._ticks[1]:
                            first, last = _steps_of(note, zero, tpb)
                            sounding[first:last] += 1
            if sounding.any():
                lanes.append((name, "".join(str(min(9, count)) for count in sounding)))
        return lanes

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"Player({self.title!r}, {self._about()}, {len(self._notes)} drum notes)"


def _steps_of(note: Note, zero: int, ticks_per_beat: int) -> tuple[int, int]:
    """The sixteenths on which a note sounds, its first and the one after its last."""
    first = max(0, round((note.tick - zero) * 4 / ticks_per_beat))
    return first, max(first + 1, round((note.tick + note.length - zero) * 4 / ticks_per_beat))


def _short(number: float) -> float:
    return round(number, 3)
