"""Success that theory predicts for a cell, where its law has been tested."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from trainability.activations import RELU
from trainability.cores import available_cores
from trainability.losses import MEAN_SQUARED_ERROR
from trainability.optimizers import Adam
from trainability.study.cell import Cell
from trainability.theory import AdamMemory, Probability, success_probability

LAW = 1
"""Raise it whenever predictions change: what was kept of an older law is made anew."""
FASTEST = 0.02
"""Largest learning rate with which the flow was tested, which is the limit of small ones."""
SHORTEST_BUDGET = 8.0
"""Least learning rate times steps with which it was tested."""
_MOST_SAMPLES = 2**10
"""As many as a cell of a usual study has networks: more would make a report wait for the law."""
_FEWEST_SAMPLES = 2**9
_USUAL_OPERATIONS = 2.4e10
_MOST_OPERATIONS = 1e11
"""For all networks that are followed: about a second, and a few seconds."""
_STEPS_PER_UNIT = 100
_USUAL_DURATION = 12.0
"""Units of time after which most networks have succeeded or stalled."""


def prediction_obstacle(cell: Cell) -> str | None:
    """Why success of this cell is not predicted, None if it is.

    The flow is that of Adam for shallow ReLU networks on the mean squared error and the full
    batch. Where it was not tested, and where it would take long to follow enough networks,
    nothing is predicted.
    """
    if cell.network is not None:
        return f"the networks are copies of {cell.network}"
    optimizer = cell.optimizer
    adam = isinstance(optimizer, Adam) and optimizer == Adam(
        optimizer.learning_rate, optimizer.beta1, optimizer.beta2
    )
    rate = optimizer.learning_rate
    obstacles = {
        "the network is deep": cell.n_hidden > 1,
        "success is an accuracy": cell.tolerance is None,
        f"the activation is {cell.activation}": cell.activation != RELU,
        f"the loss is {cell.loss}": cell.loss != MEAN_SQUARED_ERROR,
        f"the optimizer is {optimizer}": not adam,
        f"the learning rate is above {FASTEST:g}": rate > FASTEST,
        f"the budget is shorter than {SHORTEST_BUDGET:g} / learning rate": (
            rate * cell.max_steps < SHORTEST_BUDGET
        ),
        "there is a penalty": cell.penalty is not None,
        "there are minibatches": cell.batch_size is not None,
    }
    reason = next((reason for reason, holds in obstacles.items() if holds), None)
    if reason is None and _MOST_OPERATIONS / _operations(cell) < _FEWEST_SAMPLES:
        reason = "networks and data are too large to follow many"
    return reason


@lru_cache(maxsize=4096)
def predicted_success(cell: Cell, most_samples: int = _MOST_SAMPLES) -> Probability | None:
    """Success rate that the flow of Adam predicts, from scheme, task and optimizer alone.

    None where `prediction_obstacle` says why. Takes a second or a few.

    Args:
        cell: The cell.
        most_samples: Networks to follow, at most; 512 or more.
    """
    if prediction_obstacle(cell) is not None:
        return None
    (width,) = cell.widths
    if width < cell.proven_need:
        return Probability(0.0, note="narrower than the need")
    return success_probability(
        cell.scheme,
        *cell.task.data(),
        width,
        _tolerance(cell),
        cell.proven_need,
        memory=_memory(cell),
        duration=_duration(cell),
        n_samples=int(
            np.clip(_USUAL_OPERATIONS / _operations(cell), _FEWEST_SAMPLES, most_samples)
        ),
    )


def flow_succeeds(
    cell: Cell, weights: tuple[np.ndarray, np.ndarray], biases: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Which of R initial networks of a cell without an obstacle the flow leads to success.

    Args:
        cell: The cell.
        weights: Of both layers, shapes (R, W, d) and (R, d_out, W).
        biases: Of both layers, shapes (R, W) and (R, d_out).
    """
    # Imported here: it loads numba, and every import of this package would.
    from trainability.theory.numerics.adam_flow import final_losses

    tolerance, need = _tolerance(cell), cell.proven_need
    task = cell.task.data()
    ended = final_losses(weights, biases, *task, tolerance, need, _memory(cell), _duration(cell))
    return ended <= np.float32(tolerance)


def predict_success(cells: Iterable[Cell]) -> dict[str, Probability]:
    """`predicted_success` by id, of those of the cells that it predicts; on all CPUs."""
    asked = [cell for cell in cells if prediction_obstacle(cell) is None]
    with ThreadPoolExecutor(available_cores()) as pool:
        predictions = list(pool.map(predicted_success, asked))
    return {cell.id: p for cell, p in zip(asked, predictions, strict=True) if p is not None}


def _tolerance(cell: Cell) -> float:
    assert cell.tolerance is not None, "success is an accuracy"
    return cell.tolerance


def _memory(cell: Cell) -> AdamMemory:
    adam = cell.optimizer
    assert isinstance(adam, Adam)
    return AdamMemory.of(adam.learning_rate, adam.beta1, adam.beta2)


def _duration(cell: Cell) -> float:
    return cell.optimizer.learning_rate * cell.max_steps


def _operations(cell: Cell) -> float:
    """To follow one network, forward and back."""
    per_step = 6 * cell.widths[0] * cell.task.n_train * (cell.task.d_in + cell.task.d_out)
    return per_step * _STEPS_PER_UNIT * min(_USUAL_DURATION, _duration(cell))
