"""How long networks are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainability.checks import int_problem
from trainability.study.axes.base import Axis

MOST_STEPS = 10**9


class MaxStepsAxis(Axis[int]):
    """The budget of a network, in updates."""

    name, since, place = "max_steps", 0, 7
    type, least = "int64", 1
    meaning = "Updates after which training ends, in steps."
    not_tuned = "it is part of what success means"

    def problems(self, value: Any) -> list[str]:
        return int_problem(self.name, value, 1, MOST_STEPS)

    def examples(self) -> Sequence[int]:
        return [5, 9]

    @property
    def written_examples(self) -> Sequence[str]:
        return ["2_000", "10_000"]
