"""Fingerprints, groups of songs that belong together, splits by group, and drum parts that stand in one split only."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drumlib.data.grid_song import grid_song
from drumlib.data.song_folder import read_table
from drumlib.data.splitting import related_songs as grouping
from drumlib.data.splitting.fingerprints import of_kind, song_fingerprints, window_fingerprints
from drumlib.data.splitting.related_songs import related_groups
from drumlib.data.splitting.splits import SPLITS, duplicates_across_splits, split_groups
from drumlib.music import MidiError, Note, Song, Track
from drumlib.music.fast_midi import read_song_fast

TICKS = 96
STEP = TICKS // 4
BAR = 16 * STEP
PROGRAMS = {"piano": 0, "guitar": 24, "bass": 33}


# Songs to try it on


def drum_bars(seed: int, bars: int = 24) -> list[Note]:
    """A drummer who never plays a bar twice: hats on the eighths, kick and snare anywhere."""
    draw = random.Random(f"drums {seed}")
    strokes = []
    for bar in range(bars):
        strokes += [(bar * 16 + step, 42) for step in range(0, 16, 2)]
        strokes += [(bar * 16 + step, pitch) for pitch in (36, 38) for step in draw.sample(range(16), 4)]
    return [Note(step * STEP, pitch, 90, STEP) for step, pitch in sorted(strokes)]


def plain_beat(bars: int = 24) -> list[Note]:
    strokes = [(bar * 16 + step, 42) for bar in range(bars) for step in range(0, 16, 2)]
    strokes += [(bar * 16 + step, 36 if step % 8 == 0 else 38) for bar in range(bars) for step in (0, 4, 8, 12)]
    return [Note(step * STEP, pitch, 90, STEP) for step, pitch in strokes]


def band_part(family: str, seed: int, bars: int = 24) -> list[Note]:
    draw = random.Random(f"{family} {seed}")
    steps = [bar * 16 + step for bar in range(bars) for step in (0, *draw.sample(range(1, 16), 5))]
    return [Note(step * STEP, draw.randrange(40, 80), 90, STEP) for step in sorted(steps)]


def a_song(drums: list[Note] | int = 0, band: int = 0, bars: int = 24) -> Song:
    notes = drum_bars(drums, bars) if isinstance(drums, int) else drums
    parts = [Track(band_part(family, band, bars), program) for family, program in PROGRAMS.items()]
    return Song(TICKS, [Track(notes, is_drum=True), *parts])


def changed(song: Song, change) -> Song:
    """The song with every note changed: ``change`` makes of a track and a note a note."""
    return replace(
        song, tracks=[replace(track, notes=[change(track, n) for n in track.notes]) for track in song.tracks]
    )


def transposed(song: Song, semitones: int) -> Song:
    return changed(song, lambda track, note: note if track.is_drum else note._replace(pitch=note.pitch + semitones))


def softer_and_late(song: Song) -> Song:
    return changed(song, lambda _, note: note._replace(velocity=note.velocity // 2, tick=note.tick + STEP // 4))


def behind_an_intro(song: Song, bars: int) -> Song:
    """Behind so many bars of another song."""
    intro = a_song(drums=999, band=999, bars=bars)
    later = changed(song, lambda _, note: note._replace(tick=note.tick + bars * BAR))
    both = zip(intro.tracks, later.tracks, strict=True)
    return replace(song, tracks=[replace(track, notes=[*first.notes, *track.notes]) for first, track in both])


def found(*songs: Song, keys=None) -> list[int]:
    """The groups of songs."""
    prints = [song_fingerprints(grid_song(song)) for song in songs]
    return related_groups(keys or [None] * len(songs), prints).tolist()


# Fingerprints


def test_two_windows_have_one_print_if_they_strike_the_same_drums_on_the_same_steps():
    notes = [*drum_bars(1, 8), *plain_beat(24)]  # on top of each other for eight bars, then 16 bars all the same
    charts = [grid_song(a_song(notes)), grid_song(a_song(drum_bars(1, 24))), grid_song(a_song(plain_beat(), band=2))]
    prints = [number for one in charts for number in window_fingerprints(one).tolist()]
    hits = [one.groove(i).hits.tobytes() for one in charts for i in range(len(one.starts))]
    assert len(prints) == len(hits) == 27
    assert len(set(hits)) == len(set(prints)) == len(set(zip(hits, prints, strict=True))) == 4 + 9 + 1


def test_loudness_and_timing_within_a_step_leave_the_prints_as_they_are():
    song = a_song(1, 1)
    copy = softer_and_late(song)
    for function in (window_fingerprints, song_fingerprints):
        np.testing.assert_array_equal(function(grid_song(song)), function(grid_song(copy)))


def test_one_stroke_more_is_another_drum_part():
    notes = [note for note in plain_beat() if (note.tick, note.pitch) != (9 * STEP, 36)]
    more = [*notes, Note(9 * STEP, 36, 1, 1)]
    one, other = (window_fingerprints(grid_song(a_song(song))) for song in (notes, more))
    assert one[0] != other[0] and (one[1:] == other[1:]).all()


def test_a_songs_prints_do_not_depend_on_the_key():
    song = a_song(1, 1)
    prints = song_fingerprints(grid_song(song))
    for semitones in (-12, -5, 1, 7):
        np.testing.assert_array_equal(song_fingerprints(grid_song(transposed(song, semitones))), prints)


def test_drums_have_no_key():
    song = a_song(1, 1)
    turned = changed(song, lambda track, n: n._replace(pitch={36: 38, 38: 36}.get(n.pitch, 42)) if track.is_drum else n)
    one, other = (song_fingerprints(grid_song(s)) for s in (song, turned))
    assert not set(of_kind(one, 0)) & set(of_kind(other, 0))
    np.testing.assert_array_equal(of_kind(one, 1), of_kind(other, 1))


def test_it_does_not_matter_where_in_the_song_something_is_played():
    song = a_song(1, 1)
    prints, later = song_fingerprints(grid_song(song)), song_fingerprints(grid_song(behind_an_intro(song, 5)))
    assert set(prints) < set(later)
    assert len(prints) == 23 * 4  # a phrase starts with each bar but the last, in four parts


def test_a_songs_prints_are_sorted_and_each_there_once():
    repeated = a_song(plain_beat())
    prints = song_fingerprints(grid_song(repeated))
    assert prints.dtype == np.uint64
    assert (prints[1:] > prints[:-1]).all()
    assert len(of_kind(prints, 0)) == 1 and len(of_kind(prints, 1)) == len(prints) - 1


@pytest.mark.parametrize(
    "song", [Song(TICKS, []), Song(TICKS, [Track([])]), Song(TICKS, [Track([Note(0, 36, 90, 1)], is_drum=True)])]
)
def test_songs_of_nothing_have_no_prints(song):
    for function in (window_fingerprints, song_fingerprints):
        prints = function(grid_song(song))
        assert prints.shape == (0,) and prints.dtype == np.uint64


def test_prints_are_the_same_on_every_machine():
    """These two were once computed; a corpus that was split on one machine is split the same on another."""
    assert window_fingerprints(grid_song(a_song(plain_beat()))).tolist() == [4_295_257_738_321_813_252] * 9
    assert of_kind(song_fingerprints(grid_song(a_song(plain_beat()))), 0).tolist() == [3_580_869_957_022_003_638]


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import test_groups as t
prints = [t.song_fingerprints(t.grid_song(t.a_song(seed, seed // 2))) for seed in range(12)]
found = t.related_groups(["x" if i % 5 == 0 else None for i in range(12)], prints)
print([p.tolist() for p in prints], found.tolist(), t.split_groups(found, range(12), fingerprints=prints, seed=3))
print(t.split_groups([f"artist {i}" for i in range(40)], [1] * 40))
"""


