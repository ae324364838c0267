"""Build a corpus of composed bands: ``python -m drumbook.bands GROOVE -o CORPUS --variants N``."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from drumbook.bands.source import RULES, GrooveBands
from drumlib.data.corpus.builder import build


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 0, or 1 with one line on standard error if the corpus cannot be built."""
    parser = argparse.ArgumentParser(
        prog="python -m drumbook.bands",
        description="Compose bands to the performances of the Groove MIDI Dataset, and write them as a corpus that "
        "`drumlib train --corpus` reads. Stop it with Ctrl-C when you like: the same command goes on.",
    )
    parser.add_argument("groove", type=Path, metavar="GROOVE", help="the data set's folder, or its archive")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="CORPUS", help="the corpus's folder")
    parser.add_argument("--variants", type=int, default=1, metavar="N", help="bands for each performance (default: 1)")
    parser.add_argument("--min-bars", type=int, default=RULES.bars, metavar="N", help="of a performance (default: 8)")
    parser.add_argument("--missing", type=int, default=0, metavar="N", help="families that may be silent in a window")
    parser.add_argument("--seed", type=int, default=0, help="of the compositions (default: 0)")
    parser.add_argument("--shard-songs", type=int, default=64, metavar="N", help="songs of a shard (default: 64)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core; 0: only this one)")
    options = parser.parse_args(arguments)
    try:
        settings = ("variants", "min_bars", "missing", "seed", "shard_songs")  # what the corpus depends on
        words = " ".join(f"--{name.replace('_', '-')} {getattr(options, name)}" for name in settings)
        manifest = build(
            GrooveBands(options.groove.resolve(), options.variants, options.seed),  # a worker may start elsewhere
            options.output,
            replace(RULES, bars=options.min_bars, missing=options.missing),
            workers=options.workers,
            shard_songs=options.shard_songs,
            seed=options.seed,
            command=f"python -m drumbook.bands GROOVE -o CORPUS {words}",
        )
    except KeyboardInterrupt:
        print("drumbook.bands: stopped", file=sys.stderr)
        return 130
    except (ValueError, OSError, RuntimeError) as error:
        print(f"drumbook.bands: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    counts = manifest["counts"]
    print(f"{options.output}: {counts['songs_kept']:,} songs of {counts['songs']:,}, {counts['windows']:,} windows")
    for reason, count in counts["songs_left_out"].items():
        print(f"  left out: {count:,} ({reason})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
