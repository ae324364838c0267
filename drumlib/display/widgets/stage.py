"""A stage: knobs, and for each of their settings a take that is heard and seen.

All takes are computed in Python, by drumlib, and stand in the page as strokes: which drum, when, how loud. The page
carries a sample of each of the nine drums and mixes the strokes itself (``stage.js``), so that a take costs a few
hundred bytes and a knob changes sound and picture at once, with no kernel and no network.

Conventions:

- a stroke of velocity v sounds (v / 127) ** 2 as loud as the loudest, as in ``drumlib.display.sound``;
- a page keeps offsets in hundredths of a step (a hundredth is 1.25 ms at 120 bpm) and velocities as MIDI does;
- a stroke on either hi-hat ends what still rings of both (of two at once the open one sounds); every other drum rings
  on, as in the sound font.

Text that comes from elsewhere (titles, captions, names of rows) is escaped.
"""

import base64
import hashlib
import html
import importlib.util
import itertools
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from drumlib.display import sound
from drumlib.display.assets import assets, filled, safe_json
from drumlib.display.player import SHORT_NAMES
from drumlib.display.plots import LOUDNESS
from drumlib.music.grid import STEPS_PER_BAR, STEPS_PER_BEAT, Grid, Groove
from drumlib.music.kit import DRUMS, KICK, PITCH_OF_DRUM, SNARE
from drumlib.music.notes import Note
from drumlib.music.song import Song, Track

MOST = 128
"""So many settings of its knobs a stage may have: each of them is computed, and stands in the page."""

LONGEST = 4096
"""So many steps a take may have: a page writes a step with 12 bits."""

KBPS = 64
"""Kilobits a second of the MP3 of the drums and of the stems."""

PEAK = 0.5
"""The drums' samples are written with this peak, since MP3 keeps soft sounds badly; the page knows their gains."""

RINGS = (0.1, 0.22, 0.1, 1.8, 1.1, 1.0, 0.9, 2.4, 2.4)
"""For how many seconds the page lets each drum ring: until 30 to 40 dB below its beginning, and then it fades."""

ORDINARY = 110
"""The velocity at which the drums' samples are taken: in this sound font they sound alike at all others, but for..."""

LOUD_SNARE, LOUD_RING = 118, 0.7
"""... the snare, which from this velocity on rings longer. It has a second sample."""

GAP = 0.03
"""Seconds of silence between two drums in the MP3, so that neither smears into the other."""

LEVELS = 64
"""A cell of a picture is written as one of so many levels: one character."""

SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


@dataclass(frozen=True)
class Knob:
    """Something to turn.

    Attributes
    ----------
    name : the keyword under which ``play`` gets its value.
    label : what stands beside it.
    values : what it can be set to, in order: numbers (a slider) or strings (a list to choose from).
    start : index of the value at the beginning.
    texts : how each value reads; ``str(value)``, if not given.

    Raises
    ------
    ValueError
        If it has no values, no such start, or another number of texts than of values.
    """

    name: str
    label: str
    values: tuple
    start: int = 0
    texts: tuple[str, ...] | None = None

    def __post_init__(self):
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values:
            raise ValueError(f"the knob {self.name!r} has no values")
        if not 0 <= self.start < len(self.values):
            raise ValueError(f"the knob {self.name!r} has the values 0 to {len(self.values) - 1}, not {self.start}")
        texts = tuple(map(str, self.values if self.texts is None else self.texts))
        if len(texts) != len(self.values):
            raise ValueError(f"the knob {self.name!r} has {len(self.values)} values and {len(texts)} texts")
        object.__setattr__(self, "texts", texts)


