"""Does experiment obey theory? Tests of each law, cell by cell, and their verdict in words.

All tests are exact; a family of cells is accused at most once in `1 / ALPHA` studies in which the
law holds. Theory that was itself sampled comes with a standard error and gets the benefit of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from trainability.analysis.binomial import at_least
from trainability.analysis.comparisons import holm
from trainability.analysis.rates import clopper_pearson
from trainability.checks import counted

ALPHA = 1e-6
"""How often a test here accuses a law that holds."""

_BENEFIT = 6.0
"""Standard errors by which sampled theory may be off; more has probability 2e-9, which is added
to the p-value (Berger & Boos 1994, JASA 89, 1012-1016)."""


@dataclass(frozen=True)
class Verdict:
    """What a test found.

    Args:
        law: The law, as a sentence.
        verdict: What the data say of it, as a sentence.
        holds: False where the data contradict the law.
        n: Networks that were looked at.
        statistic: What was counted: cells that break the law, or exceptions to it.
        p_value: Probability, if the law holds, of data at least as bad for it in any cell.
        false_alarm_rate: The law is called broken iff `p_value` is at most this.
    """

    law: str
    verdict: str
    holds: bool
    n: int
    statistic: int
    p_value: float
    false_alarm_rate: float = ALPHA


def verdict_table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """One row per verdict, columns as the fields of `Verdict`."""
    return pd.DataFrame([asdict(verdict) for verdict in verdicts])


def untrainable_never_succeed(rows: pd.DataFrame) -> Verdict:
    """The law that no network that is untrainable at initialization ever succeeds.

    One exception breaks it, so there is no chance involved: the p-value is 1 or 0. Without an
    exception in n networks the rate of exceptions is below -log(0.05)/n, about 3/n ("rule of
    three"), with confidence 95 %; the sentence states the exact limit.

    Args:
        rows: One row per replicate, with `trainable` and `success`.

    Returns:
        `n` counts the untrainable networks, `statistic` those of them that succeeded.
    """
    untrainable = ~rows["trainable"].to_numpy(dtype=bool)
    n = int(untrainable.sum())
    exceptions = int((untrainable & rows["success"].to_numpy(dtype=bool)).sum())
    limit = float(clopper_pearson(0, n, level=0.90)[1])
    if n == 0:
        sentence = "Not tested: every network was trainable."
    elif exceptions:
        sentence = f"Broken: {exceptions:,} of {counted(n, 'untrainable network')} succeeded."
    else:
        sentence = (
            f"Holds: none of {counted(n, 'untrainable network')} succeeded; "
            f"the rate of exceptions is below {limit:.2g} (95 % confidence)."
        )
    return Verdict(
        law="An untrainable network never succeeds.",
        verdict=sentence,
        holds=exceptions == 0,
        n=n,
        statistic=exceptions,
        p_value=0.0 if exceptions else 1.0,
    )


def bound_tests(
    rates: pd.DataFrame,
    count: str = "successes",
    lower: str | None = None,
    upper: str | None = "trainability",
) -> pd.DataFrame:
    """One-sided exact tests, cell by cell, that a rate lies within its bounds.

    With the defaults: success stays below trainability. For deep networks: `n_born_dead` between
    the bounds of the born-dead probability. With `lower` and `upper` the same column, that a rate
    equals its theory: `n_trainable` and the chain.

    Args:
        rates: From `success_rates`, with the columns named here.
        count: The column of counts.
        lower: The column of lower bounds, or None; a NaN bounds nothing.
        upper: The column of upper bounds, or None; likewise. `<column>_se`, where it is there,
            holds a bound's standard error.

    Returns:
        Indexed by cell: `n`, `count`, `rate`, `lower` and `upper`, `p_value` (Bonferroni over the
        sides), `p_holm` over the cells, and `tightness`, rate over upper bound.
    """
    n, k = (rates[name].to_numpy(dtype=float) for name in ("n", count))
    table = pd.DataFrame({"n": rates["n"], "count": rates[count], "rate": k / n})
    sides, benefits = [], [np.zeros(len(rates))]
    for name, column in (("lower", lower), ("upper", upper)):
        bound, se = _theory(rates, column)
        table[name] = bound
        sign = -1.0 if name == "lower" else 1.0
        generous = np.clip(bound + sign * _BENEFIT * se, 0, 1)
        tail = at_least(k + 1, n, generous)[1] if name == "lower" else at_least(k, n, generous)[0]
        if column is not None:
            sides.append(np.where(np.isnan(bound), 1.0, tail))
        benefits.append(np.where(se > 0, 2e-9, 0.0))
    worst = np.min(sides, axis=0) * len(sides) + np.max(benefits, axis=0)
    table["p_value"] = np.minimum(worst, 1.0)
    table["p_holm"] = holm(table["p_value"])
    with np.errstate(divide="ignore", invalid="ignore"):
        table["tightness"] = table["rate"].to_numpy() / table["upper"].to_numpy()
    return table


def judge(tests: pd.DataFrame, law: str) -> Verdict:
    """The verdict on a law of a table of `bound_tests` or `count_tests`, over all its cells."""
    n = int(tests["n"].to_numpy().sum())
    p_holm = tests["p_holm"].to_numpy(dtype=float)
    broken, worst = int((p_holm <= ALPHA).sum()), float(p_holm.min(initial=1.0))
    cells = f"{len(tests):,} cells, {n:,} networks"
    if not len(tests):
        sentence = "Not tested: theory says nothing about these cells."
    elif len(tests) == 1:
        sentence = f"{'Broken' if broken else 'Holds'} for {n:,} networks (p {worst:.2g})."
    elif broken:
        sentence = f"Broken in {broken:,} of {cells} (smallest p {worst:.1g})."
    else:
        sentence = f"Holds in all {cells} (smallest p {worst:.2g}, Holm-corrected)."
    return Verdict(law, sentence, broken == 0, n, broken, worst)


def _theory(rates: pd.DataFrame, column: str | None) -> tuple[np.ndarray, np.ndarray]:
    """A column of theory and its standard error, 0 where it is exact."""
    if column is None:
        return np.full(len(rates), np.nan), np.zeros(len(rates))
    bound = rates[column].to_numpy(dtype=float)
    if f"{column}_se" not in rates:
        return bound, np.zeros(len(rates))
    return bound, np.nan_to_num(rates[f"{column}_se"].to_numpy(dtype=float))
