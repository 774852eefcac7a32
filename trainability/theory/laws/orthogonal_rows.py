"""Orthogonal weight matrices, Gaussian biases."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar

from trainability.checks import count_problem
from trainability.domains import Ball, Box, Domain, Points
from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.theory import numerics
from trainability.theory.laws.base import Exact, by_quadrature, refuse_negative
from trainability.theory.laws.planes import corners, log_no_height, on_plane
from trainability.theory.laws.symmetric import NormalBias, given_weights
from trainability.theory.probability import CLOSED_FORM, QUADRATURE


@dataclass(frozen=True)
class OrthogonalRows(NormalBias):
    """Rows of gain times a Haar-distributed (semi-)orthogonal matrix, bias N(0, bias_std^2).

    With fan_out > fan_in the rows of a layer are dependent: counts are then not binomial.
    """

    has_independent_rows: ClassVar = False

    gain: float
    bias_std: float
    fan_out: int

    def __post_init__(self) -> None:
        refuse(count_problem("OrthogonalRows", "fan_out", self.fan_out))
        refuse_negative(self, "gain", "bias_std")

    @property
    def has_weights(self) -> bool:
        return self.gain > 0

    def of_width(self, width: int) -> OrthogonalRows:
        return dataclasses.replace(self, fan_out=width)

    def dies_independently(self, domain: Domain, width: int) -> bool:
        """On a ball a neuron's death hangs on the length of its row alone, which is the gain for
        width <= d."""
        return width == 1 or (isinstance(domain, Ball) and width <= domain.d)

    def has_at_most_one_permanent(self, fan_in: int, width: int) -> bool:
        """Two orthogonal rows can't both be negative."""
        return width <= fan_in

    def sample_rows(self, n: int, d: int, rng: np.random.Generator) -> np.ndarray:
        w = rng.standard_normal((n, d))
        length = np.full((n, 1), float(self.gain))
        if self.fan_out > d:
            length *= np.sqrt(rng.beta(d / 2, (self.fan_out - d) / 2, (n, 1)))
        return w * (length / np.linalg.norm(w, axis=1, keepdims=True))

    def sample_layer(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Whole layers, of the shape of the arguments.

        QR with the signs of R's diagonal multiplied in, without which it is not Haar (Mezzadri
        2007).
        """
        tall = (max(fan_in, fan_out), min(fan_in, fan_out))
        q, r = np.linalg.qr(rng.standard_normal((n_networks, *tall)))
        q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
        w = q if fan_out >= fan_in else q.transpose(0, 2, 1)
        return self.gain * w, self.sample_biases((n_networks, fan_out), rng)

    def log_conditional(self, domain: Domain, n: int, rng: np.random.Generator) -> np.ndarray:
        return given_weights(self, domain, n, rng)

    def on_ball(self, d: int, radius: float) -> Exact:
        if not self.has_bias:
            return -math.inf, CLOSED_FORM
        kappa = radius * (self.gain / self.bias_std)
        closed = self.fan_out <= d
        return numerics.ball.log_orthogonal(
            d, self.fan_out, kappa
        ), CLOSED_FORM if closed else QUADRATURE

    def on_box(self, domain: Box) -> Exact | None:
        if self.has_bias:
            return None
        if domain.d == 2:
            return self.on_points(Points(corners(domain)))
        up, down = domain.high, -domain.low
        if (up >= 0).all() and (down >= 0).all():
            return log_no_height(up, down), CLOSED_FORM
        return by_quadrature(
            numerics.box.log_zero_bias(numerics.transforms.log_half_normal, up, down)
        )

    def on_points(self, domain: Points) -> Exact | None:
        return None if self.has_bias else on_plane(domain.x, 0.0)
