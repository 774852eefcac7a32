"""Schedules of the step size, one per file; a file dropped into this folder is found by itself."""

from __future__ import annotations

from trainability.catalogs import by_name
from trainability.optimizers.schedules.base import Schedule
from trainability.optimizers.schedules.catalog import schedule_types
from trainability.optimizers.schedules.constant import CONSTANT, Constant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.optimizers.schedules.cosine import Cosine
    from trainability.optimizers.schedules.steps import Steps
    from trainability.optimizers.schedules.warm_up import WarmUp

__all__ = [
    "CONSTANT",
    "Constant",
    "Cosine",
    "Schedule",
    "Steps",
    "WarmUp",
    "schedule_types",
]

__getattr__ = by_name(__name__, schedule_types)
