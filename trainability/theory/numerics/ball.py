"""Born-dead probability on a ball, log P(b + radius |w| <= 0).

For laws with a bias and a radius > 0; `born_dead` settles the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from trainability.theory.numerics.quadrature import log_line_integral


def log_gaussian(d: int, kappa: float) -> float:
    """Weights N(0, s_w^2), bias N(0, s_b^2), kappa = radius s_w / s_b.

    The event is a cone around the axis of the bias, so only the direction of (w / s_w, b / s_b)
    matters: a spherical cap, p = I_x(d/2, 1/2) / 2 with x = 1 / (1 + kappa^2), the regularized
    incomplete beta function. Evaluated with 40 digits and no bound on exponents.
    """
    import mpmath  # which takes a while, and is seldom needed

    with mpmath.workdps(40):
        x = 1 / (1 + mpmath.mpf(kappa) ** 2)
        p = mpmath.betainc(mpmath.mpf(d) / 2, mpmath.mpf(1) / 2, 0, x, regularized=True) / 2
        return float(mpmath.log(p))


def log_craig(log_moment: Callable[[np.ndarray], np.ndarray], kappa: float) -> float:
    """Any weights, Gaussian bias: (1/pi) integral over 0 < t < pi/2 of exp(log_moment(s)).

    Args:
        log_moment: log E exp(-s |w|^2 / s_w^2) for s of shape (n,), given as log s.
        kappa: radius s_w / s_b, with s_w the scale that `log_moment` is stated in.

    Craig's form of the Gaussian tail, s = kappa^2 / (2 sin^2 t), with t = arctan(exp(u)): along u
    the integrand is smooth and falls exponentially to both sides.
    """

    def log_f(u: np.ndarray) -> np.ndarray:
        log_s = 2 * math.log(kappa) - math.log(2) + np.logaddexp(0, -2 * u)
        return log_moment(log_s) - np.logaddexp(u, -u)

    return log_line_integral(log_f) - math.log(math.pi)


def log_uniform_weights(d: int, kappa: float) -> float:
    """Weights uniform on [-c, c], bias N(0, s_b^2), kappa = radius c / s_b."""
    return log_craig(lambda log_s: d * log_uniform_square_moment(log_s), kappa)


def log_asymmetric(d: int, sigma: float, radius: float) -> float:
    """RAI, sigma as in `laws.Asymmetric`.

    A neuron can only be dead if the entry that is Beta(2, 1) is one of its d weights; the bias
    and the other weights then share one standard deviation, sigma / sqrt(d).
    """
    ratio = math.log(d) - 2 * math.log(sigma)

    def log_moment(log_s: np.ndarray) -> np.ndarray:
        # E exp(-s w^2) is (1 + 2s)^(-1/2) for a standard normal w; (1 - exp(-c)) / c for the Beta.
        log_c = np.maximum(log_s + ratio, -700.0)
        beta = np.log(-np.expm1(-np.exp(np.minimum(log_c, 700.0)))) - log_c
        return -0.5 * (d - 1) * np.logaddexp(0, math.log(2) + log_s) + beta

    return math.log(d) - math.log(d + 1) + log_craig(log_moment, radius)


def log_orthogonal(d: int, fan_out: int, kappa: float) -> float:
    """Orthogonal rows, kappa = radius gain / s_b: P(b <= -radius |w|).

    |w| is the gain for fan_out <= d; else |w|^2 / gain^2 ~ Beta(d/2, (fan_out - d)/2), integrated
    along its logit.
    """
    if fan_out <= d:
        return float(special.log_ndtr(-kappa))
    a, b = d / 2, (fan_out - d) / 2

    def log_f(u: np.ndarray) -> np.ndarray:
        log_x, log_1mx = -np.logaddexp(0, -u), -np.logaddexp(0, u)
        return a * log_x + b * log_1mx + special.log_ndtr(-kappa * np.exp(log_x / 2))

    return log_line_integral(log_f) - float(special.betaln(a, b))


def log_uniform_square_moment(log_s: np.ndarray) -> np.ndarray:
    """log E exp(-s U^2), U uniform on [-1, 1]: sqrt(pi) erf(sqrt s) / (2 sqrt s)."""
    series = np.exp(np.minimum(log_s, -3.0))
    # E exp(-s U^2) - 1 = sum over k >= 1 of (-s)^k / (k! (2k + 1))
    near = sum((-series) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(1, 14))
    root = np.exp(np.clip(log_s, -3.0, 700.0) / 2)
    far = 0.5 * math.log(math.pi) + np.log(special.erf(root)) - math.log(2)
    return np.where(log_s < -3, np.log1p(near), far - np.maximum(log_s, -3.0) / 2)
