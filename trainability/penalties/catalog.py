"""Which penalties there are."""

from __future__ import annotations

from trainability.catalogs import concrete_types
from trainability.penalties.base import Penalty


def penalty_types() -> dict[str, type[Penalty]]:
    """Every penalty by its name: those of this folder, and those that a study file defined."""
    return concrete_types("trainability.penalties", Penalty)
