"""Models of success over width, their likelihood, and its maximum with profile intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from trainability.analysis.binomial import at_least

EDGE = 25.0
"""Parameters are fitted as logits in [-EDGE, EDGE]; beyond, they count as 0 or 1."""
CAP = 1e9
"""A cell's deviance counts as infinite from here on."""


@dataclass(frozen=True)
class Model:
    """A model of success over width: which of the three parameters it has.

    success = base * (1 - lapse), where base is P(Bin(width, q) >= need) with an effective
    activity q, or else the trainability. With `overdispersion` rho the success probability of a
    cell varies around that as a beta distribution: two networks of a cell have correlation rho.

    Args:
        name: What tables call it.
        parameters: Of "q", "lapse", "overdispersion"; all in [0, 1].
        nested_in: Models that have this one as a special case, at lapse or overdispersion 0.
    """

    name: str
    parameters: tuple[str, ...]
    nested_in: tuple[str, ...] = ()


MODELS = (
    Model("trainability", (), ("lapse", "trainability, overdispersed")),
    Model("lapse", ("lapse",)),
    Model("trainability, overdispersed", ("overdispersion",)),
    Model("activity", ("q",), ("activity and lapse", "activity, overdispersed")),
    Model("activity and lapse", ("q", "lapse")),
    Model("activity, overdispersed", ("q", "overdispersion")),
)


@dataclass(frozen=True)
class Curve:
    """Counts over width: arrays of shape (C,), one entry per cell; trainability may be NaN."""

    k: np.ndarray
    n: np.ndarray
    need: np.ndarray
    width: np.ndarray
    trainability: np.ndarray

    @classmethod
    def of(cls, cells: pd.DataFrame) -> Curve:
        """The curve of cells of a table of `success_rates`."""
        theory = cells["trainability"] if "trainability" in cells else np.full(len(cells), np.nan)
        names = ("successes", "n", "need", "width")
        k, n, need, width = (cells[name].to_numpy(dtype=float) for name in names)
        return cls(k, n, need, width, np.asarray(theory, dtype=float))


