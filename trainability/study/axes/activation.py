"""What hidden neurons do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trainability.activations import RELU, Activation
from trainability.study.axes.base import StrategyAxis
from trainability.study.network import AS_BUILT

if TYPE_CHECKING:
    from trainability.study.cell import Cell


class ActivationAxis(StrategyAxis[Activation]):
    """The activation of the hidden neurons."""

    name, since, default = "activation", 1, RELU
    meaning = "The activation, as one writes it."
    wanted, kind = "an activation, such as ReLU()", Activation

    def examples(self) -> Sequence[Activation]:
        from trainability.activations import GELU, LeakyReLU

        return [LeakyReLU(), GELU()]

    def row(self, cell: Cell) -> dict[str, Any]:
        return super().row(cell) if cell.network is None else {self.name: AS_BUILT}
