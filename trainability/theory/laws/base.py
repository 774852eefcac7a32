"""What the law of a neuron is: how it is drawn, and its answers for the domains of inputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from trainability.domains import Box, Domain, Points
from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.theory.checks import number_problem
from trainability.theory.probability import QUADRATURE

Exact = tuple[float, str]
"""A logarithm of a probability and the method that gave it."""

LogBelow = Callable[["np.ndarray"], "np.ndarray"]
"""log P(b <= limit | what was sampled), elementwise."""


class NeuronLaw(ABC):
    """The law of a hidden neuron's initial weights and bias.

    A scheme returns one from `Scheme.law(fan_in, fan_out)`, or None where no closed form is known.
    It holds for every hidden layer; the theory reads nothing else of a scheme.

    To add one: subclass, `@dataclass(frozen=True)`, its scales as fields, what is abstract here,
    and what it declares where the default is not so. Where a domain has no closed form the answer
    is None, and neurons are sampled.
    """

    is_symmetric: ClassVar[bool] = True
    """Whether any signs of the weights and the bias are as likely as any others."""

    is_never_born_dead: ClassVar[bool] = False
    """Whether every neuron of the first layer is active at some training point."""

    has_independent_rows: ClassVar[bool] = True
    """Whether the neurons of a layer are drawn independently of each other."""

    chain_layers: ClassVar[float] = 0
    """Up to how many hidden layers the angle chain holds without biases, d = 1."""

    @property
    @abstractmethod
    def has_bias(self) -> bool:
        """Whether the neurons have biases that are not all 0."""

    @property
    def has_weights(self) -> bool:
        """Whether the neurons have weights that are not all 0."""
        return True

    def of_width(self, width: int) -> NeuronLaw:
        """The same law in a layer of so many neurons."""
        return self

    def dies_independently(self, domain: Domain, width: int) -> bool:
        """Whether the neurons of a first layer of this width die independently of each other."""
        return self.has_independent_rows or width == 1

    def has_at_most_one_permanent(self, fan_in: int, width: int) -> bool:
        """Whether two neurons of one layer can't both be permanently dead."""
        return width == 1

    @abstractmethod
    def sample_layer(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Weights (R, fan_out, fan_in) and biases (R, fan_out)."""

    @abstractmethod
    def sample_given(
        self, n_networks: int, fan_in: int, fan_out: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, LogBelow]:
        """As `sample_layer`, and the law of the biases, (R, fan_out), given the weights."""

    @abstractmethod
    def log_conditional(self, domain: Domain, n: int, rng: np.random.Generator) -> np.ndarray:
        """log P(dead on the domain | what was sampled) of n neurons, shape (n,)."""

    @abstractmethod
    def log_nonpositive_bias(self, d: int) -> float:
        """log P(b <= 0)."""

    @abstractmethod
    def log_permanent(self, fan_in: int, alive: int) -> float:
        """log P(bias <= 0 and the weights of `alive` of the inputs <= 0)."""

    @abstractmethod
    def on_ball(self, d: int, radius: float) -> Exact | None:
        """log P(b + radius |w| <= 0), radius > 0."""

    @abstractmethod
    def on_interval(self, low: float, high: float) -> Exact | None:
        """d = 1: only the ends matter, whether the domain is an interval or a set of points."""

    @abstractmethod
    def on_box(self, domain: Box) -> Exact | None:
        """d >= 2."""

    def on_points(self, domain: Points) -> Exact | None:
        """d >= 2, more than one point."""
        return None


def refuse_negative(law: object, *at_least: str, above: tuple[str, ...] = ()) -> None:
    """Refuse a law with a scale that is not a finite number, negative or, if `above`, 0."""
    owner = type(law).__name__
    problems = []
    for name in at_least:
        problems += number_problem(owner, name, getattr(law, name))
    for name in above:
        problems += number_problem(owner, name, getattr(law, name), above=True)
    refuse(problems)


def by_quadrature(log_p: float | None) -> Exact | None:
    return None if log_p is None else (log_p, QUADRATURE)
