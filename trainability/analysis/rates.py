"""Rates with their intervals: one row per replicate in, one row per cell out.

Every network counts: one that failed, diverged or was born dead is in the denominator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from trainability.errors import InputError
from trainability.results import COLUMNS

Method = Literal["clopper-pearson", "wilson"]

MEASURED = frozenset(column.name for column in COLUMNS if not column.same_for_cell)
"""Columns of a row that differ from replicate to replicate; the others say which cell it is."""


@dataclass(frozen=True)
class Rate:
    """A measured rate, which never travels without its interval.

    >>> rate = Rate(successes=412, n=1000)
    >>> rate.estimate
    0.412
    >>> low, high = rate.interval()
    >>> round(low, 4), round(high, 4)
    (0.3813, 0.4432)
    """

    successes: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.n:
            raise InputError(f"Rate wants 0 <= successes <= n, got {self.successes} of {self.n}")

    @property
    def estimate(self) -> float:
        """Share of successes; NaN for n = 0."""
        return self.successes / self.n if self.n else float("nan")

    def interval(
        self, level: float = 0.95, method: Method = "clopper-pearson"
    ) -> tuple[float, float]:
        """Lower and upper limit of the two-sided confidence interval."""
        low, high = intervals(self.successes, self.n, level, method)
        return float(low), float(high)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.estimate:.4g} [{low:.4g}, {high:.4g}] ({self.successes} of {self.n})"


def clopper_pearson(k: Any, n: Any, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Exact two-sided confidence interval of a binomial probability; covers at every n and p.

    The limits are the p at which k or more, or k or fewer, successes have probability
    (1 - level) / 2: beta quantiles, in closed form at k = 0 and k = n. A one-sided limit at
    error alpha is the same limit at level 1 - 2 alpha.

    Args:
        k: Successes, any shape that broadcasts with n.
        n: Trials; at n = 0 the interval is [0, 1].
        level: Confidence level in (0, 1).

    Returns:
        Lower and upper limits.

    Source: Clopper & Pearson (1934), Biometrika 26, 404-413.

    >>> low, high = clopper_pearson([0, 10], 10)
    >>> low.round(6).tolist(), high.round(6).tolist()
    ([0.0, 0.691503], [0.308497, 1.0])
    """
    k, n = _counts(k, n, level)
    tail = (1 - level) / 2
    inner_k = np.clip(k, 1, np.maximum(n - 1, 1))
    inner_n = np.maximum(n, 2)
    with np.errstate(divide="ignore"):
        at_end = np.log(tail) / n
    low = special.betaincinv(inner_k, inner_n - inner_k + 1, tail)
    high = special.betainccinv(inner_k + 1, inner_n - inner_k, tail)
    low = np.where(k == n, np.exp(at_end), low)
    high = np.where(k == 0, -np.expm1(at_end), high)
    return np.where(k == 0, 0.0, low), np.where(k == n, 1.0, high)


