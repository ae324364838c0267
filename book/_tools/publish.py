"""Says where this repository is published, in every place that names the address.

    python book/_tools/publish.py owner/name
    python book/_tools/publish.py ""             nowhere: takes it all away again
    python book/_tools/publish.py --check        changes nothing; do all places agree?

The one place for the address is pyproject.toml, [tool.drumlib-book]. From there it goes into _config.yml (the
book's buttons), README.md and CONTRIBUTING.md (badges and commands), CITATION.cff, and the first cell of each chapter.
While there is no address none of them shows a link or a button. A second call changes nothing; an empty address gives
every file back byte for byte. All files are worked out before the first one is written, and each is written whole.
"""

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import first_cell

from drumlib.files import write_whole

ROOT = Path(__file__).resolve().parents[2]

OWNER = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")
NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
"""What GitHub allows."""

BRANCH = "main"


@dataclass(frozen=True)
class Address:
    """Where a repository is on GitHub. With an owner that is empty there is none."""

    owner: str = ""
    name: str = ""

    def __bool__(self) -> bool:
        return bool(self.owner)

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}" if self else ""

    @property
    def repository(self) -> str:
        return f"https://github.com/{self}" if self else ""

    @property
    def pages(self) -> str:
        """The published book. A repository that is named like its owner's site is served at the top of that site."""
        host = f"{self.owner.lower()}.github.io"
        return f"https://{host}/" if self.name.lower() == host else f"https://{host}/{self.name}/"

    @property
    def colab(self) -> str:
        """The first page, opened in Google Colab."""
        return f"https://colab.research.google.com/github/{self}/blob/{BRANCH}/book/index.ipynb"


def parse(text: str) -> Address:
    """An address from ``owner/name``; none from an empty text.

    Raises
    ------
    ValueError
        If it is neither; in words that help.
    """
    if not text:
        return Address()
    owner, slash, name = text.partition("/")
    if "://" in text or text.startswith("git@") or "github.com" in text:
        raise ValueError(f"{text!r} is a whole address; only its owner/name is wanted, such as somebody/drummers-book")
    if not slash or "/" in name:
        raise ValueError(f"{text!r} is not owner/name, such as somebody/drummers-book")
    if not OWNER.fullmatch(owner):
        raise ValueError(
            f"{owner!r} cannot be an owner on GitHub: letters, digits and single hyphens inside, 39 at most"
        )
    if not NAME.fullmatch(name) or name in (".", "..") or name.endswith(".git"):
        raise ValueError(f"{name!r} cannot be a repository's name: letters, digits, . _ and -, and no .git at its end")
    return Address(owner, name)


def once(pattern: str, new: str, text: str, what: str) -> str:
    """The text with the one place that the pattern finds replaced; ``what`` names it if it is not there just once.

    Raises
    ------
    ValueError
        If it is missing, or there are several.
    """
    text, found = re.subn(pattern, new, text, flags=re.MULTILINE)
    if found != 1:
        raise ValueError(f"{what} was expected once, and is there {found} times")
    return text


def block(text: str, lines: list[str], begin: str, end: str) -> str:
    """The text with these lines between the two marks, in place of what stands there."""
    inner = "".join(line + "\n" for line in lines)
    return once(rf"^{re.escape(begin)}\n(?:.*\n)*?{re.escape(end)}$", f"{begin}\n{inner}{end}", text, begin)


def in_markdown(text: str, lines: list[str]) -> str:
    return block(text, lines, "<!-- address: written by make publish-setup -->", "<!-- end of address -->")


def in_pyproject(text: str, address: Address) -> str:
    """The one place for the address, and the links that PyPI shows."""
    text = re.sub(r"^\[project\.urls\]\n(?:\w+ = .*\n)*\n", "", text, flags=re.MULTILINE)
    links = {
        "Documentation": address.pages,
        "Repository": address.repository,
        "Issues": f"{address.repository}/issues",
        "Changelog": f"{address.repository}/blob/{BRANCH}/CHANGELOG.md",
    }
    lines = "".join(f'{name} = "{link}"\n' for name, link in links.items())
    urls = f"[project.urls]\n{lines}\n" if address else ""
    text = once(r"^\[project\.scripts\]\n", f"{urls}[project.scripts]\n", text, "[project.scripts]")
    return once(r'^(\[tool\.drumlib-book\]\n(?:#.*\n)*repository = )".*"$', rf'\g<1>"{address}"', text, "repository")


