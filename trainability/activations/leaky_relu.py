"""The leaky rectified linear unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.activations.base import Activation
from trainability.schemes.base import settle

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """z where z > 0, else negative_slope * z. No piece is flat, so no neuron is ever dead.

    Args:
        negative_slope: > 0; 0.01 as in `torch.nn.LeakyReLU`. At 0 it would be ReLU.

    Source: Maas, Hannun & Ng (2013).
    """

    keeps: ClassVar = "output"  # It has the sign of the pre-activation.

    negative_slope: float = 0.01

    def __post_init__(self) -> None:
        settle(self, above={"negative_slope": 0})

    def value(self, on: Arithmetic, z: Number) -> Number:
        pick = on.maximum if self.negative_slope <= 1 else on.minimum
        return pick(z, z * self.negative_slope)

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        return on.where(kept > 0.0, delta, delta * self.negative_slope)
