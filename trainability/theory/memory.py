"""How far back Adam remembers, in a time that does not depend on its learning rate."""

from __future__ import annotations

from dataclasses import dataclass

from trainability.checks import shown
from trainability.errors import refuse
from trainability.theory.checks import number_problem


@dataclass(frozen=True)
class AdamMemory:
    """How far back Adam remembers, in units of time: learning rate times steps.

    Args:
        gradient: Mean age of the gradients in m, >= 0; 0 for none but the present one.
        square: Mean age of the squared gradients in v, >= 0.
    """

    gradient: float
    square: float

    def __post_init__(self) -> None:
        refuse(
            number_problem("AdamMemory", "gradient", self.gradient)
            + number_problem("AdamMemory", "square", self.square)
        )

    @classmethod
    def of(cls, learning_rate: float, beta1: float, beta2: float) -> AdamMemory:
        """That of Adam with these settings: learning_rate beta / (1 - beta).

        Args:
            learning_rate: > 0.
            beta1: Of the gradients, in [0, 1).
            beta2: Of their squares, likewise.

        Raises:
            InputError: Lists what is out of range; a beta of 1 would never forget.
        """
        problems = number_problem("AdamMemory", "learning_rate", learning_rate, above=True)
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if number_problem("AdamMemory", name, beta) or beta >= 1:
                problems.append(
                    f"AdamMemory {name} must be a number from 0 to below 1, got {shown(beta)}"
                )
        refuse(problems)
        return cls(*(learning_rate * beta / (1 - beta) for beta in (beta1, beta2)))

    def decays(self, step: float) -> tuple[float, float]:
        """beta1 and beta2 that remember as far at another learning rate, > 0.

        Raises:
            InputError: If the learning rate is out of range.

        >>> beta1, beta2 = AdamMemory.of(0.005, 0.9, 0.999).decays(0.005)
        >>> round(beta1, 9), round(beta2, 9)
        (0.9, 0.999)
        """
        refuse(number_problem("AdamMemory", "step", step, above=True))
        return self.gradient / (self.gradient + step), self.square / (self.square + step)
