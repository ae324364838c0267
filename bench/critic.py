"""A critic (discriminator) of drummers: discrimination, ranking of performances, adversarial tuning.

    python bench/critic.py --songs SONGS --runs RUNS --seed 0 [--ship]

Four parts, all with the shipped weights of ``band-conv`` as the generator:

- training: one critic of hits, one of hits, velocities and offsets, on the training songs;
- discrimination: how often the real drummer gets higher odds than other drums, on the test songs;
- ranking: the critic chooses one of eight candidates for each song; is its F1 with the real drummer above the mean?
- tuning: ``band-conv`` trains on for some epochs with the critic in its loss, or without it, which is the control.

The validation songs choose epochs, the temperature and critic of the ranking, and the critic's weight in the tuning.
Everything is reported on the test songs anyway. Trainings lie in RUNS and are resumed; the rest is made anew. Writes
bench/results/critic.json; with --ship also drumlib/weights/critic.npz (the critic of hits, float16), .json and
.md. About a quarter of an hour on two cores.
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
from drumbook.window_trial import compare_on_windows, counts_by_song, true_hits
from drumlib.data.grid_song import WINDOW_BARS, WINDOW_STEPS, GridSong
from drumlib.data.song_folder import list_songs, read_windows
from drumlib.data.windows import Windows
from drumlib.evaluation.metrics import f1
from drumlib.evaluation.statistics import bootstrap, paired_f1_difference
from drumlib.files import write_whole
from drumlib.inference.sampling import sampler_for
from drumlib.inference.weights_file import model_card, read_arrays, write_checksums
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
SEEDS = (0, 1)  # of the samples that a critic learns from; the test songs' have others
CANDIDATES = 8
WEIGHTS = (0.0, 0.03, 0.1)  # of the critic in the tuning
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
ORACLE = "F1 with the real drummer (oracle)"
PRESETS = {"hits": CriticPreset(), "everything": CriticPreset(name="critic-everything", everything=True)}

# ruff: noqa: E501 (the rows of a Markdown table are as long as they are)
CARD = """# Model card: `critic`

A critic (`book/drumbook/critic.py`), {parameters:,} parameters: of a band and the hits of a drummer, it gives the
probability that a real drummer played them to this band. Weights: `critic.npz`, float16. Every figure here is in
`critic.json`, and was written by `bench/critic.py`.

## Training

{train_songs} songs to train on ({train:,} windows of eight bars), {validation_songs} to validate on ({validation:,}): those of the card of `thesis`, which names
each by its md5, with its collection's licence. A collection's licence is not each song's. The negative examples are, half of them, samples of `band-conv` for the same band (temperatures {temperatures}),
and half of them another song's drums. Command: `{command}`. The weights are those of epoch {best} of {ran}; {versions}.

## Discrimination

{songs} test songs, {windows} windows: the share of windows in which the real drummer with the song's band gets higher odds than
other drums, with its 95 % confidence interval (bootstrap over songs). Chance level is 50%. The last column is of a critic
that is also given velocities and offsets, coarsely.

| against | critic of hits | 95 % confidence interval | critic of everything |
| --- | --- | --- | --- |
{discrimination}

## Ranking

{candidates} candidates for every test song, sampled at temperature {temperature:g}, which the validation songs chose; each criterion chooses one. F1 is
against the real drummer, all cells pooled; the gain is over the mean of the {candidates}.

| chosen by | F1 | gain | 95 % confidence interval | gain, eight bars at a time |
| --- | --- | --- | --- | --- |
{ranking}

"The critic" is the critic of {heard}, which the validation songs chose. The last row is an upper bound.

## Adversarial tuning

`band-conv`, trained on for {epochs} epochs with the critic in its loss, at several weights; 0 is the control. The detection rate is
the share of windows in which this critic gives the real drummer higher odds than the network's sample.

| weight | teacher-forced F1 | free-running F1 | sampled F1 | conditioning gain | density, sampled | detection rate |
| --- | --- | --- | --- | --- | --- | --- |
{tuning}

The validation songs chose the weight {weight:g}. Sampled F1 on the test songs minus that of the control: {sampled_ahead:+.4f}, interval {sampled_low:+.4f} to {sampled_high:+.4f}. A
new critic, trained on samples of the tuned network, has a detection rate of {fresh:.1%}; the critic trained on samples of the
untuned network has one of {before:.1%}, of that network.

## What it is good for, and what not

To rank performances of the networks it knows, and to learn what a discriminator is. What it prefers is not beauty: it
knows a hundred songs, most of them sequenced by hand, and what `band-conv` does wrong. The weights are offered under MIT, as
the rest of the project; what the licences of training songs mean for weights is nowhere settled.
"""


def samples_for(network, sets: dict, folder: Path) -> dict[str, np.ndarray]:
    """A network's samples for the windows of both splits that critics learn from; kept in a file."""
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


