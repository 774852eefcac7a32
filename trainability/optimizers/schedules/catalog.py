"""Which schedules there are."""

from __future__ import annotations

from trainability.catalogs import concrete_types
from trainability.optimizers.schedules.base import Schedule


def schedule_types() -> dict[str, type[Schedule]]:
    """Every schedule by its name: those of this folder, and those of a loaded study file."""
    return concrete_types("trainability.optimizers.schedules", Schedule)
