"""Published numbers beside ours, as a table on the page."""

from __future__ import annotations

import math

from trainability.findings.published import DISAGREE
from trainability.findings.study import Findings
from trainability.report.tables import TableView
from trainability.report.text import all_of, joined, number, p_text, percent
from trainability.study.quantities import QUANTITIES, Quantity

_RELATIONS = {"=": "", ">=": "≥ ", "<=": "≤ "}
_WORDS = ("where", "quantity", "what differs")
_MOST_NAMED = 2
"""Disagreements that the sentence names; the table has all."""


def published_sentence(findings: Findings) -> str:
    """How many published numbers ours agree with, and the clearest of those that do not; empty
    without any."""
    table = findings.published
    if table.empty:
        return ""
    n, agree = len(table), int(table["agrees"].sum())
    if agree == n:
        return f"{all_of(n, 'published number').capitalize()} agree{'s' * (n == 1)} with ours."
    clearest = table[~table["agrees"]].sort_values("p_holm", kind="stable")
    named = []
    for _, row in clearest.iloc[:_MOST_NAMED].iterrows():
        quantity = QUANTITIES[row["quantity"]]
        unit = " %" * quantity.is_share
        ours = interval_text(quantity, *(row[f"ours{end}"] for end in ("", "_low", "_high")))
        theirs = _RELATIONS[row["relation"]] + value_text(quantity, row["published"])
        named.append(f"{theirs}{unit} beside our {ours}{unit} ({row['where']})")
    of = (
        f"Of {n} comparisons with published numbers {agree or 'none'} agree{'s' * (agree < 2)}"
        if n > 1
        else "The published number does not agree with ours"
    )
    most = "farthest from it " if len(clearest) > _MOST_NAMED else ""
    return f"{of}: {most}{joined(named)}."


def published_view(findings: Findings) -> TableView:
    """Published numbers beside ours, and whether they agree; what all rows share is said once."""
    table = findings.published
    words: dict[str, list[str]] = {name: [] for name in ("source", *_WORDS)}
    body = []
    for _, row in table.iterrows():
        quantity = QUANTITIES[row["quantity"]]
        where = row["where"] + (f" (mean of {row['n_cells']} cells)" * (row["n_cells"] > 1))
        unit = " %" if quantity.is_share else ""
        entries = (row["source"], where, quantity.noun + unit, row["differs"] or "nothing")
        for name, entry in zip(words, entries, strict=True):
            words[name].append(entry)
        body.append(
            [
                _RELATIONS[row["relation"]] + value_text(quantity, row["published"]),
                interval_text(quantity, *(row[f"ours{end}"] for end in ("", "_low", "_high"))),
                f"{row['n']:,}",
                _gap(quantity, *(row[f"difference{end}"] for end in ("", "_low", "_high"))),
                ("yes" if row["agrees"] else "no")
                + f" (p = {p_text(row['p_holm'])})".replace("= <", "<"),
            ]
        )
    shared = {name: own[0] for name, own in words.items() if name != "where" and _is_one(own)}
    columns = [name for name in words if name not in shared]
    once = "".join(f"{name.capitalize()}: {text.rstrip('.')}. " for name, text in shared.items())
    return TableView(
        "published",
        f"{once}Theirs beside ours, with intervals of 95 %, and the difference, ours minus theirs, "
        "of shares in percentage points. They agree unless a test that both have one value finds "
        f"p <= {DISAGREE:g}, corrected for all rows (Holm): Fisher's exact test of two rates, of "
        "means the normal law of the difference; a number without its error or its networks "
        "counts as exact. A disagreement may be due to what differs.",
        [*columns, "published", "ours", "n", "difference", "do they agree?"],
        [
            [*(words[name][index] for name in columns), *numbers]
            for index, numbers in enumerate(body)
        ],
        n_text=len(columns),
    )


def _is_one(texts: list[str]) -> bool:
    return len(set(texts)) == 1


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
