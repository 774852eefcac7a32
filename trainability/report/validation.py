"""Accuracy and validation, as a table on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainability.findings.study import Findings
from trainability.report.tables import TableView, curve_head
from trainability.report.text import with_interval
from trainability.results import EVALUATED

_ACCURACY = "Accuracy: the percent of the training points whose class a network names at the end. "
_VALIDATION = (
    "Validation: of points that no network is trained on, at the end and the best at any "
    "checkpoint, birth included; the best one is chosen by these very points, and so looks better "
    "than it is. "
)


def measures_table(findings: Findings) -> TableView:
    """Accuracy and validation of every cell."""
    table = findings.measured.measures
    present = [name for name in EVALUATED if name in set(table["measure"])]
    rows = table.set_index(["cell", "measure"]).to_dict("index")
    body = []
    for cell, row in findings.rates.iterrows():
        own = {name: rows.get((cell, name)) for name in present}
        counts = [entry["n"] for entry in own.values() if entry]
        texts = [_mean(name, entry) for name, entry in own.items()]
        place = findings.place_text(row[findings.x])
        body.append([row["curve"], place, f"{min(counts, default=0):,}", *texts])
    return TableView(
        "measures",
        "Means over the networks that did not diverge, n of them, with Student's intervals of "
        "95 % each, not corrected for looks. "
        + _ACCURACY * ("accuracy" in present)
        + _VALIDATION * any("validation" in name for name in present)
        + "The file has medians.",
        [curve_head(findings), findings.x, "n"]
        + [name.replace("_", " ") + (" %" if "accuracy" in name else "") for name in present],
        body,
    )


def _mean(name: str, entry: Mapping[Any, Any] | None) -> str:
    if entry is None:
        return "-"
    values = [entry[key] for key in ("mean", "mean_low", "mean_high")]
    if name.endswith("accuracy"):
        return with_interval(*values)
    return "{:.3g} [{:.3g}, {:.3g}]".format(*values)
