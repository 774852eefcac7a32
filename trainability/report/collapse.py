"""Collapse over training, as a table of the page and a sentence above it."""

from __future__ import annotations

import pandas as pd

from trainability.findings.study import LEVEL, Findings
from trainability.report.tables import TableView, curve_head
from trainability.report.text import percent, with_interval

_RATES = ["collapsed_rate", "collapsed_rate_low", "collapsed_rate_high"]
_MOST_STEPS = 5
"""Checkpoints that the table shows: birth, the end, and decades before it."""


def collapse_view(findings: Findings) -> TableView | None:
    """The share of constant networks over steps, of the cells in which any was; None without."""
    table = findings.measured.collapse
    if table.empty or not table["n_collapsed"].any():
        return None
    some = set(table.loc[table["n_collapsed"] > 0, "cell"])
    cells = findings.rates[findings.rates.index.isin(some)]
    steps = _steps(table[table["cell"].isin(some)])
    by_cell = {
        str(cell): part.set_index("step") for cell, part in table.groupby("cell", sort=False)
    }
    body = []
    for cell, row in cells.iterrows():
        part = by_cell[str(cell)]
        texts = {
            int(step): with_interval(*values)
            for step, values in zip(part.index, part[_RATES].to_numpy(dtype=float), strict=True)
        }
        entries = [texts.get(step, "-") for step in steps]
        n = int(part["n"].iloc[0])
        body.append([row["curve"], findings.place_text(row[findings.x]), f"{n:,}", *entries])
    return TableView(
        "collapse",
        "Percent of the networks whose output is constant on the training points (its standard "
        "deviation is at most 1 % of that of the targets), at birth and at some checkpoints, of "
        f"those that had not diverged by then, with intervals of {100 * LEVEL:g} % each. Cells in "
        "which none ever was are left out; the file has all cells and all checkpoints.",
        [curve_head(findings), findings.x, "n", *("birth" if not s else f"{s:,}" for s in steps)],
        body,
    )


def collapse_sentence(findings: Findings) -> str:
    """Where collapse is most common, and by when half of it has happened."""
    table = findings.measured.collapse
    last = table.groupby("cell", sort=False).last()
    cell = str(last.index[int(last["collapsed_rate"].to_numpy().argmax())])
    row, part = findings.rates.loc[cell], table[table["cell"] == cell]
    rates = part["collapsed_rate"].to_numpy(dtype=float)
    if not rates[-1]:
        return (
            "No network is constant at the end: those that were at birth or later are so no more."
        )
    half = int(part["step"].to_numpy()[rates >= rates[-1] / 2][0])
    when = "birth" if half == 0 else f"step {half:,}"
    happened = f"; half of it had happened by {when}" if rates[0] < rates[-1] else ""
    return (
        f"Networks are constant at the end most often with {row['curve']} at {findings.x} "
        f"{findings.place_text(row[findings.x])}: {percent(rates[-1])} % of them. At birth it was "
        f"{percent(rates[0])} %{happened}."
    )


def _steps(table: pd.DataFrame) -> list[int]:
    steps = sorted(set(table["step"]))
    decades = [step for step in steps[1:-1] if str(step).strip("0") == "1"]
    return [steps[0], *decades[-(_MOST_STEPS - 2) :], steps[-1]]
