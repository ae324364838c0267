"""The settings of training as data: configurations, and schedules of stages in which only some weights are trained."""

import math
import re
from dataclasses import astuple, dataclass, replace

from drumlib.inference.presets import current_name


@dataclass(frozen=True)
class TrainingStage:
    """Some epochs in which only some parts of the network are trained; the other weights stay as they are."""

    parts: tuple[str, ...]  # names of PARTS
    epochs: int
    learning_rate: float  # Adam's learning rate


PARTS = {
    "everything": "",
    "convolutions": r"(^|/)(beat|bar)/",
    "encoder": r"^(piano|guitar|bass|encoder)(/|$)",
    "middle": r"^(bottleneck|conductor|phrases)(/|$)",
    "decoder": r"^decoder(/|$)",
}
"""The parts of a network, as regular expressions for the paths of their weights."""

LAYER_WISE = (
    TrainingStage(("everything",), 15, 1e-3),
    TrainingStage(("decoder",), 15, 1e-3),
    TrainingStage(("middle",), 10, 5e-4),
    TrainingStage(("encoder",), 15, 5e-4),
    TrainingStage(("convolutions",), 10, 5e-4),
    TrainingStage(("encoder",), 5, 1e-4),
    TrainingStage(("encoder", "middle"), 5, 1e-4),
    TrainingStage(("everything",), 50, 1e-4),
)
"""The thesis's stages (4.3): everything, then the parts from output to input, then everything at a lower rate."""

SCHEDULES: dict[str, tuple[TrainingStage, ...]] = {
    # everything, for as many epochs as the configuration says
    "plain": (),
    "layer-wise": LAYER_WISE,
    # the same in a tenth of the epochs, to compare it with trainings of a dozen epochs
    "layer-wise-short": tuple(replace(stage, epochs=max(1, round(stage.epochs / 10))) for stage in LAYER_WISE),
    # after a decoder's weights were transferred: first the rest of the network, then everything
    "transfer": (TrainingStage(("encoder", "middle"), 4, 1e-3), TrainingStage(("everything",), 50, 5e-4)),
}


LR_SCHEDULES = ("plateau", "cosine")
"""How the learning rate falls (``learning_rate_at``)."""

EPOCHS = 50
"""The epochs of a configuration without stages that names none."""

STAGES_HAVE_RATES = "each stage of the schedule {!r} has a rate of its own: {}"
"""The error of a configuration that has stages, and sets a learning rate as well."""


