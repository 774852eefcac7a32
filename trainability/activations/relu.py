"""The rectified linear unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.activations.base import Activation

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class ReLU(Activation):
    """max(z, 0), with slope 0 at 0.

    Source: Nair & Hinton (2010); the slope at 0 as in `torch.relu`.
    """

    keeps: ClassVar = "output"
    flat: ClassVar = ((-math.inf, 0.0),)
    rectifies: ClassVar = True

    def value(self, on: Arithmetic, z: Number) -> Number:
        return on.maximum(z, on.constant(0.0))

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        return on.where(kept > 0.0, delta, on.constant(0.0))


RELU = ReLU()
"""The activation of a network that names none."""
