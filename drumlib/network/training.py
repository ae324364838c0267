"""Training: from windows to weights, so that it can be stopped at any time and goes on exactly where it was.

After each epoch two files are written, whole or not at all: ``last.npz``, all that is needed to go on (weights,
optimizer, the states of the noise), and ``best.npz``, the weights with the lowest validation loss so far.
``history.json`` holds every epoch's figures and what they were trained with; ``logs`` is for TensorBoard.
"""

import math
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from drumlib.data.windows import Windows
from drumlib.network.batches import Batches
from drumlib.network.checkpoints import check_folder, restore, save_state
from drumlib.network.devices import precision, scalars_for_tensorboard, use_all_devices
from drumlib.network.losses import LOSS_WEIGHTS, LOSSES
from drumlib.network.registry import build, generate_windows
from drumlib.network.staged_adam import StagedAdam, check_stages
from drumlib.network.training_config import TrainingConfig, config_for, is_over, kl_weight_at, learning_rate_at
from drumlib.network.weights import load_weights, save_weights


def compile_network(network, plan: TrainingConfig | None = None) -> None:
    """Give a drummer's network its losses, those of its preset, and its metrics (thesis, 5.1).

    The Kullback-Leibler term is the bottleneck's own.
    """
    metrics = [
        keras.metrics.BinaryAccuracy(name="accuracy"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
    ]
    loss = network.preset.loss
    compile_with(
        network, plan or TrainingConfig(), LOSSES[loss], loss_weights=LOSS_WEIGHTS[loss], metrics={"hits": metrics}
    )


def compile_with(network, plan: TrainingConfig, losses, **more) -> None:
    """Compile any network for ``run``: with the optimizer of its plan, and these losses."""
    clip, decay = (getattr(network.preset, name, None) for name in ("clip", "decay"))
    averages = {"use_ema": True, "ema_momentum": plan.ema_decay} if plan.ema_decay else {}
    optimizer = StagedAdam(plan.learning_rate, clipnorm=clip, weight_decay=decay, **averages)
    network.compile(optimizer=optimizer, loss=losses, **more)
    network.optimizer.build(network.trainable_variables)


def train(
    training: Windows,
    validation: Windows,
    out: Path,
    preset: str = "thesis",
    plan: TrainingConfig | None = None,
    resume: bool = False,
    verbose: int | str = "auto",
    transplant: Path | None = None,
) -> dict:
    """Train a preset and return its history.

    Each epoch sees every training window once, with tracks and transposition drawn anew from (seed, epoch); so a run
    that was stopped and resumed ends with the same weights as one that was not.

    Without a ``plan``, it is the preset's own. ``transplant`` is a file of weights whose decoder the network begins
    with (thesis, 4.3): see the schedule "transfer".

    Raises
    ------
    FileExistsError
        If ``out`` already holds a run and ``resume`` was not asked for.
    FileNotFoundError
        If ``resume`` was asked for and there is nothing to resume.
    ValueError
        If there are no windows to train or validate on, or the run in ``out`` was made with other settings.
    """
    network, plan = prepare(build, training, validation, out, preset, plan, resume)
    if transplant is not None and not resume:
        load_weights(network, transplant, part="decoder")
    compile_network(network, plan)
    loss = network.preset.loss

    def batches(epoch: int, rng: np.random.Generator) -> Batches:
        played = generate_windows(network, training) if plan.rollout_share else None  # (windows, T, 27)
        order = rng.permutation(len(training))[: plan.windows or None]
        return Batches(
            training, plan.batch, order, rng, plan.transpose, plan.instrument_dropout, plan.rollout_share, played, loss
        )

    settings = {
        "preset": preset,
        "windows": {"train": len(training), "validation": len(validation)},
        "songs": {"train": training.song_count, "validation": validation.song_count},
        "transplant": None if transplant is None else Path(transplant).name,
    }
    return run(network, out, plan, batches, Batches(validation, plan.batch, loss=loss), settings, resume, verbose)


def prepare(
    make: Callable, training, validation, out: Path, preset: str, plan: TrainingConfig | None, resume: bool
) -> tuple:
    """How every training begins: a fresh network of a preset, which ``make`` makes, and its plan.

    Raises what ``train`` raises, before anything is built.
    """
    if not len(training) or not len(validation):
        raise ValueError(f"{len(training)} windows to train on and {len(validation)} to validate on: both are needed")
    check_folder(Path(out), resume)
    plan = plan or config_for(preset)
    use_all_devices()
    with precision(plan.mixed):
        return make(preset, plan.seed), plan


def run(
    network,
    out: Path,
    plan: TrainingConfig,
    batches: Callable[[int, np.random.Generator], keras.utils.PyDataset],
    checking: keras.utils.PyDataset,
    settings: dict,
    resume: bool = False,
    verbose: int | str = "auto",
) -> dict:
    """Train any compiled network, epoch by epoch, and return the history. ``train`` is this for a drummer's network.

    Where the plan has an ``ema_decay``, what is validated, and kept as the best, is an average of the weights over the
    last batches: training goes up and down around a good place, and the average lies nearer to it (Izmailov et al.
    2018). What goes on learning is never the average.

    Parameters
    ----------
    batches
        A function of the epoch, counted from 0, and of its random numbers, that gives the epoch's batches. What it
        gives must depend on nothing else, or a resumed run will not end as an undisturbed one.
    checking
        The batches to validate on.
    settings
        What is written to the history, and must be the same when a run is resumed.

    Raises
    ------
    ValueError
        If a stage of the plan has nothing in the network that could learn, or an epoch's loss is no number, or the run
        in ``out`` was made with other settings.
    """
    out = Path(out)
    check_folder(out, resume)
    check_stages(network, plan)
    history = {
        **settings,
        "plan": asdict(plan),
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
        },
        "epochs": [],
    }
    if resume:
        history = restore(network, out, history, tuple(settings))
    out.mkdir(parents=True, exist_ok=True)
    log = scalars_for_tensorboard(out / "logs")
    averaging = [keras.callbacks.SwapEMAWeights()] if plan.ema_decay else []  # the average stands in while validating
    while not is_over(history["epochs"], plan):
        epoch = len(history["epochs"])
        network.optimizer.activate_stage(plan.stage(epoch))
        network.optimizer.learning_rate = learning_rate_at(history["epochs"], plan)
        set_kl_weight(network, plan, epoch)
        print(f"epoch {epoch + 1} of at most {plan.epochs}", flush=True)
        given = batches(epoch, np.random.default_rng([plan.seed, epoch]))
        logs = network.fit(given, validation_data=checking, shuffle=False, verbose=verbose, callbacks=averaging).history
        figures = {name: round(float(values[0]), 6) for name, values in logs.items()}
        if not (math.isfinite(figures["loss"]) and math.isfinite(figures["val_loss"])):  # before anything is kept of it
            raise ValueError(f"{out}: in epoch {epoch + 1} the loss is no number any more; try a lower rate")
        figures["rate"] = round(float(network.optimizer.learning_rate), 8)
        history["epochs"].append(figures)
        if figures["val_loss"] <= min(past["val_loss"] for past in history["epochs"]):
            for swap in averaging:  # what is kept is what was validated
                swap.on_test_begin()
            save_weights(network, out / "best.npz", "float32")
            for swap in averaging:
                swap.on_test_end()
        save_state(network, out, history)
        log(epoch, figures)
    return history


def set_kl_weight(network, plan: TrainingConfig, epoch: int) -> None:
    """Tell the bottleneck, if there is one, how narrow it is to be in this epoch.

    The weight is a number in the graph that Keras has built for training, so with a new one the graph is built anew.
    """
    if not hasattr(network, "bottleneck"):
        return
    before = network.bottleneck.kl_weight, network.bottleneck.free_bits
    network.bottleneck.kl_weight, network.bottleneck.free_bits = kl_weight_at(epoch, plan), plan.free_bits
    if before != (network.bottleneck.kl_weight, network.bottleneck.free_bits):
        network.make_train_function(force=True)
