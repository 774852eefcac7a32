"""What a schedule is: a frozen dataclass that scales the step size of every update."""

from __future__ import annotations

from abc import ABC, abstractmethod

from trainability.lazy import numpy as np
from trainability.schemes.base import describe


class Schedule(ABC):
    """What an optimizer's learning rate is multiplied with, step by step.

    To add one: subclass, `@dataclass(frozen=True)`, settings as fields, `scale`, and a docstring.
    """

    @abstractmethod
    def scale(self, step: np.ndarray) -> np.ndarray:
        """Factors in [0, 1] of the updates of these numbers, counted from 0; float64."""

    def __str__(self) -> str:
        """The schedule as one writes it: its name and the settings that are not the default."""
        return describe(self)

    __repr__ = __str__


def step_problem(owner: str, name: str, value: object, least: int = 1) -> list[str]:
    """A list with the one thing wrong with a number of steps, or an empty list."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return []
    return [f"{owner} {name} must be an int >= {least}, a number of steps, got {value!r}"]


def schedule_problem(owner: str, name: str, value: object) -> list[str]:
    """A list with the one thing wrong with a schedule, or an empty list."""
    if isinstance(value, Schedule):
        return []
    return [f"{owner} {name} must be a schedule, such as Cosine(steps=1000), got {value!r}"]
