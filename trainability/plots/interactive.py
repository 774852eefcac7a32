"""Success over width as a chart to be explored in a browser: marks out, in Vega's grammar.

Vega (https://vega.github.io, BSD-3-Clause) draws SVG, which follows the colors of the page and
prints. Of the libraries that can be put into a page it is half the size of Bokeh's and an eighth
of Plotly's; `vl-convert-python` brings it.
"""

from __future__ import annotations

import math
from typing import Any

from trainability.plots.colors import OKABE_ITO

LEVELS = (0.9, 0.99, 0.999)
"""Success rates that are marked."""
INK = "currentColor"
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
SIGNS = ("●", "■", "▲", "◆", "▼", "✚")
"""The shapes as letters, for the switches."""
_WIDTH = "isFinite(containerSize()[0]) ? max(containerSize()[0], 280) : 640"
_DODGE = 3.0
"""Pixels between points of one place."""


def chart_curves(names: list[str], shown: int) -> list[dict[str, Any]]:
    """How the curves of a chart are told apart, and which it shows at first.

    Args:
        names: Of the curves.
        shown: How many of them are shown at first.
    """
    colors = [*OKABE_ITO[:-1], INK]
    return [
        {
            "name": name,
            "color": colors[index % len(colors)],
            "shape": SHAPES[index % len(SHAPES)],
            "sign": SIGNS[index % len(SIGNS)],
            "shown": index < shown,
        }
        for index, name in enumerate(names)
    ]


def success_chart(
    places: list[Any],
    curves: list[dict[str, Any]],
    x: str,
    n_most: int,
    *,
    failure: bool,
    predicted: bool = False,
) -> dict[str, Any]:
    """The chart, without its data.

    These are `points`, one per cell with `curve`, `x`, `success`, `success_low`, `success_high`,
    `theory` and `predicted` (or null), and `fits`, lines with `curve`, `x` and `fit`; rates in
    [0, 1].

    Args:
        places: Values along the horizontal axis, in order: numbers, or texts.
        curves: From `chart_curves`.
        x: What the horizontal axis is called.
        n_most: Networks of the largest cell: failure rates are shown down to a third of one.
        failure: Show the failure rate on a logarithmic axis instead of the success rate.
        predicted: Draw what theory predicts, which some points have.
    """
    floor = min(10.0 ** math.floor(math.log10(1 / (3 * max(n_most, 1)))), 1 - LEVELS[-1]) / 1.001
    return {
        "height": 380,
        "padding": {"left": 4, "right": 4, "top": 8, "bottom": 4},
        "autosize": {"type": "fit", "contains": "padding"},
        "background": None,
        "signals": [
            {
                "name": "width",
                "init": _WIDTH,
                "on": [{"events": "window:resize", "update": _WIDTH}],
            },
            {"name": "shown", "value": [curve["name"] for curve in curves if curve["shown"]]},
        ],
        "data": _data(floor, failure),
        "scales": _scales(places, curves, floor, failure),
        "axes": _axes(places, x, floor, failure),
        "marks": [
            *_levels(floor, failure),
            _lines(predicted, are_joined=not any(isinstance(place, str) for place in places)),
            _intervals(),
            _symbols(),
            _nearest(),
        ],
    }


def _data(floor: float, failure: bool) -> list[dict[str, Any]]:
    shown = {"type": "filter", "expr": "indexof(shown, datum.curve) >= 0"}

    def y(value: str, least: float = floor) -> str:
        return f"max(1 - {value}, {least})" if failure else value

    below = floor / 1000  # a line runs out of the picture

    formulas = [("y", y("datum.success")), ("low", y("datum.success_low")),
                ("high", y("datum.success_high"))]  # fmt: skip
    theory = f"datum.theory == null ? null : {y('datum.theory', below)}"
    formulas.append(("bound_y", theory))
    predicted = f"datum.predicted == null ? null : {y('datum.predicted', below)}"
    formulas.append(("predicted_y", predicted))
    index = "indexof(shown, datum.curve) - (length(shown) - 1) / 2"
    formulas.append(("offset", f"{_DODGE} * ({index})"))
    formulas.append(("none", f"datum.success >= 1 && {'true' if failure else 'false'}"))
    return [
        {
            "name": "points",
            "transform": [
                shown,
                *({"type": "formula", "as": name, "expr": expr} for name, expr in formulas),
            ],
        },
        {
            "name": "fits",
            "transform": [shown, {"type": "formula", "as": "y", "expr": y("datum.fit", below)}],
        },
        {
            "name": "levels",
            "values": [{"level": 1 - level if failure else level, "name": f"{100 * level:g} %"}
                       for level in LEVELS],
        },
    ]  # fmt: skip


