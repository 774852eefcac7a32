"""Gaussian weights and biases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from trainability.domains import Box, Domain, Points
from trainability.lazy import numpy as np
from trainability.theory import numerics
from trainability.theory.laws.base import Exact, by_quadrature, refuse_negative
from trainability.theory.laws.planes import corners, log_no_height, on_plane
from trainability.theory.laws.symmetric import (
    NormalBias,
    given_weights,
    independent_rows,
)
from trainability.theory.probability import CLOSED_FORM


@dataclass(frozen=True)
class Gaussian(NormalBias):
    """Weights i.i.d. N(0, weight_std^2), bias N(0, bias_std^2), bias_std >= 0.

    Death depends only on the direction of (w, b), so Gaussian(1, 1) is also the law of a neuron
    that is uniform on the unit sphere.
    """

    chain_layers: ClassVar = math.inf

    weight_std: float
    bias_std: float

    def __post_init__(self) -> None:
        refuse_negative(self, "weight_std", "bias_std")

    @property
    def has_weights(self) -> bool:
        return self.weight_std > 0

    def sample_rows(self, n: int, d: int, rng: np.random.Generator) -> np.ndarray:
        return self.weight_std * rng.standard_normal((n, d))

    def sample_layer(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return independent_rows(self, n_networks, fan_in, fan_out, rng)

    def log_conditional(self, domain: Domain, n: int, rng: np.random.Generator) -> np.ndarray:
        """Only the direction of w is sampled; its length and the bias are integrated together:
        P(T_d >= sqrt(d) kappa h(direction)), Student t with d degrees of freedom."""
        if not self.has_bias:
            return given_weights(self, domain, n, rng)
        from scipy import special  # its import takes longer than stating a law

        d = domain.d
        direction = rng.standard_normal((n, d))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        kappa = self.weight_std / self.bias_std
        with np.errstate(divide="ignore"):
            return np.log(special.stdtr(d, -math.sqrt(d) * kappa * domain.support(direction)))

    def on_ball(self, d: int, radius: float) -> Exact:
        if not self.has_bias:
            return -math.inf, CLOSED_FORM
        return numerics.ball.log_gaussian(
            d, radius * (self.weight_std / self.bias_std)
        ), CLOSED_FORM

    def on_box(self, domain: Box) -> Exact | None:
        if domain.d == 2:
            return self.on_points(Points(corners(domain)))
        up, down = domain.high, -domain.low
        if not self.has_bias:
            if (up >= 0).all() and (down >= 0).all():
                return log_no_height(up, down), CLOSED_FORM
            return by_quadrature(
                numerics.box.log_zero_bias(numerics.transforms.log_half_normal, up, down)
            )
        kappa = self.weight_std / self.bias_std
        return by_quadrature(
            numerics.box.log_gaussian_bias(
                numerics.transforms.log_half_normal, kappa * up, kappa * down
            )
        )

    def on_points(self, domain: Points) -> Exact | None:
        return on_plane(domain.x, self.bias_std / self.weight_std if self.has_bias else 0.0)
