"""Positions and lags on the grid of sixteenths."""

from keras import ops

from drumlib.music.grid import STEPS_PER_BAR


def beat_before(x):
    """For every step, the largest of the values of the four steps before it; 0 before the first. (B, T, C)."""
    length = ops.shape(x)[1]
    padded = ops.pad(x, ((0, 0), (4, 0), (0, 0)))
    return ops.max(ops.stack([padded[:, i : i + length] for i in range(4)]), axis=0)


def step_of_bar(like, period: int = STEPS_PER_BAR):
    """Which step of its bar every step is, one-hot: (B, T, 16), as many as ``like`` (B, T, ...) has.

    With another ``period``, which step of so many: (B, T, period).
    """
    batch, length = ops.shape(like)[:2]
    where = ops.one_hot(ops.arange(length) % period, period)[None]  # (1, T, period)
    return ops.broadcast_to(where, (batch, length, period))


def lagged(x, steps: int):
    """What was ``steps`` before, at every step; 0 where there was nothing yet. (B, T, C) -> (B, T, C)."""
    length = ops.shape(x)[1]
    return ops.pad(x, ((0, 0), (steps, 0), (0, 0)))[:, :length]
