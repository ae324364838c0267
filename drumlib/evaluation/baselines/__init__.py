"""Humble rivals. A network that does not beat them has learned less than it seems.

Every rival is a ``Baseline``: it plays whole songs. Some hear nothing (``DrumMachine``), some learn a single bar of the
training songs (``AverageBar``), some listen (``NearestBar``, ``RuleBased``). ``BASELINES`` has them all by name, and
``make`` builds them.
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
"""All rivals by name, the humblest first."""


def check_names(names) -> None:
    """Raise ValueError if there is no rival of one of these names."""
    for name in names:
        if name not in BASELINES:
            raise ValueError(f"no baseline {name!r}: there is {', '.join(BASELINES)}")


def make(name: str, training: Windows | None = None, validation: Windows | None = None) -> Baseline:
    """The rival of this name. Those that learn learn here, from the training songs' windows.

    Raises ValueError if there is none of that name, or if it has nothing to learn from.
    """
    check_names([name])
    kind = BASELINES[name]
    if not kind.learns:
        return kind()
    if training is None or not len(training):
        raise ValueError(f"the baseline {name!r} learns from training songs, and there are none with windows here")
    return kind(training, validation)
