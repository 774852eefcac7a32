"""Success over width beside what theory predicts of it."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trainability.plots.style import (
    INK,
    MUTED,
    figure_legend,
    label_outer,
    looks,
    number_axis,
    panel_grid,
    panel_title,
    sample_note,
)
from trainability.plots.success import BOUND, ENDS


def predicted_panels(
    table: pd.DataFrame, *, panel: str = "scheme", title: str = "", level: float = 0.95
) -> Figure:
    """One panel per scheme: success as measured, as predicted, by races alone, and trainability.

    Args:
        table: From `birth.decided_at_birth`; one row per width in every panel.
        panel: The column that gets a panel for each of its values.
        title: The finding.
        level: Level of the intervals of the measured rates, for the note.
    """
    names = list(dict.fromkeys(table[panel]))
    figure, panels, spare = panel_grid(
        len(names), title, sample_note(table["n"], level, mark="bars"), 3
    )
    for ax, (name, style) in zip(panels, looks(names), strict=True):
        cells = table[table[panel] == name].sort_values(by="width")
        width = cells["width"].to_numpy(dtype=float)
        ax.fill_between(
            width, cells["race_low"], cells["race_high"], color=style.color, alpha=0.18, lw=0
        )
        ax.plot(width, cells["predicted_success"], color=style.color, lw=1.6)
        low, high = (cells[f"success_rate_{end}"].to_numpy(dtype=float) for end in ENDS)
        ax.vlines(width, low, high, color=INK, lw=1.0, zorder=4)
        ax.plot(width, cells["success_rate"], "o", color=INK, ms=4, zorder=5)
        ax.plot(width, cells["trainability"], color=INK, ls=BOUND, lw=1.2)
        number_axis(ax, width, "width")
        ax.set_ylim(-0.02, 1.03)
        panel_title(ax, str(name))
    label_outer(panels, "width", "success rate")
    handles = [
        Line2D([], [], color=INK, marker="o", ls="", ms=4, label="measured"),
        Line2D([], [], color=MUTED, lw=1.6, label="predicted success (theory)"),
        Line2D([], [], color=MUTED, lw=7, alpha=0.3, label="by the races alone"),
        Line2D([], [], color=INK, ls=BOUND, lw=1.2, label="trainability (theory, a bound)"),
    ]
    figure_legend(figure, handles, spare)
    return figure
