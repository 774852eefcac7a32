"""The dead neurons of a module, layer by layer."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from trainability.plots.style import INK, OKABE_ITO, legend_beside, new_axes, set_title

_PARTS = (
    ("active", "active", OKABE_ITO[2], ""),
    ("tentatively_dead", "tentatively dead", OKABE_ITO[4], "///"),
    ("permanently_dead", "permanently dead", INK, ""),
)


def plot_inspection(table: pd.DataFrame, ax: Axes | None = None, *, n_examples: int) -> Axes:
    """Stacked bars, one per layer from the input at the top: the shares of its neurons.

    Args:
        table: From `modules.inspect`: columns `layer`, `neurons`, `active`, `tentatively_dead`
            and `permanently_dead`.
        ax: Where to draw; a new figure by default.
        n_examples: Examples in the data, for the note.
    """
    ax = new_axes(ax, 7.2, 1.3 + 0.45 * len(table))
    rows = list(range(len(table)))
    neurons = table["neurons"].to_numpy(dtype=float)
    n_dead = table["neurons"] - table["active"]
    start = 0 * neurons
    for column, label, color, hatch in _PARTS:
        share = table[column].to_numpy(dtype=float) / neurons
        ax.barh(
            rows, share, 0.7, left=start, color=color, hatch=hatch, edgecolor="white", label=label
        )
        start = start + share
    labels = [
        f"{layer}\n{dead:,} of {of:,} dead"
        for layer, of, dead in zip(table["layer"], table["neurons"], n_dead, strict=True)
    ]
    ax.set_yticks(rows, labels, fontsize=8.5)
    ax.set_ylabel("layer")
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of neurons")
    set_title(ax, "Active and dead neurons", f"on {n_examples:,} examples")
    legend_beside(ax)
    return ax
