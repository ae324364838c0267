"""Imports run one way, in drumlib and in drumbook; and the command that says so sees where they do not."""

import pytest


@pytest.fixture
def house(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "bench"))
    import house

    return house


def test_imports_run_one_way(house, root):
    found = house.read(root)
    assert found["cycles"] == []
    assert found["upward"] == []
    assert len(found["core"]) == len(house.CORE) + 1 and found["drumlib"]["lines"] > 10_000


def imports_in(house, folder, files: dict[str, str]) -> dict[str, set[str]]:
    """The imports of two packages that are made of these files, by their modules' names."""
    for name, text in files.items():
        path = folder / ("book" if name.startswith("drumbook") else "") / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    known = house.modules(folder)
    return {name: house.imports_of(name, path, known) for name, path in known.items()}


@pytest.mark.parametrize(
    "song, grid, cycles, upward",
    [
        ("import drumlib.music.grid", "x = 1", 0, 0),
        ("from drumlib.music.grid import x", "def f():\n    from drumlib.music import song", 1, 0),
        ("from drumlib.music import grid", "from . import song", 1, 0),
        ("from ..music.grid import x", "from .song import y", 1, 0),
        ("x = 1", "from drumlib.data import windows", 0, 1),
        ("from drumlib.data.windows import x", "from drumlib.files import write_whole", 0, 1),
        ("from drumbook.claims import CLAIMS", "import numpy", 0, 1),
    ],
)
def test_a_cycle_and_an_upward_import_are_found(house, tmp_path, song, grid, cycles, upward):
    files = {"drumlib.music.song": song, "drumlib.music.grid": grid, "drumlib.data.windows": "y = 1"}
    files |= {"drumlib.files": "", "drumlib.network.layers": "import drumlib.music.song", "drumbook.claims": ""}
    imports = imports_in(house, tmp_path, files)
    assert len(house.cycles(imports)) == cycles
    assert len(house.upward(imports)) == upward


def test_names_that_are_loaded_when_they_are_used_count(house, tmp_path):
    files = {
        "drumlib.display.__init__": '_HOME = {"Player": "player"}',
        "drumlib.display.player": "import drumlib.display",
    }
    imports = imports_in(house, tmp_path, files)
    assert house.cycles(imports) == [["drumlib.display", "drumlib.display.player"]]


def test_what_has_no_layer_is_refused(house):
    with pytest.raises(ValueError, match="drumlib.attic"):
        house.place("drumlib.attic")
    assert (
        house.place("drumlib.files")[0] == 0 < house.place("drumlib.music.grid")[0] < house.place("drumbook.claims")[0]
    )
