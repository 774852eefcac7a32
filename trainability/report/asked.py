"""The answer about the quantity that a study asks about, in sentences and as a table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trainability.analysis.collapse import NEAR
from trainability.analysis.rates import clopper_pearson
from trainability.analysis.scaling import LEAST_SIZES
from trainability.findings.asked import SUCCESS
from trainability.findings.labels import in_words, quoted, short
from trainability.findings.study import LEVEL, Findings
from trainability.report.along import along_sentences, varying_axes, with_n
from trainability.report.better import (
    DECIDED,
    NOUNS,
    confidence,
    p_value_text,
    rate_text,
)
from trainability.report.published import interval_text, value_text
from trainability.report.scaling import scaling_sentences
from trainability.report.tables import TableView, curve_head
from trainability.report.text import joined, points
from trainability.study.quantities import Quantity

_MOST_CURVES = 4
_MOST = {True: "smallest", False: "largest"}


def asked_sentences(findings: Findings) -> list[str]:
    """The answer, first along the axis that the study asks about: the first that it declares.

    Of success only that, and only where no later sentence is the answer: a test of the values of
    that axis.
    """
    asked = findings.asked
    if asked.quantity.kind == "scaling":
        return scaling_sentences(findings) or [
            f"The {asked.quantity.noun} was studied at fewer than {LEAST_SIZES} numbers of samples "
            "or at one width: nothing answers the question."
        ]
    if asked.cells.empty:
        return [f"No network has a {asked.quantity.noun}: nothing answers the question."]
    first = next(iter(varying_axes(findings)), None)
    if asked.quantity.name == SUCCESS:
        compared = findings.comparisons.axes
        answered = first in compared if first else bool(compared)
        return [] if answered else along_sentences(findings, first)
    better = _better(findings)
    if len(asked.pairs) and first in set(asked.pairs["axis"]):
        answers = [*better, *along_sentences(findings)]
    else:
        answers = [*along_sentences(findings, first), *better]
    answers = answers or _cell_by_cell(findings)
    return [*answers, *(_collapse(findings) if asked.quantity.name == "collapsed" else [])]


def _collapse(findings: Findings) -> list[str]:
    """What networks that collapsed are, by the loss that they were trained with."""
    table = findings.measured.collapsed_to
    if table.empty:
        return []
    losses = {str(cell.loss): cell.loss for cell in findings.cells.values()}
    texts = []
    of_cell = table["cell"].map(lambda cell: str(findings.cells[str(cell)].loss))
    for written, part in table.groupby(of_cell, sort=False):
        name = losses[str(written)].best_constant
        n, k = int(part["n"].sum()), int(part["count"].sum())
        low, high = map(float, clopper_pearson(k, n, LEVEL))
        texts.append(
            f"{rate_text(k / n, low, high, n)} under the {in_words(str(written))} at {name}"
        )
    n, born = int(table["n"].sum()), int(table["n_born_dead"].sum())
    low, high = map(float, clopper_pearson(born, n, LEVEL))
    return [
        f"Of the networks that collapsed {rate_text(born / n, low, high, n)} were born dead.",
        f"Of the networks that collapsed end, within {100 * NEAR:g} % of its loss, "
        f"{joined(texts)}.",
    ]


def asked_view(findings: Findings) -> TableView:
    """The quantity of every cell."""
    asked = findings.asked
    at = findings.rates[findings.x].to_dict()
    body = [
        [
            row["curve"],
            findings.place_text(at[cell]),
            f"{row['n']:,}",
            _text(asked.quantity, row),
        ]
        for cell, row in asked.cells.iterrows()
    ]
    unit = " %" if asked.quantity.is_share else ""
    return TableView(
        "quantities",
        "With intervals of 95 % each: exact ones of rates, Student's of means over the networks "
        "that have it. The file has every quantity.",
        [curve_head(findings), findings.x, "n", f"{asked.quantity.noun}{unit}"],
        body,
    )


def _better(findings: Findings) -> list[str]:
    """For every axis of strategies, which of its values has most of the quantity, or least."""
    pairs = findings.asked.pairs
    if pairs.empty:
        return []
    return [_best_along(findings, axis, part) for axis, part in pairs.groupby("axis", sort=False)]


def _best_along(findings: Findings, axis: object, pairs: pd.DataFrame) -> str:
    quantity = findings.asked.quantity
    names = quoted(short(list(dict.fromkeys([*pairs["a"], *pairs["b"]]))))
    order = _ranked(pairs, -1 if quantity.least_is_best else 1)
    best = order[0]
    of = f"{len(order)} {NOUNS.get(str(axis), f'values of {axis}')}"
    # Of every other value: how much less of the quantity it has, with its interval.
    gaps = {}
    for row in pairs.to_dict("records"):
        if best not in (row["a"], row["b"]):
            continue
        turn = 1 if row["b"] == best else -1
        ends = sorted(turn * row[f"difference_{end}"] for end in ("low", "high"))
        mine, other = ("b", "a") if row["b"] == best else ("a", "b")
        gaps[row[other]] = (
            turn * row["difference"], *ends, row["p_holm"], row[f"value_{mine}"],
            row[f"value_{other}"], row["places"], min(row["n_a"], row["n_b"]),
        )  # fmt: skip
    decided = {name: gap for name, gap in gaps.items() if gap[3] <= DECIDED}
    better = [
        names[name] for name, gap in decided.items() if (gap[0] > 0) == quantity.least_is_best
    ]
    if better:  # in a circle, as combinations that pairs do not share allow
        return (
            f"None of {of} has the {_MOST[quantity.least_is_best]} {quantity.noun} in all "
            f"comparisons: {names[best]} loses least often, but against {joined(better)}."
        )
    what = _MOST[quantity.least_is_best]
    n_places = max(gap[6] for gap in gaps.values())
    over = f"on average over {n_places} combinations of the other axes, " if n_places > 1 else ""
    unit = " %" if quantity.is_share else ""
    first = next(name for name in order[1:] if name in gaps)
    if not decided:
        gap = gaps[first]
        return (
            f"No difference of the {quantity.noun} between the {of} is certain: {over}"
            f"{value_text(quantity, gap[4])}{unit} with {names[best]} and "
            f"{value_text(quantity, gap[5])}{unit} with {names[first]}, "
            f"{p_value_text(gap[3])} (n = {gap[7]:,} networks each)."
        )
    texts = []
    ranked = [name for name in order if name in decided]
    for name in dict.fromkeys((ranked[0], ranked[-1])):
        gap = gaps[name]
        less = "less" if gap[0] < 0 else "more"
        texts.append(
            f"{_amount(quantity, *gap[:3])} {less} than {names[name]} "
            f"({value_text(quantity, gap[5])}{unit})"
        )
    equal = [name for name in order[1:] if name not in decided and name in gaps]
    worst = max(gap[3] for gap in decided.values())
    text = (
        f"Of {of} {names[best]} has the {what} {quantity.noun}: {over}"
        f"{value_text(quantity, gaps[first][4])}{unit}, {joined(texts)}, {confidence(worst)} "
        f"({p_value_text(worst)} by the normal law of the mean difference"
        + (f", corrected for all {len(pairs)} pairs" if len(pairs) > 1 else "")
        + f"; n = {min(gap[7] for gap in gaps.values()):,} networks each)"
    )
    if equal:
        text += f"; from {joined([names[name] for name in equal[:3]])} it can't be told apart"
    apart = [names[name] for name in order[1:] if name not in gaps]
    if apart:
        text += f"; {joined(apart)} had it at none of the same combinations"
    return text + "."


def _ranked(pairs: pd.DataFrame, sign: int) -> list[str]:
    """The values of an axis, the best first.

    By their mean gain over those that they share combinations with: not all need share some with
    all. Before that by how many are better beyond doubt, for such means may be over other places.
    """
    gains: dict[str, list[float]] = {}
    losses: dict[str, int] = {}
    for row in pairs.to_dict("records"):
        for name, turn in ((row["a"], -sign), (row["b"], sign)):
            gain = turn * row["difference"]
            gains.setdefault(name, []).append(gain)
            is_lost = gain < 0 and row["p_holm"] <= DECIDED
            losses[name] = losses.get(name, 0) + is_lost
    return sorted(gains, key=lambda name: (losses[name], -float(np.mean(gains[name]))))


def _amount(quantity: Quantity, gap: float, low: float, high: float) -> str:
    ends = sorted((abs(low), abs(high))) if low * high >= 0 else [low, high]
    if quantity.is_share:
        text = f"{points(abs(gap))} percentage points (95 % interval "
        return text + f"{points(ends[0])} to {points(ends[1])})"
    return f"{abs(gap):.3g} (95 % interval {ends[0]:.3g} to {ends[1]:.3g})"


def _cell_by_cell(findings: Findings) -> list[str]:
    """Where no axis of numbers varies, and none whose values are compared, such as for one cell."""
    cells, quantity = findings.asked.cells, findings.asked.quantity
    texts = [
        with_n(quantity, row) + (f" with {row['curve']}" if len(cells) > 1 else "")
        for _, row in cells.iloc[:_MOST_CURVES].iterrows()
    ]
    if len(cells) > _MOST_CURVES:
        texts.append(f"{len(cells) - _MOST_CURVES} more in the table")
    return [f"The {quantity.noun} is {'; '.join(texts)}."]


def _text(quantity: Quantity, row: pd.Series) -> str:
    return interval_text(quantity, *(float(row[name]) for name in ("value", "low", "high")))
