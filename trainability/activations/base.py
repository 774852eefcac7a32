"""What an activation is: a frozen dataclass with a value, a slope, and its flat pieces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from trainability.arithmetic import ARRAYS
from trainability.lazy import numpy as np
from trainability.schemes.base import describe

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


class Activation(ABC):
    """The function between two affine layers, the same for all hidden neurons.

    To add one: subclass, `@dataclass(frozen=True)`, settings as fields, `value`, `backward`, and
    a docstring with the reference; if it is constant somewhere, `flat`. Nothing else.
    """

    keeps: ClassVar[Literal["output", "input"]] = "input"
    """What `backward` reads: the neuron's output h, which is there anyway, or its
    pre-activation z, for which an engine needs room."""

    functions: ClassVar[frozenset[str]] = frozenset()
    """The names in `arithmetic.FUNCTIONS` that `value` and `backward` use."""

    flat: ClassVar[tuple[tuple[float, float], ...]] = ()
    """Closed intervals of the pre-activation, disjoint and ascending, on each of which the value
    is constant. A neuron whose pre-activation stays inside of one is dead; an activation without
    any has no dead neurons, however its neurons are drawn."""

    rectifies: ClassVar[bool] = False
    """Whether the value is 0 for z <= 0 and positive for z > 0. Then the only flat piece is that
    below 0, a dead neuron gives 0, and a neuron whose bias and weights are all <= 0 is dead
    whatever the layers before it learn."""

    learnable: tuple[float, ...] = ()
    """First values of the numbers that training moves like biases, one set for each hidden layer,
    which its neurons share; `value` and `backward` are those at the first values. With such
    numbers, implement `value_at` and `backward_at`. Not every engine trains them."""

    @abstractmethod
    def value(self, on: Arithmetic, z: Number) -> Number:
        """h, the output at the pre-activation z."""

    @abstractmethod
    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        """`delta` times the slope; on flat pieces, their ends included, 0.

        Args:
            on: What to compute with.
            delta: d loss / d output.
            kept: h or z, as `keeps` says.
        """

    def value_at(self, on: Arithmetic, z: Number, learnable: Sequence[Number]) -> Number:
        """`value` where the learnable numbers of the layer are these."""
        return self.value(on, z)

    def backward_at(
        self, on: Arithmetic, delta: Number, kept: Number, learnable: Sequence[Number]
    ) -> tuple[Number, list[Number]]:
        """`backward` likewise, and `delta` times the derivatives by the learnable numbers."""
        return self.backward(on, delta, kept), []

    @cached_property
    def at_zero(self) -> float:
        """The value at pre-activation 0."""
        return float(self.value(ARRAYS, np.float64(0.0)))

    def __str__(self) -> str:
        """The activation as one writes it: its name and the settings that are not the default."""
        return describe(self)
