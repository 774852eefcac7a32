"""The accuracy at which a network has succeeded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trainability.checks import is_number, shown
from trainability.study.axes.base import Axis


class TargetAccuracyAxis(Axis[float | None]):
    """Instead of a tolerance: the share of the training points whose class a network must name."""

    name, since = "target_accuracy", 2
    type, least, nullable = "float64", 0, True
    meaning = "Training accuracy at which a network succeeds; null where loss decides."
    not_tuned = "it is part of what success means"

    def problems(self, value: Any) -> list[str]:
        if value is None or (is_number(value) and 0 < value <= 1):
            return []
        return [
            f"{self.name} must be None or a share of the training points, > 0 and <= 1, got "
            f"{shown(value)}"
        ]

    def examples(self) -> Sequence[float | None]:
        return [0.9, 1.0]

    @property
    def written_examples(self) -> Sequence[str]:
        return ["0.9", "0.95"]
