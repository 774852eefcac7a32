"""The piecewise linear tangent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.activations.base import Activation

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class HardTanh(Activation):
    """z within [-1, 1], else -1 or 1, with slope 0 at both ends. Flat below -1 and above 1.

    Source: Collobert (2004), as `torch.nn.Hardtanh`.
    """

    keeps: ClassVar = "output"
    flat: ClassVar = ((-math.inf, -1.0), (1.0, math.inf))

    def value(self, on: Arithmetic, z: Number) -> Number:
        return on.minimum(on.maximum(z, on.constant(-1.0)), on.constant(1.0))

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        return on.where((kept > -1.0) & (kept < 1.0), delta, on.constant(0.0))
