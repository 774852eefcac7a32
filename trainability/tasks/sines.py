"""Targets made of sines, which no ReLU network makes exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from trainability.domains import Box
from trainability.lazy import numpy as np
from trainability.tasks.base import Task, check_n_train
from trainability.tasks.points import training_points


@dataclass(frozen=True)
class LinearTimesSine(Task):
    """x sin(5x) on [-sqrt 3, sqrt 3], at equispaced points, ends included.

    Three active neurons are proven to be needed for a loss below `best_loss_below_need()`, the
    best of all fits with two (see `best_loss`); a small loss takes more.

    Args:
        n_train: Training points, >= 2. At 100, the default, a period has 36 points.

    Source: Lu, Shin, Su & Karniadakis (2020), an example of a smooth target.
    """

    n_train: int = 100

    need: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_n_train(self)

    @property
    def domain(self) -> Box:
        return Box(1, math.sqrt(3))

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        x = training_points(self.domain, self.n_train)
        return x, x * np.sin(5 * x)


@dataclass(frozen=True)
class StepPlusSine(Task):
    """1 for x > 0, else 0, plus 0.2 sin(5x), on [-sqrt 3, sqrt 3], at equispaced points.

    Three active neurons are proven to be needed for a loss below `best_loss_below_need()`: two
    make the step, on the training points, and leave the sine.

    Args:
        n_train: Training points, >= 2. At 100, the default, a period has 36 points.

    Source: Lu, Shin, Su & Karniadakis (2020), an example of a discontinuous target.
    """

    n_train: int = 100

    need: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_n_train(self)

    @property
    def domain(self) -> Box:
        return Box(1, math.sqrt(3))

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        x = training_points(self.domain, self.n_train)
        return x, (x > 0) + 0.2 * np.sin(5 * x)


@dataclass(frozen=True)
class SineProduct(Task):
    """sin(pi x1) sin(pi x2) on [-1, 1]^2, at points of the Halton sequence.

    More than one active neuron is not proven to be needed.

    Args:
        n_train: Training points, >= 2; see `training_points`. At 400, the default, neighbors are
            about 0.1 apart, a twentieth of a period.

    Source: Shin & Karniadakis (2020) use a product of sines in two dimensions; the frequency and
    the square are this package's choice.
    """

    n_train: int = 400

    def __post_init__(self) -> None:
        check_n_train(self)

    @property
    def domain(self) -> Box:
        return Box(2, 1.0)

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        x = training_points(self.domain, self.n_train)
        return x, np.prod(np.sin(math.pi * x), axis=1, keepdims=True)
