"""Training: from windows to weights, so that it can be stopped at any time and goes on exactly where it was.

After each epoch two files are written, whole or not at all: ``last.npz``, all that is needed to go on (weights,
optimizer, the states of the noise), and ``best.npz``, the weights with the lowest validation loss so far.
``history.json`` holds every epoch's figures and what they were trained with; ``logs`` is for TensorBoard.
"""

import contextlib
import io
import json
import math
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
import numpy as np

from drumlib.data.splitting.splits import SPLITS
from drumlib.data.windows import Windows
from drumlib.files import write_whole
from drumlib.network.batches import Batches
from drumlib.network.losses import LOSS_WEIGHTS, LOSSES
from drumlib.network.thesis import build, play_all
from drumlib.network.training_config import Plan, Stage, belongs, is_over, kl_weight_at, plan_for, rate_at
from drumlib.network.weights import load_weights, read_arrays, save_weights


class StagedAdam(keras.optimizers.Adam):
    """Adam, for which some weights can stand still: for them, the learning rate is zero.

    Keras would have the network compiled anew whenever other layers are to learn; this way, nothing is.
    """

    def build(self, variables):
        super().build(variables)
        self.paths = [variable.path for variable in variables]
        self.learns = [self.add_variable((), initializer="ones", name=f"learns_{i}") for i in range(len(variables))]

    def update_step(self, gradient, variable, learning_rate):
        learns = self.learns[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * keras.ops.cast(learns, variable.dtype))

    def finalize_variable_values(self, variables):
        """Nothing: Keras would leave the average in place of the weights at the end of a fit, and ours is an epoch."""

    def moving(self, stage: Stage) -> list[bool]:
        """Which weights learn in a stage. Raises ValueError if the network has none of its parts."""
        moving = [belongs(path, stage.parts) for path in self.paths]
        if not any(moving):
            raise ValueError(f"the network has no weights that are its {' or '.join(stage.parts)}")
        return moving

    def enter(self, stage: Stage) -> None:
        """Let only this stage's parts learn. Raises ValueError if the network has none of them."""
        for learns, moves in zip(self.learns, self.moving(stage), strict=True):
            learns.assign(float(moves))


def compile_network(network, plan: Plan | None = None) -> None:
    """Give a drummer's network its losses, those of its preset, and its metrics (thesis, 5.1).

    The Kullback-Leibler term is the bottleneck's own.
    """
    metrics = [
        keras.metrics.BinaryAccuracy(name="accuracy"),
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
    ]
    loss = network.preset.loss
    compile_with(network, plan or Plan(), LOSSES[loss], loss_weights=LOSS_WEIGHTS[loss], metrics={"hits": metrics})


def compile_with(network, plan: Plan, losses, **more) -> None:
    """Compile any network for ``run``: with the optimizer of its plan, and these losses."""
    clip, decay = (getattr(network.preset, name, None) for name in ("clip", "decay"))
    averages = {"use_ema": True, "ema_momentum": plan.average} if plan.average else {}
    optimizer = StagedAdam(plan.rate, clipnorm=clip, weight_decay=decay, **averages)
    network.compile(optimizer=optimizer, loss=losses, **more)
    network.optimizer.build(network.trainable_variables)


