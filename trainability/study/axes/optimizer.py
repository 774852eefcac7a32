"""How networks are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trainability.identity import Column
from trainability.optimizers import Optimizer
from trainability.study.axes.base import StrategyAxis

if TYPE_CHECKING:
    from trainability.study.cell import Cell


class OptimizerAxis(StrategyAxis[Optimizer]):
    """The update rule."""

    name, since, place = "optimizer", 0, 5
    meaning = "The optimizer, as one writes it."
    wanted, kind = "an optimizer, such as Adam(learning_rate=5e-3)", Optimizer

    def examples(self) -> Sequence[Optimizer]:
        from trainability.optimizers import SGD, Adam

        return [Adam(learning_rate=0.02), SGD(learning_rate=0.1)]

    @property
    def columns(self) -> tuple[Column, ...]:
        rate = Column(
            "learning_rate", "float64", "Its step size, before any schedule.", 0, same_for_cell=True
        )
        return (*super().columns, rate)

    def row(self, cell: Cell) -> dict[str, Any]:
        return super().row(cell) | {"learning_rate": float(cell.optimizer.learning_rate)}
