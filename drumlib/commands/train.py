"""The command ``train``."""

import os
import sys
from dataclasses import fields
from pathlib import Path

from drumlib.commands.common import UsageError, add_command, add_renamed
from drumlib.inference.presets import DEFAULT_GROOVE_PRESET, DEFAULT_PRESET
from drumlib.terminal import say


def add_commands(commands) -> None:
    """Describe the command. Its options are the fields of ``TrainingConfig``, and where data and results lie."""
    command = add_command(
        commands,
        "train",
        train,
        "train a model on songs, or on drums alone",
        "Train a model on a folder of MIDI songs, or a groove model on drums alone. After an interruption (Ctrl-C), "
        "--resume continues after the last complete epoch. What is not given is as in the preset's own configuration.",
    )
    command.add_argument("--songs", type=Path, metavar="FOLDER", help="MIDI files, and songs.csv if there is one")
    command.add_argument(
        "--corpus",
        type=Path,
        metavar="CORPUS",
        action="append",
        default=[],
        help="a corpus that `drumlib corpus` wrote; with --songs, or given twice, the model trains on all of them "
        "(except songs that validate or test in one of them), and is validated on the first",
    )
    command.add_argument("--groove", type=Path, metavar="GROOVE", help="the Groove MIDI Dataset, for groove models")
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for checkpoints and the history")
    command.add_argument(
        "--preset",
        help=f"which model (default: {DEFAULT_PRESET}; with --groove: {DEFAULT_GROOVE_PRESET}, or groove-vae)",
    )
    command.add_argument("--resume", action="store_true", help="continue the run in --out")
    command.add_argument(
        "--epochs", type=int, help="the most; early stopping may end it sooner (default with stages: their sum)"
    )
    command.add_argument("--batch", type=int, help="windows in a batch")
    add_renamed(
        command, "--learning-rate", "--rate", float, "initial learning rate; not with stages, which have their own"
    )
    command.add_argument("--clipnorm", type=float, help="largest norm of each weight's gradient; 0: no clipping")
    command.add_argument("--weight-decay", type=float, help="AdamW's weight decay; 0: none")
    command.add_argument(
        "--transpose", type=int, help="augmentation: at most this many semitones up or down; thesis: 0"
    )
    add_renamed(
        command,
        "--instrument-dropout",
        "--mute",
        float,
        "probability that an instrument's input is set to silence; thesis: 0",
    )
    command.add_argument("--kl-weight", type=float, help="weight of the KL divergence (beta); thesis: 1")
    add_renamed(
        command, "--kl-warm-up", "--warm-up", int, "epochs in which the KL weight rises to its value; thesis: 0"
    )
    command.add_argument("--free-bits", type=float, help="bits of KL divergence that cost nothing; thesis: 0")
    add_renamed(
        command,
        "--rollout-share",
        "--own",
        float,
        "share of windows whose input drums are the model's own rollout; thesis: 0",
    )
    command.add_argument("--schedule", help="plain; or in stages: layer-wise (the thesis's) or transfer")
    command.add_argument(
        "--transplant", type=Path, metavar="FILE.npz", help="initialise the decoder with these weights"
    )
    command.add_argument("--mixed", action="store_true", default=None, help="mixed precision (for GPUs)")
    command.add_argument("--backend", choices=["tensorflow", "jax"], help="Keras's backend")
    add_renamed(
        command,
        "--lr-schedule",
        "--fall",
        str,
        "learning-rate schedule: plateau (reduced when validation stalls) or cosine (not with stages)",
    )
    add_renamed(
        command,
        "--lr-patience",
        "--slow-after",
        int,
        "epochs without improvement after which the learning rate is reduced",
        metavar="N",
    )
    add_renamed(
        command, "--patience", "--stop-after", int, "epochs without improvement after which training stops", metavar="N"
    )
    add_renamed(
        command,
        "--ema-decay",
        "--average",
        float,
        "decay of the exponential moving average of the weights; 0: no average",
    )
    command.add_argument("--windows", type=int, metavar="N", help="windows in an epoch (0: all)")
    command.add_argument("--seed", type=int, help="of the initial weights and of all sampling")


def train(options) -> None:
    """Train a model."""
    if options.backend:
        if "keras" in sys.modules:
            raise UsageError("--backend comes too late: Keras is loaded already")
        os.environ["KERAS_BACKEND"] = options.backend
    from drumlib.data.splitting.splits import SPLITS
    from drumlib.data.training_sets import training_corpus, training_grooves, training_songs, training_together
    from drumlib.network.checkpoints import check_folder
    from drumlib.network.registry import find_preset
    from drumlib.network.training import train
    from drumlib.network.training_config import TrainingConfig, config_for

    if bool(options.groove) == bool(options.songs or options.corpus):
        raise UsageError("what to train on? --songs FOLDER, or --corpus CORPUS, or both; or --groove GROOVE alone")
    preset = options.preset or (DEFAULT_GROOVE_PRESET if options.groove else DEFAULT_PRESET)
    preset = find_preset(preset, "grooves" if options.groove else "songs").name
    config = config_for(preset, **{field.name: getattr(options, field.name) for field in fields(TrainingConfig)})
    check_folder(options.out, options.resume)
    if options.groove:
        if options.transplant:
            raise UsageError("--transplant is for models that train on songs")
        training, validation = training_grooves(options.groove)
    else:
        # Within one collection, splits are disjoint; a test song of one may be a training song of another.
        splits = SPLITS if len(options.corpus) + bool(options.songs) > 1 else SPLITS[:2]
        sets = [training_songs(options.songs, splits)] if options.songs else []
        sets += [training_corpus(folder, splits) for folder in options.corpus]
        training, validation = training_together(sets)
    verbose = "auto" if sys.stdout is not None and sys.stdout.isatty() else 2  # in a file: a line an epoch, no bars
    history = train(
        *(preset, training, validation, options.out, config, options.resume), verbose, decoder_from=options.transplant
    )
    best = min(epoch["val_loss"] for epoch in history["epochs"])
    say(f"{options.out / 'best.npz'}: the weights of the best epoch, with a validation loss of {best:.4f}")
