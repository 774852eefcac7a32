"""Success as theory predicts it, beside what was measured, and the test that the two are close."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from trainability.analysis.comparisons import holm
from trainability.analysis.laws import bound_tests

CLOSE = 0.03
"""How far success may be from its prediction, which is an approximation and no identity."""
PREDICTED = f"Success is as theory predicts it, within {100 * CLOSE:g} percentage points."


def prediction_tests(rates: pd.DataFrame, x: str, n_looks: int, level: float) -> pd.DataFrame:
    """Prediction against measurement in the cells that are predicted; no rows if none is.

    Args:
        rates: One row per cell, with `curve`, `predicted_success` and its standard error.
        x: The column along which curves run.
        n_looks: How often a cell was looked at before it stopped, at most.
        level: Of the intervals.

    Returns:
        Indexed by cell: `curve`, the column `x`, `n`, `predicted_success` with `_se`,
        `success_rate` with `_low` and `_high`; `difference`, measured minus predicted, with limits
        that hold both errors (Newcombe 1998, Statistics in Medicine 17, 873-890, method 10);
        `p_value` of the exact test that success is within `CLOSE` of the prediction, which gets
        the benefit of its sampling error, and `p_holm` over the cells.
    """
    rates = rates[rates["predicted_success"].notna()]
    ends = {"lower": -CLOSE, "upper": CLOSE}
    bounds = {end: (rates["predicted_success"] + far).clip(0, 1) for end, far in ends.items()}
    errors = {f"{end}_se": rates["predicted_success_se"] for end in ends}
    tests = bound_tests(rates.assign(**bounds, **errors), "successes", "lower", "upper")
    columns = ["curve", x, "n", "predicted_success", "predicted_success_se"]
    measured = ["success_rate", "success_rate_low", "success_rate_high"]
    table = rates[list(dict.fromkeys([*columns, *measured]))].copy()
    predicted, rate, low, high = (
        table[name].to_numpy(dtype=float) for name in ("predicted_success", *measured)
    )
    beside = stats.norm.isf((1 - level) / 2) * table["predicted_success_se"].to_numpy(dtype=float)
    table["difference"] = rate - predicted
    table["difference_low"] = rate - predicted - np.hypot(rate - low, beside)
    table["difference_high"] = rate - predicted + np.hypot(high - rate, beside)
    table["p_value"] = np.minimum(1.0, tests["p_value"].to_numpy(dtype=float) * n_looks)
    table["p_holm"] = holm(table["p_value"])
    return table
