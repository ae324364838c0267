"""The shelf of weights: each file is the one that was shipped, and all are named."""

import hashlib
import shutil
from pathlib import Path

import pytest

from drumlib.network import weights
from drumlib.network.models import build


def test_the_sums_are_those_of_the_files_on_the_shelf_and_of_no_others(root):
    shelf = root / "drumlib" / "weights"
    lines = [line.split() for line in (shelf / "SHA256SUMS").read_text().splitlines()]
    assert {name: sum_ for sum_, name in lines} == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in shelf.glob("*.npz")
    }


def test_every_weight_has_its_card_and_all_are_small(root):
    shelf = root / "drumlib" / "weights"
    names = {file.stem for file in shelf.glob("*.npz")}
    assert names >= {"thesis", "best", "humanize", "groove-vae"}
    assert {file.stem for file in shelf.glob("*.md")} == names == {file.stem for file in shelf.glob("*.json")}
    assert sum(file.stat().st_size for file in shelf.glob("*.npz")) < 20_000_000


def test_weights_that_were_changed_are_refused(root, tmp_path, monkeypatch):
    for name in ("best.npz", "SHA256SUMS"):
        shutil.copy(root / "drumlib" / "weights" / name, tmp_path / name)
    monkeypatch.setattr(weights.resources, "files", lambda package: Path(tmp_path))
    network = build("best")
    weights.load_shipped(network, "best")
    weights.save_weights(build("best", seed=1), tmp_path / "best.npz")
    with pytest.raises(ValueError, match="not the weights that were shipped"):
        weights.load_shipped(network, "best")
    weights.seal(tmp_path)
    weights.load_shipped(network, "best")
    with pytest.raises(ValueError, match="no weights of the preset 'flat'"):
        weights.load_shipped(network, "flat")
