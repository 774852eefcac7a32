"""Spending replicates well: where a study grows beyond its grid and its number of networks."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.growth.planning import Plan, planned
    from trainability.growth.points import Crossing, Point, crossings, new_points
    from trainability.growth.record import (
        cells_in_place,
        record_growth,
        stopping_growth,
        stored_growth,
        study_cells,
    )
    from trainability.growth.rounds import Round, wanted_blocks
    from trainability.growth.rule import Growth, growth_problems

__all__ = [
    "Crossing",
    "Growth",
    "Plan",
    "Point",
    "Round",
    "cells_in_place",
    "crossings",
    "growth_problems",
    "new_points",
    "planned",
    "record_growth",
    "stopping_growth",
    "stored_growth",
    "study_cells",
    "wanted_blocks",
]

__getattr__ = lazy.attributes(
    __name__,
    planning="Plan planned",
    points="Crossing Point crossings new_points",
    record="cells_in_place record_growth stopping_growth stored_growth study_cells",
    rounds="Round wanted_blocks",
    rule="Growth growth_problems",
)
