"""What every network that plays has in common."""

from typing import Any, ClassVar, Protocol

import numpy as np

from drumlib.inference.sampling import Sampler


class Generator(Protocol):
    """A network that generates drums for a band.

    ``preset`` has at least ``name``, ``loss``, ``thresholds`` and ``whole_song``. ``generation_options`` names the
    further keyword arguments that ``generate`` of this network takes.
    """

    preset: Any
    generation_options: ClassVar[tuple[str, ...]]

    def generate(self, inputs: dict[str, np.ndarray], sampler: Sampler | None = None) -> dict[str, np.ndarray]:
        """Hits, velocities and offsets, each (B, T, 9), for the rolls of a band of any length, each (B, T, 128).

        Without a sampler hits are probabilities. With one they are 0 and 1, sampled step by step, each step
        conditioned on the notes before.
        """
        ...
