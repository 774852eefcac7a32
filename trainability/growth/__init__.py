"""Spending replicates well: where a study grows beyond its grid and its number of networks."""

from trainability.growth.points import Crossing, Point, crossings, new_points
from trainability.growth.rounds import (
    Round,
    cells_in_place,
    next_round,
    rounds,
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
    "rounds",
    "stopping_growth",
    "stored_growth",
    "study_cells",
    "wanted_blocks",
]