@pytest.mark.slow
def test_other_processes_find_the_same_whatever_their_hash_seed(root):
    runs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(root / "tests" / "data")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    ]
    assert runs[0] == runs[1]
    assert "validation" in runs[0] and "test" in runs[0]


# Groups


def test_copies_are_found_by_what_they_play():
    song = a_song(1, 1)
    copies = [transposed(song, 3), softer_and_late(song), behind_an_intro(song, 5)]
    copies.append(behind_an_intro(softer_and_late(transposed(song, -4)), 3))
    strangers = [a_song(2, 2), a_song(3, 3)]
    assert found(song, strangers[0], *copies, strangers[1]) == [0, 1, 0, 0, 0, 0, 2]


@pytest.mark.parametrize(("copied", "joined"), [(24, True), (14, True), (6, False), (0, False)])
def test_songs_that_share_half_of_their_drums_belong_together(copied, joined):
    """Of 24 bars, so many are another song's; the band is a different one."""
    drums = [note for note in drum_bars(1) if note.tick < copied * BAR]
    drums += [note for note in drum_bars(2) if note.tick >= copied * BAR]
    assert found(a_song(1, 1), a_song(drums, 2)) == [0, int(not joined)]


def test_songs_that_share_their_band_belong_together_whatever_the_drums():
    assert found(a_song(1, 7), a_song(2, 7), a_song(1, 3)) == [0, 0, 0]
    assert found(a_song(1, 7), a_song(2, 7)) == [0, 0]
    assert found(a_song(plain_beat(), 7), transposed(a_song(2, 7), 2), a_song(2, 8)) == [0, 0, 0]


