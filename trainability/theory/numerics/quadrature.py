"""Deterministic integrals in logarithms, so that no tail underflows.

Both routines are trapezoidal rules, whose error falls exponentially in 1/step for integrands that
are analytic in a strip (Trefethen & Weideman 2014). Both halve their step until two answers agree,
so that no result rests on an error estimate alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy import special
from scipy.optimize import minimize_scalar

_AGREE = 1e-12
_NEGLIGIBLE = 45.0
"""Integrands below exp(-45) of their maximum are left out."""


def log_line_integral(log_f: Callable[[np.ndarray], np.ndarray]) -> float:
    """log of the integral over all of R of exp(log_f(u)), a smooth function with one maximum.

    Args:
        log_f: Takes u of shape (n,) and returns log f, shape (n,), -inf where f is 0; falls at
            least like -|u|/2 to both sides.
    """
    coarse = np.arange(-1500.0, 1500.5, 0.5)
    start = coarse[np.argmax(log_f(coarse))]
    mode = _minimum(lambda u: -float(log_f(np.array([u]))[0]), start, 1.0, 1e-9)
    peak = float(log_f(np.array([mode]))[0])
    low, high = (_edge(log_f, mode, peak, side) for side in (-1.0, 1.0))
    n = 200
    before = math.nan
    while n <= 2**20:
        u = np.linspace(low, high, n + 1)
        total = float(np.exp(log_f(u) - peak).sum()) * (high - low) / n
        if abs(total - before) <= _AGREE * total:
            return peak + math.log(total)
        before = total
        n *= 2
    raise ArithmeticError("the integral did not settle; this is a bug")


def _minimum(f: Callable[[float], float], near: float, reach: float, tolerance: float) -> float:
    optimum: Any = minimize_scalar(
        f, bounds=(near - reach, near + reach), method="bounded", options={"xatol": tolerance}
    )
    return float(optimum.x)


def _edge(
    log_f: Callable[[np.ndarray], np.ndarray], mode: float, peak: float, side: float
) -> float:
    """Where, to one side of the maximum, the integrand has become negligible."""
    distances = np.geomspace(1e-6, 2000.0, 400)
    small = log_f(mode + side * distances) < peak - _NEGLIGIBLE
    return mode + side * float(distances[np.argmax(small)])


@cache
def _tanh_sinh_unit() -> tuple[np.ndarray, np.ndarray]:
    """Distances from the left end of (0, 1), and weights."""
    t = np.arange(-3.2, 3.2001, 1 / 16)
    arm = math.pi / 2 * np.sinh(t)
    nodes = special.expit(2 * arm)
    return nodes, math.pi / 2 * np.cosh(t) / np.cosh(arm) ** 2 / 32


def tanh_sinh(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on (low, high), for integrands with singular but integrable ends.

    103 nodes: full accuracy for analytic integrands with roots at the ends (Takahasi & Mori 1974).
    """
    nodes, weights = _tanh_sinh_unit()
    return low + (high - low) * nodes, (high - low) * weights


def log_inverse_laplace(log_f: Callable[[np.ndarray], np.ndarray], cost: int = 1) -> float | None:
    """log of 1/(2 pi i) times the integral of exp(log_f(l)) along a vertical line, Re l > 0.

    The line runs through the saddle point of the real axis, where the integrand is a maximum
    along the line and does not oscillate, so that nothing cancels even deep in a tail.

    Args:
        log_f: Takes complex l of shape (n,), Re l > 0, and returns log f, shape (n,). Real and
            convex on the positive real axis, with exp(log_f) analytic for Re l > 0. The branch of
            the logarithm does not matter.
        cost: What one evaluation costs, in elementary functions: bounds how many are tried.

    Returns:
        The logarithm, or None where the integrand falls too slowly along the line to be summed.
    """
    # Far from the saddle point both e^l and its transforms overflow; what is not finite there is
    # left out, and the sum along the line is checked.
    with np.errstate(all="ignore"):
        return _through_saddle(log_f, max(_LEAST_POINTS, _MAX_WORK // cost))


def _through_saddle(log_f: Callable[[np.ndarray], np.ndarray], most_points: int) -> float | None:
    def real(t: float) -> float:
        return float(log_f(np.array([math.exp(t) + 0j]))[0].real)

    grid = np.arange(-700.0, 350.0, 7.0)
    values = np.real(log_f(np.exp(grid) + 0j))
    start = grid[np.nanargmin(np.where(np.isfinite(values), values, np.nan))]
    log_saddle = _minimum(real, start, 7.0, 1e-5)
    saddle = math.exp(log_saddle)
    peak = real(log_saddle)
    # Second derivative with respect to log l at the saddle, where the first one vanishes.
    step = 1e-3
    curvature = (real(log_saddle + step) + real(log_saddle - step) - 2 * peak) / step**2
    width = saddle / math.sqrt(max(curvature, 1.0))
    # Where a logarithm is large, its rounding is all that the answer can be known to.
    agree = _AGREE + 8 * np.finfo(float).eps * abs(peak)
    before = math.nan
    for density in (8, 16, 32):
        total = _line_sum(log_f, saddle, peak, width / density, most_points)
        if total is None:
            return None
        if abs(total - before) <= agree * abs(total):
            return peak + math.log(total)
        before = total
    return None


_CHUNK = 128
_LEAST_POINTS = 2**13
_MAX_WORK = 2**20


def _line_sum(
    log_f: Callable[[np.ndarray], np.ndarray],
    saddle: float,
    peak: float,
    step: float,
    most_points: int,
) -> float | None:
    """(1/pi) times the integral over y > 0 of Re exp(log_f(saddle + iy) - peak)."""
    total = -0.5
    done, size = 0, _CHUNK
    while done < most_points:
        y = step * np.arange(done, done + size)
        done += size
        size = min(2 * size, 2**14)
        f = np.exp(log_f(saddle + 1j * y) - peak)
        total += float(np.real(f).sum())
        if not math.isfinite(total):
            return None
        # An algebraic tail y^-q, q >= 2, beyond the chunk weighs at most y/step times its last
        # value.
        if float(np.abs(f[-64:]).max()) * done < 1e-14 * abs(total):
            return total * step / math.pi
    return None
