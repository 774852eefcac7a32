"""Success that theory predicts for a cell, where its law has been tested."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import pandas as pd

from trainability.activations import RELU
from trainability.losses import MEAN_SQUARED_ERROR
from trainability.optimizers import Adam
from trainability.study.cell import Cell
from trainability.tasks.best_loss import best_loss
from trainability.theory import Probability, success_probability

SHORTEST_BUDGET = 8.0
"""Least learning rate times steps: for so long the flow is followed."""

_MOST_POINTS = 512
"""The best fit of two hinges takes time in the square of the points."""


def prediction_obstacle(cell: Cell) -> str | None:
    """Why success of this cell is not predicted, None if it is.

    The flow is that of Adam on the full batch, at a constant learning rate and with the other
    settings at their defaults, with which it was tested. A loss that separates success from
    failure is known where two hinges make the target and one is proven not to: what one reaches
    at best.
    """
    if cell.network is not None:
        return f"the networks are copies of {cell.network}"
    obstacles = {
        "the network is deep": cell.n_hidden > 1,
        "success is an accuracy": cell.tolerance is None,
        f"the activation is {cell.activation}": cell.activation != RELU,
        f"the loss is {cell.loss}": cell.loss != MEAN_SQUARED_ERROR,
        f"the optimizer is {cell.optimizer}": cell.optimizer != Adam(cell.optimizer.learning_rate),
        "the budget is shorter than the flow": (
            cell.optimizer.learning_rate * cell.max_steps < SHORTEST_BUDGET
        ),
        "there is a penalty": cell.penalty is not None,
        "there are minibatches": cell.batch_size is not None,
        f"{cell.task} has {cell.task.d_in} inputs": cell.task.d_in > 1,
        f"the need of {cell.task} is not proven to be 2": cell.task.need != 2,
    }
    reason = next((reason for reason, holds in obstacles.items() if holds), None)
    if reason is None and cell.task.n_train > _MOST_POINTS:
        reason = f"{cell.task} has too many points to know that two hinges make it"
    if reason is None and best_loss(*cell.task.data(), n_neurons=2) > _tolerance(cell):
        reason = f"two hinges do not make {cell.task}"
    return reason


@lru_cache(maxsize=4096)
def predicted_success(cell: Cell) -> Probability | None:
    """Success rate that the sign flow predicts, from the scheme and the task alone.

    None where `prediction_obstacle` says why. Takes a second or a few.
    """
    if prediction_obstacle(cell) is not None:
        return None
    (width,) = cell.widths
    if width < cell.task.need:
        return Probability(0.0, note="narrower than the need")
    x, y = cell.task.data()
    threshold = max(cell.task.best_loss_below_need(), _tolerance(cell))
    return success_probability(cell.scheme, x, y, width, threshold, cell.task.need)


def _tolerance(cell: Cell) -> float:
    assert cell.tolerance is not None, "success is an accuracy"
    return cell.tolerance


def with_predicted_success(rates: pd.DataFrame, cells: Iterable[Cell]) -> pd.DataFrame:
    """The rates with columns `predicted_success` and `predicted_success_se`, NaN where unknown.

    Args:
        rates: From `analysis.rates.success_rates`: one row per cell, indexed by its id.
        cells: The cells that they are of, or more.
    """
    predictions = {cell.id: predicted_success(cell) for cell in cells if cell.id in rates.index}
    values = [predictions.get(str(cell)) for cell in rates.index]
    return rates.assign(
        predicted_success=[float("nan") if p is None else p.value for p in values],
        predicted_success_se=[float("nan") if p is None else p.standard_error for p in values],
    )
