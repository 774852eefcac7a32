"""Whether a number that others published and one of ours can be the same."""

from __future__ import annotations

import numpy as np
from scipy import special

from trainability.analysis.binomial import at_least, two_sided
from trainability.analysis.comparisons import fisher


def rate_p_value(k: int, n: int, value: float, theirs: int | None, relation: str) -> float:
    """Exact p-value that k of n of our networks and a published rate have one probability.

    Args:
        k: Of our networks that count.
        n: Our networks.
        value: The published rate.
        theirs: Networks behind it; None takes it as exact.
        relation: `=`, two-sided; `>=` and `<=`: that the probability is at least, at most the rate.

    Returns:
        Fisher's exact test of the two samples where theirs is told and `=`, else binomial tails.

    >>> round(rate_p_value(9, 10, 0.1, 10, "="), 6), rate_p_value(9, 10, 0.9, None, ">=") > 0.5
    (0.001093, True)
    """
    if relation != "=":
        return float(at_least(k + 1, n, value)[1] if relation == ">=" else at_least(k, n, value)[0])
    if theirs is not None:
        return fisher(k, n, round(value * theirs), theirs)
    return float(two_sided(k, n, value))


def restarts_p_value(k: int, n: int, value: float, relation: str, chance: float) -> float:
    """The same for a published number of networks to try, of which ours is from k of n.

    A number K stands for all probabilities p for which K is needed: 1 - (1 - chance)^(1/K) up to
    that of K - 1, the fitting one of which is asked.
    """
    low = -np.expm1(np.log1p(-chance) / value)
    high = -np.expm1(np.log1p(-chance) / (value - 1)) if value > 1 else 1.0
    nearest = float(np.clip(k / n, low, high))
    # More restarts are a smaller probability.
    turned = {"=": "=", ">=": "<=", "<=": ">="}[relation]
    return rate_p_value(k, n, nearest, None, turned)


def normal_p_value(ours: float, se: float, value: float, error: float, relation: str) -> float:
    """p-value that two means are equal, by the normal law of their difference.

    Args:
        ours: Our mean.
        se: Its standard error.
        value: The published one.
        error: Its standard error; 0 takes it as exact.
        relation: As for `rate_p_value`.

    >>> round(normal_p_value(1.96, 0.6, 0.0, 0.8, "="), 3)
    0.05
    """
    total = float(np.hypot(se, error))
    gap = ours - value
    if relation != "=":
        gap = min(gap, 0.0) if relation == ">=" else max(gap, 0.0)
        return 1.0 if not gap else float(special.ndtr(-abs(gap) / total)) if total else 0.0
    if not total:
        return float(gap == 0)
    return float(2 * special.ndtr(-abs(gap) / total))
