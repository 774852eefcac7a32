"""Bounds of every pre-activation over boxes: intervals and linear relaxations, rounded outward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainability.death.rounding import UNIT
from trainability.domains import Ball, Box


@dataclass(frozen=True)
class Region:
    """B boxes, each cut with the ball of one radius around the origin.

    Args:
        center: Shape (B, d).
        half: Half-widths >= 0, shape (B, d).
        radius: Of the ball; infinity for boxes alone.
    """

    center: np.ndarray
    half: np.ndarray
    radius: float = np.inf

    @classmethod
    def around(cls, domain: Ball | Box) -> Region:
        """The whole domain, as one box."""
        if isinstance(domain, Ball):
            half = np.full((1, domain.d), float(domain.radius))
            return cls(np.zeros((1, domain.d)), half, domain.radius)
        low, high = domain.low[None], domain.high[None]
        return cls((low + high) / 2, (high - low) / 2)

    @property
    def reach(self) -> np.ndarray:
        """Largest magnitude of each coordinate, shape (B, d)."""
        return np.abs(self.center) + self.half

    def upper(self, slope: np.ndarray) -> np.ndarray:
        """Upper bound of slope.x over each box; slope of shape (B, W, d), result (B, W).

        The slack covers the rounding of the boxes' own edges as well.
        """
        slack = _relative_error(slope.shape[2]) * _apply(np.abs(slope), self.reach)
        bound = _apply(slope, self.center) + _apply(np.abs(slope), self.half)
        if np.isfinite(self.radius):
            bound = np.minimum(bound, self.radius * np.linalg.norm(slope, axis=2))
        return bound + slack


@dataclass(frozen=True)
class Bounds:
    """What the pre-activations of a layer lie between, and the slope that says where to cut.

    Args:
        lower: Shape (B, W).
        upper: Shape (B, W).
        slope: Of a linear upper bound in the inputs, shape (B, W, d).
    """

    lower: np.ndarray
    upper: np.ndarray
    slope: np.ndarray


def layer_bounds(
    weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], region: Region
) -> list[Bounds]:
    """Sound bounds of all pre-activations of B networks, each on its own box.

    The tightest of interval arithmetic and of two backward linear relaxations, whose lower line
    of an unstable neuron is either 0, or the steeper of 0 and the identity. The backward pass
    treats its rounded coefficients as exact and pays for the rest: rounding A W to A' adds at
    most gamma |A| |W| |h|, with |h| from the bounds of the layer before.

    Args:
        weights: Of the hidden layers, each of shape (B, W_t, W_{t-1}).
        biases: Of the hidden layers, each of shape (B, W_t).
        region: The boxes.

    Source: Zhang, Weng, Chen, Hsieh & Daniel (2018), CROWN; the rounding is derived here.
    """
    before: list[Bounds] = []
    reaches = [region.reach]
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        width = weight.shape[1]
        signed = np.concatenate([weight, -weight], axis=1)
        offset = np.concatenate([bias, -bias], axis=1)
        upper, slope = _backward(signed, offset, weights, biases, before, reaches, region, True)
        if layer:
            flat, _ = _backward(signed, offset, weights, biases, before, reaches, region, False)
            interval = _interval(signed, offset, before[-1])
            upper = np.minimum(np.minimum(upper, flat), interval)
        bounds = Bounds(-upper[:, width:], upper[:, :width], slope[:, :width])
        before.append(bounds)
        reaches.append(np.maximum(bounds.upper, 0))
    return before


def _interval(weight: np.ndarray, bias: np.ndarray, before: Bounds) -> np.ndarray:
    low, high = np.maximum(before.lower, 0), np.maximum(before.upper, 0)
    positive, negative = np.maximum(weight, 0), np.minimum(weight, 0)
    up, down = _apply(positive, high), _apply(negative, low)
    slack = _relative_error(weight.shape[2]) * (up - down + np.abs(bias))
    return up + down + bias + slack


def _backward(
    slope: np.ndarray,
    offset: np.ndarray,
    weights: Sequence[np.ndarray],
    biases: Sequence[np.ndarray],
    before: Sequence[Bounds],
    reaches: Sequence[np.ndarray],
    region: Region,
    steep: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Upper bound of slope.h + offset, and its slope in the inputs; h comes after `before`."""
    error = _relative_error(slope.shape[2] + 2 * len(before))
    slack = error * np.abs(offset)
    for s in range(len(before) - 1, -1, -1):
        lower, upper = before[s].lower, before[s].upper
        unstable = (lower < 0) & (upper > 0)
        on = (lower >= 0) & (upper > 0)
        chord = np.where(unstable, upper / np.where(unstable, upper - lower, 1), on)
        floor = np.where(unstable, steep & (upper > -lower), on)
        above, below = np.maximum(slope, 0), np.minimum(slope, 0)
        through = above * chord[:, None] + below * floor[:, None]
        error = _relative_error(slope.shape[2] + 2 * len(before))
        terms = _apply(np.abs(weights[s]), reaches[s]) + np.abs(biases[s])
        range_ = np.where(unstable, chord * (upper - lower), 0)
        slack += error * (_apply(np.abs(through), terms) + _apply(above, range_))
        offset = (
            offset
            + _apply(above, np.where(unstable, -chord * lower, 0))
            + _apply(through, biases[s])
        )
        slope = np.matmul(through, weights[s])
    return region.upper(slope) + offset + slack, slope


def _relative_error(n_terms: int) -> float:
    return 2 * (n_terms + 5) * UNIT


def _apply(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    return np.matmul(matrix, vector[:, :, None])[:, :, 0]
