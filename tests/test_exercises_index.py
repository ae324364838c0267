"""The index of exercises is written from the chapters, and never out of date; nor are the notes for teachers."""

import re

from test_chapters import BOOK, made, tool


def test_the_index_is_what_the_chapters_say(capsys):
    assert tool.main(["--check"]) == 0, capsys.readouterr().out


def test_it_has_every_exercise_once():
    text = (BOOK / "exercises.md").read_text(encoding="utf-8")
    expected = [f"{chapter.name}.html#{one.anchor}" for chapter in tool.chapters() for one in chapter.exercises]
    assert re.findall(r'href="([^"]+)"', text) == expected and len(set(expected)) == len(expected) > 50


def test_an_index_that_is_out_of_date_is_found_and_written_anew(tmp_path, monkeypatch, capsys):
    chapter = made(tmp_path)
    monkeypatch.setattr(tool, "chapters", lambda: [chapter])
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "INDEX", tmp_path / "exercises.md")
    assert tool.main(["--check"]) == 1 and not tool.INDEX.exists()
    assert tool.main([]) == 0 and tool.main(["--check"]) == 0
    text = tool.INDEX.read_text(encoding="utf-8")
    assert "There are 3 of them, some 60 minutes of work." in text
    assert '| <a href="hats.html#one">1. One</a> | count to four, in a long line; clap | 10 |' in text
    chapter.exercises.pop()
    assert tool.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().out


def test_the_order_is_the_table_of_contents():
    contents = {
        "root": "index",
        "parts": [
            {"chapters": [{"file": "one", "sections": [{"file": "one_and_a_half"}]}, {"file": "two"}]},
            {"chapters": [{"file": "book/three"}]},
        ],
    }
    assert tool.order(contents) == ["index", "one", "one_and_a_half", "two", "three"]
    assert tool.order({"root": "index", "chapters": [{"file": "a"}]}) == ["index", "a"]


def teaching() -> str:
    return (BOOK / "teaching.md").read_text(encoding="utf-8")


def test_the_teachers_notes_name_exercises_that_exist():
    there = {(chapter.name, one.number) for chapter in tool.chapters() for one in chapter.exercises}
    named = {
        (name, int(number))
        for name, numbers in re.findall(r"\{doc\}`(\w+)`,?\s+exercises? (\d+(?:(?:, | and )\d+)*)", teaching())
        for number in re.findall(r"\d+", numbers)
    }
    assert len(named) > 20 and named - there == set()


def test_every_session_has_ninety_minutes():
    sessions = re.split(r"^### Session ", teaching(), flags=re.MULTILINE)[1:]
    assert [int(session[0]) for session in sessions] == [1, 2, 3, 4, 5, 6, 7]
    for session in sessions:
        rows = [tuple(map(int, row)) for row in re.findall(r"^\| (\d+)-(\d+) \|", session, re.MULTILINE)]
        assert rows[0][0] == 0 and rows[-1][1] == 90, session[:40]
        assert all(end == begin for (_, end), (begin, _) in zip(rows[:-1], rows[1:], strict=True)), session[:40]


def test_the_marks_add_up():
    homework = re.findall(r"^\| \{doc\}`\w+`, exercise \d+ \| (\d+) \| (.*?) \|", teaching(), re.MULTILINE)
    assert len(homework) == 9
    for points, answer in homework:
        assert int(points) == sum(map(int, re.findall(r"\((\d+)\)", answer))) == 10, answer
    sheet = teaching().split("| marking sheet |")[1].split("\n\n")[0]
    assert sum(map(int, re.findall(r"^\| [^|]+ \| (\d+) \|", sheet, re.MULTILINE))) == 100


def test_what_is_marked_at_home_has_marking_hints():
    marked = set(re.findall(r"\{doc\}`(\w+)`, exercises? [^;.]*?\(marked(?:: (\d+))?\)", teaching()))
    hints = set(re.findall(r"^\| \{doc\}`(\w+)`, exercise (\d+) \| \d", teaching(), re.MULTILINE))
    alone = {("drummer", "1") if pair == ("drummer", "") else pair for pair in marked}
    assert alone == hints
