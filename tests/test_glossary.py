"""The glossary has every word that a chapter puts beside the thesis's, and the way back from French."""

import re
import unicodedata
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parents[1] / "book"
TEXT = (BOOK / "glossary.md").read_text(encoding="utf-8")
TABLE = re.compile(r"^\| *in this book *\| *in the thesis *\|\n\|[-| ]+\|\n((?:\|.*\n?)+)", re.MULTILINE)
SMALL_WORDS = ("a ", "an ", "the ", "to ", "its ")


def entries(text: str) -> list[tuple[list[str], str]]:
    """The glossary's entries: the words that share a definition, and the definition."""
    [block] = re.findall(r"^```\{glossary\}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    found = []
    for entry in block.strip("\n").split("\n\n"):
        lines = entry.split("\n")
        heads = [line for line in lines if not line.startswith(" ")]
        found.append((heads, " ".join(line.strip() for line in lines[len(heads) :])))
    return found


def plain(word: str) -> str:
    """A word without what does not matter: capitals, small words before it, a plural's s."""
    word = word.strip().lower().removesuffix(" to it")
    for small in SMALL_WORDS:
        word = word.removeprefix(small)
    return re.sub(r"(?<=\w\w)s$", "", word)


def bare(word: str) -> str:
    """A French word without accents, hyphens and quotation marks, for the order of the alphabet and for comparing."""
    letters = unicodedata.normalize("NFD", word.lower())
    return re.sub(r"[«»\"“”\s-]+", " ", "".join(c for c in letters if not unicodedata.combining(c))).strip()


def singular(word: str) -> str:
    """Bare French words without the s of their plurals."""
    return re.sub(r"s\b", "", bare(word))


def thesis_words(definition: str) -> list[str]:
    """The thesis's words in a definition: in brackets at its end, in italics."""
    return [
        word
        for bracket in re.findall(r"\(Thesis: ([^()]*)\)", definition)
        for word in re.findall(r"\*([^*]+)\*", bracket)
    ]


def tables() -> list[tuple[str, str, str]]:
    """Chapter, our words, the thesis's words: every row of every table "in this book | in the thesis"."""
    found = []
    for path in sorted(BOOK.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for table in TABLE.findall(cell.source) if cell.cell_type == "markdown" else ():
                for line in table.strip().split("\n"):
                    ours, theirs = (part.strip() for part in line.strip().strip("|").split("|"))
                    found.append((path.stem, ours, theirs))
    return found


def words(cell: str) -> list[str]:
    """The words of a table's cell: parted by commas and semicolons, and those in brackets."""
    return [word.strip() for word in re.split(r"[,;()]", cell) if word.strip()]


HEADS = [head for heads, _ in entries(TEXT) for head in heads]
KNOWN = {plain(head) for head in HEADS}


def is_there(word: str) -> bool:
    """Whether the glossary has this word, or a longer one that ends with it ("vectors": conductor vector)."""
    return plain(word) in KNOWN or any(head.endswith(" " + plain(word)) for head in KNOWN)


@pytest.mark.parametrize("chapter, ours, theirs", tables(), ids=lambda value: value[:30])
def test_the_words_of_the_chapters_are_here(chapter, ours, theirs):
    missing = [word for word in words(ours) if not is_there(word)]
    assert not missing, f"{chapter} uses {missing}: add them to book/glossary.md"


@pytest.mark.parametrize("chapter, ours, theirs", tables(), ids=lambda value: value[:30])
def test_so_are_the_thesis_s(chapter, ours, theirs):
    here = singular(" ".join(word for _, definition in entries(TEXT) for word in thesis_words(definition)))
    said = " , ".join(re.findall(r"\*([^*]+)\*", theirs))
    for word in re.split(r"[,;]| et ", re.sub(r"\(.*?\)", "", said)):
        word = singular(word)
        assert word in here, f"{chapter} says that the thesis says {word!r}: add it to its entry in book/glossary.md"


def test_chapters_have_such_tables():
    assert len({chapter for chapter, *_ in tables()}) >= 8


def test_seventy_words_in_order_each_once_each_explained():
    heads = [heads[0].lower() for heads, _ in entries(TEXT)]
    assert len(heads) >= 70
    assert heads == sorted(heads)
    assert len({head.lower() for head in HEADS}) == len(HEADS)
    for heads, definition in entries(TEXT):
        said = re.sub(r"\(Thesis: [^()]*\)", "", definition).strip()
        assert said.endswith("."), heads
        assert 1 <= len(re.findall(r"[.?](?= |$)", said)) <= 3, f"{heads}: one to three sentences"


def test_the_way_back_has_every_french_word_once_and_in_order():
    rows = re.findall(r"^\| \*([^*]+)\* \| \{term\}`([^`]+)` \|$", TEXT, flags=re.MULTILINE)
    assert sorted(rows) == sorted((word, heads[0]) for heads, text in entries(TEXT) for word in thesis_words(text))
    assert [bare(word) for word, _ in rows] == sorted(bare(word) for word, _ in rows)


def test_every_reference_leads_to_an_entry():
    known = {head.lower() for head in HEADS}
    assert {term.lower() for term in re.findall(r"\{term\}`([^`]+)`", TEXT)} <= known


def test_a_missing_word_would_be_found():
    assert is_there("a threshold") and is_there("its vectors") and not is_there("bagpipe")
    assert words("weights, parameters; hits (H)") == ["weights", "parameters", "hits", "H"]
