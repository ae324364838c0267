"""What the thesis network's encoder hears of each instrument, layer by layer (thesis, 4.2)."""

from functools import cache

import numpy as np

from drumlib.display.excerpt import chorus_of, some_bars, steps_of
from drumlib.display.widgets.stage import Knob, Stage, Take
from drumlib.drummer import combinations
from drumlib.inference.features import family_roll
from drumlib.music import FAMILIES, STEPS_PER_BAR, Grid, Groove, Song, songbook
from drumlib.music.kit import CLOSED_HAT, DRUMS

HEARD_BARS = 8
"""The encoder learned to hear eight bars at once, so it hears as many here, of which some are shown."""

ROWS = 24
"""So many channels of a layer are shown at most."""

QUIET = 0.1
"""Below this share of a layer's greatest activity no stroke is played."""

LAYERS = {
    "roll": "1. the piano roll",
    "beat": "2. convolution over a beat",
    "bar": "3. convolution over a bar",
    "forward": "4. LSTM, forward",
    "backward": "5. LSTM, backward",
}

HOPS = {"roll": 1, "beat": 4, "bar": 8, "forward": 8, "backward": 8}
"""How many steps lie between two vectors of a layer."""


def encoder_layers(song: Song | str | None = None, bars: int = 2, start_bar: int | None = None) -> Stage:
    """A stage with what the encoders' layers answer to a song, and two knobs: the instrument and the layer.

    The picture shows a layer's strongest channels. What is heard is the instrument, and a hi-hat that is struck as
    loudly as the layer is active.

    Parameters
    ----------
    song
        A song, or the name of one in the songbook; rock, if not given. It has at least eight bars.
    bars, start_bar
        How many bars are shown (at most eight), and from which on (from 0): the first chorus of a songbook song.

    Raises
    ------
    ValueError
        If there are no such bars, or the song has none of the three instruments.
    """
    if song is None or isinstance(song, str):
        name = song or "rock"
        song, start_bar = songbook.song(name), chorus_of(name) if start_bar is None else start_bar
    start_bar = start_bar or 0
    if not 1 <= bars <= HEARD_BARS:
        raise ValueError(f"1 to {HEARD_BARS} bars can be shown, not {bars}")
    heard = steps_of(song, start_bar, HEARD_BARS) if start_bar + HEARD_BARS <= len(song.bars) else None
    if heard is None or heard.stop - heard.start != HEARD_BARS * STEPS_PER_BAR:
        raise ValueError(f"the encoder hears {HEARD_BARS} bars of 4/4: there are none from bar {start_bar + 1} on")
    band = combinations(song, 1)[0]
    families = [family for family in FAMILIES if any(track.family == family for track in band)]
    if not families:
        raise ValueError("the song has no piano, no guitar and no bass")

    @cache
    def layers(family: str) -> dict[str, np.ndarray]:
        """The answers of each layer to the eight bars, (moments, channels)."""
        from keras import ops

        from drumlib.network.registry import pretrained

        encoder = pretrained("thesis").encoders[family]
        roll = family_roll(band, family, Grid(song))[heard].astype("float32")[None]  # (1, 128, 128)
        beat = encoder.beat(roll)  # (1, 128, 128) -> (1, 32, 32)
        bar = encoder.bar(beat)  # (1, 32, 32) -> (1, 15, 64)
        forward, backward = ops.split(encoder.recurrent_states(bar), 2, axis=-1)  # (1, 15, 400) -> 2 x (1, 15, 200)
        found = {"roll": roll, "beat": beat, "bar": bar, "forward": forward, "backward": backward}
        return {name: ops.convert_to_numpy(x)[0] for name, x in found.items()}

    def play(instrument: str, layer: str) -> Take:
        answers, hop, steps = layers(instrument)[layer], HOPS[layer], bars * STEPS_PER_BAR
        size = np.abs(answers)  # (moments, channels)
        strength = size.mean(axis=0)  # (channels,)
        chosen = np.sort(np.argsort(-strength, kind="stable")[: min(ROWS, max(1, int((strength > 0).sum())))])
        if layer == "roll":
            chosen = chosen[::-1]  # high notes on top
        picture = spread(size[:, chosen] / max(float(size.max()), 1e-9), hop, steps)  # (rows, steps)
        shape = " x ".join(map(str, answers.shape))
        text = (
            f"{shape}: moments of eight bars, channels. Shown: the {len(chosen)} strongest channels, without their"
            f" sign, 1 is the layer's greatest. The hi-hat is as loud as all {answers.shape[1]} channels together."
        )
        names = [f"pitch {i}" if layer == "roll" else f"channel {i}" for i in chosen.tolist()]
        return Take(hats(size.mean(axis=1), hop, steps), text, picture, tuple(names), stem=instrument)

    stems = {
        family: some_bars(song, start_bar, bars, tuple(track for track in band if track.family == family))
        for family in families
    }
    knobs = (
        Knob("instrument", "Instrument", tuple(families)),
        Knob("layer", "Layer", tuple(LAYERS), texts=tuple(LAYERS.values())),
    )
    return Stage(f"{song.name}: what the encoder hears", knobs, play, stems=stems, start_bar=start_bar)


def spread(moments: np.ndarray, hop: int, steps: int) -> np.ndarray:
    """Each moment where it begins, up to the next one: (moments, rows) -> (rows, steps). The last one stays."""
    every = np.repeat(moments, hop, axis=0)[:steps].T  # (rows, steps or fewer)
    return np.pad(every, ((0, 0), (0, steps - every.shape[1])), mode="edge")


def hats(activity: np.ndarray, hop: int, steps: int) -> Groove:
    """A hi-hat where each moment begins, as loud as the layer is active there: (moments,) -> (steps, 9)."""
    velocities = np.zeros((steps, len(DRUMS)))
    starts = np.arange(0, min(steps, hop * len(activity)), hop)
    share = activity[: len(starts)] / max(float(activity.max()), 1e-9)
    velocities[starts, CLOSED_HAT] = np.where(share >= QUIET, share, 0)
    return Groove(velocities > 0, velocities, velocities * 0)
