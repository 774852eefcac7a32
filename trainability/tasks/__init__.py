"""Tasks, one per file: target functions on domains, and tables of real data."""

from trainability.tasks.absolute_value import AbsoluteValue
from trainability.tasks.base import Task
from trainability.tasks.best_loss import best_loss
from trainability.tasks.catalog import task_types
from trainability.tasks.points import training_points

__all__ = ["AbsoluteValue", "Task", "best_loss", "task_types", "training_points"]
