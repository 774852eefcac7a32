"""The loss at which a network has succeeded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainability.checks import number_problem
from trainability.study.axes.base import Axis


class ToleranceAxis(Axis[float]):
    """Training loss at which a network has succeeded."""

    name, since, place = "tolerance", 0, 8
    type, least = "float64", 0
    meaning = "Training loss at which a network succeeds; null where accuracy decides."
    nullable, nullable_since = True, 2
    not_tuned = "it is part of what success means"

    def problems(self, value: Any) -> list[str]:
        return number_problem("", self.name, value, above=0)

    def examples(self) -> Sequence[float]:
        return [1e-3, 1e-2]
