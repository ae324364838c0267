"""A critic of drummers: can it tell them apart, can it choose a performance, can a network learn from it?

    python bench/critic.py --songs SONGS --runs RUNS --seed 0 [--ship]

Four parts, all with the shipped weights of ``band-conv`` as the network that is judged:

- training: one critic that hears hits alone, one that hears everything, on the training songs;
- telling: how often the real drummer sounds more real than a rival, on the test songs;
- ranking: of eight performances of each song the critic chooses one; is it nearer to the real drummer than another?
- tuning: ``band-conv`` trains on for some epochs with the critic's word in its loss, or without it, which is the control.

The validation songs choose epochs, the temperature and critic of the ranking, and the critic's weight in the tuning.
Every rival and every weight is reported on the test songs anyway. Trainings lie in RUNS and are gone on with; the rest
is made anew. Writes bench/results/critic.json; with --ship also drumlib/weights/critic.npz (the critic that hears
hits alone, float16), .json and .md. About a quarter of an hour on two cores.
"""

import argparse
import json
import platform
import time
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np

from drumbook.critic import CRITIC_CONFIG, CriticPreset, LineUps, judge_all, sampled_drums, tune
from drumbook.window_trial import compare_on_windows, f1, hits_of, per_song
from drumlib.data.grid_song import WINDOW_BARS, WINDOW_STEPS, GridSong
from drumlib.data.song_folder import list_songs, read_windows
from drumlib.data.windows import Windows
from drumlib.evaluation.statistics import bootstrap, paired_f1_difference
from drumlib.files import write_whole
from drumlib.inference.sampling import sampler_for
from drumlib.inference.weights_file import read_arrays, write_checksums
from drumlib.music.kit import FAMILIES
from drumlib.music.rock_beat import rock_bar
from drumlib.network.registry import build, pretrained
from drumlib.network.training import train
from drumlib.network.training_config import TrainingConfig
from drumlib.network.weights import load_weights, save_weights

ROOT = Path(__file__).parent.parent
SHELF = ROOT / "drumlib" / "weights"
RESULTS = Path(__file__).parent / "results" / "critic.json"
N = 9
TEMPERATURES = (0.5, 1.0)
SEEDS = (0, 1)  # of the draws that a critic learns from; the test songs' have others
TAKES = 8
WEIGHTS = (0.0, 0.03, 0.1)  # of the critic's word in the tuning
TUNING = TrainingConfig(
    epochs=3,
    batch=64,
    learning_rate=3e-4,
    clipnorm=1.0,
    weight_decay=0.01,
    instrument_dropout=0.3,
    kl_weight=0.0,
    rollout_share=0.0,
)
PRESETS = {"hits": CriticPreset(), "everything": CriticPreset(name="critic-everything", everything=True)}

# ruff: noqa: E501 (the rows of a Markdown table are as long as they are)
CARD = """# Model card: `critic`

A critic (`book/drumbook/critic.py`), {parameters:,} parameters: it hears a band and the hits of a drummer, and says how
likely a real drummer played them to this band. Weights: `critic.npz`, float16. Every figure here is in
`critic.json`, and was written by `bench/critic.py`.

## Training

{train_songs} songs to train on ({train:,} windows of eight bars), {validation_songs} to validate on ({validation:,}): those of the card of `thesis`, which names
their sources and licences. Beside every real drummer stood, half of the time, what `band-conv` drew for the same band (temperatures {temperatures}),
and half of the time another song's drummer. Command: `{command}`. The weights are those of epoch {best} of {ran}; {versions}.

## Can it tell?

{songs} test songs, {windows} windows: in how many of them the real drummer with his band sounds more real than the rival, with the
interval in which that lies for 95 of 100 draws of as many songs. A critic that guesses has 50%. The last column is of
a critic that also hears velocities and offsets, coarsely.

| rival | hits alone | interval | everything |
| --- | --- | --- | --- |
{telling}

## Can it choose?

{takes} performances of every test song, drawn at temperature {temperature:g}, which the validation songs chose; each way of ranking chooses one. F1 is
against the real drummer, all cells pooled; the gain is over the mean of the {takes}.

| chosen by | F1 | gain | interval | gain, eight bars at a time |
| --- | --- | --- | --- | --- |
{ranking}

"The critic" hears {heard}, as the validation songs chose. The last row knows the real drummer: nobody can choose better.

## Can a network learn from it?

`band-conv`, trained on for {epochs} epochs with the critic's word in its loss, at several weights; 0 is the control. "Found out" is
how often this critic takes the real drummer for more real than the network's draw.

| weight | told, F1 | by itself, F1 | drawn, F1 | listening gain | notes drawn for a real one | found out |
| --- | --- | --- | --- | --- | --- | --- |
{tuning}

The validation songs chose the weight {weight:g}. Against the control its draws gain {drawn_ahead:+.4f} of F1 on the test songs, interval {drawn_low:+.4f} to {drawn_high:+.4f}. A
new critic, which learned from the tuned network's own draws, finds it out in {fresh:.1%} of the windows; the critic that learned from
the untuned network's draws finds that one out in {before:.1%}.

## What it is good for, and what not

To rank performances of the networks it knows, and to learn what a discriminator is. What it prefers is not beauty: it
knows a hundred songs, most of them sequenced by hand, and what `band-conv` does wrong. The weights are offered under MIT, as
the rest of the project; what the licences of training songs mean for weights is nowhere settled.
"""


