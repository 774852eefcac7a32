"""Fits of success over width, curve by curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from trainability.analysis.fits import (
    compare_models,
    effective_activity,
    fit_models,
    residuals,
    widths_needed,
)
from trainability.analysis.rates import groups
from trainability.findings.expectations import least_width
from trainability.findings.places import WIDTHS
from trainability.study import Cell
from trainability.study.network import FULLY_CONNECTED

SHARES = (0.9, 0.99, 0.999)
"""Success probabilities for which the width is told."""
_BY = ["curve"]


def _empty() -> pd.DataFrame:
    return pd.DataFrame()


@dataclass(frozen=True)
class Fits:
    """Tables of the fits; all but `widths` are about shallow networks.

    Args:
        activity: From `effective_activity`, with `born_alive`, theory's 1 - p.
        models: From `fit_models`.
        comparisons: From `compare_models`.
        residuals: From `residuals`, of all models.
        widths: From `widths_needed`; for deep networks without the fitted widths.
    """

    activity: pd.DataFrame = field(default_factory=_empty)
    models: pd.DataFrame = field(default_factory=_empty)
    comparisons: pd.DataFrame = field(default_factory=_empty)
    residuals: pd.DataFrame = field(default_factory=_empty)
    widths: pd.DataFrame = field(default_factory=_empty)


def fit_curves(rates: pd.DataFrame, cells: Mapping[str, Cell], x: str, level: float) -> Fits:
    """Fit every curve over width.

    Args:
        rates: One row per cell, with theory and `curve`.
        cells: The cells by id.
        x: The column along which curves run; nothing is fitted unless it is the width. A cell
            that has no one width is in no fit.
        level: Of the intervals.
    """
    if x not in ("width", WIDTHS):
        return Fits()
    rates = rates[rates["width"].notna()]
    # Of a module, which may have ways around its layers, no law over width is known.
    of_modules = rates["network"] != FULLY_CONNECTED
    # Curves over the widths of all layers run through several depths.
    several = x == WIDTHS and rates["depth"].nunique() > 1
    deep = _studied_widths(rates[:0] if several else rates[(rates["depth"] > 2) | of_modules])
    shallow = rates[(rates["depth"] == 2) & ~of_modules]
    if shallow.empty:
        return Fits(widths=deep)
    activity = effective_activity(shallow, _BY, level)
    activity["born_alive"] = (
        shallow.groupby("curve")["born_alive"].first()[activity["curve"]].to_numpy()
    )
    models = fit_models(shallow, _BY, level=None)
    widths = widths_needed(activity, shallow, _BY, SHARES, least_width(cells, shallow["curve"]))
    return Fits(
        activity=activity,
        models=models,
        comparisons=compare_models(models, _BY),
        residuals=residuals(shallow, models, _BY),
        widths=pd.concat([widths, deep], ignore_index=True) if len(deep) else widths,
    )


def _studied_widths(deep: pd.DataFrame) -> pd.DataFrame:
    """The least studied widths at which success, and theory, reach a share; nothing is fitted."""
    rows = []
    for (curve,), part in groups(deep, _BY):
        for share in SHARES:
            reached, allowed = (
                part.loc[part[column] >= share, "width"].min()
                for column in ("success_rate_low", "trainability")
            )
            rows.append([curve, share, np.nan, np.nan, np.nan, reached, allowed])
    names = ["curve", "success_probability", "width", "width_low", "width_high"]
    return pd.DataFrame(rows, columns=[*names, "width_measured", "width_trainability"])
