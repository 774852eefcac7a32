"""Answers that laws with rotating or sign-symmetric weights share."""

from __future__ import annotations

import math

from trainability.domains import Box
from trainability.lazy import numpy as np
from trainability.theory import numerics
from trainability.theory.laws.base import Exact
from trainability.theory.probability import CLOSED_FORM


def corners(domain: Box) -> np.ndarray:
    """The four corners of a rectangle, on which a neuron's maximum lies; shape (4, 2)."""
    (left, bottom), (right, top) = domain.low, domain.high
    return np.array([(x, y) for x in (left, right) for y in (bottom, top)])


def log_no_height(up: np.ndarray, down: np.ndarray) -> float:
    """log P(h(w) = 0) on a box that holds the origin: 0 unless the origin is a corner of it."""
    if ((up > 0) & (down > 0)).any():
        return -math.inf
    return float(((up > 0) | (down > 0)).sum()) * math.log(0.5)


def on_plane(x: np.ndarray, bias: float) -> Exact | None:
    """Points with d >= 2, if they lie in a plane, for a law that rotations leave alone.

    Args:
        x: Shape (N, d).
        bias: Standard deviation of the bias in units of that of the weights.
    """
    flat = numerics.points.in_plane(x)
    if flat is None:
        return None
    x, distance = flat
    # What the bias adds, and the weights across the plane.
    across = math.hypot(bias, distance)
    if across == 0:
        p = numerics.points.direction_plane(x)
        return math.log(p) if p > 0 else -math.inf, CLOSED_FORM
    return numerics.points.log_gaussian_plane(x, 1 / across), CLOSED_FORM
