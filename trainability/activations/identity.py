"""No activation: linear networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.activations.base import Activation

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class Identity(Activation):
    """z itself: a deep linear network, whose training is not linear.

    Source: Saxe, McClelland & Ganguli (2014), on the dynamics of deep linear networks.
    """

    keeps: ClassVar = "output"

    def value(self, on: Arithmetic, z: Number) -> Number:
        return z

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        return delta
