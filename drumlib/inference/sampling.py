"""From a model's outputs to a groove: thresholds and sampling, in numpy.

The outputs are a dictionary of three heads: ``hits`` (probabilities), ``velocities`` (in [0, 1]) and ``offsets`` (in
steps), each (..., 9), one column a drum.
"""

import numpy as np

from drumlib.inference.calibration import calibrate
from drumlib.music import Grid, Groove
from drumlib.music.kit import DRUMS, KICK, SNARE


def needs_calibration(network) -> bool:
    """Whether the network's training loss, the thesis's, biases probabilities, so that they need ``calibrate``."""
    return network.preset.loss == "thesis"


def conditional_velocities(heads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The heads of a network that needs calibration, with the velocity of a note if it is played: v / calibrate(p).

    The thesis's loss counts silent cells as velocity 0, so the network learns the expected velocity, *probability
    times velocity*: an uncertain note comes out soft. The division undoes that; the thesis multiplies all velocities by
    1.8, and the snare's by 2.5, instead. Probabilities below 0.05 count as 0.05. Offsets have the same bias, but are
    left: they are so small that the division would mostly amplify noise.
    """
    probability = np.maximum(calibrate(heads["hits"]), 0.05)
    return {**heads, "velocities": np.clip(heads["velocities"] / probability, 0, 1)}


def thesis_velocity_gains(velocities: np.ndarray) -> np.ndarray:
    """Velocities (..., 9) times 1.8, the snare's times 2.5, at most 1: the thesis's correction (4.4)."""
    gain = np.full(len(DRUMS), 1.8)
    gain[SNARE] = 2.5
    return np.clip(velocities * gain, 0, 1)


class Sampler:
    """Samples hits from their probabilities p at a temperature T: a Bernoulli variable with log odds logit(p) / T.

    Parameters
    ----------
    temperature
        Hits vary more above 1, less below.
    seed
        The same seed samples the same hits from the same probabilities.
    calibrated
        Whether the probabilities are calibrated and the velocities conditional, as those of a network that was trained
        with ``masked_loss``. Otherwise ``calibrate`` and ``conditional_velocities`` make them so first.
    """

    def __init__(self, temperature: float = 1.0, seed: int = 0, calibrated: bool = False):
        self.temperature, self.calibrated = temperature, calibrated
        self.rng = np.random.default_rng(seed)

    def uniform(self, *shape: int) -> np.ndarray:
        """The next uniform random numbers, in [0, 1)."""
        return self.rng.random(shape)

    def sample(self, heads: dict, uniform: np.ndarray) -> dict[str, np.ndarray]:
        """Sampled heads: a hit (1) where the uniform number is below its probability; all arrays are (..., 9)."""
        heads = {name: np.asarray(x) for name, x in heads.items()}
        if self.calibrated:
            probability = np.clip(heads["hits"].astype(float), 1e-7, 1 - 1e-7)
        else:
            probability = calibrate(heads["hits"])
            heads = conditional_velocities(heads)
        with np.errstate(over="ignore"):  # at a low temperature, the odds against a hit may overflow to infinity: p = 0
            probability = 1 / (1 + (1 / probability - 1) ** (1 / self.temperature))
        hits = (uniform < probability).astype(np.float32)
        return {"hits": hits, "velocities": hits * heads["velocities"], "offsets": hits * heads["offsets"]}

    def __call__(self, heads: dict) -> dict[str, np.ndarray]:
        """Sampled heads, with the next uniform numbers."""
        return self.sample(heads, self.uniform(*np.shape(heads["hits"])))


def sampler_for(temperature: float, seed: int, network=None) -> Sampler:
    """A ``Sampler`` for the outputs of this network; without one, for those of the thesis's."""
    return Sampler(temperature, seed, calibrated=network is not None and not needs_calibration(network))


def groove_from_outputs(
    hits: np.ndarray, velocities: np.ndarray, offsets: np.ndarray, grid: Grid, threshold: float | None = None
) -> Groove:
    """A groove of three heads, (T, 9) each: notes where ``hits`` exceeds the threshold, or 0.5 if they were sampled.

    The song's last bar is never left empty: if nothing in it exceeds the threshold, the most probable drum on its first
    step is played (the kick, if all probabilities are 0), with a velocity of at least 0.5.
    """
    played = hits > (0.5 if threshold is None else threshold)
    last = grid.first_steps[-1]
    if not played[last:].any():
        drum = hits[last].argmax() if hits[last].any() else KICK
        played[last, drum] = True
        velocities = velocities.copy()
        velocities[last, drum] = max(velocities[last, drum], 0.5)
    played &= grid.played[:, None]
    return Groove(played, velocities * played, offsets * played)
