"""Activations of the thesis network's encoders, instrument by instrument and layer by layer (thesis, 4.2)."""

from functools import cache

import numpy as np

from drumlib.display.excerpt import chorus_of, some_bars, steps_of
from drumlib.display.widgets import Knob, Stage, Take
from drumlib.drummer import combinations
from drumlib.inference.features import family_roll
from drumlib.music import FAMILIES, STEPS_PER_BAR, Grid, Groove, Song, songbook
from drumlib.music.kit import CLOSED_HAT, DRUMS

ENCODED_BARS = 8
"""Bars that are encoded, as in training; some of them are shown."""

ROWS = 24
"""Channels of a layer that are shown, at most."""

MIN_SHARE = 0.1
"""Share of a layer's greatest activity below which there is no hit."""

LAYERS = {
    "roll": "1. the piano roll",
    "beat": "2. convolution over a beat",
    "bar": "3. convolution over a bar",
    "forward": "4. LSTM, forward",
    "backward": "5. LSTM, backward",
}

HOPS = {"roll": 1, "beat": 4, "bar": 8, "forward": 8, "backward": 8}
"""Steps from one vector of a layer to the next."""


def encoder_layers(song: Song | str | None = None, bars: int = 2, start_bar: int | None = None) -> Stage:
    """A stage with the activations of the encoders' layers for a song, and two knobs: the instrument and the layer.

    The picture shows a layer's strongest channels. The sound is the instrument, and a hi-hat whose velocity is the
    layer's mean activity.

    Parameters
    ----------
    song
        A song of at least eight bars, or the name of one in the songbook; rock, if not given.
    bars, start_bar
        The number of bars shown (at most eight) and the first of them (from 0; in a songbook song its first chorus).

    Raises
    ------
    ValueError
        If there are no such bars, or the song has none of the three instruments.
    """
    if song is None or isinstance(song, str):
        name = song or "rock"
        song, start_bar = songbook.song(name), chorus_of(name) if start_bar is None else start_bar
    start_bar = start_bar or 0
    if not 1 <= bars <= ENCODED_BARS:
        raise ValueError(f"1 to {ENCODED_BARS} bars can be shown, not {bars}")
    encoded = steps_of(song, start_bar, ENCODED_BARS) if start_bar + ENCODED_BARS <= len(song.bars) else None
    if encoded is None or encoded.stop - encoded.start != ENCODED_BARS * STEPS_PER_BAR:
        raise ValueError(f"the encoder takes {ENCODED_BARS} bars of 4/4: there are none from bar {start_bar + 1} on")
    band = combinations(song, 1)[0]
    families = [family for family in FAMILIES if any(track.family == family for track in band)]
    if not families:
        raise ValueError("the song has no piano, no guitar and no bass")

    @cache
    def layers(family: str) -> dict[str, np.ndarray]:
        """The activations of each layer for the eight bars, (vectors, channels)."""
        from keras import ops

        from drumlib.network.registry import pretrained

        encoder = pretrained("thesis").encoders[family]
        roll = family_roll(band, family, Grid(song))[encoded].astype("float32")[None]  # (1, 128, 128)
        beat = encoder.beat(roll)  # (1, 128, 128) -> (1, 32, 32)
        bar = encoder.bar(beat)  # (1, 32, 32) -> (1, 15, 64)
        forward, backward = ops.split(encoder.recurrent_states(bar), 2, axis=-1)  # (1, 15, 400) -> 2 x (1, 15, 200)
        found = {"roll": roll, "beat": beat, "bar": bar, "forward": forward, "backward": backward}
        return {name: ops.convert_to_numpy(x)[0] for name, x in found.items()}

    def play(instrument: str, layer: str) -> Take:
        activations, hop, steps = layers(instrument)[layer], HOPS[layer], bars * STEPS_PER_BAR
        size = np.abs(activations)  # (vectors, channels)
        strength = size.mean(axis=0)  # (channels,)
        chosen = np.sort(np.argsort(-strength, kind="stable")[: min(ROWS, max(1, int((strength > 0).sum())))])
        if layer == "roll":
            chosen = chosen[::-1]  # high notes on top
        picture = spread(size[:, chosen] / max(float(size.max()), 1e-9), hop, steps)  # (rows, steps)
        shape = " x ".join(map(str, activations.shape))
        text = (
            f"{shape}: vectors for eight bars, channels. Shown: the {len(chosen)} strongest channels, unsigned;"
            f" 1 is the layer's maximum. The hi-hat is as loud as the mean of all {activations.shape[1]} channels."
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
    return Stage(f"{song.name}: activations of the encoder", knobs, play, stems=stems, start_bar=start_bar)


def spread(vectors: np.ndarray, hop: int, steps: int) -> np.ndarray:
    """Each vector at its step and up to the next one: (vectors, rows) -> (rows, steps). The last one is repeated."""
    every = np.repeat(vectors, hop, axis=0)[:steps].T  # (rows, steps or fewer)
    return np.pad(every, ((0, 0), (0, steps - every.shape[1])), mode="edge")


def hats(activity: np.ndarray, hop: int, steps: int) -> Groove:
    """A hi-hat at each vector's step, with the layer's activity as its velocity: (vectors,) -> (steps, 9)."""
    velocities = np.zeros((steps, len(DRUMS)))
    starts = np.arange(0, min(steps, hop * len(activity)), hop)
    share = activity[: len(starts)] / max(float(activity.max()), 1e-9)
    velocities[starts, CLOSED_HAT] = np.where(share >= MIN_SHARE, share, 0)
    return Groove(velocities > 0, velocities, velocities * 0)
