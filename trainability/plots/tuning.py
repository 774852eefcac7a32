"""What a tuning found: its history, slices, importance, surface and Pareto front."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from trainability.plots.style import (
    INK,
    OKABE_ITO,
    legend_beside,
    new_axes,
    set_title,
)

_PER_ROW = 4
_FEW = 24
"""Whole numbers that are drawn one by one."""
_BESIDE = 0.12
"""Half the distance of what was measured from what the surrogate says, in places of categories."""
HOPEFUL, GIVEN_UP, FRESH, DEFAULT = OKABE_ITO[0], "#b9b9b9", OKABE_ITO[1], OKABE_ITO[2]


def plot_history(
    candidates: pd.DataFrame,
    default: Sequence[float],
    *,
    words: str,
    title: str = "",
    note: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Every candidate where the search first met it.

    Args:
        candidates: Columns `begun` (networks trained before), `value`, `low`, `high`, `hopeful`,
            `n_networks`, and `fresh`, the value on fresh seeds (NaN but for finalists).
        default: Value of the default on fresh seeds, with its lower and upper limit.
        words: What the values are.
        title: The finding.
        note: How it was measured.
        ax: Where to draw; a new figure by default.
    """
    ax = new_axes(ax, 7.6, 4.0)
    ax.axhspan(default[1], default[2], color=DEFAULT, alpha=0.25, lw=0)
    ax.axhline(default[0], color=DEFAULT, lw=1.3)
    for hopeful, color in ((False, GIVEN_UP), (True, HOPEFUL)):
        _points(ax, candidates[candidates["hopeful"] == hopeful], "begun", color)
    fresh = candidates.dropna(subset=["fresh"])
    ax.scatter(fresh["begun"], fresh["fresh"], marker="D", s=34, color=FRESH, zorder=5)
    ax.set_xlabel("networks trained before it was first proposed")
    ax.set_ylabel(words)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    legend_beside(ax, _handles(default=True))
    set_title(ax, title, note)
    return ax


