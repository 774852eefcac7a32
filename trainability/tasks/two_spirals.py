"""Two spirals: two curves that wind around each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from trainability.checks import number_problem, settle_fields
from trainability.domains import Points
from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.tasks.base import Task, n_train_problems
from trainability.tasks.two_curves import points_of, two_curves_problems


@dataclass(frozen=True)
class TwoSpirals(Task):
    """Which of two spirals a point lies on, or near: hard for networks of few layers.

    From radius 6.5 inwards to 1/2; class 1 is class 0 turned by half a circle. The domain is the
    training points themselves: a neuron is dead if it is constant on them. For
    `BinaryCrossEntropy`, or with `one_hot=True` for `CrossEntropy`.

    Args:
        n_train: Training points, >= 2, evenly along the spirals, half of them on each. At 194, the
            default, and three turns they are those of the benchmark.
        n_validation: Validation points, anywhere on the spirals, with the same noise.
        noise: Standard deviation of what is added to every coordinate, >= 0.
        one_hot: Whether there are two outputs, one for each class, instead of one.
        seed: Of noise, order and validation points: another seed is another data set.
        turns: How often a spiral goes around, > 0.

    Source: Lang & Witbrock (1988), as the neural network benchmarks of Carnegie Mellon University
    have it: angle i pi/16, radius 6.5 (104 - i)/104 for i = 0 to 96. From memory.
    """

    n_train: int = 194
    n_validation: int = 0
    noise: float = 0.0
    one_hot: bool = False
    seed: int = 0
    turns: float = 3.0

    n_classes: ClassVar[int] = 2

    def __post_init__(self) -> None:
        problems = n_train_problems(self) + two_curves_problems(self)
        refuse(problems + number_problem("TwoSpirals", "turns", self.turns, above=0))
        settle_fields(self)

    @cached_property
    def domain(self) -> Points:
        return Points(self.data()[0])

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        return points_of(self, self._spiral, "training")

    def build_validation(self) -> tuple[np.ndarray, np.ndarray]:
        return points_of(self, self._spiral, "validation")

    def _spiral(self, way: np.ndarray, label: int) -> np.ndarray:
        angle = 2 * math.pi * self.turns * way
        radius = (-1 if label else 1) * 6.5 * (1 - 96 / 104 * way)
        return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
