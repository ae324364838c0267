"""The command line: ``drumlib accompany SONG.mid -o OUT.mid`` and the other commands (``drumlib.commands``)."""

import os
import sys


def _drop_current_folder_from_path() -> None:
    """Take the current folder off the path: with ``python -m drumlib``, Python would import a ``mido.py`` from there.

    It stays if drumlib itself lies in it.
    """
    here = os.getcwd()
    if sys.path[:1] == [here] and not os.path.samefile(here, os.path.join(os.path.dirname(__file__), os.pardir)):
        del sys.path[0]


if __name__ == "__main__":
    _drop_current_folder_from_path()

import argparse
import io
import warnings

from drumlib import __version__
from drumlib.commands import data, evaluate, songs, train
from drumlib.commands.common import UsageError, one_line
from drumlib.terminal import printable, say


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0, or 1 with one line on standard error if the input cannot be used."""
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show must not stop a command
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: say(f"note: {message}", error=True)
            options = parser().parse_args(arguments)
            if (getattr(options, "seed", None) or 0) < 0:
                raise UsageError("--seed: a seed is 0 or more")
            options.run(options)
        print(end="", flush=True)
    except KeyboardInterrupt:
        print("drumlib: stopped", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        if isinstance(error, BrokenPipeError) and stdout_closed():
            sys.stdout = None  # otherwise Python reports the broken pipe once more at exit
        else:
            say(f"drumlib: {one_line(error)}", error=True)
        return 1
    return 0


def stdout_closed() -> bool:
    """Whether the pipe that broke is standard output, closed by its reader, as ``| head`` does."""
    try:
        print(flush=True)
    except BrokenPipeError:
        return True
    return False


class Parser(argparse.ArgumentParser):
    """An argument parser whose error messages hold no control characters."""

    def error(self, message: str):
        super().error(printable(message))


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = Parser(prog="drumlib", description="A neural network that adds drums to your song.")
    top.add_argument("--version", action="version", version=f"drumlib {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (songs, data, train, evaluate):
        module.add_commands(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