def plot_slices(
    slices: Mapping[str, pd.DataFrame],
    candidates: pd.DataFrame,
    logarithmic: Mapping[str, bool],
    *,
    words: str,
    title: str = "",
    note: str = "",
) -> Figure:
    """Along every setting, through the best candidate, with all candidates behind.

    Numbers give a curve with its band; categories and a few whole numbers, between which nothing
    lies, points with bars.

    Args:
        slices: For every setting columns `setting` (a number, or the text of a category),
            `value`, `low`, `high`.
        candidates: A column per setting, `value`, `low`, `high`, `hopeful`, `n_networks`.
        logarithmic: Whether a setting's axis is.
        words: What the values are.
        title: The finding.
        note: How it was measured.
    """
    n_rows = -(-len(slices) // _PER_ROW)
    n_columns = -(-len(slices) // n_rows)
    size = (max(3.2 * n_columns + 0.4, 6.4), 0.9 + 3.0 * n_rows)
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(n_rows, n_columns, sharey=True, squeeze=False).flat)
    for ax in panels[len(slices) :]:
        ax.remove()
    for ax, (name, curve) in zip(map(new_axes, panels), slices.items(), strict=False):
        if pd.api.types.is_numeric_dtype(curve["setting"]):
            _along_numbers(ax, name, curve, candidates)
        else:
            _along_categories(ax, name, curve, candidates)
        ax.set_xlabel(name)
        if logarithmic[name]:
            ax.set_xscale("log")
    for ax in panels[: len(slices) : n_columns]:
        ax.set_ylabel(words)
    set_title(panels[0], title, note)
    surrogate = Line2D([], [], color=INK, lw=1.4, label="surrogate through the best, 95 %")
    figure.legend(
        handles=[*_handles(default=False), surrogate],
        loc="outside lower left",
        ncols=2,
        frameon=False,
        fontsize=9,
    )
    return figure


def plot_importance(shares: pd.Series, *, title: str = "", ax: Axes | None = None) -> Axes:
    """Bars of the share of variance that every setting takes part in, the largest on top."""
    ax = new_axes(ax, 6.0, 1.1 + 0.42 * len(shares))
    ordered = shares.sort_values()
    ax.barh(list(map(str, ordered.index)), ordered.to_numpy(), color=HOPEFUL, height=0.6)
    for row, share in enumerate(ordered):
        ax.text(share, row, f" {100 * share:.0f} %", va="center", fontsize=9, color=INK)
    ax.set_xlim(0, max(1.0, float(ordered.max())) * 1.1)
    ax.set_xlabel("share of the variance over the ranges")
    set_title(ax, title, "total effect, on the surrogate")
    return ax


def plot_surface(
    surface: pd.DataFrame,
    candidates: pd.DataFrame,
    best: Sequence[float],
    logarithmic: Mapping[str, bool],
    *,
    across: str,
    up: str,
    words: str,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The objective over two settings, with theory's contours and the candidates.

    Args:
        surface: Columns `across`, `up`, `value`, `trainability` on a grid.
        candidates: Columns `across`, `up`, `n_networks`.
        best: Where the recommended candidate lies.
        logarithmic: Whether a setting's axis is.
        across: Setting along the horizontal axis.
        up: Setting along the vertical axis.
        words: What the values are.
        title: The finding.
        ax: Where to draw; a new figure by default.
    """
    ax = new_axes(ax, 7.0, 4.8)
    ax.grid(False)
    grid = surface.pivot(index=up, columns=across, values="value")
    x, y = grid.columns.to_numpy(dtype=float), grid.index.to_numpy(dtype=float)
    whole = [name for name in (across, up) if _are_few_integers(surface[name])]
    if whole:  # there is nothing between them
        image = ax.pcolormesh(x, y, grid.to_numpy(dtype=float), shading="nearest", cmap="cividis")
    else:
        image = ax.contourf(x, y, grid.to_numpy(dtype=float), levels=24, cmap="cividis")
    bound = surface.pivot(index=up, columns=across, values="trainability").to_numpy(dtype=float)
    note = "circles: candidates, larger for more networks; cross: the best"
    crossed = _levels(bound)
    if crossed:
        ax.contour(x, y, bound, levels=crossed, colors="white", linewidths=2.6)
        lines = ax.contour(x, y, bound, levels=crossed, colors=INK, linewidths=1.1)
        for label in ax.clabel(lines, fmt=lambda level: f"{level:g}", fontsize=8, inline=False):
            label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})
        note += "; lines: trainability by theory"
    ax.scatter(
        candidates[across],
        candidates[up],
        s=_sizes(candidates["n_networks"]),
        facecolors="none",
        edgecolors="white",
        linewidths=0.8,
    )
    ax.scatter(*best, marker="P", s=110, color=FRESH, edgecolors="white", zorder=5)
    for name, scale, axis in ((across, ax.set_xscale, ax.xaxis), (up, ax.set_yscale, ax.yaxis)):
        if logarithmic[name]:
            scale("log")
        elif name in whole:
            axis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(across)
    ax.set_ylabel(up)
    ax.figure.colorbar(image, ax=ax, label=words, pad=0.02)
    set_title(ax, title, note)
    return ax


def plot_pareto(
    candidates: pd.DataFrame,
    finalists: pd.DataFrame,
    words: Sequence[str],
    *,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Two objectives against each other: candidates as searched, finalists on fresh seeds.

    Args:
        candidates: Columns `value`, `value_2`, `hopeful`, `n_networks`.
        finalists: Columns `value`, `low`, `high`, `value_2`, `low_2`, `high_2`, `is_default`.
        words: What the two values are.
        title: The finding.
        ax: Where to draw; a new figure by default.
    """
    ax = new_axes(ax, 7.2, 4.6)
    for hopeful, color in ((False, GIVEN_UP), (True, HOPEFUL)):
        part = candidates[candidates["hopeful"] == hopeful]
        ax.scatter(part["value"], part["value_2"], s=_sizes(part["n_networks"]), color=color)
    for is_default, color in ((False, FRESH), (True, DEFAULT)):
        part = finalists[finalists["is_default"] == is_default]
        part = part[np.isfinite(part[["value", "value_2"]]).all(axis=1)]
        bars = [
            np.maximum(
                [part[f"value{k}"] - part[f"low{k}"], part[f"high{k}"] - part[f"value{k}"]], 0
            )
            for k in ("", "_2")
        ]
        ax.errorbar(
            part["value"],
            part["value_2"],
            xerr=bars[0],
            yerr=bars[1],
            fmt="D",
            ms=5,
            lw=1.1,
            color=color,
            zorder=5,
        )
    ax.set_xlabel(words[0])
    ax.set_ylabel(words[1])
    legend_beside(ax, _handles(default=True))
    set_title(ax, title, "diamonds: fresh seeds, 95 % intervals")
    return ax


def _along_numbers(ax: Axes, name: str, curve: pd.DataFrame, candidates: pd.DataFrame) -> None:
    for hopeful, color in ((False, GIVEN_UP), (True, HOPEFUL)):
        _points(ax, candidates[candidates["hopeful"] == hopeful], name, color)
    if _are_few_integers(curve["setting"]):
        _bars(ax, curve["setting"].to_numpy(dtype=float), curve)  # there is nothing between them
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        return
    ax.fill_between(curve["setting"], curve["low"], curve["high"], color=INK, alpha=0.15, lw=0)
    ax.plot(curve["setting"], curve["value"], color=INK, lw=1.4)


def _along_categories(ax: Axes, name: str, curve: pd.DataFrame, candidates: pd.DataFrame) -> None:
    """A place per category, candidates to the left of the surrogate's point with its interval."""
    texts = list(curve["setting"])
    shown = candidates[candidates[name].isin(texts)]
    places = shown[name].map(texts.index) - _BESIDE
    for hopeful, color in ((False, GIVEN_UP), (True, HOPEFUL)):
        part = shown["hopeful"] == hopeful
        _points(ax, shown[part].assign(**{name: places[part]}), name, color)
    _bars(ax, np.arange(len(texts)) + _BESIDE, curve)
    ax.set_xticks(range(len(texts)), [textwrap.fill(text, 18) for text in texts], fontsize=8)
    ax.tick_params(axis="x", rotation=0 if len(texts) <= 3 else 60)
    ax.set_xlim(-0.5, len(texts) - 0.5)


def _are_few_integers(values: pd.Series) -> bool:
    return pd.api.types.is_integer_dtype(values) and values.nunique() <= _FEW


def _bars(ax: Axes, places: np.ndarray, curve: pd.DataFrame) -> None:
    middle = curve["value"].to_numpy(dtype=float)
    ends = [middle - curve["low"].to_numpy(float), curve["high"].to_numpy(float) - middle]
    ax.errorbar(places, middle, yerr=np.maximum(ends, 0), fmt="s", ms=4.5, lw=1.4, color=INK)


def _points(ax: Axes, candidates: pd.DataFrame, column: str, color: str) -> None:
    shown = candidates[np.isfinite(candidates["value"])]
    ax.vlines(shown[column], shown["low"], shown["high"], color=color, lw=0.7, alpha=0.6)
    ax.scatter(shown[column], shown["value"], s=_sizes(shown["n_networks"]), color=color, zorder=3)


def _sizes(n_networks: pd.Series) -> np.ndarray:
    return 10 * np.sqrt(n_networks.to_numpy(dtype=float) / 256)


def _levels(bound: np.ndarray) -> list[float]:
    wanted = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
    if np.isnan(bound).all():
        return []
    return [level for level in wanted if np.nanmin(bound) < level < np.nanmax(bound)]


def _handles(default: bool) -> list[Line2D]:
    def dot(color: str, label: str, marker: str = "o") -> Line2D:
        return Line2D([], [], color=color, marker=marker, ls="none", ms=5.5, label=label)

    handles = [dot(HOPEFUL, "candidate, 95 % interval"), dot(GIVEN_UP, "given up: surely worse")]
    if default:
        handles += [dot(FRESH, "finalist, fresh seeds", "D")]
        handles += [
            Line2D([], [], color=DEFAULT, lw=1.6, marker="D", ms=4, label="the default, fresh")
        ]
    return handles
