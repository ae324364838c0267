"""What bench/humanize.py and bench/groove_vae.py have in common: training, and how it is written down.

Not a command of its own.
"""

import hashlib
import platform
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import keras
from evaluation import as_text

from drumlib.files import write_whole
from drumlib.inference.weights_file import write_checksums
from drumlib.network.registry import build
from drumlib.network.training import train
from drumlib.network.weights import load_weights, save_weights

SHELF = Path(__file__).parent.parent / "drumlib" / "weights"


def run_of(runs: Path, preset: str, seed: int) -> Path:
    """The folder of a preset's training."""
    return runs / f"{preset}-{seed}"


def trained(preset: str, sets: dict, runs: Path, plan, before: dict | None = None) -> tuple:
    """Train a preset, or resume its training: its network, with weights as they would ship, and its training.

    ``before`` is its training in the results so far: the time of a resumed training is not measured.
    """
    run = run_of(runs, preset, plan.seed)
    resume = (run / "last.npz").exists()
    began = time.perf_counter()
    history = train(preset, sets["train"], sets["validation"], run, plan, resume, verbose=2)
    took = round(time.perf_counter() - began)
    network = build(preset, plan.seed)
    load_weights(network, run / "best.npz")
    save_weights(network, run / "shipped.npz")
    load_weights(network, run / "shipped.npz")  # what is scored is what is shipped, half precision and all
    losses = [epoch["val_loss"] for epoch in history["epochs"]]
    return network, {
        "config": asdict(plan),
        "windows": {name: len(sets[name]) for name in ("train", "validation")},
        "seconds": (before or {}).get("seconds") if resume else took,
        "best_epoch": 1 + losses.index(min(losses)),
        "epochs": history["epochs"],
    }


def about(groove: Path) -> dict:
    """The data and the versions."""
    archive = None
    if groove.is_file():
        sha256 = hashlib.sha256(groove.read_bytes()).hexdigest()
        archive = {"name": groove.name, "sha256": sha256, "licence": "CC BY 4.0, Google LLC (Gillick et al. 2019)"}
    versions = {name: version(name) for name in ("drumlib", "keras", "numpy", "mido")}
    versions |= {"python": platform.python_version(), "backend": keras.backend.backend()}
    return {"archive": archive, "versions": versions}


def put_on_shelf(preset: str, figures: dict, page: str, weights: Path | None = None) -> None:
    """Write a model card, as figures and as a page, into the package, and with ``weights`` these, too."""
    if weights is not None:
        write_whole(SHELF / f"{preset}.npz", weights.read_bytes())
        write_checksums(SHELF)
    write_whole(SHELF / f"{preset}.json", as_text(figures))
    put_card(preset, page)


def put_card(preset: str, page: str) -> None:
    """Write the page of a model card into the package."""
    write_whole(SHELF / f"{preset}.md", page.encode())
