"""Learning from drums alone: the presets ``humanize`` and ``groove-vae``.

They learn from windows of two bars of the Groove MIDI Dataset (``data.gmd``), not from songs. Each network brings its
own losses and batches; how they are trained, and how a stopped training goes on, is as for a drummer's network.
"""

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np

from drumlib.data.groove_dataset import TwoBarWindows, performances, two_bar_windows
from drumlib.network.fresh import build_seeded
from drumlib.network.groove.groove_vae import GrooveVAE, GrooveVAEPreset
from drumlib.network.groove.humanizer import Humanizer, HumanizerPreset
from drumlib.network.training import compile_with, prepare, run
from drumlib.network.training_config import TrainingConfig
from drumlib.network.weights import load_shipped

GROOVE_PRESETS = {
    preset.name: preset
    for preset in (
        HumanizerPreset(),
        # As the paper's: not told the tempo, which is not known where only hits are given.
        HumanizerPreset("humanize-untold", tempo=False),
        # The thesis's idea, in GrooVAE's task: all that is known goes through one z.
        HumanizerPreset("humanize-bottleneck", form="bottleneck"),
        GrooveVAEPreset(),
    )
}

KINDS = {HumanizerPreset: Humanizer, GrooveVAEPreset: GrooveVAE}
"""Which network is built from a preset: a class for each kind of preset."""


def build_on_grooves(preset: str, seed: int = 0):
    """A network with fresh weights, drawn with ``seed``. Raises ValueError if there is no preset of that name."""
    if preset not in GROOVE_PRESETS:
        raise ValueError(f"no preset {preset!r}: there is {', '.join(GROOVE_PRESETS)}")
    return build_seeded(KINDS[type(GROOVE_PRESETS[preset])], GROOVE_PRESETS[preset], seed)


def groove_windows(folder, splits=("train", "validation")) -> list[TwoBarWindows]:
    """The dataset's beats in 4/4 as windows of two bars, a set for each split. ``folder`` may be the archive as well.

    Raises MidiError, OSError or ValueError as ``data.gmd`` does.
    """
    from tqdm import tqdm

    found = [performances(folder, split, "beat", "4-4") for split in splits]
    return [
        two_bar_windows(tqdm(some, desc=f"{split} grooves", unit="groove"))
        for split, some in zip(splits, found, strict=True)
    ]


def train_on_grooves(
    training: TwoBarWindows,
    validation: TwoBarWindows,
    out: Path,
    preset: str = "humanize",
    plan: TrainingConfig | None = None,
    resume: bool = False,
    verbose: int | str = "auto",
) -> dict:
    """Train a preset of ``GROOVE_PRESETS`` and return its history; ``training.train`` is the same for songs.

    Raises
    ------
    FileExistsError, FileNotFoundError
        If ``out`` holds a run that nobody asked to resume, or none that could be.
    ValueError
        If there are no windows to train or validate on, or the run in ``out`` was made with other settings.
    """
    network, plan = prepare(build_on_grooves, training, validation, out, preset, plan, resume)
    compile_with(network, plan, network.losses_of())

    def batches(epoch: int, rng: np.random.Generator):
        order = balanced_sample(training.performance, plan.windows or len(training), rng)
        return network.batches_of(training, plan, order, rng)

    settings = {
        "preset": preset,
        "made of": asdict(network.preset),
        "windows": {"train": len(training), "validation": len(validation)},
    }
    return run(network, out, plan, batches, network.batches_of(validation, plan), settings, resume, verbose)


def balanced_sample(performance: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The numbers of ``count`` windows, drawn so that a long performance counts for more, but not for all it has.

    A performance with n windows is drawn as if it had the square root of n: the longest has 638, many have five.
    """
    _, which, sizes = np.unique(performance, return_inverse=True, return_counts=True)
    odds = sizes[which] ** -0.5
    return rng.choice(len(performance), size=count, p=odds / odds.sum())


@lru_cache(maxsize=4)
def pretrained_on_grooves(preset: str):
    """The network of a preset with the weights that ship with this package. It is built once and kept.

    Raises ValueError if there is no such preset, or no weights of it are shipped.
    """
    network = build_on_grooves(preset)
    load_shipped(network, preset)
    return network
