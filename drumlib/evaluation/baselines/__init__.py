"""Baselines: drummers without a network, each of which plays whole songs.

Some ignore the band (``DrumMachine``), some learn a single bar of the training songs (``AverageBar``), some depend on
the band (``NearestBar``, ``RuleBased``). ``BASELINES`` has them all by name, and ``make`` builds them.
"""

from drumlib.data.windows import Windows
from drumlib.evaluation.baselines.base import Baseline
from drumlib.evaluation.baselines.learned import AverageBar, CommonBar, NearestBar
from drumlib.evaluation.baselines.machines import BarBefore, DrumMachine, HumanizedMachine, bar_before
from drumlib.evaluation.baselines.rules import RuleBased

__all__ = ["BASELINES", "Baseline", "bar_before", "check_names", "make"]

BASELINES = {
    kind.name: kind for kind in (DrumMachine, HumanizedMachine, BarBefore, AverageBar, CommonBar, NearestBar, RuleBased)
}
"""All baselines by name, the simplest first."""


def check_names(names) -> None:
    """Raise ValueError if there is no baseline of one of these names."""
    for name in names:
        if name not in BASELINES:
            raise ValueError(f"no baseline {name!r}: there is {', '.join(BASELINES)}")


def make(name: str, training: Windows | None = None, validation: Windows | None = None) -> Baseline:
    """Build the baseline of this name, and train it on the training songs' windows if it learns.

    Raises ValueError if there is none of that name, or nothing to learn from.
    """
    check_names([name])
    kind = BASELINES[name]
    if not kind.learns:
        return kind()
    if training is None or not len(training):
        raise ValueError(f"the baseline {name!r} learns from training songs, and there are none with windows here")
    return kind(training, validation)