@dataclass(frozen=True, eq=False)
class Take:
    """What one setting of the knobs sounds and looks like.

    Attributes
    ----------
    groove : the drums, (steps, 9).
    caption : a line of plain text.
    picture : (rows, steps), in [0, 1]: a heat map above the drum roll, row 0 at the top; or None.
    rows : names of the picture's rows; none, or as many as it has.
    stem : which of the stage's stems sounds beside the drums; None: all of them.

    Raises
    ------
    ValueError
        If the shapes do not fit, or if the picture holds what is not in [0, 1].
    """

    groove: Groove
    caption: str = ""
    picture: np.ndarray | None = None
    rows: tuple[str, ...] = ()
    stem: str | None = None

    def __post_init__(self):
        if not isinstance(self.groove, Groove):
            raise ValueError(f"a take's groove is a Groove, not {type(self.groove).__name__}")
        if not 0 < len(self.groove) <= LONGEST:
            raise ValueError(f"a take has 1 to {LONGEST} steps, not {len(self.groove)}")
        object.__setattr__(self, "rows", tuple(map(str, self.rows)))
        if self.picture is None:
            if self.rows:
                raise ValueError("a take without a picture has no rows to name")
            return
        picture = np.asarray(self.picture, dtype=np.float32)
        if picture.ndim != 2 or picture.shape[1] != len(self.groove) or not len(picture):
            raise ValueError(f"a picture has shape (rows, {len(self.groove)}), as the groove, not {picture.shape}")
        if not ((picture >= 0) & (picture <= 1)).all():
            raise ValueError("a picture's cells lie between 0 and 1")
        if self.rows and len(self.rows) != len(picture):
            raise ValueError(f"the picture has {len(picture)} rows, and {len(self.rows)} names for them")
        object.__setattr__(self, "picture", picture)


class Stage:
    """Knobs to turn, and what they do to a groove. Show it as the last line of a notebook's cell.

    Parameters
    ----------
    title : str
        A heading.
    knobs : sequence of Knob
        What can be turned; none, for a single take.
    play : callable
        ``play(**{knob.name: value}) -> Take``, for any values of the knobs. All its takes are equally long.
    bpm : float, optional
        The tempo, if there are no stems.
    stems : dict of Song, optional
        Music to sound beside the drums, by name. As long as the drums, and all with one tempo map. A stem's own drum
        tracks sound too: take them out (``drumlib.music.without_drums``) if ``play`` brings others.
    start_bar : int, optional
        Which bar of a song the first one is, from 0: bars are numbered as in the song.

    Raises
    ------
    ValueError
        If the knobs have more than ``MOST`` settings together or share a name, or if the tempo makes no sense; when
        its takes are computed: if they are not equally long, or do not fit the stems.

    Attributes
    ----------
    takes : dict of Take
        The take of every setting, by the knobs' indices; computed when first asked for.
    html : str
        The whole stage, for a page.
    """

    def __init__(
        self,
        title: str,
        knobs: Sequence[Knob],
        play: Callable[..., Take],
        bpm: float = 120.0,
        stems: Mapping[str, Song] | None = None,
        start_bar: int = 0,
    ):
        self.title, self.knobs, self.play, self.start_bar = str(title), tuple(knobs), play, start_bar
        self.bpm, self.stems = check_bpm(bpm), dict(stems or {})
        if len({knob.name for knob in self.knobs}) < len(self.knobs):
            raise ValueError("two knobs have the same name")
        settings = math.prod(len(knob.values) for knob in self.knobs)
        if settings > MOST:
            raise ValueError(
                f"the knobs have {settings} settings together; a page holds {MOST}: give them fewer values"
            )

    @cached_property
    def takes(self) -> dict[tuple[int, ...], Take]:
        takes = {}
        for indices in itertools.product(*(range(len(knob.values)) for knob in self.knobs)):
            takes[indices] = self.take(*indices)
        lengths = sorted({len(take.groove) for take in takes.values()})
        if len(lengths) > 1:
            raise ValueError(f"all takes must be equally long; these have {', '.join(map(str, lengths))} steps")
        return takes

    def take(self, *indices: int) -> Take:
        """The take of one setting, computed now: ``play`` is called with the values at these indices.

        Raises
        ------
        ValueError
            If ``play`` returns no Take, or one that asks for a stem that is not there.
        """
        values = {knob.name: knob.values[i] for knob, i in zip(self.knobs, indices, strict=True)}
        take = self.play(**values)
        if not isinstance(take, Take):
            raise ValueError(f"play must return a Take, not {type(take).__name__}")
        if take.stem is not None and take.stem not in self.stems:
            raise ValueError(f"a take asks for the stem {take.stem!r}; there are: {', '.join(self.stems) or 'none'}")
        return take

    @cached_property
    def html(self) -> str:
        data = self._clock() | self._packed()
        data |= {"knobs": [len(knob.values) for knob in self.knobs], "number": self.start_bar + 1}
        return stage_html(self.title, data, self._knobs_html(), stems=self.audio, about=self._about())

    @cached_property
    def audio(self) -> dict[str, np.ndarray]:
        """What sounds beside the drums: each stem (samples,), 48,000 samples a second."""
        return {name: sound.render(song) for name, song in self.stems.items()}

    def _clock(self) -> dict:
        """Where time is: ``x`` in steps and ``t`` in seconds, beat by beat; and the first step of each bar."""
        steps = len(next(iter(self.takes.values())).groove)
        if not self.stems:
            return plain_clock(steps, self.bpm)
        clocks = {name: song_clock(song) for name, song in self.stems.items()}
        first = next(iter(clocks.values()))
        for name, clock in clocks.items():
            if clock["steps"] != steps:
                raise ValueError(f"the takes have {steps} steps, and the stem {name!r} has {clock['steps']}")
            if clock != first:
                raise ValueError(f"the stem {name!r} has another tempo or other meters than the first one")
        return first

    def _packed(self) -> dict:
        """All takes, in the order of their indices; what several share (strokes, captions, pictures) is there once."""
        strokes, captions, pictures, takes = [], [], [], []
        for take in self.takes.values():
            rows = None
            if take.picture is not None:
                rows = [len(take.picture), list(take.rows), packed_picture(take.picture)]
            takes.append(
                [
                    _index(strokes, packed(take.groove)),
                    _index(captions, take.caption),
                    -1 if rows is None else _index(pictures, rows),
                    take.stem,
                ]
            )
        return {"takes": takes, "strokes": strokes, "captions": captions, "pictures": pictures}

    def _knobs_html(self) -> str:
        return "".join(map(_knob_html, self.knobs))

    def _about(self) -> str:
        bars = len(self._clock()["bars"]) - 1  # not steps / 16: not every bar is in 4/4
        tempo = self.bpm if not self.stems else next(iter(self.stems.values())).tempos[0].bpm
        return about(bars, tempo, self.start_bar)

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return mimebundle(self)

    def __repr__(self) -> str:
        knobs = ", ".join(f"{knob.name}: {len(knob.values)} values" for knob in self.knobs)
        return f"Stage({self.title!r}, {knobs or 'no knobs'})"


