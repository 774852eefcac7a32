"""Kinks at training points: the data-dependent initialization."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from trainability.domains import Box, Domain
from trainability.lazy import numpy as np
from trainability.theory.laws.base import Exact, LogBelow, NeuronLaw, refuse_negative
from trainability.theory.probability import CLOSED_FORM

_NEVER: Exact = (-math.inf, CLOSED_FORM)


@dataclass(frozen=True)
class KinkAtData(NeuronLaw):
    """The kink lies beside an input that occurs, so no neuron is born dead (Shin & Karniadakis
    2020, data-dependent initialization)."""

    is_symmetric: ClassVar = False
    is_never_born_dead: ClassVar = True

    sigma_in: float
    sigma_e: float

    def __post_init__(self) -> None:
        refuse_negative(self, "sigma_in", above=("sigma_e",))

    @property
    def has_bias(self) -> bool:
        return True

    def sample_layer(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError("a layer depends on the training points: draw it from the scheme")

    def sample_given(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, LogBelow]:
        raise NotImplementedError("a layer depends on the training points: draw it from the scheme")

    def log_conditional(self, domain: Domain, n: int, rng: np.random.Generator) -> np.ndarray:
        return np.full(n, -np.inf)

    def log_nonpositive_bias(self, d: int) -> float:
        return -math.inf

    def log_permanent(self, fan_in: int, alive: int) -> float:
        """A neuron whose weights are <= 0 has a bias > 0."""
        return -math.inf

    def on_ball(self, d: int, radius: float) -> Exact:
        return _NEVER

    def on_interval(self, low: float, high: float) -> Exact:
        return _NEVER

    def on_box(self, domain: Box) -> Exact:
        return _NEVER
