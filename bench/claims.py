"""What the thesis claims of its network's playing, counted in what drummers play: the chapter "Analysis".

    python bench/claims.py --songs SONGS --groove GROOVE

Every claim of ``drumbook.claims`` is a figure of one song. Here are the figures of every test song, their
means with intervals, and the verdicts that a rule gives: for the real drummers, the networks ``thesis`` and ``band-conv`` by
themselves (shipped weights, cut where the validation songs say), and two rivals that hear less. Songs that somebody
typed in are flat, in timing and often in loudness, so the human drummers of the Groove MIDI Dataset's test split
(beats in 4/4) stand beside them: each session there counts once, and nobody heard a band.

The thesis's network has two rows. Its loss makes it say "probability times velocity". One row is mended
(``drummer.conditional_velocities``); the other, "louder", has the same strokes and the thesis's own multipliers, 1.8 and for the
snare 2.5. ``band-conv`` has two as well: cut, and drawing its notes. And the thesis's two-bar fills are tried with
sub-sequences of one, two and four bars.
"""

import argparse
import hashlib
import json
import math
import time
from pathlib import Path

import numpy as np
from evaluation import as_text

from drumbook.claims import (
    CLAIMS,
    Claim,
    borders,
    entrances,
    fill_profile,
    fills_end_phrases,
    laid_back,
    late_snares,
    over_songs,
    verdict,
)
from drumlib.data.grid_song import WINDOW_STEPS
from drumlib.data.groove_dataset import performances
from drumlib.drummer import THRESHOLDS
from drumlib.evaluation.baselines import make
from drumlib.evaluation.evaluate import REAL, about, table_sum
from drumlib.evaluation.predict import (
    apply_threshold,
    choose_threshold,
    free_running,
    songs_from_windows,
    windows_from_songs,
)
from drumlib.evaluation.set_distances import rounded
from drumlib.evaluation.songs import EvaluationSong, whole_songs
from drumlib.files import write_whole
from drumlib.inference.sampling import conditional_velocities, thesis_velocity_gains
from drumlib.music import DRUM_OF_ROLAND_PITCH, STEPS_PER_BAR, STEPS_PER_BEAT, Grid, Groove, groove_of
from drumlib.music.kit import FAMILIES
from drumlib.network.registry import build
from drumlib.network.weights import load_shipped

RESULTS = Path(__file__).parent / "results" / "claims.json"
HUMANS, LOUDER, DRAWN = "humans (GMD)", "thesis, louder", "band-conv, drawn"
RIVALS = ("rules", "drum-machine")
NETWORKS = ("thesis", "band-conv")
SUBSEQUENCES = (1, 2, 4)
SEED = 0


def said(network, songs: list[EvaluationSong], section_bars: int | None = None) -> list[dict[str, np.ndarray]]:
    """What a network without a memory of its song says, nothing mended: as ``playing.free_running``, other sub-sequences."""
    given = {family: windows_from_songs([song.rolls[family] for song in songs], WINDOW_STEPS) for family in FAMILIES}
    return songs_from_windows(
        network.generate(given, subsequence_bars=section_bars), [len(song) for song in songs], WINDOW_STEPS
    )


def tidy(found: dict | None) -> dict | None:
    """An interval for JSON."""
    return found and {key: rounded(x) if isinstance(x, float) else x for key, x in found.items()}


def figures(grooves: list[Groove], songs: list[EvaluationSong]) -> dict[str, list[float]]:
    """Every claim's figure in every song."""
    return {
        name: [
            claim.value(groove, song.scored_steps, song.rolls, 1000 * (song.step_seconds or math.nan))
            for groove, song in zip(grooves, songs, strict=True)
        ]
        for name, claim in CLAIMS.items()
    }