@dataclass(frozen=True)
class TrainingConfig:
    """All settings of training: the thesis's (4.3), with a few changes of ours.

    A schedule with stages has epochs and learning rates of its own. ``epochs`` can still cut it short;
    ``learning_rate`` and the cosine ``lr_schedule`` are refused beside it. ``epochs=None`` is replaced when the
    configuration is made: ``replace(config, schedule=...)`` keeps it, so give ``epochs=None`` with it.
    """

    epochs: int | None = None  # at most; None is as many as the stages have, or 50 where there are none
    batch: int = 64  # windows in a batch
    learning_rate: float = 1e-3  # Adam's, at the start; stages have their own
    clipnorm: float = 0.0  # the largest norm of each weight's gradient; 0 is no clipping
    weight_decay: float = 0.0  # AdamW's; 0 is Adam
    transpose: int = 5  # augmentation: each band is moved by up to so many semitones up or down; the thesis: 0
    instrument_dropout: float = 0.15  # augmentation: probability of silencing each instrument; the thesis: 0
    kl_weight: float = 0.5  # of the Kullback-Leibler divergence; with the thesis's 1 the posterior collapses
    kl_warm_up: int = 0  # epochs in which that weight grows to what it is
    free_bits: float = 0.0  # bits of divergence a window that do not count
    rollout_share: float = 0.5  # share of windows whose input drums are the model's own rollout (as in DAgger), against
    # exposure bias; the thesis: 0
    lr_schedule: str = "plateau"  # the rate falls where the validation loss stalls; or "cosine": it falls to zero
    lr_patience: int = 3  # epochs without a gain of 1e-3 after which the rate is divided by four; the thesis: 6
    patience: int = 8  # epochs without a gain of 1e-4 after which training ends
    ema_decay: float = 0.0  # of the exponential moving average of the weights, which is what is kept; 0 is none
    windows: int = 0  # in an epoch, sampled anew for each; 0 is all
    seed: int = 0
    schedule: str = "plain"  # a name of SCHEDULES
    mixed: bool = False  # mixed precision (bfloat16): faster on a GPU, slower on most CPUs

    def __post_init__(self):
        if self.schedule not in SCHEDULES:
            raise ValueError(f"no schedule {self.schedule!r}: there is {', '.join(SCHEDULES)}")
        if self.lr_schedule == "stalls":  # the name in version 0.1
            object.__setattr__(self, "lr_schedule", "plateau")
        if self.epochs is None:  # object.__setattr__, since the class is frozen
            object.__setattr__(self, "epochs", sum(stage.epochs for stage in SCHEDULES[self.schedule]) or EPOCHS)
        if not all(math.isfinite(x) for x in astuple(self) if isinstance(x, float)):
            raise ValueError("rates, weights and shares are finite numbers")
        if min(self.epochs, self.batch, self.lr_patience, self.patience) < 1:
            raise ValueError("epochs, batch, lr_patience and patience are counts: at least 1")
        if not self.learning_rate > 0:
            raise ValueError("the learning rate must be above 0")
        for name in (
            "clipnorm",
            "weight_decay",
            "kl_weight",
            "kl_warm_up",
            "free_bits",
            "transpose",
            "windows",
            "seed",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} cannot be below 0")
        if not (0 <= self.instrument_dropout <= 1 and 0 <= self.rollout_share <= 1):
            raise ValueError("instrument_dropout and rollout_share are shares, between 0 and 1")
        if not 0 <= self.ema_decay < 1:
            raise ValueError("ema_decay is a share below 1")
        if self.lr_schedule not in LR_SCHEDULES:
            raise ValueError(f"the rate cannot fall by {self.lr_schedule!r}: there is {', '.join(LR_SCHEDULES)}")
        if SCHEDULES[self.schedule] and self.learning_rate != TrainingConfig.learning_rate:
            raise ValueError(STAGES_HAVE_RATES.format(self.schedule, "no other rate can be set beside them"))
        if SCHEDULES[self.schedule] and self.lr_schedule == "cosine":
            raise ValueError(
                STAGES_HAVE_RATES.format(self.schedule, "the rate cannot fall by cosine, only on a plateau")
            )

    @property
    def stages(self) -> tuple[TrainingStage, ...]:
        """The stages of the schedule; the plain one has a single stage of all epochs."""
        return SCHEDULES[self.schedule] or (TrainingStage(("everything",), self.epochs, self.learning_rate),)

    def stage(self, epoch: int) -> TrainingStage | None:
        """The stage of an epoch, counted from 0; None when all stages are over."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        return None


GROOVES = {"epochs": 16, "batch": 128, "clipnorm": 1.0, "lr_schedule": "cosine", "patience": 99}
HUMANIZE_CONFIG = TrainingConfig(**GROOVES, learning_rate=3e-3, ema_decay=0.99, windows=8000)
"""All humanizers are trained alike, so that their scores compare architectures."""

CONFIGS = {
    # No rollouts: it has no recurrent state to copy from. It learns fast, and overfits soon.
    "band-conv": TrainingConfig(
        **{"epochs": 24, "learning_rate": 2e-3, "clipnorm": 1.0, "weight_decay": 0.01, "instrument_dropout": 0.3},
        **{"kl_weight": 0.0, "rollout_share": 0.0, "lr_patience": 2, "patience": 6},
    ),
    # Groove models: many windows of few drummers, so an epoch is a sample of them.
    "humanize": HUMANIZE_CONFIG,
    "humanize-untold": HUMANIZE_CONFIG,
    "humanize-bottleneck": replace(HUMANIZE_CONFIG, kl_weight=0.05),
    "groove-vae": TrainingConfig(**GROOVES, learning_rate=2e-3, ema_decay=0.9, windows=6000),
}
"""The configurations of presets that are not trained with the usual one."""


def config_for(preset: str, **changes) -> TrainingConfig:
    """The configuration of a preset, with changes such as ``epochs=3``; a change to None is none.

    With a schedule of stages, the preset's own epochs and learning rate are replaced by theirs.

    Raises
    ------
    ValueError
        If the changes contradict themselves: among others a ``learning_rate`` beside stages, or stages for a preset
        whose ``lr_schedule`` is cosine, unless another one is among the changes.
    """
    preset = current_name(preset)
    changes = {name: value for name, value in changes.items() if value is not None}
    if SCHEDULES.get(changes.get("schedule")):
        if "learning_rate" in changes:  # refused even if it is the default
            raise ValueError(STAGES_HAVE_RATES.format(changes["schedule"], "no other rate can be set beside them"))
        changes = {"epochs": None, "learning_rate": TrainingConfig.learning_rate} | changes
    return replace(CONFIGS.get(preset, TrainingConfig()), **changes)


def in_parts(path: str, parts: tuple[str, ...]) -> bool:
    """Whether a weight with this path, such as ``decoder/lower/kernel``, is one of these parts."""
    return any(re.search(PARTS[part], path) for part in parts)


def learning_rate_at(epochs: list[dict], config: TrainingConfig) -> float:
    """The learning rate after these epochs.

    With "plateau": that of the stage, divided by four whenever the validation loss has stalled within it for
    ``lr_patience`` epochs. With "cosine": ``learning_rate * (1 + cos(pi * epoch / epochs)) / 2``.
    """
    if config.lr_schedule == "cosine":
        return config.learning_rate * (1 + math.cos(math.pi * min(1.0, len(epochs) / config.epochs))) / 2
    begun = 0
    for stage in config.stages:
        if len(epochs) < begun + stage.epochs:
            break
        begun += stage.epochs
    rate, best, waited = stage.learning_rate, float("inf"), 0
    for figures in epochs[begun:]:
        if figures["val_loss"] < best - 1e-3:
            best, waited = figures["val_loss"], 0
        else:
            waited += 1
        if waited >= config.lr_patience:
            rate, waited = rate / 4, 0
    return rate


def stalled(epochs: list[dict], patience: int, gain: float) -> bool:
    """Whether the validation loss has not fallen by ``gain`` for ``patience`` epochs."""
    best, waited = float("inf"), 0
    for figures in epochs:
        if figures["val_loss"] < best - gain:
            best, waited = figures["val_loss"], 0
        else:
            waited += 1
    return waited >= patience


def kl_weight_at(epoch: int, config: TrainingConfig) -> float:
    """The weight of the divergence in an epoch, counted from 0: it grows linearly for ``kl_warm_up`` epochs.

    This is annealing against posterior collapse (Bowman et al. 2016).
    """
    return config.kl_weight * min(1.0, (epoch + 1) / (config.kl_warm_up + 1))


def is_over(epochs: list[dict], config: TrainingConfig) -> bool:
    """Whether training ends after these epochs: all of them are done, or the validation loss has stalled.

    With stages, ``patience`` counts in the last one only, so that every stage has its turn.
    """
    done = len(epochs)
    if done >= config.epochs or config.stage(done) is None:
        return True
    last = sum(stage.epochs for stage in config.stages[:-1])
    return done > last and stalled(epochs[last:], config.patience, 1e-4)
