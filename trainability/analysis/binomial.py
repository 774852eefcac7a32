"""Tails of the binomial distribution, to full relative precision.

`scipy.stats` has them too, but takes longer to import than the report of a small study takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special


def at_least(need: Any, width: Any, q: Any) -> tuple[np.ndarray, np.ndarray]:
    """P(Bin(width, q) >= need) and its complement, both to full relative precision.

    Args:
        need: A count such as the useful neurons that a task needs, any whole number.
        width: The number of trials, such as the neurons of the hidden layer, >= 0.
        q: Probability that a trial counts, such as that a neuron is useful, in [0, 1].

    >>> success, failure = at_least(2, np.array([2, 4]), 5 / 6)
    >>> success.round(10).tolist()
    [0.6944444444, 0.9837962963]
    """
    possible = np.less_equal(need, width)
    inside = possible & np.greater(need, 0)
    a, b = np.where(inside, need, 1), np.where(inside, np.subtract(width, need) + 1, 1)
    success = np.where(inside, special.betainc(a, b, q), possible)
    return success, np.where(inside, special.betaincc(a, b, q), ~possible)


def two_sided(k: Any, n: Any, p: Any) -> np.ndarray:
    """Twice the smaller of the tails of Bin(n, p) that end at k, at most 1: an exact p-value."""
    at_most = at_least(np.add(k, 1), n, p)[1]
    return np.minimum(1.0, 2 * np.minimum(at_most, at_least(k, n, p)[0]))
