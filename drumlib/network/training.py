"""Training: from windows to weights, so that it can be stopped at any time and goes on exactly where it was.

After each epoch two files are written, whole or not at all: ``last.npz``, all that is needed to go on (weights,
optimizer, the states of the noise), and ``best.npz``, the weights with the lowest validation loss so far.
``history.json`` holds every epoch's figures and what they were trained with.
"""

import io
import json
import platform
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np

from drumlib.data.windows import Windows
from drumlib.files import write_whole
from drumlib.network.losses import hits_loss, squared_error
from drumlib.network.models import DrummerNetwork, build, play_all
from drumlib.network.weights import read_arrays, save_weights


@dataclass(frozen=True)
class Plan:
    """How to train: the thesis's way (4.3) without its layer-wise stages, and with four changes of ours.

    ``transpose`` and ``mute`` vary a small corpus. ``own`` is scheduled sampling (Bengio et al. 2015), an epoch at a
    time: told nothing but the truth, a network learns to copy the step before, and is lost when it plays by itself.
    """

    epochs: int = 50  # at most
    batch: int = 64
    rate: float = 1e-3  # Adam's learning rate at the start
    transpose: int = 5  # each band is moved up or down by so many semitones at most; 0 is the thesis's
    mute: float = 0.15  # how often each instrument is silenced, so that songs without it hold no terror; the thesis: 0
    kl_weight: float = 0.5  # of the Kullback-Leibler divergence; the thesis's 1 squeezes the song out of z
    own: float = 0.5  # how often the network is told its own playing, not the truth, as the step before; the thesis: 0
    slow_after: int = 3  # epochs without a gain of 1e-3 after which the rate is cut to a quarter; the thesis: 6
    stop_after: int = 8  # epochs without a gain of 1e-4 after which training ends
    seed: int = 0

    def __post_init__(self):
        if min(self.epochs, self.batch, self.slow_after, self.stop_after) < 1:
            raise ValueError("epochs, batch, slow_after and stop_after are counts: at least 1")
        if not self.rate > 0 or self.kl_weight < 0 or self.transpose < 0 or self.seed < 0:
            raise ValueError("the rate must be above 0; kl_weight, transpose and seed cannot be below 0")
        if not (0 <= self.mute <= 1 and 0 <= self.own <= 1):
            raise ValueError("mute and own are shares, between 0 and 1")


class Batches(keras.utils.PyDataset):
    """Windows as Keras wants them: batches of (what the network is given, what it should have played).

    ``played`` is what the network itself played to each window, (windows, T, 27); a share ``own`` of the windows is
    given that in place of the true drums. What it should have played is always the truth.
    """

    def __init__(self, windows, batch=64, order=None, rng=None, transpose=0, mute=0.0, own=0.0, played=None):
        super().__init__()
        self.windows, self.batch, self.order = windows, batch, np.arange(len(windows)) if order is None else order
        self.rng, self.transpose, self.mute, self.own, self.played = rng, transpose, mute, own, played

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch)

    def __getitem__(self, i: int):
        numbers = self.order[i * self.batch : (i + 1) * self.batch]
        inputs = self.windows.batch(numbers, self.rng, self.transpose, self.mute)
        hits, velocities, offsets = np.split(inputs["drums"], 3, axis=-1)  # (B, T, 27) -> 3 x (B, T, 9)
        if self.played is not None:
            own = self.rng.random(len(numbers)) < self.own  # (B,)
            inputs["drums"] = np.where(own[:, None, None], self.played[numbers], inputs["drums"])
        return inputs, {"hits": hits, "velocities": velocities, "offsets": offsets}


def compile_network(network: DrummerNetwork, rate: float = 1e-3) -> None:
    """Give the network its losses and its metrics (thesis, 5.1). The Kullback-Leibler term is the bottleneck's own."""
    network.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss={"hits": hits_loss, "velocities": squared_error, "offsets": squared_error},
        metrics={
            "hits": [
                keras.metrics.BinaryAccuracy(name="accuracy"),
                keras.metrics.Precision(name="precision"),
                keras.metrics.Recall(name="recall"),
            ]
        },
    )
    network.optimizer.build(network.trainable_variables)


