"""The page of a stage: its HTML (``stage.html``), and its takes as the JSON that ``stage.js`` reads."""

import base64
import html
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from drumlib.display import sound
from drumlib.display.assets import assets, audio_element, filled, safe_json
from drumlib.display.player import SHORT_NAMES
from drumlib.display.plots import LOUDNESS
from drumlib.display.widgets.drum_samples import KBPS, LOUD_SNARE, drum_samples
from drumlib.display.widgets.knobs import Knob, Take
from drumlib.music.grid import STEPS_PER_BAR, STEPS_PER_BEAT, Grid, Groove
from drumlib.music.kit import DRUMS, SNARE
from drumlib.music.song import Song

LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
"""A cell of a picture is one of these characters, from 0 to 1."""


def stage_html(
    title: str,
    data: dict,
    knobs: Iterable[Knob] = (),
    stems: Mapping[str, np.ndarray] | None = None,
    about: str = "",
    extra: str = "",
    kind: str = "stage",
) -> str:
    """The component: ``stage.html`` with its fields filled in. ``extra`` is HTML; all other text is escaped."""
    css, template = assets("stage", Path(__file__).parent)
    shades = ", ".join(f"rgb{colour}" for colour in LOUDNESS)
    stems = stems or {}
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
        "knobs": "".join(map(knob_html, knobs)),
        "extra": extra,
        "mutes": "".join(
            f'<button type="button" class="dls-mute" data-mutes="{name}" aria-pressed="false"'
            f' aria-label="Mute {text.lower()}">{text}</button>'
            for name, text in mutes
        ),
        "loud": f"background: linear-gradient(to right, {shades})",
        "audio": "".join(audio_element(name, audio, KBPS) for name, audio in stems.items()),
        "kit": base64.b64encode(kit.mp3).decode("ascii"),
        "data": safe_json(data),
        "css": css,
    }
    return filled(template, fields)


def knob_html(knob: Knob) -> str:
    """A slider, if the knob's values are numbers; a list, if they are strings."""
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


def check_bpm(bpm: float) -> float:
    """The tempo as a float. Raises ValueError if it is not between 20 and 400 beats a minute."""
    if not 20 <= bpm <= 400:
        raise ValueError(f"a tempo is 20 to 400 beats a minute, not {bpm}")
    return float(bpm)


def about(bars: int, bpm: float, start_bar: int = 0) -> str:
    """A line beside the title: how many bars, from which one on (``start_bar`` counts from 0), and the tempo."""
    where = f" from bar {start_bar + 1}" if start_bar else ""
    return f"{bars} bar{'s' if bars > 1 else ''}{where}, {bpm:.0f} bpm"


def plain_clock(steps: int, bpm: float) -> dict:
    """The timeline at one tempo, in bars of 16 steps: ``song_clock`` has the keys."""
    seconds = steps * 60 / STEPS_PER_BEAT / bpm
    bars = [*range(0, steps, STEPS_PER_BAR), steps]
    return {"steps": steps, "x": [0, steps], "t": [0, round(seconds, 6)], "bars": bars, "seconds": round(seconds, 6)}


def song_clock(song: Song) -> dict:
    """The timeline of a song: ``x`` in steps of its grid, ``t`` in seconds, beat by beat; the first step of each bar.

    Steps that fill up a bar on the grid, after its last beat, take no time.
    """
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


def packed_takes(takes: Iterable[Take]) -> dict:
    """The takes in order, as indices into lists of grooves, captions and pictures: equal ones are in the page once."""
    hits, captions, pictures, packed = [], [], [], []
    for take in takes:
        groove, caption, picture = index_of(hits, packed_hits(take.groove)), index_of(captions, take.caption), -1
        if take.picture is not None:
            rows = [len(take.picture), list(take.rows), packed_picture(take.picture)]
            picture = index_of(pictures, rows)
        packed.append([groove, caption, picture, take.stem])
    return {"takes": packed, "hits": hits, "captions": captions, "pictures": pictures}


def index_of(known: list, thing) -> int:
    """The index of a thing in a list of different things, to which it is added if it is new."""
    if thing not in known:
        known.append(thing)
    return known.index(thing)


def packed_hits(groove: Groove) -> str:
    """A groove's hits, four bytes each, in order of step, as base64.

    From the high bit: 12 bits of step, 4 of drum, 8 of velocity (1-127), 8 of offset + 50 in hundredths of a step.
    """
    steps, drums = np.nonzero(groove.hits > 0.5)
    velocities = np.clip(np.rint(groove.velocities[steps, drums] * 127), 1, 127).astype(np.uint32)
    offsets = hundredths(groove.offsets[steps, drums]) + 50
    words = steps.astype(np.uint32) << 20 | drums.astype(np.uint32) << 16 | velocities << 8 | offsets.astype(np.uint32)
    return base64.b64encode(words.astype(">u4").tobytes()).decode("ascii")


def hundredths(offsets) -> np.ndarray:
    """Offsets in steps, as whole hundredths of a step, -50 to 49."""
    return np.clip(np.rint(np.asarray(offsets, dtype=np.float64) * 100), -50, 49).astype(np.int64)


def packed_picture(picture: np.ndarray) -> str:
    """A picture, (rows, steps) in [0, 1], row after row: one character of ``LEVELS`` for each cell."""
    return "".join(LEVELS[level] for level in np.rint(picture * (len(LEVELS) - 1)).astype(int).ravel())
