"""Success over width, beside its bound."""

from __future__ import annotations

import math
from typing import Any

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
    is_ordered,
    label_outer,
    legend_beside,
    look,
    looks,
    new_axes,
    panel_grid,
    panel_title,
    places_axis,
    positions,
    sample_note,
    set_title,
)

BOUND = (0, (2, 1.5))
PREDICTED = (0, (5, 1.5, 1, 1.5))
BEHIND = "#cfcfcf"
ENDS = ("low", "high")


def plot_success_over_width(
    rates: pd.DataFrame,
    ax: Axes | None = None,
    *,
    curve: str = "scheme",
    x: str = "width",
    title: str = "",
    level: float = 0.95,
) -> Axes:
    """Measured success with interval bands, and the trainability as a dashed line, on one panel.

    Args:
        rates: From `analysis.rates.success_rates`; a column `trainability` adds the bound, and
            `predicted_success` what theory predicts, where it does.
        ax: Where to draw; a new figure by default.
        curve: The column that tells the curves apart.
        x: The column along the horizontal axis, of numbers or of ordered categories.
        title: The finding.
        level: Level of the intervals in `rates`, for the note.
    """
    ax = new_axes(ax, 7.2, 4.4)
    names = list(dict.fromkeys(rates[curve]))
    handles = []
    for name, style in looks(names):
        cells = _curve(rates, curve, name, x)
        _draw(ax, cells, style, style.color, x)
        handles.append(_measured(style, str(name)))
    _axes(ax, rates[x], x)
    legend_beside(ax, handles + _theory_handles(rates))
    set_title(ax, title, sample_note(rates["n"], level))
    return ax


def success_panels(
    rates: pd.DataFrame,
    *,
    panel: str = "scheme",
    x: str = "width",
    title: str = "",
    level: float = 0.95,
    n_columns: int = 3,
) -> Figure:
    """The headline figure: one panel per scheme on shared axes, the other schemes in gray behind.

    Args:
        rates: From `analysis.rates.success_rates`, with a column `trainability`, and where
            theory predicts success, `predicted_success`.
        panel: The column that gets a panel for each of its values.
        x: The column along the horizontal axis, of numbers or of ordered categories.
        title: The finding.
        level: Level of the intervals in `rates`, for the note.
        n_columns: Panels side by side, at most.
    """
    names = list(dict.fromkeys(rates[panel]))
    figure, panels, spare = panel_grid(len(names), title, sample_note(rates["n"], level), n_columns)
    for ax, (name, style) in zip(panels, looks(names), strict=True):
        for other in names:
            cells = _curve(rates, panel, other, x)
            if other != name:
                ax.plot(
                    positions(cells[x]),
                    cells["success_rate"],
                    color=BEHIND,
                    zorder=1,
                    **_behind(rates[x]),
                )
            else:
                _draw(ax, cells, Look(style.color, "o", "-"), x=x)
        _axes(ax, rates[x], x)
        panel_title(ax, str(name))
    label_outer(panels, x, "success rate")
    handles = [Line2D([], [], color=MUTED, marker="o", ms=4.5, label="measured")]
    handles += _theory_handles(rates)
    if len(names) > 1:
        label = f"measured, other {panel}s"
        handles.append(Line2D([], [], color=BEHIND, label=label, **_behind(rates[x])))
    figure_legend(figure, handles, spare)
    return figure


def plot_scheme_against_scheme(
    rates: pd.DataFrame,
    a: str,
    b: str,
    ax: Axes | None = None,
    *,
    column: str = "scheme",
    x: str = "width",
    title: str = "",
    level: float = 0.95,
) -> Axes:
    """Success of one scheme against another's: one point per width, above the line where b wins.

    Args:
        rates: From `analysis.rates.success_rates`, one cell per scheme and width.
        a: The scheme along the horizontal axis.
        b: The scheme along the vertical axis.
        ax: Where to draw; a new figure by default.
        column: The column that holds a and b.
        x: The column that says the width.
        title: The finding.
        level: Level of the intervals in `rates`, for the note.
    """
    ax = new_axes(ax, 5.2, 5.2)
    first, second = (_curve(rates, column, name, x).set_index(x) for name in (a, b))
    both = first.add_suffix("_a").join(second.add_suffix("_b"), how="inner")
    rate_a, rate_b = (both[f"success_rate_{side}"].to_numpy(dtype=float) for side in "ab")
    lengths = {
        side: np.abs(
            [both[f"success_rate_{end}_{side}"] - both[f"success_rate_{side}"] for end in ENDS]
        )
        for side in "ab"
    }
    ax.axline((0, 0), (1, 1), color=INK, ls=BOUND, lw=1.1)
    bars = {"xerr": lengths["a"], "yerr": lengths["b"], "elinewidth": 1.0}
    ax.errorbar(rate_a, rate_b, fmt="o-", ms=5, lw=1.0, color=look(0).color, **bars)
    labelled = (-1.0, -1.0)
    for width, place in zip(both.index, zip(rate_a, rate_b, strict=True), strict=True):
        # Where points crowd, the first width is enough.
        if math.dist(place, labelled) > 0.06:
            offset = {"xytext": (-5, 6), "textcoords": "offset points", "ha": "right"}
            ax.annotate(
                width if isinstance(width, str) else f"{width:g}", place, fontsize=8, **offset
            )
            labelled = place
    ax.set(xlim=(-0.02, 1.03), ylim=(-0.02, 1.03), aspect="equal")
    ax.set_xlabel(f"success rate of {a}")
    ax.set_ylabel(f"success rate of {b}")
    set_title(ax, title, sample_note(both["n_a"], level, mark="bars") + f"; numbers: {x}")
    return ax


