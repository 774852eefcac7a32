"""Every quantity of every cell, with its interval: what studies ask about and papers publish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from trainability.analysis.lists import flattened
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
    codes, cells = pd.factorize(rows["cell"])
    order, ends = np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))
    columns = []
    for quantity in QUANTITIES.values():
        column = "status" if quantity.column == "diverged" else quantity.column
        if column in rows and quantity.kind != "scaling":
            values = _numbers if quantity.kind == "mean" else _whether
            columns.append((quantity, values(quantity, rows[column])[order]))
    results = []
    for cell, start, end in zip(cells, [0, *ends], ends, strict=False):
        for quantity, values in columns:
            estimate = _mean if quantity.kind == "mean" else _rate
            results += [[cell, *entry] for entry in estimate(quantity, values[start:end], level)]
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


def _whether(quantity: Quantity, column: pd.Series) -> np.ndarray:
    """1 for every network of which a column says yes, 0 if it says no, else NaN; shape (R,)."""
    if quantity.column == "diverged":
        return np.where(column.isna(), np.nan, column == "diverged")
    yes = np.full(len(column), np.nan)
    kept = np.flatnonzero(column.notna())
    values = column.iloc[kept]
    if values.dtype == object and any(np.ndim(value) for value in values):
        flat, starts, ends = flattened(values)
        some = starts < ends
        yes[kept[some]] = np.logical_or.reduceat(flat == 0, starts[some]) if some.any() else 0
    else:
        yes[kept] = values.astype(bool)
    return yes


def _numbers(quantity: Quantity, column: pd.Series) -> np.ndarray:
    """The number of every network, of a list the last one; NaN where it has none; shape (R,)."""
    if column.dtype != object:
        return column.to_numpy(dtype=float, na_value=np.nan)
    numbers = np.full(len(column), np.nan)
    kept = np.flatnonzero(column.notna())
    flat, starts, ends = flattened(column.iloc[kept])
    some = starts < ends  # a module may have no layer
    numbers[kept[some]] = flat[ends[some] - 1]
    return numbers


def _rate(quantity: Quantity, whether: np.ndarray, level: float) -> Iterator[list[Any]]:
    whether = whether[~np.isnan(whether)]
    n = len(whether)
    if not n:
        return
    k = int(whether.sum())
    k = n - k if quantity.of_no else k
    low, high = map(float, clopper_pearson(k, n, level))
    if quantity.kind == "restarts":
        value, fewest, most = (float(restarts(p)) for p in (k / n, high, low))
        yield [quantity.name, n, k, value, fewest, most, np.nan]
        return
    smoothed = (k + 1) / (n + 2)
    yield [quantity.name, n, k, k / n, low, high, float(np.sqrt(smoothed * (1 - smoothed) / n))]


def _mean(quantity: Quantity, numbers: np.ndarray, level: float) -> Iterator[list[Any]]:
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
