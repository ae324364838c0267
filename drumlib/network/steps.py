"""Positions and lags on the grid of sixteenths."""

from keras import ops

from drumlib.music.grid import STEPS_PER_BAR


def max_of_beat_before(x):
    """The maximum over the four steps before each step, 0 before the first: (B, T, C) -> (B, T, C)."""
    length = ops.shape(x)[1]
    padded = ops.pad(x, ((0, 0), (4, 0), (0, 0)))
    return ops.max(ops.stack([padded[:, i : i + length] for i in range(4)]), axis=0)


def step_of_bar(like, period: int = STEPS_PER_BAR):
    """The step within the bar (or within another ``period``), one-hot: (B, T, period) for ``like`` (B, T, ...)."""
    batch, length = ops.shape(like)[:2]
    where = ops.one_hot(ops.arange(length) % period, period)[None]  # (1, T, period)
    return ops.broadcast_to(where, (batch, length, period))


def lagged(x, steps: int):
    """The values ``steps`` before, 0 where there are none: (B, T, C) -> (B, T, C)."""
    length = ops.shape(x)[1]
    return ops.pad(x, ((0, 0), (steps, 0), (0, 0)))[:, :length]
