"""Born-dead probability of PyTorch's default neurons on a ball, in logarithms.

Weights and bias are uniform on [-c, c], so p = E (1 - r |W|)_+ / 2 with W uniform on [-1, 1]^d and
r the radius, > 0. For r >= 1 the ball of radius 1/r lies in the cube; for r <= 1/sqrt(d) the cube
lies in that ball. Between the two, |W| is cut off within the cube: elementary for d = 2, integrals
over the plane's shells for d = 3 and 4, an inverse Laplace transform of the law of |W|^2 above.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import special

from trainability.theory.numerics.ball import log_uniform_square_moment
from trainability.theory.numerics.quadrature import (
    log_inverse_laplace,
    log_line_integral,
    tanh_sinh,
)


def log_torch_default(d: int, radius: float) -> float:
    """log p, by the formula for the range of the radius."""
    if d == 1:
        return math.log(0.25 / radius) if radius >= 1 else math.log(0.5 - radius / 4)
    if radius >= 1:
        log_volume = d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1)
        return log_volume - math.log(2) - d * math.log(2 * radius) - math.log(d + 1)
    if d == 2:
        return math.log(_plane(radius) / 2)
    if radius <= 1 / math.sqrt(d):
        return math.log(0.5) + math.log1p(-radius * mean_norm(d))
    if d <= 4:
        return math.log(_shells(d, radius) / 2)
    log_mean = log_mean_ramp(d, radius)
    assert log_mean is not None
    return math.log(0.5) + log_mean


def log_mean_ramp(d: int, radius: float) -> float | None:
    """log E (1 - r |W|)_+ for any radius, None where d is too small for the integral to settle.

    (1 - r sqrt(x))_+, continued by 1 to x < 0, is the inverse Laplace transform of
    r sqrt(pi) erfi(sqrt(z) / r) / (2 z^(3/2)), and E exp(-z W_i^2) = sqrt(pi) erf(sqrt z) /
    (2 sqrt z).
    """

    def log_f(z: np.ndarray) -> np.ndarray:
        root = np.sqrt(z)
        moment = 0.5 * math.log(math.pi) + np.log(special.erf(root) / (2 * root))
        # sqrt(pi) erfi(x) / 2 = exp(x^2) dawsn(x), x = root / radius
        kernel = z / radius**2 + np.log(special.dawsn(root / radius))
        return math.log(radius) - 1.5 * np.log(z) + kernel + d * moment

    return log_inverse_laplace(log_f)


def mean_norm(d: int) -> float:
    """E |W|, W uniform on [-1, 1]^d.

    (1 / (2 sqrt pi)) * integral over s > 0 of (1 - E exp(-s |W|^2)) s^(-3/2), along log s.
    """

    def log_f(log_s: np.ndarray) -> np.ndarray:
        gap = -np.expm1(d * log_uniform_square_moment(np.maximum(log_s, -50.0)))
        # The gap is d s / 3 to first order.
        return np.log(gap) + np.minimum(log_s + 50.0, 0.0) - log_s / 2

    return math.exp(log_line_integral(log_f)) / (2 * math.sqrt(math.pi))


def _plane(radius: float) -> float:
    """E (1 - r |W|)_+ for d = 2, r < 1, over the polar angle of an eighth of the square.

    With R = min(1 / cos t, 1/r), E = 2 * integral over 0 < t < pi/4 of R^2/2 - r R^3/3.
    """
    inner = min(math.acos(radius), math.pi / 4)  # beyond it, the disc of radius 1/r is the limit
    tangent, secant = math.tan(inner), 1 / math.cos(inner)
    # Integrals over 0 < t < inner of sec^2 and sec^3.
    square = tangent
    cube = (secant * tangent + math.asinh(tangent)) / 2
    rest = math.pi / 4 - inner
    return 2 * (square / 2 - radius * cube / 3 + rest * secant**2 / 6)


def _shells(d: int, radius: float) -> float:
    """E (1 - r |W|)_+ for d = 3 or 4, 1/sqrt(d) < r < 1.

    Scaled to its largest coordinate W is u (1, y), y uniform on [0, 1]^(d-1) and u with density
    d u^(d-1), so the mean is E G(sqrt(1 + |y|^2)): G(q) = 1 - d r q / (d+1) for r q <= 1, else
    (r q)^-d / (d+1). Two coordinates of y are integrated along shells, a third one plainly.
    """
    kink = 1 / radius**2 - 1  # of |y|^2
    if d == 3:
        return _over_square(3, radius, kink, 0.0)
    corners = [math.sqrt(kink - k) for k in (0, 1, 2) if 0 < kink - k < 1]
    cuts = [0.0, *sorted(corners), 1.0]
    total = 0.0
    for low, high in itertools.pairwise(cuts):
        for z, weight in zip(*tanh_sinh(low, high), strict=True):
            total += weight * _over_square(4, radius, kink - z * z, z * z)
    return total


def _over_square(d: int, radius: float, kink: float, rest: float) -> float:
    """Mean of G(sqrt(1 + rest + rho^2)), rho the norm of a uniform point of the unit square."""
    diagonal = math.sqrt(2)
    cuts = sorted({0.0, 1.0, min(math.sqrt(max(kink, 0.0)), diagonal), diagonal})
    total = 0.0
    for low, high in itertools.pairwise(cuts):
        rho, weight = tanh_sinh(low, high)
        reach = radius * np.sqrt(1 + rest + rho**2)
        ramp = np.where(reach <= 1, 1 - d * reach / (d + 1), reach ** -float(d) / (d + 1))
        outside = 2 * np.arctan(np.sqrt(np.maximum(rho**2 - 1, 0)))
        total += float((weight * rho * (math.pi / 2 - outside) * ramp).sum())
    return total
