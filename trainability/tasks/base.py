"""What a task is: a domain, training points on it, and how many active neurons it needs."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from functools import cached_property

from trainability.checks import MOST_POINTS, count_problem, settle_fields
from trainability.domains import Domain
from trainability.errors import refuse
from trainability.lazy import numpy as np
from trainability.schemes.base import describe
from trainability.tasks.best_loss import best_loss


class Task(ABC):
    """What networks are trained on.

    To add one: subclass, `@dataclass(frozen=True)`, settings as fields, `domain`, `build`, and a
    docstring with the reference. `need` may be raised where it is proven. Where targets are
    classes, `n_classes`; where points are held back, `build_validation`.
    """

    domain: Domain
    """Where the inputs live; holds every training point. A field or a property."""

    n_train: int
    """N, the number of training points. A field or a property."""

    need: int = 1
    """Active neurons that a shallow network needs, proven on the training points: with fewer, its
    loss can't be below `best_loss_below_need()`. Every task needs 1: without an active neuron a
    network is constant."""

    n_classes: int = 0
    """Classes, where targets say which one a point is of: 0 or 1 in the single output of two
    classes, or 1 in the class's output and 0 in the others. 0 where targets are numbers. A field
    or a property."""

    @abstractmethod
    def build(self) -> tuple[np.ndarray, np.ndarray]:
        """Training inputs of shape (N, d_in) and targets of shape (N, d_out): deterministic."""

    def build_validation(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Points of the same kind that no network is trained on, or None: deterministic."""
        return None

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Training inputs (N, d_in) and targets (N, d_out), float32, built once per instance."""
        return self._data

    def validation(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Validation inputs (M, d_in) and targets (M, d_out), float32, or None; built once."""
        return self._validation

    @property
    def n_validation_points(self) -> int:
        """M, the number of validation points; 0 for none."""
        return 0 if self._validation is None else len(self._validation[0])

    @property
    def d_in(self) -> int:
        return self._data[0].shape[1]

    @property
    def d_out(self) -> int:
        return self._data[1].shape[1]

    @property
    def input_shapes(self) -> tuple[tuple[int, ...], ...]:
        """How a module gets an example: the shape of each of its inputs, d_in numbers in all.

        Fully connected networks get all of them in a row. By default a module does, too.
        """
        return ((self.d_in,),)

    def best_loss_below_need(self) -> float:
        """A mean squared error that no network with fewer than `need` active neurons gets below.

        For need 1 the variance around the best constant. See `best_loss` for what is exact.
        """
        return self._best_loss_below_need

    def fingerprint(self) -> str:
        """SHA-256 over shapes and bytes of the training data: part of a cell's identity."""
        return _digest(*self._data)

    def validation_fingerprint(self) -> str | None:
        """The same over the validation points, None without any.

        It is part of a cell's id alone: which networks are drawn, and how they are trained, does
        not depend on points that are held back.
        """
        return None if self._validation is None else _digest(*self._validation)

    def __str__(self) -> str:
        """The task as one writes it: its name and the settings that differ from the default."""
        return describe(self, as_given=True)

    @cached_property
    def _data(self) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.build()
        return np.ascontiguousarray(x, dtype=np.float32), np.ascontiguousarray(y, dtype=np.float32)

    @cached_property
    def _validation(self) -> tuple[np.ndarray, np.ndarray] | None:
        points = self.build_validation()
        if points is None or not len(points[0]):
            return None
        x, y = points
        return np.ascontiguousarray(x, dtype=np.float32), np.ascontiguousarray(y, dtype=np.float32)

    @cached_property
    def _best_loss_below_need(self) -> float:
        return best_loss(*self._data, n_neurons=self.need - 1)


def _digest(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str(array.shape).encode())
        digest.update(array.astype("<f4").tobytes())
    return digest.hexdigest()


def n_train_problems(task: Task) -> list[str]:
    """Empty if the number of training points is an int from 2, for one point has no spread."""
    return count_problem(type(task).__name__, "n_train", task.n_train, 2, MOST_POINTS)


def check_n_train(task: Task) -> None:
    """Refuse a number of training points that is not an int from 2 to a million."""
    refuse(n_train_problems(task))
    settle_fields(task)
