"""Tuning settings and whole axes: declared here, searched, and judged on fresh seeds."""

from trainability.tuning.choices import Choice
from trainability.tuning.declaration import Tuning
from trainability.tuning.objectives import MedianSteps, SmallestWidth, SuccessRate
from trainability.tuning.ranges import Integers, Range

__all__ = [
    "Choice",
    "Integers",
    "MedianSteps",
    "Range",
    "SmallestWidth",
    "SuccessRate",
    "Tuning",
]
