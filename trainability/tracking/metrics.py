"""A cell's rows as the metrics of its MLflow run; knows nothing of MLflow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from trainability.analysis.rates import clopper_pearson
from trainability.results import EVALUATED, checkpoints


def final_metrics(
    rows: pd.DataFrame, trainability: float, provenance: Sequence[Mapping[str, str]]
) -> dict[str, float]:
    """One value per metric for a whole cell.

    Args:
        rows: The cell's rows.
        trainability: Its theoretical trainability; NaN where theory bounds nothing.
        provenance: Of the block files that the rows come from.

    Returns:
        Rates with the ends of the 95 % Clopper-Pearson interval of the success rate, the number
        of replicates behind them, shares of neurons at initialization, and the speed; where
        there are any, the means of accuracy and validation over the networks that did not diverge.
    """
    n = len(rows)
    successes = int(rows["success"].sum())
    low, high = clopper_pearson(successes, n, 0.95)
    counts = [rows[f"{state}_init"].iloc[0] for state in ("active", "tentative", "permanent")]
    neurons = n * int(np.sum(counts))
    seconds = sum(float(entry["seconds"]) for entry in provenance)
    collapsed = rows["collapsed"].dropna() if "collapsed" in rows else pd.Series(dtype=bool)
    undecided = int(np.stack(rows["undecided_init"].to_list()).sum())
    return {
        "success_rate": successes / n,
        "success_rate_low": float(low),
        "success_rate_high": float(high),
        "trainability": trainability,
        "trainable_rate": float(rows["trainable"].mean()),
        "born_dead_rate": float(rows["born_dead"].mean()),
        "diverged_rate": float((rows["status"] == "diverged").mean()),
        # Of the networks of which it is known: rows of older code don't say.
        **({"collapsed_rate": float(collapsed.mean())} if len(collapsed) else {}),
        "undecided_share": undecided / neurons,
        "replicates": float(n),
        "networks_per_second": n / seconds if seconds else math.nan,
        **{f"{name}_mean": float(rows[name].mean()) for name in _measured(rows)},
    }


def _measured(rows: pd.DataFrame) -> list[str]:
    """Which of the columns `EVALUATED` have values."""
    return [name for name in EVALUATED if name in rows and rows[name].notna().any()]


def curve_metrics(rows: pd.DataFrame) -> dict[str, list[tuple[int, float]]]:
    """Metrics over training steps, as (step, value) pairs.

    A diverged network counts as an infinite loss in the quantiles, as a failure in the success
    rate, and leaves the means of the census and the rate of collapse, which are not defined for
    it.
    """
    steps = checkpoints(int(rows["max_steps"].iloc[0]))
    loss = _matrix(rows["loss_curve"], np.inf)
    reached = rows["success"].to_numpy()[:, None] & (
        rows["steps"].to_numpy()[:, None] <= np.array(steps)[None]
    )
    median, upper = np.quantile(loss, [0.5, 0.9], axis=0, method="higher")
    curves = {"loss_median": median, "loss_q90": upper, "success_rate": reached.mean(axis=0)}
    for metric, column in (
        ("active_mean", "active_curve"),
        ("tentatively_dead_mean", "tentative_curve"),
        ("permanently_dead_mean", "permanent_curve"),
    ):
        counts = _matrix(rows[column], np.nan)
        kept = ~np.isnan(counts)
        total = np.where(kept, counts, 0).sum(axis=0)
        curves[metric] = np.divide(
            total, kept.sum(axis=0), out=np.full(len(steps), np.nan), where=kept.any(axis=0)
        )
    if "collapsed_curve" in rows and rows["collapsed_curve"].notna().all():
        flat = _matrix(rows["collapsed_curve"], np.nan)
        kept = ~np.isnan(flat)
        curves["collapsed_rate"] = np.divide(
            np.nansum(flat, axis=0),
            kept.sum(axis=0),
            out=np.full(len(steps), np.nan),
            where=kept.any(axis=0),
        )
    return {
        name: [
            (step, float(value))
            for step, value in zip(steps, values, strict=True)
            if math.isfinite(value)
        ]
        for name, values in curves.items()
    }


def _matrix(curves: pd.Series, missing: float) -> np.ndarray:
    matrix = np.array(curves.to_list(), dtype=np.float64)
    return np.where(np.isnan(matrix), missing, matrix)
