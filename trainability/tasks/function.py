"""Any function that a study file gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainability.checks import MOST_NUMBERS, count_problem, settle_fields, shown, text_problem
from trainability.domains import Domain, Points
from trainability.errors import InputError, refuse
from trainability.tasks.base import Task, n_train_problems
from trainability.tasks.points import training_points

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

    Example: `Function("cubic", lambda x: x[:, 0] ** 3, Box(1, 1.0), n_train=50)`
    """

    name: str
    function: Callable[[np.ndarray], Any]
    domain: Domain
    n_train: int
    need: int = 1

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
                f"{len(self.domain.x)} points"
            )
        problems += count_problem("Function", "need", self.need)
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
            known = ", ".join(sorted(_FUNCTIONS)) or "none"
            raise InputError(
                f"no function {shown(name)} is known (known: {known}); JSON can't hold code, so "
                f"give the study file that makes Function({shown(name)}, ...) instead of its "
                "study.json"
            )
        return cls(name, _FUNCTIONS[name], **settings)

    def build(self) -> tuple[np.ndarray, np.ndarray]:
        # Rounded first, so that the targets belong to the very inputs that networks see.
        x = training_points(self.domain, self.n_train).astype(np.float32).astype(np.float64)
        try:
            y = np.asarray(self.function(x.copy()), dtype=np.float64)
        except Exception as error:
            raise InputError(
                f"function {self.name!r} failed on x of shape {x.shape}: "
                f"{type(error).__name__}: {error}"
            ) from error
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
