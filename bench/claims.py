"""The thesis's claims about its network's playing, measured in grooves: the chapter "Analysis".

    python bench/claims.py --songs SONGS --groove GROOVE

Every claim of ``drumbook.claims`` is a figure of one song. Here are the figures of every test song, their
means with intervals, and the verdicts that a rule gives: for the real drummers, the networks ``thesis`` and
``band-conv`` free-running (shipped weights, thresholds chosen on the validation songs), and two baselines. Songs that
were sequenced by hand are flat, in timing and often in velocity, so the human drummers of the Groove MIDI Dataset's
test split (beats in 4/4) stand beside them, without a band: each session there counts once.

The thesis's network has two rows. Its loss makes it predict "probability times velocity". One row is corrected
(``conditional_velocities``); the other, "thesis's gains", has the same hits and the thesis's own multipliers, 1.8 and
for the snare 2.5. ``band-conv`` has two as well: thresholded, and sampled. And the thesis's two-bar fills are measured
with sub-sequences of one, two and four bars.
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
from drumlib.data.windows import songs_from_windows, windows_from_songs
from drumlib.drummer import THRESHOLDS
from drumlib.evaluation.baselines import make
from drumlib.evaluation.evaluate import REFERENCE, about, table_sum
from drumlib.evaluation.predict import choose_threshold, free_running
from drumlib.evaluation.set_distances import rounded
from drumlib.evaluation.songs import EvaluationSong, evaluation_songs
from drumlib.evaluation.thresholds import apply_threshold
from drumlib.files import write_whole
from drumlib.inference.sampling import conditional_velocities, thesis_velocity_gains
from drumlib.music import DRUM_OF_ROLAND_PITCH, STEPS_PER_BAR, STEPS_PER_BEAT, Grid, Groove, groove_of
from drumlib.music.kit import FAMILIES
from drumlib.network.registry import build
from drumlib.network.weights import load_shipped

RESULTS = Path(__file__).parent / "results" / "claims.json"
HUMANS, GAINS, SAMPLED = "humans (GMD)", "thesis, thesis's gains", "band-conv, sampled"
BASELINES = ("rules", "drum-machine")
NETWORKS = ("thesis", "band-conv")
SUBSEQUENCES = (1, 2, 4)
SEED = 0


def outputs_of(network, songs: list[EvaluationSong], section_bars: int | None = None) -> list[dict[str, np.ndarray]]:
    """Free-running outputs without calibration, of sub-sequences of ``section_bars`` (``predict.free_running``)."""
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
    """A drummer's means, the differences of the real drummers' to them, and verdicts."""
    found = {}
    for name, claim in CLAIMS.items():
        if name not in values:
            continue
        own = over_songs(values[name], SEED)
        found[name] = {"mean": tidy(own)}
        less = None
        if real is not None:
            less = over_songs(np.subtract(real[name], values[name]), SEED)
            found[name] |= {"real minus played": tidy(less), "verdict": verdict(claim, own, less)}
        found[name]["per song"] = [rounded(x) for x in values[name]]
    return found


def scored_bars(song: EvaluationSong) -> np.ndarray:
    """The bars that are scored, bool (bars,)."""
    return song.scored_steps.reshape(-1, STEPS_PER_BAR).any(axis=1)


def profile(grooves: list[Groove], songs: list[EvaluationSong]) -> list[dict]:
    """Fill hits by place in a phrase of eight, mean over songs, with intervals."""
    rows = [fill_profile(groove, scored_bars(song)) for groove, song in zip(grooves, songs, strict=True)]
    return [tidy(over_songs(column, SEED)) for column in np.transpose(rows)]


def timing(grooves: list[Groove]) -> dict:
    """The share of hits off the grid, and the offsets of the main snares, to the grid and to the other drums."""
    off = [float(np.mean(np.abs(g.offsets[g.hits > 0]) > 1e-6)) for g in grooves if g.hits.any()]
    return {
        "share of hits off the grid": tidy(over_songs(off, SEED)),
        "late snares, steps": tidy(over_songs([late_snares(g) for g in grooves], SEED)),
        "laid back, steps": tidy(over_songs([laid_back(g) for g in grooves], SEED)),
    }


def by_session(played: list, measured: list[float]) -> list[float]:
    """One figure a session, the mean of its performances', which are dependent."""
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
        if claim.needs in ("", "step_ms", "scored")
    }
    when = {
        title: tidy(over_songs(by_session(played, [measure(g) for g in grooves]), SEED))
        for title, measure in (("late snares, steps", late_snares), ("laid back, steps", laid_back))
    }
    in_ms = [late_snares(g) * ms for g, ms in zip(grooves, lasts, strict=True)]
    when["late snares, ms"] = tidy(over_songs(by_session(played, in_ms), SEED))
    about_them = {"performances": len(played), "sessions": len({one.session for one in played}), "timing": when}
    return values, about_them


