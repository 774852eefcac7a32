"""What laws with symmetric signs share: weights by rows, and a bias that is independent of them."""

from __future__ import annotations

import math
from abc import abstractmethod

from trainability.domains import Domain
from trainability.lazy import numpy as np
from trainability.theory import numerics
from trainability.theory.laws.base import (
    Exact,
    LogBelow,
    NeuronLaw,
)
from trainability.theory.probability import CLOSED_FORM, QUADRATURE


class SymmetricLaw(NeuronLaw):
    """Any signs of weights and bias are equally likely; the bias is independent of the weights."""

    @abstractmethod
    def sample_rows(self, n: int, d: int, rng: np.random.Generator) -> np.ndarray:
        """Weights of n independent neurons, shape (n, d)."""

    @abstractmethod
    def sample_biases(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray: ...

    @abstractmethod
    def log_bias_below(self, limit: np.ndarray) -> np.ndarray:
        """log P(b <= limit), elementwise."""

    def sample_given(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, LogBelow]:
        return *self.sample_layer(n_networks, fan_in, fan_out, rng), self.log_bias_below

    def log_nonpositive_bias(self, d: int) -> float:
        return math.log(0.5) if self.has_bias else 0.0

    def log_permanent(self, fan_in: int, alive: int) -> float:
        return -(alive + self.has_bias) * math.log(2)

    def on_interval(self, low: float, high: float) -> Exact | None:
        methods: list[str] = []

        def log_ball(radius: float) -> float:
            if radius == 0:
                return self.log_nonpositive_bias(1)
            exact = self.on_ball(1, radius)
            assert exact is not None, "symmetric laws have an answer on the line"
            methods.append(exact[1])
            return exact[0]

        log_p = numerics.points.log_interval(log_ball, low, high)
        return log_p, QUADRATURE if QUADRATURE in methods else CLOSED_FORM


class NormalBias(SymmetricLaw):
    """Biases N(0, bias_std^2): weights differ from law to law."""

    bias_std: float

    @property
    def has_bias(self) -> bool:
        return self.bias_std > 0

    def sample_biases(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return self.bias_std * rng.standard_normal(shape)

    def log_bias_below(self, limit: np.ndarray) -> np.ndarray:
        if not self.has_bias:
            return np.where(limit >= 0, 0.0, -np.inf)
        from scipy import special  # its import takes longer than stating a law

        return special.log_ndtr(limit / self.bias_std)


def independent_rows(
    law: SymmetricLaw, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """`sample_layer` of a law whose rows are independent."""
    shape = (n_networks, fan_out)
    w = law.sample_rows(n_networks * fan_out, fan_in, rng).reshape(*shape, fan_in)
    return w, law.sample_biases(shape, rng)


def given_weights(
    law: SymmetricLaw, domain: Domain, n: int, rng: np.random.Generator
) -> np.ndarray:
    """`log_conditional` with the weights sampled and the bias integrated."""
    with np.errstate(divide="ignore"):
        return law.log_bias_below(-domain.support(law.sample_rows(n, domain.d, rng)))