def train(
    training: Windows,
    validation: Windows,
    out: Path,
    preset: str = "thesis",
    plan: Plan = Plan(),
    resume: bool = False,
    verbose: int | str = "auto",
) -> dict:
    """Train a preset and return its history.

    Each epoch sees every training window once, with tracks and transposition drawn anew from (seed, epoch); so a run
    that was stopped and resumed ends with the same weights as one that was not.

    Raises
    ------
    FileExistsError
        If ``out`` already holds a run and ``resume`` was not asked for.
    FileNotFoundError
        If ``resume`` was asked for and there is nothing to resume.
    ValueError
        If there are no windows to train or validate on, or the run in ``out`` was made with other settings.
    """
    if not len(training) or not len(validation):
        raise ValueError(f"{len(training)} windows to train on and {len(validation)} to validate on: both are needed")
    out = Path(out)
    check_folder(out, resume)
    network = build(preset, plan.seed)
    network.bottleneck.kl_weight = plan.kl_weight
    compile_network(network, plan.rate)
    history = {
        "preset": preset,
        "plan": asdict(plan),
        "windows": {"train": len(training), "validation": len(validation)},
        "songs": {"train": training.songs, "validation": validation.songs},
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
        },
        "epochs": [],
    }
    if resume:
        history = restore(network, out, history)
    out.mkdir(parents=True, exist_ok=True)
    checking = Batches(validation, plan.batch)
    while len(history["epochs"]) < plan.epochs and not stalled(history["epochs"], plan.stop_after, 1e-4):
        epoch = len(history["epochs"])
        rng = np.random.default_rng([plan.seed, epoch])
        network.optimizer.learning_rate = rate_at(history["epochs"], plan)
        print(f"epoch {epoch + 1} of at most {plan.epochs}", flush=True)
        played = play_all(network, training) if plan.own else None  # (windows, T, 27)
        order = rng.permutation(len(training))
        batches = Batches(training, plan.batch, order, rng, plan.transpose, plan.mute, plan.own, played)
        logs = network.fit(batches, validation_data=checking, shuffle=False, verbose=verbose).history
        figures = {name: round(float(values[0]), 6) for name, values in logs.items()}
        figures["rate"] = round(float(network.optimizer.learning_rate), 8)
        history["epochs"].append(figures)
        if figures["val_loss"] <= min(past["val_loss"] for past in history["epochs"]):
            save_weights(network, out / "best.npz", "float32")
        save_state(network, out, history)
    return history


def check_folder(out: Path, resume: bool) -> None:
    """Raise FileExistsError if there is a run that nobody asked to resume, FileNotFoundError if there is none to."""
    if (out / "last.npz").exists() and not resume:
        raise FileExistsError(f"{out} already holds a run: go on with it (resume), or choose another folder")
    if resume and not (out / "last.npz").is_file():
        raise FileNotFoundError(f"{out}: no run to resume here (there is no last.npz)")


def rate_at(epochs: list[dict], plan: Plan) -> float:
    """The learning rate after these epochs: a quarter for every time that the validation loss stood still."""
    rate, best, waited = plan.rate, np.inf, 0
    for figures in epochs:
        if figures["val_loss"] < best - 1e-3:
            best, waited = figures["val_loss"], 0
        else:
            waited += 1
        if waited >= plan.slow_after:
            rate, waited = rate / 4, 0
    return rate


def stalled(epochs: list[dict], patience: int, gain: float) -> bool:
    """Whether the validation loss has not fallen by ``gain`` for ``patience`` epochs."""
    best, waited = np.inf, 0
    for figures in epochs:
        if figures["val_loss"] < best - gain:
            best, waited = figures["val_loss"], 0
        else:
            waited += 1
    return waited >= patience


def state(network: DrummerNetwork) -> list:
    """All that training changes: the weights, the optimizer's memory, and where the two sources of noise are."""
    noise = [network.bottleneck.noise.state, network.decoder.noise.seed_generator.state]
    return [*network.weights, *network.optimizer.variables, *noise]


def save_state(network: DrummerNetwork, out: Path, history: dict) -> None:
    """Write ``last.npz`` and ``history.json``. The history is inside ``last.npz`` too, so that both always agree."""
    text = json.dumps(history, indent=1)
    arrays = {f"v{i}": keras.ops.convert_to_numpy(variable) for i, variable in enumerate(state(network))}
    buffer = io.BytesIO()
    np.savez(buffer, history=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
    write_whole(out / "last.npz", buffer.getvalue())
    write_whole(out / "history.json", text.encode())


def restore(network: DrummerNetwork, out: Path, fresh: dict) -> dict:
    """Take up a run: put its state into the network and return its history."""
    arrays, variables = read_arrays(out / "last.npz"), state(network)
    if set(arrays) != {"history", *(f"v{i}" for i in range(len(variables)))}:
        raise ValueError(f"{out / 'last.npz'}: not the state of such a run")
    history = json.loads(arrays["history"].tobytes())
    for key in ("preset", "windows"):
        if history[key] != fresh[key]:
            raise ValueError(f"{out}: this run has {key} {history[key]}, not {fresh[key]}")
    old, new = ({k: v for k, v in h["plan"].items() if k != "epochs"} for h in (history, fresh))
    if old != new:
        raise ValueError(f"{out}: this run was planned as {old}, not {new}")
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"v{i}"])
    history |= {"plan": fresh["plan"]}
    write_whole(out / "history.json", json.dumps(history, indent=1).encode())  # should a stop have come between the two
    return history


def training_songs(folder) -> tuple[Windows, Windows]:
    """The windows of the songs to train on and to validate on, read from a folder with a progress bar."""
    from tqdm import tqdm

    from drumlib.data.windows import list_songs, read_windows

    sets = []
    for split in ("train", "validation"):
        refused: dict[str, str] = {}
        bar = partial(tqdm, desc=f"{split} songs", unit="song")
        sets.append(read_windows(list_songs(folder, split), refused, bar))
        for reason in refused.values():
            print(f"left out: {reason}", file=sys.stderr)
    return sets[0], sets[1]


def training_corpus(folder) -> tuple[Windows, Windows]:
    """The windows of a corpus to train on and to validate on."""
    from drumlib.data.corpus import Corpus

    corpus = Corpus(folder)
    return corpus.windows("train"), corpus.windows("validation")
