"""Two moons: two half circles that reach into each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from trainability.checks import settle_fields
from trainability.domains import Points
from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.tasks.base import Task, n_train_problems
from trainability.tasks.two_curves import points_of, two_curves_problems


@dataclass(frozen=True)
class TwoMoons(Task):
    """Which of two half circles of radius 1 a point lies on, or near; no line parts them.

    Class 0 is the upper half circle around (0, 0), class 1 the lower one around (1, 1/2). The
    domain is the training points themselves: a neuron is dead if it is constant on them. For
    `BinaryCrossEntropy`, or with `one_hot=True` for `CrossEntropy`.

    Args:
        n_train: Training points, >= 2, evenly along the half circles, half of them on each.
        n_validation: Validation points, anywhere on the half circles, with the same noise.
        noise: Standard deviation of what is added to every coordinate, >= 0.
        one_hot: Whether there are two outputs, one for each class, instead of one.
        seed: Of noise, order and validation points: another seed is another data set.

    Source: as `sklearn.datasets.make_moons`, whose points these are without noise; its order and
    noise differ. Riera et al. (2022) train on 85 of 100 such points without noise, divided by
    max - min, which is not done here.
    """

    n_train: int = 100
    n_validation: int = 0
    noise: float = 0.1
    one_hot: bool = False
    seed: int = 0

    n_classes: ClassVar[int] = 2

    def __post_init__(self) -> None:
        refuse(n_train_problems(self) + two_curves_problems(self))
        settle_fields(self)

    @cached_property
    def domain(self) -> Points:
        return Points(self.data()[0])

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        return points_of(self, _moon, "training")

    def build_validation(self) -> tuple[np.ndarray, np.ndarray]:
        return points_of(self, _moon, "validation")


def _moon(way: np.ndarray, label: int) -> np.ndarray:
    x, y = np.cos(math.pi * way), np.sin(math.pi * way)
    return np.stack([1 - x, 0.5 - y] if label else [x, y], axis=1)