def plot_trainability(
    theory: pd.DataFrame, ax: Axes | None = None, *, curve: str = "scheme", title: str = ""
) -> Axes:
    """Theory alone: trainability over width.

    Args:
        theory: Columns `width` (numbers, or ordered categories), `trainability` and `curve`.
        ax: Where to draw; a new figure by default.
        curve: The column that tells the curves apart.
        title: The finding.
    """
    ax = new_axes(ax, 7.2, 4.2)
    for name, style in looks(dict.fromkeys(theory[curve])):
        part = _curve(theory, curve, name)
        line = {"color": style.color, "marker": style.marker, "ls": style.dashes}
        ax.plot(
            positions(part["width"]), part["trainability"], ms=4.5, lw=1.5, label=str(name), **line
        )
    _axes(ax, theory["width"])
    ax.set_ylabel("trainability")
    legend_beside(ax)
    set_title(ax, title)
    return ax


def _curve(rates: pd.DataFrame, column: str, value: object, x: str = "width") -> pd.DataFrame:
    return rates.loc[rates[column] == value].sort_values(by=x)


def _draw(
    ax: Axes, cells: pd.DataFrame, style: Look, bound_color: str = INK, x: str = "width"
) -> None:
    width = positions(cells[x])
    low, high = (cells[f"success_rate_{end}"].to_numpy(dtype=float) for end in ENDS)
    if ordered := is_ordered(cells[x]):
        ax.fill_between(width, low, high, color=style.color, alpha=0.25, lw=0, zorder=2)
    ax.vlines(width, low, high, color=style.color, lw=1.0, zorder=3)
    ax.plot(
        width,
        cells["success_rate"],
        color=style.color,
        marker=style.marker,
        ls=style.dashes if ordered else "",
        ms=4.5,
        lw=1.5,
        zorder=4,
    )
    if "trainability" in cells:
        bound = cells["trainability"].to_numpy(dtype=float)
        _theory(ax, width, bound, ordered, color=bound_color, ls=BOUND, lw=1.3)
    if _is_predicted(cells):
        predicted = cells["predicted_success"].to_numpy(dtype=float)
        _theory(ax, width, predicted, ordered, color=bound_color, ls=PREDICTED, lw=1.1)


def _theory(ax: Axes, at: np.ndarray, values: np.ndarray, ordered: bool, **line: Any) -> None:
    """A line over numbers; over each category a short one of its own."""
    if ordered:
        ax.plot(at, values, zorder=5, **line)
    else:
        ax.hlines(values, at - 0.3, at + 0.3, zorder=5, **line)


def _behind(places: pd.Series) -> dict[str, Any]:
    """How other curves look: lines, or points where no line may join the places."""
    return {"lw": 1.0} if is_ordered(places) else {"ls": "", "marker": "o", "ms": 3.5}


def _axes(ax: Axes, places: pd.Series, x: str = "width") -> None:
    places_axis(ax, places, x)
    ax.set_ylim(-0.02, 1.03)
    ax.set_ylabel("success rate")


def _measured(style: Look, name: str) -> Line2D:
    return Line2D(
        [], [], color=style.color, marker=style.marker, ls=style.dashes, ms=4.5, label=name
    )


def _theory_handles(rates: pd.DataFrame) -> list[Line2D]:
    if "trainability" not in rates or rates["trainability"].isna().all():
        return []
    handles = [Line2D([], [], color=INK, ls=BOUND, lw=1.3, label="trainability (theory, a bound)")]
    if _is_predicted(rates):
        name = "predicted success (theory)"
        handles.append(Line2D([], [], color=INK, ls=PREDICTED, lw=1.1, label=name))
    return handles


def _is_predicted(rates: pd.DataFrame) -> bool:
    return "predicted_success" in rates and bool(rates["predicted_success"].notna().any())