def drawn_for(network, sets: dict, folder: Path) -> dict[str, np.ndarray]:
    """What a network draws for the windows of both splits that critics learn from; kept in a file."""
    path = folder / "draws.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = {}
        for split in ("train", "validation"):
            ways = [sampler_for(temperature, seed, network) for temperature in TEMPERATURES for seed in SEEDS]
            made[split] = sampled_drums(network, sets[split], ways)
        np.savez_compressed(folder / "unfinished.npz", **made)
        (folder / "unfinished.npz").replace(path)
    return read_arrays(path)


def one_draw(network, windows: Windows, temperature: float, seed: int) -> np.ndarray:
    """What a network draws for every window: (windows, 128, 27)."""
    return sampled_drums(network, windows, [sampler_for(temperature, seed, network)])[0]


def critic_of(name: str, drawn: dict, sets: dict, run: Path, plan: TrainingConfig):
    """Train a critic, or go on with it; the critic of its best epoch, and its history."""
    lineups = (LineUps(sets[split], drawn[split]) for split in ("train", "validation"))
    history = train(PRESETS[name], *lineups, run, plan, (run / "last.npz").exists(), verbose=2)
    critic = build(PRESETS[name], plan.seed)
    load_weights(critic, run / "best.npz")
    return critic, history


def share(windows: Windows, better: np.ndarray, which=None) -> dict:
    """In which share of the windows something is so, with its interval over songs; a draw is half a win."""
    which = np.ones(len(windows), dtype=bool) if which is None else which
    numbers = windows.index[:, 0]
    counts = [(better[mine].sum(), mine.sum()) for s in np.unique(numbers) for mine in [(numbers == s) & which]]
    return bootstrap(np.array(counts), lambda sums: float(sums[0] / sums[1]))


def wins(real: np.ndarray, rival: np.ndarray) -> np.ndarray:
    """1 where the real one has the higher odds, 0.5 where both have the same, 0 elsewhere."""
    return (np.sign(real - rival) + 1) / 2


