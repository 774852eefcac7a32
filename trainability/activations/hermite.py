"""A sum of Hermite polynomials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainability.activations.base import Activation
from trainability.errors import refuse
from trainability.schemes.base import number_problem

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class Hermite(Activation):
    """A fixed sum of orthonormal Hermite polynomials: sum_k c_k He_k(z) / sqrt(k!).

    Under a standard normal pre-activation its mean square is the sum of the squares of the
    coefficients. The default holds the first coefficients of ReLU. It is constant nowhere, but
    where all coefficients after the first are 0 it would be so everywhere, which is refused.

    Args:
        coefficients: c_0, c_1, ..., at least two finite numbers, not all 0 after the first.

    Source: the polynomials of the probabilists, He_k, by their recurrence.
    """

    coefficients: tuple[float, ...] = (0.3989422804, 0.5, 0.2820947918, 0.0, -0.0814337458)

    def __post_init__(self) -> None:
        given = self.coefficients
        if not isinstance(given, tuple | list) or len(given) < 2:
            refuse([f"Hermite coefficients must be two or more numbers, got {given!r}"])
        refuse([p for c in given for p in number_problem("Hermite", "coefficients", c)])
        if not any(given[1:]):
            refuse([f"Hermite coefficients must not all be 0 after the first, got {given!r}"])
        object.__setattr__(self, "coefficients", tuple(float(c) + 0.0 for c in given))

    def value(self, on: Arithmetic, z: Number) -> Number:
        return _polynomial(on, _powers(self.coefficients), z)

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        powers = _powers(self.coefficients)
        slope = [k * power for k, power in enumerate(powers)][1:]
        return delta * _polynomial(on, slope, kept)


def _powers(coefficients: tuple[float, ...]) -> list[float]:
    """The same polynomial by its powers of z, lowest first."""
    weights = [c / math.sqrt(math.factorial(k)) for k, c in enumerate(coefficients)]
    return [float(power) for power in np.polynomial.hermite_e.herme2poly(weights)]


def _polynomial(on: Arithmetic, powers: list[float], z: Number) -> Number:
    """By Horner's rule; z * 0 so that the result has the shape of z."""
    total = z * 0.0 + powers[-1]
    for power in reversed(powers[:-1]):
        total = on.fma(total, z, on.constant(power))
    return total