def _scales(
    places: list[Any], curves: list[dict[str, Any]], floor: float, failure: bool
) -> list[dict[str, Any]]:
    numbers = all(isinstance(place, int | float) for place in places)
    across: dict[str, Any] = {"type": "point", "domain": places, "padding": 0.5}
    if numbers and min(places) > 0 and len(places) > 1:
        margin = (max(places) / min(places)) ** 0.03
        across = {"type": "log", "base": 2, "nice": False,
                  "domain": [min(places) / margin, max(places) * margin]}  # fmt: skip
    up: dict[str, Any] = {"type": "linear", "domain": [0, 1.0]}
    if failure:
        up = {"type": "log", "domain": [floor, 1.0]}
    names = [curve["name"] for curve in curves]
    return [
        {"name": "x", "range": "width", **across},
        {"name": "y", "range": "height", "nice": False, **up},
        {
            "name": "color",
            "type": "ordinal",
            "domain": names,
            "range": [curve["color"] for curve in curves],
        },
        {
            "name": "shape",
            "type": "ordinal",
            "domain": names,
            "range": [curve["shape"] for curve in curves],
        },
    ]


def _axes(places: list[Any], x: str, floor: float, failure: bool) -> list[dict[str, Any]]:
    shared = {
        "domainColor": INK,
        "tickColor": INK,
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": INK,
        "gridOpacity": 0.12,
        "domainOpacity": 0.5,
        "tickOpacity": 0.5,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "grid": True,
    }
    up: dict[str, Any] = {"title": "success rate", "format": ".0%", "tickCount": 6}
    if failure:
        powers = range(math.ceil(math.log10(floor)), 1)
        up = {
            "title": "failure rate (logarithmic)",
            "values": [floor, *(10.0**power for power in powers[1:])],
            "encode": {
                "labels": {
                    "update": {
                        "text": {
                            "signal": f"datum.value <= {1.001 * floor} ? 'none' : "
                            "format(100 * datum.value, '~r') + ' %'"
                        }
                    }
                }
            },
        }
    return [
        {"scale": "x", "orient": "bottom", "title": x, "values": places, "format": "~r",
         "labelOverlap": "greedy", **shared}
        if all(isinstance(place, int | float) for place in places)
        else {"scale": "x", "orient": "bottom", "title": x, "labelOverlap": "greedy", **shared},
        {"scale": "y", "orient": "left", **up, **shared},
    ]  # fmt: skip


def _levels(floor: float, failure: bool) -> list[dict[str, Any]]:
    """The lines at 90, 99 and 99.9 %, and their names: on the linear axis the last two are one."""
    data = {"data": "levels"}
    y = {"scale": "y", "field": "level"}
    text = {"field": "name"}
    if not failure:
        text = {"signal": "datum.level == 0.999 ? '' : datum.level == 0.99 ? '99, 99.9 %' : '90 %'"}
    reached = {"test": f"datum.level < {floor}", "value": 0}
    return [
        {
            "type": "rule",
            "from": data,
            "encode": {
                "update": {
                    "x": {"value": 0},
                    "x2": {"signal": "width"},
                    "y": y,
                    "stroke": {"value": INK},
                    "opacity": [reached, {"value": 0.55}],
                    "strokeDash": {"value": [1, 3]},
                }
            },
        },
        {
            "type": "text",
            "from": data,
            "encode": {
                "update": {
                    "x": {"signal": "width - 3"},
                    "y": y,
                    "dy": {"value": 4},
                    "align": {"value": "right"},
                    "baseline": {"value": "top"},
                    "text": text,
                    "fill": {"value": INK},
                    "opacity": [reached, {"value": 0.75}],
                    "fontSize": {"value": 10.5},
                }
            },
        },
    ]


