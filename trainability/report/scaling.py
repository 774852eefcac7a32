"""The width that success takes over the number of samples, as a sentence and a table."""

from __future__ import annotations

import pandas as pd

from trainability.analysis.scaling import LEAST_SIZES
from trainability.findings.scaling import SHARE
from trainability.findings.study import Findings
from trainability.report.tables import TableView
from trainability.report.text import number

_MOST = 4


def scaling_sentences(findings: Findings) -> list[str]:
    """With which power of the number of samples the width grows; empty if it was not studied."""
    table = findings.scaling
    if table.empty:
        return []
    texts = []
    for family, part in list(table.groupby("family", sort=False))[:_MOST]:
        crossed, row = part[part["width"].notna()], part.iloc[0]
        if pd.isna(row["power"]):
            texts.append(
                f"an unknown power for {family}, which crosses it within the widths studied at "
                f"{len(crossed)} numbers of samples, fewer than {LEAST_SIZES}"
            )
            continue
        ends = crossed["n_train"].iloc[[0, -1]]
        texts.append(
            f"the power {row['power']:.2f} (95 % interval {row['power_low']:.2f} to "
            f"{row['power_high']:.2f}, n = {row['n']:,}) for {family}, from "
            f"{_rounded(crossed['width'].iloc[0])} at {ends.iloc[0]:,} samples to "
            f"{_rounded(crossed['width'].iloc[-1])} at {ends.iloc[-1]:,}"
        )
    return [
        f"The width for {100 * SHARE:g} % success grows with the number of samples like "
        f"{'; like '.join(texts)}; the power 1 is linear, 2 quadratic."
    ]


def scaling_view(findings: Findings) -> TableView:
    """The width of every number of samples."""
    body = [
        [
            row["family"],
            f"{row['n_train']:,}",
            _interval(row, "width"),
            _interval(row, "power"),
        ]
        for _, row in findings.scaling.iterrows()
    ]
    return TableView(
        "scaling",
        f"Where success crosses {100 * SHARE:g} %, between two widths studied by the logit of "
        "success over the logarithm of the width (-: within none of them), and the slope of its "
        "logarithm over that of the samples. Intervals of 95 % by drawing the rates anew; the fit "
        "of a power itself may be wrong.",
        ["task", "samples", "width", "power"],
        body,
    )


def _interval(row: pd.Series, name: str) -> str:
    texts = [_rounded(row[key]) for key in (name, f"{name}_low", f"{name}_high")]
    return "-" if pd.isna(row[name]) else f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _rounded(value: float) -> str:
    return number(float(f"{value:.3g}"))
