"""Where the grid is refined: between neighbors whose success rates lie on both sides of a level."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

from trainability.errors import InputError
from trainability.study import AXES, Cell

_SETTING = "scheme."
_OWN = ("task", "scheme", "width", "depth")
"""Axes that are told apart in ways of their own, or along which points are added."""
_CLOSE = 0.05
_NEGLIGIBLE = 0.01


@dataclass(frozen=True)
class Point:
    """A point beside the grid: a cell like another one, but for one value.

    Args:
        like: Id of the other cell: one of the grid, or of an earlier point.
        axis: `width`, `depth`, or a setting of the scheme such as `scheme.bias_std`.
        value: Of the axis.

    Raises:
        InputError: If there can't be such a point.
    """

    like: str
    axis: str
    value: float

    def __post_init__(self) -> None:
        least = {"width": 1, "depth": 2}.get(self.axis)
        sound = isinstance(self.like, str) and isinstance(self.axis, str)
        sound = sound and (least is not None or self.axis.startswith(_SETTING))
        sound = sound and _is_number(self.value) and math.isfinite(self.value)
        if not sound or (
            least is not None and (not isinstance(self.value, int) or self.value < least)
        ):
            raise InputError(f"no point of a grid: {self.axis!r} at {self.value!r}")

    def cell(self, cells: Mapping[str, Cell]) -> Cell:
        """The cell, given those before it by id."""
        return _moved(cells[self.like], self.axis, self.value)


@dataclass(frozen=True)
class Crossing:
    """Two neighbors between which success crosses a level.

    Args:
        axis: Along which they are neighbors, as in `Point`.
        values: Of the axis, the smaller one first.
        cells: Their ids.
        middle: The value between them at which to look next; None if the boundary is located.
    """

    axis: str
    values: tuple[float, float]
    cells: tuple[str, str]
    middle: float | None


def new_points(cells: Mapping[str, Cell], rates: Mapping[str, float], level: float) -> list[Point]:
    """One point between any two neighbors, one with a rate of at least the level, one below.

    Neighbors differ in one value only: a width, a depth, or a number among the settings of a
    scheme. There is nothing between neighboring integers; settings are neighbors for good when
    they differ by less than 5 %, or by less than 1 % of the largest that is studied. Every point
    halves a gap, so that adding points until there are none locates the boundary.

    Args:
        cells: By id.
        rates: Success rate of each.
        level: Success rate whose boundary is sought.

    Returns:
        In the order of the cells; none twice, and none that is among the cells.
    """
    points: dict[str, Point] = {}
    for gap in crossings(cells, rates, level):
        if gap.middle is not None:
            point = Point(gap.cells[0], gap.axis, gap.middle)
            points.setdefault(point.cell(cells).id, point)
    return [point for id_, point in points.items() if id_ not in cells]


def crossings(
    cells: Mapping[str, Cell], rates: Mapping[str, float], level: float
) -> Iterator[Crossing]:
    """All neighbors of which one has a rate of at least the level, one below.

    Args:
        cells: By id.
        rates: Success rate of each.
        level: Success rate whose boundary is sought.
    """
    for axis, line in _lines(cells):
        largest = max(abs(value) for value, _ in line)
        for (low, a), (high, b) in pairwise(line):
            if (rates[a] >= level) != (rates[b] >= level):
                yield Crossing(axis, (low, high), (a, b), _between(low, high, largest))


def in_place(cells: Mapping[str, Cell], points: Iterable[Point]) -> dict[str, Cell]:
    """Cells in the order in which a reader looks for them: each point behind its neighbor.

    Args:
        cells: By id, of a grid and of the points beside it.
        points: In the order in which they were added.
    """
    added = [(point.like, point.cell(cells).id) for point in points if point.like in cells]
    fresh = {id_ for _, id_ in added}
    order = [id_ for id_ in cells if id_ not in fresh]
    for like, id_ in added:
        order.insert(order.index(like) + 1, id_)
    return {id_: cells[id_] for id_ in order}


def _lines(cells: Mapping[str, Cell]) -> Iterator[tuple[str, list[tuple[float, str]]]]:
    """Every axis, with the values and ids of cells that differ along it only, in order."""
    lines: dict[tuple[Any, ...], list[tuple[float, str]]] = defaultdict(list)
    for id_, cell in cells.items():
        scheme: Any = cell.declared("scheme")
        rest = (cell.declared(name) for name in AXES if name not in _OWN)
        same = (id(cell.declared("task")), type(scheme), *rest)
        values = {"width": cell.width, "depth": cell.depth}
        for field in fields(scheme):
            values[_SETTING + field.name] = getattr(scheme, field.name)
        for axis, number in values.items():
            if _is_number(number):
                others = tuple(value for name, value in values.items() if name != axis)
                lines[(axis, same, others)].append((number, id_))
    for (axis, *_), line in lines.items():
        if len(line) > 1:
            yield axis, sorted(line)


def _between(low: float, high: float, largest: float) -> float | None:
    """The middle of two neighbors, in three digits; None if there is nothing between them."""
    if isinstance(low, int) and isinstance(high, int):
        return (low + high) // 2 if high - low >= 2 else None
    if high - low <= max(_CLOSE * min(abs(low), abs(high)), _NEGLIGIBLE * largest):
        return None
    middle = math.sqrt(low * high) if low > 0 else (low + high) / 2
    return float(f"{middle:.3g}")


def _moved(cell: Cell, axis: str, value: float) -> Cell:
    if not axis.startswith(_SETTING):
        return replace(cell, **{axis: value})
    scheme: Any = cell.declared("scheme")
    return replace(cell, scheme=replace(scheme, **{axis.removeprefix(_SETTING): value}))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
