"""Why networks fail although they were trainable, and how long success takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trainability.analysis.lists import flattened
from trainability.analysis.rates import clopper_pearson, groups

REASONS = ("diverged", "lost neurons", "out of steps", "local minimum")
"""What befell a trainable network that failed; the first that applies."""


def outcomes(rows: pd.DataFrame, falling: float = 0.01) -> pd.Series:
    """What became of every network.

    - `success`.
    - `untrainable`: failed, and was untrainable at initialization: no training could help.
    - `diverged`: the loss stopped being finite.
    - `lost neurons`: at the end fewer active neurons than the task needs are left in the first
      hidden layer, or none in another layer.
    - `out of steps`: enough neurons are active, and the loss still fell by more than `falling`
      of itself between the last two checkpoints, that is over the last half of the budget or so.
    - `local minimum`: enough neurons are active, and the loss has stalled above the tolerance.

    Args:
        rows: One row per replicate, with `success`, `trainable`, `status`, `need`,
            `active_final` and `loss_curve`.
        falling: Relative decrease that tells a falling loss from a stalled one. Default: 1 %, so
            that at this pace a loss would need hundreds of such spans to fall tenfold.

    Returns:
        One of these words per row, with the index of `rows`.
    """
    succeeded, trainable = (rows[name].to_numpy(dtype=bool) for name in ("success", "trainable"))
    outcome = np.where(succeeded, "success", np.where(trainable, "diverged", "untrainable"))
    outcome = outcome.astype(object)
    finished = np.flatnonzero(trainable & ~succeeded & (rows["status"].to_numpy() == "ok"))
    part = rows[["need", "active_final", "loss_curve"]].iloc[finished]
    need = part["need"].to_numpy()
    counts, starts, ends = flattened(part["active_final"])
    first, fewest = np.full((2, len(part)), np.inf)
    if (some := ends > starts).any():  # a module may have no neuron that could be lost
        first[some] = counts[starts[some]]
        fewest[some] = np.minimum.reduceat(counts, starts[some])
    losses, _, ends = flattened(part["loss_curve"])
    last, before = losses[ends - 1], losses[ends - 2]
    stalled = np.where(last < (1 - falling) * before, "out of steps", "local minimum")
    outcome[finished] = np.where((first < need) | (fewest == 0), "lost neurons", stalled)
    return pd.Series(outcome, index=rows.index, name="outcome")


def failure_table(
    rows: pd.DataFrame, by: Sequence[str] = ("cell",), level: float = 0.95, falling: float = 0.01
) -> pd.DataFrame:
    """How the trainable networks that failed divide among the reasons.

    Args:
        rows: As for `outcomes`.
        by: Columns whose groups are counted.
        level: Confidence level of every single interval.
        falling: As for `outcomes`.

    Returns:
        One row per group and reason: the columns `by`, `reason`, `n_failed` (trainable networks
        that failed), `count`, `share` of them with its exact interval `share_low`, `share_high`
        (NaN share where none failed).
    """
    reasons = pd.Index(REASONS).get_indexer(pd.Index(outcomes(rows, falling)))  # -1: no failure
    results = []
    for key, part in groups(rows.filter([*by]).assign(_reason=reasons), by):
        counts = np.bincount(part["_reason"].to_numpy() + 1, minlength=len(REASONS) + 1)[1:]
        results += [
            [*key, reason, counts.sum(), count]
            for reason, count in zip(REASONS, counts, strict=True)
        ]
    table = pd.DataFrame(results, columns=[*by, "reason", "n_failed", "count"])
    failed = table["n_failed"].to_numpy(dtype=float)
    table["share"] = table["count"] / np.where(failed > 0, failed, np.nan)
    table["share_low"], table["share_high"] = clopper_pearson(table["count"], failed, level)
    return table


def time_to_success(
    rows: pd.DataFrame,
    by: Sequence[str] = ("cell",),
    steps: Sequence[int] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Survival curves: the share of networks that have not succeeded after so many steps.

    The Kaplan-Meier estimate, censored at the budget. A diverged network never succeeds, so it
    counts as not having succeeded up to the budget, not as lost when it diverged. Nothing is
    censored earlier, so the number of successes at a step is binomial and the exact interval
    applies, pointwise.

    Args:
        rows: One row per replicate, with `steps`, `success` and `max_steps`; one budget per group.
        by: Columns whose groups get a curve.
        steps: Where to evaluate; 0 and about 60 geometrically spaced steps by default.
        level: Confidence level of every single interval.

    Returns:
        One row per group and step: the columns `by`, `step`, `n`, `survival`, `survival_low`,
        `survival_high`.

    Source: Kaplan & Meier (1958), JASA 53, 457-481.
    """
    results = []
    names = ["steps", "success", "max_steps"]
    for key, part in groups(rows.filter([*by, *names]), by):
        taken, success, budget = (part[name].to_numpy() for name in names)
        grid = _grid(int(budget.max())) if steps is None else np.asarray(steps)
        times = np.where(success, taken, budget).astype(float)
        results.append((key, grid, len(part), _survival(times, success, grid)))
    lengths = [len(grid) for _, grid, _, _ in results]
    identity = pd.DataFrame([key for key, *_ in results], columns=list(by))
    table = identity.loc[np.repeat(np.arange(len(results)), lengths)].reset_index(drop=True)
    table["step"] = np.concatenate([grid for _, grid, _, _ in results])
    table["n"] = np.repeat([n for _, _, n, _ in results], lengths)
    table["survival"] = np.concatenate([survival for *_, survival in results])
    n_left = np.round(table["survival"] * table["n"])
    table["survival_low"], table["survival_high"] = clopper_pearson(n_left, table["n"], level)
    return table


def _survival(times: np.ndarray, success: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The Kaplan-Meier estimate at steps; what has not succeeded is censored at its time."""
    ends, n_ended = np.unique(times[success], return_counts=True)
    at_risk = len(times) - np.searchsorted(np.sort(times), ends)
    left = np.append(1.0, np.cumprod((at_risk - n_ended) / at_risk))
    return left[np.searchsorted(ends, grid, side="right")]


def _grid(budget: int) -> np.ndarray:
    return np.unique(np.append(0, np.geomspace(1, max(budget, 1), 60).round().astype(int)))
