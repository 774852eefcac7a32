"""Losses, the census and collapse over training, and the census layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trainability.analysis.rates import clopper_pearson, groups
from trainability.errors import InputError

STATES = {"active": "active", "tentative": "tentatively dead", "permanent": "permanently dead"}
"""States of a neuron: as in the names of columns, and in words."""


def loss_quantiles(
    rows: pd.DataFrame,
    steps: Sequence[int],
    by: Sequence[str] = ("cell",),
    quantiles: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9),
) -> pd.DataFrame:
    """Quantiles of the loss over training, over all networks.

    A network keeps its loss after it has stopped; one that has diverged counts as infinite. A
    quantile is the least loss that at least this share of the networks does not exceed.

    Args:
        rows: One row per replicate, with `loss_curve`.
        steps: The steps of the curves: `results.checkpoints(max_steps)`.
        by: Columns whose groups get a curve.
        quantiles: Which, in (0, 1).

    Returns:
        One row per group and step: the columns `by`, `step`, `n` and one column per quantile,
        named q10, q25, q50 and so on.
    """
    results = []
    for key, part in groups(rows.filter([*by, "loss_curve"]), by):
        losses = _stack(part, "loss_curve", len(steps))
        losses[~np.isfinite(losses)] = np.inf
        values = np.quantile(losses, quantiles, axis=0, method="inverted_cdf")
        columns = {f"q{100 * q:g}": value for q, value in zip(quantiles, values, strict=True)}
        identity = dict(zip(by, key, strict=True))
        results.append(pd.DataFrame(identity | {"step": steps, "n": len(part)} | columns))
    return pd.concat(results, ignore_index=True)


def census_curves(
    rows: pd.DataFrame, steps: Sequence[int], by: Sequence[str] = ("cell",)
) -> pd.DataFrame:
    """Mean counts of active and dead neurons of a network over training.

    Args:
        rows: One row per replicate, with `active_curve`, `tentative_curve`, `permanent_curve`.
        steps: The steps of the curves.
        by: Columns whose groups get a curve.

    Returns:
        One row per group and step: the columns `by`, `step`, `n` (networks that have not
        diverged by then), `active_mean`, `tentatively_dead_mean`, `permanently_dead_mean`: neurons
        per network, over all hidden layers.
    """
    results = []
    for key, part in groups(rows.filter([*by, *(f"{state}_curve" for state in STATES)]), by):
        table = dict(zip(by, key, strict=True)) | {"step": list(steps)}
        for state, words in STATES.items():
            counts = _stack(part, f"{state}_curve", len(steps))
            n = np.isfinite(counts).sum(axis=0)
            table["n"] = n
            mean = np.divide(np.nansum(counts, axis=0), n, out=np.full(len(n), np.nan), where=n > 0)
            table[f"{words.replace(' ', '_')}_mean"] = mean
        results.append(pd.DataFrame(table))
    return pd.concat(results, ignore_index=True)


def collapse_curves(
    rows: pd.DataFrame,
    steps: Sequence[int],
    by: Sequence[str] = ("cell",),
    level: float = 0.95,
) -> pd.DataFrame:
    """The share of networks that are constant on the training points, over training.

    Args:
        rows: One row per replicate, with `collapsed_curve`, null where older code wrote the row.
        steps: The steps of the curves.
        by: Columns whose groups get a curve.
        level: Of the intervals.

    Returns:
        One row per group and step: the columns `by`, `step`, `n` (networks of which it is
        recorded and which have not diverged by then), `n_collapsed`, `collapsed_rate` and its
        exact interval `collapsed_rate_low`, `collapsed_rate_high`. No rows of a group of which
        nothing is recorded.
    """
    results = []
    recorded = rows[rows["collapsed_curve"].notna().to_numpy()]
    for key, part in groups(recorded.filter([*by, "collapsed_curve"]), by):
        flat = _stack(part, "collapsed_curve", len(steps))
        n, k = np.isfinite(flat).sum(axis=0), np.nansum(flat, axis=0).astype(int)
        low, high = clopper_pearson(k, n, level)
        table = dict(zip(by, key, strict=True)) | {"step": list(steps), "n": n, "n_collapsed": k}
        table["collapsed_rate"] = np.divide(k, n, out=np.full(len(n), np.nan), where=n > 0)
        table |= {"collapsed_rate_low": low, "collapsed_rate_high": high}
        results.append(pd.DataFrame(table)[n > 0])
    return pd.concat(results, ignore_index=True) if results else pd.DataFrame()


def layer_census(rows: pd.DataFrame, by: Sequence[str] = ("cell",)) -> pd.DataFrame:
    """The census of every hidden layer before and after training.

    Args:
        rows: One row per replicate with the columns `<state>_init` and `<state>_final`; `*_final`
            is null for a diverged network. All networks of a group have one shape.
        by: Columns whose groups are summed up.

    Returns:
        One row per group, moment, layer and state: the columns `by`, `moment` (`before`,
        `after`), `layer` (from 1), `state` (in words), `n` (networks: after training without the
        diverged), `mean` (neurons per network), `share` (of the layer's neurons) and `share_se`,
        its standard error from the spread between networks.
    """
    results = []
    moments = {"before": "init", "after": "final"}
    columns = [f"{state}_{end}" for state in STATES for end in moments.values()]
    for key, part in groups(rows.filter([*by, *columns]), by):
        for moment, end in moments.items():
            kept = part[part[f"active_{end}"].notna().to_numpy()]
            n = len(kept)
            if n == 0:
                continue
            depth = len(kept[f"active_{end}"].iloc[0])
            counts = {state: _stack(kept, f"{state}_{end}", depth) for state in STATES}
            width = np.sum([count[0] for count in counts.values()], axis=0)
            for layer in range(depth):
                for state, words in STATES.items():
                    share = counts[state][:, layer] / width[layer]
                    se = share.std(ddof=1) / n**0.5 if n > 1 else np.nan
                    mean = counts[state][:, layer].mean()
                    results.append([*key, moment, layer + 1, words, n, mean, share.mean(), se])
    names = ["moment", "layer", "state", "n", "mean", "share", "share_se"]
    return pd.DataFrame(results, columns=[*by, *names])


def _stack(part: pd.DataFrame, column: str, length: int) -> np.ndarray:
    """A list column as a float array of shape (R, length); missing values as NaN."""
    flat = np.concatenate(part[column].to_list()).astype(float)
    if len(flat) != len(part) * length:
        raise InputError(
            f"{column} holds {len(flat) / len(part):g} values per network, wanted {length}; "
            "pass the steps at which it was recorded"
        )
    return flat.reshape(len(part), length)
