"""The rectified linear unit with a ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.activations.base import Activation

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class ReLU6(Activation):
    """min(max(z, 0), 6), with slope 0 at both ends. Flat below 0 and above 6.

    Source: Krizhevsky (2010), as `torch.nn.ReLU6`.
    """

    keeps: ClassVar = "output"
    flat: ClassVar = ((-math.inf, 0.0), (6.0, math.inf))

    def value(self, on: Arithmetic, z: Number) -> Number:
        return on.minimum(on.maximum(z, on.constant(0.0)), on.constant(6.0))

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        return on.where((kept > 0.0) & (kept < 6.0), delta, on.constant(0.0))
