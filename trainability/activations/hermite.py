"""A sum of Hermite polynomials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.activations.base import Activation
from trainability.errors import InputError, refuse
from trainability.identity import younger
from trainability.lazy import numpy as np
from trainability.schemes.base import number_problem

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class Hermite(Activation):
    """A sum of orthonormal Hermite polynomials: sum_k c_k He_k(z) / sqrt(k!).

    Under a standard normal pre-activation its mean square is the sum of the squares of the
    coefficients. The default holds the first coefficients of ReLU. It is constant nowhere, so
    that no neuron is dead; where all coefficients after the first are 0 it would be constant
    everywhere, which is refused. Trained coefficients start elsewhere and move by gradients.

    Args:
        coefficients: c_0, c_1, ..., at least two finite numbers, not all 0 after the first.
        trainable: Whether they are only the first values of coefficients that are trained with
            weights and biases by the same optimizer: one vector for each hidden layer, which its
            neurons share, as in the paper. Penalties of weights leave them alone, as biases.

    Source: the polynomials of the probabilists, He_k, by their recurrence. Trained: Lokhande,
        Tasneeyapant, Venkatesh, Ravi & Singh (2020), arXiv 1909.05479, who take four coefficients,
        (0.3989422804, 0.5, 0.2820947918, 0.0). Beyond degree 3 the default is the expansion of
        ReLU itself, (-1)^(n/2 - 1) (n - 3)!! / sqrt(2 pi n!) for even n, from which the authors'
        code departs. What they put around it in residual blocks, batch normalization and
        softsign, is left out.
    """

    coefficients: tuple[float, ...] = (0.3989422804, 0.5, 0.2820947918, 0.0, -0.0814337458)
    trainable: bool = younger(False, since=1)

    def __post_init__(self) -> None:
        if not isinstance(self.trainable, bool):
            raise InputError(f"Hermite trainable must be True or False, got {self.trainable!r}")
        given = self.coefficients
        if not isinstance(given, tuple | list) or len(given) < 2:
            refuse([f"Hermite coefficients must be two or more numbers, got {given!r}"])
        refuse([p for c in given for p in number_problem("Hermite", "coefficients", c)])
        if not any(given[1:]):
            refuse([f"Hermite coefficients must not all be 0 after the first, got {given!r}"])
        object.__setattr__(self, "coefficients", tuple(float(c) + 0.0 for c in given))

    @property
    def learnable(self) -> tuple[float, ...]:  # type: ignore[override]
        return self.coefficients if self.trainable else ()

    def value(self, on: Arithmetic, z: Number) -> Number:
        return _polynomial(on, _powers(self.coefficients), z)

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        powers = _powers(self.coefficients)
        slope = [k * power for k, power in enumerate(powers)][1:]
        return delta * _polynomial(on, slope, kept)

    def value_at(self, on: Arithmetic, z: Number, learnable: Sequence[Number]) -> Number:
        if not learnable:
            return self.value(on, z)
        return _weighted(on, learnable, _polynomials(z, len(learnable)))

    def backward_at(
        self, on: Arithmetic, delta: Number, kept: Number, learnable: Sequence[Number]
    ) -> tuple[Number, list[Number]]:
        if not learnable:
            return self.backward(on, delta, kept), []
        polynomials = _polynomials(kept, len(learnable))
        # The derivative of He_k / sqrt(k!) is sqrt(k) times the polynomial before.
        factors = [c * math.sqrt(k) for k, c in enumerate(learnable)]
        slope = _weighted(on, factors[1:], polynomials[:-1])
        return delta * slope, [delta * polynomial for polynomial in polynomials]


def _polynomials(z: Number, n: int) -> list[Number]:
    """He_k(z) / sqrt(k!) for k = 0 to n - 1, n >= 2, by the recurrence of the polynomials."""
    polynomials = [z * 0.0 + 1.0, z]
    for k in range(1, n - 1):
        following = z * polynomials[k] - polynomials[k - 1] * math.sqrt(k)
        polynomials.append(following / math.sqrt(k + 1))
    return polynomials


def _weighted(on: Arithmetic, weights: Sequence[Number], values: list[Number]) -> Number:
    total = values[0] * weights[0]
    for weight, value in zip(weights[1:], values[1:], strict=True):
        total = on.fma(weight, value, total)
    return total


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
