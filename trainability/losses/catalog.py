"""Which losses there are."""

from __future__ import annotations

from trainability.losses.base import Loss
from trainability.schemes.catalog import concrete_types


def loss_types() -> dict[str, type[Loss]]:
    """Every loss by its name: those of this folder, and those that a study file defined."""
    return concrete_types("trainability.losses", Loss)
