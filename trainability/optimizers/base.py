"""What an optimizer is: a frozen dataclass that updates one parameter from its gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import MutableSequence, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from trainability.lazy import numpy as np
from trainability.schemes.base import describe

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


Idle = Literal["stays", "shrinks", "moves"]
"""What a parameter does whose gradients have all been 0."""


class Optimizer(ABC):
    """An update rule, the same for every parameter of a network.

    To add one: subclass, `@dataclass(frozen=True)`, settings as fields, `numbers`, `factors`,
    `update`, and a docstring with the reference. Nothing else.
    """

    learning_rate: float
    """A field of every optimizer: the step size, before any schedule. > 0."""

    functions: ClassVar[frozenset[str]] = frozenset()
    """The names in `arithmetic.FUNCTIONS` that `update` uses."""

    n_moments: int = 0
    """Numbers kept per parameter from step to step, 0 at first. A property where it depends on
    the settings; then kernels are compiled for each number."""

    idle: Idle = "stays"
    """What a parameter does whose gradients have all been 0: nothing; it shrinks with all others
    by one factor in (0, 1] per step; or anything. The census reads it: only if it stays, or
    shrinks, can a death be proven permanent."""

    @abstractmethod
    def numbers(self) -> Sequence[float]:
        """Constants of the update, which engines hand to `update` as float32."""

    @abstractmethod
    def factors(self, start: int, stop: int) -> np.ndarray:
        """What changes with the step: float32, shape (stop - start, number of factors).

        Update number t is counted from 1: row 0 belongs to t = start + 1.
        """

    @abstractmethod
    def update(
        self,
        on: Arithmetic,
        parameter: Number,
        gradient: Number,
        moments: MutableSequence[Number],
        numbers: Sequence[Number],
        factors: Sequence[Number],
    ) -> Number:
        """The new parameter.

        What depends on a setting's value but not its number (a momentum of 0 keeps nothing) must
        show in `n_moments`: engines may share compiled code between optimizers of one type.

        Args:
            on: What to compute with.
            parameter: The parameter.
            gradient: d loss / d parameter.
            moments: Reading one loads it, setting one stores it: read and set each once.
            numbers: `numbers()`.
            factors: A row of `factors(start, stop)`.
        """

    def __str__(self) -> str:
        """The optimizer as one writes it: its name and the settings that are not the default."""
        return describe(self)
