"""The width that success takes over the number of samples, family of tasks by family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from trainability.analysis.scaling import LEAST_SIZES, Power, power_of_samples
from trainability.findings.labels import short
from trainability.findings.places import axis_columns
from trainability.study import Cell
from trainability.study.records import canonical, to_record

SHARE = 0.9
"""The success rate whose width is asked for."""
_SIZES = ("n_train", "rows")
"""Settings that say how many samples a task has."""


@dataclass(frozen=True)
class WidthGrowth:
    """How the width for `SHARE` success grows over tasks that differ in their samples' number.

    Args:
        family: A name of these tasks, and of what else tells them from others.
        cells: Ids of all their cells.
        power: The power of the number of samples, and the widths behind it.
    """

    family: str
    cells: frozenset[str]
    power: Power


def of_one_look(level: float, n_looks: int) -> float:
    """The level of intervals that hold at any of several looks with `level` (Bonferroni).

    >>> of_one_look(0.95, 1), round(of_one_look(0.95, 5), 9)
    (0.95, 0.99)
    """
    return level if n_looks == 1 else 1 - (1 - level) / n_looks


def growths(rates: pd.DataFrame, cells: Mapping[str, Cell], level: float) -> list[WidthGrowth]:
    """With which power of the number of samples the width for `SHARE` success grows.

    Args:
        rates: One row per cell, with its identity.
        cells: The cells by id.
        level: Of every interval.

    Returns:
        One for each family. None with fewer than three numbers of samples, or where widths don't
        vary.
    """
    rates = rates[rates["width"].notna()]
    if rates["n_train"].nunique() < LEAST_SIZES or rates["width"].nunique() < 2:
        return []
    others = [name for name in axis_columns(rates) if name not in ("task", "width")]
    keys = {id_: _family(cells[str(id_)], others) for id_ in rates.index}
    entries = []
    for _, family in rates.groupby([keys[id_] for id_ in rates.index], sort=False):
        if family["n_train"].nunique() < LEAST_SIZES:
            continue
        name = _name(cells[str(family.index[0])], family, rates, others)
        power = power_of_samples(family, SHARE, level)
        entries.append(WidthGrowth(name, frozenset(map(str, family.index)), power))
    return entries


def scaling(entries: Sequence[WidthGrowth]) -> pd.DataFrame:
    """The same as a table.

    Args:
        entries: From `growths`.

    Returns:
        One row per family and number of samples: `family`, `n_train`, `width` with `width_low` and
        `width_high`, and of the family `power` with `power_low` and `power_high`, and `n`.
    """
    parts = []
    for entry in entries:
        power = entry.power
        own = {"power": power.power, "power_low": power.low, "power_high": power.high}
        table = power.widths.assign(**own, n=power.n)
        table.insert(0, "family", entry.family)
        parts.append(table)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _family(cell: Cell, others: list[str]) -> str:
    task = to_record(cell.declared("task"))
    kept = {name: value for name, value in task.items() if name not in _SIZES}
    return canonical([kept, [str(getattr(cell, name, None)) for name in others]])


def _name(cell: Cell, family: pd.DataFrame, rates: pd.DataFrame, others: list[str]) -> str:
    task = cell.declared("task")  # the class of one that an axis has changed says nothing
    name = getattr(task, "name", None) or getattr(task, "dataset", None)
    varies = [other for other in others if rates[other].nunique(dropna=False) > 1]
    words = [short(list(map(str, rates[v].unique())))[str(family[v].iloc[0])] for v in varies]
    return ", ".join([str(name or type(task).__name__).replace("_", " "), *words])