def check_bpm(bpm: float) -> float:
    """The tempo, if somebody could play it; ValueError if not."""
    if not 20 <= bpm <= 400:
        raise ValueError(f"a tempo is 20 to 400 beats a minute, not {bpm}")
    return float(bpm)


def about(bars: int, bpm: float, start_bar: int = 0) -> str:
    where = f" from bar {start_bar + 1}" if start_bar else ""
    return f"{bars} bar{'s' if bars > 1 else ''}{where}, {bpm:.0f} bpm"


NO_WIDGETS = (
    "<p>This can be turned only while its kernel runs, and where ipywidgets are shown: run the cell in JupyterLab,"
    " Colab or Voila.</p>"
)


def mimebundle(widget) -> dict:
    """What a notebook shows of a stage or a sequencer: the page's own, and the live one where somebody can turn it.

    Where the live one is, the page's is left out: its many takes would be computed while somebody waits.
    """
    bundle = {"text/plain": repr(widget)}
    if has_interactive_reader() and importlib.util.find_spec("ipywidgets"):
        bundle["text/html"] = NO_WIDGETS
        if hasattr(widget, "live"):
            view = widget.live()
        else:
            from drumlib.display.widgets import live

            view = live(widget)
        bundle["application/vnd.jupyter.widget-view+json"] = {
            "version_major": 2,
            "version_minor": 0,
            "model_id": view.model_id,
        }
    else:
        bundle["text/html"] = widget.html
    return bundle


