"""The book's linter: it has nothing to say about a sound book, and finds each kind of fault in one that was damaged."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from tools import load_tool

ROOT = Path(__file__).resolve().parents[1]

HATS = "book/hats.ipynb"
F1 = "<!-- = scores.json::rows::1::f1 {:.1%} -->"

tool, new_chapter = load_tool("check_book"), load_tool("new_chapter")

WORDS = r"| in this book | in the thesis |\n| --- | --- |\n| drums, a roll | *batterie* |\n\n"

GLOSSARY = """\
# Words

```{glossary}
drum roll
  What a drummer plays, on paper.

drums
  Nine of them. (Thesis: *batterie*.)
```

| in the thesis | in this book |
| --- | --- |
| *batterie* | {term}`drums` |
"""

TEACHING = """\
# For teachers

### Session 1: hats

| minutes | what |
| --- | --- |
| 0-60 | Listen. |
| 60-90 | {doc}`hats`, exercises 1 and 2 |

| homework | marks | what |
| --- | --- | --- |
| {doc}`hats`, exercise 3 | 10 | the answer (4), its reason (6) |

| marking sheet | marks |
| --- | --- |
| all | 100 |
"""

TOC = "root: index\nchapters:\n" + "".join(
    f"- file: {page}\n" for page in ("early", "hats", "glossary", "thesis", "teaching", "exercises", "reference")
)


def chapter(title: str, previous: str, following: str | None) -> str:
    """What `make new-chapter` writes, finished, with a table of words."""
    notebook = new_chapter.notebook(title, previous, following)
    text = re.sub('Replace this[^."]*', "Here", nbformat.writes(notebook)).replace("## Further", f"{WORDS}## Further")
    return tool.first_cell.with_first_cell(tool.clean.clean(text), "")


@pytest.fixture(scope="module")
def sound_book(tmp_path_factory) -> Path:
    """The repository of a small book of two chapters, without a fault. Not to be changed."""
    folder = tmp_path_factory.mktemp("book")
    rows = "".join(f"| {section} | *x* | [Hats](hats.ipynb#hear-it-first) |\n" for section in tool.THESIS)
    files = {
        "_toc.yml": TOC,
        "pyproject.toml": '[tool.drumlib-book]\nrepository = ""\n',
        "README.md": f"# Hats\n\nF1 is 82.5 %{F1}; 0.77<!-- 0.77: an example -->.\n",
        "bench/README.md": "`results/scores.json`\n",
        "bench/results/scores.json": '{"rows": [{}, {"f1": 0.8253}]}\n',
        "book/index.md": "# Start\n\n```\n89.6 %\n```\n",
        "book/early.ipynb": chapter("Early", "index", "hats"),
        "book/hats.ipynb": chapter("Hats", "early", None),
        "book/references.bib": "@thesis{goelzer2021,\n}\n",
        "book/glossary.md": GLOSSARY,
        "book/thesis.md": f"# Map\n\n| section | what | where |\n| --- | --- | --- |\n{rows}",
        "book/teaching.md": TEACHING,
        "book/reference.md": "# Package\n\n<!-- modules: drumlib.files -->\n",
        "drumlib/files.py": '"""Files."""\n',
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "book" / "exercises.md").write_text(tool.exercises.index(tool.exercises.chapters(folder)))
    return folder


@pytest.fixture
def book(sound_book, tmp_path) -> Path:
    """The same, to be damaged."""
    return Path(shutil.copytree(sound_book, tmp_path / "book"))


def damage(book: Path, name: str, old: str, new: str) -> None:
    text = (book / name).read_text(encoding="utf-8")
    assert old in text
    (book / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_sound_book_has_no_fault(book, capsys):
    assert tool.main(["--root", str(book)]) == 0
    assert capsys.readouterr().out == ""


ADDRESS = '{"name": "stdout", "output_type": "stream", "text": ["<Song at 0x7f0011223344>"]}'


@pytest.mark.parametrize(
    "name, old, new, fault",
    [
        ("_toc.yml", "file: hats", "file: caps", "_toc.yml: there is no page caps"),
        ("_toc.yml", "- file: hats\n", "", "book/hats.ipynb: is not in _toc.yml"),
        ("_toc.yml", "- file: hats\n", "- file: hats\n- file: hats\n", "_toc.yml: a table of contents names each page"),
        ("_toc.yml", "- file: hats\n- file: glossary", "- file: glossary\n- file: hats", "stands between chapters"),
        (HATS, '"execution_count": null', '"execution_count": 3', "book/hats.ipynb: holds pictures, counts"),
        (HATS, "this fetches the book", "this does", "book/hats.ipynb:2: the cell for Colab is not current"),
        (HATS, '"# Hats', '"## Hats', "book/hats.ipynb:1: a chapter begins with a text cell"),
        (HATS, '"hide-cell"', '"hide-cells"', "unknown tag hide-cells"),
        (HATS, "Press play.", "Replace this.", 'book/hats.ipynb:6: "Replace this" is left'),
        (HATS, '"mystnb": {', '"other": {', "book/hats.ipynb:11: a figure without an alternative text"),
        (HATS, '"alt": "A drum roll of a few bars. ', '"alt": "', "the alternative text 'Here.' does not say"),
        (HATS, "A drum roll of a few bars.", "Replace this.", '"Replace this" is left'),
        (HATS, '"hide-input"', '"nbval-check-output"', "and none is kept: make run-notebooks"),
        (HATS, '"outputs": []', f'"outputs": [{ADDRESS}]', "its output holds an address in memory"),
        (HATS, "You need {doc}`early`.", "", "book/hats.ipynb:1: no line like"),
        (HATS, "{doc}`early`", "{doc}`glossary`", "book/hats.ipynb:1: it needs glossary, which comes later"),
        (HATS, "**By the end you can**", "By the end", "0 objectives"),
        (HATS, "2. change how", "4. change how", "objectives are not numbered"),
        (HATS, "(exercise 1)", "", "objective 1 names no exercise"),
        (HATS, "(exercise 3)", "(exercise 4)", "objective 3: there is no exercise 4"),
        (HATS, "(exercise 3)", "(exercise 1)", "exercise 3 is named by no objective"),
        (HATS, "## What can go wrong", "## Mistakes", "book/hats.ipynb: has the sections"),
        (HATS, "### 1. The busiest", "### 2. The busiest", "exercises are numbered [2, 2, 3]"),
        (HATS, "*10 minutes.* Which", "\\n\\n**2. Uno.** Which", "exercises are headings (### 1. Name)"),
        (HATS, "assert hits[:, most].sum() ==", "assert True #", "exercise 1 has no"),
        (HATS, "Press play.", "Press play, as in {doc}`there <nowhere>`.", "hats.ipynb:6: there is no page nowhere"),
        (HATS, "Press play.", "See [it](early.ipynb#nowhere).", "early.ipynb has no heading #nowhere"),
        (HATS, "{cite:t}`goelzer2021`", "{cite:t}`nobody`", "references.bib has no entry nobody"),
        (HATS, "Press play.", "Play {term}`bagpipes`.", "the glossary has no entry bagpipes"),
        (HATS, "drums, a roll", "drums, a bagpipe", "the glossary lacks 'a bagpipe'"),
        (HATS, "a roll | *batterie*", "a roll | *cornemuse*", "the glossary lacks the thesis's"),
        ("book/glossary.md", "drum roll\n", "zither\n", "zither does not stand where the alphabet has it"),
        ("book/glossary.md", "roll\n", "roll\ndrums\n", "drums is explained twice"),
        ("book/glossary.md", "| *batterie* | {term}`drums` |", "", "'batterie' (drums) stands either in an entry or"),
        ("book/thesis.md", "| 2.3 |", "| 2.9 |", "book/thesis.md: has rows for the sections"),
        ("book/thesis.md", "[Hats](hats.ipynb#hear-it-first)", "-", "book/thesis.md:5: section 1 has no place"),
        ("book/exercises.md", "minutes", "days", "book/exercises.md: is out of date"),
        ("book/teaching.md", "exercises 1 and 2", "exercises 1 and 5", "hats has no exercise 5"),
        ("book/teaching.md", "| 60-90 |", "| 65-90 |", "the minutes of session 1 do not run"),
        ("book/teaching.md", "(6)", "(5)", "the marks do not add up to 10"),
        ("book/teaching.md", "| all | 100 |", "| all | 99 |", "does not add up to 100"),
        ("book/reference.md", "drumlib.files", "drumlib.folders", "reference names drumlib.folders"),
        ("drumlib/files.py", '"""Files."""', "x = 1", "the reference names drumlib.files"),
        ("bench/README.md", "scores.json", "others.json", "does not say which command wrote results/scores.json"),
        (HATS, "SONG = ", "open('nothing.json'); SONG = ", "book/hats.ipynb:4: there is no results file nothing"),
        (HATS, "Press play.", "F1 is 89.6 %.", "book/hats.ipynb:6: 89.6 %: insert it"),
        (HATS, "Press play.", "Late by 18.8 ms.", "18.8 ms: insert it"),
        (HATS, "Press play.", "F1 is .896.", ".896: insert it"),
        (HATS, "Press play.", "0.77<!-- 0.78: an example -->", "0.77: insert it"),
        (HATS, "Press play.", f"82.6 %{F1}", "book/hats.ipynb:6: scores.json has 82.5 %"),
        (HATS, "Press play.", f"82.5 % and 82.5 %{F1}", "82.5 %: insert it"),
        (HATS, "Press play.", "1 %<!-- = scores.json::rows::2::f1 {} -->", "scores.json::rows::2::f1 {}: IndexError"),
        (HATS, "Press play.", "1 %<!-- = nothing.json::rows {:.1%} -->", "there is no results file nothing.json"),
        ("README.md", "82.5 %", "99.9 %", "README.md:3: scores.json has 82.5 %"),
    ],
)  # fmt: skip
def test_a_fault_is_found(book, capsys, name, old, new, fault):
    damage(book, name, old, new)
    assert tool.main(["--root", str(book)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert any(fault in line for line in said), said
    assert all(re.match(r"[\w./-]+(:\d+)?: .", line) for line in said)


def test_numbers_are_written_from_the_results(book, capsys):
    damage(book, "bench/results/scores.json", "0.8253", "0.9")
    damage(book, HATS, "Press play.", f"It has {F1}, twice 1.5 %{F1}.")
    assert tool.main(["--root", str(book), "--write"]) == 0, capsys.readouterr().out
    assert f"It has 90.0 %{F1}, twice 90.0 %{F1}." in (book / HATS).read_text()
    assert f"F1 is 90.0 %{F1}; 0.77" in (book / "README.md").read_text()
    assert "README.md written" in capsys.readouterr().out
    before = (book / HATS).read_bytes()
    assert tool.main(["--root", str(book), "--write"]) == 0 and (book / HATS).read_bytes() == before


def test_a_chapter_is_read_as_it_is_meant(book):
    hats = tool.exercises.Chapter(book / HATS)
    assert hats.title == "Hats" and [name for name in hats.sections if name in tool.SECTIONS] == tool.SECTIONS
    assert [one.exercises for one in hats.objectives] == [(1,), (2,), (3,)]
    assert hats.objectives[0].text == "say which of the nine drums plays most, and how often"
    assert [(one.number, one.minutes, one.anchor) for one in hats.exercises] == [
        *((1, 10, "the-busiest-drum"), (2, 10, "a-softer-snare"), (3, 10, "a-late-kick"))
    ]
    row = '| <a href="hats.html#a-softer-snare">2. A softer snare</a> | change how loud a drum is, and hear that'
    assert row in (book / "book" / "exercises.md").read_text()


def test_checks_of_all_kinds_count():
    asserts = tool.exercises.asserts
    assert asserts("np.testing.assert_allclose(a, b)") and asserts("for x in y:\n    assert x")
    assert not asserts("# assert x\nprint('assert x')") and not asserts("assert 1")


def test_a_figure_is_one_that_the_cell_itself_draws():
    assert tool.draws("fig, axes = plt.subplots(2)") and tool.draws("for x in y:\n    plot_roll(x)")
    assert not tool.draws("def show():\n    plot_roll(x)") and not tool.draws("print(1)") and not tool.draws("!pip")


def test_headings_have_the_names_that_myst_gives_them():
    base = pytest.importorskip("myst_parser.mdit_to_docutils.base")
    for name in ("index.ipynb", "model.ipynb", "thesis.md"):
        page = tool.Page(ROOT / "book" / name, ROOT)
        titles = re.findall(r"^#{1,3} +(.+?) *$", page.text, re.MULTILINE)
        assert [re.sub(r"-\d+$", "", slug) for slug in page.slugs] == [
            re.sub(r"-\d+$", "", base.default_slugify(title)) for title in titles
        ]


def test_the_index_of_exercises_is_written_anew(book, monkeypatch, capsys):
    exercises = tool.exercises
    monkeypatch.setattr(exercises, "chapters", lambda read=exercises.chapters: read(book))
    monkeypatch.setattr(exercises, "ROOT", book)
    monkeypatch.setattr(exercises, "INDEX", book / "book" / "exercises.md")
    assert exercises.main(["--check"]) == 0
    damage(book, HATS, "change how loud", "tell how loud")
    assert exercises.main(["--check"]) == 1 and "out of date" in capsys.readouterr().out
    assert exercises.main([]) == 0 and "tell how loud" in exercises.INDEX.read_text()


def test_the_order_is_the_table_of_contents():
    contents = {
        "root": "index",
        "parts": [
            {"chapters": [{"file": "one", "sections": [{"file": "one_and_a_half"}]}, {"file": "two"}]},
            {"chapters": [{"file": "book/three"}]},
        ],
    }
    assert tool.exercises.order(contents) == ["index", "one", "one_and_a_half", "two", "three"]
