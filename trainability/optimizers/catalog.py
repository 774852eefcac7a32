"""Which optimizers there are."""

from __future__ import annotations

from trainability.catalogs import concrete_types
from trainability.optimizers.base import Optimizer


def optimizer_types() -> dict[str, type[Optimizer]]:
    """Every optimizer by its name: those of this folder, and those that a study file defined."""
    return concrete_types("trainability.optimizers", Optimizer)
