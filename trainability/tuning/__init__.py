"""Tuning the settings of an initialization: declared here, searched, and judged on fresh seeds."""

from trainability.tuning.declaration import Tuning
from trainability.tuning.objectives import MedianSteps, SmallestWidth, SuccessRate
from trainability.tuning.ranges import Range

__all__ = ["MedianSteps", "Range", "SmallestWidth", "SuccessRate", "Tuning"]
