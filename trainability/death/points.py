"""Points: a data set, or samples of a domain that show which neurons live."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from trainability import seeds
from trainability.death.rounding import UNIT, margin
from trainability.domains import Ball, Box

MAX_CORNERS = 1024


def positive_at(
    weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], x: np.ndarray
) -> Iterator[np.ndarray]:
    """Whether each neuron is positive at one of the points, by more than rounding; by layer.

    Args:
        weights: Of the hidden layers, each of shape (R, W_t, W_{t-1}).
        biases: Of the hidden layers, each of shape (R, W_t).
        x: Shape (N, d), the same for all networks, or (R, N, d).

    Yields:
        bool, shape (R, W_t).
    """
    values = np.broadcast_to(x, (len(weights[0]), *x.shape[-2:]))
    for weight, bias in zip(weights, biases, strict=True):
        scale = np.abs(values).max(axis=1)
        values = np.matmul(values, weight.transpose(0, 2, 1)) + bias[:, None]
        yield (values > margin(weight, bias, scale)[:, None]).any(axis=1)
        np.maximum(values, 0, out=values)


def sample_points(domain: Ball | Box, n: int) -> np.ndarray:
    """The points at which a census looks: the same for all networks, on every machine.

    The center, n / 2 points inside, n / 2 on the boundary, where a convex function is largest,
    and the corners of a box that has few.

    Args:
        domain: A ball or a box.
        n: Number of random points, >= 2.

    Returns:
        Shape (N, d).
    """
    rng = seeds.stream(0, "census", "sampling")
    unit = (Box if isinstance(domain, Box) else Ball)(domain.d, 1.0).sample(rng, n)
    outer = unit[n // 2 :]
    if isinstance(domain, Box):
        center = (domain.low + domain.high) / 2
        size = (domain.high - domain.low) / 2
        outer /= np.abs(outer).max(axis=1, keepdims=True)
        n_signs = min(domain.d, MAX_CORNERS.bit_length() - 1)
        corners = np.ones((2**n_signs, domain.d))
        corners[:, :n_signs] = list(itertools.product((-1.0, 1.0), repeat=n_signs))
    else:
        center, size = np.zeros(domain.d), domain.radius
        outer /= np.linalg.norm(outer, axis=1, keepdims=True) * (1 + 1e-15)
        corners = np.concatenate([np.eye(domain.d), -np.eye(domain.d)])
    return center + size * np.concatenate([np.zeros((1, domain.d)), corners, unit])


def into_ball(x: np.ndarray, radius: float) -> np.ndarray:
    """Points of shape (..., d), those outside the ball of this radius pulled to its boundary."""
    norm = np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), np.finfo(float).tiny)
    return x * np.minimum(1, radius * (1 - 4 * UNIT) / norm)
