"""How a quantity changes along an axis, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from trainability.findings.comparing import is_compared
from trainability.findings.labels import short
from trainability.findings.places import NETWORK, TEXTS, places
from trainability.findings.published import mean_over_cells
from trainability.findings.study import LEVEL, Findings
from trainability.report.published import value_text
from trainability.report.text import joined
from trainability.study.axes import STRATEGIES, label
from trainability.study.quantities import Quantity

_MOST_PLACES = 4
_MOST_CURVES = 4
_MOST_ENDS = 2
"""Places that a sentence names of each of several curves."""

Places = Sequence[tuple[str, pd.DataFrame]]
"""Cells by where on an axis they are, in words."""


def varying_axes(findings: Findings) -> list[str]:
    """The columns of the axes that vary among the cells with the quantity, as the study declares
    them: the first is what it asks about. How wide cells are is in the column of their places."""
    cells = findings.asked.cells
    wide = findings.x if findings.x in TEXTS else "width"
    columns = []
    for name in findings.study.axes:
        if name == NETWORK and findings.arguments:
            columns += findings.arguments
        else:
            columns.append(wide if name == "width" else name)
    # Which shapes and modules are, whatever axis declares them; and an argument along which curves
    # run.
    if findings.x in (*TEXTS, *findings.arguments):
        columns.append(findings.x)
    return [name for name in dict.fromkeys(columns) if name in cells and _varies(cells, name)]


def along_sentences(findings: Findings, axis: str | None = None) -> list[str]:
    """How the quantity changes along an axis, and where at the end of one of numbers most of it is.

    Args:
        findings: What was found.
        axis: The column, of `varying_axes`; by default the first of them that is no strategy.
    """
    cells, quantity = findings.asked.cells, findings.asked.quantity
    if axis is None:
        ordered = [name for name in varying_axes(findings) if name not in STRATEGIES]
        axis = next(iter(ordered), None)
    if axis is None and findings.x in TEXTS and _varies(cells, findings.x):
        axis = findings.x
    if axis is None:
        return []
    strategies = [name for name in STRATEGIES if name != axis and name in cells]
    by = next((n for n in strategies if _varies(cells, n) and is_compared(n, cells)), None)
    groups: list[tuple[str, pd.DataFrame]] = [("", cells)]
    if quantity.kind == "restarts":
        several = max(len(part) for _, part in _by_place(findings, cells, axis)) > 1
        parts = cells.groupby("curve", sort=False)
        groups = [(str(key) if several else "", part) for key, part in parts]
    elif by is not None:
        names = short(list(dict.fromkeys(map(str, cells[by]))))
        parts = cells.groupby(cells[by].astype(str), sort=False)
        groups = [(names[str(key)], part) for key, part in parts]
    at = [(name, _by_place(findings, part, axis)) for name, part in groups]
    if not _is_ordered(findings, axis):
        at = [(name, _ends(own)) for name, own in at]
    texts = [_curve_text(quantity, axis, name, own) for name, own in at[:_MOST_CURVES]]
    left = len(groups) - _MOST_CURVES
    if left > 0:
        texts.append(f"{left} more in the table")
    everywhere = [part for _, own in at for _, part in own]
    said = f"The {quantity.noun} is {'; '.join(texts)} ({_measured_by(everywhere)})."
    if not _is_ordered(findings, axis):  # which has no end
        return [said]
    end = _by_place(findings, cells, axis)[-1][0]
    last = [part for _, own in at for words, part in own if words == end]
    return [
        said,
        *_most_at_the_end(quantity, _where(axis, end), last),
    ]


def _is_ordered(findings: Findings, axis: str) -> bool:
    """Whether the values of an axis have an order, and so an end; words have none."""
    return axis not in STRATEGIES and (axis not in findings.arguments or axis == findings.x)


def _varies(cells: pd.DataFrame, name: str) -> bool:
    return cells[name].nunique(dropna=False) > 1


def _by_place(findings: Findings, cells: pd.DataFrame, axis: str) -> Places:
    """Cells by their place on an axis, in order; what has no number there comes last."""
    if axis in STRATEGIES and axis != findings.x:
        values = cells[axis].astype(str)
        names = short(list(dict.fromkeys(values)))
        return [(names[value], cells[values == value]) for value in names]
    numbered = cells[cells[axis].notna()]
    parts = [(findings.place_text(at), cells[cells[axis] == at]) for at in places(numbered, axis)]
    without = cells[cells[axis].isna()]
    if len(without):
        parts.append(("", without))
    return parts


def _ends(at: Places) -> Places:
    """Of many places without an order those with the least and with the largest value."""
    if len(at) <= _MOST_PLACES:
        return at
    by_value = sorted(at, key=lambda place: float(_mean(place[1])["value"]))
    return [by_value[0], by_value[-1]]


def _where(axis: str, words: str) -> str:
    if words:
        return f"{label(axis)} {words}"
    return "full batch" if axis == "batch_size" else f"no {label(axis)}"


def _curve_text(quantity: Quantity, axis: str, name: str, at: Places) -> str:
    """The values at some places, or once for all of them what is the same at each."""
    values = [(words, _mean(cells)) for words, cells in at]
    of = f" with {name}" if name else ""
    if len({_value(quantity, row) for _, row in values}) == 1 and len(values) > 1:
        places = [_where(axis, words).removeprefix(f"{label(axis)} ") for words, _ in values]
        every = joined(places)
        if len(places) > _MOST_PLACES:
            every = f"{places[0]} to {places[-1]}"
        widest = {
            "value": values[0][1]["value"],
            "low": min(row["low"] for _, row in values),
            "high": max(row["high"] for _, row in values),
        }
        return f"{_bracketed(quantity, pd.Series(widest))} at {label(axis)} {every} alike{of}"
    if len(values) > _MOST_PLACES:
        values = [values[0], values[len(values) // 2], values[-1]]
    if name and len(values) > _MOST_ENDS:
        values = [values[0], values[-1]]
    return (
        joined([f"{_bracketed(quantity, row)} at {_where(axis, words)}" for words, row in values])
        + of
    )


def _mean(cells: pd.DataFrame) -> Any:
    """The value at a place, the mean over its cells."""
    if len(cells) == 1:
        return cells.iloc[0]
    value, low, high, _ = mean_over_cells([*cells.itertuples()], LEVEL)
    return pd.Series({"value": value, "low": low, "high": high})


def _measured_by(parts: Sequence[pd.DataFrame]) -> str:
    """What the numbers of a sentence are: of how many networks, and what brackets hold."""
    n_cells = [len(part) for part in parts]
    means = "" if max(n_cells) == 1 else f"means of {_between(n_cells)} cells, "
    n = _between([int(part["n"].sum()) for part in parts])
    return f"{means}95 % intervals in brackets, n = {n} networks each"


def _between(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _most_at_the_end(quantity: Quantity, where: str, last: Sequence[pd.DataFrame]) -> list[str]:
    """The largest value at the last place, if means were told there."""
    if max(map(len, last)) < 2:
        return []
    at = pd.concat(last)
    most = at.iloc[int(at["value"].to_numpy(dtype=float).argmax())]
    return [f"At {where} it is at most {with_n(quantity, most)}, of {most['curve']}."]


def _value(quantity: Quantity, row: pd.Series) -> str:
    return value_text(quantity, row["value"]) + " %" * quantity.is_share


def _bracketed(quantity: Quantity, row: pd.Series) -> str:
    """A value with its interval in brackets; a sentence says beside it of how many networks."""
    text = _value(quantity, row)
    if np.isnan(row["low"]):
        return text
    return f"{text} [{', '.join(value_text(quantity, row[end]) for end in ('low', 'high'))}]"


def with_n(quantity: Quantity, row: pd.Series) -> str:
    """A value for a sentence: it never travels alone."""
    unit = " %" if quantity.is_share else ""
    value, low, high = (value_text(quantity, row[name]) for name in ("value", "low", "high"))
    if np.isnan(row["low"]):
        return f"{value}{unit} (n = {int(row['n']):,})"
    return f"{value}{unit} (95 % interval {low} to {high}, n = {int(row['n']):,})"
