"""How to train, as data: a plan, and its stages, in which only some of the weights learn."""

import math
import re
from dataclasses import astuple, dataclass, replace


@dataclass(frozen=True)
class TrainingStage:
    """A time in which only some parts of the network learn; the others play along, as they are."""

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
"""The parts of a network: which weights are meant, as a regular expression for their paths."""

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
"""The thesis's stages (4.3): first all, then from the end of the network to its beginning, then all again, slowly."""

SCHEDULES: dict[str, tuple[TrainingStage, ...]] = {
    # all of it, all the time, as long as the plan says
    "plain": (),
    "layer-wise": LAYER_WISE,
    # the same in a tenth of the time, to compare it with trainings of a dozen epochs
    "layer-wise-short": tuple(replace(stage, epochs=max(1, round(stage.epochs / 10))) for stage in LAYER_WISE),
    # after a decoder was transplanted: the rest learns to talk to it, then all learn together
    "transfer": (TrainingStage(("encoder", "middle"), 4, 1e-3), TrainingStage(("everything",), 50, 5e-4)),
}


LR_SCHEDULES = ("stalls", "cosine")
"""How the learning rate can fall (``learning_rate_at``)."""

EPOCHS = 50
"""How many epochs a plan without stages has, if it does not say."""

STAGES_HAVE_RATES = "each stage of the schedule {!r} has a rate of its own: {}"
"""Why a plan is refused that has stages, and sets a rate as well."""


@dataclass(frozen=True)
class TrainingConfig:
    """How to train: the thesis's way (4.3), with a few changes of ours.

    ``transpose`` and ``mute`` vary a small corpus. ``own`` is scheduled sampling (Bengio et al. 2015), an epoch at a
    time: told nothing but the truth, a network learns to copy the step before, and is lost when it plays by itself.

    A schedule with stages has epochs and rates of its own. The plan's ``epochs`` can still cut it short; ``rate`` and
    the cosine's ``fall`` mean nothing to it, and are refused beside it. Epochs that were not given are counted when the
    plan is made: ``replace(plan, schedule=...)`` keeps them, so give ``epochs=None`` with it.
    """

    epochs: int | None = None  # at most; None is as many as the stages have, or 50 where there are none
    batch: int = 64
    learning_rate: float = 1e-3  # Adam's learning rate at the start; where there are stages, theirs
    transpose: int = 5  # each band is moved up or down by so many semitones at most; 0 is the thesis's
    instrument_dropout: float = (
        0.15  # how often each instrument is silenced, so that songs without it hold no terror; the thesis: 0
    )
    kl_weight: float = 0.5  # of the Kullback-Leibler divergence; the thesis's 1 squeezes the song out of z
    kl_warm_up: int = 0  # epochs in which that weight grows to what it is, so that z is used before it is made narrow
    free_bits: float = 0.0  # of what z says of a window, that cost nothing
    rollout_share: float = (
        0.5  # how often the network is told its own playing, not the truth, as the step before; the thesis: 0
    )
    lr_schedule: str = "stalls"  # the rate falls where nothing is gained; or "cosine", from epoch to epoch, to nothing
    lr_patience: int = 3  # epochs without a gain of 1e-3 after which the rate is cut to a quarter; the thesis: 6
    patience: int = 8  # epochs without a gain of 1e-4 after which training ends
    ema_decay: float = 0.0  # how much of the average of past weights each batch keeps; what is kept is that average
    windows: int = 0  # in an epoch, drawn anew for each; 0 is all
    seed: int = 0
    schedule: str = "plain"  # a name of SCHEDULES
    mixed: bool = False  # half precision where it is enough: faster on a GPU, slower on most CPUs

    def __post_init__(self):
        if self.schedule not in SCHEDULES:
            raise ValueError(f"no schedule {self.schedule!r}: there is {', '.join(SCHEDULES)}")
        if self.epochs is None:  # the one way in which a frozen plan can decide it
            object.__setattr__(self, "epochs", sum(stage.epochs for stage in SCHEDULES[self.schedule]) or EPOCHS)
        if not all(math.isfinite(x) for x in astuple(self) if isinstance(x, float)):
            raise ValueError("rates, weights and shares are finite numbers")
        if min(self.epochs, self.batch, self.lr_patience, self.patience) < 1:
            raise ValueError("epochs, batch, slow_after and stop_after are counts: at least 1")
        if not self.learning_rate > 0:
            raise ValueError("the rate must be above 0")
        for name in ("kl_weight", "kl_warm_up", "free_bits", "transpose", "windows", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} cannot be below 0")
        if not (0 <= self.instrument_dropout <= 1 and 0 <= self.rollout_share <= 1):
            raise ValueError("mute and own are shares, between 0 and 1")
        if not 0 <= self.ema_decay < 1:
            raise ValueError("average is a share below 1")
        if self.lr_schedule not in LR_SCHEDULES:
            raise ValueError(f"the rate cannot fall by {self.lr_schedule!r}: there is {', '.join(LR_SCHEDULES)}")
        if SCHEDULES[self.schedule] and self.learning_rate != TrainingConfig.learning_rate:
            raise ValueError(STAGES_HAVE_RATES.format(self.schedule, "no other rate can be set beside them"))
        if SCHEDULES[self.schedule] and self.lr_schedule == "cosine":
            raise ValueError(STAGES_HAVE_RATES.format(self.schedule, "the rate cannot fall by cosine, only by stalls"))

    @property
    def stages(self) -> tuple[TrainingStage, ...]:
        """The stages of the schedule; the plain one has a single stage, as the plan says."""
        return SCHEDULES[self.schedule] or (TrainingStage(("everything",), self.epochs, self.learning_rate),)

    def stage(self, epoch: int) -> TrainingStage | None:
        """The stage of an epoch, counted from 0; None when all stages are over."""
        for stage in self.stages:
            if epoch < stage.epochs:
                return stage
            epoch -= stage.epochs
        return None


