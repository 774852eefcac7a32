"""Randomized asymmetric initialization."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from trainability.domains import Box, Domain
from trainability.lazy import numpy as np
from trainability.theory import numerics
from trainability.theory.laws.base import (
    Exact,
    LogBelow,
    NeuronLaw,
    by_quadrature,
    refuse_negative,
)
from trainability.theory.probability import CLOSED_FORM, QUADRATURE


@dataclass(frozen=True)
class Asymmetric(NeuronLaw):
    """One of the fan_in + 1 entries of (w, b), chosen uniformly, is Beta(2, 1); the others are
    i.i.d. N(0, sigma^2 / fan_in) (Lu, Shin, Su & Karniadakis 2019, randomized asymmetric
    initialization)."""

    is_symmetric: ClassVar = False

    sigma: float

    def __post_init__(self) -> None:
        refuse_negative(self, above=("sigma",))

    @property
    def has_bias(self) -> bool:
        return True

    def _sample(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights and biases, and whether the bias is the entry that is Beta, (R, fan_out)."""
        shape = (n_networks, fan_out)
        both = self.sigma / math.sqrt(fan_in) * rng.standard_normal((*shape, fan_in + 1))
        chosen = rng.integers(fan_in + 1, size=shape)
        np.put_along_axis(both, chosen[..., None], rng.beta(2, 1, shape)[..., None], axis=2)
        return both[..., :-1], both[..., -1], chosen == fan_in

    def sample_layer(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        return self._sample(n_networks, fan_in, fan_out, rng)[:2]

    def sample_given(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, LogBelow]:
        from scipy import special  # its import takes longer than stating a law

        w, b, bias_is_beta = self._sample(n_networks, fan_in, fan_out, rng)
        std = self.sigma / math.sqrt(fan_in)

        def log_below(limit: np.ndarray) -> np.ndarray:
            with np.errstate(divide="ignore"):
                beta = 2 * np.log(np.clip(limit, 0, 1))
            return np.where(bias_is_beta, beta, special.log_ndtr(limit / std))

        return w, b, log_below

    def log_conditional(self, domain: Domain, n: int, rng: np.random.Generator) -> np.ndarray:
        from scipy import special  # its import takes longer than stating a law

        d = domain.d
        std = self.sigma / math.sqrt(d)
        w = std * rng.standard_normal((n, d))
        with_bias = np.clip(-domain.support(w), 0, 1) ** 2
        w[np.arange(n), rng.integers(d, size=n)] = rng.beta(2, 1, n)
        with_weight = special.log_ndtr(-domain.support(w) / std)
        with np.errstate(divide="ignore"):
            log_with_bias = np.log(with_bias)
        return np.logaddexp(with_weight + math.log(d), log_with_bias) - math.log(d + 1)

    def log_nonpositive_bias(self, d: int) -> float:
        return math.log(0.5) + math.log(d / (d + 1))

    def log_permanent(self, fan_in: int, alive: int) -> float:
        """The entry that is positive must be the weight of an input that is not alive."""
        if alive == fan_in:
            return -math.inf
        return math.log((fan_in - alive) / (fan_in + 1)) - (alive + 1) * math.log(2)

    def on_ball(self, d: int, radius: float) -> Exact:
        return numerics.ball.log_asymmetric(d, self.sigma, radius), QUADRATURE

    def on_interval(self, low: float, high: float) -> Exact:
        return math.log(numerics.points.asymmetric_interval(self.sigma, low, high)), CLOSED_FORM

    def on_box(self, domain: Box) -> Exact | None:
        return by_quadrature(numerics.box.log_asymmetric(self.sigma, domain.high, -domain.low))
