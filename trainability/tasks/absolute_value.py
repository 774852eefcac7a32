"""|x|, which needs two active neurons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from trainability.domains import Box
from trainability.tasks.base import Task, check_n_train
from trainability.tasks.points import training_points


@dataclass(frozen=True)
class AbsoluteValue(Task):
    """|x| on [-sqrt 3, sqrt 3], at equispaced points, ends included.

    It is relu(x) + relu(-x), and one active neuron can't do it: it is constant on one side.

    Args:
        n_train: Training points, >= 2. At 100 every kink that matters has a point within .018.

    Source: Lu, Shin, Su & Karniadakis (2020) and Shin & Karniadakis (2020), whose first example
    this is; on this interval a uniform input has variance 1.
    """

    n_train: int = 100

    need: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_n_train(self)

    @property
    def domain(self) -> Box:
        return Box(1, math.sqrt(3))

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        x = training_points(self.domain, self.n_train)
        return x, np.abs(x)
