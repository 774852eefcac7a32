"""The best loss that a shallow ReLU network with few active neurons can reach."""

from __future__ import annotations

from trainability.errors import InputError
from trainability.lazy import numpy as np
from trainability.tasks.hinges import best_hinges

_MOST_EXACT = 512
_PART = 64
_MOST_OF_TWO = 5_000
_ROUNDING = 1e-9
"""By how much of the targets' mean square the bound is lowered, so that rounding in the least
squares (condition numbers up to 1e6) can't lift it above the truth."""


def best_loss(x: np.ndarray, y: np.ndarray, n_neurons: int) -> float:
    """Mean squared error that no shallow network with `n_neurons` active neurons gets below.

    The output is a constant (what dead neurons give goes there too) plus a_i relu(w_i.x + b_i)
    for every active neuron. Two bounds, the larger counts:

    - minus its constant, the output spans at most `n_neurons` dimensions, so the loss is at
      least the mean of the squared singular values of the centered targets after the first
      `n_neurons` (Eckart & Young 1936); for 0 neurons that is the variance of y, exact;
    - for d_in = 1 and one or two neurons, the best fit of every output by itself, exact for a
      single output. For two neurons it takes time in the square of N: from 513 points on it is
      the sum over parts of about 64 points, evenly spread, each fitted by itself. No fit to all
      points is better on any part.

    Args:
        x: Inputs, shape (N, d_in).
        y: Targets, shape (N, d_out).
        n_neurons: Active neurons, >= 0.

    Returns:
        Mean over points and outputs, >= 0; 0 where nothing better is known.

    Raises:
        InputError: For two neurons in one dimension and more than 5,000 points.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    centered = y - y.mean(axis=0)
    beyond = np.linalg.svd(centered, compute_uv=False)[n_neurons:]
    squares = float(beyond @ beyond)
    if x.shape[1] == 1 and n_neurons in (1, 2):
        squares = max(squares, sum(_hinges(x[:, 0], column, n_neurons) for column in centered.T))
    return max(0.0, squares / y.size - _ROUNDING * float(np.mean(y**2)))


def _hinges(x: np.ndarray, y: np.ndarray, n_hinges: int) -> float:
    """`best_hinges`, or for two hinges on many points a bound of it from below."""
    if n_hinges == 1 or len(x) <= _MOST_EXACT:
        return best_hinges(x, y, n_hinges)
    if len(x) > _MOST_OF_TWO:
        raise InputError(
            f"what two active neurons can reach is found on at most {_MOST_OF_TWO:,} points of one "
            f"input, got {len(x):,}; choose fewer training points"
        )
    order = np.argsort(x, kind="stable")
    n_parts = len(x) // _PART
    return sum(
        best_hinges(x[part], y[part], n_hinges)
        for part in (order[start::n_parts] for start in range(n_parts))
    )
