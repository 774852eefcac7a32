"""What is descended beside the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainability.penalties import Penalty
from trainability.study.axes.base import StrategyAxis


class PenaltyAxis(StrategyAxis[Penalty | None]):
    """What is descended beside the loss; None for nothing."""

    name, since = "penalty", 1
    meaning = "The penalty, as one writes it, or none."
    wanted, kind = "None or a penalty, such as L2(coefficient=1e-4)", Penalty

    def examples(self) -> Sequence[Penalty | None]:
        from trainability.penalties import L1, L2

        return [L1(coefficient=1e-3), L2(coefficient=1e-3)]

    def written(self, value: Penalty | None) -> Any:
        return "none" if value is None else str(value)
