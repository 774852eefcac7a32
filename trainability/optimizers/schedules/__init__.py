"""Schedules of the step size, one per file; a file dropped into this folder is found by itself."""

from trainability.optimizers.schedules.base import Schedule
from trainability.optimizers.schedules.catalog import schedule_types
from trainability.optimizers.schedules.constant import CONSTANT, Constant

__all__ = ["CONSTANT", "Constant", "Schedule", "schedule_types"]
