"""What happens during training: losses, and how long success takes."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from trainability.plots.style import (
    INK,
    legend_beside,
    look,
    looks,
    new_axes,
    power_axis,
    sample_note,
    set_title,
)


def plot_loss(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    tolerance: float | None = None,
    loss: str = "mean squared error",
    curve: str | None = None,
    title: str = "",
) -> Axes:
    """Quantiles of the loss over steps: the median as a line, the bands around it shaded.

    Args:
        table: From `analysis.curves.loss_quantiles`, with q50 and pairs such as q10 and q90.
        ax: Where to draw; a new figure by default.
        tolerance: Loss at which a network succeeds, drawn as a line.
        loss: Which loss, in words.
        curve: Column that tells several curves apart; of these only the medians are drawn.
        title: The finding.
    """
    ax = new_axes(ax, 7.2, 4.2)
    names = [str(name) for name in table] if curve is None else ["q50"]
    shares = sorted(float(name[1:]) for name in names if re.fullmatch(r"q[0-9.]+", name))
    bands = [(share, 100 - share) for share in shares if share < 50 and 100 - share in shares]
    quantiles = table[[f"q{share:g}" for share in shares]].to_numpy(dtype=float)
    finite = quantiles[np.isfinite(quantiles) & (quantiles > 0)]
    low, high = finite.min() / 1.5, finite.max() * 1.5
    parts = [("median", table)] if curve is None else list(table.groupby(curve, sort=False))
    for (name, part), style in zip(parts, map(look, range(len(parts))), strict=True):
        step = part["step"].to_numpy(dtype=float)
        # Where networks have diverged a quantile is infinite: the band is open above.
        values = {s: part[f"q{s:g}"].clip(low, 10 * high).to_numpy(dtype=float) for s in shares}
        for lower, upper in bands:
            ax.fill_between(step, values[lower], values[upper], color=style.color, alpha=0.2, lw=0)
        line = {"color": style.color, "marker": style.marker, "ls": style.dashes}
        ax.plot(step, values[50.0], ms=4, lw=1.5, label=str(name), **line)
    if tolerance is not None:
        ax.axhline(tolerance, color=INK, ls=(0, (2, 1.5)), lw=1.1, label="tolerance")
        low = min(low, tolerance / 1.5)
    _step_axis(ax, float(table["step"].max()))
    ax.set(yscale="log", ylim=(low, high), ylabel=f"loss ({loss})")
    power_axis(ax, "y")
    legend_beside(ax)
    note = sample_note(table["n"], unit="networks" if curve is None else "networks a curve")
    shaded = ", ".join(f"{lower:g} to {upper:g} %" for lower, upper in bands)
    what = f"shaded: {shaded} of the networks" if bands else "lines: medians"
    set_title(ax, title, f"{note}; {what}")
    return ax


def plot_survival(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    curve: str = "scheme",
    title: str = "",
    level: float = 0.95,
) -> Axes:
    """Share of networks that have not succeeded yet, over steps, with pointwise bands.

    Args:
        table: From `analysis.failures.time_to_success`.
        ax: Where to draw; a new figure by default.
        curve: Column that tells the curves apart.
        title: The finding.
        level: Level of the intervals in the table, for the note.
    """
    ax = new_axes(ax, 7.2, 4.2)
    for name, style in looks(dict.fromkeys(table[curve])):
        part = table.loc[table[curve] == name].sort_values(by="step")
        step = part["step"].to_numpy(dtype=float)
        low, high = (part[f"survival_{end}"].to_numpy(dtype=float) for end in ("low", "high"))
        ax.fill_between(step, low, high, step="post", color=style.color, alpha=0.22, lw=0)
        ax.step(
            step,
            part["survival"],
            where="post",
            color=style.color,
            ls=style.dashes,
            lw=1.5,
            marker=style.marker,
            ms=4,
            markevery=(len(step) // 2, 8),
            label=str(name),
        )
    _step_axis(ax, float(table["step"].max()))
    ax.set_ylim(-0.02, 1.03)
    ax.set_ylabel("share not yet successful")
    legend_beside(ax)
    set_title(ax, title, sample_note(table["n"], level, "networks a curve"))
    return ax


def _step_axis(ax: Axes, last: float) -> None:
    """Steps on a logarithmic axis that shows step 0 too."""
    ax.set_xscale("symlog", linthresh=1, linscale=0.4)
    power_axis(ax, "x")
    ax.set_xlim(0, last)
    ax.set_xlabel("training step")
