"""How deep networks are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainability.checks import int_problem
from trainability.study.axes.base import Axis
from trainability.study.widths import MOST_DEPTH


class DepthAxis(Axis[int]):
    """L, the number of affine layers: 2 is a shallow network."""

    name, since, place = "depth", 0, 4
    type, least = "int32", 2
    meaning = "Affine layers; a shallow network has 2. Null of a module that takes no depth."
    nullable, nullable_since = True, 3
    keys_streams = True

    def problems(self, value: Any) -> list[str]:
        return int_problem(self.name, value, 2, MOST_DEPTH)

    def examples(self) -> Sequence[int]:
        return [2, 3]

    @property
    def written_examples(self) -> Sequence[str]:
        return ["2", "3", "10"]
