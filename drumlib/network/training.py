"""Training: from data to weights. A run can be stopped at any time, and resumed with exactly the same result.

After each epoch two files are written, whole or not at all: ``last.npz``, all that is needed to resume (weights,
optimizer, states of the noise), and ``best.npz``, the weights with the lowest validation loss so far. ``history.json``
has the figures of every epoch and the settings; ``logs`` is for TensorBoard.
"""

import math
import platform
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
import numpy as np

from drumlib.network.checkpoints import check_folder, restore, save_state
from drumlib.network.devices import precision, scalars_for_tensorboard, use_all_devices
from drumlib.network.registry import KINDS, build, find_preset
from drumlib.network.staged_adam import StagedAdam, check_stages
from drumlib.network.training_config import TrainingConfig, config_for, is_over, kl_weight_at, learning_rate_at
from drumlib.network.weights import load_weights, save_weights


def train(
    preset,
    training,
    validation,
    out: Path,
    config: TrainingConfig | None = None,
    resume: bool = False,
    verbose: int | str = "auto",
    decoder_from: Path | None = None,
) -> dict:
    """Train a network of any kind and return its history.

    Each epoch sees every training window once (or ``config.windows`` of them), augmented anew from (seed, epoch); so a
    run that was stopped and resumed ends with the same weights as one that was not.

    Parameters
    ----------
    preset : the name of a preset, or a preset, of a kind in ``registry``
    training, validation : data of that kind: ``Windows`` of songs, ``TwoBarWindows`` of grooves, ...; if they have
        ``settings``, these are written to the history, too
    out : the folder of the run
    config : if None, that of the preset
    decoder_from : a weights file whose decoder the network begins with (thesis, 4.3): see the schedule "transfer"

    Raises
    ------
    FileExistsError, FileNotFoundError
        If ``out`` already holds a run and ``resume`` is false; if ``resume`` is true and there is nothing to resume.
    ValueError
        If there are no windows to train or validate on, or the run in ``out`` was made with other settings.
    """
    if not len(training) or not len(validation):
        raise ValueError(f"{len(training)} windows to train on and {len(validation)} to validate on: both are needed")
    check_folder(Path(out), resume)
    preset = find_preset(preset)
    config = config or config_for(preset.name)
    use_all_devices()
    with precision(config.mixed):
        network = build(preset, config.seed)
    if decoder_from is not None and not resume:
        load_weights(network, decoder_from, part="decoder")
    compile_network(network, config)
    settings = {
        "preset": preset.name,
        "network": asdict(preset),
        "windows": {"train": len(training), "validation": len(validation)},
        "decoder_from": None if decoder_from is None else Path(decoder_from).name,
    }
    if hasattr(training, "song_count"):
        settings["songs"] = {"train": training.song_count, "validation": validation.song_count}
    settings |= getattr(training, "settings", {})
    batches = partial(KINDS[type(preset)].batches, network, config=config)
    epoch_batches = partial(batches, training)
    return run(network, out, config, epoch_batches, batches(validation), settings, resume, verbose)


def compile_network(network, config: TrainingConfig | None = None) -> None:
    """Give a network its optimizer and the losses of its kind, and its training step."""
    config = config or TrainingConfig()
    ema = {"use_ema": True, "ema_momentum": config.ema_decay} if config.ema_decay else {}
    clipnorm, weight_decay = config.clipnorm or None, config.weight_decay or None
    optimizer = StagedAdam(config.learning_rate, clipnorm=clipnorm, weight_decay=weight_decay, **ema)
    network.compile(optimizer=optimizer, **KINDS[type(network.preset)].objective(network.preset))
    network.optimizer.build(network.trainable_variables)
    if keras.backend.backend() == "tensorflow":  # with JAX, Keras's own step does the same without side effects
        network.train_step = partial(train_step, network)


