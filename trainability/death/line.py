"""1-D inputs: exact at any depth, since a network is linear between finitely many breakpoints."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from trainability.death.flat import flattened
from trainability.death.rounding import UNIT

_POINTS = 64
_ROWS = 4
"""Rows of values that are read at a time; rows that a layer does not have are read times 0."""


def positive_on_interval(
    weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], low: float, high: float
) -> list[np.ndarray]:
    """Whether each neuron is positive somewhere on [low, high].

    Keeps the values of a layer at sorted breakpoints. Where a neuron changes its sign between
    two of them, a breakpoint is put in and the values of its layer are interpolated; the
    positions are never needed.

    Args:
        weights: Of the hidden layers, each of shape (R, W_t, W_{t-1}), the first with W_0 = 1.
        biases: Of the hidden layers, each of shape (R, W_t).
        low: Left end of the interval.
        high: Right end.

    Returns:
        One bool array of shape (R, W_t) per layer.
    """
    widths = np.array([weight.shape[1] for weight in weights])
    positive = _follow_all(flattened(weights, biases), widths, float(low), float(high))
    return np.split(positive, np.cumsum(widths)[:-1], axis=1)


@numba.njit(cache=True, nogil=True)
def _follow_all(parameters, widths, low, high):
    """`positive_on_interval` for rows of parameters; the layers of a network side by side."""
    positive = np.zeros((len(parameters), widths.sum()), np.bool_)
    # Points are the last axis: there are more of them than neurons, and loops over them are
    # vectors. Room for them is kept from network to network.
    values = np.zeros((-(-widths.max() // _ROWS) * _ROWS, _POINTS))
    z = np.empty_like(values)
    for r in range(len(parameters)):
        values[0, 0], values[0, 1] = low, high
        n_points = 2
        offset = first = 0
        fan_in = 1
        for layer in range(len(widths)):
            width = widths[layer]
            _pre_activations(parameters[r, offset:], fan_in, width, values, n_points, z)
            for j in range(width):
                is_positive = False
                for k in range(n_points):
                    is_positive |= z[j, k] > 0
                positive[r, first + j] = is_positive
            offset += width * (fan_in + 1)
            first += width
            fan_in = width
            if layer + 1 < len(widths):
                roots = _roots(z, width, n_points)
                needed = n_points + len(roots)
                if needed > values.shape[1]:
                    larger = np.zeros((len(z), 2 * needed))
                    larger[:, :n_points] = z[:, :n_points]
                    z, values = larger, np.zeros_like(larger)
                _rectify_with_roots(z, width, n_points, roots, values)
                n_points = needed
    return positive


@numba.njit(cache=True, nogil=True)
def _pre_activations(parameters, fan_in, width, values, n_points, z):
    """Fill in z of a layer; what rounding can't tell from zero is zero, as in `rounding.margin`."""
    rows = -(-fan_in // _ROWS) * _ROWS
    weights = np.zeros(rows)
    scale = np.empty(fan_in)
    for i in range(fan_in):
        largest = 0.0
        for k in range(n_points):
            largest = max(largest, abs(values[i, k]))
        scale[i] = largest
    for j in range(width):
        bias = parameters[width * fan_in + j]
        magnitude = abs(bias)
        for k in range(n_points):
            z[j, k] = bias
        for i in range(fan_in):
            weights[i] = parameters[j * fan_in + i]
            magnitude += abs(weights[i]) * scale[i]
        for i in range(0, rows, _ROWS):
            a, b, c, d = weights[i], weights[i + 1], weights[i + 2], weights[i + 3]
            for k in range(n_points):
                z[j, k] += (a * values[i, k] + b * values[i + 1, k]) + (
                    c * values[i + 2, k] + d * values[i + 3, k]
                )
        margin = 2 * (fan_in + 5) * UNIT * magnitude
        for k in range(n_points):
            if abs(z[j, k]) <= margin:
                z[j, k] = 0.0


_ROOT = np.dtype([("segment", np.int64), ("fraction", np.float64), ("neuron", np.int64)])


@numba.njit(cache=True, nogil=True)
def _roots(z, width, n_points):
    """Where neurons change their sign between two points, from left to right."""
    n_changes = 0
    for j in range(width):
        for k in range(n_points - 1):
            n_changes += _changes(z[j, k], z[j, k + 1])
    roots = np.empty(n_changes, _ROOT)
    n_roots = 0
    for j in range(width):
        for k in range(n_points - 1):
            if _changes(z[j, k], z[j, k + 1]):
                fraction = z[j, k] / (z[j, k] - z[j, k + 1])
                place = n_roots
                while place > 0 and (
                    roots[place - 1].segment > k
                    or (roots[place - 1].segment == k and roots[place - 1].fraction > fraction)
                ):
                    roots[place] = roots[place - 1]
                    place -= 1
                roots[place].segment = k
                roots[place].fraction = fraction
                roots[place].neuron = j
                n_roots += 1
    return roots


@numba.njit(inline="always")
def _changes(left, right):
    return ((left > 0) & (right < 0)) | ((left < 0) & (right > 0))


@numba.njit(cache=True, nogil=True)
def _rectify_with_roots(z, width, n_points, roots, values):
    """Fill in max(z, 0) at the points, and at the roots between them."""
    n_values = n_points + len(roots)
    segment = np.empty(n_values, np.int64)
    fraction = np.zeros(n_values)
    at = np.empty(len(roots), np.int64)
    root = point = 0
    for k in range(n_points):
        segment[point] = k
        point += 1
        while root < len(roots) and roots[root].segment == k:
            segment[point] = k
            fraction[point] = roots[root].fraction
            at[root] = point
            root += 1
            point += 1
    last = n_points - 1
    for j in range(width):
        for p in range(n_values):
            k = segment[p]
            left = z[j, k]
            value = left + fraction[p] * (z[j, min(k + 1, last)] - left)
            values[j, p] = max(value, 0.0)
    for root in range(len(roots)):
        values[roots[root].neuron, at[root]] = 0.0
