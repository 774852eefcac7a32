"""How many points a step sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainability.checks import int_problem
from trainability.study.axes.base import Axis


class BatchSizeAxis(Axis[int | None]):
    """Points per minibatch; None for the full batch."""

    name, since, place = "batch_size", 0, 6
    type, least, nullable = "int32", 1, True
    meaning = "Points of a minibatch; null for all of them at every step."

    def problems(self, value: Any) -> list[str]:
        return int_problem(self.name, value, 1, optional=True)

    def examples(self) -> Sequence[int | None]:
        return [4, 8]

    @property
    def written_examples(self) -> Sequence[str]:
        return ["16", "64"]
