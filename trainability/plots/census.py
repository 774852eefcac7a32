"""Active and dead neurons: layer by layer, and against the law of their number."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainability.plots.style import (
    INK,
    OKABE_ITO,
    figure_legend,
    label_outer,
    legend_beside,
    new_axes,
    panel_grid,
    panel_title,
    power_axis,
    sample_note,
    set_title,
)

STATES = {
    "active": (OKABE_ITO[2], ""),
    "tentatively dead": (OKABE_ITO[4], "////"),
    "permanently dead": ("#333333", ""),
}
"""Color and hatch of each state: light to dark in grayscale too."""


def plot_census(
    table: pd.DataFrame, ax: Axes | None = None, *, x: str = "layer", title: str = ""
) -> Axes:
    """Stacked bars of the neurons of every layer, before (left) and after training (right).

    A table of one moment alone gives one bar a layer.

    Args:
        table: From `analysis.curves.layer_census`, one group; or one layer of several groups.
        ax: Where to draw; a new figure by default.
        x: The column along the horizontal axis: `layer`, or that which tells the groups apart.
        title: The finding.
    """
    ax = new_axes(ax, max(0.5 * table[x].nunique() + 3.2, 5.2), 3.9)
    _bars(ax, table, x)
    handles, _ = ax.get_legend_handles_labels()
    legend_beside(ax, handles[::-1])
    set_title(ax, title, _note(table))
    return ax


def census_panels(
    table: pd.DataFrame, *, panel: str = "curve", x: str = "layer", title: str = ""
) -> Figure:
    """One panel per group on shared axes, each with the bars of `plot_census`.

    Args:
        table: From `analysis.curves.layer_census`, with the column `panel`.
        panel: The column that gets a panel for each of its values.
        x: As for `plot_census`.
        title: The finding.
    """
    names = list(dict.fromkeys(table[panel]))
    figure, panels, spare = panel_grid(len(names), title, _note(table))
    for ax, name in zip(panels, names, strict=True):
        _bars(ax, table[table[panel] == name], x)
        panel_title(ax, str(name))
    handles, _ = panels[0].get_legend_handles_labels()
    label_outer(panels, "hidden layer" if x == "layer" else x, "share of neurons")
    figure_legend(figure, handles[::-1], spare)
    return figure


def _bars(ax: Axes, table: pd.DataFrame, x: str) -> None:
    layers = list(dict.fromkeys(table[x]))
    if not any(isinstance(layer, str) for layer in layers):
        layers = sorted(layers)
    ax.grid(False, axis="x")
    moments = sorted(set(table["moment"]), reverse=True)
    for side, moment in zip((-0.21, 0.21) if len(moments) > 1 else (0.0,), moments, strict=True):
        at_moment = table[table["moment"] == moment]
        shares = at_moment.pivot(index=x, columns="state", values="share").reindex(layers)
        places = np.arange(len(layers)) + side
        bottom = np.zeros(len(layers))
        for state, (color, hatch) in STATES.items():
            height = shares[state].to_numpy()
            ax.bar(
                places,
                height,
                0.38,
                bottom=bottom,
                color=color,
                hatch=hatch,
                edgecolor="white",
                linewidth=0.5,
                label=state if moment == moments[0] else None,
            )
            bottom += height
    ax.set_xticks(range(len(layers)), [str(layer) for layer in layers])
    ax.tick_params(axis="x", length=0)
    ax.set_xlabel("hidden layer" if x == "layer" else x)
    ax.set_ylabel("share of the layer's neurons")
    ax.set_ylim(0, 1)


def _note(table: pd.DataFrame) -> str:
    note = sample_note(table["n"], unit="networks")
    if table["moment"].nunique() > 1:
        note += "; left bars before training, right bars after"
    return note


def plot_count_calibration(
    table: pd.DataFrame, ax: Axes | None = None, *, title: str = "", level: float = 0.95
) -> Axes:
    """How often each number of active neurons was seen, against how often theory expects it.

    Args:
        table: From `analysis.counts.count_shares`.
        ax: Where to draw; a new figure by default.
        title: The finding.
        level: Level of the intervals in the table, for the note.
    """
    ax = new_axes(ax, 7.0, 4.6)
    smallest = 0.3 / float(table["n"].max())
    expected, share, low, high = (
        table[name].to_numpy(dtype=float) for name in ("expected", "share", "low", "high")
    )
    possible = expected > smallest
    ends = np.maximum(low, smallest)
    ax.vlines(expected[possible], ends[possible], high[possible], color=OKABE_ITO[0], lw=0.7)
    shown = possible & (share > 0)
    ax.plot(
        expected[shown],
        share[shown],
        ls="",
        marker="o",
        ms=4,
        mfc="white",
        mec=OKABE_ITO[0],
        label="one count in one cell",
    )
    ax.axline((smallest, smallest), (1, 1), color=INK, lw=1.1, label="as theory expects")
    ax.set(xscale="log", yscale="log", xlim=(smallest, 1.4), ylim=(smallest, 1.4))
    for axis in "xy":
        power_axis(ax, axis)
    ax.set_xlabel("probability of the count by theory")
    ax.set_ylabel("share of networks")
    legend_beside(ax)
    set_title(ax, title, sample_note(table["n"], level, mark="bars"))
    return ax
