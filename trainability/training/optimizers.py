"""Optimizers, with PyTorch's update rules and PyTorch's names for their settings."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.errors import refuse
from trainability.schemes.base import describe, number_problem


@dataclass(frozen=True)
class SGD:
    """Gradient descent: v = momentum * v + g; parameter -= learning_rate * v.

    Source: Polyak (1964) as in `torch.optim.SGD`, without dampening; plain gradient descent at
    momentum 0.
    """

    learning_rate: float
    momentum: float = 0.0

    def __post_init__(self) -> None:
        problems = number_problem("SGD", "learning_rate", self.learning_rate, above=0)
        problems += number_problem("SGD", "momentum", self.momentum, at_least=0)
        if not problems and self.momentum >= 1:
            problems.append(f"SGD momentum must be below 1, got {self.momentum!r}")
        refuse(problems)

    def __str__(self) -> str:
        return describe(self)


@dataclass(frozen=True)
class Adam:
    """Adam with bias correction.

    m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
    parameter -= learning_rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).

    Source: Kingma & Ba (2015), algorithm 1, as in `torch.optim.Adam`, whose defaults these are.
    """

    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        problems = number_problem("Adam", "learning_rate", self.learning_rate, above=0)
        problems += number_problem("Adam", "epsilon", self.epsilon, above=0)
        for name in ("beta1", "beta2"):
            value = getattr(self, name)
            found = number_problem("Adam", name, value, at_least=0)
            if not found and value >= 1:
                found.append(f"Adam {name} must be below 1, got {value!r}")
            problems += found
        refuse(problems)

    def __str__(self) -> str:
        return describe(self)


Optimizer = SGD | Adam
