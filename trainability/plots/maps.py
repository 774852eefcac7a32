"""Success over two axes at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from trainability.plots.style import INK, new_axes, sample_note, set_title

_LEAST_WIDTH = 6.4
"""Of a figure, in inches: the line beneath its title must fit, or the map gets no room."""


def plot_success_map(
    rates: pd.DataFrame,
    ax: Axes | None = None,
    *,
    x: str = "width",
    y: str = "depth",
    values: str = "success_rate",
    theory: str | None = "trainability",
    levels: tuple[float, ...] = (0.1, 0.5, 0.9, 0.99),
    title: str = "",
) -> Axes:
    """Heatmap of the success rate or another share, with contours of theory.

    Every field has its number.

    Args:
        rates: From `analysis.rates.success_rates`, one cell per (x, y).
        ax: Where to draw; a new figure by default.
        x: Column along the horizontal axis.
        y: Column along the vertical axis.
        values: Column of the shares.
        theory: Column whose contours are drawn, or None.
        levels: Of the contours.
        title: The finding.
    """
    table = rates.pivot(index=y, columns=x, values=values)
    n_rows, n_columns = table.shape
    ax = new_axes(ax, max(0.62 * n_columns + 2.4, _LEAST_WIDTH), 0.5 * n_rows + 1.9)
    ax.grid(False)
    shares = table.to_numpy(dtype=float)
    image = ax.imshow(shares, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (row, column), value in np.ndenumerate(shares):
        if np.isfinite(value):
            ink = INK if value > 0.55 else "white"
            text = f"{value:.2f}".removeprefix("0") if value < 1 else "1"
            ax.text(column, row, text, ha="center", va="center", fontsize=8, color=ink)
    ax.set_xticks(range(n_columns), [f"{value:g}" for value in table.columns])
    ax.set_yticks(range(n_rows), [f"{value:g}" for value in table.index])
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    note = sample_note(rates["n"])
    if theory is not None and min(table.shape) > 1:
        bound = rates.pivot(index=y, columns=x, values=theory).to_numpy(dtype=float)
        known = bound[~np.isnan(bound)]
        crossed = [level for level in levels if (known < level).any() and (known > level).any()]
        if crossed:
            lines = ax.contour(bound, levels=crossed, colors="white", linewidths=2.4)
            lines = ax.contour(bound, levels=crossed, colors=INK, linewidths=1.1)
            labels = ax.clabel(lines, fmt=lambda level: f"{level:g}", fontsize=8)
            for label in labels:
                label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
            note += f"; lines: {theory.replace('_', ' ')} by theory"
    figure = ax.figure
    figure.colorbar(image, ax=ax, label=values.replace("_", " "), pad=0.02)
    set_title(ax, title, note)
    return ax