def subsequences(network, songs: list[EvaluationSong], threshold: float) -> dict:
    """Fills at the end of groups of two bars, of the same network with sub-sequences of one, two and four bars."""
    heads = {length: outputs_of(network, songs, length) for length in SUBSEQUENCES}
    bars = [scored_bars(song) for song in songs]

    def contrast(length: int, group: int, at: float) -> list[float]:
        return [
            fills_end_phrases(apply_threshold(one, at), b, group) for one, b in zip(heads[length], bars, strict=True)
        ]

    thresholds = (0.5, threshold, *THRESHOLDS)
    effect = over_songs(np.subtract(contrast(2, 2, threshold), contrast(1, 2, threshold)), SEED)
    return {
        "what": "fill hits of the last bar of a group minus those of its others, by bars in a sub-sequence",
        "groups of two": {str(n): tidy(over_songs(contrast(n, 2, threshold), SEED)) for n in SUBSEQUENCES},
        "groups of four": {str(n): tidy(over_songs(contrast(n, 4, threshold), SEED)) for n in SUBSEQUENCES},
        "groups of two, by threshold": {str(at): tidy(over_songs(contrast(2, 2, at), SEED)) for at in thresholds},
        "two-bar sub-sequences less one-bar ones, groups of two": tidy(effect),
        "verdict": verdict(Claim("", fills_end_phrases, "scored", "hits"), effect),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure all claims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, required=True, help="a folder of songs with a songs.csv, or a corpus")
    parser.add_argument("--groove", type=Path, help="the Groove MIDI Dataset: archive or folder")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=NETWORKS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    songs, validation = evaluation_songs(options.songs, "test"), evaluation_songs(options.songs, "validation")
    played, thresholds, tried = {REFERENCE: [song.truth for song in songs]}, {}, None
    for name in options.networks:
        network = build(name)
        load_shipped(network, name)
        thresholds[name], _ = choose_threshold(network, validation)
        if name == "thesis":
            heads = outputs_of(network, songs)
            played[name] = [apply_threshold(conditional_velocities(one), thresholds[name]) for one in heads]
            played[GAINS] = [
                apply_threshold({**one, "velocities": thesis_velocity_gains(one["velocities"])}, thresholds[name])
                for one in heads
            ]
            tried = subsequences(network, songs, thresholds[name])
        else:
            bands = [song.rolls for song in songs]
            played[name] = [apply_threshold(one, thresholds[name]) for one in free_running(network, bands)]
            played[SAMPLED] = [apply_threshold(one, 0.5) for one in free_running(network, bands, SEED)]
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    for name in BASELINES:
        played[name] = [make(name).play(song.rolls, None, SEED) for song in songs]
    counted = {name: figures(grooves, songs) for name, grooves in played.items()}
    real = counted[REFERENCE]
    head = about(songs, validation, SEED)
    results = {
        "what": "the thesis's claims about its network's playing, measured in grooves",
        "command": "python bench/claims.py --songs SONGS --groove GROOVE",
        "sha256 of the songs' table": table_sum(options.songs),
        **{key: head[key] for key in ("scored", "songs", "names", "validation songs", "bars", "seed", "versions")},
        "intervals": "95 % confidence intervals, bootstrap over songs (percentile); differences are paired by song",
        "thresholds": thresholds,
        "borders": [len(borders(song.rolls)) for song in songs],
        "entrances": [len(entrances(song.rolls)) for song in songs],
        "claims": {
            name: {
                "claim": c.says,
                "measure": c.measure.__name__,
                "unit": c.unit,
                "rule": c.rule,
                "bar": rounded(c.bar),
            }
            for name, c in CLAIMS.items()
        },
        "drummers": {
            name: {
                "claims": row(values, None if name == REFERENCE else real),
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
