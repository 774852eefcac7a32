"""Cell by cell: measured success, what theory predicts, and what each birth says of its network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from trainability.analysis.expected import expected_trainability, why_unbounded
from trainability.analysis.predicted import predicted_success, prediction_obstacle
from trainability.analysis.rates import clopper_pearson
from trainability.birth.features import birth_features, counts, distance, flow, races, with_outcomes
from trainability.birth.prediction import predict_outcomes
from trainability.errors import InputError
from trainability.study.cell import Cell
from trainability.tasks.best_loss import best_loss
from trainability.theory import neuron_fates

_MOST_POINTS = 512
"""The best fit of two hinges takes time in the square of the points."""
_QUICK = {"counts": counts, "distance": distance, "races": races}
FLOW = "flow_succeeds"
"""The one term of the model of each network, where a cell has it: the rest adds nothing to it."""
TERMS = (
    "stronger_side",
    "weaker_side",
    "line",
    "second_margin",
    "bias",
    "second_bias",
    "pull_up",
    "birth_loss",
    "mean_error",
    "slope_error",
)
"""Features that it reads else, as far as a cell has them; else all."""


def decided_at_birth(cells: Iterable[Cell], rows: pd.DataFrame) -> pd.DataFrame:
    """One row per cell with rows: success, the law's prediction, and that of each network.

    Args:
        cells: Of a study.
        rows: Its rows: `cell`, `replicate`, `success` and `trainable`.

    Returns:
        `cell`, `task`, `scheme`, `width`, `n`, `success_rate` with `_low` and `_high` (95 %),
        `trainability` (NaN where theory bounds nothing); by theory alone `predicted_success` with
        `_se` (NaN, and `not_predicted` says why), and where two hinges make the target `race_low`
        and `race_high`; `auc`, `deviance_explained`, `gap_explained` and `calibrated` of
        `predict_outcomes`, held out, by the flow alone or where there is none by splines (NaN
        where one outcome is rare).
    """
    entries = [_cell(cell, rows[rows["cell"] == cell.id]) for cell in cells]
    return pd.DataFrame([entry for entry in entries if entry is not None])


def _cell(cell: Cell, rows: pd.DataFrame) -> dict[str, Any] | None:
    if rows.empty:
        return None
    n, k = len(rows), int(rows["success"].sum())
    low, high = clopper_pearson(k, n)
    return {
        "cell": cell.id,
        "task": str(cell.task),
        "scheme": str(cell.scheme),
        "width": str(cell.width) if isinstance(cell.width, tuple) else cell.width,
        "n": n,
        "success_rate": k / n,
        "success_rate_low": float(low),
        "success_rate_high": float(high),
        "trainability": np.nan if why_unbounded(cell) else float(expected_trainability(cell)),
        **_law(cell),
        **_networks(cell, rows),
    }


def _law(cell: Cell) -> dict[str, Any]:
    p = predicted_success(cell)
    if p is None:
        names = ("predicted_success", "predicted_success_se", "race_low", "race_high")
        return dict.fromkeys(names, np.nan) | {"not_predicted": prediction_obstacle(cell)}
    (width,) = cell.widths  # a deep network is not predicted
    low = high = np.nan
    if _is_raced(cell):
        fates = neuron_fates(cell.scheme, *cell.task.data(), width)
        low, high = fates.opposite(width), fates.opposite_or_alike(width)
    return {
        "predicted_success": p.value,
        "predicted_success_se": p.standard_error,
        "race_low": low,
        "race_high": high,
        "not_predicted": "",
    }


def _is_raced(cell: Cell) -> bool:
    """Whether the target is two hinges, which is what the bracket of the races is about."""
    task = cell.task
    one = task.d_in == 1 and task.d_out == 1 and cell.proven_need == 2
    if not one or task.n_train > _MOST_POINTS:
        return False
    return cell.tolerance is not None and best_loss(*task.data(), n_neurons=2) <= cell.tolerance


def _networks(cell: Cell, rows: pd.DataFrame) -> dict[str, Any]:
    followed = prediction_obstacle(cell) is None
    asked = {"flow": flow} if followed else _QUICK
    features = birth_features([cell], int(rows["replicate"].max()) + 1, asked)
    table = with_outcomes(features, rows)
    names = [str(name) for name in features if name not in ("cell", "replicate")]
    terms = [FLOW] if followed else [name for name in TERMS if name in names] or names
    try:
        model = predict_outcomes(table, terms, "logistic" if followed else "splines")
    except InputError:  # one of the outcomes is too rare
        unknown = ("auc", "deviance_explained", "gap_explained")
        return dict.fromkeys(unknown, np.nan) | {"calibrated": None}
    return {
        "auc": model.auc[0],
        "deviance_explained": model.deviance_explained,
        "gap_explained": model.gap_explained,
        "calibrated": model.calibrated,
    }
