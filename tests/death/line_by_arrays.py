"""The plain way to follow networks along an interval: arrays over all networks at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from trainability.death.rounding import margin


def positive_on_interval(
    weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], low: float, high: float
) -> Iterator[np.ndarray]:
    """Whether each neuron is positive somewhere on [low, high], layer by layer.

    Keeps the layer's values at K sorted breakpoints, padded at the end by copies of the last,
    for all networks at once. Where a neuron changes its sign between two of them, a breakpoint
    is put in and the values of its layer are interpolated; the positions are never needed.

    Args:
        weights: Of the hidden layers, each of shape (R, W_t, W_{t-1}), the first with W_0 = 1.
        biases: Of the hidden layers, each of shape (R, W_t).
        low: Left end of the interval.
        high: Right end.

    Yields:
        bool, shape (R, W_t).
    """
    n_networks = len(weights[0])
    values = np.broadcast_to(np.array([[[low], [high]]], dtype=np.float64), (n_networks, 2, 1))
    scale = np.abs(values).max(axis=1)
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        z = np.matmul(values, weight.transpose(0, 2, 1)) + bias[:, None]
        z *= np.abs(z) > margin(weight, bias, scale)[:, None]
        yield (z > 0).any(axis=1)
        if layer + 1 < len(weights):
            scale = np.abs(z).max(axis=1)
            values = np.maximum(_with_roots(z), 0)


def _with_roots(z: np.ndarray) -> np.ndarray:
    """The values (R, K, W) with those at the roots put in between: shape (R, K + new, W)."""
    n_networks, n_points, _ = z.shape
    above, below = z > 0, z < 0
    changes = (above[:, :-1] & below[:, 1:]) | (below[:, :-1] & above[:, 1:])
    network, segment, neuron = np.nonzero(changes)
    left, right = z[network, segment], z[network, segment + 1]
    rows = np.arange(len(network))
    at_left, at_right = left[rows, neuron], right[rows, neuron]
    fraction = at_left / (at_left - at_right)
    roots = left + fraction[:, None] * (right - left)
    roots[rows, neuron] = 0

    new_in_segment = changes.sum(axis=2)
    new_before = np.zeros((n_networks, n_points), np.int64)
    np.cumsum(new_in_segment, axis=1, out=new_before[:, 1:])
    n_new = new_before[:, -1]
    merged = np.repeat(z[:, -1:], n_points + n_new.max(initial=0), axis=1)
    merged[np.arange(n_networks)[:, None], np.arange(n_points) + new_before] = z
    order = np.lexsort((fraction, segment, network))
    rank = rows - np.repeat(np.cumsum(n_new) - n_new, n_new)
    merged[network, segment[order] + 1 + rank] = roots[order]
    return merged