def row(values: dict[str, list[float]], real: dict[str, list[float]] | None) -> dict:
    """A drummer's means, what the real ones have more, and verdicts."""
    found = {}
    for name, claim in CLAIMS.items():
        if name not in values:
            continue
        own = over_songs(values[name], SEED)
        found[name] = {"mean": tidy(own)}
        less = None
        if real is not None:
            less = over_songs(np.subtract(real[name], values[name]), SEED)
            found[name] |= {"real less his": tidy(less), "verdict": verdict(claim, own, less)}
        found[name]["per song"] = [rounded(x) for x in values[name]]
    return found


def bars_judged(song: EvaluationSong) -> np.ndarray:
    """Which bars count, bool (bars,)."""
    return song.scored_steps.reshape(-1, STEPS_PER_BAR).any(axis=1)


def profile(grooves: list[Groove], songs: list[EvaluationSong]) -> list[dict]:
    """Fill strokes by place in a phrase of eight, mean over songs, with intervals."""
    rows = [fill_profile(groove, bars_judged(song)) for groove, song in zip(grooves, songs, strict=True)]
    return [tidy(over_songs(column, SEED)) for column in np.transpose(rows)]


def timing(grooves: list[Groove]) -> dict:
    """How many strokes lie off the grid, and how the main snares lie to it and to the other drums."""
    off = [float(np.mean(np.abs(g.offsets[g.hits > 0]) > 1e-6)) for g in grooves if g.hits.any()]
    return {
        "share of strokes off the grid": tidy(over_songs(off, SEED)),
        "late snares, steps": tidy(over_songs([late_snares(g) for g in grooves], SEED)),
        "laid back, steps": tidy(over_songs([laid_back(g) for g in grooves], SEED)),
    }


def by_session(played: list, measured: list[float]) -> list[float]:
    """One figure a session, the mean of its performances': they are alike."""
    rows: dict[str, list[float]] = {one.session: [] for one in played}
    for one, value in zip(played, measured, strict=True):
        rows[one.session] += [value] if math.isfinite(value) else []
    return [float(np.mean(values)) if values else math.nan for values in rows.values()]


def humans(source: Path) -> tuple[dict, dict]:
    """The figures of the Groove MIDI Dataset's test drummers, for the claims that need no band; and their timing."""
    played = performances(source, split="test", beat_type="beat", time_signature="4-4")
    grooves, lasts = [], []
    for one in played:
        song = one.song()
        grooves.append(groove_of(song, Grid(song), DRUM_OF_ROLAND_PITCH))
        lasts.append(song.tempos[0].microseconds / 1000 / STEPS_PER_BEAT)
    values = {
        name: by_session(
            played,
            [claim.value(g, np.ones(len(g), bool), step_ms=ms) for g, ms in zip(grooves, lasts, strict=True)],
        )
        for name, claim in CLAIMS.items()
        if claim.needs in ("", "step_ms", "judged")
    }
    when = {
        title: tidy(over_songs(by_session(played, [measure(g) for g in grooves]), SEED))
        for title, measure in (("late snares, steps", late_snares), ("laid back, steps", laid_back))
    }
    in_ms = [late_snares(g) * ms for g, ms in zip(grooves, lasts, strict=True)]
    when["late snares, ms"] = tidy(over_songs(by_session(played, in_ms), SEED))
    about_them = {"performances": len(played), "sessions": len({one.session for one in played}), "timing": when}
    return values, about_them


def subsequences(network, songs: list[EvaluationSong], cut: float) -> dict:
    """Do the fills of groups of two bars come from sub-sequences of two bars? The same network, with others."""
    heads = {length: said(network, songs, length) for length in SUBSEQUENCES}
    bars = [bars_judged(song) for song in songs]

    def contrast(length: int, group: int, at: float) -> list[float]:
        return [
            fills_end_phrases(apply_threshold(one, at), b, group) for one, b in zip(heads[length], bars, strict=True)
        ]

    cuts = (0.5, cut, *THRESHOLDS)
    effect = over_songs(np.subtract(contrast(2, 2, cut), contrast(1, 2, cut)), SEED)
    return {
        "what": "fill strokes of the last bar of a group less those of its others, by bars in a sub-sequence",
        "groups of two": {str(n): tidy(over_songs(contrast(n, 2, cut), SEED)) for n in SUBSEQUENCES},
        "groups of four": {str(n): tidy(over_songs(contrast(n, 4, cut), SEED)) for n in SUBSEQUENCES},
        "groups of two, by cut": {str(at): tidy(over_songs(contrast(2, 2, at), SEED)) for at in cuts},
        "two-bar sub-sequences less one-bar ones, groups of two": tidy(effect),
        "verdict": verdict(Claim("", fills_end_phrases, "judged", "strokes"), effect),
    }


