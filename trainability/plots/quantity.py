"""A quantity over numbers or categories, curve by curve."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from trainability.plots.style import (
    OKABE_ITO,
    is_ordered,
    legend_beside,
    looks,
    new_axes,
    number_axis,
    places_axis,
    positions,
    power_axis,
    sample_note,
    set_title,
)

_PANEL, _PANEL_LETTERS = 4.6, 38
"""Of the panel beside names: its width in inches, and the letters of a title above it."""
_SPREAD = 30.0
"""Ratio of the largest to the least value from which on the axis is logarithmic."""


def plot_quantity(
    cells: pd.DataFrame,
    ax: Axes | None = None,
    *,
    curve: str = "curve",
    x: str = "width",
    name: str = "",
    title: str = "",
    level: float = 0.95,
    logarithmic: bool = False,
    unit: str = "networks a cell",
) -> Axes:
    """Any quantity with its intervals, a curve each; values that are not finite are left out.

    Where there is one place alone, curves would be points upon each other: each gets a row.

    Args:
        cells: One row per cell: `value`, `low`, `high`, `n`, and the columns below.
        ax: Where to draw; a new figure by default.
        curve: The column that tells the curves apart.
        x: The column along the horizontal axis, of numbers or of ordered categories.
        name: Of the quantity, along the vertical axis.
        title: The finding.
        level: Of the intervals, for the note.
        logarithmic: Whether the vertical axis is so in any case, not only for a wide range.
        unit: What `n` counts, for the note.
    """
    finite = cells[np.isfinite(cells["value"].to_numpy(dtype=float))]
    if cells[x].nunique() == 1 < len(cells):
        return _rows(finite, ax, curve, name, title, sample_note(cells["n"], level, unit, "bars"))
    ax = new_axes(ax, 7.2, 4.4)
    for label, style in looks(dict.fromkeys(cells[curve])):
        part = finite[finite[curve] == label].sort_values(by=x)
        at = positions(part[x])
        ends = [part[end].to_numpy(dtype=float) for end in ("low", "high")]
        if ordered := is_ordered(cells[x]):
            ax.fill_between(at, *ends, color=style.color, alpha=0.2, lw=0)
        else:
            ax.vlines(at, *ends, color=style.color, lw=1.0)
        ax.plot(
            at,
            part["value"],
            color=style.color,
            marker=style.marker,
            ls=style.dashes if ordered else "",
            ms=4.5,
            lw=1.5,
            label=str(label),
        )
    places_axis(ax, cells[x], x)
    positive = finite["value"][finite["value"] > 0]
    if logarithmic:
        number_axis(ax, _powers_of_two(positive), "", axis="y")
    elif len(positive) and positive.max() > _SPREAD * positive.min():
        ax.set_yscale("log")
        power_axis(ax, "y")
    ax.set_ylabel(name)
    if (finite["value"] < 0).any():  # such as of logarithms
        ax.set_yscale("linear")
    if cells[curve].nunique() > 1:
        legend_beside(ax)
    set_title(ax, title, sample_note(cells["n"], level, unit))
    return ax


def _rows(
    cells: pd.DataFrame, ax: Axes | None, curve: str, name: str, title: str, note: str
) -> Axes:
    """A row for each curve, with its value and its interval."""
    names = list(dict.fromkeys(map(str, cells[curve])))
    longest = max(map(len, names), default=0)
    ax = new_axes(ax, _PANEL + 0.075 * longest, 1.3 + 0.24 * len(names))
    at = [names.index(str(label)) for label in cells[curve]]
    values, low, high = (cells[key].to_numpy(dtype=float) for key in ("value", "low", "high"))
    ax.hlines(at, low, high, color=OKABE_ITO[0], lw=1.5)
    ax.plot(values, at, ls="", marker="o", ms=5, color=OKABE_ITO[0])
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlabel(name)
    set_title(ax, textwrap.fill(title, _PANEL_LETTERS), note)  # it begins beside the names
    return ax


def _powers_of_two(values: pd.Series) -> np.ndarray:
    """Those between which all values lie; one if there are none."""
    if values.empty:
        return np.ones(1)
    ends = np.log2([values.min(), values.max()])
    return 2.0 ** np.arange(np.floor(ends[0]), np.ceil(ends[1]) + 1)
