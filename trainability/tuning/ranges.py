"""The range of a setting that is tuned."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainability.checks import is_number, number_problem, shown
from trainability.errors import refuse

DIGITS = 3
"""Significant digits of a proposed value, at least: one that can be typed, and that may be met
again. More of them where the range is narrow: neighbors are at most a hundredth of its span apart.
"""
_FLOAT_DIGITS = 17


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
    >>> Range(0.99, 0.99999).at(0.9)
    0.99899
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        is_log = isinstance(self.log, bool) and self.log
        problems = number_problem("Range", "low", self.low, above=0 if is_log else None)
        problems += number_problem("Range", "high", self.high)
        if not isinstance(self.log, bool):
            problems.append(f"Range log must be True or False, got {shown(self.log)}")
        if not problems and self.low >= self.high:
            problems.append(f"Range low must be below high, got {self.low!r} and {self.high!r}")
        refuse(problems)
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))

    def at(self, share: float) -> float:
        """The value at this share of the way from low to high, to as many digits as it takes."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        place = low + min(max(share, 0.0), 1.0) * (high - low)
        value = math.exp(place) if self.log else place
        value = float(f"{value:.{self._digits(value) - 1}e}")
        return min(max(value, self.low), self.high)

    def _digits(self, value: float) -> int:
        """Significant digits such that neighbors are a hundredth of the span apart at most.

        The span of a logarithmic range is, at a value, that value times the log of high / low.
        """
        span = self.high - self.low
        if self.log:
            span = abs(value) * (math.log(self.high) - math.log(self.low))
        if not value or not span:
            return _FLOAT_DIGITS if value else DIGITS
        more = math.floor(math.log10(abs(value))) - math.floor(math.log10(span))
        return min(DIGITS + max(0, more), _FLOAT_DIGITS)

    def place(self, value: float) -> float:
        """The inverse of `at`, up to rounding: where in [0, 1] a value of the range lies."""
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low)

    def holds(self, value: object) -> bool:
        """Whether a value lies in the range."""
        return is_number(value) and self.low <= value <= self.high  # type: ignore[operator]

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value
