"""Which tasks there are, and how one is read from text."""

from __future__ import annotations

from trainability.catalogs import concrete_types
from trainability.strategy_text import strategy_from_text
from trainability.tasks.base import Task


def task_types() -> dict[str, type[Task]]:
    """Every task by its name: those of this folder, and those that a study file defined."""
    return concrete_types("trainability.tasks", Task)


def task_from_text(text: str) -> Task:
    """A task from what one writes in a study, without running any code.

    Args:
        text: Such as "AbsoluteValue", "TwoMoons(n_train=200)" or "Table(dataset='diabetes')".

    Raises:
        InputError: If it names no task, or a setting that the task does not have.

    >>> task_from_text("AbsoluteValue(n_train=16)")
    AbsoluteValue(n_train=16)
    """
    return strategy_from_text(text, task_types, "task", "AbsoluteValue(n_train=100)")
