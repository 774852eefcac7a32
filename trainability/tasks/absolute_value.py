"""|x| and its kin: what a few hinges make exactly, and fewer can't."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from trainability.domains import Box
from trainability.lazy import numpy as np
from trainability.tasks.base import Task, check_n_train
from trainability.tasks.points import training_points

_ROOT_3 = math.sqrt(3)


@dataclass(frozen=True)
class AbsoluteValue(Task):
    """|x| on [-sqrt 3, sqrt 3], at equispaced points, ends included.

    It is relu(x) + relu(-x), and needs both: with many points one neuron's best loss is
    3 - 2 sqrt 2 = 0.1716.

    Args:
        n_train: Training points, >= 2. At 100, the default, neighbors are 0.035 apart.

    Source: Lu, Shin, Su & Karniadakis (2020) and Shin & Karniadakis (2020), whose first example
    this is; on this interval a uniform input has variance 1.
    """

    n_train: int = 100

    need: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_n_train(self)

    @property
    def domain(self) -> Box:
        return Box(1, _ROOT_3)

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        x = training_points(self.domain, self.n_train)
        return x, np.abs(x)


@dataclass(frozen=True)
class BrokenAbsoluteValue(Task):
    """|x| - sqrt3/(sqrt3 - 1) max(x - 1, 0) on [-sqrt 3, sqrt 3], at equispaced points.

    |x| up to 1, from there a line down to 0 at sqrt 3. Three neurons make it, and it needs all
    three: with many points the best loss of two is about 0.026.

    Args:
        n_train: Training points, >= 2. At 100, the default, neighbors are 0.035 apart.

    Source: Shin & Karniadakis (2020), the example of a target that needs three active neurons.
    """

    n_train: int = 100

    need: ClassVar[int] = 3

    def __post_init__(self) -> None:
        check_n_train(self)

    @property
    def domain(self) -> Box:
        return Box(1, _ROOT_3)

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        x = training_points(self.domain, self.n_train)
        return x, np.abs(x) - _ROOT_3 / (_ROOT_3 - 1) * np.maximum(x - 1, 0)


@dataclass(frozen=True)
class RotatedAbsoluteValues(Task):
    """[|x1 + x2|, |x1 - x2|] on [-sqrt 3, sqrt 3]^2, at points of the Halton sequence.

    Four neurons make it. Two are proven to be needed: with one active neuron all outputs lie on
    a line, and the targets do not (see `best_loss`, the bound by singular values).

    Args:
        n_train: Training points, >= 2; see `training_points`. At 400, the default, neighbors are
            about 0.17 apart.

    Source: Lu, Shin, Su & Karniadakis (2020), the two-dimensional example.
    """

    n_train: int = 400

    need: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check_n_train(self)

    @property
    def domain(self) -> Box:
        return Box(2, _ROOT_3)

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        x = training_points(self.domain, self.n_train)
        return x, np.abs(np.stack([x[:, 0] + x[:, 1], x[:, 0] - x[:, 1]], axis=1))