def wilson(k: Any, n: Any, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score interval: shorter than the exact one, covers on average over p only.

    Arguments and result as for `clopper_pearson`.

    Source: Wilson (1927), JASA 22, 209-212.
    """
    k, n = _counts(k, n, level)
    z2 = special.ndtri((1 + level) / 2) ** 2
    safe = np.maximum(n, 1)
    center = (k + z2 / 2) / (safe + z2)
    half = np.sqrt(z2 * (k * (n - k) / safe + z2 / 4)) / (safe + z2)
    low = np.where(k == 0, 0.0, center - half)
    return low, np.where(k == n, 1.0, center + half)


def intervals(
    k: Any, n: Any, level: float = 0.95, method: Method = "clopper-pearson"
) -> tuple[np.ndarray, np.ndarray]:
    """Limits by the method of this name."""
    if method not in ("clopper-pearson", "wilson"):
        raise InputError(f'method must be "clopper-pearson" or "wilson", got {method!r}')
    return (wilson if method == "wilson" else clopper_pearson)(k, n, level)


def simultaneous_level(
    level: float, n_intervals: int, method: Literal["bonferroni", "sidak"] = "bonferroni"
) -> float:
    """The level each of n intervals needs for all of them to cover together at `level`.

    Bonferroni always holds; Sidak, a little narrower, needs independent intervals: cells that do
    not share initializations.

    >>> round(simultaneous_level(0.95, 40), 6)
    0.99875
    """
    if n_intervals < 1:
        raise InputError(f"simultaneous_level wants n_intervals >= 1, got {n_intervals}")
    _check_level(level)
    return level ** (1 / n_intervals) if method == "sidak" else 1 - (1 - level) / n_intervals


def success_rates(
    rows: pd.DataFrame,
    trainability: pd.DataFrame | None = None,
    level: float = 0.95,
    method: Method = "clopper-pearson",
) -> pd.DataFrame:
    """One row per cell: who it is, how many networks, and the rates with their intervals.

    Args:
        rows: One row per replicate, columns as in `results`; list columns are not needed.
        trainability: Theory, indexed by cell: `trainability` and, where it was sampled,
            `trainability_se`, its standard error. Added to the result as it is.
        level: Confidence level of every single interval; see `simultaneous_level`.
        method: Of the intervals.

    Returns:
        Indexed by `cell`, in order of first appearance: the identity columns (those outside
        `MEASURED` that are constant within every cell), then `n`, `successes`, `n_trainable`,
        `n_born_dead`, `n_diverged`; `success_rate`, `trainable_rate`, `born_dead_rate`, each with
        `_low` and `_high`; `collapsed_rate` likewise, that of `n_collapsed` among the
        `n_collapse_known` networks of which it is known (NaN if of none); and
        `success_steps_median`, the median number of steps of the networks that succeeded (NaN if
        none did).
    """
    codes, cells = pd.factorize(rows["cell"])
    n = np.bincount(codes, minlength=len(cells))
    table = _identity(rows, codes, n)
    table.index = pd.Index(cells, name="cell")
    success = rows["success"].to_numpy(dtype=bool)
    table["n"] = n
    counts = {
        "successes": success,
        "n_trainable": rows["trainable"].to_numpy(dtype=bool),
        "n_born_dead": rows["born_dead"].to_numpy(dtype=bool),
        "n_diverged": (rows["status"] == "diverged").to_numpy(dtype=bool),
    }
    for name, happened in counts.items():
        table[name] = np.bincount(codes[happened], minlength=len(cells))
    for rate, count in (
        ("success_rate", "successes"),
        ("trainable_rate", "n_trainable"),
        ("born_dead_rate", "n_born_dead"),
    ):
        low, high = intervals(table[count], n, level, method)
        table[rate] = table[count] / n
        table[f"{rate}_low"], table[f"{rate}_high"] = low, high
    collapsed = rows["collapsed"] if "collapsed" in rows else pd.Series(None, rows.index)
    decided = collapsed.notna().to_numpy()
    is_constant = collapsed[decided].to_numpy(dtype=bool)
    table["n_collapsed"] = np.bincount(codes[decided][is_constant], minlength=len(cells))
    table["n_collapse_known"] = of = np.bincount(codes[decided], minlength=len(cells))
    low, high = intervals(table["n_collapsed"], of, level, method)
    table["collapsed_rate"] = np.where(of > 0, table["n_collapsed"] / np.maximum(of, 1), np.nan)
    table["collapsed_rate_low"] = np.where(of > 0, low, np.nan)
    table["collapsed_rate_high"] = np.where(of > 0, high, np.nan)
    steps = rows["steps"].to_numpy(dtype=float)[success]
    median = pd.Series(steps).groupby(codes[success]).median()
    table["success_steps_median"] = median.reindex(range(len(cells))).to_numpy()
    return table if trainability is None else table.join(trainability)


def varying(rates: pd.DataFrame, besides: tuple[str, ...] = ("width",)) -> list[str]:
    """The identity columns of a table of `success_rates` that tell its curves apart.

    Args:
        rates: From `success_rates`.
        besides: The axis along which a curve runs.
    """
    identity = list(rates.columns[: rates.columns.get_loc("n")])
    return [
        name for name in identity if name not in besides and len(rates[name].drop_duplicates()) > 1
    ]


def groups(table: pd.DataFrame, by: Sequence[str]) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    """The values of the columns `by` with their rows, in order of first appearance."""
    codes = np.zeros(len(table), dtype=int)
    if by:
        codes = np.asarray(table.groupby(list(by), sort=False, dropna=False).ngroup())
    ends = np.cumsum(np.bincount(codes))
    if (np.diff(codes) < 0).any():  # else the groups are there in one piece: nothing to copy
        table = table.take(np.argsort(codes, kind="stable"))
    members = [table.iloc[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return [(tuple(part[name].iloc[0] for name in by), part) for part in members]


def _identity(rows: pd.DataFrame, codes: np.ndarray, n: np.ndarray) -> pd.DataFrame:
    first = np.full(len(n), len(codes))
    np.minimum.at(first, codes, np.arange(len(codes)))
    columns = {}
    for name in rows.columns:
        if name == "cell" or name in MEASURED:
            continue
        values = pd.factorize(rows[name], use_na_sentinel=True)[0]
        if (values == values[first][codes]).all():
            columns[name] = rows[name].take(first).array
    return pd.DataFrame(columns, index=range(len(n)))


def _counts(k: Any, n: Any, level: float) -> tuple[np.ndarray, np.ndarray]:
    _check_level(level)
    k, n = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    if not ((k >= 0) & (k <= n)).all():
        raise InputError("an interval wants 0 <= successes <= n everywhere; check the counts")
    return k, n


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, for example 0.95, got {level!r}")