def main(arguments: list[str] | None = None) -> None:
    """Count everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, required=True, help="a folder of songs with a songs.csv, or a corpus")
    parser.add_argument("--groove", type=Path, help="the Groove MIDI Dataset: archive or folder")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    songs, validation = whole_songs(options.songs, "test"), whole_songs(options.songs, "validation")
    played, cuts, tried = {REAL: [song.truth for song in songs]}, {}, None
    for name in options.networks:
        network = build(name)
        load_shipped(network, name)
        cuts[name], _ = choose_threshold(network, validation)
        if name == "thesis":
            heads = said(network, songs)
            played[name] = [apply_threshold(conditional_velocities(one), cuts[name]) for one in heads]
            played[LOUDER] = [
                apply_threshold({**one, "velocities": thesis_velocity_gains(one["velocities"])}, cuts[name])
                for one in heads
            ]
            tried = subsequences(network, songs, cuts[name])
        else:
            bands = [song.rolls for song in songs]
            played[name] = [apply_threshold(one, cuts[name]) for one in free_running(network, bands)]
            played[DRAWN] = [apply_threshold(one, 0.5) for one in free_running(network, bands, SEED)]
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    for name in RIVALS:
        played[name] = [make(name).play(song.rolls, None, SEED) for song in songs]
    counted = {name: figures(grooves, songs) for name, grooves in played.items()}
    real = counted[REAL]
    head = about(songs, validation, SEED)
    results = {
        "what": "the thesis's claims of its network's playing, counted in what drummers play",
        "command": "python bench/claims.py --songs SONGS --groove GROOVE",
        "sha256 of the songs' table": table_sum(options.songs),
        **{key: head[key] for key in ("judged", "songs", "names", "validation songs", "bars", "seed", "versions")},
        "intervals": "95 of 100 draws of as many songs, with repeats; differences are paired, song by song",
        "cuts": cuts,
        "borders": [len(borders(song.rolls)) for song in songs],
        "entrances": [len(entrances(song.rolls)) for song in songs],
        "claims": {
            name: {"says": c.says, "measure": c.measure.__name__, "unit": c.unit, "rule": c.rule, "bar": rounded(c.bar)}
            for name, c in CLAIMS.items()
        },
        "drummers": {
            name: {
                "claims": row(values, None if name == REAL else real),
                "fill profile": profile(played[name], songs),
                "timing": timing([song.part(groove) for song, groove in zip(songs, played[name], strict=True)]),
            }
            for name, values in counted.items()
        },
        "sub-sequences": tried,
    }
    if options.groove:
        values, about_them = humans(options.groove)
        results["drummers"][HUMANS] = {"claims": row(values, None), **about_them}
        if options.groove.is_file():
            results["sha256 of the Groove MIDI Dataset"] = hashlib.sha256(options.groove.read_bytes()).hexdigest()
    results["seconds"] = round(time.perf_counter() - began, 1)
    write_whole(options.results, as_text(results))
    for name in CLAIMS:
        print(f"\n{CLAIMS[name].says} [{CLAIMS[name].unit}]")
        for drummer, its in results["drummers"].items():
            if one := its["claims"].get(name):
                m = one["mean"] or {"value": math.nan, "low": math.nan, "high": math.nan}
                print(f"  {drummer:26}{m['value']:8.4f} [{m['low']:.4f}, {m['high']:.4f}]  {one.get('verdict', '')}")
    print(json.dumps(tried, indent=1))


if __name__ == "__main__":
    main()
