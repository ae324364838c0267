"""Batches: windows as a network is given them, and what it should have played."""

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Windows as Keras wants them: batches of (what the network is given, what it should have played).

    ``played`` is what the network itself played to each window, (windows, T, 27); a share ``own`` of the windows is
    given that in place of the true drums. What it should have played is always the truth.

    For the mended loss, velocities and offsets come with the hits beside them, (B, T, 18): they count only there.
    """

    def __init__(
        self, windows, batch=64, order=None, rng=None, transpose=0, mute=0.0, own=0.0, played=None, loss="thesis"
    ):
        super().__init__()
        self.windows, self.batch, self.order = windows, batch, np.arange(len(windows)) if order is None else order
        self.rng, self.transpose, self.mute, self.own, self.played = rng, transpose, mute, own, played
        self.loss = loss

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch)

    def __getitem__(self, i: int):
        numbers = self.order[i * self.batch : (i + 1) * self.batch]
        inputs = self.windows.batch(numbers, self.rng, self.transpose, self.mute)
        targets = targets_for(inputs["drums"], self.loss)
        if self.played is not None:
            own = self.rng.random(len(numbers)) < self.own  # (B,)
            inputs["drums"] = np.where(own[:, None, None], self.played[numbers], inputs["drums"])
        return inputs, targets


def targets_for(drums: np.ndarray, loss: str = "thesis") -> dict[str, np.ndarray]:
    """What a network should answer to these drums (B, T, 27), in the form that its loss asks for."""
    hits, velocities, offsets = np.split(drums, 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
    if loss != "thesis":
        velocities, offsets = (np.concatenate([x, hits], axis=-1) for x in (velocities, offsets))  # 2 x (B, T, 18)
    answer = {"hits": hits, "velocities": velocities, "offsets": offsets}
    return {**answer, "alone": drums} if loss == "listening" else answer