def test_part_of_a_song_belongs_to_the_whole():
    song = a_song(1, 1, bars=40)
    part = changed(song, lambda _, note: note)
    part = replace(part, tracks=[replace(t, notes=[n for n in t.notes if n.tick < 12 * BAR]) for t in part.tracks])
    assert found(part, song) == [0, 0]


def test_a_plain_beat_joins_nobody():
    assert len(set(found(*(a_song(plain_beat(), band) for band in range(30))))) == 30


def numbers(start: int, count: int, kind: int = 0) -> np.ndarray:
    """So many prints, all of one kind; other starts give others."""
    return (np.arange(start * 1000, start * 1000 + count, dtype=np.uint64) << np.uint64(1)) | np.uint64(kind)


@pytest.mark.parametrize(("songs", "joined"), [(5, True), (20, True), (21, False), (30, False)])
def test_what_stands_in_many_songs_tells_nothing(songs, joined):
    prints = [np.concatenate([numbers(0, 15), numbers(i + 1, 5)]) for i in range(songs)]
    assert len(set(related_groups([None] * songs, prints))) == (1 if joined else songs)


def test_among_very_many_songs_more_may_be_versions_of_one():
    versions = [np.concatenate([numbers(0, 15), numbers(i + 1, 5)]) for i in range(30)]
    others = [numbers(i + 100, 3) for i in range(12_000)]
    assert len(set(related_groups([None] * 12_030, versions + others))) == 12_001


def test_fifty_copies_do_not_make_their_own_song_common():
    prints = [numbers(7, 30)] * 50 + [np.concatenate([numbers(7, 20), numbers(8, 5)]), numbers(9, 30)]
    assert related_groups([None] * 52, prints).tolist() == [0] * 51 + [1]


@pytest.mark.parametrize(("shared", "joined"), [(7, False), (8, True)])
def test_a_few_phrases_are_not_enough(shared, joined):
    prints = [numbers(1, shared), numbers(1, shared), np.append(numbers(1, shared), numbers(2, 2))]
    assert related_groups([None] * 3, prints).tolist() == ([0, 0, 0] if joined else [0, 1, 2])


def test_drums_and_band_do_not_add_up():
    prints = [np.concatenate([numbers(1, 5), numbers(2, 5, kind=1), numbers(i + 5, 1)]) for i in range(2)]
    assert related_groups([None, None], prints).tolist() == [0, 1]


def test_a_key_joins_songs_that_share_nothing_and_none_is_no_key():
    prints = [numbers(i, 10) for i in range(5)]
    assert related_groups(["x", None, "y", "x", None], prints).tolist() == [0, 1, 2, 0, 3]
    assert related_groups([("lakh", 3), None, None, ("lakh", 3), None], [[]] * 5).tolist() == [0, 1, 2, 0, 3]


