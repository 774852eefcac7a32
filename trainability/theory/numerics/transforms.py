"""Laplace transforms of single weights and biases, in logarithms, for complex arguments."""

from __future__ import annotations

import numpy as np
from scipy import special


def log_half_normal(z: np.ndarray) -> np.ndarray:
    """log E exp(-z |W|), W ~ N(0, 1): erfcx(z / sqrt 2), continued to Re z < 0."""
    flip = np.real(z) < 0
    y = np.where(flip, -z, z) / np.sqrt(2)
    scaled = special.wofz(1j * y)
    if not flip.any():
        return np.log(scaled)
    # erfcx(-y) = 2 exp(y^2) - erfcx(y), with the larger of the two taken out of the logarithm
    square = y**2
    grows = np.real(square) > 0
    growing, falling = np.where(grows, square, 0), np.where(grows, 0, square)
    mirrored = growing + np.log(2 * np.exp(falling) - np.exp(-growing) * scaled)
    return np.where(flip, mirrored, np.log(scaled))


def log_uniform(z: np.ndarray) -> np.ndarray:
    """log E exp(-z U), U uniform on [0, 1]: (1 - exp(-z)) / z."""
    flip = np.real(z) < 0
    y = np.where(flip, -z, z)
    tiny = np.abs(y) < 1e-100
    safe = np.where(tiny, 1, y)
    right = np.where(tiny, 0, np.log(-np.expm1(-safe) / safe))
    return right - np.where(flip, z, 0)


def log_beta21(z: np.ndarray) -> np.ndarray:
    """log E exp(-z B), B ~ Beta(2, 1): 2 (1 - exp(-z) (1 + z)) / z^2."""
    small = np.abs(z) < 1
    near = np.where(small, z, 0)
    series = sum(2 * (-near) ** k / (special.factorial(k) * (k + 2)) for k in range(20))
    flip = np.real(z) < 0
    far = np.where(small, 1, np.where(flip, -z, z))
    # For Re z < 0: exp(-z) E exp(z (1 - B)), free of overflow.
    plain = 2 * (1 - np.exp(-far) * (1 + far)) / far**2
    mirrored = 2 * (np.exp(-far) + far - 1) / far**2
    distant = np.where(flip, np.log(mirrored) + far, np.log(plain))
    return np.where(small, np.log(np.where(small, series, 1)), distant)


def log_add(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """log(exp(first) + exp(second)) for complex arrays."""
    larger = np.where(np.real(first) >= np.real(second), first, second)
    smaller = np.where(np.real(first) >= np.real(second), second, first)
    return larger + np.log1p(np.exp(smaller - larger))
