"""Every command in bench/ can at least be loaded: what it borrows from the package is still there."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"


@pytest.mark.parametrize("path", sorted(BENCH.glob("*.py")), ids=lambda path: path.stem)
def test_it_loads(path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))  # as when it is called by its path
    spec = importlib.util.spec_from_file_location(f"bench_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # a dataclass looks itself up there
    spec.loader.exec_module(module)
    assert module.__doc__


@pytest.mark.slow
def test_the_evaluation_is_made_row_by_row(tmp_path, monkeypatch, capsys):
    """A row that is there stays; --again makes it anew; nothing of the machine goes into the file."""
    from drumlib.music import songbook, write_song

    monkeypatch.syspath_prepend(str(BENCH))
    import evaluation

    rows = []
    for name, split in zip(songbook.names(), ("train", "train", "validation", "test", "test"), strict=False):
        write_song(songbook.song(name), tmp_path / f"{name}.mid")
        rows.append(f"{name}.mid,{split}\n")
    (tmp_path / "songs.csv").write_text("file,split\n" + "".join(rows))
    out = tmp_path / "evaluation.json"
    usual = ["--songs", str(tmp_path), "--results", str(out)]
    evaluation.main([*usual, "--rows", "rules", "bar-before"])
    first = json.loads(out.read_text())["drummers"]
    assert list(first) == ["real drummers", "bar-before", "rules"]
    evaluation.main([*usual, "--rows", "rules", "average-bar", "flat"])
    told = capsys.readouterr().out
    assert "rules: is there already" in told and "flat: left out (no weights" in told
    results = json.loads(out.read_text())
    assert list(results["drummers"]) == ["real drummers", "bar-before", "average-bar", "rules"]
    assert results["drummers"]["rules"] == first["rules"] and results["songs"] == 2
    assert str(tmp_path) not in out.read_text()
    evaluation.main([*usual, "--rows", "rules", "--again"])
    assert "rules: is there already" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        evaluation.main([*usual, "--rows", "ringo"])


def test_the_evaluation_that_is_kept():
    """Every network and every baseline, on the same songs; and small enough to read."""
    from drumlib.evaluation.baselines import BASELINES
    from drumlib.network.registry import preset_names

    path = BENCH / "results" / "evaluation.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    # A newer one need not be there before the bench has run again.
    order = ["real drummers", *preset_names("songs"), *BASELINES]
    assert list(results["drummers"]) == [name for name in order if name in results["drummers"]]
    assert {"thesis", "band-conv", "bar-before", "rules"} <= set(results["drummers"])
    assert path.stat().st_size < 400_000
    for name, row in results["drummers"].items():
        for counts in row.get("per song", {}).values():
            assert len(counts) == results["songs"], name
            assert sum(both + missed for both, _, missed, _ in counts) == results["notes"], name
    for name in ("band-conv", "thesis"):
        by_drum = results["drummers"][name]["drums"]["by drum"]
        assert sum(drum["notes"] for drum in by_drum.values()) == results["notes"]


@pytest.mark.slow
def test_the_claims_are_counted(tmp_path, monkeypatch):
    """A drum machine does nothing of what is claimed; verdicts are made by the rule; nothing of the machine is told."""
    from drumbook.claims import CLAIMS
    from drumlib.music import songbook, write_song

    monkeypatch.syspath_prepend(str(BENCH))
    import claims

    names = ("rock", "funk", "disco")
    for name in names:
        write_song(songbook.song(name), tmp_path / f"{name}.mid")
    (tmp_path / "songs.csv").write_text(
        "file,split\n" + "".join(f"{n}.mid,{s}\n" for n, s in zip(names, ("test", "test", "validation"), strict=True))
    )
    out = tmp_path / "claims.json"
    claims.main(["--songs", str(tmp_path), "--networks", "--results", str(out)])
    results = json.loads(out.read_text())
    assert list(results["drummers"]) == ["real drummers", "rules", "drum-machine"]
    machine = results["drummers"]["drum-machine"]["claims"]
    assert list(machine) == list(CLAIMS) and machine["uneven hats"]["mean"]["value"] == 0
    assert machine["uneven hats"]["verdict"] == "the opposite" and machine["late snares"]["verdict"] == "not shown"
    assert str(tmp_path) not in out.read_text()


def test_the_claims_that_are_kept():
    """Every verdict follows from the figures beside it, and every figure from those of the songs."""
    from drumbook.claims import CLAIMS, over_songs, verdict

    path = BENCH / "results" / "claims.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    assert path.stat().st_size < 200_000 and {"thesis", "band-conv", "humans (GMD)"} <= set(results["drummers"])
    for name, drummer in results["drummers"].items():
        for claim, its in drummer["claims"].items():
            values = [float("nan") if x is None else x for x in its["per song"]]
            if name != "humans (GMD)":
                assert len(values) == results["songs"]
            if its["mean"] is not None:
                assert over_songs(values)["value"] == pytest.approx(its["mean"]["value"], abs=1e-3)
            if "verdict" in its:
                assert its["verdict"] == verdict(CLAIMS[claim], its["mean"], its["real minus played"]), (name, claim)


def test_a_folder_without_songs_is_named_by_the_bench_that_damages_them(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(BENCH))
    import hostile_files

    monkeypatch.setattr(sys, "argv", ["hostile_files.py", "--songs", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        hostile_files.main()
    assert ended.value.code == 2 and "there is no .mid file that could be damaged" in capsys.readouterr().err


CARDS = {
    "thesis": ("ship_weights", "card_of"),
    "band-conv": ("ship_band_conv", "card_of"),
    "critic": ("critic", "card_of"),
    "humanize": ("humanize", "card"),
    "groove-vae": ("groove_vae", "card"),
}
"""Which command's function writes the model card of a preset."""


@pytest.mark.parametrize("preset", CARDS)
def test_a_model_card_is_what_its_command_writes(preset, monkeypatch):
    """It says who made the data, and that a collection's licence is not that of each song in it."""
    from drumlib.inference.weights_file import model_card, shipped_file

    monkeypatch.syspath_prepend(str(BENCH))
    command, function = CARDS[preset]
    page = shipped_file(preset, "md").read_text(encoding="utf-8")
    assert page == getattr(importlib.import_module(command), function)(model_card(preset))
    assert "collection's licence is not each" in " ".join(page.split())
    assert "Roos" not in page and ("Gillick, Roberts" in page) == (preset in ("humanize", "groove-vae"))


def test_the_songs_of_the_thesis_network_are_named():
    """Each file by its md5, in the card as in its figures; the other cards refer to this one."""
    from drumlib.inference.weights_file import model_card, shipped_file

    figures = model_card("thesis")
    sums = [md5 for one in figures["learned_from"]["collections"] for md5 in one["md5"]]
    assert len(sums) == len(set(sums)) == sum(figures["training"]["songs"].values()) == 140
    assert re.findall(r"\b[0-9a-f]{32}\b", shipped_file("thesis", "md").read_text(encoding="utf-8")) == sums
