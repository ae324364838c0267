"""What a page says again and again is left once, and nothing else is touched."""

from pathlib import Path

import pytest
from tools import load_tool

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def tool():
    return load_tool("said_once")


def player(sound: str, version: int = 1) -> str:
    """Shaped as drumlib's are."""
    style = ".drumlib-player { color: red; }" * 30
    return (
        f'<div class="drumlib-player"><style>{style}</style>\n<audio data-stem="band" preload="none" '
        f'src="data:audio/mpeg;base64,{sound}"></audio>'
        f'<script type="text/plain" class="dls-kit">{"kit+" * 500}</script>'
        f'<script type="application/json">{{"a": 1}}</script>\n'
        f'<script data-drumlib="roll">\nwindow.drumlib_{version}.roll = 1;\n</script>\n'
        f'<script data-drumlib="player">\nwindow.drumlib_{version}.player = 2;\n</script>\n'
        f'<script>window.drumlib_{version}.start("player")</script></div>'
    )


def page(*players: str) -> str:
    return f"<html><body><p>1 &lt; 2</p>{''.join(players)}</body></html>"


def test_the_second_player_refers_to_the_first(tool):
    text = tool.say_once(page(player("AAAA"), player("AAAA"), player("BBBB")))
    assert text.count("base64,AAAA") == text.count("base64,BBBB") == 1
    assert text.count("<audio ") == 3 and text.count("data-drumlib-same=") == 1 + 2
    assert text.count("kit+" * 500) == 1 and text.count('class="dls-kit"') == 3
    assert text.count("<style>") == 1 and text.count("roll = 1") == text.count("player = 2") == 1
    assert text.count('<script>window.drumlib_1.start("player")</script>') == 3, "each player is started"
    assert text.count('{"a": 1}') == 3, "each player's own data stay"
    assert text.endswith(tool.HANDED_ON + "</body></html>") and "<p>1 &lt; 2</p>" in text


def test_two_versions_of_a_script_stay(tool):
    text = tool.say_once(page(player("AAAA"), player("BBBB", 2)))
    assert text.count("roll = 1") == text.count("player = 2") == 2


def test_a_page_that_repeats_nothing_keeps_its_bytes(tool):
    for text in ("<html><body>no player</body></html>", "", "<script>a()</script>" * 2):
        assert tool.say_once(text) == text
    assert tool.HANDED_ON not in tool.say_once(page(player("AAAA")))


def test_a_page_that_was_lightened_stays_as_it_is(tool, tmp_path):
    class App:
        class builder:
            format = "html"

        outdir = tmp_path

    path = tmp_path / "page.html"
    path.write_text(page(player("AAAA"), player("AAAA")), encoding="utf-8")
    tool.lighten(App, None)
    once = path.read_text(encoding="utf-8")
    tool.lighten(App, None)
    assert path.read_text(encoding="utf-8") == once
