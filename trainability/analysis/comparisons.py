"""Which of two cells succeeds more often, and by how much.

Cells that differ in the optimizer only share their initializations and are compared pair by
pair; others are compared as independent samples.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from trainability.analysis.rates import clopper_pearson, groups, success_rates, varying
from trainability.errors import InputError

Networks = tuple[np.ndarray, np.ndarray]
"""Replicate indices of a cell and whether each succeeded."""

INITIALIZATION = ("scheme", "width", "depth", "d_in", "d_out", "task", "n_train", "seed")
"""Identity columns that determine an initialization; cells that agree in them are pairs."""


def holm(p_values: Any) -> np.ndarray:
    """Adjusted p-values: rejecting those <= alpha errs in the family with probability <= alpha.

    Source: Holm (1979), Scand. J. Statist. 6, 65-70.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def mcnemar(only_a: Any, only_b: Any) -> np.ndarray:
    """Exact two-sided p-value that A and B succeed equally often on the same initializations.

    Of the pairs in which just one succeeds, the number won by A is Bin(m, 1/2) under equality.

    Args:
        only_a: Pairs in which only A succeeds.
        only_b: Pairs in which only B succeeds.

    Source: McNemar (1947), Psychometrika 12, 153-157; exact by the binomial.

    >>> mcnemar(1, 9).round(6).item()
    0.021484
    """
    only_a, only_b = np.asarray(only_a), np.asarray(only_b)
    fewer = np.minimum(only_a, only_b)
    return np.minimum(1.0, 2 * stats.binom.cdf(fewer, only_a + only_b, 0.5))


def paired_difference(
    only_a: Any, only_b: Any, n: Any, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Success rate of B minus that of A over n pairs, with its interval.

    The difference of the two discordant shares; their exact intervals are combined by squares
    with their correlation -sqrt(a b / ((1-a)(1-b))), a = (only_a + 1)/(n + 2), b likewise. By
    enumeration over all outcomes the 95 % interval covers at least 95.3 % at n from 5 to 200.

    Returns:
        Difference, lower and upper limit.

    Source: Zou & Donner (2008), Stat. Med. 27, 1693-1702 (recovery of variances), with
    Clopper-Pearson limits.
    """
    x, y, n = (np.asarray(value, dtype=float) for value in (only_a, only_b, n))
    a, b = (x + 1) / (n + 2), (y + 1) / (n + 2)
    correlation = -np.minimum(np.sqrt(a * b / ((1 - a) * (1 - b))), 1.0)
    return _difference(x, n, y, n, level, correlation)


def difference(
    k_a: Any, n_a: Any, k_b: Any, n_b: Any, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Success rate of B minus that of A for independent samples, with its interval.

    The exact intervals of the two rates, combined by squares. By enumeration the 95 % interval
    covers at least 94.7 % for samples of 10 and 95.4 % for 20 and more; with Wilson's limits,
    as first published, it falls below 90 %.

    Returns:
        Difference, lower and upper limit.

    Source: Newcombe (1998), Stat. Med. 17, 873-890, method 10, with Clopper-Pearson limits.
    """
    return _difference(k_a, n_a, k_b, n_b, level, 0.0)


def compare(
    rows: pd.DataFrame, column: str = "scheme", level: float = 0.95, by: tuple[str, ...] = ()
) -> pd.DataFrame:
    """All pairs of values of one axis, at every point of the other axes.

    Args:
        rows: One row per replicate.
        column: The identity column whose values are compared.
        level: Confidence level of every interval.
        by: The other axes; by default all identity columns that vary and that are not a function
            of `column`.

    Returns:
        One row per pair of cells: the columns `by`, `a` and `b` (values of `column`), `paired`,
        `n_a`, `n_b`, `rate_a`, `rate_b`, `difference` (b minus a), `difference_low`,
        `difference_high`, `p_value` (exact: McNemar's test where paired, else Fisher's) and
        `p_holm`, corrected for all rows of the table.
    """
    cells = success_rates(rows)
    if column not in cells:
        raise InputError(f"no identity column {column!r} to compare; there is {list(cells)}")
    others = by or tuple(_other_axes(cells, column))
    networks = {
        key[0]: (part["replicate"].to_numpy(), part["success"].to_numpy(dtype=bool))
        for key, part in groups(rows.filter(["cell", "replicate", "success"]), ["cell"])
    }
    found = []
    for key, group in groups(cells, others):
        for a, b in combinations(group.index, 2):
            paired = _share_initializations(group.loc[a], group.loc[b])
            test = _paired if paired else _independent
            values = [group.loc[a, column], group.loc[b, column]]
            found.append([*key, *values, paired, *test(networks[a], networks[b], level)])
    names = ["a", "b", "paired", "n_a", "n_b", "rate_a", "rate_b"]
    names += ["difference", "difference_low", "difference_high", "p_value"]
    table = pd.DataFrame(found, columns=[*others, *names])
    table["p_holm"] = holm(table["p_value"])
    return table


def _other_axes(cells: pd.DataFrame, column: str) -> list[str]:
    """The varying identity columns that differ between cells of one value of `column`."""
    return [
        name
        for name in varying(cells, besides=(column,))
        if len(cells.drop_duplicates(subset=[column, name]))
        > len(cells.drop_duplicates(subset=column))
    ]


def _share_initializations(first: pd.Series, second: pd.Series) -> bool:
    pairs = [(first[name], second[name]) for name in INITIALIZATION if name in first]
    return all(a == b or (pd.isna(a) and pd.isna(b)) for a, b in pairs)


def _paired(a: Networks, b: Networks, level: float) -> list[float]:
    _, in_a, in_b = np.intersect1d(a[0], b[0], assume_unique=True, return_indices=True)
    won_a, won_b = a[1][in_a], b[1][in_b]
    n = len(won_a)
    only_a, only_b = int((won_a & ~won_b).sum()), int((won_b & ~won_a).sum())
    gap = paired_difference(only_a, only_b, n, level)
    return [n, n, won_a.mean(), won_b.mean(), *map(float, gap), float(mcnemar(only_a, only_b))]


def _independent(a: Networks, b: Networks, level: float) -> list[float]:
    (n_a, n_b), (k_a, k_b) = (len(a[1]), len(b[1])), (int(a[1].sum()), int(b[1].sum()))
    gap = difference(k_a, n_a, k_b, n_b, level)
    p_value = np.asarray(stats.fisher_exact([[k_a, n_a - k_a], [k_b, n_b - k_b]])[1]).item()
    return [n_a, n_b, k_a / n_a, k_b / n_b, *map(float, gap), p_value]


def _difference(
    k_a: Any, n_a: Any, k_b: Any, n_b: Any, level: float, correlation: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    low_a, high_a = clopper_pearson(k_a, n_a, level)
    low_b, high_b = clopper_pearson(k_b, n_b, level)
    rate_a, rate_b = np.asarray(k_a) / np.asarray(n_a), np.asarray(k_b) / np.asarray(n_b)
    gap = rate_b - rate_a
    down = _length(rate_b - low_b, high_a - rate_a, correlation)
    up = _length(high_b - rate_b, rate_a - low_a, correlation)
    return gap, np.maximum(gap - down, -1.0), np.minimum(gap + up, 1.0)


def _length(x: np.ndarray, y: np.ndarray, correlation: Any) -> np.ndarray:
    return np.sqrt(np.maximum(x**2 + y**2 - 2 * correlation * x * y, 0.0))
