"""Uniform weights, Gaussian biases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from trainability.domains import Box, Domain
from trainability.lazy import numpy as np
from trainability.theory import numerics
from trainability.theory.laws.base import Exact, by_quadrature, refuse_negative
from trainability.theory.laws.planes import log_no_height
from trainability.theory.laws.symmetric import (
    NormalBias,
    given_weights,
    independent_rows,
)
from trainability.theory.probability import CLOSED_FORM, QUADRATURE


@dataclass(frozen=True)
class UniformWeights(NormalBias):
    """Weights i.i.d. uniform on [-half_width, half_width], bias N(0, bias_std^2), bias_std >= 0."""

    chain_layers: ClassVar = 2

    half_width: float
    bias_std: float

    def __post_init__(self) -> None:
        refuse_negative(self, "half_width", "bias_std")

    @property
    def has_weights(self) -> bool:
        return self.half_width > 0

    def sample_rows(self, n: int, d: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(-self.half_width, self.half_width, (n, d))

    def sample_layer(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return independent_rows(self, n_networks, fan_in, fan_out, rng)

    def log_conditional(self, domain: Domain, n: int, rng: np.random.Generator) -> np.ndarray:
        return given_weights(self, domain, n, rng)

    def on_ball(self, d: int, radius: float) -> Exact:
        if not self.has_bias:
            return -math.inf, CLOSED_FORM
        return numerics.ball.log_uniform_weights(
            d, radius * (self.half_width / self.bias_std)
        ), QUADRATURE

    def on_box(self, domain: Box) -> Exact | None:
        up, down = domain.high, -domain.low
        if self.has_bias:
            kappa = self.half_width / self.bias_std
            return by_quadrature(
                numerics.box.log_gaussian_bias(
                    numerics.transforms.log_uniform, kappa * up, kappa * down
                )
            )
        if (up >= 0).all() and (down >= 0).all():
            return log_no_height(up, down), CLOSED_FORM
        exact = numerics.box.log_piecewise_polynomial(up, down, biased=False)
        if exact is not None:
            return exact, CLOSED_FORM
        return by_quadrature(numerics.box.log_zero_bias(numerics.transforms.log_uniform, up, down))
