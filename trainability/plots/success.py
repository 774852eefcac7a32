"""Success over width, beside its bound."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trainability.plots.style import (
    INK,
    MUTED,
    Look,
    figure_legend,
    label_outer,
    legend_beside,
    looks,
    new_axes,
    number_axis,
    panel_grid,
    sample_note,
    set_title,
)

BOUND = (0, (2, 1.5))
BEHIND = "#cfcfcf"


def plot_success_over_width(
    rates: pd.DataFrame,
    ax: Axes | None = None,
    *,
    curve: str = "scheme",
    title: str = "",
    level: float = 0.95,
) -> Axes:
    """Measured success with interval bands, and the trainability as a dashed line, on one panel.

    Args:
        rates: From `analysis.rates.success_rates`; a column `trainability` adds the bound.
        ax: Where to draw; a new figure by default.
        curve: The column that tells the curves apart.
        title: The finding.
        level: Level of the intervals in `rates`, for the note.
    """
    ax = new_axes(ax, 7.2, 4.4)
    names = list(dict.fromkeys(rates[curve]))
    handles = []
    for name, style in looks(names):
        cells = _curve(rates, curve, name)
        _draw(ax, cells, style, style.color)
        handles.append(_measured(style, str(name)))
    _axes(ax, rates["width"].to_numpy())
    legend_beside(ax, handles + _theory_handles(rates))
    set_title(ax, title, sample_note(rates["n"], level))
    return ax


def success_panels(
    rates: pd.DataFrame,
    *,
    panel: str = "scheme",
    title: str = "",
    level: float = 0.95,
    n_columns: int = 3,
) -> Figure:
    """The headline figure: one panel per scheme on shared axes, the other schemes in gray behind.

    Args:
        rates: From `analysis.rates.success_rates`, with a column `trainability`.
        panel: The column that gets a panel for each of its values.
        title: The finding.
        level: Level of the intervals in `rates`, for the note.
        n_columns: Panels side by side, at most.
    """
    names = list(dict.fromkeys(rates[panel]))
    figure, panels, spare = panel_grid(len(names), title, sample_note(rates["n"], level), n_columns)
    for ax, (name, style) in zip(panels, looks(names), strict=True):
        for other in names:
            cells = _curve(rates, panel, other)
            if other != name:
                ax.plot(cells["width"], cells["success_rate"], color=BEHIND, lw=1.0, zorder=1)
            else:
                _draw(ax, cells, Look(style.color, "o", "-"))
        _axes(ax, rates["width"].to_numpy())
        ax.set_title(str(name), loc="left", fontsize=9.5, color=INK)
    label_outer(panels, "width", "success rate")
    behind = Line2D([], [], color=BEHIND, lw=1.0, label=f"measured, the other {panel}s")
    measured = Line2D([], [], color=MUTED, marker="o", ms=4.5, label="measured")
    figure_legend(figure, [measured, *_theory_handles(rates), behind], spare)
    return figure


def _curve(rates: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    return rates.loc[rates[column] == value].sort_values(by="width")


def _draw(ax: Axes, cells: pd.DataFrame, style: Look, bound_color: str = INK) -> None:
    width = cells["width"].to_numpy(dtype=float)
    low, high = (cells[f"success_rate_{end}"].to_numpy(dtype=float) for end in ("low", "high"))
    ax.fill_between(width, low, high, color=style.color, alpha=0.25, lw=0, zorder=2)
    ax.vlines(width, low, high, color=style.color, lw=1.0, zorder=3)
    ax.plot(
        width,
        cells["success_rate"],
        color=style.color,
        marker=style.marker,
        ls=style.dashes,
        ms=4.5,
        lw=1.5,
        zorder=4,
    )
    if "trainability" in cells:
        bound = cells["trainability"].to_numpy(dtype=float)
        ax.plot(width, bound, color=bound_color, ls=BOUND, lw=1.3, zorder=5)


def _axes(ax: Axes, width: np.ndarray) -> None:
    number_axis(ax, np.unique(width), "width")
    ax.set_ylim(-0.02, 1.03)
    ax.set_ylabel("success rate")


def _measured(style: Look, name: str) -> Line2D:
    return Line2D(
        [], [], color=style.color, marker=style.marker, ls=style.dashes, ms=4.5, label=name
    )


def _theory_handles(rates: pd.DataFrame) -> list[Line2D]:
    if "trainability" not in rates:
        return []
    return [Line2D([], [], color=INK, ls=BOUND, lw=1.3, label="trainability (theory, a bound)")]
