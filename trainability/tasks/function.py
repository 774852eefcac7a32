"""Any function that a study file gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from trainability.checks import (
    MOST_NUMBERS,
    MOST_POINTS,
    bool_problem,
    count_problem,
    counted,
    int_problem,
    settle_fields,
    shown,
    text_problem,
)
from trainability.domains import Domain, Points
from trainability.errors import InputError, refuse
from trainability.identity import younger
from trainability.lazy import numpy as np
from trainability.seeds import stream
from trainability.tasks.base import Task, n_train_problems
from trainability.tasks.classes import class_targets
from trainability.tasks.points import training_points

_MOST_CLASSES = 100
_FUNCTIONS: dict[str, Callable[[np.ndarray], Any]] = {}


@dataclass(frozen=True)
class Function(Task):
    """A function of the user's, on a domain.

    JSON can't hold code, so a study.json refers to the function by its name: load the study file
    that makes it first. Cells are told apart by the bytes of the data, so that a function that
    changes under its name makes new cells.

    Args:
        name: Its name, unique in a study file.
        function: Takes x of shape (N, d), float64; returns shape (N,) or (N, d_out).
        domain: Where x lives: a Ball, a Box or Points.
        n_train: Training points, >= 2, placed by `training_points`; of Points the first n_train.
        need: Active neurons needed, if you know: what fewer can reach must be provable by
            `best_loss` (one input and at most 3, or at most as many as the targets span
            dimensions), else the task is refused.
        classes: Whether the function returns the class of every point: texts, whole numbers or
            truth values, shape (N,); in sorted order, as for `Table`.
        one_hot: Whether two classes get an output each, instead of one together.
        n_validation: Validation points, >= 0: uniform on a ball or box; of Points those behind the
            first n_train.
        seed: Of where they lie.

    Example: `Function("cubic", lambda x: x[:, 0] ** 3, Box(1, 1.0), n_train=50)`
    """

    name: str
    function: Callable[[np.ndarray], Any]
    domain: Domain
    n_train: int
    need: int = 1
    classes: bool = younger(False, since=2)
    one_hot: bool = younger(False, since=2)
    n_validation: int = younger(0, since=2)
    seed: int = younger(0, since=2)

    def __post_init__(self) -> None:
        problems = n_train_problems(self)
        problems += text_problem("Function name", self.name, "'cubic'", most=200)
        if not callable(self.function):
            problems.append(
                f"Function function must take x of shape (N, d), got {shown(self.function)}"
            )
        if not isinstance(self.domain, Domain):
            problems.append(
                f"Function domain must be a Ball, a Box or Points, got {shown(self.domain)}"
            )
        elif not problems and self.n_train * self.domain.d > MOST_NUMBERS:
            problems.append(
                f"Function n_train times the inputs of its domain must be at most "
                f"{MOST_NUMBERS:,}, got {self.n_train:,} x {self.domain.d:,}"
            )
        elif isinstance(self.domain, Points) and not problems and self.n_train > len(self.domain.x):
            problems.append(
                f"Function n_train is {self.n_train}, but its domain has only "
                f"{counted(len(self.domain.x), 'point')}"
            )
        problems += count_problem("Function", "need", self.need)
        problems += bool_problem("Function", "classes", self.classes)
        problems += bool_problem("Function", "one_hot", self.one_hot)
        if self.one_hot is True and self.classes is False:
            problems.append("Function one_hot is for classes; add classes=True or leave it out")
        problems += int_problem("Function n_validation", self.n_validation, 0, MOST_POINTS)
        problems += int_problem("Function seed", self.seed, 0)
        if not problems and isinstance(self.domain, Points):
            left = len(self.domain.x) - self.n_train
            if self.n_validation > left:
                problems.append(
                    f"Function n_validation is {self.n_validation}, but its domain has only "
                    f"{counted(left, 'point')} behind those for training"
                )
        refuse(problems)
        settle_fields(self)
        if isinstance(self.domain, Points):
            # As networks see them, so that the domain holds the training points to the last bit.
            object.__setattr__(self, "domain", Points(self.domain.x.astype(np.float32)))
        _FUNCTIONS[self.name] = self.function

    @classmethod
    def registered(cls, name: str, **settings: Any) -> Function:
        """The function of this name that a loaded study file made, with these settings.

        Raises:
            InputError: If no study file that made one of this name was loaded.
        """
        if not isinstance(name, str) or name not in _FUNCTIONS:
            names = ", ".join(sorted(_FUNCTIONS)) or "none"
            raise InputError(
                f"no function {shown(name)} is known (known: {names}); JSON can't hold code, so "
                f"give the study file that makes Function({shown(name)}, ...) instead of its "
                "study.json"
            )
        return cls(name, _FUNCTIONS[name], **settings)

    @property
    def n_classes(self) -> int:
        return max(2, self.d_out) if self.classes else 0

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        x = training_points(self.domain, self.n_train)
        return self._of_classes(x) if self.classes else self._targets(x)

    def build_validation(self) -> tuple[np.ndarray, np.ndarray] | None:
        if not self.n_validation:
            return None
        if isinstance(self.domain, Points):
            x = self.domain.x[self.n_train : self.n_train + self.n_validation]
        else:
            rng = stream(self.seed, f"Function {self.name}", "data")
            x = self.domain.sample(rng, self.n_validation)
        return self._of_classes(x) if self.classes else self._targets(x)

    @cached_property
    def _names(self) -> np.ndarray:
        """The classes of the training points, in sorted order."""
        names = np.unique(self._labels(training_points(self.domain, self.n_train))[1])
        if not 2 <= len(names) <= _MOST_CLASSES:
            raise InputError(
                f"function {self.name!r} must return 2 to {_MOST_CLASSES} classes, got {len(names)}"
            )
        return names

    def _of_classes(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, labels = self._labels(x)
        names = self._names
        if (strange := ~np.isin(labels, names)).any():
            raise InputError(
                f"function {self.name!r} returns the class {labels[strange][0]} at a validation "
                "point, and at no training point; choose more training points"
            )
        return x, class_targets(np.searchsorted(names, labels), len(names), self.one_hot)

    def _labels(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs as networks see them, and what the function says their classes are, shape (N,)."""
        x, labels = self._called(x)
        if labels.shape not in ((len(x),), (len(x), 1)):
            raise InputError(
                f"function {self.name!r} must return shape ({len(x)},), a class for each point, "
                f"got {labels.shape}"
            )
        labels = labels.reshape(-1)
        numeric = labels.dtype.kind in "biuf"
        whole = numeric and np.isfinite(labels).all() and (labels == np.floor(labels)).all()
        if not whole and labels.dtype.kind != "U":
            raise InputError(
                f"function {self.name!r} must return classes: texts, whole numbers or truth "
                f"values, got {labels.dtype} such as {labels[0]}"
            )
        return x, labels

    def _called(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Rounded first, so that the targets belong to the very inputs that networks see.
        x = x.astype(np.float32).astype(np.float64)
        try:
            return x, np.asarray(self.function(x.copy()), None if self.classes else np.float64)
        except Exception as error:
            raise InputError(
                f"function {self.name!r} failed on x of shape {x.shape}: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _targets(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = self._called(x)
        if y.ndim not in (1, 2) or len(y) != len(x) or not y.size:
            raise InputError(
                f"function {self.name!r} must return shape ({len(x)},) or ({len(x)}, d_out) for x "
                f"of shape {x.shape}, got {y.shape}"
            )
        y = y.reshape(len(x), -1)
        bad = ~np.isfinite(y).all(axis=1)
        if bad.any():
            raise InputError(
                f"function {self.name!r} must be finite on its domain, got {y[bad][0]} at "
                f"x = {x[bad][0]}"
            )
        return x, y
