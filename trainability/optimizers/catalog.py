"""Which optimizers there are."""

from __future__ import annotations

from trainability.optimizers.base import Optimizer
from trainability.schemes.catalog import concrete_types


def optimizer_types() -> dict[str, type[Optimizer]]:
    """Every optimizer by its name: those of this folder, and those that a study file defined."""
    return concrete_types("trainability.optimizers", Optimizer)
