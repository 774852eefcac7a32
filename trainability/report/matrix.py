"""All success rates at a glance: curves down, widths across."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from trainability.findings.study import Findings
from trainability.report.text import at_most, percent

MOST_ENTRIES = 2000
"""Entries of a matrix on the page; the long table and the file have all."""


@dataclass(frozen=True)
class Entry:
    """A cell of the matrix, in percent.

    Args:
        rate: The success rate.
        limits: Its interval.
        theory: Trainability.
        share: The success rate in [0, 100], for the color.
        n: Networks, as text.
    """

    rate: str
    limits: str
    theory: str
    share: float
    n: str


@dataclass(frozen=True)
class Matrix:
    """Success by curve and place.

    Args:
        corner: What rows and columns are.
        columns: Places.
        rows: The name of a curve with its entries, None where nothing was studied.
        note: What the entries mean.
    """

    corner: str
    columns: list[str]
    rows: list[tuple[str, list[Entry | None]]]
    note: str


def success_matrix(findings: Findings) -> Matrix | None:
    """The matrix of a study; None if it would be too large, or cells share a place."""
    rates = findings.rates
    place = rates[findings.x].map(findings.place_text)
    columns = list(map(findings.place_text, findings.places))
    curves = list(dict.fromkeys(rates["curve"]))
    if len(columns) * len(curves) > MOST_ENTRIES:
        return None
    keys = list(zip(rates["curve"], place, strict=True))
    if len(set(keys)) < len(keys):
        return None
    same_n = rates["n"].nunique() == 1
    entries = {
        key: _entry(row, same_n) for key, (_, row) in zip(keys, rates.iterrows(), strict=True)
    }
    bound = ", and after the sign ≤ the trainability, theory's upper bound" * findings.has_bound
    n = f"n = {int(rates['n'].iloc[0]):,} networks each" if same_n else "n: networks"
    return Matrix(
        f"success in % by {findings.x}",
        columns,
        [(str(curve), [entries.get((curve, column)) for column in columns]) for curve in curves],
        f"Success in percent, its 95 % interval beneath{bound}; {n}.",
    )


def _entry(row: pd.Series, same_n: bool) -> Entry:
    theory = row["trainability"]
    return Entry(
        percent(row["success_rate"]),
        f"{percent(row['success_rate_low'])} to {percent(row['success_rate_high'])}",
        "" if pd.isna(theory) else at_most(theory),
        round(100 * float(row["success_rate"]), 1),
        "" if same_n else f"n {int(row['n']):,}",
    )
