"""What a task is: a domain, training points on it, and how many active neurons it needs."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np

from trainability.checks import MOST_POINTS, count_problem, settle_fields
from trainability.domains import Domain
from trainability.errors import refuse
from trainability.schemes.base import describe
from trainability.tasks.best_loss import best_loss


class Task(ABC):
    """What networks are trained on.

    To add one: subclass, `@dataclass(frozen=True)`, settings as fields, `domain`, `build`, and a
    docstring with the reference. `need` may be raised where it is proven.
    """

    domain: Domain
    """Where the inputs live; holds every training point. A field or a property."""

    n_train: int
    """N, the number of training points. A field or a property."""

    need: int = 1
    """Active neurons that a shallow network needs, proven on the training points: with fewer, its
    loss can't be below `best_loss_below_need()`. Every task needs 1: without an active neuron a
    network is constant."""

    @abstractmethod
    def build(self) -> tuple[np.ndarray, np.ndarray]:
        """Training inputs of shape (N, d_in) and targets of shape (N, d_out): deterministic."""

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Training inputs (N, d_in) and targets (N, d_out), float32, built once per instance."""
        return self._data

    @property
    def d_in(self) -> int:
        return self._data[0].shape[1]

    @property
    def d_out(self) -> int:
        return self._data[1].shape[1]

    def best_loss_below_need(self) -> float:
        """A mean squared error that no network with fewer than `need` active neurons gets below.

        For need 1 the variance around the best constant. See `best_loss` for what is exact.
        """
        return self._best_loss_below_need

    def fingerprint(self) -> str:
        """SHA-256 over shapes and bytes of the training data: part of a cell's identity."""
        digest = hashlib.sha256()
        for array in self._data:
            digest.update(str(array.shape).encode())
            digest.update(array.astype("<f4").tobytes())
        return digest.hexdigest()

    def __str__(self) -> str:
        """The task as one writes it: its name and the settings that differ from the default."""
        return describe(self, as_given=True)

    @cached_property
    def _data(self) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.build()
        return np.ascontiguousarray(x, dtype=np.float32), np.ascontiguousarray(y, dtype=np.float32)

    @cached_property
    def _best_loss_below_need(self) -> float:
        return best_loss(*self._data, n_neurons=self.need - 1)


def n_train_problems(task: Task) -> list[str]:
    """Empty if the number of training points is an int from 2, for one point has no spread."""
    return count_problem(type(task).__name__, "n_train", task.n_train, 2, MOST_POINTS)


def check_n_train(task: Task) -> None:
    """Refuse a number of training points that is not an int from 2 to a million."""
    refuse(n_train_problems(task))
    settle_fields(task)
