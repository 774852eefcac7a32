"""Every quantity of every cell, with its interval: what studies ask about and papers publish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from trainability.analysis.rates import clopper_pearson
from trainability.study.quantities import QUANTITIES, RESTART_CHANCE, Quantity

NAMES = ["cell", "quantity", "n", "count", "value", "low", "high", "se"]


def quantity_table(rows: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """One row per cell and quantity that its networks have.

    Args:
        rows: One row per replicate; columns that are missing leave their quantities out.
        level: Confidence level of every single interval.

    Returns:
        `cell`, `quantity`, `n` networks that have it, `count` of those that a rate or restarts
        count (NaN for means), `value` with `low` and `high` (exact for rates, Student's for means,
        NaN for one network), and its standard error `se`, for rates that of (count + 1)/(n + 2),
        which is never 0; NaN for restarts.
    """
    results = []
    for cell, part in rows.groupby("cell", sort=False, observed=True):
        results += [[cell, *entry] for entry in _of_cell(part, level)]
    return pd.DataFrame(results, columns=NAMES)


def restarts(p: Any) -> np.ndarray:
    """How many independent networks are needed for one of them to succeed, with a certain chance.

    K = ceil(ln(1 - chance) / ln(1 - p)), chance `RESTART_CHANCE`; infinite for p = 0.

    Args:
        p: Probability that one of them succeeds.

    Source: Cheridito, Jentzen & Rossmannek (2020), arXiv 2006.07075, whose bound is about it.

    >>> restarts([1.0, 0.9, 0.5, 0.0]).tolist()
    [1.0, 1.0, 4.0, inf]
    """
    p = np.asarray(p, dtype=float)
    with np.errstate(divide="ignore"):
        # A hair less, for 1 - p and the logarithms are rounded.
        exact = np.log1p(-RESTART_CHANCE) / np.log1p(-p) * (1 - 1e-12)
    return np.where(p > 0, np.maximum(1.0, np.ceil(exact)), np.inf)


def _of_cell(rows: pd.DataFrame, level: float) -> Iterator[list[Any]]:
    for quantity in QUANTITIES.values():
        column = "status" if quantity.column == "diverged" else quantity.column
        if column not in rows or quantity.kind == "scaling":
            continue
        if quantity.kind == "mean":
            yield from _mean(quantity, rows[column], level)
        else:
            yield from _rate(quantity, rows[column], level)


def _rate(quantity: Quantity, column: pd.Series, level: float) -> Iterator[list[Any]]:
    values = column.dropna()
    if quantity.column == "diverged":
        yes = values == "diverged"
    elif values.dtype == object and any(np.ndim(value) for value in values):
        yes = pd.Series([0 in layers for layers in values if len(layers)], dtype=bool)
    else:
        yes = values.astype(bool)
    n = len(yes)
    if not n:
        return
    k = int(yes.sum())
    k = n - k if quantity.of_no else k
    low, high = map(float, clopper_pearson(k, n, level))
    if quantity.kind == "restarts":
        value, fewest, most = (float(restarts(p)) for p in (k / n, high, low))
        yield [quantity.name, n, k, value, fewest, most, np.nan]
        return
    smoothed = (k + 1) / (n + 2)
    yield [quantity.name, n, k, k / n, low, high, float(np.sqrt(smoothed * (1 - smoothed) / n))]


def _mean(quantity: Quantity, column: pd.Series, level: float) -> Iterator[list[Any]]:
    values = column.dropna()
    if values.dtype == object:
        values = pd.Series([layers[-1] for layers in values.to_list()])
    numbers = values.to_numpy(dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    n = len(numbers)
    if not n:
        return
    mean, se = float(numbers.mean()), np.nan
    if n > 1:
        se = float(numbers.std(ddof=1) / np.sqrt(n))
    half = se * float(special.stdtrit(max(n - 1, 1), (1 + level) / 2))
    least = -np.inf if quantity.may_be_negative else 0.0
    most = 1.0 if quantity.is_share else np.inf
    yield [quantity.name, n, np.nan, mean, max(least, mean - half), min(most, mean + half), se]
