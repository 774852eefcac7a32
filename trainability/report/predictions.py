"""Predicted success beside measured success, as a table of the page."""

from __future__ import annotations

from trainability.findings.predicting import CLOSE
from trainability.findings.study import LEVEL, Findings
from trainability.report.tables import TableView, curve_head
from trainability.report.text import p_text, percent, with_interval


def predictions_table(findings: Findings) -> TableView:
    """Every cell whose success theory predicts."""
    body = []
    for _, row in findings.predictions.iterrows():
        predicted = percent(row["predicted_success"])
        if row["predicted_success_se"] > 0:
            predicted += f" ± {100 * row['predicted_success_se']:.1f}"
        gap, low, high = (100 * row[f"difference{end}"] for end in ("", "_low", "_high"))
        body.append(
            [
                row["curve"],
                findings.place_text(row[findings.x]),
                f"{row['n']:,}",
                predicted,
                with_interval(*(row[f"success_rate{end}"] for end in ("", "_low", "_high"))),
                f"{gap:+.1f} [{low:+.1f}, {high:+.1f}]",
                p_text(row["p_holm"]),
            ]
        )
    return TableView(
        "predictions",
        "In percent. Predicted: the probability, from theory alone, with its standard error, that "
        "the flow of Adam leads from an initial network to the tolerance within the budget; "
        "nothing is fitted. Measured, and measured minus predicted in "
        f"percentage points, with intervals of {100 * LEVEL:g} %; those of the difference hold the "
        f"errors of both. p: of the exact test that success is within {100 * CLOSE:g} points of "
        "its prediction, corrected for all cells (Holm); the prediction gets the benefit of six "
        "standard errors. Cells that are not in the table are not predicted.",
        [curve_head(findings), findings.x, "n", "predicted %", "measured %", "difference", "p"],
        body,
    )
