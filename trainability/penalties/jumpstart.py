"""Jumpstart: every neuron shall be on and off somewhere, and every point see both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trainability.penalties.base import Over, Penalty
from trainability.schemes.base import settle

if TYPE_CHECKING:
    from trainability.arithmetic import Arithmetic, Number

_OVER: dict[str, tuple[Over, ...]] = {
    "both": ("points", "neurons"),
    "units": ("points",),
    "samples": ("neurons",),
}


@dataclass(frozen=True)
class Jumpstart(Penalty):
    r"""coefficient times the sum of s^2 over the units and over the samples of every hidden layer.

    s = rho (1 - max z)_+ + (1 - rho) (1 + min z)_+, with the extremes of the pre-activations z of
    one unit over the points of the batch, or at one point over the units of the layer: 0 where
    the largest is at least 1 and the least at most -1. The output layer is free, and so are
    parameters by themselves. A dead neuron is pulled back to life, so no death is permanent.

    Args:
        coefficient: > 0, the paper's lambda: 1e-4 for two moons, 1e-8 for MNIST. Of sums, not
            means: it weighs more against the loss the more points and neurons there are.
        rho: Share of the pull towards being on, within [0, 1]; 0.5 in the paper.
        terms: The sums that count: those over the units, over the samples, or both. The paper
            compares the three.

    Source: Riera, Rey, Serra, Puertas & Pujol (2022), arXiv 2201.12795, as in the authors' code
        of that version (a later one takes means, without the square). Where several are extreme
        alike, they share the gradient equally, as in TensorFlow, which the authors use.
    """

    coefficient: float
    rho: float = 0.5
    terms: Literal["both", "units", "samples"] = "both"

    def __post_init__(self) -> None:
        settle(
            self,
            above={"coefficient": 0},
            at_least={"rho": 0},
            at_most={"rho": 1},
            one_of={"terms": tuple(_OVER)},
        )

    @property
    def extremes(self) -> tuple[Over, ...]:  # type: ignore[override]
        return _OVER[self.terms]

    def numbers(self) -> Sequence[float]:
        return [2 * self.coefficient, self.rho, 1 - self.rho]

    def gradient(
        self,
        on: Arithmetic,
        parameter: Number,
        gradient: Number,
        is_weight: bool,
        numbers: Sequence[Number],
    ) -> Number:
        return gradient

    def by_extremes(
        self, on: Arithmetic, largest: Number, least: Number, numbers: Sequence[Number]
    ) -> tuple[Number, Number]:
        twice, rho, rest = numbers
        zero = on.constant(0.0)
        to_on = on.maximum(on.constant(1.0) - largest, zero)
        to_off = on.maximum(least + 1.0, zero)
        pull = (to_on * rho + to_off * rest) * twice
        by_largest = on.where(to_on > 0.0, -(pull * rho), zero)
        by_least = on.where(to_off > 0.0, pull * rest, zero)
        return by_largest, by_least