def telling(critic, windows: Windows, rivals: dict[str, np.ndarray]) -> dict:
    """How often the real drummer with his band sounds more real than each rival, and than with other company."""
    half = np.roll(np.arange(len(windows)), len(windows) // 2)  # windows are in order of songs: another song's
    apart = windows.index[:, 0] != windows.index[half, 0]
    real = windows.batch(range(len(windows)))["drums"]
    own = judge_all(critic, windows, real)
    found = {name: share(windows, wins(own, judge_all(critic, windows, drums))) for name, drums in rivals.items()}
    company = {
        "another song's drummer": judge_all(critic, windows, real[half]),
        "he himself, to another song's band": judge_all(critic, windows, real, half),
    }
    return found | {name: share(windows, wins(own, verdict), apart) for name, verdict in company.items()}


def takes_of(network, song: GridSong, temperature: float, seed: int) -> np.ndarray:
    """Performances of a whole song, drawn at once, cut into the song's windows: (takes, windows, 128, 27)."""
    rolls = {family: np.zeros((song.steps, 128), dtype="uint8") for family in FAMILIES}
    for part in song.parts:
        rolls[part.family][part.notes["step"], part.notes["pitch"]] = 1
    given = {family: np.stack([roll] * TAKES) for family, roll in rolls.items()}  # (takes, T, 128)
    played = network.generate(given, sampler=sampler_for(temperature, seed, network))
    played = np.concatenate([played[name] for name in ("hits", "velocities", "offsets")], axis=-1)  # (takes, T, 27)
    return np.stack([played[:, start : start + WINDOW_STEPS] for start in song.starts], axis=1)


def likelihood(network, windows: Windows, drums: np.ndarray) -> np.ndarray:
    """The mean log probability that a network gives to the cells of performances: (windows,)."""
    found = []
    for first in range(0, len(drums), 128):
        given = windows.batch(range(first, min(first + 128, len(drums))))
        given["drums"] = drums[first : first + 128]
        p = np.clip(np.asarray(network(given, training=False)["hits"]), 1e-6, 1 - 1e-6)  # (B, 128, 9)
        hits = given["drums"][..., :N]
        found.append((hits * np.log(p) + (1 - hits) * np.log(1 - p)).mean(axis=(1, 2)))
    return np.concatenate(found)


def counted(truth: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Hits of both, only of the one judged, only of the real drummer: (..., 128, 9) -> (..., 3)."""
    return np.stack([x.sum(axis=(-2, -1)) for x in (truth & hits, ~truth & hits, truth & ~hits)], axis=-1)


def ranking(network, critics: dict, windows: Windows, temperature: float, seed: int) -> dict:
    """Each way of ranking chooses one of the performances of each song, or anew every eight bars."""
    beat, ways = np.tile(rock_bar() > 0, (WINDOW_BARS, 1)), {}
    mean = []
    for s in np.unique(windows.index[:, 0]):
        song = windows.charts[s]
        mine = Windows([song])
        drums = takes_of(network, song, temperature, seed)  # (takes, windows, 128, 27)
        hits, truth = drums[..., :N] > 0, hits_of(mine)
        counts = counted(truth, hits)  # (takes, windows, 3)
        every = [(both * 2 / max(1, 2 * both + false + missed)) for both, false, missed in counts.reshape(-1, 3)]
        scores = {f"a critic that hears {name}": [judge_all(c, mine, x) for x in drums] for name, c in critics.items()}
        scores["the network's own likelihood"] = [likelihood(network, mine, x) for x in drums]
        scores["the thesis's rock beat"] = (hits == beat).mean(axis=(2, 3))
        scores["what the others play"] = -np.square(hits - hits.mean(axis=0)).mean(axis=(2, 3))
        scores["who knows the real drummer"] = np.reshape(every, counts.shape[:2])
        mean.append(counts.mean(axis=0).sum(axis=0))  # (3,)
        for name, score in scores.items():
            score = np.asarray(score)  # (takes, windows)
            whole = score.mean(axis=1)
            if name == "who knows the real drummer":
                whole = np.array([f1(one) for one in counts.sum(axis=1)])
            best = score.argmax(axis=0)  # (windows,)
            row = ways.setdefault(name, {"whole songs": [], "eight bars at a time": []})
            row["whole songs"].append(counts[whole.argmax()].sum(axis=0))
            row["eight bars at a time"].append(counts[best, np.arange(len(best))].sum(axis=0))
    mean = np.array(mean)  # (songs, 3)
    return {
        "mean of the performances": f1(mean.sum(axis=0)),
        **{
            name: {
                size: {"f1": f1(np.sum(rows, axis=0)), "gain": paired_f1_difference(np.array(rows), mean)}
                for size, rows in row.items()
            }
            for name, row in ways.items()
        },
    }


def stands(network, critic, sets: dict, seed: int) -> dict:
    """How a network stands: the trial on the test songs, F1 of its draws on the validation songs, and the critic."""
    drawn = {split: one_draw(network, sets[split], 1.0, 100 + seed) for split in ("validation", "test")}
    real = {split: sets[split].batch(range(len(sets[split])))["drums"] for split in drawn}
    found = {
        split: share(sets[split], wins(*(judge_all(critic, sets[split], x[split]) for x in (real, drawn))))
        for split in drawn
    }
    counts = per_song(sets["validation"], hits_of(sets["validation"]), drawn["validation"][..., :N])
    return {
        "drawn, f1 on the validation songs": f1(counts.sum(axis=0)),
        "found out": found["test"],
        "found out on the validation songs": found["validation"],
        "trial": compare_on_windows(network, sets["validation"], sets["test"], seed),
    }


def tuning(critic, sets: dict, runs: Path, plan: TrainingConfig) -> tuple:
    """``band-conv`` trains on with the critic's word at every weight; how each stands, beside how it stood before, and
    the network with the weight that the validation songs chose."""
    rows, networks = {"before": stands(pretrained("band-conv"), critic, sets, plan.seed)}, {}
    for weight in WEIGHTS:
        network, run = build("band-conv", plan.seed), runs / f"tuned-{weight:g}"
        load_weights(network, SHELF / "band-conv.npz")
        history = tune(
            *(network, critic, sets["train"], sets["validation"], run, plan, weight),
            sampler=lambda epoch, network=network: sampler_for(1.0, epoch, network),
            resume=(run / "last.npz").exists(),
        )
        rows[f"{weight:g}"] = stands(network, critic, sets, plan.seed) | {
            "val_loss": [e["val_loss"] for e in history["epochs"]]
        }
        networks[weight] = network
        print(f"weight {weight:g}:", in_words(rows[f"{weight:g}"]), flush=True)
    chosen = max(WEIGHTS[1:], key=lambda weight: rows[f"{weight:g}"]["drawn, f1 on the validation songs"])
    counts = {name: row["trial"]["counts"] for name, row in rows.items()}
    return {
        "rows": rows,
        "chosen weight": chosen,
        "ahead of the control": {
            way: paired_f1_difference(np.array(counts[f"{chosen:g}"][way]), np.array(counts["0"][way]))
            for way in ("right band", "drawn")
        },
    }, networks[chosen]


def in_words(row: dict) -> str:
    """How a network stands, to print."""
    tried = row["trial"]
    return (
        f"told {tried['teacher-forced']['f1']:.4f}, by itself {tried['free-running']['f1']:.4f}, drawn "
        f"{tried['drawn']['f1']:.4f}, gain {tried['listening gain']['value']:.4f}, density "
        f"{tried['drawn']['density']:.3f}, found out {row['found out']['value']:.3f}"
    )


def main() -> None:
    """All four parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, required=True, help="a folder of songs with a songs.csv")
    parser.add_argument("--runs", type=Path, required=True, help="where trainings and draws go")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ship", action="store_true", help="put weights, figures and card into the package")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    started, seed, network = time.perf_counter(), options.seed, pretrained("band-conv")
    sets = {split: read_windows(list_songs(options.songs, split), {}) for split in ("train", "validation", "test")}
    plan = replace(CRITIC_CONFIG, seed=seed)
    drawn = drawn_for(network, sets, options.runs / "band-conv")
    critics, histories = {}, {}
    for name in PRESETS:
        critics[name], histories[name] = critic_of(name, drawn, sets, options.runs / f"critic-{name}", plan)
    if options.ship:  # what is measured is what is shipped
        save_weights(critics["hits"], SHELF / "critic.npz")
        write_checksums(SHELF)
        load_weights(critics["hits"], SHELF / "critic.npz")

    test, beat = sets["test"], rock_bar()
    rivals = {
        **{f"band-conv, drawn at {t:g}": one_draw(network, test, t, 100 + seed) for t in TEMPERATURES},
        "thesis's network, drawn at 1": one_draw(pretrained("thesis"), test, 1.0, 100 + seed),
        "the thesis's rock beat": np.tile(
            np.concatenate([beat, 0.7 * beat, 0 * beat], -1), (len(test), WINDOW_BARS, 1)
        ),
    }
    told = {name: telling(critic, test, rivals) for name, critic in critics.items()}
    print(json.dumps(told, indent=1), flush=True)

    ranked = {
        split: {f"{t:g}": ranking(network, critics, sets[split], t, 200 + seed) for t in TEMPERATURES}
        for split in ("validation", "test")
    }
    temperature, heard = max(
        ((f"{t:g}", name) for t in TEMPERATURES for name in PRESETS),
        key=lambda way: ranked["validation"][way[0]][f"a critic that hears {way[1]}"]["whole songs"]["f1"],
    )
    print(json.dumps(ranked["test"], indent=1), flush=True)

    tuned, chosen = tuning(critics["hits"], sets, options.runs, replace(TUNING, seed=seed))
    fresh_draws = drawn_for(chosen, sets, options.runs / "tuned")
    fresh, _ = critic_of("hits", fresh_draws, sets, options.runs / "critic-of-tuned", plan)
    its_draw = one_draw(chosen, test, 1.0, 100 + seed)
    tuned["found out by a new critic"] = telling(fresh, test, {"tuned, drawn at 1": its_draw})

    results = {
        "command": f"python bench/critic.py --songs SONGS --runs RUNS --seed {seed}{' --ship' if options.ship else ''}",
        "songs": {split: windows.songs for split, windows in sets.items()},
        "windows": {split: len(windows) for split, windows in sets.items()},
        "judged network": "band-conv, as shipped",
        "draws": {"temperatures": TEMPERATURES, "seeds": SEEDS},
        "critics": {name: {**asdict(PRESETS[name]), "parameters": critics[name].count_params()} for name in PRESETS},
        "training": histories,
        "telling": told,
        "ranking": {
            "takes": TAKES,
            "chosen on validation": {"temperature": float(temperature), "critic": heard},
            **ranked,
        },
        "tuning": {"plan": asdict(replace(TUNING, seed=seed)), **tuned},
        "seconds": round(time.perf_counter() - started, 1),
        "versions": {name: version(name) for name in ("drumlib", "keras", "numpy", "mido")}
        | {"python": platform.python_version(), "backend": keras.backend.backend()},
    }
    text = (json.dumps(results, indent=1) + "\n").encode()
    write_whole(options.results, text)
    card = card_of(results)
    print(card)
    if options.ship:
        write_whole(SHELF / "critic.json", text)
        write_whole(SHELF / "critic.md", card.encode())


def card_of(results: dict) -> str:
    """The model card."""
    told, ranked, tuned = results["telling"], results["ranking"], results["tuning"]
    history = results["training"]["hits"]
    losses, chosen = [epoch["val_loss"] for epoch in history["epochs"]], ranked["chosen on validation"]
    test, critic = ranked["test"][f"{chosen['temperature']:g}"], f"a critic that hears {chosen['critic']}"
    control = tuned["ahead of the control"]["drawn"]
    mean = test["mean of the performances"]
    return CARD.format(
        **{"parameters": results["critics"]["hits"]["parameters"], "command": results["command"]},
        **{f"{split}_songs": results["songs"][split] for split in ("train", "validation")},
        **{split: results["windows"][split] for split in ("train", "validation")},
        **{"songs": results["songs"]["test"], "windows": results["windows"]["test"]},
        temperatures=" and ".join(f"{t:g}" for t in results["draws"]["temperatures"]),
        **{"ran": len(losses), "best": len(losses) - losses[::-1].index(min(losses))},
        versions=", ".join(f"{name} {number}" for name, number in results["versions"].items()),
        telling="\n".join(
            f"| {name} | {row['value']:.1%} | {row['low']:.1%} to {row['high']:.1%} | {told['everything'][name]['value']:.1%} |"
            for name, row in told["hits"].items()
        ),
        **{"takes": ranked["takes"], "temperature": chosen["temperature"]},
        heard="hits alone" if chosen["critic"] == "hits" else chosen["critic"],
        ranking="\n".join(
            [f"| nobody: the mean | {mean:.2%} | | | |"]
            + [
                f"| {'the critic' if name == critic else name} | {row['whole songs']['f1']:.2%} | {row['whole songs']['gain']['value']:+.2%} | {row['whole songs']['gain']['low']:+.2%} to {row['whole songs']['gain']['high']:+.2%} | {row['eight bars at a time']['gain']['value']:+.2%} |"
                for name, row in test.items()
                if isinstance(row, dict)
            ]
        ),
        epochs=tuned["plan"]["epochs"],
        tuning="\n".join(
            f"| {name} | {row['trial']['teacher-forced']['f1']:.2%} | {row['trial']['free-running']['f1']:.2%} | {row['trial']['drawn']['f1']:.2%} | {row['trial']['listening gain']['value']:.3f} | {row['trial']['drawn']['density']:.2f} | {row['found out']['value']:.1%} |"
            for name, row in tuned["rows"].items()
        ),
        **{"weight": tuned["chosen weight"], "drawn_ahead": control["value"]},
        **{"drawn_low": control["low"], "drawn_high": control["high"]},
        fresh=tuned["found out by a new critic"]["tuned, drawn at 1"]["value"],
        before=tuned["rows"]["before"]["found out"]["value"],
    )


if __name__ == "__main__":
    main()