def predict(curve: Curve, values: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Success and failure probability of every cell; values broadcast against shape (C,)."""
    if "q" in values:
        success, failure = at_least(curve.need, curve.width, values["q"])
    else:
        success, failure = curve.trainability, 1 - curve.trainability
    lapse = values.get("lapse", 0.0)
    return success * (1 - lapse), failure + success * lapse


def deviances(curve: Curve, values: dict[str, Any]) -> np.ndarray:
    """Each cell's deviance, 2 log(binomial likelihood at its own rate / likelihood of the model).

    Infinite where the model excludes what was seen.
    """
    success, failure = predict(curve, values)
    k, failed = curve.k, curve.n - curve.k
    if "overdispersion" in values:
        scale = 1 / values["overdispersion"] - 1
        a, b = np.maximum(success, 1e-12) * scale, np.maximum(failure, 1e-12) * scale
        model = special.betaln(k + a, failed + b) - special.betaln(a, b)
    else:
        model = special.xlogy(k, success) + special.xlogy(failed, failure)
    best = special.xlogy(k, k / curve.n) + special.xlogy(failed, failed / curve.n)
    return 2 * (best - model)


@dataclass(frozen=True)
class Estimate:
    """A parameter's maximum-likelihood value with its profile-likelihood interval."""

    value: float
    low: float
    high: float


NO_ESTIMATE = Estimate(np.nan, np.nan, np.nan)
"""Of a parameter that a model does not have."""


def fit(
    model: Model, curve: Curve, level: float | None = 0.95
) -> tuple[dict[str, Estimate], float]:
    """Maximum-likelihood estimates of the model's parameters, and the deviance there.

    A grid finds the region of the maximum, a local search the maximum. A limit of an interval is
    where the deviance, minimized over the other parameters, exceeds its minimum by the
    chi-squared quantile of the level; NaN where the level is None.
    """
    if not model.parameters:
        return {}, float(deviances(curve, {}).sum())
    search = _Search(curve, model.parameters)
    best = search.settle(search.minimum({}))
    lowest = search.deviance(best)
    estimates = {}
    for name, x in best.items():
        low = high = np.nan
        if level is not None:
            limit = lowest + special.chdtri(1, 1 - level).item()
            low, high = (search.crossing(name, x, edge, limit) for edge in (_floor(name), EDGE))
        estimates[name] = Estimate(*(_probability(name, logit) for logit in (x, low, high)))
    return estimates, lowest if lowest < CAP else np.inf


@dataclass(frozen=True)
class _Search:
    """Searches over the logits of a model's parameters."""

    curve: Curve
    names: tuple[str, ...]

    def deviance(self, logits: dict[str, float]) -> float:
        values = {name: special.expit(x) for name, x in logits.items()}
        # Capped, so that a cell that no value can explain leaves the others their say.
        return float(np.minimum(deviances(self.curve, values), CAP).sum())

    def minimum(self, fixed: dict[str, float]) -> dict[str, float]:
        """The logits with the least deviance, given the fixed ones."""
        free = tuple(name for name in self.names if name not in fixed)
        if not free:
            return fixed

        def f(x: np.ndarray) -> float:
            return self.deviance(fixed | dict(zip(free, np.atleast_1d(x), strict=True)))

        start, spacing = self._grid_minimum(free, fixed)
        if len(free) == 1:
            best = optimize.fminbound(f, start[0] - spacing, start[0] + spacing, xtol=1e-8)
        else:
            simplex = np.vstack([start, start + spacing / 2 * np.eye(len(free))])
            options = {"initial_simplex": simplex, "xatol": 1e-6, "fatol": 1e-9}
            best = optimize.minimize(f, start, method="Nelder-Mead", options=options)["x"]
        settled = zip(free, np.atleast_1d(np.asarray(best)), strict=True)
        return fixed | {name: float(np.clip(x, _floor(name), EDGE)) for name, x in settled}

    def settle(self, logits: dict[str, float]) -> dict[str, float]:
        """The logits, at an edge where that is as good: the deviance is flat near 0 and 1."""
        for name in self.names:
            for edge in (_floor(name), EDGE):
                moved = logits | {name: edge}
                logits = moved if self.deviance(moved) <= self.deviance(logits) else logits
        return logits

    def _grid_minimum(
        self, free: tuple[str, ...], fixed: dict[str, float]
    ) -> tuple[np.ndarray, float]:
        n_points = 81 if len(free) == 1 else 41
        axes = [np.linspace(_floor(name), EDGE, n_points) for name in free]
        grid = np.meshgrid(*axes, indexing="ij", sparse=True)
        logits = dict(zip(free, grid, strict=True)) | fixed
        values = {name: np.asarray(special.expit(x))[..., None] for name, x in logits.items()}
        total = np.minimum(deviances(self.curve, values), CAP).sum(axis=-1)
        place = np.unravel_index(np.argmin(total), total.shape)
        start = np.array([axis[i] for axis, i in zip(axes, place, strict=True)])
        return start, 2 * EDGE / (n_points - 1)

    def crossing(self, name: str, inside: float, edge: float, limit: float) -> float:
        """The logit between `inside` and the edge whose profile deviance is the limit."""

        def excess(x: float) -> float:
            return self.deviance(self.minimum({name: x})) - limit

        if excess(edge) <= 0 or inside == edge:
            return edge
        return np.asarray(optimize.brentq(excess, inside, edge, xtol=1e-6)).item()


def _floor(name: str) -> float:
    """Lower edge of a logit. Below e^-16 rounding exceeds the effect of overdispersion."""
    return -16.0 if name == "overdispersion" else -EDGE


def _probability(name: str, logit: float) -> float:
    """The parameter, 0 or 1 if it lies within 0.1 of the edge of its logit."""
    if logit < _floor(name) + 0.1:
        return 0.0
    return 1.0 if logit > EDGE - 0.1 else float(special.expit(logit))
