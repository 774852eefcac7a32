"""Which losses there are."""

from __future__ import annotations

from trainability.catalogs import concrete_types
from trainability.losses.base import Loss


def loss_types() -> dict[str, type[Loss]]:
    """Every loss by its name: those of this folder, and those that a study file defined."""
    return concrete_types("trainability.losses", Loss)
