"""One test that two curves of success are one and the same, pooled over every place of both.

At place i (a width, say) two strategies a and b have n_ai and n_bi networks, of which k_ai and
k_bi succeed. Fitted are two curves: a's has a free success probability at every place, b's lies a
constant theta above it on the scale of log odds. If the curves are one, theta = 0, whatever their
shape: no model of it is assumed. The free probabilities are removed by conditioning on the
successes k_ai + k_bi of each place, which leaves for t = sum_i k_bi the likelihood

    L(theta) = c(t) e^(theta t) / sum_s c(s) e^(theta s),

where c is the distribution of t under theta = 0: the convolution of the hypergeometric
distributions of the places. The likelihood ratio G(t) = 2 (sup log L - log L(0)) is twice the
Legendre transform of log sum_s c(s) e^(theta s), and depends on t alone; the p-value is the
probability under c of a G at least as large: exact where networks are independent and t has at most
`MOST_VALUES` values; beyond, and where networks share their initializations between places
(`sharing`), chi-squared with one degree of freedom stands for it. Networks
that share their initializations are pairs; a pair in which one of two succeeds is a place of its
own with one network each, c is binomial, and the test is McNemar's over all places.

Source: Cox & Snell (1989), Analysis of Binary Data, section 2.5 (the conditional likelihood);
Mehta, Patel & Gray (1985), JASA 80, 969-973 (its exact distribution).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy import optimize, special

from trainability.analysis.comparisons import holm
from trainability.analysis.rates import groups

MOST_VALUES = 20_000
"""Of t, up to which its distribution is computed. With more, some successes and failures always
come together, and G is taken as chi-squared(1)."""
_EDGE = 40.0
"""Of theta. At the ends of t the likelihood grows for ever: its limit is reached well before."""


def pooled_test(
    k_a: np.ndarray,
    n_a: np.ndarray,
    k_b: np.ndarray,
    n_b: np.ndarray,
    pairs: tuple[int, int] = (0, 0),
    sharing: int = 1,
) -> tuple[float, float]:
    """Likelihood-ratio test that a and b succeed equally often at every place.

    Args:
        k_a: Successes of a at every place at which networks are independent, shape (C,).
        n_a: Networks of a there.
        k_b: Successes of b there.
        n_b: Networks of b there.
        pairs: At all other places together: pairs in which a alone, and in which b alone succeeds.
        sharing: How many places, at most, share their initializations. Their results may all be
            the same, so the ratio G counts as that of one of them: p is that of G / sharing.

    Returns:
        G, and the two-sided p-value.

    >>> g, p = pooled_test(*np.array([[3, 5], [10, 10], [9, 10], [10, 10]]))
    >>> round(p, 4)
    0.0004
    """
    k_a, n_a, k_b, n_b = (np.asarray(value, dtype=np.int64) for value in (k_a, n_a, k_b, n_b))
    total = k_a + k_b
    first = np.maximum(0, total - n_a)
    n_values = np.minimum(n_b, total) - first + 1
    t = int((k_b - first).sum()) + pairs[1]
    if n_values.sum() + sum(pairs) > MOST_VALUES:
        ratio = _unconditional(k_a, n_a, k_b, n_b, pairs)
        return ratio, float(special.chdtrc(1, ratio / sharing))
    logs = [_hypergeometric(*place) for place in zip(n_a, n_b, total, first, n_values, strict=True)
            if place[-1] > 1]  # fmt: skip
    if sum(pairs):
        logs.append(_log_binomial(sum(pairs), np.arange(sum(pairs) + 1)) - sum(pairs) * np.log(2))
    log_c = _convolved(logs)
    if not np.isfinite(log_c[t]):  # below 1e-308
        return _unconditional(k_a, n_a, k_b, n_b, pairs), 0.0
    possible = np.flatnonzero(np.isfinite(log_c))
    log_c, t = log_c[possible[0] : possible[-1] + 1], t - int(possible[0])
    ratio = _ratio(log_c, t)
    if sharing > 1:
        return ratio, float(special.chdtrc(1, ratio / sharing))
    return ratio, _tails(log_c, t, ratio)


def pool(places: pd.DataFrame, sharing: int = 1, level: float = 0.95) -> pd.DataFrame:
    """Pairs of values of one axis, each tested once over all the places at which both are.

    Args:
        places: From `comparisons.compare`: one row per pair and place.
        sharing: As in `pooled_test`.
        level: Of the interval of the difference.

    Returns:
        One row per pair: `a`, `b`, `places`, `n_a`, `n_b`, the mean success rates `rate_a` and
        `rate_b` over these places, each place with equal weight, their `difference` (b minus a)
        with `_low` and `_high`, the `statistic` G, its `p_value`, and `p_holm`, corrected for all
        pairs. The interval combines those of the places by squares.

    Source of the interval: Zou & Donner (2008), Stat. Med. 27, 1693-1702.
    """
    rows = []
    for (a, b), part in groups(places, ["a", "b"]):
        single = part[~part["paired"].to_numpy(dtype=bool)]
        paired = part[part["paired"].to_numpy(dtype=bool)]
        n_a, n_b = (single[f"n_{side}"].to_numpy() for side in "ab")
        k_a, k_b = (
            np.rint(single[f"rate_{side}"] * single[f"n_{side}"]).to_numpy() for side in "ab"
        )
        pairs = int(paired["only_a"].sum()), int(paired["only_b"].sum())
        ratio, p_value = pooled_test(k_a, n_a, k_b, n_b, pairs, sharing)
        gap = float(part["difference"].mean())
        down, up = (
            float(np.sqrt(sharing * ((part[f"difference_{end}"] - part["difference"]) ** 2).sum()))
            / len(part)
            for end in ("low", "high")
        )
        rows.append(
            [a, b, len(part), int(part["n_a"].sum()), int(part["n_b"].sum()),
             part["rate_a"].mean(), part["rate_b"].mean(), gap, max(gap - down, -1.0),
             min(gap + up, 1.0), ratio, p_value]
        )  # fmt: skip
    names = ["a", "b", "places", "n_a", "n_b", "rate_a", "rate_b", "difference"]
    names += ["difference_low", "difference_high", "statistic", "p_value"]
    table = pd.DataFrame(rows, columns=names)
    table["p_holm"] = holm(table["p_value"])
    return table


def _hypergeometric(n_a: int, n_b: int, total: int, first: int, n_values: int) -> np.ndarray:
    """Logarithms of the probabilities of b's successes among the total, from the first possible."""
    k_b = np.arange(first, first + n_values)
    return (
        _log_binomial(n_b, k_b)
        + _log_binomial(n_a, total - k_b)
        - _log_binomial(n_a + n_b, np.array(total))
    )