def train(
    training: Windows,
    validation: Windows,
    out: Path,
    preset: str = "thesis",
    plan: Plan | None = None,
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
        played = play_all(network, training) if plan.own else None  # (windows, T, 27)
        order = rng.permutation(len(training))[: plan.windows or None]
        return Batches(training, plan.batch, order, rng, plan.transpose, plan.mute, plan.own, played, loss)

    settings = {
        "preset": preset,
        "windows": {"train": len(training), "validation": len(validation)},
        "songs": {"train": training.songs, "validation": validation.songs},
        "transplant": None if transplant is None else Path(transplant).name,
    }
    return run(network, out, plan, batches, Batches(validation, plan.batch, loss=loss), settings, resume, verbose)


def prepare(make: Callable, training, validation, out: Path, preset: str, plan: Plan | None, resume: bool) -> tuple:
    """How every training begins: a fresh network of a preset, which ``make`` makes, and its plan.

    Raises what ``train`` raises, before anything is built.
    """
    if not len(training) or not len(validation):
        raise ValueError(f"{len(training)} windows to train on and {len(validation)} to validate on: both are needed")
    check_folder(Path(out), resume)
    plan = plan or plan_for(preset)
    use_all_devices()
    with precision(plan.mixed):
        return make(preset, plan.seed), plan


def run(
    network,
    out: Path,
    plan: Plan,
    batches: Callable[[int, np.random.Generator], keras.utils.PyDataset],
    checking: keras.utils.PyDataset,
    settings: dict,
    resume: bool = False,
    verbose: int | str = "auto",
) -> dict:
    """Train any compiled network, epoch by epoch, and return the history. ``train`` is this for a drummer's network.

    Where the plan has an ``average``, what is validated, and kept as the best, is an average of the weights over the
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
    averaging = [keras.callbacks.SwapEMAWeights()] if plan.average else []  # the average stands in while validating
    while not is_over(history["epochs"], plan):
        epoch = len(history["epochs"])
        network.optimizer.enter(plan.stage(epoch))
        network.optimizer.learning_rate = rate_at(history["epochs"], plan)
        set_pressure(network, plan, epoch)
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


def check_stages(network, plan: Plan) -> None:
    """See that every stage of a plan has something to move, before the first of them has taken its hours.

    Raises ValueError, which names the stage, if one has not.
    """
    for number, stage in enumerate(plan.stages, start=1):
        try:
            network.optimizer.moving(stage)
        except ValueError as error:
            whose = f"stage {number} of {len(plan.stages)} of the schedule {plan.schedule!r}"
            raise ValueError(f"{whose} cannot be trained: {error}") from None


def set_pressure(network, plan: Plan, epoch: int) -> None:
    """Tell the bottleneck, if there is one, how narrow it is to be in this epoch.

    The weight is a number in the graph that Keras has built for training, so with a new one the graph is built anew.
    """
    if not hasattr(network, "bottleneck"):
        return
    before = network.bottleneck.kl_weight, network.bottleneck.free_bits
    network.bottleneck.kl_weight, network.bottleneck.free_bits = kl_weight_at(epoch, plan), plan.free_bits
    if before != (network.bottleneck.kl_weight, network.bottleneck.free_bits):
        network.make_train_function(force=True)


@contextlib.contextmanager
def precision(mixed: bool):
    """Within this, layers are made that multiply in half precision (bfloat16) and keep their weights in float32."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if mixed else before)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def use_all_devices() -> int:
    """Part every batch among all GPUs, if there are several (Keras's own distribution). Returns how many are used.

    Call it before a network is built. It is Keras with JAX that can do this; with TensorFlow one GPU is used.
    """
    devices = keras.distribution.list_devices("gpu") if keras.backend.backend() == "jax" else []
    if len(devices) > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
    return max(1, len(devices))


def scalars_for_tensorboard(folder: Path) -> Callable[[int, dict], None]:
    """A function that writes an epoch's figures for TensorBoard; where that is not installed, it does nothing.

    After a resumed run the steps go on where they were: they are the epochs.
    """
    try:
        from tensorboard.summary import Writer
    except ImportError:
        return lambda epoch, figures: None
    writer = Writer(str(folder))

    def write(epoch: int, figures: dict) -> None:
        for name, value in figures.items():
            writer.add_scalar(name, value, step=epoch)
        writer.flush()

    return write


def check_folder(out: Path, resume: bool) -> None:
    """Raise FileExistsError if there is a run that nobody asked to resume, FileNotFoundError if there is none to.

    Raises NotADirectoryError if there is a file.
    """
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"{out} is a file, and a run needs a folder")
    if (out / "last.npz").exists() and not resume:
        raise FileExistsError(f"{out} already holds a run: go on with it (resume), or choose another folder")
    if resume and not (out / "last.npz").is_file():
        raise FileNotFoundError(f"{out}: no run to resume here (there is no last.npz)")


def state(network) -> list:
    """All that training changes: the weights, the optimizer's memory, and where the sources of noise are."""
    weights = {id(weight) for weight in network.weights}
    # What a layer keeps beside its weights and its metrics are the states of its noise.
    noise = [v for v in network.non_trainable_variables if id(v) not in weights and "int" in v.dtype]
    return [*network.weights, *network.optimizer.variables, *noise]


