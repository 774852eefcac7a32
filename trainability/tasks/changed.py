"""A task as an axis of a study changes it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainability.domains import Domain
from trainability.tasks.base import Task

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class ChangedTask(Task):
    """Other training points on the domain of a task; what is held back stays as it is.

    Nothing is proven of them: with other targets fewer neurons, or more, may do. So `need` is 1,
    whatever the task's, and `best_loss_below_need` that of the best constant on the new points.

    To make one: a subclass of a private name, `@dataclass(frozen=True)`, settings as fields,
    `build`. It is for `Axis.change_task`: no `study.json` can name it, and a cell's is recorded as
    the task that it changes.

    Args:
        changed: The task.
    """

    changed: Task

    @abstractmethod
    def build(self) -> tuple[np.ndarray, np.ndarray]:
        """Training inputs (N, d_in), in the domain, and targets (N, d_out): deterministic."""

    @property
    def domain(self) -> Domain:
        return self.changed.domain

    @property
    def n_train(self) -> int:
        return len(self.data()[0])

    @property
    def n_classes(self) -> int:
        return self.changed.n_classes

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        return self.changed.input_shapes

    def build_validation(self) -> tuple[np.ndarray, np.ndarray] | None:
        return self.changed.validation()

    def __str__(self) -> str:
        return str(self.changed)