def test_friends_of_friends_belong_together():
    prints = [numbers(1, 10), np.append(numbers(1, 10), numbers(2, 10)), numbers(2, 10), numbers(3, 10)]
    assert related_groups([None, None, "x", "x"], prints).tolist() == [0, 0, 0, 0]


def test_no_songs_have_no_groups():
    assert related_groups([], []).shape == (0,)
    assert related_groups([None], [np.empty(0, np.uint64)]).tolist() == [0]


def test_each_song_needs_a_key():
    with pytest.raises(ValueError, match="2 keys for 1 songs"):
        related_groups([None, None], [[1]])


def partition(found) -> set[frozenset[int]]:
    found = np.asarray(found)
    return {frozenset(np.flatnonzero(found == number).tolist()) for number in set(found.tolist())}


few_prints = st.lists(st.lists(st.integers(0, 25), max_size=10), max_size=14)


@given(few_prints, st.randoms(use_true_random=False))
def test_groups_are_those_that_the_rule_says_and_their_order_changes_nothing(sets, draw):
    """The rule, pair by pair, with small numbers in it; and few pairs at a time."""
    prints = [np.array(song, dtype=np.uint64) for song in sets]
    keys = [draw.choice([None, None, None, "x", "y"]) for _ in prints]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"SHARED_FINGERPRINTS": 2, "COMMON_SONGS": 3, "PAIRS_AT_ONCE": 5}.items():
            patch.setattr(grouping, name, value)
        result = related_groups(keys, prints)
        order = draw.sample(range(len(prints)), len(prints))
        shuffled = related_groups([keys[i] for i in order], [prints[i] for i in order])
    back = {frozenset(order[i] for i in group) for group in partition(shuffled)}
    assert back == partition(result)
    assert [number for i, number in enumerate(result) if number not in result[:i]] == list(range(len(back)))
    assert partition(result) == slow_groups(keys, sets)


def slow_groups(keys, sets) -> set[frozenset[int]]:
    parts = {i: {i} for i in range(len(sets))}

    def join(i, j):
        whole = parts[i] | parts[j]
        parts.update(dict.fromkeys(whole, whole))

    for i, j in combinations(range(len(sets)), 2):
        if keys[i] is not None and keys[i] == keys[j]:
            join(i, j)
    for kind in (0, 1):
        ours = [frozenset(p for p in song if p % 2 == kind) for song in sets]
        different = set(ours) if ours else set()
        once = [song for song in different if len(song) >= 2] + [song for song in ours if len(song) < 2]
        telling = {p for p in range(26) if sum(p in song for song in once) <= 3}
        for i, j in combinations(range(len(sets)), 2):
            a, b = ours[i] & telling, ours[j] & telling
            copies = ours[i] == ours[j] and len(ours[i]) >= 2
            if copies or (len(a & b) >= 2 and len(a & b) >= min(len(a), len(b)) / 2):
                join(i, j)
    return {frozenset(part) for part in parts.values()}


# Splits


def windows_of(split: list[str], windows) -> dict[str, int]:
    return {name: sum(w for s, w in zip(split, windows, strict=True) if s == name) for name in SPLITS}


def test_the_shares_are_met_as_well_as_whole_groups_allow():
    draw = random.Random(0)
    found, windows = [draw.randrange(100) for _ in range(300)], [draw.randrange(1, 60) for _ in range(300)]
    for seed in range(10):
        sizes = windows_of(split_groups(found, windows, seed=seed), windows)
        assert 0.095 < sizes["test"] / sum(windows) <= 0.1
        assert 0.095 < sizes["validation"] / sum(windows) <= 0.1
    sizes = windows_of(split_groups(found, windows, shares=(0.5, 0.2, 0.3)), windows)
    assert 0.295 < sizes["test"] / sum(windows) <= 0.3 and 0.195 < sizes["validation"] / sum(windows) <= 0.2


songs_in_groups = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 50)), max_size=30)


