"""The axes of a study, one file each: which there are, and what their values must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainability.catalogs import by_name
from trainability.checks import shown
from trainability.study.axes.base import Axis
from trainability.study.axes.catalog import axis_types, ordered_axes
from trainability.study.axes.typed import Axes

__all__ = [
    "AXES", "AXIS", "COMPARED", "STRATEGIES", "Axes", "Axis", "axis_types", "label",
    "value_problems",
]  # fmt: skip

AXIS = ordered_axes()
"""Every axis by its name, in the order of the cells."""
AXES = tuple(AXIS)
"""The names; each is the column of that name."""
STRATEGIES = tuple(name for name, axis in AXIS.items() if axis.is_strategy)
"""The axes whose values are written as one makes them, such as He(bias_std=0.1)."""
COMPARED = tuple(name for name, axis in AXIS.items() if axis.is_compared)
"""The axes whose values reports test against each other."""


def label(name: str) -> str:
    """An axis, or a column, as people write it."""
    return AXIS[name].label if name in AXIS else name.replace("_", " ")


def value_problems(name: str, values: Sequence[Any]) -> list[str]:
    """What is wrong with some values of one axis."""
    wrong = [problem for value in values for problem in AXIS[name].problems(value)]
    return list(dict.fromkeys(wrong)) or _repeated_problems(name, list(values))


def _repeated_problems(name: str, values: list[Any]) -> list[str]:
    """What stands twice: the same value, or two that nobody could tell apart in a table."""
    if AXIS[name].is_strategy:
        written = [str(value) for value in values]
        for place, text in enumerate(written):
            first = written.index(text)
            if first < place and values[first] != values[place]:
                return [
                    f"axis {name} has different values that are written alike, {text}; give them "
                    "names or settings by which they can be told apart"
                ]
        distinct = set(written)
    else:
        distinct = set(values)
    if len(distinct) < len(values):
        return [f"axis {name} holds a value twice: {shown(values)}"]
    return []


__getattr__ = by_name(__name__, axis_types)
