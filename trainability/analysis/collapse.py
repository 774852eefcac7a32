"""What networks collapse to: whether they end at the constant that is best for the loss."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from trainability.analysis.rates import clopper_pearson

NEAR = 0.01
"""Share of the best constant's loss by which that of a collapsed network may be larger."""
NAMES = ["cell", "n", "n_born_dead", "best_loss", "count", "share", "share_low", "share_high"]


def collapse_table(
    rows: pd.DataFrame, constants: Mapping[str, float], level: float = 0.95
) -> pd.DataFrame:
    """How many of the collapsed networks of every cell end at the best constant.

    Under the squared error the loss of a constant grows with its square distance from the mean of
    the targets, and under the absolute error it is least at their median: so a loss that is
    `NEAR` the least tells that the constant is near the best one.

    Args:
        rows: One row per replicate, with `collapsed`, `born_dead` and `final_loss`.
        constants: The loss of the best constant, by cell.
        level: Confidence level of every single interval.

    Returns:
        One row per cell with collapsed networks: `cell`, their number `n`, of which `n_born_dead`
        were constant at birth, `best_loss`, the
        `count` of those within `NEAR` of it, and the `share` with its exact interval.
    """
    results = []
    collapsed = rows[rows["collapsed"].eq(True).fillna(False).astype(bool)]
    for cell, part in collapsed.groupby("cell", sort=False, observed=True):
        best = constants.get(str(cell))
        if best is None:
            continue
        n, k = len(part), int((part["final_loss"] <= (1 + NEAR) * best).sum())
        low, high = map(float, clopper_pearson(k, n, level))
        born = int(part["born_dead"].eq(True).sum())
        results.append([cell, n, born, best, k, k / n, low, high])
    return pd.DataFrame(results, columns=NAMES)
