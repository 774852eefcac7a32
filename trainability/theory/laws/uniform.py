"""Uniform weights and biases: PyTorch's default."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainability.domains import Box, Domain
from trainability.lazy import numpy as np
from trainability.theory import numerics
from trainability.theory.laws.base import Exact, by_quadrature, refuse_negative
from trainability.theory.laws.symmetric import SymmetricLaw, given_weights, independent_rows
from trainability.theory.probability import CLOSED_FORM, QUADRATURE


@dataclass(frozen=True)
class Uniform(SymmetricLaw):
    """Weights and bias i.i.d. uniform on [-bound, bound]: PyTorch's default, 1/sqrt(fan_in)."""

    bound: float

    def __post_init__(self) -> None:
        refuse_negative(self, above=("bound",))

    @property
    def has_bias(self) -> bool:
        return True

    def sample_rows(self, n: int, d: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(-self.bound, self.bound, (n, d))

    def sample_biases(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(-self.bound, self.bound, shape)

    def sample_layer(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return independent_rows(self, n_networks, fan_in, fan_out, rng)

    def log_bias_below(self, limit: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(np.clip((1 + limit / self.bound) / 2, 0, 1))

    def log_conditional(self, domain: Domain, n: int, rng: np.random.Generator) -> np.ndarray:
        return given_weights(self, domain, n, rng)

    def on_ball(self, d: int, radius: float) -> Exact:
        # The mean norm and the mid range of radii are integrals; the rest is elementary.
        closed = d <= 2 or radius >= 1
        return numerics.torch_ball.log_torch_default(
            d, radius
        ), CLOSED_FORM if closed else QUADRATURE

    def on_box(self, domain: Box) -> Exact | None:
        up, down = domain.high, -domain.low
        if domain.is_centered_cube:
            return numerics.box.log_torch_default_cube(domain.d, float(up[0])), CLOSED_FORM
        if np.maximum(np.abs(up), np.abs(down)).sum() <= 1:
            # |h(w)| never exceeds the largest bias, so p = (1 - E h) / 2.
            return math.log(0.5 - float((up + down).sum()) / 8), CLOSED_FORM
        exact = numerics.box.log_piecewise_polynomial(up, down, biased=True)
        if exact is not None:
            return exact, CLOSED_FORM
        return by_quadrature(numerics.box.log_uniform_bias(up, down))
