"""Fits of success over width: one number that explains a curve, and which model explains it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from trainability.analysis.binomial import at_least
from trainability.analysis.models import (
    MODELS,
    NO_ESTIMATE,
    Curve,
    Model,
    deviances,
    fit,
    predict,
)
from trainability.analysis.rates import groups
from trainability.errors import InputError

PARAMETERS = ("q", "lapse", "overdispersion")


def effective_activity(
    rates: pd.DataFrame, by: Sequence[str] = ("scheme",), level: float = 0.95
) -> pd.DataFrame:
    """The effective activity q of every curve: success = P(Bin(width, q) >= need).

    q is the probability that a neuron becomes useful, to be compared with the probability 1 - p
    that it is born alive: the trainability is the same formula with q = 1 - p. Fitted by maximum
    likelihood over the widths, with a profile-likelihood interval.

    Args:
        rates: From `success_rates`; cells of shallow networks, `width` and `need` among the
            columns. With one width, equal to `need` = 2, q = sqrt(success rate).
        by: Columns that tell the curves apart; see `rates.varying`.
        level: Confidence level.

    Returns:
        One row per curve: the columns `by`, `need`, `n_cells`, `n`, `q`, `q_low`, `q_high`, and
        how well one number explains the curve: `deviance` on `degrees_of_freedom`, and its
        `p_value` (chi-squared, rough where a cell has few failures; NaN without a degree of
        freedom).
    """
    model = next(model for model in MODELS if model.parameters == ("q",))
    columns = ["need", "n_cells", "n", "q", "q_low", "q_high"]
    columns += ["deviance", "degrees_of_freedom", "p_value"]
    return _fit(rates, by, (model,), level).filter([*by, *columns])


def fit_models(
    rates: pd.DataFrame,
    by: Sequence[str] = ("scheme",),
    level: float | None = 0.95,
    models: Sequence[Model] = MODELS,
) -> pd.DataFrame:
    """All models fitted to every curve.

    Args:
        rates: As for `effective_activity`, with a column `trainability`. Curves with a cell of
            which it is NaN, for theory bounds nothing there, get the models that don't use it.
        by: Columns that tell the curves apart.
        level: Of the profile-likelihood intervals; None leaves them out, ten times as fast.
        models: Which; see `models.Model`.

    Returns:
        One row per curve and model: the columns `by`, `model`, `need`, `n_cells`, `n`; `q`,
        `lapse` and `overdispersion`, each with `_low` and `_high`, NaN where the model has none;
        `deviance`, `degrees_of_freedom`, `p_value` of the fit (NaN for overdispersed models,
        whose deviance is measured from the binomial), and `aic`, up to a constant of the curve.
    """
    if "trainability" not in rates:
        raise InputError("fit_models wants a trainability for every cell; join the theory first")
    return _fit(rates, by, models, level)


def compare_models(fits: pd.DataFrame, by: Sequence[str] = ("scheme",)) -> pd.DataFrame:
    """Likelihood-ratio tests of every model against those that have one parameter more.

    The parameter more is 0 in the simpler model, at the end of its range, so twice the gain in
    log likelihood is 0 or chi-squared(1), each with probability 1/2. Models that are not nested
    (activity against trainability) are compared by their `aic`.

    Args:
        fits: From `fit_models`.
        by: Columns that tell the curves apart.

    Returns:
        One row per curve and pair: the columns `by`, `simpler`, `richer`, `statistic`, `p_value`.

    Source: Self & Liang (1987), JASA 82, 605-610, case 5.
    """
    results = []
    for key, curve in groups(fits, by):
        deviance = curve.set_index("model")["deviance"].to_dict()
        for model in MODELS:
            for richer in model.nested_in:
                if model.name in deviance and richer in deviance:
                    # Infinite minus infinite: both models exclude what was seen.
                    gain = np.nan_to_num(deviance[model.name] - deviance[richer], posinf=np.inf)
                    statistic = max(float(gain), 0.0)
                    p_value = float(special.chdtrc(1, statistic)) / 2 if statistic else 1.0
                    results.append([*key, model.name, richer, statistic, p_value])
    return pd.DataFrame(results, columns=[*by, "simpler", "richer", "statistic", "p_value"])


def residuals(
    rates: pd.DataFrame, fits: pd.DataFrame, by: Sequence[str] = ("scheme",)
) -> pd.DataFrame:
    """Where the models miss: expected rate and deviance residual of every cell and model.

    Args:
        rates: What was fitted.
        fits: From `effective_activity` or `fit_models`.
        by: Columns that tell the curves apart.

    Returns:
        One row per model and cell: the columns `by`, `model`, `cell`, `width`, `success_rate`,
        `expected_rate`, and `residual`: the signed root of the cell's (binomial) deviance, about
        standard normal where the model holds.
    """
    if "model" not in fits:
        fits = fits.assign(model="activity", lapse=np.nan)
    values = fits.filter([*by, "model", "q", "lapse"])
    cells = rates.reset_index()
    table = values.merge(cells, on=list(by)) if by else values.merge(cells, how="cross")
    curve = Curve.of(table)
    q, lapse = (table[name].to_numpy(dtype=float) for name in ("q", "lapse"))
    has_q = ~np.isnan(q)
    by_activity = at_least(curve.need, curve.width, np.where(has_q, q, 0.5))[0]
    curve = replace(curve, trainability=np.where(has_q, by_activity, curve.trainability))
    expected = predict(curve, {"lapse": np.nan_to_num(lapse)})[0]
    deviance = np.maximum(deviances(curve, {"lapse": np.nan_to_num(lapse)}), 0)
    rate = curve.k / curve.n
    return table.filter([*by, "model", "cell", "width"]).assign(
        success_rate=rate,
        expected_rate=expected,
        residual=np.sign(rate - expected) * np.sqrt(deviance),
    )


def width_needed(q: Any, need: Any, level: Any) -> np.ndarray:
    """The least width with P(Bin(width, q) >= need) >= level; infinite for q = 0.

    >>> width_needed(5 / 6, 2, [0.9, 0.99, 0.999]).tolist()
    [3.0, 5.0, 6.0]
    """
    q, need, level = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (q, need, level)))
    possible = q > 0
    q = np.where(possible, q, 1.0)
    narrow, wide = need - 1, need
    while (short := at_least(need, wide, q)[0] < level).any():
        narrow, wide = np.where(short, wide, narrow), np.where(short, 2 * wide, wide)
    while True:
        middle = np.floor((narrow + wide) / 2)
        if not ((narrow < middle) & (middle < wide)).any():
            return np.where(possible, wide, np.inf)
        short = at_least(need, middle, q)[0] < level
        narrow, wide = np.where(short, middle, narrow), np.where(short, wide, middle)


def widths_needed(
    fits: pd.DataFrame,
    rates: pd.DataFrame,
    by: Sequence[str] = ("scheme",),
    levels: Sequence[float] = (0.9, 0.99, 0.999),
    trainability: Callable[[tuple[Any, ...], int], float] | None = None,
) -> pd.DataFrame:
    """How wide a network must be to succeed with a given probability.

    Args:
        fits: From `effective_activity`.
        rates: What was fitted.
        by: Columns that tell the curves apart.
        levels: Success probabilities.
        trainability: Theory's trainability for a curve (its values of `by`) and any width; it
            must grow with the width.

    Returns:
        One row per curve and level: the columns `by`, `success_probability`; by the fit `width`
        with `width_low` and `width_high` (from the interval of q; infinite for q = 0);
        `width_measured`, the least studied width whose interval lies wholly at or above the
        level (NaN if none does); and `width_trainability`, the least width at which theory
        allows it (NaN without theory or where it bounds nothing, infinite above 2^20).
    """
    cells = dict((_key(key), part) for key, part in groups(rates, by))
    results = []
    for key, fitted in groups(fits, by):
        q = fitted[["q", "q_high", "q_low"]].iloc[0].to_numpy(dtype=float)
        need = fitted["need"].iloc[0]
        part = cells[_key(key)]
        for level in levels:
            proven = part.loc[part["success_rate_low"] >= level, "width"]
            theory = np.nan if trainability is None else _least_width(trainability, key, level)
            measured = float(proven.min()) if len(proven) else np.nan
            results.append([*key, level, *width_needed(q, need, level), measured, theory])
    names = ["success_probability", "width", "width_low", "width_high"]
    names += ["width_measured", "width_trainability"]
    return pd.DataFrame(results, columns=[*by, *names])


def _fit(
    rates: pd.DataFrame, by: Sequence[str], models: Sequence[Model], level: float | None
) -> pd.DataFrame:
    if (rates["depth"].to_numpy() != 2).any():
        raise InputError("the fits are about shallow networks; select the cells of depth 2")
    results = []
    for key, cells in groups(rates, by):
        curve = Curve.of(cells)
        has_theory = not np.isnan(curve.trainability).any()
        for model in models:
            if not has_theory and "q" not in model.parameters:
                continue
            estimates, deviance = fit(model, curve, level)
            freedom = len(cells) - len(model.parameters)
            row = dict(zip(by, key, strict=True)) | {"model": model.name}
            row |= {"need": int(curve.need[0]), "n_cells": len(cells), "n": int(curve.n.sum())}
            for name in PARAMETERS:
                value = estimates.get(name, NO_ESTIMATE)
                row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            binomial = "overdispersion" not in model.parameters
            p_value = special.chdtrc(freedom, deviance) if binomial and freedom > 0 else np.nan
            row |= {"deviance": deviance, "degrees_of_freedom": freedom, "p_value": float(p_value)}
            results.append(row | {"aic": deviance + 2 * len(model.parameters)})
    return pd.DataFrame(results)


def _least_width(
    trainability: Callable[[tuple[Any, ...], int], float], key: tuple[Any, ...], level: float
) -> float:
    high = 1
    while not trainability(key, high) >= level:
        if np.isnan(trainability(key, high)):
            return np.nan
        if high >= 2**20:
            return np.inf
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if trainability(key, middle) >= level else (middle, high)
    return float(high)


def _key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key with None for NaN, which equals itself."""
    return tuple(None if pd.isna(value) else value for value in key)
