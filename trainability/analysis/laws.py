"""Does experiment obey theory? Each test of a law returns its verdict as one row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from trainability.analysis.rates import clopper_pearson

ALPHA = 1e-6
"""How often a test here accuses a law that holds."""


@dataclass(frozen=True)
class Verdict:
    """What a test found.

    Args:
        law: The law, as a sentence.
        verdict: What the data say of it, as a sentence.
        holds: False where the data contradict the law.
        n: Networks (or neurons, as the sentence says) that were looked at.
        statistic: The number that the test is based on.
        p_value: Probability, if the law holds, of data at least as bad for it.
        false_alarm_rate: The law is called broken iff `p_value` is at most this.
    """

    law: str
    verdict: str
    holds: bool
    n: int
    statistic: float
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
    if n == 0:
        sentence = "Not tested: every network was trainable."
    elif exceptions:
        sentence = f"Broken: {exceptions:,} of {n:,} untrainable networks succeeded."
    else:
        limit = float(np.asarray(clopper_pearson(0, n, level=0.90)[1]))
        sentence = (
            f"Holds: none of {n:,} untrainable networks succeeded; "
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
