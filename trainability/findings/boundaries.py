"""Where success crosses the rate that a study was refined for."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from trainability.findings.places import WIDTHS, place_text
from trainability.growth import Crossing, crossings
from trainability.study import Cell

_SIDES = ("from", "to")


def boundaries(
    rates: pd.DataFrame, cells: Mapping[str, Cell], x: str, level: float | None
) -> pd.DataFrame:
    """Every place at which success crosses the level, between two neighbors of the grid.

    Args:
        rates: One row per cell, with `curve`.
        cells: The cells by id.
        x: The column along which curves run.
        level: The success rate, or None for a study that was not refined.

    Returns:
        One row per crossing: `where` (what the neighbors share), `axis`, `level`, the values
        `from` and `to` of the axis, whether it is `located` (nothing is left to look at between
        them), and of both sides `rate_<side>` with its interval and `cell_<side>`.
    """
    if level is None:
        return pd.DataFrame()
    chosen = {str(cell): cells[str(cell)] for cell in rates.index}
    measured = {str(cell): float(rate) for cell, rate in rates["success_rate"].items()}
    rows = []
    for gap in crossings(chosen, measured, level):
        row: dict[str, object] = {
            "where": _where(gap, rates, chosen, x),
            "axis": gap.axis.removeprefix("scheme."),
        }
        row |= {"level": level, "from": gap.values[0], "to": gap.values[1]}
        row |= {"located": gap.middle is None}
        for side, cell in zip(_SIDES, gap.cells, strict=True):
            for end in ("", "_low", "_high"):
                row[f"rate_{side}{end}"] = rates.loc[cell, f"success_rate{end}"]
            row[f"cell_{side}"] = cell
        rows.append(row)
    return pd.DataFrame(rows)


def _where(gap: Crossing, rates: pd.DataFrame, cells: Mapping[str, Cell], x: str) -> str:
    first = gap.cells[0]
    if gap.axis == ("width" if x == WIDTHS else x):
        return str(rates.loc[first, "curve"])
    scheme = cells[first].scheme
    own = gap.axis.startswith("scheme.")
    return f"{type(scheme).__name__ if own else scheme}, {x} {place_text(rates.loc[first, x])}"
