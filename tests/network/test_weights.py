"""The shelf of weights: each file is the one that was shipped, and all are named."""

import errno
import hashlib
import io
import shutil
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from drumlib.__main__ import main
from drumlib.inference import weights_file
from drumlib.music import songbook, write_song
from drumlib.network import checkpoints, training, weights
from drumlib.network.registry import build, pretrained


def test_the_sums_are_those_of_the_files_on_the_shelf_and_of_no_others(root):
    shelf = root / "drumlib" / "weights"
    lines = [line.split() for line in (shelf / "SHA256SUMS").read_text().splitlines()]
    assert {name: sum_ for sum_, name in lines} == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in shelf.glob("*.npz")
    }


def test_every_weight_has_its_card_and_all_are_small(root):
    shelf = root / "drumlib" / "weights"
    names = {file.stem for file in shelf.glob("*.npz")}
    assert names >= {"thesis", "band-conv", "humanize", "groove-vae"}
    assert {file.stem for file in shelf.glob("*.md")} == names == {file.stem for file in shelf.glob("*.json")}
    assert sum(file.stat().st_size for file in shelf.glob("*.npz")) < 20_000_000


def test_weights_that_were_changed_are_refused(root, tmp_path, monkeypatch):
    for name in ("band-conv.npz", "SHA256SUMS"):
        shutil.copy(root / "drumlib" / "weights" / name, tmp_path / name)
    monkeypatch.setattr(weights.resources, "files", lambda package: Path(tmp_path))
    network = build("band-conv")
    weights.load_shipped(network, "band-conv")
    weights.save_weights(build("band-conv", seed=1), tmp_path / "band-conv.npz")
    with pytest.raises(ValueError, match="not the weights that were shipped"):
        weights.load_shipped(network, "band-conv")
    weights_file.write_checksums(tmp_path)
    weights.load_shipped(network, "band-conv")
    with pytest.raises(ValueError, match="no weights of the preset 'flat'"):
        weights.load_shipped(network, "flat")


BLOCKS = {"even": "norm", "around": "conv", "add": "project"}
BAND_ENCODER = {
    "enter": "input_projection",
    **{f"{old}_{i}": f"{new}_{i}" for i in range(3) for old, new in BLOCKS.items()},
    "even": "norm",
    "whole": "window_mean",
    "leave": "output_projection",
}
OLD_LAYERS = {
    "thesis": {f"{family}/memory": f"{family}/lstm" for family in ("piano", "guitar", "bass")},
    "stacked": {
        f"{family}/{old}": f"{family}/{new}"
        for family in ("piano", "guitar", "bass")
        for old, new in (("memory", "lstm"), ("below_0", "lower_lstm_0"))
    },
    "any-band": {"encoder/memory": "encoder/lstm"},
    "band-conv": {
        **{f"listening/{old}": f"band_encoder/{new}" for old, new in BAND_ENCODER.items()},
        **{f"memory/{name}": f"drum_history/{name}" for name in ("query", "key", "distance")},
        "recall/past": "note_decoder/history_projection",
        "recall/mix": "note_decoder/joint",
        "recall/again": "note_decoder/residual",
        "recall/drums": "note_decoder/heads",
    },
    "critic": {
        **{f"listening/{old}": f"band_encoder/{new}" for old, new in BAND_ENCODER.items()},
        **{f"watching/{old}": f"joint_encoder/{new}" for old, new in BAND_ENCODER.items()},
        "verdict": "logit",
    },
    "humanize": {
        "hearing/both_ways": "encoder/lstm",
        "playing/forward": "decoder/lstm",
        "playing/velocities": "decoder/velocities",
        "playing/offsets": "decoder/offsets",
    },
    "groove-vae": {"encoder/both_ways": "encoder/lstm", "conductor/first": "conductor/initial_state"},
}
"""Layers whose names were others in version 0.1."""


@pytest.mark.slow
@pytest.mark.parametrize("preset", OLD_LAYERS)
def test_weights_of_version_0_1_load(preset, tmp_path):
    """Under their old names, to identical arrays; and the converter gives them the names of today."""
    import drumbook.critic  # noqa: F401 (registers its preset)

    network, path = build(preset, seed=1), tmp_path / "old.npz"
    old_names = {new: old for old, new in OLD_LAYERS[preset].items()}

    def old(name: str) -> str:
        layer = next((new for new in old_names if f"{name}/".startswith(f"{new}/")), None)
        return name if layer is None else old_names[layer] + name.removeprefix(layer)

    arrays = {name: np.asarray(weight) for name, weight in weights.named_weights(network).items()}
    renamed = {old(name): x for name, x in arrays.items()}
    assert len(renamed.keys() - arrays.keys()) >= len(old_names) and len(renamed) == len(arrays)
    np.savez(path, **renamed)
    other = build(preset, seed=2)
    weights.load_weights(other, path)
    for name, weight in weights.named_weights(other).items():
        np.testing.assert_array_equal(weight, arrays[name])
    weights.convert_weights(path)
    assert weights_file.read_arrays(path).keys() == arrays.keys()


def test_presets_have_their_old_names_for_a_release():
    with pytest.warns(FutureWarning, match="'best' is called 'band-conv' now"):
        assert pretrained("best") is pretrained("band-conv")
    with pytest.warns(FutureWarning, match="'best'"):
        assert weights_file.model_card("best") == weights_file.model_card("band-conv")


