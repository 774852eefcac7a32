"""Why networks fail and how long success takes, from what was counted cell by cell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trainability.analysis.failures import time_to_success
from trainability.analysis.rates import clopper_pearson


def failures_by_curve(failures: pd.DataFrame, rates: pd.DataFrame, level: float) -> pd.DataFrame:
    """How the trainable networks of a curve that failed divide among the reasons.

    Args:
        failures: From `failure_table`, by cell.
        rates: For the curve of every cell.
        level: Of every interval.
    """
    curve = rates["curve"].to_dict()
    table = failures.assign(curve=[curve[cell] for cell in failures["cell"]])
    names = ["curve", "reason"]
    table = table.groupby(names, sort=False)[["n_failed", "count"]].sum().reset_index()
    failed = table["n_failed"].to_numpy(dtype=float)
    table["share"] = table["count"] / np.where(failed > 0, failed, np.nan)
    table["share_low"], table["share_high"] = clopper_pearson(table["count"], failed, level)
    return table


def survival_by_cell(networks: pd.DataFrame, rates: pd.DataFrame, level: float) -> pd.DataFrame:
    """Share of networks that have not succeeded after so many steps.

    Args:
        networks: Every network's `cell`, `success` and `steps`.
        rates: For the budget of every cell.
        level: Of every interval.
    """
    budgets = rates["max_steps"].reindex(networks["cell"].cat.categories).to_numpy()
    parts = []
    for budget in np.unique(budgets):
        part = networks.assign(max_steps=budgets[networks["cell"].cat.codes])
        part = part[part["max_steps"] == budget]
        parts.append(time_to_success(part, ["cell"], level=level))
    return pd.concat(parts, ignore_index=True)
