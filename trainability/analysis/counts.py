"""Do the counts of active and dead neurons follow their laws?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from trainability.analysis.binomial import two_sided
from trainability.analysis.comparisons import holm
from trainability.analysis.rates import clopper_pearson, groups
from trainability.theory.questions.counts import binomial_pmf


def count_tests(
    rows: pd.DataFrame, laws: Mapping[Any, np.ndarray], column: str = "active_init", layer: int = 0
) -> pd.DataFrame:
    """Exact tests, cell by cell, that counts of neurons follow their law.

    For every j, the number of networks with at most j such neurons is binomial: each is tested
    two-sided, and the smallest p-value times the number of tests bounds the error. Where the law
    is binomial itself, so is the total over all networks, which is one more test, the sharpest
    one for a wrong probability. Beside them, not for the verdict because it is approximate,
    stands the classical G-test, with neighboring counts pooled until 5 or more are expected.

    Args:
        rows: One row per replicate, with `cell` and the list column.
        laws: For every cell to be tested the probabilities of 0..width, shape (width + 1,).
        column: Counts per hidden layer.
        layer: Which one, from 0.

    Returns:
        Indexed by cell: `n`, `mean` and `expected_mean` counts, `g`, `g_degrees_of_freedom`,
        `g_p_value` (NaN with everything pooled), `p_value`, `p_holm` over the cells.
    """
    results = {}
    for key, seen, law in _observed(rows, laws, column, layer):
        n, possible = int(seen.sum()), np.arange(len(law))
        results[key] = [
            n,
            possible @ seen / n,
            possible @ law,
            *_g_test(seen, law),
            _exact(seen, law),
        ]
    names = ["n", "mean", "expected_mean", "g", "g_degrees_of_freedom", "g_p_value", "p_value"]
    table = pd.DataFrame.from_dict(results, orient="index", columns=names).rename_axis("cell")
    table["p_holm"] = holm(table["p_value"])
    return table


def binomial_laws(rates: pd.DataFrame, alive_probability: pd.Series) -> dict[Any, np.ndarray]:
    """The law of the active neurons of the first hidden layer, Bin(width, 1 - p), per cell.

    Args:
        rates: From `success_rates`, for the widths.
        alive_probability: 1 - p, indexed by cell; a cell without one (NaN or absent), such as one
            whose neurons are dependent, gets no law, nor does one without one width.
    """
    width = rates["width"].dropna().astype(int).to_dict()
    alive = alive_probability.reindex(list(width)).dropna()
    return {
        cell: binomial_pmf(np.array([chance]), width[cell])[0] for cell, chance in alive.items()
    }


def count_shares(
    rows: pd.DataFrame,
    laws: Mapping[Any, np.ndarray],
    column: str = "active_init",
    layer: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """How often every count was seen beside how often its law expects it; arguments as above.

    Returns:
        One row per cell and possible count: `cell`, `count`, `n`, `expected` (probability),
        `share` (of networks), and its exact interval `low`, `high` at `level`.
    """
    results = []
    for key, seen, law in _observed(rows, laws, column, layer):
        n = int(seen.sum())
        low, high = clopper_pearson(seen, n, level)
        part = {"cell": key, "count": np.arange(len(law)), "n": n, "expected": law}
        results.append(pd.DataFrame(part | {"share": seen / n, "low": low, "high": high}))
    names = ["cell", "count", "n", "expected", "share", "low", "high"]
    return pd.concat(results, ignore_index=True) if results else pd.DataFrame(columns=names)


def _observed(
    rows: pd.DataFrame, laws: Mapping[Any, np.ndarray], column: str, layer: int
) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    """Every cell that has a law, how many networks show each count, and the law."""
    for key, part in groups(rows.filter(["cell", column]), ["cell"]):
        if key[0] in laws:
            law = np.asarray(laws[key[0]], dtype=float)
            counts = np.array([entry[layer] for entry in part[column]], dtype=np.int64)
            yield key[0], np.bincount(counts, minlength=len(law)), law


def _exact(seen: np.ndarray, law: np.ndarray) -> float:
    n, width = seen.sum(), len(law) - 1
    at_most, below = seen.cumsum()[:-1], np.minimum(law.cumsum()[:-1], 1.0)
    p_values = list(two_sided(at_most, n, below))
    if is_binomial(law):
        chance = np.arange(width + 1) @ law / width
        p_values.append(float(two_sided(np.arange(width + 1) @ seen, n * width, chance)))
    return min(1.0, len(p_values) * min(p_values))


def is_binomial(law: np.ndarray) -> bool:
    """Whether a law of counts is that of independent neurons.

    Chances so small that a float has few of their digits differ by more, and are never seen.
    """
    width = len(law) - 1
    chance = np.arange(width + 1) @ law / width
    return np.allclose(law, binomial_pmf(np.array([chance]), width)[0], rtol=1e-9, atol=1e-300)


def _g_test(seen: np.ndarray, law: np.ndarray) -> tuple[float, int, float]:
    expected = seen.sum() * law
    observed, wanted = [0.0], [0.0]
    for count, chance in zip(seen, expected, strict=True):
        if wanted[-1] >= 5:
            observed.append(0.0)
            wanted.append(0.0)
        observed[-1] += count
        wanted[-1] += chance
    if wanted[-1] < 5 and len(wanted) > 1:
        observed[-2] += observed.pop()
        wanted[-2] += wanted.pop()
    freedom = len(wanted) - 1
    o, e = np.array(observed), np.array(wanted)
    g = 2 * float(np.sum(o * np.log(np.where(o > 0, o, 1) / e)))
    return g, freedom, float(special.chdtrc(freedom, g)) if freedom else float("nan")
