"""A step sequencer: a stage whose hits the reader sets, makes louder or softer, and moves off the grid.

In a page it needs no kernel and no network: the cells, the sound and the export (a line of Python, a MIDI file) are the
page's own (``sequencer.js``). With a kernel, ``live()`` gives ipywidgets, and ``groove`` holds what they are set to.

A groove as text is one line: ``16 steps; kick 0:100 8:96+0.10; snare 4:110``. Each drum has its hits as
``step:velocity``, with steps from 0, MIDI's velocities from 1 to 127, and, for a hit off the grid, its offset in steps,
plus is late.
"""

import re
from pathlib import Path

import numpy as np

from drumlib.display.assets import assets
from drumlib.display.widgets.knobs import Take
from drumlib.display.widgets.live import show
from drumlib.display.widgets.notebook import mimebundle
from drumlib.display.widgets.stage_page import about, check_bpm, hundredths, packed_takes, plain_clock, stage_html
from drumlib.music.grid import STEPS_PER_BAR, Groove
from drumlib.music.kit import DRUMS, PITCH_OF_DRUM
from drumlib.music.rock_beat import rock_bar

MAX_BARS = 4

ROW = 24
"""Height of a cell in pixels: enough for a finger."""

MAX_TEXT = 20_000
"""Characters of a text that is read, at most: four bars with a hit in every cell have fewer."""

HIT = re.compile(r"(\d{1,3}):(\d{1,3})([+-]0\.\d\d)?")


class Sequencer:
    """A step sequencer. Show it as the last line of a notebook's cell.

    Parameters
    ----------
    groove : Groove, optional
        The initial groove, of 1 to 4 bars; the rock beat, if not given.
    bars : int, optional
        Number of bars; that of the groove, or 1, if not given.
    bpm : float, optional
        The tempo, 20 to 400.
    title : str, optional
        A heading.

    Raises
    ------
    ValueError
        If the groove is not as many bars of 16 steps, or if the tempo is out of range.

    Attributes
    ----------
    groove : Groove
        The present groove: first the initial one, with velocities rounded to MIDI's and offsets to hundredths of a
        step. Edits in a page without a kernel do not reach it; the page exports them as text.
    """

    def __init__(
        self,
        groove: Groove | None = None,
        bars: int | None = None,
        bpm: float = 120.0,
        title: str = "Step sequencer",
    ):
        if bars is not None:
            check_steps(bars * STEPS_PER_BAR)
        if groove is None:
            hits = np.tile(rock_bar(), (1 if bars is None else bars, 1))  # (16, 9) -> (16 * bars, 9)
            groove = Groove(hits, hits * 100 / 127, hits * 0)
        steps = len(groove) if bars is None else bars * STEPS_PER_BAR
        if len(groove) != steps:
            raise ValueError(f"the groove has {len(groove)} steps, and {bars} bars have {steps}")
        check_steps(steps)
        self.bpm, self.title = check_bpm(bpm), str(title)
        self.first = self.groove = rounded(groove)

    @staticmethod
    def groove_from(text: str) -> Groove:
        """The groove of a line that a sequencer exported, exactly.

        Parameters
        ----------
        text
            The line; this module's docstring has its format.

        Raises
        ------
        ValueError
            If the text has another format; the message quotes the place.
        """
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise ValueError(f"a groove is written as a text of at most {MAX_TEXT:,} characters")
        head, *parts = (part.strip() for part in text.split(";"))
        if not re.fullmatch(r"\d{1,4} steps", head):
            raise ValueError(f"a groove begins with how many steps it has, as '16 steps', not with {head[:40]!r}")
        steps = int(head.split()[0])
        check_steps(steps)
        hits, velocities, offsets = np.zeros((3, steps, len(DRUMS)), dtype=np.float32)
        for part in parts:
            drum = next((i for i, name in enumerate(DRUMS) if part.startswith(name + " ")), None)
            if drum is None:
                raise ValueError(f"no drum begins {part[:40]!r}; the drums are {', '.join(DRUMS)}")
            for entry in part[len(DRUMS[drum]) :].split():
                found = HIT.fullmatch(entry)
                if not found:
                    raise ValueError(f"{DRUMS[drum]}: {entry[:40]!r} is no hit, as 8:100 or 8:100+0.05")
                step, velocity, offset = int(found[1]), int(found[2]), float(found[3] or 0)
                if not (step < steps and 1 <= velocity <= 127 and -0.5 <= offset < 0.5):
                    raise ValueError(f"{DRUMS[drum]}: {entry} has a step, a velocity or an offset out of its range")
                if hits[step, drum]:
                    raise ValueError(f"{DRUMS[drum]} has two hits on step {step}")
                hits[step, drum], velocities[step, drum], offsets[step, drum] = 1, velocity / 127, offset
        return Groove(hits, velocities, offsets)

    @property
    def text(self) -> str:
        """The groove as one line, which ``groove_from`` reads back exactly."""
        parts = [f"{len(self.groove)} steps"]
        velocities, offsets = np.rint(self.groove.velocities * 127).astype(int), hundredths(self.groove.offsets)
        for drum, name in enumerate(DRUMS):
            steps = np.flatnonzero(self.groove.hits[:, drum])
            played = [f"{i}:{velocities[i, drum]}{_offset_text(offsets[i, drum])}" for i in steps]
            if played:
                parts.append(f"{name} {' '.join(played)}")
        return "; ".join(parts)

    @property
    def html(self) -> str:
        """The whole sequencer, for a page."""
        css, cells = assets("sequencer", Path(__file__).parent)
        extra = f"<style>{css}</style>\n{cells}"
        return self._html({"bpm": self.bpm, "pitches": PITCH_OF_DRUM, "row": ROW}, extra=extra, kind="sequencer")

    def _html(self, more: dict, **options) -> str:
        data = plain_clock(len(self.groove), self.bpm) | {"knobs": []} | packed_takes([Take(self.groove)]) | more
        return stage_html(self.title, data, about=about(len(data["bars"]) - 1, self.bpm), **options)

    def live(self):
        """The same with a kernel, as an ipywidgets widget: each edit changes ``groove`` at once."""
        return _live(self)

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return mimebundle(self)

    def __repr__(self) -> str:
        return f"Sequencer({self.title!r}, {about(len(self.groove), self.bpm)}, {int(self.groove.hits.sum())} hits)"