@given(songs_in_groups, st.integers(0, 3))
def test_groups_stay_whole_and_whoever_can_learn_something_does(songs, seed):
    found, windows = [group for group, _ in songs], [count for _, count in songs]
    split = split_groups(found, windows, seed=seed)
    assert split == split_groups(np.array(found, dtype=int), np.array(windows), seed=np.int64(seed))
    assert len({*zip(found, split, strict=True)}) == len(set(found))
    playing = len({group for group, count in songs if count})
    sizes = windows_of(split, windows)
    assert sum(size > 0 for size in sizes.values()) == min(playing, 3)
    assert not playing or sizes["train"]
    if playing > 1:
        assert sizes["validation"]


def test_few_groups():
    assert split_groups([], []) == []
    assert split_groups([0, 0, 0], [5, 5, 5]) == ["train"] * 3
    assert split_groups([0, 1, 0], [5, 8, 4]) == ["train", "validation", "train"]
    assert sorted(split_groups([0, 1, 2], [5, 5, 5])) == ["test", "train", "validation"]
    assert split_groups(["a", "b", "c"], [1, 0, 9]) == ["validation", "train", "train"]
    assert split_groups([0, 1], [5, 5], shares=(1, 0, 0)) == ["train", "train"]
    assert split_groups([0, 1], [5, 5], shares=(0, 0, 1)) == ["test", "test"]


def test_a_group_too_large_for_a_share_trains():
    for seed in range(20):
        assert split_groups([0, *range(1, 41)], [50, *[1] * 40], seed=seed)[0] == "train"


def test_large_groups_come_to_the_test_set_as_often_as_small_ones():
    found, windows = [0] * 20 + list(range(1, 101)), [1] * 20 + [1] * 100
    prints = [numbers(song, 3) for song in range(120)]
    times = sum(split_groups(found, windows, (0.4, 0.3, 0.3), seed, prints)[0] == "test" for seed in range(300))
    assert 30 < times < 75  # it fits into 36 windows if it stands among the first 17 of 101: that is 50 times


def test_another_seed_draws_another_split():
    splits = {tuple(split_groups(range(50), [1] * 50, seed=seed)) for seed in range(10)}
    assert len(splits) == 10


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_with_prints_the_order_of_songs_does_not_matter(draw):
    prints = [numbers(song, 4) for song in range(60)]
    found, windows = [song // 3 for song in range(60)], [draw.randrange(40) for _ in range(60)]
    split = split_groups(found, windows, fingerprints=prints)
    order = draw.sample(range(60), 60)
    names = draw.sample(range(60), 20)
    shuffled = split_groups(
        [names[found[i]] for i in order], [windows[i] for i in order], fingerprints=[prints[i] for i in order]
    )
    assert shuffled == [split[i] for i in order]


def test_songs_that_are_added_move_few_others():
    draw = random.Random(1)
    prints, windows = [numbers(song, 4) for song in range(520)], [draw.randrange(1, 60) for _ in range(520)]
    before = split_groups(range(500), windows[:500], fingerprints=prints[:500])
    added = [*range(500, 520), *range(500)]  # they come first: it is not the place that counts
    after = split_groups(range(520), [windows[i] for i in added], fingerprints=[prints[i] for i in added])[20:]
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(moved) < 25
    assert not {("test", "validation"), ("validation", "test")} & set(moved)


@pytest.mark.parametrize("shares", [(1,), (0.8, 0.2), (0.8, 0.1, 0.2), (1.2, -0.1, -0.1), (np.nan, 0, 1), 1])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match="shares must be three"):
        split_groups([0], [1], shares=shares)


@pytest.mark.parametrize(("windows", "prints"), [([1], None), ([1, 2], [[1]]), ([1, -1], None)])
def test_songs_without_a_number_of_windows_are_refused(windows, prints):
    with pytest.raises(ValueError, match="windows"):
        split_groups([0, 1], windows, fingerprints=prints)


# No drum part stands in two splits


