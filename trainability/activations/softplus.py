"""The softplus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainability.activations.base import Activation
from trainability.schemes.base import settle

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number


@dataclass(frozen=True)
class Softplus(Activation):
    """log(1 + exp(beta z)) / beta, a smooth ReLU. It is constant nowhere.

    Args:
        beta: How sharp its bend is, > 0; towards infinity it is the ReLU.

    Source: Dugas et al. (2000), as `torch.nn.Softplus` without its threshold.
    """

    functions: ClassVar = frozenset({"exp", "log1p"})

    beta: float = 1.0

    def __post_init__(self) -> None:
        settle(self, above={"beta": 0})

    def value(self, on: Arithmetic, z: Number) -> Number:
        # Of -|z|, so that nothing overflows: max(z, 0) is what is left.
        rest = on.log1p(on.exp_of_nonpositive(on.absolute(z) * -self.beta))
        return on.fma(rest, on.constant(1 / self.beta), on.maximum(z, on.constant(0.0)))

    def backward(self, on: Arithmetic, delta: Number, kept: Number) -> Number:
        return delta / (on.exp(kept * -self.beta) + 1.0)
