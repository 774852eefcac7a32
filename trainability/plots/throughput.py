"""How fast the engines are, beside the machine's peak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from trainability.plots.style import INK, legend_beside, looks, new_axes, set_title


def plot_throughput(
    benchmark: Mapping[str, Any], ax: Axes | None = None, *, title: str = ""
) -> Axes:
    """GFLOP/s of every engine and peer on every shape, all cores, on a logarithmic scale.

    Args:
        benchmark: `Benchmark.as_dict()`.
        ax: Where to draw; a new figure by default.
        title: The finding.
    """
    cores = benchmark["cores"]
    results: Sequence[Mapping[str, Any]] = [r for r in benchmark["results"] if r["cores"] == cores]
    shapes = list(dict.fromkeys(map(_shape, results)))
    ax = new_axes(ax, 8.4, 0.42 * len(shapes) + 1.6)
    for engine, style in looks(dict.fromkeys(r["engine"] for r in results)):
        own = [r for r in results if r["engine"] == engine]
        y = [shapes.index(_shape(r)) for r in own]
        ax.plot(
            [r["gflops"] for r in own],
            y,
            ls="",
            marker=style.marker,
            color=style.color,
            ms=6,
            label=engine,
        )
    peak = cores * benchmark["peak_gflops_per_core"]
    ax.axvline(peak, color=INK, lw=1.1, ls=(0, (2, 1.5)), label="measured peak")
    ax.set_xscale("log")
    ax.set_yticks(np.arange(len(shapes)), shapes)
    ax.invert_yaxis()
    ax.set_xlabel("GFLOP/s (6 operations per weight, point and step)")
    legend_beside(ax)
    set_title(ax, title or "Throughput of the engines and of peers", f"{cores} cores, float32")
    return ax


def _shape(result: Mapping[str, Any]) -> str:
    batch = "" if result["batch"] == result["n_train"] else f", batch {result['batch']}"
    if result.get("network"):
        return f"{result['network']}: {result['n_train']:,} digits{batch}, {result['optimizer']}"
    return (
        f"depth {result['depth']}, width {result['width']}: {result['d_in']}-D, "
        f"{result['n_train']:,} points{batch}, {result['optimizer']}"
    )
