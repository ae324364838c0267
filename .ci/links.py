"""Asks every address that the book names whether it is still there.

    .venv/bin/python .ci/links.py

Nothing is run and nothing is kept: Sphinx reads the pages as they are, and asks each address once. The list of those
that are gone is printed; then the exit status is 1. It needs the network.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]

ASKING = {
    "linkcheck_timeout": 30,  # seconds
    "linkcheck_retries": 3,
    "linkcheck_workers": 4,
    "linkcheck_anchors": False,  # many pages make theirs by script
    "linkcheck_rate_limit_timeout": 60,
    "linkcheck_ignore": [
        r"https?://(localhost|127\.0\.0\.1)\b",
        r"https://doi\.org/",  # leads to publishers, who answer a robot with 403; a DOI does not move
        r"https://colab\.research\.google\.com/github/",  # opens for a person who has logged in
    ],
}
"""What we ask Sphinx to do, and whom not to ask."""


def settings() -> dict:
    """The book's own settings, but nothing is run, and with those above."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["execute"] = {"execute_notebooks": "off"}
    config["sphinx"]["config"] |= ASKING
    extensions = config["sphinx"].get("local_extensions", {})  # these stand relative to the settings' own file
    config["sphinx"]["local_extensions"] = {name: str(ROOT / path) for name, path in extensions.items()}
    return config


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "_config.yml"
        config.write_text(yaml.safe_dump(settings()), encoding="utf-8")
        tool = [str(Path(sys.executable).with_name("jupyter-book")), "build", "book", "--builder", "linkcheck"]
        where = ["--path-output", folder, "--config", str(config), "--toc", str(ROOT / "_toc.yml")]
        ran = subprocess.run(tool + where, cwd=ROOT, capture_output=True, text=True)
        found = list(Path(folder).rglob("output.json"))
        if not found:
            print(ran.stdout[-3000:], ran.stderr[-3000:], sep="\n")
            return 1
        links = [json.loads(line) for line in found[0].read_text(encoding="utf-8").splitlines()]
    gone = [link for link in links if link["status"] in ("broken", "timeout")]
    for link in gone:
        print(f"{link['filename']}:{link['lineno']}: {link['uri']}\n    {link['info']}")
    print(f"{len(links)} links, {len(gone)} of them gone.")
    return 1 if gone or not links else 0


if __name__ == "__main__":
    sys.exit(main())
