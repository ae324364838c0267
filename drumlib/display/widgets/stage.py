"""A stage: knobs, and a groove to hear and see for each of their settings.

All takes are computed in Python and stand in the page as hits: which drum, when, how loud. The page carries a sample of
each of the nine drums and mixes the hits itself (``stage.js``), so that a take costs a few hundred bytes and a knob
changes sound and picture at once, with no kernel and no network.

Conventions:

- a hit of velocity v sounds (v / 127) ** 2 as loud as the loudest, as in ``drumlib.display.sound``;
- a page keeps offsets in hundredths of a step (a hundredth is 1.25 ms at 120 bpm) and velocities as MIDI does;
- a hit on either hi-hat ends what still rings of both (of two at once the open one sounds); every other drum rings on,
  as in the sound font.

Text that may come from a file (titles, captions, names of rows) is escaped.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from drumlib.display import sound
from drumlib.display.widgets.knobs import MAX_SETTINGS, Knob, Take
from drumlib.display.widgets.live import stage_box
from drumlib.display.widgets.notebook import mimebundle
from drumlib.display.widgets.stage_page import about, check_bpm, packed_takes, plain_clock, song_clock, stage_html
from drumlib.music.song import Song


class Stage:
    """Knobs, and a function that computes the take of each of their settings. Show it as the last line of a cell.

    Parameters
    ----------
    title : str
        A heading.
    knobs : sequence of Knob
        The controls; none, for a single take.
    play : callable
        ``play(**{knob.name: value}) -> Take``, for any values of the knobs. All its takes are equally long.
    bpm : float, optional
        The tempo, if there are no stems.
    stems : dict of Song, optional
        Music that sounds with the drums, by name: as long as the takes, and all with one tempo map. A stem's own drum
        tracks sound too: take them out (``drumlib.music.without_drums``) if ``play`` brings others.
    start_bar : int, optional
        The first bar's index in its song, from 0: the page numbers bars as the song does.

    Raises
    ------
    ValueError
        If the knobs have more than ``MAX_SETTINGS`` settings together or share a name, or if the tempo is out of range;
        when its takes are computed: if they are not equally long, or not as long as the stems.

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
        if settings > MAX_SETTINGS:
            raise ValueError(
                f"the knobs have {settings} settings together; a page holds {MAX_SETTINGS}: give them fewer values"
            )

    @cached_property
    def takes(self) -> dict[tuple[int, ...], Take]:
        settings = itertools.product(*(range(len(knob.values)) for knob in self.knobs))
        takes = {indices: self.take(*indices) for indices in settings}
        lengths = sorted({len(take.groove) for take in takes.values()})
        if len(lengths) > 1:
            raise ValueError(f"all takes must be equally long; these have {', '.join(map(str, lengths))} steps")
        return takes

    def take(self, *indices: int) -> Take:
        """Compute the take of one setting: ``play`` is called with the values at these indices.

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
        return self._html(list(self.takes.values()), self.knobs, list(self.stems))

    def take_html(self, *indices: int) -> str:
        """Compute one take, and give a stage without knobs that holds only this take and its stems, for a page."""
        take = self.take(*indices)
        return self._html([take], (), list(self.stems) if take.stem is None else [take.stem])

    def _html(self, takes: list[Take], knobs: Sequence[Knob], stems: list[str]) -> str:
        clock = self._clock(len(takes[0].groove), stems)
        tempo = self.stems[stems[0]].tempos[0].bpm if stems else self.bpm
        data = clock | packed_takes(takes)
        data |= {"knobs": [len(knob.values) for knob in knobs], "number": self.start_bar + 1}
        bars = len(clock["bars"]) - 1  # not steps / 16: not every bar is in 4/4
        audio = {name: self.audio[name] for name in stems}
        return stage_html(self.title, data, knobs, stems=audio, about=about(bars, tempo, self.start_bar))

    @cached_property
    def audio(self) -> dict[str, np.ndarray]:
        """Each stem as sound: (samples,), 48,000 samples a second."""
        return {name: sound.render(song) for name, song in self.stems.items()}

    def _clock(self, steps: int, stems: list[str]) -> dict:
        """The timeline of the takes: that of the stems, or of the tempo without any. Raises ValueError."""
        if not stems:
            return plain_clock(steps, self.bpm)
        clocks = {name: song_clock(self.stems[name]) for name in stems}
        first = clocks[stems[0]]
        for name, clock in clocks.items():
            if clock["steps"] != steps:
                raise ValueError(f"the takes have {steps} steps, and the stem {name!r} has {clock['steps']}")
            if clock != first:
                raise ValueError(f"the stem {name!r} has another tempo or other meters than the first one")
        return first

    def live(self):
        """The same with a kernel: an ipywidgets box that computes each take when a knob is turned.

        Raises ImportError if ipywidgets is not installed.
        """
        return stage_box(self)

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return mimebundle(self)

    def __repr__(self) -> str:
        knobs = ", ".join(f"{knob.name}: {len(knob.values)} values" for knob in self.knobs)
        return f"Stage({self.title!r}, {knobs or 'no knobs'})"
