"""What a penalty is: a frozen dataclass whose gradient is added to that of the loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from trainability.schemes.base import describe

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


Over = Literal["points", "neurons"]
"""Over what pre-activations of a hidden layer are extreme: of each neuron over the points of the
batch, or at each point over the neurons of the layer."""


class Penalty(ABC):
    """A term that training descends beside the loss; no loss that is reported contains it.

    To add one: subclass, `@dataclass(frozen=True)`, settings as fields, `gradient`, and a
    docstring with the reference; `numbers` where it has any; `extremes` and `by_extremes` where
    it depends on pre-activations.
    """

    functions: ClassVar[frozenset[str]] = frozenset()
    """The names in `arithmetic.FUNCTIONS` that `gradient` and `by_extremes` use."""

    extremes: tuple[Over, ...] = ()
    """Over what it wants the largest and the least pre-activation of every hidden layer, of the
    points that a step sees, before the backward pass. Not every engine has them."""

    moves_dead: bool = True
    """Whether a parameter moves under it though the loss has no gradient there: then a dead
    neuron may come back by itself, and no death is permanent. False only where proven."""

    def numbers(self) -> Sequence[float]:
        """Constants of the gradient, which engines hand to `gradient` as float32."""
        return ()

    @abstractmethod
    def gradient(
        self,
        on: Arithmetic,
        parameter: Number,
        gradient: Number,
        is_weight: bool,
        numbers: Sequence[Number],
    ) -> Number:
        """The gradient of loss and penalty by one parameter, from that of the loss.

        Args:
            on: What to compute with.
            parameter: The parameter.
            gradient: d loss / d parameter.
            is_weight: Whether it is a weight, else a bias.
            numbers: `numbers()`.
        """

    def by_extremes(
        self, on: Arithmetic, largest: Number, least: Number, numbers: Sequence[Number]
    ) -> tuple[Number, Number]:
        """The derivatives of the penalty by one pair of extremes; asked for where `extremes` says.

        Where several pre-activations are extreme alike, engines give each an equal share.

        Args:
            on: What to compute with.
            largest: The largest pre-activation, of a neuron or at a point.
            least: The least.
            numbers: `numbers()`.
        """
        raise NotImplementedError(f"{self} asks for extremes, so it must say what to do with them")

    def __str__(self) -> str:
        """The penalty as one writes it: its name and the settings that are not the default."""
        return describe(self)
