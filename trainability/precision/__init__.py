"""Spending replicates well: where a study grows beyond its grid and its number of networks."""

from trainability.precision.points import Point, new_points
from trainability.precision.rounds import (
    Round,
    rounds,
    stored_growth,
    study_cells,
    wanted_blocks,
)
from trainability.precision.rule import Growth

__all__ = [
    "Growth",
    "Point",
    "Round",
    "new_points",
    "rounds",
    "stored_growth",
    "study_cells",
    "wanted_blocks",
]
