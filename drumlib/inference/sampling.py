"""From a network's outputs to a groove: thresholds and sampling."""

import numpy as np

from drumlib.music import Grid, Groove
from drumlib.music.kit import DRUMS, KICK, SNARE


def needs_calibration(network) -> bool:
    """Whether the network was trained with the thesis's loss, whose answers must be read with ``calibrate``."""
    return network.preset.loss == "thesis"


def conditional_velocities(heads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same hits and offsets, with velocities as they would be if the drum were struck.

    The thesis's loss counts silent cells as velocity 0, so the network learns to say *probability times velocity*.
    Where it is unsure it says a soft note when it means a rare one. Dividing by the (calibrated) probability undoes
    that; the thesis multiplied every velocity by 1.8, and the snare's by 2.5, instead. (Offsets suffer the same way,
    but are so small that the division mostly makes noise louder: they are left as the network says them.)
    """
    from drumlib.inference.calibration import calibrate

    odds = np.maximum(calibrate(heads["hits"]), 0.05)
    return {**heads, "velocities": np.clip(heads["velocities"] / odds, 0, 1)}


def thesis_velocity_gains(velocities: np.ndarray) -> np.ndarray:
    """Velocities (..., 9) as the thesis mended them (4.4): 1.8 times as loud, the snare 2.5 times, up to 1."""
    gain = np.full(len(DRUMS), 1.8)
    gain[SNARE] = 2.5
    return np.clip(velocities * gain, 0, 1)


class Sampler:
    """A way to choose notes: draw each from its probability. Above 1 a temperature evens the odds out.

    ``masked_loss`` says that probabilities and velocities mean what they say; those of a network trained with the thesis's
    loss do not, and are calibrated first. The same seed draws the same notes from the same probabilities.
    """

    def __init__(self, temperature: float = 1.0, seed: int = 0, mended: bool = False):
        self.temperature, self.mended = temperature, mended
        self.rng = np.random.default_rng(seed)

    def uniform(self, *shape: int) -> np.ndarray:
        """Random numbers in [0, 1): a note is struck where its probability is above its luck."""
        return self.rng.random(shape)

    def sample(self, heads: dict, luck: np.ndarray) -> dict[str, np.ndarray]:
        """What is played of the three heads, each (..., 9), with this luck (..., 9)."""
        from keras import ops

        from drumlib.inference.calibration import calibrate

        heads = {name: ops.convert_to_numpy(x) for name, x in heads.items()}
        odds = np.clip(heads["hits"].astype(float), 1e-7, 1 - 1e-7) if self.mended else calibrate(heads["hits"])
        heads = heads if self.mended else conditional_velocities(heads)
        with np.errstate(over="ignore"):  # next to nothing, raised to a high power, is nothing
            odds = 1 / (1 + (1 / odds - 1) ** (1 / self.temperature))
        struck = (luck < odds).astype(np.float32)
        return {"hits": struck, "velocities": struck * heads["velocities"], "offsets": struck * heads["offsets"]}

    def __call__(self, heads: dict) -> dict[str, np.ndarray]:
        """What is played of one step, with new luck."""
        return self.sample(heads, self.uniform(*np.shape(heads["hits"])))


def sampler_for(temperature: float, seed: int, network=None) -> Sampler:
    """A ``Sampler`` that reads the answers of this network as they are meant; without one, of the thesis's."""
    return Sampler(temperature, seed, mended=network is not None and not needs_calibration(network))


def groove_from_outputs(hits, velocities, offsets, grid: Grid, threshold: float | None = None) -> Groove:
    """Make a groove of what the network said, each (T, 9): notes where ``hits`` exceeds the threshold.

    The song's last bar is never left empty: if nothing there exceeds the threshold, what is most likely on its first
    step is played, and not too softly to be heard.
    """
    struck = hits > (0.5 if threshold is None else threshold)
    last = grid.first_steps[-1]
    if not struck[last:].any():
        drum = hits[last].argmax() if hits[last].any() else KICK
        struck[last, drum] = True
        velocities = velocities.copy()
        velocities[last, drum] = max(velocities[last, drum], 0.5)
    struck &= grid.played[:, None]
    return Groove(struck, velocities * struck, offsets * struck)
