"""2-D inputs: exact, by cutting the domain into the polygons on which a network is linear."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from trainability.death.flat import flattened
from trainability.death.rounding import UNIT


def positive_on_polygon(
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    corners: np.ndarray,
    max_vertices: int,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Whether each neuron is positive somewhere on a convex polygon.

    Args:
        weights: Of the hidden layers, each of shape (R, W_t, W_{t-1}), the first with W_0 = 2.
        biases: Of the hidden layers, each of shape (R, W_t).
        corners: The polygon's corners in order, shape (V, 2).
        max_vertices: A network is given up at the layer that would need more vertices than this.

    Returns:
        One bool array of shape (R, W_t) per layer, and the number of layers that were finished,
        shape (R,).
    """
    widths = [weight.shape[1] for weight in weights]
    positive, finished = _subdivide_all(
        flattened(weights, biases),
        np.array(widths),
        np.ascontiguousarray(corners, np.float64),
        max_vertices,
    )
    return np.split(positive, np.cumsum(widths)[:-1], axis=1), finished


@numba.njit(cache=True, nogil=True)
def _subdivide_all(flat, widths, corners, max_vertices):
    n_networks = len(flat)
    positive = np.zeros((n_networks, widths.sum()), np.bool_)
    finished = np.zeros(n_networks, np.int64)
    for r in range(n_networks):
        finished[r] = _subdivide(flat[r], widths, corners, max_vertices, positive[r])
    return positive, finished


@numba.njit(cache=True, nogil=True)
def _subdivide(parameters, widths, corners, max_vertices, positive):
    """Fill in `positive` for one network; returns the number of layers that were finished.

    The polygons of a layer are runs of rows of `values`, which hold the layer's inputs.
    """
    values = corners
    starts = np.zeros(1, np.int64)
    sizes = np.full(1, len(corners), np.int64)
    offset = 0
    first = 0
    fan_in = 2
    for layer in range(len(widths)):
        width = widths[layer]
        weight = parameters[offset : offset + width * fan_in].reshape(width, fan_in)
        offset += width * fan_in
        bias = parameters[offset : offset + width]
        offset += width
        z = _pre_activations(weight, bias, values)
        for j in range(width):
            positive[first + j] = z[:, j].max() > 0
        first += width
        if layer + 1 == len(widths):
            break
        starts, sizes, arena = _cut(z, starts, sizes, max_vertices)
        if len(starts) == 0:
            return layer + 1
        values = np.empty((sizes.sum(), width))
        row = 0
        for p in range(len(starts)):
            for v in range(sizes[p]):
                for j in range(width):
                    values[row + v, j] = max(arena[starts[p] + v, j], 0.0)
            starts[p] = row
            row += sizes[p]
        fan_in = width
    return len(widths)


@numba.njit(cache=True, nogil=True)
def _pre_activations(weight, bias, values):
    """Shape (vertices, W), with what rounding can't tell from zero set to zero.

    The bound is that of `rounding.margin`.
    """
    width, fan_in = weight.shape
    scale = np.zeros(fan_in)
    for v in range(len(values)):
        for i in range(fan_in):
            scale[i] = max(scale[i], abs(values[v, i]))
    z = np.dot(values, weight.T)
    for j in range(width):
        magnitude = abs(bias[j])
        for i in range(fan_in):
            magnitude += abs(weight[j, i]) * scale[i]
        margin = 2 * (fan_in + 5) * UNIT * magnitude
        for v in range(len(values)):
            z[v, j] += bias[j]
            if abs(z[v, j]) <= margin:
                z[v, j] = 0.0
    return z


@numba.njit(cache=True, nogil=True)
def _cut(z, starts, sizes, max_vertices):
    """Cut every polygon along the zero lines of all neurons of a layer.

    Returns:
        Starts and sizes of the polygons in the returned rows; none if there was no room.
    """
    width = z.shape[1]
    n_polygons = len(starts)
    n_rows = len(z)
    arena = np.empty((max(2 * n_rows, 256), width))
    arena[:n_rows] = z
    first = np.empty(max(2 * n_polygons, 64), np.int64)
    count = np.empty(len(first), np.int64)
    first[:n_polygons] = starts
    count[:n_polygons] = sizes
    for j in range(width):
        for p in range(n_polygons):
            start, size = first[p], count[p]
            above = below = 0
            for v in range(start, start + size):
                above += arena[v, j] > 0
                below += arena[v, j] < 0
            if above == 0 or below == 0:
                continue
            room = n_rows + 2 * (size + 2)
            if room > max_vertices:
                return first[:0], count[:0], arena
            if room > len(arena):
                larger = np.empty((2 * room, width))
                larger[:n_rows] = arena[:n_rows]
                arena = larger
            if n_polygons == len(first):
                first = np.concatenate((first, np.empty_like(first)))
                count = np.concatenate((count, np.empty_like(count)))
            first[p] = n_rows
            n_rows = _clip(arena, start, size, j, 1.0, n_rows)
            count[p] = n_rows - first[p]
            first[n_polygons] = n_rows
            n_rows = _clip(arena, start, size, j, -1.0, n_rows)
            count[n_polygons] = n_rows - first[n_polygons]
            n_polygons += 1
    return first[:n_polygons].copy(), count[:n_polygons].copy(), arena


@numba.njit(cache=True, nogil=True)
def _clip(arena, start, size, j, side, row):
    """Write the part of a polygon where side * z_j >= 0 at `row`; returns the row after it."""
    for v in range(size):
        a = start + v
        b = start + (v + 1) % size
        if side * arena[a, j] >= 0:
            arena[row] = arena[a]
            row += 1
        if (
            arena[a, j] * side > 0 > arena[b, j] * side
            or arena[a, j] * side < 0 < arena[b, j] * side
        ):
            fraction = arena[a, j] / (arena[a, j] - arena[b, j])
            for i in range(arena.shape[1]):
                arena[row, i] = arena[a, i] + fraction * (arena[b, i] - arena[a, i])
            arena[row, j] = 0.0
            row += 1
    return row
