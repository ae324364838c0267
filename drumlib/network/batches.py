"""Batches of training data: the inputs of a network and its targets."""

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Batches of ``data.windows.Windows``: inputs with the drums for teacher forcing, and targets for a loss.

    ``rollouts`` are the network's own performances of all windows, (windows, T, 27); in a share ``rollout_share`` of
    the windows they replace the true drums in the inputs (mixing in rollouts as in DAgger). Targets are the truth.
    ``order`` are the numbers of the windows. With ``rng``, the windows are augmented (``Windows.batch``).
    """

    def __init__(
        self,
        windows,
        batch=64,
        order=None,
        rng=None,
        transpose=0,
        instrument_dropout=0.0,
        rollout_share=0.0,
        rollouts=None,
        loss="thesis",
    ):
        super().__init__()
        self.windows, self.batch, self.order = windows, batch, np.arange(len(windows)) if order is None else order
        self.rng, self.augmentation = rng, (transpose, instrument_dropout)
        self.rollout_share, self.rollouts, self.loss = rollout_share, rollouts, loss

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch)

    def __getitem__(self, i: int):
        numbers = self.order[i * self.batch : (i + 1) * self.batch]
        inputs = self.windows.batch(numbers, self.rng, *self.augmentation)
        targets = targets_for(inputs["drums"], self.loss)
        if self.rollouts is not None:
            own = self.rng.random(len(numbers)) < self.rollout_share  # (B,)
            inputs["drums"] = np.where(own[:, None, None], self.rollouts[numbers], inputs["drums"])
        return inputs, targets


def targets_for(drums: np.ndarray, loss: str = "thesis") -> dict[str, np.ndarray]:
    """The targets of these drums (B, T, 27) for a loss of ``losses.LOSSES``."""
    hits, velocities, offsets = np.split(drums, 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
    if loss != "thesis":
        velocities, offsets = with_hits(velocities, hits), with_hits(offsets, hits)
    targets = {"hits": hits, "velocities": velocities, "offsets": offsets}
    return {**targets, "band_only": drums} if loss == "masked-two-heads" else targets


def with_hits(values: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """The target of a masked loss: 2 x (B, T, 9) -> (B, T, 18)."""
    return np.concatenate([values, hits], axis=-1)


def balanced_sample(performance: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The numbers of ``count`` windows, sampled with weights 1 / sqrt(n), n the windows of a window's performance.

    So a performance counts as the square root of its length: the longest has 638 windows, many have five.
    """
    _, which, sizes = np.unique(performance, return_inverse=True, return_counts=True)
    odds = sizes[which] ** -0.5
    return rng.choice(len(performance), size=count, p=odds / odds.sum())
