"""Which neurons are dead: exact where it can be, certified where it can't, sampled on data."""

from trainability.death.census import STANDARD_EFFORT, THOROUGH_EFFORT, Effort, census
from trainability.death.status import (
    ACTIVE,
    CERTIFICATES,
    PERMANENT,
    TENTATIVE,
    Census,
)

__all__ = [
    "ACTIVE",
    "CERTIFICATES",
    "PERMANENT",
    "STANDARD_EFFORT",
    "TENTATIVE",
    "THOROUGH_EFFORT",
    "Census",
    "Effort",
    "census",
]