def one_sample(network, windows: Windows, temperature: float, seed: int) -> np.ndarray:
    """A network's sample for every window: (windows, 128, 27)."""
    return sampled_drums(network, windows, [sampler_for(temperature, seed, network)])[0]


def critic_of(name: str, samples: dict, sets: dict, run: Path, plan: TrainingConfig):
    """Train a critic, or resume its training; the critic of its best epoch, and its history."""
    lineups = (LineUps(sets[split], samples[split]) for split in ("train", "validation"))
    history = train(PRESETS[name], *lineups, run, plan, (run / "last.npz").exists(), verbose=2)
    critic = build(PRESETS[name], plan.seed)
    load_weights(critic, run / "best.npz")
    return critic, history


def share(windows: Windows, better: np.ndarray, which=None) -> dict:
    """The share of windows that win, with its interval over songs; a tie counts half."""
    which = np.ones(len(windows), dtype=bool) if which is None else which
    numbers = windows.index[:, 0]
    counts = [(better[mine].sum(), mine.sum()) for s in np.unique(numbers) for mine in [(numbers == s) & which]]
    return bootstrap(np.array(counts), lambda sums: float(sums[0] / sums[1]))


def wins(real: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 where the real one has the higher odds, 0.5 in a tie, 0 elsewhere."""
    return (np.sign(real - other) + 1) / 2


def discrimination(critic, windows: Windows, others: dict[str, np.ndarray]) -> dict:
    """How often the real drummer gets higher odds than other drums, and than in mismatched pairs."""
    half = np.roll(np.arange(len(windows)), len(windows) // 2)  # windows are in order of songs: another song's
    apart = windows.index[:, 0] != windows.index[half, 0]
    real = windows.batch(range(len(windows)))["drums"]
    own = judge_all(critic, windows, real)
    found = {name: share(windows, wins(own, judge_all(critic, windows, drums))) for name, drums in others.items()}
    mismatched = {
        "another song's drums": judge_all(critic, windows, real[half]),
        "own drums, mismatched band": judge_all(critic, windows, real, half),
    }
    return found | {name: share(windows, wins(own, verdict), apart) for name, verdict in mismatched.items()}


def candidates_of(network, song: GridSong, temperature: float, seed: int) -> np.ndarray:
    """Samples of a whole song, in the song's windows: (candidates, windows, 128, 27)."""
    rolls = {family: np.zeros((song.steps, 128), dtype="uint8") for family in FAMILIES}
    for part in song.parts:
        rolls[part.family][part.notes["step"], part.notes["pitch"]] = 1
    given = {family: np.stack([roll] * CANDIDATES) for family, roll in rolls.items()}  # (candidates, T, 128)
    played = network.generate(given, sampler=sampler_for(temperature, seed, network))
    played = np.concatenate(
        [played[name] for name in ("hits", "velocities", "offsets")], axis=-1
    )  # (candidates, T, 27)
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
    """True positives, false positives, false negatives: (..., 128, 9) -> (..., 3)."""
    return np.stack([x.sum(axis=(-2, -1)) for x in (truth & hits, ~truth & hits, truth & ~hits)], axis=-1)


def ranking(network, critics: dict, windows: Windows, temperature: float, seed: int) -> dict:
    """Each criterion chooses one of the candidates for each song, or anew every eight bars."""
    beat, ways = np.tile(rock_bar() > 0, (WINDOW_BARS, 1)), {}
    mean = []
    for s in np.unique(windows.index[:, 0]):
        song = windows.grid_songs[s]
        mine = Windows([song])
        drums = candidates_of(network, song, temperature, seed)  # (candidates, windows, 128, 27)
        hits, truth = drums[..., :N] > 0, true_hits(mine)
        counts = counted(truth, hits)  # (candidates, windows, 3)
        every = [(both * 2 / max(1, 2 * both + false + missed)) for both, false, missed in counts.reshape(-1, 3)]
        scores = {f"critic of {name}": [judge_all(c, mine, x) for x in drums] for name, c in critics.items()}
        scores["likelihood under the network"] = [likelihood(network, mine, x) for x in drums]
        scores["rock beat"] = (hits == beat).mean(axis=(2, 3))
        scores["agreement with the other candidates"] = -np.square(hits - hits.mean(axis=0)).mean(axis=(2, 3))
        scores[ORACLE] = np.reshape(every, counts.shape[:2])
        mean.append(counts.mean(axis=0).sum(axis=0))  # (3,)
        for name, score in scores.items():
            score = np.asarray(score)  # (candidates, windows)
            whole = score.mean(axis=1)
            if name == ORACLE:
                whole = np.array([f1(one) for one in counts.sum(axis=1)])
            best = score.argmax(axis=0)  # (windows,)
            row = ways.setdefault(name, {"whole songs": [], "eight bars at a time": []})
            row["whole songs"].append(counts[whole.argmax()].sum(axis=0))
            row["eight bars at a time"].append(counts[best, np.arange(len(best))].sum(axis=0))
    mean = np.array(mean)  # (songs, 3)
    return {
        "mean of the candidates": f1(mean.sum(axis=0)),
        **{
            name: {
                size: {"f1": f1(np.sum(rows, axis=0)), "gain": paired_f1_difference(np.array(rows), mean)}
                for size, rows in row.items()
            }
            for name, row in ways.items()
        },
    }


def stands(network, critic, sets: dict, seed: int) -> dict:
    """A network's scores on the test songs, F1 of its samples on the validation songs, and its detection rates."""
    samples = {split: one_sample(network, sets[split], 1.0, 100 + seed) for split in ("validation", "test")}
    real = {split: sets[split].batch(range(len(sets[split])))["drums"] for split in samples}
    found = {
        split: share(sets[split], wins(*(judge_all(critic, sets[split], x[split]) for x in (real, samples))))
        for split in samples
    }
    counts = counts_by_song(sets["validation"], true_hits(sets["validation"]), samples["validation"][..., :N])
    return {
        "sampled, f1 on the validation songs": f1(counts.sum(axis=0)),
        "detection rate": found["test"],
        "detection rate on the validation songs": found["validation"],
        "trial": compare_on_windows(network, sets["validation"], sets["test"], seed),
    }


def tuning(critic, sets: dict, runs: Path, plan: TrainingConfig) -> tuple:
    """``band-conv`` trains on with the critic at every weight: the scores of each, and before, and the network with the
    weight that the validation songs chose."""
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
    chosen = max(WEIGHTS[1:], key=lambda weight: rows[f"{weight:g}"]["sampled, f1 on the validation songs"])
    counts = {name: row["trial"]["counts"] for name, row in rows.items()}
    return {
        "rows": rows,
        "chosen weight": chosen,
        "F1 above the control": {
            way: paired_f1_difference(np.array(counts[f"{chosen:g}"][way]), np.array(counts["0"][way]))
            for way in ("free-running", "sampled")
        },
    }, networks[chosen]


def in_words(row: dict) -> str:
    """A network's scores, to print."""
    tried = row["trial"]
    return (
        f"teacher-forced {tried['teacher-forced']['f1']:.4f}, free-running {tried['free-running']['f1']:.4f}, sampled "
        f"{tried['sampled']['f1']:.4f}, conditioning gain {tried['conditioning gain']['value']:.4f}, density "
        f"{tried['sampled']['density']:.3f}, detection rate {row['detection rate']['value']:.3f}"
    )


def main() -> None:
    """All four parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, help="a folder of songs with a songs.csv")
    parser.add_argument("--runs", type=Path, help="where trainings and samples go")
    parser.add_argument("--card", action="store_true", help="score nothing: only write the card anew, from its figures")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ship", action="store_true", help="put weights, figures and card into the package")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.card:
        return write_whole(SHELF / "critic.md", card_of(model_card("critic")).encode())
    if not (options.songs and options.runs):
        parser.error("--songs and --runs are both needed")
    started, seed, network = time.perf_counter(), options.seed, pretrained("band-conv")
    sets = {split: read_windows(list_songs(options.songs, split), {}) for split in ("train", "validation", "test")}
    plan = replace(CRITIC_CONFIG, seed=seed)
    samples = samples_for(network, sets, options.runs / "band-conv")
    critics, histories = {}, {}
    for name in PRESETS:
        critics[name], histories[name] = critic_of(name, samples, sets, options.runs / f"critic-{name}", plan)
    if options.ship:  # what is measured is what is shipped
        save_weights(critics["hits"], SHELF / "critic.npz")
        write_checksums(SHELF)
        load_weights(critics["hits"], SHELF / "critic.npz")

    test, beat = sets["test"], rock_bar()
    others = {
        **{f"band-conv, sampled at {t:g}": one_sample(network, test, t, 100 + seed) for t in TEMPERATURES},
        "thesis, sampled at 1": one_sample(pretrained("thesis"), test, 1.0, 100 + seed),
        "rock beat": np.tile(np.concatenate([beat, 0.7 * beat, 0 * beat], -1), (len(test), WINDOW_BARS, 1)),
    }
    found = {name: discrimination(critic, test, others) for name, critic in critics.items()}
    print(json.dumps(found, indent=1), flush=True)

    ranked = {
        split: {f"{t:g}": ranking(network, critics, sets[split], t, 200 + seed) for t in TEMPERATURES}
        for split in ("validation", "test")
    }
    temperature, heard = max(
        ((f"{t:g}", name) for t in TEMPERATURES for name in PRESETS),
        key=lambda way: ranked["validation"][way[0]][f"critic of {way[1]}"]["whole songs"]["f1"],
    )
    print(json.dumps(ranked["test"], indent=1), flush=True)

    tuned, chosen = tuning(critics["hits"], sets, options.runs, replace(TUNING, seed=seed))
    fresh_samples = samples_for(chosen, sets, options.runs / "tuned")
    fresh, _ = critic_of("hits", fresh_samples, sets, options.runs / "critic-of-tuned", plan)
    its_sample = one_sample(chosen, test, 1.0, 100 + seed)
    tuned["detection rate of a new critic"] = discrimination(fresh, test, {"tuned, sampled at 1": its_sample})

    results = {
        "command": f"python bench/critic.py --songs SONGS --runs RUNS --seed {seed}{' --ship' if options.ship else ''}",
        "songs": {split: windows.song_count for split, windows in sets.items()},
        "windows": {split: len(windows) for split, windows in sets.items()},
        "scored network": "band-conv, as shipped",
        "samples": {"temperatures": TEMPERATURES, "seeds": SEEDS},
        "critics": {name: {**asdict(PRESETS[name]), "parameters": critics[name].count_params()} for name in PRESETS},
        "training": histories,
        "discrimination": found,
        "ranking": {
            "candidates": CANDIDATES,
            "chosen on validation": {"temperature": float(temperature), "critic": heard},
            **ranked,
        },
        "tuning": {"config": asdict(replace(TUNING, seed=seed)), **tuned},
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
    found, ranked, tuned = results["discrimination"], results["ranking"], results["tuning"]
    history = results["training"]["hits"]
    losses, chosen = [epoch["val_loss"] for epoch in history["epochs"]], ranked["chosen on validation"]
    test, critic = ranked["test"][f"{chosen['temperature']:g}"], f"critic of {chosen['critic']}"
    control = tuned["F1 above the control"]["sampled"]
    mean = test["mean of the candidates"]
    return CARD.format(
        **{"parameters": results["critics"]["hits"]["parameters"], "command": results["command"]},
        **{f"{split}_songs": results["songs"][split] for split in ("train", "validation")},
        **{split: results["windows"][split] for split in ("train", "validation")},
        **{"songs": results["songs"]["test"], "windows": results["windows"]["test"]},
        temperatures=" and ".join(f"{t:g}" for t in results["samples"]["temperatures"]),
        **{"ran": len(losses), "best": len(losses) - losses[::-1].index(min(losses))},
        versions=", ".join(f"{name} {number}" for name, number in results["versions"].items()),
        discrimination="\n".join(
            f"| {name} | {row['value']:.1%} | {row['low']:.1%} to {row['high']:.1%} | {found['everything'][name]['value']:.1%} |"
            for name, row in found["hits"].items()
        ),
        **{"candidates": ranked["candidates"], "temperature": chosen["temperature"]},
        heard=chosen["critic"],
        ranking="\n".join(
            [f"| none: the mean | {mean:.2%} | | | |"]
            + [
                f"| {'the critic' if name == critic else name} | {row['whole songs']['f1']:.2%} | {row['whole songs']['gain']['value']:+.2%} | {row['whole songs']['gain']['low']:+.2%} to {row['whole songs']['gain']['high']:+.2%} | {row['eight bars at a time']['gain']['value']:+.2%} |"
                for name, row in test.items()
                if isinstance(row, dict)
            ]
        ),
        epochs=tuned["config"]["epochs"],
        tuning="\n".join(
            f"| {name} | {row['trial']['teacher-forced']['f1']:.2%} | {row['trial']['free-running']['f1']:.2%} | {row['trial']['sampled']['f1']:.2%} | {row['trial']['conditioning gain']['value']:.3f} | {row['trial']['sampled']['density']:.2f} | {row['detection rate']['value']:.1%} |"
            for name, row in tuned["rows"].items()
        ),
        **{"weight": tuned["chosen weight"], "sampled_ahead": control["value"]},
        **{"sampled_low": control["low"], "sampled_high": control["high"]},
        fresh=tuned["detection rate of a new critic"]["tuned, sampled at 1"]["value"],
        before=tuned["rows"]["before"]["detection rate"]["value"],
    )


if __name__ == "__main__":
    main()