def _lines(predicted: bool, are_joined: bool) -> dict[str, Any]:
    """Theory dashed, what it predicts dashed and dotted, and the fit drawn, curve by curve.

    Places that are texts have no line between them: at each theory is a dash of its own.
    """

    def line(data: str, y: str, dash: list[int], width: float) -> dict[str, Any]:
        return {
            "type": "group",
            "clip": True,
            "from": {"facet": {"name": f"one_{data}", "data": data, "groupby": "curve"}},
            "encode": {"update": {"width": {"signal": "width"}, "height": {"signal": "height"}}},
            "marks": [
                {
                    "type": "line" if are_joined else "symbol",
                    "from": {"data": f"one_{data}"},
                    "sort": {"field": "x"},  # in pixels: places may be texts
                    "interactive": False,
                    "encode": {
                        "update": {
                            "x": {"scale": "x", "field": "x"},
                            "y": {"scale": "y", "field": y},
                            "defined": {"signal": f"isValid(datum.{y})"},
                            "stroke": {"scale": "color", "field": "curve"},
                            "strokeWidth": {"value": width},
                            "strokeDash": {"value": dash},
                            **({} if are_joined else _alone(y)),
                        }
                    },
                }
            ],
        }

    return {
        "type": "group",
        "encode": {"update": {"width": {"signal": "width"}, "height": {"signal": "height"}}},
        "marks": [
            line("points", "bound_y", [5, 4], 1.2),
            *([line("points", "predicted_y", [8, 3, 2, 3], 1.2)] if predicted else []),
            line("fits", "y", [1, 0], 1.6),
        ],
    }


def _alone(y: str) -> dict[str, Any]:
    """What makes a dash of a symbol, where there is anything to show."""
    return {
        "shape": {"value": "stroke"},
        "size": {"value": 900},
        "opacity": {"signal": f"isValid(datum.{y}) ? 1 : 0"},
    }


def _intervals() -> dict[str, Any]:
    x = {"scale": "x", "field": "x", "offset": {"field": "offset"}}
    return {
        "type": "rule",
        "from": {"data": "points"},
        "interactive": False,
        "encode": {
            "update": {
                "x": x,
                "y": {"scale": "y", "field": "low"},
                "y2": {"scale": "y", "field": "high"},
                "stroke": {"scale": "color", "field": "curve"},
                "strokeWidth": {"value": 1.6},
            }
        },
    }


def _symbols() -> dict[str, Any]:
    """The measured rates; hollow at the lower edge where no network failed."""
    color = {"scale": "color", "field": "curve"}
    return {
        "type": "symbol",
        "name": "symbols",
        "from": {"data": "points"},
        "interactive": False,
        "encode": {
            "update": {
                "x": {"scale": "x", "field": "x", "offset": {"field": "offset"}},
                "y": {"scale": "y", "field": "y"},
                "shape": {"scale": "shape", "field": "curve"},
                "size": {"value": 60},
                "stroke": color,
                "strokeWidth": {"value": 1.6},
                "fill": color,
                "fillOpacity": {"signal": "datum.none ? 0 : 1"},
            }
        },
    }


def _nearest() -> dict[str, Any]:
    """Whatever is pointed at, the nearest cell answers."""
    return {
        "type": "path",
        "name": "nearest",
        "from": {"data": "symbols"},
        "encode": {
            "update": {
                "fill": {"value": "transparent"},
                "tooltip": {"signal": "datum.datum"},
            }
        },
        "transform": [
            {
                "type": "voronoi",
                "x": "datum.x",
                "y": "datum.y",
                "size": [{"signal": "width"}, {"signal": "height"}],
            }
        ],
    }