def has_interactive_reader() -> bool:
    """Whether a reader sits before the kernel that runs us: then it may ask questions (``input``).

    Who only runs a notebook through, to build a book or to test it, allows no questions, and needs no widgets: they
    would be computed for nobody. Voila allows no questions either, but has readers; it says who it is.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    kernel = getattr(shell, "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False)) or (
        kernel is not None and os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
    )


def stage_html(
    title: str,
    data: dict,
    knobs: str = "",
    stems: Mapping[str, np.ndarray] | None = None,
    about: str = "",
    extra: str = "",
    kind: str = "stage",
) -> str:
    """The component: ``stage.html`` with its fields filled in. ``knobs`` and ``extra`` are HTML, the rest is text."""
    css, template = assets("stage", Path(__file__).parent)
    shades = ", ".join(f"rgb{colour}" for colour in LOUDNESS)
    stems = {name: audio for name, audio in (stems or {}).items()}
    mutes = [("drums", "Drums"), ("stems", "Music")] if stems else []
    kit = drum_samples()
    data = {
        "rate": sound.SAMPLE_RATE,
        "ceiling": sound.CEILING,
        "drums": DRUMS,
        "short": SHORT_NAMES,
        "palette": LOUDNESS,
        "number": 1,
        "kit": {
            "name": kit.name,
            "starts": kit.starts,
            "lengths": kit.lengths,
            "gains": kit.gains,
            "all": kit.samples,
            "loud": [SNARE, LOUD_SNARE],
        },
        "audio": {name: len(audio) for name, audio in stems.items()},
    } | data
    fields = {
        "title": html.escape(title),
        "kind": kind,
        "about": html.escape(about),
        "knobs": knobs,
        "extra": extra,
        "mutes": "".join(
            f'<button type="button" class="dls-mute" data-mutes="{name}" aria-pressed="false"'
            f' aria-label="Mute {text.lower()}">{text}</button>'
            for name, text in mutes
        ),
        "loud": f"background: linear-gradient(to right, {shades})",
        "audio": "".join(_audio_html(name, audio) for name, audio in stems.items()),
        "kit": base64.b64encode(kit.mp3).decode("ascii"),
        "data": safe_json(data),
        "css": css,
    }
    return filled(template, fields)


def _knob_html(knob: Knob) -> str:
    label = html.escape(knob.label)
    texts = [html.escape(text) for text in knob.texts]
    tags = f'class="dls-knob" data-knob="{html.escape(knob.name)}" aria-label="{label}" autocomplete="off"'
    if isinstance(knob.values[knob.start], str):
        chosen = {knob.start: " selected"}
        options = "".join(f'<option value="{i}"{chosen.get(i, "")}>{text}</option>' for i, text in enumerate(texts))
        control = f"<select {tags}>{options}</select><span></span>"
    else:
        control = (
            f'<input type="range" {tags} min="0" max="{len(texts) - 1}" step="1" value="{knob.start}"'
            f' aria-valuetext="{texts[knob.start]}" data-texts="{html.escape(safe_json(knob.texts))}">'
            f'<span class="dls-value" aria-hidden="true">{texts[knob.start]}</span>'
        )
    return f'<label class="dls-row"><span class="dls-label">{label}</span>{control}</label>'


def _audio_html(name: str, audio: np.ndarray) -> str:
    mp3 = base64.b64encode(sound.encode_mp3(audio, kbps=KBPS)).decode("ascii")
    name = html.escape(name)
    # Controls are for a page without scripts; the stage's own take them away.
    return (
        f'<audio data-stem="{name}" aria-label="{name}" preload="none" controls '
        f'src="data:audio/mpeg;base64,{mp3}"></audio>'
    )


def _index(known: list, thing) -> int:
    """Where a thing is in a list of different things; it is added, if it is new."""
    if thing not in known:
        known.append(thing)
    return known.index(thing)


def plain_clock(steps: int, bpm: float) -> dict:
    """Where time is at one tempo, in bars of 16 steps."""
    seconds = steps * 60 / STEPS_PER_BEAT / bpm
    bars = [*range(0, steps, STEPS_PER_BAR), steps]
    return {"steps": steps, "x": [0, steps], "t": [0, round(seconds, 6)], "bars": bars, "seconds": round(seconds, 6)}


def song_clock(song: Song) -> dict:
    """Where time is in a song: steps of its grid, and their seconds. A bar's left-over steps take no time."""
    grid = Grid(song)
    x, t = [], []
    for bar, first in zip(grid.bars, grid.first_steps.tolist(), strict=True):
        own = max(1, -(-(bar.end - bar.tick) * STEPS_PER_BEAT // song.ticks_per_beat))
        for step in (*range(0, own, STEPS_PER_BEAT), own):
            tick = min(bar.tick + step * song.ticks_per_beat / STEPS_PER_BEAT, bar.end)
            x.append(first + step)
            t.append(round(song.seconds(tick), 6))
    bars = [*grid.first_steps.tolist(), grid.steps]
    return {"steps": grid.steps, "x": x, "t": t, "bars": bars, "seconds": t[-1]}


def packed(groove: Groove) -> str:
    """A groove's strokes, four bytes each, in order of step, as base64.

    From the high bit: 12 bits of step, 4 of drum, 8 of velocity (1-127), 8 of offset + 50 in hundredths of a step.
    """
    steps, drums = np.nonzero(groove.hits > 0.5)
    loud = np.clip(np.rint(groove.velocities[steps, drums] * 127), 1, 127).astype(np.uint32)
    offsets = hundredths(groove.offsets[steps, drums]).astype(np.int64) + 50
    words = steps.astype(np.uint32) << 20 | drums.astype(np.uint32) << 16 | loud << 8 | offsets.astype(np.uint32)
    return base64.b64encode(words.astype(">u4").tobytes()).decode("ascii")


def hundredths(offsets) -> np.ndarray:
    """Offsets in steps, in whole hundredths of a step, -50 to 49."""
    return np.clip(np.rint(np.asarray(offsets, dtype=np.float64) * 100), -50, 49).astype(np.int64)


def packed_picture(picture: np.ndarray) -> str:
    """A picture, (rows, steps) in [0, 1], row after row: one character for each cell."""
    return "".join(SIGNS[level] for level in np.rint(picture * (LEVELS - 1)).astype(int).ravel())


@dataclass(frozen=True, eq=False)
class DrumSamples:
    """One stroke of each of the nine drums, and the loud snare, in one MP3.

    Attributes
    ----------
    mp3 : all of them one after the other, each with the peak ``PEAK``.
    starts, lengths : where each is, in samples.
    gains : what makes each as loud as ``drumlib.display.sound`` plays it at velocity 127.
    samples : how many samples the MP3 holds.
    name : names the samples by their content, so that a page decodes them once for all its stages.
    """

    mp3: bytes
    starts: list[int]
    lengths: list[int]
    gains: list[float]
    samples: int
    name: str


@cache
def drum_samples() -> DrumSamples:
    """The nine drums and the loud snare, rendered once for each process."""
    rate, parts, starts, lengths, gains, at = sound.SAMPLE_RATE, [], [], [], [], 0
    wanted = [(pitch, ORDINARY, ring) for pitch, ring in zip(PITCH_OF_DRUM, RINGS, strict=True)]
    for pitch, velocity, ring in [*wanted, (PITCH_OF_DRUM[SNARE], 127, LOUD_RING)]:
        # A kick four seconds later: a song fades out at its end, and a short drum alone would fade with it.
        strokes = (Note(0, pitch, velocity, 60), Note(8 * 480, PITCH_OF_DRUM[KICK], 127, 60))
        audio = sound.render(Song(480, (Track(strokes, is_drum=True),)))[: round(ring * rate)]
        fade = len(audio) // 5
        audio[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
        peak = float(np.abs(audio).max())
        starts.append(at)
        lengths.append(len(audio))
        gains.append(round(peak / PEAK * (127 / velocity) ** 2, 5))
        parts += [audio * (PEAK / peak), np.zeros(round(GAP * rate), np.float32)]
        at += len(audio) + len(parts[-1])
    mp3 = sound.encode_mp3(np.concatenate(parts), kbps=KBPS)
    return DrumSamples(mp3, starts, lengths, gains, at, hashlib.sha256(mp3).hexdigest()[:12])
