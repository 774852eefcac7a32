"""What a tuning strives for, as seen in the steps that networks took.

An *outcome* is an array with one entry per network of a cell: the updates until it succeeded,
infinite if it did not. Failures, divergence and born-dead networks are thereby in every
denominator.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from trainability.analysis.comparisons import paired_difference
from trainability.analysis.rates import clopper_pearson
from trainability.checks import count_problem, is_number, plain, settle_fields, shown, size_of
from trainability.errors import refuse
from trainability.study.axes import value_problems
from trainability.study.widths import Width, plain_width

Outcomes = Mapping[Width | None, np.ndarray]
"""Width to the steps of every network, shape (n,), in the order of the replicates; None for the
width of the candidate itself."""
Limits = Callable[[Any, Any, float], tuple[np.ndarray, np.ndarray]]
"""Limits of a success probability from successes, trials and level: for a fixed number of trials
(`clopper_pearson`) or for all of them at once (`confidence_sequence`)."""
_OCTAVES_PER_RADIAN = 4.0


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; never one without the other."""

    value: float
    low: float
    high: float


class Objective(ABC):
    """A number to make as large, or as small, as possible."""

    words: str
    """What is measured, for tables and axes."""
    maximize: bool = False
    is_share: bool = False
    """Whether it is a share of networks, which people read in percent."""
    in_units_of_loss: bool = False
    """Whether values under different losses can't be compared. Success, and the steps to it, can:
    each loss is compared with the tolerance."""

    @property
    @abstractmethod
    def widths(self) -> tuple[Width | None, ...]:
        """The widths at which networks are trained for it; None for a candidate's own."""

    @abstractmethod
    def estimate(self, outcomes: Outcomes, level: float, limits: Limits) -> Estimate:
        """The value with its interval, by the given limits of binomial probabilities."""

    @abstractmethod
    def score(self, outcomes: Outcomes, max_steps: int) -> tuple[float, float]:
        """The value on a scale on which larger is better and settings act smoothly.

        Returns:
            Score and the variance of its noise.
        """

    @abstractmethod
    def value_of(self, score: np.ndarray) -> np.ndarray:
        """The inverse of `score`, for scores without noise."""

    @abstractmethod
    def best_possible(self, trainability: Callable[[Width | None], float]) -> float:
        """The best value that a scheme can have, given its trainability at every width."""

    def difference(self, a: Outcomes, b: Outcomes, level: float) -> Estimate:
        """The value of b minus that of a, with its interval.

        Two intervals at half the error each make a box that holds both values, whether or not the
        outcomes share their random numbers.
        """
        each = (1 + level) / 2
        first, second = (self.estimate(part, each, clopper_pearson) for part in (a, b))
        return Estimate(
            _minus(second.value, first.value),
            _minus(second.low, first.high),
            _minus(second.high, first.low),
        )

    def is_better(self, a: float, b: float) -> bool:
        """Whether the value a is strictly better than the value b."""
        return a > b if self.maximize else a < b

    def optimistic(self, estimate: Estimate) -> float:
        return estimate.high if self.maximize else estimate.low

    def pessimistic(self, estimate: Estimate) -> float:
        return estimate.low if self.maximize else estimate.high


@dataclass(frozen=True)
class SuccessRate(Objective):
    """The share of networks of a width that succeed; to be made large.

    Args:
        width: Neurons of every hidden layer; None for those of the candidate, or else the default.
    """

    width: Width | None = None

    maximize = True
    is_share = True
    words = "success rate"

    def __post_init__(self) -> None:
        refuse(_width_problems(self))
        settle_fields(self)
        object.__setattr__(self, "width", plain_width(self.width))

    @property
    def widths(self) -> tuple[Width | None, ...]:
        return (self.width,)

    def estimate(self, outcomes: Outcomes, level: float, limits: Limits) -> Estimate:
        k, n = _successes(outcomes[self.width])
        return Estimate(k / n, *_limits_of(k, n, level, limits))

    def score(self, outcomes: Outcomes, max_steps: int) -> tuple[float, float]:
        return _angle(outcomes[self.width])

    def value_of(self, score: np.ndarray) -> np.ndarray:
        return np.sin(np.clip(score, 0, math.pi / 2)) ** 2

    def best_possible(self, trainability: Callable[[Width | None], float]) -> float:
        return trainability(self.width)

    def difference(self, a: Outcomes, b: Outcomes, level: float) -> Estimate:
        """The rate of b minus that of a over networks that share their random numbers."""
        won_a, won_b = (np.isfinite(part[self.width]) for part in (a, b))
        only_a, only_b = int((won_a & ~won_b).sum()), int((won_b & ~won_a).sum())
        return Estimate(*map(float, paired_difference(only_a, only_b, len(won_a), level)))


