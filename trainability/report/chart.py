"""The interactive figure of a page: its data, its marks, what it says of each cell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from trainability.analysis.binomial import at_least
from trainability.findings.places import TEXTS, place_names
from trainability.plots.interactive import chart_curves, success_chart
from trainability.report.text import percent, with_interval

MOST_SHOWN = 12
"""Curves that are switched on at first."""
MOST_POINTS = 4000
"""Cells that a chart holds; tables have all."""
_MOST_STEPS = 60
"""Widths at which a fitted curve is drawn."""


@dataclass(frozen=True)
class Chart:
    """An interactive figure.

    Args:
        name: Of the static figure that stands in its place in print and without script.
        curves: From `interactive.chart_curves`.
        note: What it shows.
        content: Its marks and data as JSON, safe inside a script element.
    """

    name: str
    curves: list[dict[str, Any]]
    note: str
    content: Markup


def make_chart(
    name: str,
    rates: pd.DataFrame,
    activity: pd.DataFrame,
    x: str,
    level: float,
    columns: Sequence[Any] = (),
) -> Chart | None:
    """Success over width of all curves, or nothing if there are too many cells or no place.

    Args:
        name: Of the static figure.
        rates: One row per cell, with `curve` and theory.
        activity: The fits, by `curve`; may be empty.
        x: The column along the horizontal axis.
        level: Of the intervals.
        columns: All places in their order, where they are texts: a curve may lack some.
    """
    by_text = x in TEXTS
    named = place_names([*dict.fromkeys([*columns, *rates[x]])], x)
    places = [named.get(value, str(value)) if by_text else _place(value) for value in rates[x]]
    if len(rates) > MOST_POINTS or not len(rates):
        return None
    names = list(dict.fromkeys(map(str, rates["curve"])))
    curves = chart_curves(names, MOST_SHOWN)
    fitted: dict[str, dict[str, Any]] = {}
    if not by_text and len(activity):
        fitted = {
            str(row["curve"]): {str(k): v for k, v in row.items()}
            for row in activity.to_dict("records")
        }
    points, lines = [], []
    for place, (cell, row) in zip(places, rates.iterrows(), strict=True):
        points.append(_point(str(cell), row, place, x, fitted.get(str(row["curve"])), level))
    for curve in names:
        own = [point for point in points if point["curve"] == curve]
        lines += [] if by_text else _line(curve, own, fitted.get(curve))
    in_order = [named.get(value, value) for value in columns]
    order = list(dict.fromkeys([*in_order, *places] if by_text else sorted(places)))
    most = int(rates["n"].max())
    predicted = any(point["predicted"] is not None for point in points)
    specs = {
        scale: success_chart(
            order, curves, x, most, failure=scale == "failure", predicted=predicted
        )
        for scale in ("success", "failure")
    }
    content = json.dumps({"specs": specs, "data": {"points": points, "fits": lines}})
    bounded = any(point["theory"] is not None for point in points)
    note = _note("" if by_text else "fits" if fitted else "rates", bounded, predicted, level)
    return Chart(name, curves, note, Markup(content.replace("<", "\\u003c")))


def _note(joined: str, bounded: bool, predicted: bool, level: float) -> str:
    lines = {
        "fits": "; lines: the fitted curves, P(at least as many neurons useful as the task needs)",
        "rates": "; lines join the measured rates",
        "": "",
    }[joined]
    bound = "dashed: trainability, theory's upper bound; " if bounded else ""
    between = "dashed and dotted: the success that theory predicts; " if predicted else ""
    return (
        f"Points: measured, bars: their {100 * level:g} % intervals{lines}; {bound}{between}"
        "dotted: 90, 99 and 99.9 % success. Point at a cell to read it. On the logarithmic axis a "
        "hollow point at the lower edge means that no network failed; its bar ends at the upper "
        "limit of the failure rate."
    )


def _point(
    cell: str, row: pd.Series, place: Any, x: str, fit: dict[str, Any] | None, level: float
) -> dict[str, Any]:
    success = [float(row[f"success_rate{end}"]) for end in ("", "_low", "_high")]
    theory = float(row["trainability"])  # NaN where theory bounds nothing
    n, k = int(row["n"]), int(row["successes"])
    telling = [
        f"{row['curve']}, {x} {place}",
        f"success {with_interval(*success)} %, {100 * level:g} % interval",
        f"{k:,} of n = {n:,} networks, {n - k:,} failed",
    ]
    if not np.isnan(theory):
        what = "at most " if row["is_bound"] else ""
        telling.append(f"trainability (theory) {what}{percent(theory)} %")
    predicted = row.get("predicted_success", np.nan)
    if not np.isnan(predicted):
        telling.append(f"predicted success (theory) {percent(predicted)} %")
    if fit is not None:
        by_fit = float(at_least(fit["need"], float(row["width"]), fit["q"])[0])
        telling.append(f"fitted curve {percent(by_fit)} %")
    telling.append(f"cell {row.get('id', cell)}")
    return {
        "curve": str(row["curve"]),
        "x": place,
        "success": success[0],
        "success_low": success[1],
        "success_high": success[2],
        "theory": None if np.isnan(theory) else theory,
        "predicted": None if np.isnan(predicted) else float(predicted),
        "telling": telling,
    }


def _line(
    curve: str, points: Sequence[dict[str, Any]], fit: dict[str, Any] | None
) -> list[dict[str, Any]]:
    if fit is None:
        return [{"curve": curve, "x": point["x"], "fit": point["success"]} for point in points]
    low, high = (end(point["x"] for point in points) for end in (min, max))
    widths = np.unique(np.rint(np.geomspace(low, high, _MOST_STEPS)))
    success = at_least(fit["need"], widths, fit["q"])[0]
    return [
        {"curve": curve, "x": int(width), "fit": float(rate)}
        for width, rate in zip(widths, success, strict=True)
    ]


def _place(value: Any) -> float | int:
    number = float(value)
    return int(number) if number.is_integer() else number
