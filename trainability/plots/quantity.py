"""A quantity over numbers or categories, curve by curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from trainability.plots.style import (
    legend_beside,
    looks,
    new_axes,
    places_axis,
    positions,
    power_axis,
    sample_note,
    set_title,
)

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
) -> Axes:
    """Any quantity with its intervals, a curve each; values that are not finite are left out.

    Args:
        cells: One row per cell: `value`, `low`, `high`, `n`, and the columns below.
        ax: Where to draw; a new figure by default.
        curve: The column that tells the curves apart.
        x: The column along the horizontal axis, of numbers or of ordered categories.
        name: Of the quantity, along the vertical axis.
        title: The finding.
        level: Of the intervals, for the note.
    """
    ax = new_axes(ax, 7.2, 4.4)
    finite = cells[np.isfinite(cells["value"].to_numpy(dtype=float))]
    for label, style in looks(dict.fromkeys(cells[curve])):
        part = finite[finite[curve] == label].sort_values(by=x)
        at = positions(part[x])
        ends = [part[end].to_numpy(dtype=float) for end in ("low", "high")]
        ax.fill_between(at, *ends, color=style.color, alpha=0.2, lw=0)
        ax.plot(
            at,
            part["value"],
            color=style.color,
            marker=style.marker,
            ls=style.dashes,
            ms=4.5,
            lw=1.5,
            label=str(label),
        )
    places_axis(ax, cells[x], x)
    positive = finite["value"][finite["value"] > 0]
    if len(positive) and positive.max() > _SPREAD * positive.min():
        ax.set_yscale("log")
        power_axis(ax, "y")
    ax.set_ylabel(name)
    if (finite["value"] < 0).any():  # such as of logarithms
        ax.set_yscale("linear")
    if cells[curve].nunique() > 1:
        legend_beside(ax)
    set_title(ax, title, sample_note(cells["n"], level))
    return ax
