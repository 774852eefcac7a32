"""The sigmoid linear unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.activations.base import Activation

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class SiLU(Activation):
    """z times the logistic function of z, also called swish. It is constant nowhere.

    Source: Elfwing, Uchibe & Doya (2018), as `torch.nn.SiLU`.
    """

    functions: ClassVar = frozenset({"exp"})

    def value(self, on: Arithmetic, z: Number) -> Number:
        return z * _logistic(on, z)

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        s = _logistic(on, kept)
        return delta * on.fma(kept * s, on.constant(1.0) - s, s)


def _logistic(on: Arithmetic, z: Number) -> Number:
    return on.constant(1.0) / (on.exp(-z) + 1.0)
