"""What is wrong with a tuning's candidates: its corners are made, and checked as cells are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trainability.analysis.expected import has_law
from trainability.study import Cell
from trainability.study.axes import value_problems
from trainability.study.limits import joint_problems
from trainability.tuning.space import Settings

if TYPE_CHECKING:
    from trainability.tuning.declaration import Tuning

_JOINT = (("activation",), ("loss",), ("depth",), ("batch_size",), ("width",))
"""Axes whose values are checked in all combinations: limits of a study are about them together."""
_MOST_JOINT = 10_000


def probe_problems(tuning: Tuning) -> list[str]:
    """What is wrong with candidates at the ends of all ranges, with every category."""
    errors: dict[str, str] = {}
    cells = []
    for what, settings in _corners(tuning):
        try:
            cell = tuning.cell(settings, tuning.widths[-1])
        except Exception as error:  # of a scheme of the user's, which may check nothing
            errors.setdefault(str(error), what)
            continue
        for axis in tuning.axes:
            for problem in value_problems(axis, [getattr(cell, axis)]):
                errors.setdefault(problem, what)
        cells.append(cell)
    problems = [f"{what} can't be used: {error}" for error, what in errors.items()]
    return problems or joint_problems(cells, tuning.n_fresh_blocks) + _death_problems(tuning, cells)


def _death_problems(tuning: Tuning, cells: list[Cell]) -> list[str]:
    """A bound on the born dead is by theory, which does not know all activations."""
    if tuning.max_born_dead is None:
        return []
    unknown = {
        str(cell.activation if cell.network is None else cell.network): None
        for cell in cells
        if cell.activation.flat and not has_law(cell)
    }
    return [
        f"max_born_dead can't be held with {name}: theory does not say how many of its neurons "
        "are born dead; leave one of them out"
        for name in unknown
    ]


def _corners(tuning: Tuning) -> Iterator[tuple[str, Settings]]:
    """Settings in words and as they are: all numbers at one end, with categories in turn."""
    space = tuning.space
    categories = {name: part for name, part in space.dimensions.items() if not part.is_ordered}
    first = {name: part.ends[0] for name, part in categories.items()}
    joint = [name for name in categories if tuning.paths[name] in _JOINT]
    if math.prod(len(categories[name].ends) for name in joint) > _MOST_JOINT:
        joint = []
    chosen: list[dict[str, Any]] = [
        first | dict(zip(joint, values, strict=True))
        for values in itertools.product(*(categories[name].ends for name in joint))
    ]
    chosen += [
        first | {name: value}
        for name, part in categories.items()
        if name not in joint
        for value in part.ends[1:]
    ]
    for place, end in ((0, "low"), (-1, "high")):
        numbers = {
            name: part.ends[place] for name, part in space.dimensions.items() if part.is_ordered
        }
        for values in chosen:
            settings = space.settings(numbers | values)
            texts = [
                f"{name} {text}" for name, text in space.texts(settings).items() if name in values
            ]
            what = f"the {end} ends of the ranges" if numbers else "candidates"
            yield what + (f" with {', '.join(filter(None, texts))}" if texts else ""), settings
