"""Strategy against strategy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import pandas as pd

from trainability.analysis.comparisons import INITIALIZATION, STREAM, compare_cells, holm
from trainability.analysis.pooled import pool
from trainability.findings.arguments import NO_ARGUMENTS, Arguments
from trainability.findings.places import WIDTHS, axis_columns
from trainability.seeds import BLOCK_SIZE
from trainability.study import Cell, Study
from trainability.study.axes import COMPARED
from trainability.study.network import AS_BUILT

MOST_PAIRS = 20_000
"""Pairs of cells that are compared at most along one axis; more say nothing to a reader."""


@dataclass(frozen=True)
class Comparisons:
    """Value against value of every axis of strategies, in the order in which a study declares them.

    Args:
        places: As `comparisons.compare`, after the column `axis`: every pair at every place.
        pooled: As `pooled.pool`, after the columns `axis` and `sharing`: every pair once.
    """

    places: pd.DataFrame
    pooled: pd.DataFrame

    @property
    def axes(self) -> list[str]:
        """Axes along which anything was compared."""
        return list(dict.fromkeys(self.pooled["axis"])) if len(self.pooled) else []

    def of(self, axis: str) -> pd.DataFrame:
        """The pooled tests along an axis."""
        return self.pooled[self.pooled["axis"] == axis]


def with_streams(rates: pd.DataFrame, cells: Mapping[str, Cell]) -> pd.DataFrame:
    """The rates with a first column that says which cells share their random numbers: `STREAM`.

    A module that stays as it is built has a stream of its own: what its function draws depends on
    all of it. Where the function of any module is not here, nobody can know whose layers are the
    same: all cells then count as sharing that may, by `stream_without_code`. Tests of pairs hold
    for independent networks too, and pooled ones err on the safe side.

    Args:
        rates: One row per cell, indexed by its id.
        cells: By id.
    """
    chosen = {name: cells[str(name)] for name in rates.index}
    networks = [cell.network for cell in chosen.values()]
    has_code = all(network is None or network.has_code for network in networks)
    streams = {}
    for name, cell in chosen.items():
        if cell.network is not None and cell.scheme.keeps_modules:
            drawn = cell.initialization
        else:
            drawn = cell.stream_identity if has_code else cell.stream_without_code
        streams[name] = hashlib.sha256(f"{cell.seed} {drawn}".encode()).hexdigest()[:16]
    table = rates.copy()
    table.insert(0, STREAM, rates.index.map(streams))
    return table


def compare_strategies(
    study: Study,
    rates: pd.DataFrame,
    networks: pd.DataFrame,
    n_looks: int,
    level: float,
    arguments: Arguments = NO_ARGUMENTS,
) -> Comparisons:
    """All pairs along every axis of strategies, place by place and pooled over all places.

    Place by place, intervals and p-values hold at any look at both cells (Bonferroni). The pooled
    tests of a study that grew use the grid and the networks alone that it declared from the start,
    whose number does not depend on what they did.

    Args:
        study: For the order of its axes, and for how many networks it declares.
        rates: One row per cell, with its identity, from `with_streams`.
        networks: Every network's `cell`, `replicate` and `success`.
        n_looks: How often a cell was looked at before it stopped, at most.
        level: Of every interval.
        arguments: Compared in place of the networks.
    """
    order = arguments.in_place_of_networks(compared_axes(study))
    columns = arguments.columns
    places, pooled = [], []
    for axis in order:
        if not is_compared(axis, rates):
            continue
        own = arguments.in_words(rates, axis) if axis in columns else rates
        table = compare_places(axis, own, networks, n_looks, level, columns)
        if table.empty:
            continue
        places.append(table)
        fixed = table
        if n_looks > 1:
            fixed = compare_places(axis, *declared(study, own, networks), 1, level, columns)
        if len(fixed):
            sharing = most_sharing(axis, rates)
            table = pool(fixed.drop(columns="axis"), sharing, level)
            table.insert(0, "axis", axis)
            table.insert(1, "sharing", sharing)
            pooled.append(table)
    return Comparisons(_stacked(places), pd.concat(pooled) if pooled else pd.DataFrame())


def compared_axes(study: Study) -> list[str]:
    """Axes of strategies, those first that a study declares, in its order."""
    return list(dict.fromkeys(name for name in (*study.axes, *COMPARED) if name in COMPARED))


def is_compared(axis: str, rates: pd.DataFrame) -> bool:
    """Whether an axis is more than another name of the network: a module's activation is not."""
    values = set(rates[axis].astype(str)) if axis in rates else set()
    return axis != "activation" or AS_BUILT not in values or len(values) > 2


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables of several axes: first all the columns that name a place, then what was measured."""
    if not tables:
        return pd.DataFrame()
    own = [list(table.columns[: table.columns.get_loc("a")]) for table in tables]
    first = list(dict.fromkeys(name for names in own for name in names))
    rest = list(tables[0].columns[tables[0].columns.get_loc("a") :])
    return pd.concat(tables, ignore_index=True)[first + rest]


def declared(
    study: Study, rates: pd.DataFrame, networks: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells of the grid, and as many of their networks as the study declares from the start."""
    cells = [cell.id for cell in study.cells()]
    first = networks["replicate"] < study.n_blocks * BLOCK_SIZE
    return rates[rates.index.isin(cells)], networks[first & networks["cell"].isin(cells)]


def compare_places(
    axis: str,
    rates: pd.DataFrame,
    networks: pd.DataFrame,
    n_looks: int,
    level: float,
    arguments: Sequence[str] = (),
) -> pd.DataFrame:
    """Every pair of values of an axis at every point of the others, Holm-corrected over all.

    The others are those of `axis_columns`, which takes the arguments.

    No rows for one value, or with more than `MOST_PAIRS` pairs.
    """
    n_values = rates[axis].nunique() if axis in rates else 0
    if n_values < 2:
        return pd.DataFrame()
    # What one value of the axis has only once tells nothing apart.
    others = [
        name
        for name in axis_columns(rates, arguments)
        if name != axis and _n_pairs(rates[axis], rates[name]) > n_values
    ]
    sizes = rates.groupby(others, dropna=False).size() if others else pd.Series([len(rates)])
    n_pairs = sum(comb(int(size), 2) for size in sizes)
    if not 0 < n_pairs <= MOST_PAIRS:
        return pd.DataFrame()
    rows = networks.assign(cell=networks["cell"].astype(object))
    cells = rates.loc[rows["cell"].unique()].assign(place="all")
    family = n_looks**2
    by = tuple(others) or ("place",)
    table = compare_cells(cells, rows, axis, 1 - (1 - level) / family, by)
    table["p_value"] = np.minimum(1.0, table["p_value"] * family)
    table["p_holm"] = holm(table["p_value"])
    table.insert(0, "axis", axis)
    return table


def _n_pairs(one: pd.Series, other: pd.Series) -> int:
    """How many different pairs of values two columns have; by codes, for tables are wide."""
    codes, values = pd.factorize(other, use_na_sentinel=False)
    return len(np.unique(pd.factorize(one, use_na_sentinel=False)[0] * len(values) + codes))


def most_sharing(axis: str, rates: pd.DataFrame) -> int:
    """How many cells of one value of an axis share their initializations, at most."""
    names = [STREAM] if STREAM in rates else [*INITIALIZATION, WIDTHS]
    names = [name for name in names if name in rates]
    return int(rates.groupby(list({axis, *names}), dropna=False).size().max())