def _convolved(logs: Iterable[np.ndarray]) -> np.ndarray:
    """Logarithm of the distribution of a sum; -infinity where it is below 1e-308."""
    result = np.zeros(1)
    for log in sorted(logs, key=len):
        sums = np.convolve(np.exp(result), np.exp(log))
        with np.errstate(divide="ignore"):
            result = np.log(sums)
    return result


def _ratio(log_c: np.ndarray, t: int) -> float:
    """G(t): twice the supremum over theta of theta t - log sum c e^(theta s)."""
    if t in (0, len(log_c) - 1):
        return max(0.0, -2 * float(log_c[t]))
    theta = _root(lambda x: _tilted(log_c, x)[0] - t, -_EDGE, _EDGE)
    return max(0.0, 2 * (theta * t - _tilted(log_c, theta)[1]))


def _tails(log_c: np.ndarray, t: int, ratio: float) -> float:
    """Probability under c of a ratio at least as large; the ratio falls, then rises along t."""
    c = np.exp(log_c)
    above = t >= _tilted(log_c, 0.0)[0]
    last = 0 if above else len(c) - 1
    limit = ratio - 1e-7 * max(1.0, ratio)  # equal ratios differ by rounding

    def excess(theta: float) -> float:
        mean, log_sum = _tilted(log_c, theta)
        return 2 * (theta * mean - log_sum) - limit

    if limit <= 0:
        return 1.0
    same = float(c[t:].sum() if above else c[: t + 1].sum())
    if -2 * log_c[last] < limit:  # no value on the other side is as far
        return min(1.0, same)
    edge = -_EDGE if above else _EDGE
    if excess(edge) <= 0:  # only the last value is
        return min(1.0, same + float(c[last]))
    place = _tilted(log_c, _root(excess, 0.0, edge))[0]
    other = c[: int(np.floor(place)) + 1] if above else c[int(np.ceil(place)) :]
    return min(1.0, same + float(other.sum()))


def _tilted(log_c: np.ndarray, theta: float) -> tuple[float, float]:
    """Mean of t under the odds e^theta, and log sum c e^(theta s)."""
    values = np.arange(len(log_c))
    logs = log_c + theta * values
    most = logs.max()
    weights = np.exp(logs - most)
    total = weights.sum()
    return float(weights @ values / total), float(np.log(total) + most)


def _unconditional(
    k_a: np.ndarray, n_a: np.ndarray, k_b: np.ndarray, n_b: np.ndarray, pairs: tuple[int, int]
) -> float:
    """G without conditioning: the same for many networks, and quick."""
    total = k_a + k_b
    only = sum(pairs)

    def log_likelihood(theta: float) -> float:
        odds = np.exp(theta)
        p_a, q_a = _base_rate(n_a, n_b, total, odds), _base_rate(n_a, n_b, n_a + n_b - total,
                                                                1 / odds)  # fmt: skip
        scale = q_a + p_a * odds
        p_b, q_b = p_a * odds / scale, q_a / scale
        value = special.xlogy(k_a, p_a) + special.xlogy(n_a - k_a, q_a)
        value = value + special.xlogy(k_b, p_b) + special.xlogy(n_b - k_b, q_b)
        return float(value.sum()) + pairs[1] * theta - only * float(np.logaddexp(0, theta))

    best = optimize.fminbound(lambda theta: -log_likelihood(theta), -_EDGE, _EDGE, xtol=1e-9)
    return max(0.0, 2 * (log_likelihood(float(np.asarray(best))) - log_likelihood(0.0)))


def _root(f: Callable[[float], float], low: float, high: float) -> float:
    return float(np.asarray(optimize.brentq(f, low, high, xtol=1e-12)))


def _base_rate(n_a: np.ndarray, n_b: np.ndarray, total: np.ndarray, odds: float) -> np.ndarray:
    """a's probability at every place that maximizes the likelihood, given b's odds over a's.

    It solves n_a p + n_b p odds / (1 - p + p odds) = total.
    """
    a = n_a * (odds - 1)
    b = n_a + n_b * odds - total * (odds - 1)
    return 2 * total / (b + np.sqrt(np.maximum(b * b + 4 * a * total, 0)))


def _log_binomial(n: int, k: np.ndarray) -> np.ndarray:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
