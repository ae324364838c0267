"""The pages' JavaScript without a page: each expression of javascript.json has the value that stands below it.

Values are computed by hand or by Python. Expressions see what the scripts define, as ``drumlib``.
"""

import json
from pathlib import Path

import pytest

from drumlib.display import assets

ROOT = Path(__file__).parents[2]
GOLDEN = json.loads(Path(__file__).with_name("javascript.json").read_text(encoding="utf-8"))
SCRIPTS = ("components", "audio", "transport", "roll_layout", "statistics", "midi", "hits", "mix", "listening_test")


def sources(kind: str) -> list[Path]:
    """The package's and the book's own files of a kind; not the theme's, and not what is built."""
    found = [path for folder in ("drumlib", "book") for path in (ROOT / folder).rglob(f"*.{kind}")]
    return sorted(path for path in found if not {"_build", "_static"} & set(path.relative_to(ROOT).parts))


@pytest.fixture(scope="module")
def page(browser):
    page, faults = browser.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    found = {path.stem: path for path in sources("js")}
    for name in SCRIPTS:
        page.add_script_tag(path=found[name])
    yield page
    page.close()
    assert faults == []


@pytest.mark.parametrize("expression", GOLDEN)
def test_a_pure_function_has_its_golden_value(page, expression):
    expected, got = GOLDEN[expression], page.evaluate(expression)
    if isinstance(expected, (float, int)) or isinstance(expected, list) and all(isinstance(x, float) for x in expected):
        assert got == pytest.approx(expected, abs=1e-9)
    else:
        assert got == expected


def test_each_script_is_strict_and_in_a_page():
    pasted = "".join(path.read_text("utf-8") for path in sources("html"))
    for path in sources("js"):
        assert path.read_text("utf-8").count('"use strict";') == 1, path
        assert f"{{{{{path.name}}}}}" in pasted, f"no page has {path.name}"


def test_a_script_is_made_smaller_and_keeps_its_strings(tmp_path):
    """A template literal of several lines would be another text without its indents, and is refused."""
    (tmp_path / "one.html").write_text("<p>{{one.js}}</p>")
    (tmp_path / "one.js").write_text('// comment\nconst a = `x  ${1}`;\n\n  f(a, "b  = c", a - b, a - -b); // why\n')
    assert assets.assets("one", tmp_path) == (
        "",
        '<p><script data-drumlib="one">\nconst a=`x  ${1}`;\nf(a,"b  = c",a-b,a - -b);\n</script></p>',
    )
    (tmp_path / "two.html").write_text("{{two.js}}")
    (tmp_path / "two.js").write_text("const a = `x\n  // kept?\n`;\n")
    with pytest.raises(ValueError, match="two.js: a template literal"):
        assets.assets("two", tmp_path)
