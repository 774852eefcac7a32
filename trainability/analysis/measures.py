"""Means of what is computed of networks beside their training: accuracy and validation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from trainability.results import EVALUATED


def measure_means(rows: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """The mean of every measure of every cell that has it, with its interval.

    Args:
        rows: One row per replicate, with `cell` and the columns `results.EVALUATED`.
        level: Confidence level of every single interval.

    Returns:
        One row per cell and measure: `cell`, `measure`, `n` (networks that have it: those that
        diverged have none at the end), `mean` with Student's interval `mean_low`, `mean_high`
        (NaN for one network), cut to [0, 1] for accuracies, and the `median`.
    """
    results = []
    for cell, part in rows.groupby("cell", sort=False, observed=True):
        for measure in EVALUATED:
            values = part[measure].dropna().to_numpy(dtype=float)
            n = len(values)
            if not n:
                continue
            mean, half = float(values.mean()), np.nan
            if n > 1:
                quantile = special.stdtrit(n - 1, (1 + level) / 2)
                half = float(quantile * values.std(ddof=1) / np.sqrt(n))
            most = 1.0 if measure.endswith("accuracy") else np.inf
            low, high = max(0.0, mean - half), min(most, mean + half)
            results.append([cell, measure, n, mean, low, high, float(np.median(values))])
    names = ["cell", "measure", "n", "mean", "mean_low", "mean_high", "median"]
    return pd.DataFrame(results, columns=names)
