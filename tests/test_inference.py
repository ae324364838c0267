"""What plays must not import what trains."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from drumlib.inference.presets import OLD_NAMES, current_name

PACKAGE = Path(__file__).resolve().parents[1] / "drumlib"
INFERENCE = sorted(PACKAGE.glob("inference/*.py"))
MODULES = [f"drumlib.inference.{path.stem}" for path in INFERENCE] + ["drumlib.drummer", "drumlib.humanize"]

TRAINING = ("drumlib.network.training", "drumlib.network.training_config", "drumlib.network.checkpoints")
TRAINING += ("drumlib.data.training_sets", "drumlib.evaluation")


def imported(path: Path) -> set[str]:
    """The modules that a file imports, inside its functions as well."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def test_importing_what_plays_imports_no_keras():
    lines = [f"import {name.removesuffix('.__init__')}" for name in MODULES]
    lines += ["import sys", "print(*sorted(sys.modules), sep='\\n')"]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded >= {"drumlib.drummer", "drumlib.inference.sampling", "numpy"}
    assert not {name for name in loaded if name.partition(".")[0] in ("keras", "tensorflow", "jax", "torch")}
    assert not {name for name in loaded if name.startswith(("drumlib.network", "drumlib.evaluation"))}


@pytest.mark.parametrize("path", INFERENCE, ids=lambda path: path.stem)
def test_inference_never_imports_keras_or_networks(path):
    assert not {name for name in imported(path) if name.startswith(("keras", "tensorflow", "drumlib.network"))}


@pytest.mark.parametrize("name", ["drummer", "humanize"])
def test_what_plays_never_imports_what_trains(name):
    assert not {module for module in imported(PACKAGE / f"{name}.py") if module.startswith(TRAINING)}


@pytest.mark.parametrize("old", OLD_NAMES)
def test_presets_of_version_0_1_keep_their_names_with_a_warning(old):
    with pytest.warns(FutureWarning, match=f"the preset {old!r} is called {OLD_NAMES[old]!r} now"):
        assert current_name(old) == OLD_NAMES[old]
