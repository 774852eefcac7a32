"""Spending replicates well: where a study grows beyond its grid and its number of networks."""

from __future__ import annotations

from trainability import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from trainability.growth.points import Crossing, Point, crossings, new_points
    from trainability.growth.rounds import (
        Round,
        cells_in_place,
        next_round,
        stopping_growth,
        stored_growth,
        study_cells,
        wanted_blocks,
    )
    from trainability.growth.rule import Growth, growth_problems

__all__ = [
    "Crossing",
    "Growth",
    "Point",
    "Round",
    "cells_in_place",
    "crossings",
    "growth_problems",
    "new_points",
    "next_round",
    "stopping_growth",
    "stored_growth",
    "study_cells",
    "wanted_blocks",
]

__getattr__ = lazy.attributes(
    __name__,
    points="Crossing Point crossings new_points",
    rounds="Round cells_in_place next_round stopping_growth stored_growth study_cells "
    "wanted_blocks",
    rule="Growth growth_problems",
)