HUMANIZE_CONFIG = TrainingConfig(
    epochs=16, batch=128, learning_rate=3e-3, lr_schedule="cosine", ema_decay=0.99, windows=8000, patience=99
)
"""The plan of all humanizers, so that what they score tells of how they are made."""

CONFIGS = {
    # It copies nobody's state, so its own playing need not be in its training; it learns fast, and then by heart.
    "band-conv": TrainingConfig(
        epochs=24,
        learning_rate=2e-3,
        instrument_dropout=0.3,
        kl_weight=0.0,
        rollout_share=0.0,
        lr_patience=2,
        patience=6,
    ),
    # Those that learn from drums alone: many windows of few drummers, so an epoch is a draw from them.
    "humanize": HUMANIZE_CONFIG,
    "humanize-untold": HUMANIZE_CONFIG,
    "humanize-bottleneck": replace(HUMANIZE_CONFIG, kl_weight=0.05),  # its preset's; the others have nothing to squeeze
    "groove-vae": TrainingConfig(
        epochs=16, batch=128, learning_rate=2e-3, lr_schedule="cosine", ema_decay=0.9, windows=6000, patience=99
    ),
}
"""The plans of presets that are not trained by the usual one."""


def config_for(preset: str, **changes) -> TrainingConfig:
    """The plan by which a preset is trained, with changes, such as ``epochs=3``; those that are None change nothing.

    With a schedule of stages, the preset's own epochs and rate are theirs; see ``Plan``.

    Raises
    ------
    ValueError
        If the changes make no sense: among others a ``rate`` beside stages, or stages for a preset whose plan has the
        cosine's fall, unless another ``fall`` is among the changes.
    """
    changes = {name: value for name, value in changes.items() if value is not None}
    if SCHEDULES.get(changes.get("schedule")):
        if "learning_rate" in changes:  # here it is known that somebody asked for it, whatever it is
            raise ValueError(STAGES_HAVE_RATES.format(changes["schedule"], "no other rate can be set beside them"))
        changes = {"epochs": None, "learning_rate": TrainingConfig.learning_rate} | changes
    return replace(CONFIGS.get(preset, TrainingConfig()), **changes)


def in_parts(path: str, parts: tuple[str, ...]) -> bool:
    """Whether a weight with this path, such as ``decoder/lower/kernel``, is one of these parts."""
    return any(re.search(PARTS[part], path) for part in parts)


def learning_rate_at(epochs: list[dict], plan: TrainingConfig) -> float:
    """The learning rate after these epochs: its stage's, a quarter for every time that nothing was gained in it.

    What is looked at is the validation loss. A new stage begins with its own rate, and with new patience. If the plan
    says "cosine", nothing is looked at: the rate falls along half a wave, to nothing at the plan's end.
    """
    if plan.lr_schedule == "cosine":
        return plan.learning_rate * (1 + math.cos(math.pi * min(1.0, len(epochs) / plan.epochs))) / 2
    begun = 0
    for stage in plan.stages:
        if len(epochs) < begun + stage.epochs:
            break
        begun += stage.epochs
    rate, best, waited = stage.learning_rate, float("inf"), 0
    for figures in epochs[begun:]:
        if figures["val_loss"] < best - 1e-3:
            best, waited = figures["val_loss"], 0
        else:
            waited += 1
        if waited >= plan.lr_patience:
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


def kl_weight_at(epoch: int, plan: TrainingConfig) -> float:
    """The weight of the divergence in an epoch, counted from 0: it grows for ``kl_warm_up`` epochs, in equal steps.

    A network that is charged for z from the first day learns to do without it (Bowman et al. 2016).
    """
    return plan.kl_weight * min(1.0, (epoch + 1) / (plan.kl_warm_up + 1))


def is_over(epochs: list[dict], plan: TrainingConfig) -> bool:
    """Whether training ends after these epochs: enough of them, no stage left, or nothing gained for long.

    A stage that does not help must not end the training before the next one had its turn, so with stages, patience
    counts in the last one only.
    """
    done = len(epochs)
    if done >= plan.epochs or plan.stage(done) is None:
        return True
    last = sum(stage.epochs for stage in plan.stages[:-1])
    return done > last and stalled(epochs[last:], plan.patience, 1e-4)


OLD_NAMES = {
    "rate": "learning_rate",
    "mute": "instrument_dropout",
    "warm_up": "kl_warm_up",
    "own": "rollout_share",
    "fall": "lr_schedule",
    "slow_after": "lr_patience",
    "stop_after": "patience",
    "average": "ema_decay",
}
"""What fields of ``TrainingConfig`` were called in runs and model cards of version 0.1."""


def with_new_names(plan: dict) -> dict:
    """A training configuration as it was written to a file, with today's names."""
    return {OLD_NAMES.get(name, name): value for name, value in plan.items()}
