"""The knobs of a stage, and the take that belongs to each of their settings."""

from dataclasses import dataclass

import numpy as np

from drumlib.music.grid import Groove

MAX_SETTINGS = 128
"""The most settings that the knobs of a stage may have together: each is computed, and is part of the page."""

MAX_TAKE_STEPS = 4096
"""The most steps of a take: a page writes a step with 12 bits."""


@dataclass(frozen=True)
class Knob:
    """A control of a stage: a slider over numbers, or a list of strings.

    Attributes
    ----------
    name : the keyword under which ``play`` gets its value.
    label : the text beside it.
    values : its values in order: numbers for a slider, strings for a list.
    start : index of the initial value.
    texts : the text of each value; ``str(value)``, if not given.

    Raises
    ------
    ValueError
        If there are no values, if ``start`` is no index of them, or if there are not as many texts as values.
    """

    name: str
    label: str
    values: tuple
    start: int = 0
    texts: tuple[str, ...] | None = None

    def __post_init__(self):
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values:
            raise ValueError(f"the knob {self.name!r} has no values")
        if not 0 <= self.start < len(self.values):
            raise ValueError(f"the knob {self.name!r} has the values 0 to {len(self.values) - 1}, not {self.start}")
        texts = tuple(map(str, self.values if self.texts is None else self.texts))
        if len(texts) != len(self.values):
            raise ValueError(f"the knob {self.name!r} has {len(self.values)} values and {len(texts)} texts")
        object.__setattr__(self, "texts", texts)


@dataclass(frozen=True, eq=False)
class Take:
    """One setting of the knobs, performed: a groove to hear and see, with a caption and a heat map.

    Attributes
    ----------
    groove : the drums, arrays (steps, 9).
    caption : a line of plain text.
    picture : a heat map above the drum roll, (rows, steps) in [0, 1], row 0 at the top; or None.
    rows : names of the picture's rows; empty, or one for each row.
    stem : name of the stage's stem that sounds with the drums; None for all of them.

    Raises
    ------
    ValueError
        If shapes do not fit, or if a cell of the picture is outside [0, 1].
    """

    groove: Groove
    caption: str = ""
    picture: np.ndarray | None = None
    rows: tuple[str, ...] = ()
    stem: str | None = None

    def __post_init__(self):
        if not isinstance(self.groove, Groove):
            raise ValueError(f"a take's groove is a Groove, not {type(self.groove).__name__}")
        if not 0 < len(self.groove) <= MAX_TAKE_STEPS:
            raise ValueError(f"a take has 1 to {MAX_TAKE_STEPS} steps, not {len(self.groove)}")
        object.__setattr__(self, "rows", tuple(map(str, self.rows)))
        if self.picture is None:
            if self.rows:
                raise ValueError("a take without a picture has no rows to name")
            return
        picture = np.asarray(self.picture, dtype=np.float32)
        if picture.ndim != 2 or picture.shape[1] != len(self.groove) or not len(picture):
            raise ValueError(f"a picture has shape (rows, {len(self.groove)}), as the groove, not {picture.shape}")
        if not ((picture >= 0) & (picture <= 1)).all():
            raise ValueError("a picture's cells lie between 0 and 1")
        if self.rows and len(self.rows) != len(picture):
            raise ValueError(f"the picture has {len(picture)} rows, and {len(self.rows)} names for them")
        object.__setattr__(self, "picture", picture)
