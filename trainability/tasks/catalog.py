"""Which tasks there are."""

from __future__ import annotations

from trainability.catalogs import concrete_types
from trainability.tasks.base import Task


def task_types() -> dict[str, type[Task]]:
    """Every task by its name: those of this folder, and those that a study file defined."""
    return concrete_types("trainability.tasks", Task)