def test_test_has_the_first_claim_then_validation():
    prints = [[1, 2, 3, 4], [1, 2], [1, 5, 5], [4]]
    prints = [np.array(song, dtype=np.uint64) for song in prints]
    bad = duplicates_across_splits(prints, ["train", "validation", "test", "train"])
    assert [song.tolist() for song in bad] == [[True, True, False, False], [True, False], [False] * 3, [False]]
    assert all(song.dtype == bool for song in bad)


many_windows = st.lists(st.tuples(st.sampled_from(SPLITS), st.lists(st.integers(0, 12), max_size=8)), max_size=12)


@given(many_windows)
def test_no_drum_part_is_left_in_two_splits_and_none_is_left_out_for_nothing(songs):
    splits, prints = [split for split, _ in songs], [np.array(song, dtype=np.uint64) for _, song in songs]
    bad = duplicates_across_splits(prints, splits)
    assert [len(song) for song in bad] == [len(song) for song in prints]
    every, kept = ({name: set() for name in SPLITS} for _ in range(2))
    for song, left_out, split in zip(prints, bad, splits, strict=True):
        every[split] |= set(song.tolist())
        kept[split] |= set(song[~left_out].tolist())
    assert kept["test"] == every["test"]
    assert kept["validation"] == every["validation"] - every["test"]
    assert kept["train"] == every["train"] - every["validation"] - every["test"]
    for song, left_out, split in zip(prints, bad, splits, strict=True):
        assert not kept[split] & set(song[left_out].tolist()), "copies of a drum part in one split share its fate"


def test_clashes_need_a_split_for_each_song_and_know_its_name():
    assert duplicates_across_splits([], []) == []
    assert duplicates_across_splits([np.empty(0, np.uint64)], ["test"])[0].shape == (0,)
    with pytest.raises(ValueError, match="1 splits for 2 songs"):
        duplicates_across_splits([[1], [2]], ["test"])
    with pytest.raises(ValueError, match="no split is called 'tset'"):
        duplicates_across_splits([[1], [2]], ["test", "tset"])


def drum_parts(charts, splits, bad) -> dict[str, set[bytes]]:
    """The drum parts, stroke by stroke, of the windows that each split keeps."""
    parts = {name: set() for name in SPLITS}
    for one, split, left_out in zip(charts, splits, bad, strict=True):
        parts[split] |= {one.groove(i).hits.tobytes() for i in np.flatnonzero(~left_out)}
    return parts


def test_charts_with_one_beat_in_all_splits_end_up_with_it_in_one():
    charts = [grid_song(a_song([*plain_beat(16 + 2 * i), *drum_bars(i, 4)], i)) for i in range(9)]
    splits = [*SPLITS] * 3
    nothing = [np.zeros(len(one.starts), dtype=bool) for one in charts]
    before = drum_parts(charts, splits, nothing)
    assert before["train"] & before["test"], "or else this test proves nothing"
    after = drum_parts(charts, splits, duplicates_across_splits([window_fingerprints(one) for one in charts], splits))
    assert all(not after[one] & after[other] for one, other in combinations(SPLITS, 2))
    assert all(after.values())


def test_in_real_songs_no_drum_part_stands_in_two_splits(shared_data):
    charts, rows = [], []
    for row in read_table(shared_data / "songs.csv"):
        if row.get("good", "1") == "1":
            try:
                charts.append(grid_song(read_song_fast(shared_data / row["file"])))
            except MidiError:
                continue
            rows.append(row)
    windows, prints = [window_fingerprints(one) for one in charts], [song_fingerprints(one) for one in charts]
    found = related_groups([row["group"] for row in rows], prints)
    own = split_groups(found, [len(one.starts) for one in charts], fingerprints=prints)
    assert len({*zip(found.tolist(), own, strict=True)}) == found.max() + 1
    for splits in ([row["split"] for row in rows], own):
        bad = duplicates_across_splits(windows, splits)
        after = drum_parts(charts, splits, bad)
        assert all(not after[one] & after[other] for one, other in combinations(SPLITS, 2))
        assert sum(int(song.sum()) for song in bad) < 0.02 * sum(map(len, bad)), "few are lost"
