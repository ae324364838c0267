"""Plots of grooves, piano rolls and probabilities, in the player's colours.

Every function draws on the axes it is given, or on a new figure, and returns the axes. Backgrounds are
transparent and the ink is a middle grey, so that a figure can be read on a light page and on a dark one.
Nothing global is changed: no style, no settings.
"""

import numpy as np

from drumlib.music.grid import STEPS_PER_BAR, STEPS_PER_BEAT, Groove
from drumlib.music.kit import DRUMS

LOUDNESS = ((122, 166, 222), (128, 132, 214), (168, 98, 192), (212, 72, 138), (242, 84, 52))
"""The palette, from soft to loud: red, green, blue, 0 to 255. Readable on white and on black."""

INK = "#808892"
"""The grey of text and lines."""

RED, VIOLET, BLUE = (tuple(channel / 255 for channel in LOUDNESS[i]) for i in (4, 2, 0))
"""Three of those colours, for lines and bars; as Matplotlib has them, (3,), 0 to 1."""

CLEAR_STYLE = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none"),
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "figure.constrained_layout.use": True,
    "lines.linewidth": 2,
}
"""For a chapter's own figures, by ``plt.rcParams.update``: no background and grey ink, so that they can be read on a
light page and on a dark one."""

BAND = "#5f8fb0"
"""The colour of the band's notes."""

PITCHES = 128


def loudness_colours():
    """The palette as a matplotlib colour map, from 0 (soft) to 1 (loud)."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("loudness", np.array(LOUDNESS) / 255)


def plot_groove(groove: Groove, start_bar: int = 0, bars: int | None = 2, ax=None, colour_bar: bool = True):
    """A drum roll: a hit's colour and height show its velocity, its place the time; left of its line is early.

    Parameters
    ----------
    groove : Groove
        Arrays of shape (steps, 9).
    start_bar, bars
        The first bar (from 0) of 16 steps, and how many; all that follow, if ``bars`` is None.
    ax : matplotlib axes, optional
        Where to draw.
    colour_bar
        Whether to add the scale of loudness.

    Raises
    ------
    ValueError
        If the groove has no such bars.
    """
    steps, first = len(groove), start_bar * STEPS_PER_BAR
    last = steps if bars is None else min(first + bars * STEPS_PER_BAR, steps)
    if not 0 <= first < last:
        raise ValueError(f"no bars from {start_bar} on: the groove has {steps} steps, {STEPS_PER_BAR} to a bar")
    ax = _axes(ax, width=9, height=2.9)
    hit_steps, drums = np.nonzero(groove.hits[first:last] > 0.5)
    velocities = groove.velocities[first:last][hit_steps, drums]
    x = hit_steps + groove.offsets[first:last][hit_steps, drums]
    heights = 0.34 + 0.52 * velocities
    colours = loudness_colours()
    ax.vlines(hit_steps, drums - 0.42, drums + 0.42, color=INK, linewidth=0.9)  # the line of each hit's step
    ax.bar(x, heights, 0.55, drums - heights / 2, align="edge", color=colours(velocities), zorder=3)
    _drum_rows(ax)
    _bar_lines(ax, last - first, start_bar)
    if colour_bar:
        _colour_bar(ax, colours, "loudness")
    return ax


def plot_roll(roll, start_bar: int = 0, bars: int | None = None, ax=None, colour: str = BAND):
    """A piano roll: time to the right, pitch upwards.

    Parameters
    ----------
    roll : array, shape (steps, 128)
        Anything above 0 is drawn, the stronger the darker.
    start_bar, bars
        The first bar (from 0) of 16 steps, and how many; all, if ``bars`` is None.
    ax : matplotlib axes, optional
        Where to draw.
    colour
        A colour name of matplotlib.

    Raises
    ------
    ValueError
        If the roll has another shape, or no such bars.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    roll = np.asarray(roll, dtype=float)
    if roll.ndim != 2 or roll.shape[1] != PITCHES:
        raise ValueError(f"a piano roll has shape (steps, {PITCHES}), not {roll.shape}")
    first = start_bar * STEPS_PER_BAR
    part = roll[first : None if bars is None else first + bars * STEPS_PER_BAR]
    if start_bar < 0 or not len(part):
        raise ValueError(f"no bars from {start_bar} on: the roll has {len(roll)} steps, {STEPS_PER_BAR} to a bar")
    ax = _axes(ax, width=9, height=2.9)
    played = np.nonzero(part.any(axis=0))[0]
    low, high = (played[0] - 2, played[-1] + 2) if len(played) else (48, 72)
    shades = LinearSegmentedColormap.from_list("notes", [(*to_rgb(colour), 0.0), (*to_rgb(colour), 1.0)])
    ax.imshow(
        part.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=shades,
        vmin=0,
        vmax=max(part.max(), 1e-9),
        extent=(0, len(part), -0.5, PITCHES - 0.5),
        zorder=2,
    )
    ax.set_ylim(low - 0.5, high + 0.5)
    octaves = [pitch for pitch in range(0, PITCHES, 12) if low <= pitch <= high]
    ax.set_yticks(octaves or [low, high])
    if octaves:
        ax.set_yticklabels([f"C{pitch // 12 - 1}" for pitch in octaves])
    ax.set_ylabel("pitch")
    _bar_lines(ax, len(part), start_bar)
    return ax


