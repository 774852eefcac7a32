"""Fits of success rates: one number that explains a curve, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from trainability.analysis.rates import groups
from trainability.errors import InputError


def at_least(need: np.ndarray, width: np.ndarray, q: float) -> tuple[np.ndarray, np.ndarray]:
    """P(Bin(width, q) >= need) and its complement, both to full relative precision.

    Args:
        need: Useful neurons that a task needs, >= 1.
        width: Neurons of the hidden layer.
        q: Probability that a neuron is useful, in [0, 1].

    >>> p, failure = at_least(np.array([2]), np.array([2, 4]), 5 / 6)
    >>> p.round(10).tolist()
    [0.6944444444, 0.9837962963]
    """
    need, width = np.broadcast_arrays(need, width)
    enough = width >= need
    spare = np.where(enough, width - need + 1, 1)
    success = np.where(enough, special.betainc(need, spare, q), 0.0)
    return success, np.where(enough, special.betaincc(need, spare, q), 1.0)


def effective_activity(
    rates: pd.DataFrame, by: Sequence[str] = ("scheme",), level: float = 0.95
) -> pd.DataFrame:
    """The effective activity q of every curve: success = P(Bin(width, q) >= need).

    q is the probability that a neuron becomes useful, to be compared with the probability 1 - p
    that it is born alive: the trainability is the same formula with q = 1 - p. Fitted by maximum
    likelihood over the widths; the interval is the profile likelihood's (for one parameter: the
    q whose deviance is within the chi-squared quantile of the best).

    Args:
        rates: From `success_rates`; cells of shallow networks, `width` and `need` among the
            columns. With one width, equal to `need` = 2, q = sqrt(success rate).
        by: Columns that tell the curves apart.
        level: Confidence level.

    Returns:
        One row per curve: the columns `by`, `n_cells`, `n`, `q`, `q_low`, `q_high`, and how well
        one number explains the curve: `deviance` on `degrees_of_freedom`, and its `p_value`
        (chi-squared; NaN without a degree of freedom).
    """
    found = []
    for key, curve in curves(rates, by):
        k, n = (curve[name].to_numpy(dtype=float) for name in ("successes", "n"))
        need, width = (curve[name].to_numpy(dtype=float) for name in ("need", "width"))
        q, low, high, deviance = _fit_activity(k, n, need, width, level)
        freedom = len(curve) - 1
        p_value = stats.chi2.sf(deviance, freedom) if freedom else float("nan")
        found.append([*key, len(curve), int(n.sum()), q, low, high, deviance, freedom, p_value])
    names = ["n_cells", "n", "q", "q_low", "q_high", "deviance", "degrees_of_freedom", "p_value"]
    return pd.DataFrame(found, columns=[*by, *names])


def curves(rates: pd.DataFrame, by: Sequence[str]) -> list[tuple[tuple, pd.DataFrame]]:
    """The cells of every curve, in order of first appearance."""
    if (rates["depth"].to_numpy() != 2).any():
        raise InputError("the fits are about shallow networks; select the cells of depth 2")
    return groups(rates, by)


def binomial_deviance(
    k: np.ndarray, n: np.ndarray, success: np.ndarray, failure: np.ndarray
) -> np.ndarray:
    """Each cell's deviance, 2 log(likelihood at its own rate / at `success`); infinite where the
    model excludes what was seen."""
    with np.errstate(divide="ignore"):
        model = special.xlogy(k, success) + special.xlogy(n - k, failure)
    best = special.xlogy(k, k / n) + special.xlogy(n - k, (n - k) / n)
    return 2 * np.maximum(best - model, 0)


def _fit_activity(
    k: np.ndarray, n: np.ndarray, need: np.ndarray, width: np.ndarray, level: float
) -> tuple[float, float, float, float]:
    """q, lower and upper limit, deviance at q. In x = logit q: the deviance has one minimum."""

    def deviance(x: float) -> float:
        success, failure = at_least(need, width, special.expit(x))
        # 1 - expit(x) is exact where expit(x) rounds to 1.
        if x > 0:
            other = special.expit(-x)
            failure = np.where(width >= need, special.betainc(width - need + 1, need, other), 1.0)
        return float(np.minimum(binomial_deviance(k, n, success, failure), 1e300).sum())

    possible = width >= need
    edge = 36.0
    if not k.any():
        best = -np.inf
    elif (k[possible] == n[possible]).all():
        best = np.inf
    else:
        best = np.asarray(optimize.fminbound(deviance, -edge, edge, xtol=1e-9)).item()
    at_best = deviance(float(np.clip(best, -edge, edge)))
    limit = at_best + float(special.chdtri(1, 1 - level))
    low = -np.inf if best == -np.inf else _crossing(deviance, limit, -edge, min(best, edge))
    high = np.inf if best == np.inf else _crossing(deviance, limit, edge, max(best, -edge))
    q, q_low, q_high = (float(special.expit(x)) for x in (best, low, high))
    return q, q_low, q_high, at_best


def _crossing(f: Callable[[float], float], limit: float, outside: float, inside: float) -> float:
    """Where f, which grows from `inside` to `outside`, reaches the limit."""
    if f(outside) <= limit:
        return float(np.copysign(np.inf, outside))
    return np.asarray(optimize.brentq(lambda x: f(x) - limit, outside, inside)).item()
