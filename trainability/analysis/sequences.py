"""Intervals that stay valid while one looks and goes on: for stopping when they are narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from trainability.analysis.rates import clopper_pearson
from trainability.errors import InputError


def confidence_sequence(
    k: Any, n: Any, level: float = 0.95, prior: tuple[float, float] = (0.5, 0.5)
) -> tuple[np.ndarray, np.ndarray]:
    """Limits that hold the success probability at all n at once, with probability >= level.

    Whenever one looks, and for whatever reason one stops, the interval at that moment covers.
    The price against the exact interval for a fixed n: about twice the width at n = 1,000.

    The beta mixture of likelihood ratios, M_n(p) = B(a + k, b + n - k) / (B(a, b) p^k (1-p)^(n-k)),
    is a non-negative martingale under p with M_0 = 1, so it ever reaches 1/(1 - level) with
    probability at most 1 - level (Ville's inequality). The interval holds the p with
    M_n(p) < 1/(1 - level): log(p^k (1-p)^(n-k)) is concave in p, so there is one limit on either
    side of k/n; at k = 0 and k = n it has a closed form, elsewhere bisection finds it.

    Args:
        k: Successes so far, any shape that broadcasts with n.
        n: Trials so far; at n = 0 the interval is [0, 1].
        level: Confidence level in (0, 1).
        prior: a and b of the mixture, > 0: where success probabilities are expected. Must be
            chosen before looking; it moves the width, never the validity. Default: Jeffreys.

    Returns:
        Lower and upper limits.

    Source: Robbins (1970), Ann. Math. Stat. 41, 1397-1409; Howard, Ramdas, McAuliffe & Sekhon
    (2021), Ann. Stat. 49, 1055-1080, section 3 (mixture supermartingales, here with the exact
    Bernoulli likelihood).

    >>> low, high = confidence_sequence([0, 512], [256, 1024])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.443], [0.0245, 0.557])
    """
    k, n = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    if not ((k >= 0) & (k <= n)).all() or not 0 < level < 1:
        raise InputError("confidence_sequence wants 0 <= successes <= n and a level in (0, 1)")
    a, b = prior
    limit = special.betaln(a + k, b + n - k) - special.betaln(a, b) + np.log1p(-level)
    rate = np.divide(k, n, out=np.full(k.shape, 0.5), where=n > 0)
    low = np.where(k == 0, 0.0, _bisect(k, n, limit, np.zeros_like(rate), rate))
    high = np.where(k == n, 1.0, _bisect(k, n, limit, np.ones_like(rate), rate))
    with np.errstate(divide="ignore", invalid="ignore"):
        at_end = limit / n
    low = np.where((k == n) & (n > 0), np.exp(at_end), low)
    return low, np.where((k == 0) & (n > 0), -np.expm1(at_end), high)


def _bisect(
    k: np.ndarray, n: np.ndarray, limit: np.ndarray, outside: np.ndarray, inside: np.ndarray
) -> np.ndarray:
    """The p between, nearer to `outside`, where k log p + (n - k) log(1 - p) falls to the limit.

    Returns the outer end of the last bracket, so that rounding makes no interval too narrow.
    """
    for _ in range(60):
        middle = (outside + inside) / 2
        is_in = special.xlogy(k, middle) + special.xlog1py(n - k, -middle) > limit
        inside = np.where(is_in, middle, inside)
        outside = np.where(is_in, outside, middle)
    return outside


@dataclass(frozen=True)
class Precision:
    """A rule for when to stop: as soon as the exact interval is narrow enough.

    After every look at whole blocks of networks, stop if half the width of the Clopper-Pearson
    interval is at most `half_width`. Since the rule looks at nothing else, an interval of a
    slightly higher level covers at `level` when it stops, with far fewer networks than a
    confidence sequence needs, which allows for any rule. The error is taken as 3/4 of 1 - level:
    by exact enumeration over all paths, for looks at every 256 networks or at numbers that grow
    by a quarter, half-widths 0.01 to 0.1 and levels 0.9, 0.95 and 0.99, the coverage is then at
    least the level at every success probability; unadjusted it falls to 0.939 at level 0.95.

    Stopping depends on the counts alone, so resuming, or going on to a smaller half-width, ends
    where a study that never paused would.

    Args:
        half_width: Wanted, in (0, 1/2].
        level: Confidence level of the interval at the end.

    Source: Frey (2010), "Fixed-width sequential confidence intervals for a proportion", The
    American Statistician 64, 242-249; here with blocks and Clopper-Pearson limits.
    """

    half_width: float
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.half_width <= 0.5 or not 0 < self.level < 1:
            raise InputError(
                f"Precision wants a half_width in (0, 0.5] and a level in (0, 1), got "
                f"{self.half_width!r} and {self.level!r}; for example half_width=0.01, level=0.95"
            )

    def interval(self, k: Any, n: Any) -> tuple[np.ndarray, np.ndarray]:
        """The interval to look at, and to report at the end; arguments as `clopper_pearson`."""
        return clopper_pearson(k, n, 1 - 0.75 * (1 - self.level))

    def is_reached(self, k: Any, n: Any) -> np.ndarray:
        """Whether to stop after k successes in n networks; elementwise."""
        low, high = self.interval(k, n)
        return (high - low) / 2 <= self.half_width

    def n_more(self, k: int, n: int, block: int) -> int:
        """How many networks more, in whole blocks, to plan for: none if the rule says stop.

        What would do if the observed rate, with one success and one failure added, were the
        truth, but at most a quarter of n at a time once n is large, so that an early rate that
        misleads costs little.
        """
        if n and bool(self.is_reached(k, n)):
            return 0
        rate = (k + 1) / (n + 2)
        blocks = 1
        most = max(1, n // (4 * block))
        while blocks < most:
            total = n + blocks * block
            if bool(self.is_reached(round(rate * total), total)):
                break
            blocks += 1
        return blocks * block
