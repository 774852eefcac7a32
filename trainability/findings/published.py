"""Published numbers beside ours: the cells that they are about, and whether both agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from trainability.analysis.agreement import normal_p_value, rate_p_value, restarts_p_value
from trainability.analysis.comparisons import difference, holm
from trainability.findings.labels import short
from trainability.findings.scaling import WidthGrowth, of_one_look
from trainability.study import Cell, Study
from trainability.study.axes import STRATEGIES, label
from trainability.study.network import FULLY_CONNECTED
from trainability.study.published import Published, cells_of
from trainability.study.quantities import QUANTITIES, RESTART_CHANCE, Quantity

DISAGREE = 0.05
"""Corrected p-value up to which a published number and ours are said to disagree."""
COLUMNS = [
    "source", "quantity", "where", "n_cells", "differs", "relation", "published",
    "published_error", "published_n", "ours", "ours_low", "ours_high", "n", "difference",
    "difference_low", "difference_high", "p_value", "p_holm", "agrees",
]  # fmt: skip


def paper_beside_ours(
    study: Study,
    cells: Mapping[str, Cell],
    quantities: pd.DataFrame,
    level: float,
    n_looks: int = 1,
    grown: Sequence[WidthGrowth] = (),
) -> pd.DataFrame:
    """Published numbers beside those of the cells that they are about, and beside no others.

    Args:
        study: For its published numbers.
        cells: Its cells with networks, by id.
        quantities: From `quantity_table`.
        level: Of every interval, at any look.
        n_looks: How often a cell was looked at before it stopped, at most (Bonferroni).
        grown: From `growths`, at the level of one look: what published powers of the number of
            samples stand beside.

    Returns:
        One row per published number that cells answer, of the older kind one per cell: `where` in
        words, `n_cells` over whose mean ours is, `published` with `published_error` and
        `published_n` where they were told, `ours` with its interval, `n` of our networks, and
        `difference`, ours minus theirs; where nothing tells their error, theirs counts as exact.
        `agrees` unless `p_holm`, corrected for all rows, is at most `DISAGREE`.
    """
    measured = {
        (row["cell"], row["quantity"]): _Measured(**{name: row[name] for name in _MEASURED})
        for row in quantities.to_dict("records")
    }
    names = {
        axis: short(list(dict.fromkeys(str(getattr(cell, axis)) for cell in cells.values())))
        for axis in STRATEGIES
    }
    level = of_one_look(level, n_looks)
    rows = []
    for entry in study.published:
        quantity = QUANTITIES[entry.about]
        for where, value in entry.numbers():
            chosen = [cell.id for cell in cells_of(where, cells.values())]
            if quantity.kind == "scaling":
                rows += [
                    _row(entry, quantity, of.family, value, [_power(of, level)], level, n_looks)
                    for of in grown
                    if of.cells.intersection(chosen) and np.isfinite(of.power.power)
                ]
                continue
            chosen = [cell for cell in chosen if (cell, quantity.name) in measured]
            groups = [[cell] for cell in chosen] if entry.is_of_every_cell else [chosen]
            for group in filter(None, groups):
                ours = [measured[cell, quantity.name] for cell in group]
                words = where_text(where, names)
                rows.append(_row(entry, quantity, words, value, ours, level, n_looks))
    table = pd.DataFrame(rows, columns=COLUMNS[:-2])
    table["p_holm"] = holm(table["p_value"]) if len(table) else []
    table["agrees"] = table["p_holm"] > DISAGREE
    return table


_MEASURED = ("n", "count", "value", "low", "high", "se")


@dataclass(frozen=True)
class _Measured:
    """A quantity of a cell, as `quantity_table` has it."""

    n: int
    count: float
    value: float
    low: float
    high: float
    se: float


def _power(of: WidthGrowth, level: float) -> _Measured:
    """A power, with the error that its interval would have by the normal law."""
    power = of.power
    se = (power.high - power.low) / 2 / NormalDist().inv_cdf((1 + level) / 2)
    return _Measured(power.n, np.nan, power.power, power.low, power.high, se)


def _row(
    entry: Published,
    quantity: Quantity,
    where: str,
    value: float,
    cells: Sequence[_Measured],
    level: float,
    n_looks: int,
) -> list[Any]:
    theirs = entry.n if quantity.kind == "rate" else None
    error = entry.error or (np.sqrt(value * (1 - value) / theirs) if theirs else 0.0)
    if len(cells) > 1:
        ours, low, high, se = mean_over_cells(cells, level)
        p_value = normal_p_value(ours, se, value, error, entry.relation)
    else:
        cell = cells[0]
        ours, low, high, se = cell.value, cell.low, cell.high, cell.se
        if quantity.kind == "restarts":
            p_value = restarts_p_value(
                int(cell.count), cell.n, value, entry.relation, RESTART_CHANCE
            )
        elif quantity.kind == "rate" and not entry.error:
            p_value = rate_p_value(int(cell.count), cell.n, value, theirs, entry.relation)
        else:
            p_value = normal_p_value(ours, se, value, error, entry.relation)
    if len(cells) == 1 and theirs:
        k = round(value * theirs)
        limits = difference(k, theirs, int(cells[0].count), cells[0].n, level)[1:]
    elif error:
        half = NormalDist().inv_cdf((1 + level) / 2) * float(np.hypot(se, error))
        limits = (ours - value - half, ours - value + half)
    else:
        limits = (low - value, high - value)
    return [
        entry.source, entry.about, where, len(cells), entry.differs, entry.relation,
        value, entry.error, entry.n, ours, low, high, sum(cell.n for cell in cells), ours - value,
        *map(float, limits), min(1.0, p_value * n_looks),
    ]  # fmt: skip


def mean_over_cells(cells: Sequence[Any], level: float) -> tuple[float, float, float, float]:
    """The mean of a quantity over cells, which are independent, its normal interval, its error.

    Args:
        cells: With `value` and `se`.
        level: Of the interval.
    """
    mean = float(np.mean([cell.value for cell in cells]))
    se = float(np.sqrt(np.sum([cell.se**2 for cell in cells])) / len(cells))
    half = NormalDist().inv_cdf((1 + level) / 2) * se
    return mean, mean - half, mean + half, se


def where_text(
    where: Mapping[str, Any], names: Mapping[str, Mapping[str, str]] | None = None
) -> str:
    """The values of some axes, in words.

    Args:
        where: The values.
        names: Of axes of strategies, short names of the values by how they are written.

    >>> where_text({"width": 2, "penalty": None, "batch_size": None, "network": None})
    'width 2, penalty none, full batch, fully connected'
    """
    texts = []
    for name, value in where.items():
        if name == "batch_size" and value is None:
            texts.append("full batch")
        elif name == "network" and value is None:
            texts.append(FULLY_CONNECTED)
        elif name in STRATEGIES and value is not None:
            texts.append((names or {}).get(name, {}).get(str(value), str(value)))
        else:
            texts.append(f"{label(name)} {'none' if value is None else value}")
    return ", ".join(texts) or "all cells"