def check_steps(steps: int) -> None:
    """Raises ValueError if the steps are not 1 to 4 bars."""
    if steps % STEPS_PER_BAR or not 0 < steps <= MAX_BARS * STEPS_PER_BAR:
        raise ValueError(f"a sequencer has 1 to {MAX_BARS} bars of {STEPS_PER_BAR} steps; {steps} steps are not that")


def rounded(groove: Groove) -> Groove:
    """The same groove with MIDI's velocities, and with offsets in whole hundredths of a step."""
    hits = groove.hits > 0.5
    velocities = np.clip(np.rint(groove.velocities * 127), 1, 127) / 127
    return Groove(hits, velocities * hits, hundredths(groove.offsets) / 100 * hits)


def _offset_text(offset: int) -> str:
    """An offset in hundredths of a step, as it stands behind a hit; empty on the grid."""
    return f"{offset / 100:+.2f}" if offset else ""


def _live(sequencer: Sequencer):
    """Widgets that ipywidgets 7.7 and 8 share: a drum, its sixteen steps, and one step's velocity and offset."""
    import ipywidgets

    bars = len(sequencer.groove) // STEPS_PER_BAR
    drum = ipywidgets.Dropdown(options=[(name, i) for i, name in enumerate(DRUMS)], value=0, description="Drum")
    bar = ipywidgets.Dropdown(options=[(str(i + 1), i) for i in range(bars)], value=0, description="Bar")
    room = ipywidgets.Layout(width="2.9em", min_width="2.2em", margin="1px")
    steps = [ipywidgets.ToggleButton(description=str(i), layout=room) for i in range(STEPS_PER_BAR)]
    chosen = ipywidgets.Dropdown(options=[(str(i), i) for i in range(STEPS_PER_BAR)], value=0, description="Step")
    velocity = ipywidgets.IntSlider(value=100, min=1, max=127, description="Velocity", continuous_update=False)
    offset = ipywidgets.FloatSlider(
        value=0, min=-0.5, max=0.49, step=0.01, description="Offset", readout_format="+.2f", continuous_update=False
    )
    clear, reset = ipywidgets.Button(description="Clear"), ipywidgets.Button(description="Reset")
    line, output = ipywidgets.HTML(), ipywidgets.Output()
    setting = False  # True while the widgets are set from the groove: their events then change nothing

    def at(step: int) -> tuple[int, int]:
        return bar.value * STEPS_PER_BAR + step, drum.value

    def set_widgets():
        nonlocal setting
        groove, here = sequencer.groove, at(chosen.value)
        setting = True
        for i, button in enumerate(steps):
            button.value = bool(groove.hits[at(i)])
            button.button_style = "primary" if button.value else ""
        velocity.disabled = offset.disabled = not groove.hits[here]
        if groove.hits[here]:
            velocity.value = round(float(groove.velocities[here]) * 127)
            offset.value = round(float(groove.offsets[here]), 2)
        setting = False

    def play():
        line.value = f"<code>{sequencer.text}</code>"  # numbers and names of drums: nothing to escape
        show(output, sequencer._html({}))

    def edit(step: int, hit: bool, velocity: int, offset: float):
        hits, velocities, offsets = (
            np.array(array) for array in (sequencer.groove.hits, sequencer.groove.velocities, sequencer.groove.offsets)
        )
        hits[at(step)], velocities[at(step)], offsets[at(step)] = hit, hit * velocity / 127, hit * offset
        sequencer.groove = rounded(Groove(hits, velocities, offsets))
        set_widgets()
        play()

    def on_toggle(step: int):
        def on_change(change):
            nonlocal setting
            if setting:
                return
            setting = True
            chosen.value = step
            setting = False
            edit(step, change["new"], velocity.value, 0.0)

        return on_change

    def moved(_):
        if not setting:
            edit(chosen.value, True, velocity.value, offset.value)

    def another(_):
        if not setting:
            set_widgets()

    def begin_with(groove: Groove):
        def on_click(_):
            sequencer.groove = groove
            set_widgets()
            play()

        return on_click

    for step, button in enumerate(steps):
        button.observe(on_toggle(step), "value")
    for slider in (velocity, offset):
        slider.observe(moved, "value")
    for choice in (drum, bar, chosen):
        choice.observe(another, "value")
    nothing = np.zeros((len(sequencer.groove), len(DRUMS)))
    clear.on_click(begin_with(Groove(nothing, nothing, nothing)))
    reset.on_click(begin_with(sequencer.first))
    set_widgets()
    play()
    halves = [ipywidgets.HBox(steps[:8]), ipywidgets.HBox(steps[8:])]
    choices = [drum, bar] if bars > 1 else [drum]
    buttons = ipywidgets.HBox([clear, reset])
    return ipywidgets.VBox([*choices, *halves, chosen, velocity, offset, buttons, line, output])
