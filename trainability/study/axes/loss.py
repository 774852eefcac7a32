"""What is minimized."""

from __future__ import annotations

from collections.abc import Sequence

from trainability.losses import MEAN_SQUARED_ERROR, Loss
from trainability.study.axes.base import StrategyAxis


class LossAxis(StrategyAxis[Loss]):
    """What is minimized, and what the tolerance is compared with."""

    name, since, default = "loss", 1, MEAN_SQUARED_ERROR
    meaning = "The loss, as one writes it."
    wanted, kind = "a loss, such as MeanSquaredError()", Loss

    def examples(self) -> Sequence[Loss]:
        from trainability.losses import Huber, MeanAbsoluteError

        return [MeanAbsoluteError(), Huber()]
