import base64
import html
import io
import json
import math

import numpy as np
import pytest
import soundfile
from display_song import make_song
from test_player import NASTY, Page

from drumbook.listening_test import (
    Answer,
    Answers,
    Clip,
    ListeningTest,
    Row,
    matched,
    mixes,
    read_answers,
    tally,
)
from drumbook.listening_test.answers import MAX_BYTES, VERSION, WHAT
from drumbook.listening_test.listening_test import RMS
from drumlib.display import sound
from drumlib.evaluation.statistics import sign_test, wilson_interval
from drumlib.music.grid import Groove, groove_of

KINDS = (("net", "machine"), ("rules", "net"))


def tone(level: float, seconds: float = 0.5) -> np.ndarray:
    return (level * np.sin(np.arange(int(seconds * sound.SAMPLE_RATE)) / 20)).astype(np.float32)


def clips(drummers=("net", "machine", "rules"), songs=("one", "two")) -> list[Clip]:
    return [Clip(song, who, tone(0.1)) for song in songs for who in drummers]


def file_of(answers=(), **changes) -> dict:
    return {
        "what": WHAT,
        "version": VERSION,
        "page": "0123456789abcdef",
        "kinds": [list(kind) for kind in KINDS],
        "answers": list(answers),
        **changes,
    }


ONE = {"sitting": 1, "song": "one", "a": "machine", "b": "net", "answer": "b"}


def written(folder, said) -> str:
    path = folder / "answers.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said), encoding="utf-8")
    return path


def listener(*answers: tuple[str, str, str], page="0123456789abcdef", kinds=KINDS) -> Answers:
    return Answers(page, kinds, tuple(Answer(1, "one", *answer) for answer in answers))


# Wilson's interval and the sign test