def plot_probabilities(p, start_bar: int = 0, ax=None, colour_bar: bool = True):
    """The probabilities of hits: a cell for each step and drum, from 0 to 1.

    Parameters
    ----------
    p : array, shape (steps, 9)
        Probabilities.
    start_bar
        The number (from 0) of the bar on which ``p`` begins, for the labels.
    ax : matplotlib axes, optional
        Where to draw.
    colour_bar
        Whether to add the scale.

    Raises
    ------
    ValueError
        If ``p`` has another shape, or holds what is no probability.
    """
    from matplotlib.colors import LinearSegmentedColormap

    p = np.asarray(p, dtype=float)
    if p.ndim != 2 or p.shape[1] != len(DRUMS) or not len(p):
        raise ValueError(f"probabilities have shape (steps, {len(DRUMS)}), not {p.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("probabilities lie between 0 and 1: are these logits? then take their sigmoid first")
    ax = _axes(ax, width=9, height=2.9)
    # From transparent to the palette: at a low probability the page's own colour shows.
    rgb = np.array(LOUDNESS) / 255
    shades = LinearSegmentedColormap.from_list(
        "probability", [(*colour, alpha) for colour, alpha in zip(rgb, (0.0, 0.45, 0.8, 1.0, 1.0), strict=True)]
    )
    extent = (0, len(p), -0.5, len(DRUMS) - 0.5)
    ax.imshow(p.T, origin="lower", aspect="auto", interpolation="nearest", cmap=shades, vmin=0, vmax=1, extent=extent)
    _drum_rows(ax)
    _bar_lines(ax, len(p), start_bar)
    if colour_bar:
        _colour_bar(ax, shades, "probability")
    return ax


def _axes(ax, width: float, height: float):
    """The axes given, or those of a new figure, with a transparent background and grey ink."""
    if ax is None:
        from matplotlib import pyplot

        figure, ax = pyplot.subplots(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0)
    ax.patch.set_alpha(0)
    ax.tick_params(colors=INK, length=0)
    for part in (ax.title, ax.xaxis.label, ax.yaxis.label):
        part.set_color(INK)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax


def _drum_rows(ax) -> None:
    """Nine rows with the drums' names, the kick at the bottom."""
    ax.set_yticks(range(len(DRUMS)), DRUMS)
    ax.set_ylim(-0.6, len(DRUMS) - 0.4)


def _bar_lines(ax, steps: int, start_bar: int) -> None:
    """Lines on the bars and beats, and the bars' numbers, counted from 1 as musicians do."""
    for step in range(0, steps + 1, STEPS_PER_BEAT):
        on_bar = step % STEPS_PER_BAR == 0
        ax.axvline(step, color=INK, linewidth=1.1 if on_bar else 0.6, alpha=0.7 if on_bar else 0.3, zorder=1)
    bars = range(0, steps, STEPS_PER_BAR)
    ax.set_xticks(list(bars), [f"bar {start_bar + 1 + i}" for i in range(len(bars))], ha="left")
    ax.set_xlim(-0.6, steps + 0.1)


def _colour_bar(ax, colours, label: str) -> None:
    from matplotlib.cm import ScalarMappable

    bar = ax.figure.colorbar(ScalarMappable(cmap=colours), ax=ax, fraction=0.025, pad=0.015)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=INK, length=0)
    bar.set_label(label, color=INK)