def in_config(text: str, address: Address) -> str:
    """The buttons of the book's pages: the repository, an issue, an edit, and Colab on a chapter."""
    where = [f"  branch: {BRANCH}", "  path_to_book: book"] if address else []
    lines = "".join(line + "\n" for line in ["repository:", f'  url: "{address.repository}"', *where])
    text = once(r'^repository:\n  url: ".*"\n(?:  (?:branch|path_to_book): .*\n)*', lines, text, "repository: url:")
    for button in ("use_repository_button", "use_edit_page_button", "use_issues_button"):
        text = once(rf"^  {button}: (?:true|false)", f"  {button}: {str(bool(address)).lower()}", text, button)
    text = re.sub(r"^launch_buttons:\n  colab_url: .*\n", "", text, flags=re.MULTILINE)
    if re.search("^launch_buttons:", text, re.MULTILINE):
        raise ValueError("there are other launch_buttons; they belong below the colab_url that this tool writes")
    launch = 'launch_buttons:\n  colab_url: "https://colab.research.google.com"\n' if address else ""
    return once(r"^html:\n", launch + "html:\n", text, "html:")


def in_readme(text: str, address: Address) -> str:
    actions = f"{address.repository}/actions/workflows"
    lines = [
        f"[![tests and book]({actions}/book.yml/badge.svg)]({actions}/book.yml)",
        f"[![open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({address.colab})",
        "",
        f"Read it, and play with it, at <{address.pages}>. The rocket at a chapter's head opens it in Colab.",
        f"Of the package alone: `pip install git+{address.repository}`.",
    ]
    return in_markdown(text, lines if address else [])


def in_contributing(text: str, address: Address) -> str:
    lines = ["", f"    git clone {address.repository}", "", f"Faults and wishes: <{address.repository}/issues>.", ""]
    return in_markdown(text, lines if address else [])


def in_citation(text: str, address: Address) -> str:
    text = re.sub(r'^(?:repository-code|url): ".*"\n', "", text, flags=re.MULTILINE)
    lines = f'repository-code: "{address.repository}"\nurl: "{address.pages}"\n' if address else ""
    return once(r"^(license: .*\n)", rf"\g<1>{lines}", text, "license:")


def in_chapter(text: str, address: Address) -> str:
    return first_cell.with_first_cell(text, address.repository)


PLACES: dict[str, Callable[[str, Address], str]] = {
    "pyproject.toml": in_pyproject,
    "_config.yml": in_config,
    "README.md": in_readme,
    "CONTRIBUTING.md": in_contributing,
    "CITATION.cff": in_citation,
    "book/*.ipynb": in_chapter,
}
"""Every file that names the address, and how it does: a function from its text and the address to its text."""


def work_out(address: Address, root: Path = ROOT) -> dict[Path, str]:
    """The new text of each file that must change.

    Raises
    ------
    ValueError
        If a file has no place for the address.
    OSError
        If one cannot be read.
    """
    changed = {}
    for pattern, place in PLACES.items():
        paths = sorted(root.glob(pattern))
        if not paths:
            raise ValueError(f"{pattern} is missing")
        for path in paths:
            before = path.read_bytes().decode()
            try:
                after = place(before, address)
            except ValueError as error:
                raise ValueError(f"{path.relative_to(root)}: {error}") from None
            if after != before:
                changed[path] = after
    return changed


def current(root: Path = ROOT) -> Address:
    """The address that is set, from the one place for it."""
    found = first_cell.address((root / "pyproject.toml").read_text(encoding="utf-8"))
    return parse(found.removeprefix("https://github.com/"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Say where this repository is published, in every place that names it."
    )
    parser.add_argument("repository", nargs="?", metavar="OWNER/NAME", help='on GitHub; "" for nowhere')
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 1 if a place disagrees")
    chosen = parser.parse_args(arguments)
    if (chosen.repository is None) != chosen.check:
        parser.error('give owner/name, or "" to take the address away, or --check')
    try:
        address = current() if chosen.check else parse(chosen.repository)
        changed = work_out(address)
        if not chosen.check:
            for path, text in changed.items():
                write_whole(path, text.encode())
    except (ValueError, OSError) as error:
        parser.error(str(error))
    for path in changed:
        print(path.relative_to(ROOT), "does not agree" if chosen.check else "written")
    if chosen.check:
        return 1 if changed else 0
    print(
        f"The address is {address.repository}; the book will be at {address.pages}" if address else "No address is set."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
