"""Moments of the data-dependent initialization, in closed form.

A neuron has w ~ N(0, sigma_in^2 I), a training point x_j and b = -w.x_j + |e|, e ~ N(0, sigma_e^2),
so its pre-activation at x_k is |e| + A Z with Z standard normal and A = sigma_in |x_k - x_j|.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.errors import InputError, refuse
from trainability.lazy import numpy as np
from trainability.theory.checks import count_problem, number_problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_CHUNK_ROWS = 256


@dataclass(frozen=True)
class KinkMoments:
    """Of the output relu(|e| + A Z) of a neuron, one entry per distance.

    Args:
        mean: E relu.
        mean_square: E relu^2.
        active: P(the neuron is active), in (1/2, 1].
    """

    mean: np.ndarray
    mean_square: np.ndarray
    active: np.ndarray


def kink_moments(distance: ArrayLike, sigma_in: float, sigma_e: float) -> KinkMoments:
    """Moments of a neuron at a distance from the training point that it was placed beside.

    (e, A Z) is a Gaussian vector folded along e, so all three follow from its direction, a
    uniform angle: with c = atan2(sigma_e, A), P(active) = 1/2 + c/pi, E relu =
    (sqrt(A^2 + sigma_e^2) + sigma_e) / sqrt(2 pi), E relu^2 =
    ((A^2 + sigma_e^2) (pi/2 + c) + sigma_e A) / pi.

    Args:
        distance: |x_k - x_j|, in input units, >= 0, any shape.
        sigma_in: Standard deviation of the weights, >= 0.
        sigma_e: Scale of the pre-activation at x_j, > 0.

    Source: Shin & Karniadakis (2020), data-dependent initialization; derived here.

    >>> round(float(kink_moments(2.0, 1.0, 1e-300).mean_square), 12)
    2.0
    """
    owner = "kink_moments"
    problems = number_problem(owner, "sigma_in", sigma_in)
    refuse(problems + number_problem(owner, "sigma_e", sigma_e, above=True))
    length = np.asarray(distance, dtype=float)
    if not (np.isfinite(length).all() and (length >= 0).all()):
        raise InputError(f"{owner} distance must hold finite numbers >= 0, got {distance!r}")
    spread = sigma_in * length
    size = np.hypot(spread, sigma_e)
    angle = np.arctan2(sigma_e, spread)
    return KinkMoments(
        mean=(size + sigma_e) / math.sqrt(2 * math.pi),
        mean_square=(size**2 * (math.pi / 2 + angle) + sigma_e * spread) / math.pi,
        active=0.5 + angle / math.pi,
    )


def data_dependent_output_std(
    x: ArrayLike,
    width: int,
    n_out: int,
    target_mean_square: float,
    sigma_in: float,
    sigma_e: float,
) -> float:
    """Standard deviation of output weights that makes the network as large as its targets.

    With output weights N(0, s^2) and s^2 = T m^2 / (n n_out sum over k, j of E_kj), the expected
    mean of |N(x_k)|^2 over the m training points is T, E_kj being E relu^2 at x_k of a neuron
    placed beside x_j.

    Args:
        x: Training inputs, shape (m, d).
        width: n, neurons of the hidden layer, >= 1.
        n_out: Outputs, >= 1.
        target_mean_square: T, the mean over the training points of |y|^2, summed over outputs.
        sigma_in: Standard deviation of the hidden weights, >= 0.
        sigma_e: Scale of the pre-activation at x_j, > 0.

    Source: Shin & Karniadakis (2020), data-dependent initialization.
    """
    owner = "data_dependent_output_std"
    points = np.asarray(x, dtype=float)
    problems = count_problem(owner, "width", width) + count_problem(owner, "n_out", n_out)
    problems += number_problem(owner, "target_mean_square", target_mean_square)
    if points.ndim != 2 or not points.size or not np.isfinite(points).all():
        problems.append(
            f"{owner} x must be finite numbers of shape (m, d), m, d >= 1, got shape {points.shape}"
        )
    refuse(problems)
    total = 0.0
    for start in range(0, len(points), _CHUNK_ROWS):
        gap = points[start : start + _CHUNK_ROWS, None] - points[None]
        distance = np.linalg.norm(gap, axis=2)
        total += float(kink_moments(distance, sigma_in, sigma_e).mean_square.sum())
    return math.sqrt(target_mean_square * len(points) ** 2 / (width * n_out * total))
