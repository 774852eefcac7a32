"""The quantity that a study asks about: of every cell, and strategy against strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pandas as pd

from trainability.analysis.agreement import normal_p_value
from trainability.analysis.comparisons import holm
from trainability.analysis.quantity_table import restarts
from trainability.findings.arguments import NO_ARGUMENTS, Arguments
from trainability.findings.comparing import compared_axes, is_compared, most_sharing
from trainability.findings.places import axis_columns
from trainability.study import Study
from trainability.study.quantities import QUANTITIES, Quantity

SUCCESS = "success"


@dataclass(frozen=True)
class Asked:
    """What a study asks about.

    Args:
        quantity: Which.
        cells: One row per cell that has it, indexed by `cell`: `n`, `value` with `low`, `high` and
            `se`, and the columns of `rates` that say which cell it is, with `curve`.
        pairs: One row per axis of strategies and pair of its values: `axis`, `a`, `b`; the means
            `value_a` and `value_b` over the `places` that both have; `difference`, b minus a, with
            `difference_low`, `difference_high`, `p_value` and `p_holm` over the pairs of the axis;
            `n_a`, `n_b`. Empty for restarts and for success, which has exact tests.
    """

    quantity: Quantity
    cells: pd.DataFrame
    pairs: pd.DataFrame


def ask(
    study: Study,
    rates: pd.DataFrame,
    quantities: pd.DataFrame,
    n_looks: int,
    level: float,
    arguments: Arguments = NO_ARGUMENTS,
) -> Asked:
    """The quantity of a study's question.

    Args:
        study: The study.
        rates: One row per cell, with `curve`, from `with_streams`.
        quantities: From `quantity_table`.
        n_looks: How often a cell was looked at before it stopped, at most (Bonferroni).
        level: Of every interval.
        arguments: Compared in place of the networks.
    """
    quantity = QUANTITIES[study.quantity]
    own = quantities[quantities["quantity"] == quantity.name].set_index("cell")
    axes = axis_columns(rates, arguments.columns)
    cells = own[["n", "count", "value", "low", "high", "se"]].join(rates[["curve", *axes]])
    cells = cells.reindex(rates.index.intersection(cells.index))
    pairs = pd.DataFrame()
    if quantity.kind in ("rate", "mean") and quantity.name != SUCCESS and len(cells):
        tables = [
            pairs_along(
                axis,
                axes,
                arguments.in_words(cells, axis) if axis in arguments.columns else cells,
                most_sharing(axis, rates),
                n_looks,
                level,
            )
            for axis in arguments.in_place_of_networks(compared_axes(study))
            if axis in cells and cells[axis].nunique() > 1 and is_compared(axis, cells)
        ]
        pairs = pd.concat(tables, ignore_index=True) if tables else pairs
    return Asked(quantity, cells, pairs)


def pairs_along(
    axis: str, axes: Sequence[str], cells: pd.DataFrame, sharing: int, n_looks: int, level: float
) -> pd.DataFrame:
    """Every pair of values of an axis, on average over the points of the others that both have.

    By the normal law of the mean difference. Cells count as independent, up to `sharing` cells
    that share their initial networks, which count as one. A cell of which one network has the
    quantity is left out: nothing is known of its spread, and so of no difference to it.

    Args:
        axis: The column whose values are compared.
        axes: The columns of all axes, from `axis_columns`.
        cells: As `Asked.cells`.
        sharing: How many cells of one value share their initial networks, at most.
        n_looks: As for `ask`.
        level: Of the intervals.
    """
    cells = cells[np.isfinite(cells["se"].to_numpy(dtype=float))]
    others = [
        name
        for name in axes
        # What one value of the axis has only once tells nothing apart.
        if name != axis and len(cells[[axis, name]].drop_duplicates()) > cells[axis].nunique()
    ]
    keys = cells[others].astype(object).where(cells[others].notna(), None)
    place = pd.Series([*map(tuple, keys.to_numpy())], cells.index, dtype=object)
    parts = {
        str(value): part.set_axis(pd.Index(place[part.index], tupleize_cols=False))
        for value, part in cells.groupby(axis, sort=False, observed=True)
    }
    rows = []
    for a, b in combinations(parts, 2):
        common = [key for key in parts[a].index if key in set(parts[b].index)]
        if common:
            rows.append([axis, a, b, *_pair(parts[a].loc[common], parts[b].loc[common],
                                            sharing, n_looks, level)])  # fmt: skip
    names = ["axis", "a", "b", "places", "value_a", "value_b", "difference", "difference_low"]
    table = pd.DataFrame(rows, columns=[*names, "difference_high", "p_value", "n_a", "n_b"])
    table["p_holm"] = holm(table["p_value"]) if len(table) else []
    return table


def _pair(
    a: pd.DataFrame, b: pd.DataFrame, sharing: int, n_looks: int, level: float
) -> Sequence[float]:
    places = len(a)
    means = [float(part["value"].mean()) for part in (a, b)]
    errors = np.concatenate([part["se"].to_numpy(dtype=float) for part in (a, b)])
    se = float(np.sqrt(min(sharing, places) * np.square(errors).sum()) / places)
    gap = means[1] - means[0]
    half = NormalDist().inv_cdf(1 - (1 - level) / 2 / n_looks) * se
    p_value = min(1.0, n_looks * normal_p_value(gap, se, 0.0, 0.0, "="))
    return [places, *means, gap, gap - half, gap + half, p_value, a["n"].sum(), b["n"].sum()]


def valid_quantities(quantities: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """The quantities, rates with those of their intervals that are valid however a study grew.

    Args:
        quantities: From `quantity_table`.
        rates: One row per cell, from `with_valid_intervals`.
    """
    table = quantities.copy()
    for quantity in QUANTITIES.values():
        rate = f"{quantity.column}_rate"
        if quantity.kind in ("mean", "scaling") or f"{rate}_low" not in rates:
            continue
        own = table["quantity"] == quantity.name
        low, high = (
            rates[f"{rate}_{end}"].reindex(table.loc[own, "cell"]).to_numpy(dtype=float)
            for end in ("low", "high")
        )
        if quantity.of_no:
            low, high = 1 - high, 1 - low
        if quantity.kind == "restarts":
            low, high = restarts(high), restarts(low)
        table.loc[own, "low"], table.loc[own, "high"] = low, high
    return table
