"""The Gaussian error linear unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.activations.base import Activation

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


_ROOT_HALF = math.sqrt(0.5)
_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class GELU(Activation):
    """z times the probability that a standard normal number is below z. It is constant nowhere.

    Source: Hendrycks & Gimpel (2016), as `torch.nn.GELU`, without the approximation by tanh.
    """

    functions: ClassVar = frozenset({"erf", "exp"})

    def value(self, on: Arithmetic, z: Number) -> Number:
        return z * _probability(on, z)

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        density = on.exp_of_nonpositive(kept * kept * -0.5) * _DENSITY_AT_0
        return delta * on.fma(kept, density, _probability(on, kept))


def _probability(on: Arithmetic, z: Number) -> Number:
    return on.erf(z * _ROOT_HALF) * 0.5 + 0.5