def train_step(network, batch) -> dict:
    """One step of gradient descent on a batch, called by ``fit``, which compiles it. Returns the metrics so far."""
    import tensorflow as tf

    inputs, targets = batch[:2]
    with tf.GradientTape() as tape:
        outputs = network(inputs, training=True)  # forward, teacher-forced
        loss = network.compute_loss(inputs, targets, outputs)  # the losses of all heads, and what layers added (KL)
    gradients = tape.gradient(loss, network.trainable_weights)  # backward
    network.optimizer.apply_gradients(zip(gradients, network.trainable_weights, strict=True))  # clipping, Adam, EMA
    network.metrics[0].update_state(loss, sample_weight=tf.shape(tf.nest.flatten(inputs)[0])[0])  # mean over windows
    return network.compute_metrics(inputs, targets, outputs)


def run(
    network,
    out: Path,
    config: TrainingConfig,
    batches: Callable[..., keras.utils.PyDataset],
    validation: keras.utils.PyDataset,
    settings: dict,
    resume: bool = False,
    verbose: int | str = "auto",
) -> dict:
    """Train a compiled network epoch by epoch and return the history: the loop of ``train``.

    With an ``ema_decay``, what is validated, and kept as ``best.npz``, is the exponential moving average of the weights
    (cf. Izmailov et al. 2018); training goes on from the weights themselves.

    Parameters
    ----------
    batches : ``batches(epoch=..., rng=...)`` are an epoch's batches, epochs counted from 0. They must depend on nothing
        else, or a resumed run will not equal an undisturbed one.
    validation : the batches to validate on
    settings : what is written to the history, and must be the same when a run is resumed

    Raises
    ------
    ValueError
        If a stage has no weights to train, or a loss is not finite, or the run in ``out`` was made with other settings.
    """
    out = Path(out)
    check_folder(out, resume)
    check_stages(network, config)
    versions = {"python": platform.python_version(), "keras": keras.__version__, "backend": keras.backend.backend()}
    history = {**settings, "config": asdict(config), "versions": versions, "epochs": []}
    if resume:
        history = restore(network, out, history)
    out.mkdir(parents=True, exist_ok=True)
    log = scalars_for_tensorboard(out / "logs")
    ema = [keras.callbacks.SwapEMAWeights()] if config.ema_decay else []  # swaps the average in for validation
    while not is_over(history["epochs"], config):
        epoch = len(history["epochs"])
        network.optimizer.activate_stage(config.stage(epoch))
        network.optimizer.learning_rate = learning_rate_at(history["epochs"], config)
        set_kl_weight(network, config, epoch)
        print(f"epoch {epoch + 1} of at most {config.epochs}", flush=True)
        data = batches(epoch=epoch, rng=np.random.default_rng([config.seed, epoch]))
        logs = network.fit(data, validation_data=validation, shuffle=False, verbose=verbose, callbacks=ema).history
        figures = {name: round(float(values[0]), 6) for name, values in logs.items()}
        if not (math.isfinite(figures["loss"]) and math.isfinite(figures["val_loss"])):  # before anything is written
            raise ValueError(f"{out}: in epoch {epoch + 1} the loss is no number any more; try a lower rate")
        figures["rate"] = round(float(network.optimizer.learning_rate), 8)
        history["epochs"].append(figures)
        if figures["val_loss"] <= min(past["val_loss"] for past in history["epochs"]):
            for swap in ema:  # keep the weights that were validated
                swap.on_test_begin()
            save_weights(network, out / "best.npz", "float32")
            for swap in ema:
                swap.on_test_end()
        save_state(network, out, history)
        log(epoch, figures)
    return history


def set_kl_weight(network, config: TrainingConfig, epoch: int) -> None:
    """Set the bottleneck's weight of the divergence for this epoch, if the network has a bottleneck.

    The weight is a constant in the compiled graph, so with another one the graph is compiled again.
    """
    if not hasattr(network, "bottleneck"):
        return
    before = network.bottleneck.kl_weight, network.bottleneck.free_bits
    network.bottleneck.kl_weight, network.bottleneck.free_bits = kl_weight_at(epoch, config), config.free_bits
    if before != (network.bottleneck.kl_weight, network.bottleneck.free_bits):
        network.make_train_function(force=True)
