"""Published numbers beside ours, as a table on the page."""

from __future__ import annotations

import math

from trainability.findings.published import DISAGREE
from trainability.findings.study import Findings
from trainability.report.tables import TableView
from trainability.report.text import number, p_text, percent
from trainability.study.quantities import QUANTITIES, Quantity

_RELATIONS = {"=": "", ">=": "≥ ", "<=": "≤ "}


def published_view(findings: Findings) -> TableView:
    """Published numbers beside ours, and whether they agree."""
    body = []
    for _, row in findings.published.iterrows():
        quantity = QUANTITIES[row["quantity"]]
        where = row["where"] + (f" (mean of {row['n_cells']} cells)" * (row["n_cells"] > 1))
        body.append(
            [
                row["source"],
                where,
                quantity.noun + (" %" if quantity.is_share else ""),
                row["differs"] or "nothing",
                _RELATIONS[row["relation"]] + value_text(quantity, row["published"]),
                interval_text(quantity, *(row[f"ours{end}"] for end in ("", "_low", "_high"))),
                f"{row['n']:,}",
                _gap(quantity, *(row[f"difference{end}"] for end in ("", "_low", "_high"))),
                ("yes" if row["agrees"] else "no") + f" (p = {p_text(row['p_holm'])})",
            ]
        )
    return TableView(
        "published",
        "Theirs beside ours, with intervals of 95 %, and the difference, ours minus theirs, of "
        "shares in percentage points. They agree unless a test that both have one value finds "
        f"p <= {DISAGREE:g}, corrected for all rows (Holm): Fisher's exact test of two rates, of "
        "means the normal law of the difference; a number without its error or its networks "
        "counts as exact. A disagreement may be due to what differs.",
        ["source", "where", "quantity", "what differs", "published", "ours", "n", "difference",
         "do they agree?"],
        body,
        n_text=4,
    )  # fmt: skip


def value_text(quantity: Quantity, value: float) -> str:
    """A value of a quantity: shares in percent, without the sign."""
    return percent(value) if quantity.is_share else number(value)


def interval_text(quantity: Quantity, value: float, low: float, high: float) -> str:
    """A value of a quantity with its interval."""
    texts = [value_text(quantity, entry) for entry in (value, low, high)]
    return texts[0] if math.isnan(low) else f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _gap(quantity: Quantity, value: float, low: float, high: float) -> str:
    if quantity.is_share:
        texts = [f"{100 * entry:+.1f}" for entry in (value, low, high)]
    else:
        texts = [f"{entry:+.3g}" for entry in (value, low, high)]
    return texts[0] if math.isnan(low) else f"{texts[0]} [{texts[1]}, {texts[2]}]"
