"""Points of two classes, each on a curve in the plane, with noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from trainability.checks import MOST_POINTS, bool_problem, int_problem, number_problem
from trainability.lazy import numpy as np
from trainability.seeds import stream
from trainability.tasks.classes import class_targets


class TwoCurves(Protocol):
    """What two curves are drawn with: fields of a task."""

    @property
    def n_train(self) -> int: ...
    @property
    def n_validation(self) -> int: ...
    @property
    def noise(self) -> float: ...
    @property
    def one_hot(self) -> bool: ...
    @property
    def seed(self) -> int: ...


def two_curves_problems(task: TwoCurves) -> list[str]:
    """What is wrong with the settings of such a task, beside `n_train`."""
    owner = type(task).__name__
    problems = int_problem(f"{owner} n_validation", task.n_validation, 0, MOST_POINTS)
    problems += number_problem(owner, "noise", task.noise, at_least=0)
    problems += bool_problem(owner, "one_hot", task.one_hot)
    return problems + int_problem(f"{owner} seed", task.seed, 0)


def points_of(
    task: TwoCurves,
    curve: Callable[[np.ndarray, int], np.ndarray],
    part: Literal["training", "validation"],
) -> tuple[np.ndarray, np.ndarray]:
    """Points of one of two curves each, half of them on either, in random order.

    Training points lie evenly along their curve, ends included; validation points anywhere on it,
    uniformly. All random numbers follow from the task's name, seed and part, so that neither part
    depends on the other, and a louder noise is the same noise enlarged.

    Args:
        task: How many points, with how much noise.
        curve: Where on the curve of class 0 or 1 a share t in [0, 1] of its way leads: t of shape
            (n,) to (n, 2).
        part: Which points.

    Returns:
        Inputs (n, 2), targets (n, 1), or (n, 2) if `one_hot`.
    """
    is_training = part == "training"
    n = task.n_train if is_training else task.n_validation
    rng = stream(task.seed, type(task).__name__, "data", 0 if is_training else 1)
    sizes = (n // 2, n - n // 2)
    ways = [np.linspace(0, 1, size) if is_training else rng.random(size) for size in sizes]
    x = np.concatenate([curve(way, label) for label, way in enumerate(ways)])
    x = x + task.noise * rng.standard_normal(x.shape)
    order = rng.permutation(n)
    return x[order], class_targets(np.repeat([0, 1], sizes)[order], 2, task.one_hot)
