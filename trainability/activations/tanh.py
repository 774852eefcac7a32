"""The hyperbolic tangent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.activations.base import Activation

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class Tanh(Activation):
    """tanh(z). It saturates, but is constant nowhere, so no neuron is ever dead."""

    keeps: ClassVar = "output"
    functions: ClassVar = frozenset({"tanh"})

    def value(self, on: Arithmetic, z: Number) -> Number:
        return on.tanh(z)

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        return delta * (on.constant(1.0) - kept * kept)
