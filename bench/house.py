"""Reads the imports of drumlib and drumbook, checks that they run one way, and writes what it has counted.

    python bench/house.py                           results/house.json and results/house.txt; exit status 1 on a fault
    python bench/house.py --before OTHER_CHECKOUT   counts that one too, as what it was before

Nothing is imported: the sources are parsed. Every import counts, also one inside a function, and also the names that a
package loads when they are first used (the dictionary ``_HOME`` in its ``__init__.py``). Two rules hold: the imports
between files have no cycle, and a folder imports only from folders in a lower layer (``LAYERS``) or from itself.
"""

import argparse
import ast
import json
import sys
from collections import Counter
from pathlib import Path

from drumlib.files import write_whole

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
SOURCES = {"drumlib": ".", "drumbook": "book"}
"""The packages, and the folder in which each of them lies."""

LAYERS = (
    ("drumlib", "drumlib.files", "drumlib.terminal"),
    ("drumlib.music",),
    ("drumlib.weights",),
    ("drumlib.data",),
    ("drumlib.inference",),
    ("drumlib.network",),
    ("drumlib.drummer", "drumlib.humanize"),
    ("drumlib.evaluation", "drumlib.display"),
    ("drumlib.commands",),
    ("drumlib.__main__",),
    ("drumbook",),
)
"""From the bottom to the top. What begins with one of these names stands in that layer."""

CORE = {
    "song": ("drumlib.music.song",),
    "grid": ("drumlib.music.grid",),
    "grid song": ("drumlib.data.grid_song", "drumlib.data.chart"),
    "windows": ("drumlib.data.windows",),
    "layers": ("drumlib.network.layers",),
    "thesis network": ("drumlib.network.thesis", "drumlib.network.models"),
    "training": ("drumlib.network.training",),
    "drummer": ("drumlib.drummer",),
}
"""The eight files that tell the story, each with its present name, and the one before."""


def modules(root: Path) -> dict[str, Path]:
    """The path of each module of the two packages, by its dotted name."""
    found = {}
    for package, folder in SOURCES.items():
        for path in sorted((root / folder / package).rglob("*.py")):
            name = ".".join(path.relative_to(root / folder).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imports_of(name: str, path: Path, known: dict) -> set[str]:
    """The modules among ``known`` that a module imports, anywhere in its text."""
    found = set()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join(filter(None, [*package.split(".")[: len(package.split(".")) - node.level + 1], base]))
            found |= {f"{base}.{a.name}" if f"{base}.{a.name}" in known else base for a in node.names}
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_HOME":
            found |= {f"{package}.{home}" for home in ast.literal_eval(node.value).values()}
    return (found & set(known)) - {name}


def cycles(imports: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other in a circle, directly or through others (Tarjan 1972)."""
    order, low, stack, groups = {}, {}, [], []

    def visit(name):
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in sorted(imports[name]):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for name in sorted(imports):
        if name not in order:
            visit(name)
    return sorted(groups)


def place(name: str) -> tuple[int, str]:
    """A module's layer, from 0, and the entry of ``LAYERS`` that it stands under: the longest that fits.

    Raises
    ------
    ValueError
        If it stands under none.
    """
    rooms = [
        (len(room), i, room) for i, layer in enumerate(LAYERS) for room in layer if f"{name}.".startswith(f"{room}.")
    ]
    _, layer, room = max(rooms, default=(0, 0, ""))
    if not room or (room == "drumlib" and name != "drumlib"):
        raise ValueError(f"{name} has no place in LAYERS")
    return layer, room


def upward(imports: dict[str, set[str]]) -> list[str]:
    """The imports that do not lead to a lower layer, nor stay under the same entry of it."""
    found = []
    for name, others in sorted(imports.items()):
        (layer, room), places = place(name), {other: place(other) for other in sorted(others)}
        found += [f"{name} -> {other}" for other, (l2, r2) in places.items() if l2 >= layer and r2 != room]
    return found


def read(root: Path) -> dict:
    """What stands in the two packages below a folder: sizes, imports, cycles, imports that lead upward."""
    known = modules(root)
    lines = {name: path.read_text(encoding="utf-8").count("\n") for name, path in known.items()}
    imports = {name: imports_of(name, path, known) for name, path in known.items()}
    folders = {}
    for name, path in known.items():
        folder = folders.setdefault(
            path.parent.relative_to(root).as_posix(), {"files": 0, "lines": 0, "imports": Counter()}
        )
        folder["files"], folder["lines"] = folder["files"] + 1, folder["lines"] + lines[name]
        targets = {known[other].parent.relative_to(root).as_posix() for other in imports[name]}
        folder["imports"].update(targets - {path.parent.relative_to(root).as_posix()})
    core = {next(name for name in names if name in lines): part for part, names in CORE.items()}
    return {
        **{
            package: {
                "files": sum(name.split(".")[0] == package for name in known),
                "lines": sum(count for name, count in lines.items() if name.split(".")[0] == package),
            }
            for package in SOURCES
        },
        "core": {**{name: lines[name] for name in core}, "in all": sum(lines[name] for name in core)},
        "cycles": cycles(imports),
        "upward": upward(imports),
        "folders": {
            name: {**it, "imports": dict(sorted(it["imports"].items()))} for name, it in sorted(folders.items())
        },
        "files": {name: {"lines": lines[name], "imports": sorted(imports[name])} for name in sorted(known)},
    }


def drawing(house: dict) -> str:
    """The layers from the top to the bottom: each file with its lines, and which other files it imports."""
    parts = []
    for number in reversed(range(len(LAYERS))):
        here = [name for name in house["files"] if place(name)[0] == number]
        if here:
            total = sum(house["files"][name]["lines"] for name in here)
            parts.append(f"\n{' and '.join(LAYERS[number])}: {len(here)} files, {total:,} lines\n")
        for name in here:
            file = house["files"][name]
            parts.append(f"  {name} ({file['lines']}): {', '.join(file['imports']) or '-'}\n")
    sizes = [f"{name} {house[name]['files']} files, {house[name]['lines']:,} lines" for name in SOURCES]
    head = (
        f"{'; '.join(sizes)}; the core {house['core']['in all']:,} lines. A layer imports only from those below it.\n"
    )
    return head + "".join(parts)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check which way the packages' imports run, and count their lines.")
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="count another checkout, too, as it was before")
    chosen = parser.parse_args(arguments)
    path = RESULTS / "house.json"
    before = read(chosen.before) if chosen.before else json.loads(path.read_text(encoding="utf-8"))["before"]
    after = read(ROOT)
    write_whole(path, (json.dumps({"before": before, "after": after}, indent=1) + "\n").encode())
    write_whole(RESULTS / "house.txt", drawing(after).encode())
    for name, house in (("before", before), ("after", after)):
        sizes = ", ".join(
            f"{package} {house[package]['files']} files {house[package]['lines']} lines" for package in SOURCES
        )
        faults = f"{len(house['cycles'])} cycles, {len(house['upward'])} upward"
        print(f"{name}: {sizes}; core {house['core']['in all']} lines; {faults}")
    for group in after["cycles"]:
        print("cycle:", ", ".join(group))
    for one in after["upward"]:
        print("upward:", one)
    return 1 if after["cycles"] or after["upward"] else 0


if __name__ == "__main__":
    sys.exit(main())