@dataclass(frozen=True)
class MedianSteps(Objective):
    """The median number of updates until success over all networks of a width; to be made small.

    A network that fails takes infinitely many, so the median is infinite where fewer than half
    succeed.

    Args:
        width: Neurons of every hidden layer; None for those of the candidate, or else the default.
    """

    width: Width | None = None

    words = "median steps to success"

    def __post_init__(self) -> None:
        refuse(_width_problems(self))
        settle_fields(self)
        object.__setattr__(self, "width", plain_width(self.width))

    @property
    def widths(self) -> tuple[Width | None, ...]:
        return (self.width,)

    def estimate(self, outcomes: Outcomes, level: float, limits: Limits) -> Estimate:
        """Order statistics: `#{steps <= t}` is binomial, at t the median with probability 1/2."""
        steps = np.sort(outcomes[self.width])
        n = len(steps)
        least, most = _median_ranks(n, level, limits)
        low = float(steps[least - 1]) if least >= 1 else 0.0
        high = float(steps[most - 1]) if most <= n else math.inf
        return Estimate(float(steps[-(-n // 2) - 1]), low, high)

    def score(self, outcomes: Outcomes, max_steps: int) -> tuple[float, float]:
        """Minus the log of the median; below half, of the budget over the odds of reaching it."""
        steps = np.sort(outcomes[self.width])
        n = len(steps)
        middle, spread = -(-n // 2) - 1, max(1, math.isqrt(n) // 2)
        rate = max(_successes(steps)[0], 0.5) / n
        if not math.isfinite(steps[middle]):
            return -math.log(max_steps * 0.5 / rate), (1 - rate) / (n * rate)
        ends = np.clip(steps[[max(middle - spread, 0), min(middle + spread, n - 1)]], 1, max_steps)
        deviation = max(float(np.log(ends[1] / ends[0])) / 2, 1 / n)
        return -math.log(max(float(steps[middle]), 1.0)), deviation**2

    def value_of(self, score: np.ndarray) -> np.ndarray:
        return np.exp(-score)

    def best_possible(self, trainability: Callable[[Width | None], float]) -> float:
        return 0.0 if trainability(self.width) >= 0.5 else math.inf


@dataclass(frozen=True)
class SmallestWidth(Objective):
    """The smallest of some widths at which the success rate reaches a bound; to be made small.

    Args:
        choices: The widths that are tried, ascending; infinity stands for "none of them".
        rate: The success rate that is asked for.
    """

    choices: Sequence[int]
    rate: float = 0.99

    def __post_init__(self) -> None:
        choices = self.choices
        if not isinstance(choices, list | tuple | range) or not 2 <= size_of(choices) <= 100:
            wanted = "a list of two or more ints, a hundred at most"
            refuse([f"SmallestWidth choices must be {wanted}, got {shown(choices)}"])
        owner = type(self).__name__
        problems = [p for width in choices for p in count_problem(owner, "width", width)]
        if not problems and list(choices) != sorted(set(choices)):
            problems.append(f"SmallestWidth choices must ascend, got {shown(list(choices))}")
        if not is_number(self.rate) or not 0 < self.rate < 1:
            problems.append(f"SmallestWidth rate must lie between 0 and 1, got {shown(self.rate)}")
        refuse(problems)
        settle_fields(self)
        object.__setattr__(self, "choices", tuple(plain(width) for width in choices))

    @property
    def words(self) -> str:  # type: ignore[override]
        return f"smallest width with {100 * self.rate:g} % success"

    @property
    def widths(self) -> tuple[Width, ...]:
        return tuple(self.choices)

    def estimate(self, outcomes: Outcomes, level: float, limits: Limits) -> Estimate:
        """The limits hold together at `level`: every width has its share of the error."""
        counts = np.array([_successes(outcomes[width]) for width in self.choices])
        each = 1 - (1 - level) / len(self.choices)
        low, high = limits(counts[:, 0], counts[:, 1], each)
        return Estimate(
            self._first(counts[:, 0] / counts[:, 1]), self._first(high), self._first(low)
        )

    def score(self, outcomes: Outcomes, max_steps: int) -> tuple[float, float]:
        """Minus the log of the width at which the interpolated rate crosses the bound."""
        angles, variances = np.transpose([_angle(outcomes[width]) for width in self.choices])
        variance = 0.0
        for index, deviation in enumerate(np.sqrt(variances)):
            ends = [self._crossing(angles + _at(index, s * deviation, angles)) for s in (-1, 1)]
            variance += (ends[1] - ends[0]) ** 2 / 4
        return -self._crossing(angles), max(variance, 1e-4)

    def value_of(self, score: np.ndarray) -> np.ndarray:
        """The interpolated width, which lies between the choices."""
        return np.exp2(-score)

    def best_possible(self, trainability: Callable[[Width | None], float]) -> float:
        return self._first(np.array([trainability(width) for width in self.choices]))

    def _first(self, rates: np.ndarray) -> float:
        reached = np.flatnonzero(rates >= self.rate)
        return float(self.choices[reached[0]]) if len(reached) else math.inf

    def _crossing(self, angles: np.ndarray) -> float:
        target = math.asin(math.sqrt(self.rate))
        x = np.log2(self.choices)
        reached = np.flatnonzero(angles >= target)
        if not len(reached):
            return float(x[-1] + _OCTAVES_PER_RADIAN * (target - angles[-1]))
        first = reached[0]
        if first == 0:
            return float(x[0] - _OCTAVES_PER_RADIAN * (angles[0] - target))
        share = (target - angles[first - 1]) / (angles[first] - angles[first - 1])
        return float(x[first - 1] + share * (x[first] - x[first - 1]))


def _successes(steps: np.ndarray) -> tuple[int, int]:
    return int(np.isfinite(steps).sum()), len(steps)


def _angle(steps: np.ndarray) -> tuple[float, float]:
    """Arcsine of the root of the success rate, whose variance the number of networks determines.

    Source: Anscombe (1948), Biometrika 35, 246-254: offset 3/8, variance 1 / (4 n + 2).
    """
    k, n = _successes(steps)
    return math.asin(math.sqrt((k + 3 / 8) / (n + 3 / 4))), 1 / (4 * n + 2)


@lru_cache(maxsize=4096)
def _limits_of(k: int, n: int, level: float, limits: Limits) -> tuple[float, float]:
    """Limits of a success probability; every round of a search asks for those of all candidates."""
    low, high = limits(k, n, level)
    return float(low), float(high)


@lru_cache(maxsize=4096)
def _median_ranks(n: int, level: float, limits: Limits) -> tuple[int, int]:
    """Ranks, from 1, of the order statistics that hold the median between them; 0 or n + 1 where
    no observation does."""
    low, high = limits(np.arange(n + 1), n, level)
    return int(np.argmax(high >= 0.5)), int(np.argmax(low >= 0.5)) if low[-1] >= 0.5 else n + 1


def _minus(a: float, b: float) -> float:
    """a - b, 0 for two infinities: neither reached what was asked for."""
    return 0.0 if a == b else a - b


def _at(index: int, value: float, like: np.ndarray) -> np.ndarray:
    change = np.zeros_like(like)
    change[index] = value
    return change


def _width_problems(objective: SuccessRate | MedianSteps) -> list[str]:
    owner, widths = type(objective).__name__, [objective.width]
    if objective.width is None:
        return []
    return [f"{owner} {problem}" for problem in value_problems("width", widths)]