@pytest.mark.parametrize(
    "won, of, low, high",
    [
        (0, 10, 0.0, 0.2775),  # as in Newcombe 1998 and R's prop.test(correct=FALSE)
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval(won, of, low, high):
    assert wilson_interval(won, of) == pytest.approx((low, high), abs=5e-5)


def test_wilsons_ends_are_the_shares_that_are_just_not_surprised():
    """The definition: at each end, the share that was seen is z standard errors of that end away."""
    for won, of in ((1, 7), (30, 40), (9, 10)):
        for end in wilson_interval(won, of):
            assert abs(won / of - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / of))


def test_the_coin_is_the_sign_test():
    assert sign_test(0, 0) == sign_test(5, 10) == 1
    assert sign_test(10, 10) == sign_test(0, 10) == 2 / 1024
    assert sign_test(9, 10) == sign_test(1, 10) == 2 * 11 / 1024
    rng = np.random.default_rng(0)
    thrown = rng.binomial(20, 0.5, 200_000)
    assert sign_test(15, 20) == pytest.approx(np.mean(np.abs(thrown - 10) >= 5), abs=0.002)


@pytest.mark.parametrize("won, of", [(3, 2), (-1, 2)])
def test_no_share(won, of):
    for count in (wilson_interval, sign_test):
        with pytest.raises(ValueError, match="no share"):
            count(won, of)


# Counting


def test_tally_of_one_listener():
    rows = tally(
        [
            listener(
                ("net", "machine", "a"),  # net
                ("machine", "net", "b"),  # net
                ("machine", "net", "a"),  # machine
                ("machine", "net", "none"),
                ("net", "rules", "b"),  # rules
            )
        ]
    )
    assert rows == [
        Row("net", "machine", 2, 1, 1),
        Row("rules", "net", 1, 0, 0),
        Row("net", "all others", 2, 2, 1),
    ]
    assert (
        rows[0].share == pytest.approx(2 / 3)
        and rows[0].interval == wilson_interval(2, 3)
        and rows[0].p_value == sign_test(2, 3)
    )


def test_tally_of_a_class_adds():
    one, two = listener(("net", "machine", "a")), listener(("net", "machine", "b"), ("net", "rules", "a"))
    assert tally([one, two])[:2] == [Row("net", "machine", 1, 1, 0), Row("rules", "net", 0, 1, 0)]
    assert math.isnan(tally([listener()])[0].share)
    assert tally([listener()])[0].interval == (0, 1)


def test_no_sum_without_a_common_drummer():
    kinds = (("a", "b"), ("c", "d"))
    assert [row.second for row in tally([listener(kinds=kinds)])] == ["b", "d"]
    assert len(tally([listener(kinds=kinds[:1])])) == 1


def test_answers_to_two_pages_cannot_be_added():
    with pytest.raises(ValueError, match="same page"):
        tally([listener(), listener(page="f" * 16)])
    with pytest.raises(ValueError, match="same page"):
        tally([listener(), listener(kinds=KINDS[::-1])])
    with pytest.raises(ValueError, match="no listeners"):
        tally([])


# Files


def test_a_file_is_read(tmp_path):
    found = read_answers(written(tmp_path, file_of([ONE])))
    assert found == Answers("0123456789abcdef", KINDS, (Answer(1, "one", "machine", "net", "b"),))
    assert tally([found])[0].won == 1


@pytest.mark.parametrize(
    "said",
    [
        "",
        "answers",
        "[]",
        "null",
        "[" * 100_000,
        file_of(what="a song"),
        file_of(version=2),
        file_of(version=True),
        file_of(more=1),
        file_of(page="../../etc"),
        file_of(page=3),
        file_of(kinds=[]),
        file_of(kinds="net"),
        file_of(kinds=[["net", "net"]]),
        file_of(kinds=[["net"]]),
        file_of(kinds=[["net", "machine"], ["machine", "net"]]),
        file_of(kinds=[["net", "x" * 81]]),
        file_of(kinds=[["net", ["machine"]]]),
        {**file_of(), "answers": {}},
        file_of([ONE] * 10_001),
        file_of([None]),
        file_of([{**ONE, "more": 1}]),
        file_of([{**ONE, "sitting": 0}]),
        file_of([{**ONE, "sitting": True}]),
        file_of([{**ONE, "sitting": 1.0}]),
        file_of([{**ONE, "song": ""}]),
        file_of([{**ONE, "song": ["one"]}]),
        file_of([{**ONE, "a": "somebody"}]),
        file_of([{**ONE, "a": "rules", "b": "machine"}]),
        file_of([{**ONE, "answer": "c"}]),
        file_of([{**ONE, "answer": ["a"]}]),
    ],
    ids=lambda said: str(said)[:12],
)
def test_other_files_are_refused_in_one_way(tmp_path, said):
    path = written(tmp_path, said)
    with pytest.raises(ValueError, match="no answers of a listening page") as caught:
        read_answers(path)
    assert str(path) in str(caught.value) and len(str(caught.value)) < 400


def test_files_of_bytes_of_any_kind(tmp_path):
    path = tmp_path / "answers.json"
    for data in (b"\xff\xfe", b"\x00" * 100, b" " * (MAX_BYTES + 1)):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="no answers"):
            read_answers(path)
    with pytest.raises(ValueError, match="no ordinary file"):
        read_answers(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_answers(tmp_path / "nowhere.json")


# Sound


def level(audio: np.ndarray) -> float:
    return math.sqrt(np.mean(np.square(audio, dtype=np.float64)))


def test_matched_is_equally_loud_and_long():
    heard = matched({"loud": tone(0.8), "soft": tone(0.01, 0.4), "click": np.eye(1, 24_000, dtype=np.float32)[0]})
    assert len({len(audio) for audio in heard.values()}) == 1
    levels = [level(audio) for audio in heard.values()]
    assert levels == pytest.approx([levels[0]] * 3, rel=1e-5)
    assert max(np.abs(audio).max() for audio in heard.values()) == pytest.approx(sound.CEILING)  # the click's
    two = matched({"loud": tone(0.8), "soft": tone(0.01)})
    assert level(two["soft"]) == pytest.approx(RMS, rel=1e-5)
    with pytest.raises(ValueError, match="silent"):
        matched({"nobody": np.zeros(100), "soft": tone(0.1)})


def test_mixes_differ_in_nothing_but_the_drummer():
    song = make_song()
    own = groove_of(song)
    soft = Groove(own.hits, own.velocities * 0.4, own.offsets)
    nobody = Groove(own.hits * 0, own.velocities * 0, own.offsets * 0)
    heard = mixes(song, {"own": own, "same": own, "soft": soft, "nobody": nobody}, 1, 2)
    assert [len(audio) for audio in heard.values()] == [len(heard["own"])] * 4
    assert np.array_equal(heard["own"], heard["same"])
    assert [level(audio) for audio in heard.values()] == pytest.approx([level(heard["own"])] * 4, rel=1e-4)
    plain = sound.render(song, 1, 2)
    plain = np.pad(plain, (0, len(heard["own"]) - len(plain)))
    assert np.corrcoef(plain, heard["own"])[0, 1] > 0.999  # the song's own drums, on the same drums
    assert np.corrcoef(plain, heard["nobody"])[0, 1] < 0.9


# The page


def data_of(test: ListeningTest) -> dict:
    (script,) = Page(test.html).all("script", type="application/json")
    return json.loads(script["text"])


def test_every_clip_is_there_once():
    test = ListeningTest(clips(), KINDS)
    data = data_of(test)
    assert [(clip["song"], clip["drummer"]) for clip in data["clips"]] == [clip[:2] for clip in clips()]
    for clip in data["clips"]:
        audio, rate = soundfile.read(io.BytesIO(base64.b64decode(clip["mp3"], validate=True)))
        assert rate == data["rate"] == sound.SAMPLE_RATE and len(audio) / rate == pytest.approx(0.5, abs=0.06)
        assert level(audio) == pytest.approx(level(tone(0.1)), rel=0.15)
    assert (data["pairs"], data["hear"], data["what"], data["page"]) == (10, 2.0, WHAT, test.page)
    assert [tuple(kind) for kind in data["kinds"]] == list(KINDS)
    assert test.hear == 2.0


def test_all_kinds_if_none_are_named():
    assert ListeningTest(clips()).kinds == [("net", "machine"), ("net", "rules"), ("machine", "rules")]


def test_the_html_is_whole_and_asks_for_nothing():
    test = ListeningTest(clips())
    assert Page(test.html).open == []
    assert all(line and not line.startswith((" ", "\t")) for line in test.html.splitlines())
    assert "{{" not in test.html
    without_sound = test.html.replace(json.dumps(data_of(test)["clips"]), "")
    assert "http" not in without_sound and "url(" not in without_sound and "@import" not in without_sound
    assert not any("id" in element for element in Page(test.html).elements)
    assert test._repr_mimebundle_() == {
        "text/html": test.html,
        "text/plain": "ListeningTest(2 songs, 3 drummers, 10 pairs a sitting)",
    }


def test_every_button_says_what_it_does():
    page = Page(ListeningTest(clips()).html)
    groups = [element["aria-label"] for element in page.elements if element.get("role") == "group"]
    assert "Your answer" in groups and "Drummer that you hear" in groups
    assert [element.get("aria-live") for element in page.all("p", role="status")] == ["polite"]
    (slider,) = page.all("input")
    assert slider["aria-label"]


def test_the_page_does_not_say_who_is_who():
    """Names stand only in the data that the script reads."""
    page = Page(ListeningTest(clips()).html)
    for element in page.elements:
        if element.get("type") != "application/json":
            said = " ".join(str(value) for value in element.values())
            assert "machine" not in said and "rules" not in said


def test_names_are_harmless():
    name = NASTY[:80]
    plain, nasty = (
        Page(ListeningTest(clips((who, "b"), (who,)), title=title).html) for who, title in (("a", "A"), (name, NASTY))
    )
    assert [element["tag"] for element in plain.elements] == [element["tag"] for element in nasty.elements]
    assert data_of(ListeningTest(clips((name, "b"))))["clips"][0]["drummer"] == name
    assert nasty.all("p", **{"class": "dlt-title"})[0]["text"] == NASTY
    assert [e["text"] for e in plain.all("script")][1:] == [e["text"] for e in nasty.all("script")][1:]
    assert nasty.open == []


def test_the_page_has_a_name_of_its_own():
    test = ListeningTest(clips())
    assert test.page == ListeningTest(clips()).page == ListeningTest(clips(), seed=4).page
    louder = [*clips()[:-1], Clip("two", "rules", tone(0.2))]
    assert len({test.page, ListeningTest(clips(), KINDS).page, ListeningTest(louder).page}) == 3


def test_the_seed_is_on_the_page():
    assert Page(ListeningTest(clips(), seed=7).html).elements[0]["data-seed"] == "7"
    assert "data-seed" not in Page(ListeningTest(clips()).html).elements[0]


def test_a_page_of_its_own(tmp_path):
    test = ListeningTest(clips(), title=NASTY)
    test.save(tmp_path / "test.html")
    text = (tmp_path / "test.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and test.html in text
    assert f"<title>{html.escape(NASTY)}</title>" in text


@pytest.mark.parametrize(
    "clips, kinds, options, message",
    [
        (clips()[:-1], None, {}, "every drummer"),
        ([*clips(), clips()[0]], None, {}, "every drummer"),
        (clips(("a", "x" * 81)), None, {}, "names"),
        (clips(), [("net", "nobody")], {}, "a kind is two of these"),
        (clips(), [("net", "net")], {}, "a kind is two of these"),
        (clips(("net",)), None, {}, "a kind is two of these"),
        (clips(), [("net", "rules"), ("rules", "net")], {}, "twice"),
        ([*clips()[:-1], Clip("two", "rules", tone(0.1, 0.6))], None, {}, "equally long"),
        (clips(), None, {"pairs": 0}, "1 to 1000 pairs"),
        (clips(), None, {"hear": math.nan}, "0 seconds or more"),
    ],
)
def test_what_makes_no_sense(clips, kinds, options, message):
    with pytest.raises(ValueError, match=message):
        ListeningTest(clips, kinds, **options)
