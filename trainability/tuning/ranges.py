"""Ranges of numbers and of whole numbers that are tuned; both ends are included."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainability.checks import int_problem, is_int, is_number, number_problem, plain, shown
from trainability.errors import refuse
from trainability.identity import younger
from trainability.tuning.dimensions import Dimension

DIGITS = 3
"""Significant digits of a proposed value, at least: one that can be typed, and that may be met
again. More of them where the range is narrow: neighbors are at most a hundredth of its span apart.
"""
_FLOAT_DIGITS = 17
_LARGEST = 2**53
"""Whole numbers up to which every float is exact: places are floats."""
_OFF_GRID = 1e-8
"""Share of a step by which rounding may move a value."""


@dataclass(frozen=True)
class Range(Dimension):
    """The values from `low` to `high`, both included.

    Args:
        low: The least value; > 0 where `log`.
        high: The largest value, > low.
        log: Whether equal ratios are equally far apart, not equal differences.
        step: Distance of neighboring values, > 0, of which high - low is a multiple; None for all
            values, and where `log`.

    >>> Range(0.01, 1.0, log=True).at(0.5)
    0.1
    >>> Range(0.01, 1.0, log=True).place(0.1)
    0.5
    >>> Range(0.99, 0.99999).at(0.9)
    0.99899
    >>> Range(0.1, 0.5, step=0.1).grid(9)
    [0.1, 0.2, 0.3, 0.4, 0.5]
    """

    low: float
    high: float
    log: bool = False
    step: float | None = younger(None, since=1)

    def __post_init__(self) -> None:
        problems = _log_problems("Range", self)
        above = 0 if self.log is True else None
        problems += _low_problems(self, number_problem("Range", "low", self.low, above=above))
        problems += number_problem("Range", "high", self.high)
        if self.step is not None:
            problems += number_problem("Range", "step", self.step, above=0)
        refuse(problems or _order_problems("Range", self))
        for name in ("low", "high", "step"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, float(value) + 0.0)

    @property
    def ends(self) -> Sequence[float]:
        return (self.low, self.high)

    def at(self, share: float) -> float:
        """The value at this share of the way from low to high, to as many digits as it takes."""
        if share <= 0 or share >= 1:
            return self.low if share <= 0 else self.high
        if self.step is not None:
            return self._step(int(share * (self._n_steps + 1)))
        low, high = self._scaled(self.low), self._scaled(self.high)
        place = low + share * (high - low)
        value = math.exp(place) if self.log else place
        value = float(f"{value:.{self._digits(value) - 1}e}")
        return min(max(value, self.low), self.high)

    def place(self, value: float) -> float:
        """The inverse of `at`, up to rounding: where in [0, 1] a value of the range lies."""
        if self.step is not None:
            return (round((value - self.low) / self.step) + 0.5) / (self._n_steps + 1)
        low, high = self._scaled(self.low), self._scaled(self.high)
        return (self._scaled(value) - low) / (high - low)

    def holds(self, value: object) -> bool:
        """Whether a value lies in the range, and on its steps if it has any."""
        if not is_number(value) or not self.low <= value <= self.high:  # type: ignore[operator]
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step  # type: ignore[operator]
        return abs(steps - round(steps)) < _OFF_GRID

    def grid(self, n: int) -> list[float]:
        """At most n values from end to end, both included."""
        if self.step is None:
            return super().grid(n)
        return [self._step(k) for k in _spread(self._n_steps, n)]

    @property
    def _n_steps(self) -> int:
        assert self.step is not None
        return round((self.high - self.low) / self.step)

    def _step(self, k: int) -> float:
        assert self.step is not None
        value = float(f"{self.low + k * self.step:.12g}")
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

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value


@dataclass(frozen=True)
class Integers(Dimension):
    """The whole numbers from `low` to `high`, both included.

    Args:
        low: The least; >= 1 where `log`.
        high: The largest, > low.
        log: Whether equal ratios are equally far apart, not equal differences.
        step: Distance of neighboring values, >= 1, of which high - low is a multiple; 1 where
            `log`.

    >>> Integers(2, 8, step=2).grid(10)
    [2, 4, 6, 8]
    >>> Integers(1, 100, log=True).at(0.5)
    7
    """

    low: int
    high: int
    log: bool = False
    step: int = 1

    def __post_init__(self) -> None:
        problems = _log_problems("Integers", self)
        least = 1 if self.log is True else -_LARGEST
        problems += _low_problems(self, int_problem("Integers low", self.low, least, _LARGEST))
        problems += int_problem("Integers high", self.high, -_LARGEST, _LARGEST)
        problems += int_problem("Integers step", self.step, 1, _LARGEST)
        refuse(problems or _order_problems("Integers", self))
        for name in ("low", "high", "step"):
            object.__setattr__(self, name, int(getattr(self, name)))

    @property
    def ends(self) -> Sequence[int]:
        return (self.low, self.high)

    def at(self, share: float) -> int:
        """The value whose part of [0, 1] this share lies in; each has its part."""
        share = min(max(share, 0.0), 1.0)
        if not self.log:
            return self.low + self.step * min(int(share * (self._n_steps + 1)), self._n_steps)
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        return min(max(round(math.exp(low + share * (high - low))), self.low), self.high)

    def place(self, value: int) -> float:
        """Where in [0, 1] a value lies: inside of its part."""
        if not self.log:
            return ((value - self.low) // self.step + 0.5) / (self._n_steps + 1)
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        return (math.log(value) - low) / (high - low)

    def holds(self, value: object) -> bool:
        """Whether a value is one of these; 8.0 is no whole number."""
        if not is_int(value) or not self.low <= value <= self.high:  # type: ignore[operator]
            return False
        return (value - self.low) % self.step == 0  # type: ignore[operator]

    def grid(self, n: int) -> list[int]:
        """At most n values from end to end, both included."""
        if self._n_steps < n:
            return [self.low + self.step * k for k in range(self._n_steps + 1)]
        if self.log:
            return super().grid(n)
        return [self.low + self.step * k for k in _spread(self._n_steps, n)]

    def text(self, value: Any) -> str:
        return str(value)

    @property
    def _n_steps(self) -> int:
        return (self.high - self.low) // self.step


def _spread(n_steps: int, n: int) -> list[int]:
    """At most n of the numbers from 0 to n_steps, both ends included."""
    if n_steps < n:
        return list(range(n_steps + 1))
    return [round(k * n_steps / (n - 1)) for k in range(n)]


def _log_problems(owner: str, values: Range | Integers) -> list[str]:
    log = plain(values.log)
    if not isinstance(log, bool):
        return [f"{owner} log must be True or False, got {shown(values.log)}"]
    object.__setattr__(values, "log", log)
    return []


def _low_problems(values: Range | Integers, problems: list[str]) -> list[str]:
    """What is wrong with the lower end, and why, where another one would do without `log`."""
    if values.log is True and is_number(values.low) and values.low <= 0:
        why = "log=True takes its logarithm; raise low, or leave log out"
        return [f"{problem}: {why}" for problem in problems]
    return problems


def _order_problems(owner: str, values: Range | Integers) -> list[str]:
    """What is wrong with ends and step together, each being fine by itself."""
    low, high, step = values.low, values.high, values.step
    if low == high:
        return [
            f"{owner} low must be below high, got {low!r} and {high!r}: one value does not vary; "
            "leave the range away and give that value to what has the setting"
        ]
    if low > high:
        return [
            f"{owner} low must be below high, got {low!r} and {high!r}; wanted "
            f"{owner}({high!r}, {low!r})?"
        ]
    if step is None or (step == 1 and isinstance(values, Integers)):
        return []
    if values.log:
        return [f"{owner} has no steps where log is True, got step {step!r}; leave one of them out"]
    n_steps = (high - low) / step
    if round(n_steps) < 1 or abs(n_steps - round(n_steps)) > _OFF_GRID * max(n_steps, 1):
        last = low + math.floor(n_steps + _OFF_GRID) * step
        fix = f"end it at {last:g}" if last > low else f"a step of at most {high - low:g}"
        return [
            f"{owner} high must be low plus a multiple of step, got {low!r}, {high!r} and step "
            f"{step!r}; {fix}"
        ]
    return []
