"""What all commands share: errors in one line, checks before the work, and options under their old names."""

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path


class UsageError(ValueError):
    """An input that cannot be used; the message says which and why in one line."""


def add_command(commands, name: str, run: Callable, help: str, description: str = "") -> argparse.ArgumentParser:
    """A new command, which calls ``run`` with its options. ``help`` is a phrase: small first letter, no full stop."""
    command = commands.add_parser(name, help=help, description=description or f"{help[0].upper()}{help[1:]}.")
    command.set_defaults(run=run)
    return command


def add_renamed(command: argparse.ArgumentParser, name: str, old: str, type: Callable, help: str, **settings) -> None:
    """Add the option ``name``, and ``old``, its name in version 0.1: unlisted; its use gives a ``FutureWarning``."""
    dest = command.add_argument(name, type=type, help=help, **settings).dest
    settings |= {"dest": dest, "default": argparse.SUPPRESS, "action": _OldName, "new": name}
    command.add_argument(old, type=type, help=argparse.SUPPRESS, **settings)


class _OldName(argparse.Action):
    """Stores what the option ``new`` would store."""

    def __init__(self, *arguments, new: str, **settings):
        super().__init__(*arguments, **settings)
        self.new = new

    def __call__(self, parser, namespace, values, option_string=None):
        warnings.warn(f"the option {option_string} is called {self.new} now", FutureWarning, stacklevel=2)
        setattr(namespace, self.dest, values)


def one_line(error: Exception) -> str:
    """An error as one line that says which file and why."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def about_song(path: Path, work: Callable, song):
    """Return ``work(song)``; a ValueError becomes a UsageError that names the file."""
    try:
        return work(song)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None


def check_output(path: Path, *others: Path) -> None:
    """Raise a UsageError, before the work, if a result cannot go to ``path`` or would replace one of ``others``."""
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: it is there already, and is no ordinary file")
    for other in others:
        if path.resolve() == other.resolve():
            raise UsageError(f"{path}: the result would take the place of {other}")


def counted(count: int, thing: str) -> str:
    """A number of things: ``1 bar``, ``2 bars``."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
