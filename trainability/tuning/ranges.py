"""The range of a setting that is tuned."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainability.errors import refuse
from trainability.schemes.base import number_problem

DIGITS = 3
"""Significant digits of a proposed value: one that can be typed, and that may be met again."""


@dataclass(frozen=True)
class Range:
    """The values from `low` to `high`, both included.

    Args:
        low: The least value; > 0 where `log`.
        high: The largest value, > low.
        log: Whether equal ratios are equally far apart, not equal differences.

    >>> Range(0.01, 1.0, log=True).at(0.5)
    0.1
    >>> Range(0.01, 1.0, log=True).place(0.1)
    0.5
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        problems = number_problem("Range", "low", self.low, above=0 if self.log else None)
        problems += number_problem("Range", "high", self.high)
        if not isinstance(self.log, bool):
            problems.append(f"Range log must be True or False, got {self.log!r}")
        if not problems and self.low >= self.high:
            problems.append(f"Range low must be below high, got {self.low:g} and {self.high:g}")
        refuse(problems)
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))

    def at(self, share: float) -> float:
        """The value at this share of the way from low to high, to `DIGITS` digits."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        place = low + min(max(share, 0.0), 1.0) * (high - low)
        value = float(f"{math.exp(place) if self.log else place:.{DIGITS - 1}e}")
        return min(max(value, self.low), self.high)

    def place(self, value: float) -> float:
        """The inverse of `at`, up to rounding: where in [0, 1] a value of the range lies."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low)

    def holds(self, value: object) -> bool:
        """Whether a value lies in the range."""
        return isinstance(value, int | float) and self.low <= value <= self.high

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value
