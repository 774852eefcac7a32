"""Tasks: target functions on domains, and tables of real data; a file dropped in is found."""

from __future__ import annotations

from trainability.catalogs import by_name
from trainability.tasks.base import Task
from trainability.tasks.best_loss import best_loss
from trainability.tasks.catalog import task_from_text, task_types
from trainability.tasks.points import training_points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.tasks.absolute_value import (
        AbsoluteValue,
        BrokenAbsoluteValue,
        RotatedAbsoluteValues,
    )
    from trainability.tasks.function import Function
    from trainability.tasks.sines import LinearTimesSine, SineProduct, StepPlusSine
    from trainability.tasks.table import Table
    from trainability.tasks.two_moons import TwoMoons
    from trainability.tasks.two_spirals import TwoSpirals

__all__ = [
    "AbsoluteValue",
    "BrokenAbsoluteValue",
    "Function",
    "LinearTimesSine",
    "RotatedAbsoluteValues",
    "SineProduct",
    "StepPlusSine",
    "Table",
    "Task",
    "TwoMoons",
    "TwoSpirals",
    "best_loss",
    "task_from_text",
    "task_types",
    "training_points",
]

__getattr__ = by_name(__name__, task_types)
