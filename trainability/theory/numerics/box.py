"""Born-dead probability on a box, log P(b + h(w) <= 0), h(w) = w.center + |w|.half_width.

The coordinates of h(w) are independent, so the Laplace transform of b + h(w) is a product, and
P(b + h(w) <= 0) is its inverse transform: (1 / (2 pi i)) * integral of E exp(-l (b + h)) / l.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from trainability.theory.numerics.quadrature import log_inverse_laplace
from trainability.theory.numerics.transforms import (
    log_add,
    log_beta21,
    log_half_normal,
    log_uniform,
)

Transform = Callable[[np.ndarray], np.ndarray]


def log_gaussian_bias(weight: Transform, up: np.ndarray, down: np.ndarray) -> float | None:
    """Symmetric i.i.d. weights, Gaussian bias.

    Args:
        weight: log E exp(-z |W|) of a weight in units of its scale.
        up: Per coordinate the box's upper end, in units of bias_std / scale, shape (d,).
        down: Minus its lower end, likewise.

    Returns:
        log p, or None where the integral does not settle.
    """
    heights = _log_heights(weight, up, down)
    return log_inverse_laplace(lambda z: z**2 / 2 + heights(z) - np.log(z), _cost(up, down))


def log_zero_bias(weight: Transform, up: np.ndarray, down: np.ndarray) -> float | None:
    """The same without a bias: P(h(w) <= 0), for a box that does not hold the origin."""
    heights = _log_heights(weight, up, down)
    return log_inverse_laplace(lambda z: heights(z) - np.log(z), _cost(up, down))


def log_uniform_bias(up: np.ndarray, down: np.ndarray) -> float | None:
    """Weights and bias uniform on [-1, 1]; `up` and `down` in plain input units."""
    heights = _log_heights(log_uniform, up, down)

    def log_f(z: np.ndarray) -> np.ndarray:
        return z + np.log(-np.expm1(-2 * z) / 2) - 2 * np.log(z) + heights(z)

    return log_inverse_laplace(log_f, _cost(up, down))


_MAX_TERMS = 20_000


def log_piecewise_polynomial(up: np.ndarray, down: np.ndarray, *, biased: bool) -> float | None:
    """Weights uniform on [-1, 1], bias likewise or 0: exact, in integers.

    A coordinate with ends u and v (up and down) has the transform ((u + v) - v exp(-u l) -
    u exp(-v l)) / (2 u v l), the bias (exp(l) - exp(-l)) / (2 l). The product of their numerators
    is a sum of c l^j exp(-s l), and each such term over l^(P + 1) has the inverse transform
    c (-s)_+^(P - j) / (P - j)! at 0. Ends are binary fractions, so in a common unit everything is
    an integer and nothing is lost in the sum, which cancels.

    Returns:
        log p, or None where there are too many terms: about 3^d for unequal coordinates.
    """
    numbers = [float(end).as_integer_ratio() for end in (*up, *down, 1.0)]
    unit = max(denominator for _, denominator in numbers)
    ends = [numerator * (unit // denominator) for numerator, denominator in numbers]
    d = len(up)
    terms = {(0, -unit): 1, (0, unit): -1} if biased else {(0, 0): 1}
    log_scale = math.log(2 * unit) if biased else 0.0
    poles = int(biased)
    for u, v in zip(ends[:d], ends[d : 2 * d], strict=True):
        if u == v == 0:
            continue
        poles += 1
        if u == 0 or v == 0:
            # Half of the weights see height 0: (e l + 1 - exp(-e l)) / (2 e l), e the other end.
            e = u or v
            factor = {(1, 0): e, (0, 0): 1, (0, e): -1}
            log_scale += math.log(abs(2 * e))
        else:
            factor = {(0, 0): u + v, (0, u): -v}
            factor[0, v] = factor.get((0, v), 0) - u
            log_scale += math.log(abs(2 * u * v))
        product: dict[tuple[int, int], int] = {}
        for (j, s), c in terms.items():
            for (i, r), a in factor.items():
                product[j + i, s + r] = product.get((j + i, s + r), 0) + c * a
        terms = product
        if len(terms) > _MAX_TERMS:
            return None
    total = sum(
        c * (-s) ** (poles - j) * math.perm(poles, j) for (j, s), c in terms.items() if s <= 0
    )
    return math.log(abs(total)) - math.lgamma(poles + 1) - log_scale if total else -math.inf


def log_torch_default_cube(d: int, half_width: float) -> float:
    """Weights and bias uniform on [-1, 1], the cube [-a, a]^d: p = E (1 - a |W|_1)_+ / 2.

    p = a / (2 (d+1)!) * sum over k < 1/a of (-1)^k C(d, k) (1/a - k)^(d+1). The sum cancels, so it
    is taken with as many digits as its largest term exceeds the result by, and 20 more.
    """
    if half_width * d <= 1:
        return math.log(0.5 - half_width * d / 4)
    import mpmath  # which takes a while, and is seldom needed

    precision = 100
    while True:
        with mpmath.workprec(precision):
            reach = 1 / mpmath.mpf(half_width)
            last = min(d, int(mpmath.floor(reach)))
            total = largest = mpmath.mpf(0)
            term = mpmath.mpf(1)
            for k in range(last + 1):
                value = term * (reach - k) ** (d + 1)
                total += value
                largest = max(largest, abs(value))
                term = -term * (d - k) / (k + 1)
            needed = 67 + (mpmath.log(largest / abs(total), 2) if total else precision)
            if precision >= needed:
                log_p = mpmath.log(total) - mpmath.log(2 * reach) - mpmath.loggamma(d + 2)
                return float(log_p)
            precision = 2 * max(precision, int(needed))


def log_asymmetric(sigma: float, up: np.ndarray, down: np.ndarray) -> float | None:
    """RAI, sigma as in `laws.Asymmetric`; `up` and `down` in plain input units.

    Given that the i-th weight is the Beta(2, 1), its height is Beta times the upper end of the
    i-th coordinate. Given that the bias is, the neuron can only be dead if the box does not hold
    the origin.
    """
    d = len(up)
    unit = math.sqrt(d) / sigma
    heights = _log_heights(log_half_normal, up, down)
    ends, counts = np.unique(np.stack([up, down]), axis=1, return_counts=True)

    def with_beta_weight(z: np.ndarray) -> np.ndarray:
        total: np.ndarray | None = None
        for (high, low), count in zip(ends.T, counts, strict=True):
            term = log_beta21(z * (high * unit)) + math.log(count / (d + 1))
            term = term - _log_height(log_half_normal, z, high, low)
            total = term if total is None else log_add(total, term)
        assert total is not None
        return z**2 / 2 + heights(z) + total - np.log(z)

    log_p = log_inverse_laplace(with_beta_weight, 3 * _cost(up, down))
    if log_p is None or ((up >= 0).all() and (down >= 0).all()):
        return log_p
    with_beta_bias = log_inverse_laplace(
        lambda z: log_beta21(z * unit) + heights(z) - np.log(z), _cost(up, down)
    )
    return (
        None
        if with_beta_bias is None
        else float(np.logaddexp(log_p, with_beta_bias - math.log(d + 1)))
    )


def _cost(up: np.ndarray, down: np.ndarray) -> int:
    return 2 * np.unique(np.stack([up, down]), axis=1).shape[1]


def _log_heights(weight: Transform, up: np.ndarray, down: np.ndarray) -> Transform:
    """log E exp(-z h(w)), a product over coordinates."""
    ends, counts = np.unique(np.stack([up, down]), axis=1, return_counts=True)

    def log_product(z: np.ndarray) -> np.ndarray:
        return sum(
            (
                count * _log_height(weight, z, high, low)
                for (high, low), count in zip(ends.T, counts, strict=True)
            ),
            np.zeros_like(z),
        )

    return log_product


def _log_height(weight: Transform, z: np.ndarray, high: float, low: float) -> np.ndarray:
    """One coordinate: height w high for w > 0, |w| low for w < 0, each with probability 1/2."""
    if high == low:
        return weight(z * high)
    return log_add(weight(z * high), weight(z * low)) - math.log(2)
