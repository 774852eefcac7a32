"""The study's main figure as metrics of its own MLflow run: rates over the width, as steps."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trainability.study.cell import Cell
from trainability.tracking.naming import Names

RATES = ("success_rate", "success_rate_low", "success_rate_high", "trainability")
"""What is shown over the width: the rate, the ends of its 95 % interval, and theory's bound."""

Point = tuple[str, int]
"""The key of a metric and a step."""


def points(names: Names, cell: Cell, values: Mapping[str, float]) -> dict[Point, float]:
    """What a cell adds to the curves over the width.

    Args:
        names: The names of the study's cells.
        cell: The cell. One whose layers differ in width has no place, and one outside of the
            declared series, such as a candidate of a tuning, no curve.
        values: Its metrics; those that are not finite are left out.
    """
    series = names.key(cell)
    if series is None or not isinstance(cell.width, int):
        return {}
    return {
        (f"{name}/{series}", cell.width): values[name]
        for name in RATES
        if math.isfinite(values.get(name, math.nan))
    }