def save_state(network, out: Path, history: dict) -> None:
    """Write ``last.npz`` and ``history.json``. The history is inside ``last.npz`` too, so that both always agree."""
    text = json.dumps(history, indent=1)
    arrays = {f"v{i}": keras.ops.convert_to_numpy(variable) for i, variable in enumerate(state(network))}
    buffer = io.BytesIO()
    np.savez(buffer, history=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
    write_whole(out / "last.npz", buffer.getvalue())
    write_whole(out / "history.json", text.encode())


def restore(network, out: Path, fresh: dict, same: tuple[str, ...]) -> dict:
    """Take up a run: put its state into the network and return its history."""
    arrays, variables = read_arrays(out / "last.npz"), state(network)
    if set(arrays) != {"history", *(f"v{i}" for i in range(len(variables)))}:
        raise ValueError(f"{out / 'last.npz'}: not the state of such a run")
    history = json.loads(arrays["history"].tobytes())
    for key in same:
        if history.get(key) != fresh[key]:
            raise ValueError(f"{out}: this run has {key} {history.get(key)}, not {fresh[key]}")
    # More epochs may be asked for later; not where the rate of every epoch hangs on how many there are.
    free = () if fresh["plan"]["fall"] == "cosine" else ("epochs",)
    old, new = ({k: v for k, v in h["plan"].items() if k not in free} for h in (history, fresh))
    if old != new:
        raise ValueError(f"{out}: this run was planned as {old}, not {new}")
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"v{i}"])
    history |= {"plan": fresh["plan"]}
    write_whole(out / "history.json", json.dumps(history, indent=1).encode())  # should a stop have come between the two
    return history


def training_songs(folder, splits: Sequence[str] = SPLITS[:2]) -> tuple[Windows, ...]:
    """The windows of the songs to train on and to validate on, or of other splits, read with progress bars."""
    from tqdm import tqdm

    from drumlib.data.windows import list_songs, read_windows

    sets = []
    for split in splits:
        refused: dict[str, str] = {}
        bar = partial(tqdm, desc=f"{split} songs", unit="song")
        try:
            songs = list_songs(folder, split)
        except FileNotFoundError:
            if split != "test":
                raise
            songs = []  # one may train without
        sets.append(read_windows(songs, refused, bar))
        for reason in refused.values():
            print(f"left out: {reason}", file=sys.stderr)
    return tuple(sets)


def training_corpus(folder, splits: Sequence[str] = SPLITS[:2]) -> tuple[Windows, ...]:
    """The windows of a corpus to train on and to validate on, or of other splits."""
    from drumlib.data.corpus.reader import Corpus

    corpus = Corpus(folder)
    return tuple(corpus.windows(split) for split in splits)


def training_together(sets: Sequence[tuple[Windows, ...]]) -> tuple[Windows, Windows]:
    """What several collections give to train on, joined, and what the first of them gives to validate on.

    Of each collection, ``sets`` holds what trains, what validates, and what else must not train: its test songs. Each
    was parted by itself, and a song that is held back in one may train in another: when to stop would be chosen, or a
    score made, on songs that are known by heart. So what trains is kept apart from what is held back in any of them
    (``data.windows.kept_apart`` says what that finds), and what is left out is printed. A single collection is taken as
    it is.

    Raises
    ------
    ValueError
        If nothing is left to train on.
    """
    from tqdm import tqdm

    from drumlib.data.windows import join, kept_apart

    training, *held = zip(*sets, strict=True)
    if len(sets) == 1:
        return training[0], held[0][0]
    whole = join(training)
    kept = kept_apart(whole, join(sum(held, ())), partial(tqdm, desc="songs compared", unit="song"))
    if lost := len(whole) - len(kept):
        songs = f"{whole.songs - kept.songs:,} of {whole.songs:,} songs"
        why = "they belong together with songs to validate or to test on, or have the drums of one of their windows"
        print(f"left out: {lost:,} of {len(whole):,} windows to train on, {songs}: {why}", file=sys.stderr)
    if len(whole) and not len(kept):
        raise ValueError("nothing is left to train on: every song belongs together with one to validate or to test on")
    return kept, held[0][0]