def archive(header: str, flags: int = 0, method: int = 0) -> bytes:
    """A zip archive of one .npy with this header, which claims these flags and this way of packing."""
    text, buffer = header.encode().ljust(117) + b"\n", io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(64))
    data = bytearray(buffer.getvalue())
    for at in (data.index(b"PK\3\4") + 6, data.index(b"PK\1\2") + 8):  # in front of the file, and in the table
        data[at : at + 4] = flags.to_bytes(2, "little") + method.to_bytes(2, "little")
    return bytes(data)


def header(shape: str) -> str:
    return f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"


def before_the_file() -> bytes:
    """An archive whose table leads to a place before the file's beginning: where a seek fails as a disk would."""
    data = bytearray(archive(header("(2,)")))
    at = data.index(b"PK\5\6") + 16  # where the table begins
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "little") + 100).to_bytes(4, "little")
    return bytes(data)


DAMAGED = {
    "MemoryError": archive(header(f"({10**15},)")),
    "OverflowError": archive(header(f"({10**26},)")),
    "tokenize.TokenError": archive("(((("),
    "RuntimeError": archive(header("(2,)"), flags=1),  # it says that it is encrypted
    "NotImplementedError": archive(header("(2,)"), method=99),
    "OSError": before_the_file(),
    "no error at all": archive("").replace(b"NUMPY", b"NUMPX"),  # numpy hands out the bytes
}


@pytest.mark.parametrize("usual", DAMAGED)
def test_a_damaged_file_is_named_whatever_numpy_makes_of_it(tmp_path, usual):
    path = tmp_path / "w.npz"
    path.write_bytes(DAMAGED[usual])
    with pytest.raises(ValueError, match=r"w\.npz: not a whole file of plain arrays \(\.npz\): .") as caught:
        weights_file.read_arrays(path)
    assert type(caught.value) is ValueError and "allow_pickle" not in str(caught.value)


def test_a_disk_that_fails_is_no_damaged_file(tmp_path, monkeypatch):
    def failing(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(FileNotFoundError):
        weights_file.read_arrays(tmp_path / "nowhere.npz")
    np.savez(tmp_path / "w.npz", a=np.zeros(3))
    monkeypatch.setattr(np, "load", failing)
    with pytest.raises(OSError, match="Input/output error"):
        weights_file.read_arrays(tmp_path / "w.npz")


def test_arrays_of_something_else_than_numbers_are_no_weights(tmp_path):
    network = build("band-conv")
    arrays = {name: np.zeros(w.shape, [("a", "f4"), ("b", "f4")]) for name, w in weights.named_weights(network).items()}
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(ValueError, match=r"w\.npz: \S+ is of .*, and no numbers"):
        weights.load_weights(network, tmp_path / "w.npz")


@pytest.mark.slow
@pytest.mark.parametrize("usual", ["MemoryError", "NotImplementedError"])
def test_the_command_line_says_so_in_one_line(tmp_path, capsys, usual):
    write_song(songbook.song("rock"), tmp_path / "rock.mid")
    (tmp_path / "w.npz").write_bytes(DAMAGED[usual])
    options = ["--split", "all", "--baseline", "--weights", str(tmp_path / "w.npz")]
    assert main(["evaluate", str(tmp_path), *options]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"drumlib: {tmp_path / 'w.npz'}: not a whole file of plain arrays")


def inflating(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """An .npz of many zeros: small as a file, large in memory."""
    np.savez_compressed(path, **arrays)
    assert path.stat().st_size < 1_000_000


def peak_of(work) -> float:
    """The most memory, in MB, that some work takes beyond what was taken before it. It must raise a ValueError."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError):
            work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x", "right"])
def test_a_file_that_would_inflate_is_refused_before_it_does(tmp_path, name):
    """By its names, or by the shapes in its headers: nothing else of it is decompressed."""
    network, path = build("band-conv"), tmp_path / "w.npz"
    names = ["x"] if name == "x" else list(weights.named_weights(network))
    inflating(path, {name: np.zeros(50_000_000 // len(names), "float64") for name in names})  # 400 MB
    assert peak_of(lambda: weights.load_weights(network, path)) < 20


def test_arrays_that_claim_more_than_any_of_ours_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(weights_file, "MAX_BYTES", 100_000_000)
    inflating(tmp_path / "w.npz", {name: np.zeros(10_000_000, "float64") for name in "ab"})  # 160 MB
    assert peak_of(lambda: weights_file.read_arrays(tmp_path / "w.npz")) < 20


def test_a_header_that_lies_about_the_size_is_refused(tmp_path):
    (tmp_path / "w.npz").write_bytes(archive(header("(15,)")))  # and there are 16 numbers
    with pytest.raises(ValueError, match=r"x\.npy claims 60 bytes"):
        weights_file.read_arrays(tmp_path / "w.npz")


@pytest.mark.slow
def test_a_training_state_that_would_inflate_is_refused_before_it_does(tmp_path):
    network = build("band-conv")
    training.compile_network(network)
    history = np.zeros(10, "uint8")
    many = {f"v{i}": np.zeros(100_000_000 // 8, "float64") for i in range(4)}  # 400 MB
    inflating(tmp_path / "last.npz", {"history": history, **many})
    assert peak_of(lambda: checkpoints.restore(network, tmp_path, {})) < 20


@pytest.mark.slow
def test_a_transplant_reads_only_what_it_takes(tmp_path, monkeypatch):
    network, path = build("thesis", seed=1), tmp_path / "w.npz"
    weights.save_weights(build("thesis", seed=2), path)
    read = []

    def reading(path, names):
        read.extend(names)
        return weights_file.read_arrays(path, names)

    monkeypatch.setattr(weights, "read_arrays", reading)
    weights.load_weights(network, path, "decoder")
    assert read and {name.split("/")[0] for name in read} == {"decoder"}
    assert weights_file.read_arrays(path, read).keys() == set(read)
