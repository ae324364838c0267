"""Makes pages light: a small Sphinx extension, named in _config.yml.

In a notebook each player must carry all that it needs, for each stands in an output of its own. In a page they stand
together, and much is said again and again: the same band under one groove after the other, the same drums' samples, and
in every player the same style sheet and script. Here each of these is left once to a page, where it came first. What a
reader hears and sees is the same; ``tests/browser`` plays every player of the built pages.
"""

import re
from pathlib import Path

SOUND = re.compile(r'(<audio\b[^>]*?) src="(data:audio/[^"]+)"')
SAMPLES = re.compile(r'(<script type="text/plain"[^>]*)>([A-Za-z0-9+/=]{1000,})</script>')
STYLE = re.compile(r"<style>[^<]{500,}</style>\n?")
SCRIPT = re.compile(r'<script data-drumlib="\w+">(?:(?!</script>).)*</script>\n?', re.DOTALL)
"""A script that only defines: what it defines is there for the whole page. What starts a player is another script."""

HANDED_ON = """<script>
document.querySelectorAll("[data-drumlib-same]").forEach(function (element) {
  var first = document.getElementById(element.getAttribute("data-drumlib-same"));
  if (element.tagName === "AUDIO") element.src = first.src; else element.textContent = first.textContent;
});
</script>
"""
"""At the end of a page: gives each player the sound that stands further up."""


def say_once(page: str) -> str:
    """A page's HTML without repeated sounds, style sheets and scripts."""
    names, said = {}, set()

    def name_of(data: str) -> tuple[str, bool]:
        """What some data are called in this page, and whether they stood in it before."""
        again = data in names
        return names.setdefault(data, f"drumlib-said-{len(names)}"), again

    def sound(found):
        begin, data = found.groups()
        name, again = name_of(data)
        return f'{begin} data-drumlib-same="{name}"' if again else f'{begin} id="{name}" src="{data}"'

    def samples(found):
        begin, data = found.groups()
        name, again = name_of(data)
        return f'{begin} data-drumlib-same="{name}"></script>' if again else f'{begin} id="{name}">{data}</script>'

    def once(found):
        text = found[0].rstrip("\n")
        again = text in said
        said.add(text)
        return "" if again else found[0]

    shorter = SAMPLES.sub(samples, SOUND.sub(sound, page))
    shorter = SCRIPT.sub(once, STYLE.sub(once, shorter))
    if "data-drumlib-same=" in shorter:
        before, end, after = shorter.rpartition("</body>")
        shorter = before + HANDED_ON + end + after
    return shorter


def lighten(app, exception):
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).glob("*.html"):
            text = path.read_text(encoding="utf-8")
            # A page that has not changed since the last build was not written anew, and has been through here.
            if "drumlib-said-" not in text:
                path.write_text(say_once(text), encoding="utf-8")


def setup(app):
    app.connect("build-finished", lighten)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
