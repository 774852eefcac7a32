"""From rows to one row per cell, some cells at a time: a study need not fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trainability.analysis.collapse import collapse_table
from trainability.analysis.comparisons import holm
from trainability.analysis.counts import count_shares, count_tests
from trainability.analysis.curves import collapse_curves, layer_census, loss_quantiles
from trainability.analysis.failures import failure_table
from trainability.analysis.measures import measure_means
from trainability.analysis.quantity_table import quantity_table
from trainability.analysis.rates import success_rates
from trainability.results import SCHEMA, checkpoints
from trainability.seeds import BLOCK_SIZE
from trainability.storage import BlockFile, Storage

Shared = Callable[[Callable[[Any], Any], list[Any]], list[Any]]
"""Calls a function with every entry of a list, and gives the results in order."""
_ROWS_AT_ONCE = 32_768
_LEAST_SHARE, _SHARES = 8192, 4
"""Rows, and about how many shares of a study: who is done takes the next one, and each costs some
hundredths of a second."""
_READERS = 8
_UNREAD = ("initial_loss", "active_curve", "tentative_curve", "permanent_curve")
COLUMNS = [name for name in SCHEMA.names if name not in _UNREAD]
PER_NETWORK = ["replicate", "success", "trainable", "steps"]


@dataclass(frozen=True)
class Measured:
    """What the rows of a study say, in tables by `cell`.

    Args:
        rates: From `success_rates`, with `n_revived` neurons and the undecided ones,
            `undecided_init` and `undecided_final`: neurons, summed over all networks.
        networks: One row per network: `cell` (categorical) and `PER_NETWORK`.
        failures: From `failure_table`.
        census: From `layer_census`.
        losses: From `loss_quantiles`.
        collapse: From `collapse_curves`; without rows where older code wrote all of it.
        measures: From `measure_means`; without rows where there are no classes and nothing is
            held back.
        quantities: From `quantity_table`.
        collapsed_to: From `collapse_table`.
        count_tests: From `count_tests`, of the first layer's active neurons.
        count_shares: From `count_shares`.
        blocks: One row per block file: `cell`, `first`, `last` and how it was made.
    """

    rates: pd.DataFrame
    networks: pd.DataFrame
    failures: pd.DataFrame
    census: pd.DataFrame
    losses: pd.DataFrame
    collapse: pd.DataFrame
    measures: pd.DataFrame
    quantities: pd.DataFrame
    collapsed_to: pd.DataFrame
    count_tests: pd.DataFrame
    count_shares: pd.DataFrame
    blocks: pd.DataFrame


def gather(
    name: str,
    storage: Storage,
    cells: list[str],
    laws: Mapping[str, np.ndarray],
    constants: Mapping[str, float],
    level: float,
    shared: Shared | None = None,
) -> Measured:
    """Read the rows of some cells and sum them up, cell by cell.

    Args:
        name: The study's name.
        storage: Where its rows are.
        cells: Ids of the cells, all with rows, in the order wanted.
        laws: Of the number of active neurons of the first layer, for some of the cells.
        constants: The loss of the best constant, by cell.
        level: Of every interval.
        shared: Calls a function with every entry of a list, in several processes: then these read
            and sum up some cells each.
    """
    files = storage.block_files(name, cells)
    sum_up = _SumUp(name, storage, laws, constants, level)
    if shared is None:
        parts = [sum_up.rows(rows) for rows in _batches(name, storage, cells, files)]
    else:
        n_rows = sum(len(file.blocks) for file in files) * BLOCK_SIZE
        share = min(max(n_rows // _SHARES, _LEAST_SHARE), _ROWS_AT_ONCE)
        parts = shared(sum_up, list(_cells_at_once(cells, files, share)))
    joined = {key: _joined([part[key] for part in parts]) for key in parts[0]}
    tests = joined["count_tests"]
    tests["p_holm"] = holm(tests["p_value"])
    networks = joined["networks"].reset_index(drop=True)
    networks["cell"] = pd.Categorical(networks["cell"], cells)
    for key in (
        "failures",
        "census",
        "losses",
        "collapse",
        "measures",
        "quantities",
        "collapsed_to",
        "count_shares",
    ):
        joined[key] = joined[key].reset_index(drop=True)
    return Measured(**joined | {"networks": networks}, blocks=_provenance(storage, files))


def _batches(
    name: str, storage: Storage, cells: list[str], files: list[BlockFile]
) -> Iterator[pd.DataFrame]:
    """The rows of so many cells at a time that they fit into memory, in order.

    While the caller looks at some, the next ones are read.
    """
    with ThreadPoolExecutor(1) as ahead:
        reading = None
        for batch in _cells_at_once(cells, files, _ROWS_AT_ONCE):
            following = ahead.submit(storage.read_rows, name, batch, COLUMNS)
            if reading is not None:
                yield reading.result()
            reading = following
        if reading is not None:
            yield reading.result()


def _cells_at_once(cells: list[str], files: list[BlockFile], n_rows: int) -> Iterator[list[str]]:
    n_blocks = dict.fromkeys(cells, 0)
    for file in files:
        n_blocks[file.cell] += len(file.blocks)
    batch: list[str] = []
    for cell in cells:
        batch.append(cell)
        if sum(n_blocks[entry] for entry in batch) * BLOCK_SIZE >= n_rows:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(frozen=True)
class _SumUp:
    """Sums up the rows of cells; whoever gets it pickled can, too."""

    name: str
    storage: Storage
    laws: Mapping[str, np.ndarray]
    constants: Mapping[str, float]
    level: float

    def __call__(self, cells: list[str]) -> dict[str, pd.DataFrame]:
        return self.rows(self.storage.read_rows(self.name, cells, COLUMNS))

    def rows(self, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
        return _sum_up(rows, self.laws, self.constants, self.level)


def _sum_up(
    rows: pd.DataFrame,
    laws: Mapping[str, np.ndarray],
    constants: Mapping[str, float],
    level: float,
) -> dict[str, pd.DataFrame]:
    cell = rows["cell"].to_numpy()
    rates = success_rates(rows, level=level)
    for column in ("n_revived", "undecided_init", "undecided_final"):
        rates[column] = _totals(rows[column], cell).reindex(rates.index, fill_value=0)
    networks = rows.filter(PER_NETWORK)
    networks.insert(0, "cell", cell.astype(object))
    budgets = rows["max_steps"].to_numpy()
    curves = [
        [
            loss_quantiles(rows[budgets == budget], checkpoints(int(budget))),
            collapse_curves(rows[budgets == budget], checkpoints(int(budget)), level=level),
        ]
        for budget in np.unique(budgets)
    ]
    losses, collapse = map(list, zip(*curves, strict=True))
    return {
        "rates": rates,
        "networks": networks,
        "failures": failure_table(rows, level=level),
        "census": layer_census(rows),
        "losses": pd.concat(losses),
        "collapse": pd.concat(collapse),
        "measures": measure_means(rows, level),
        "quantities": quantity_table(rows, level),
        "collapsed_to": collapse_table(rows, constants, level),
        "count_tests": count_tests(rows, laws),
        "count_shares": count_shares(rows, laws, level=level),
    }


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables of the same columns as one; those without rows say nothing of a column's type."""
    return pd.concat([table for table in tables if len(table)] or tables[:1])


def _totals(values: pd.Series, cell: np.ndarray) -> pd.Series:
    """Sums per cell, of numbers or of lists of numbers; what is missing counts nothing.

    Nor does an empty list, of a module without a neuron that could be dead.
    """
    kept = values.notna().to_numpy()
    values, cell = values[kept], cell[kept]
    if values.dtype != object or not len(values):
        return values.groupby(cell).sum()
    lists = values.to_list()
    lengths = np.fromiter(map(len, lists), dtype=int, count=len(lists))
    return pd.Series(np.concatenate(lists)).groupby(np.repeat(cell, lengths)).sum()


def _provenance(storage: Storage, files: list[BlockFile]) -> pd.DataFrame:
    with ThreadPoolExecutor(_READERS) as pool:
        records = list(pool.map(storage.provenance, files))
    return pd.DataFrame(
        [
            {"cell": file.cell, "first": file.first, "last": file.last, **made}
            for file, made in zip(files, records, strict=True)
        ]
    )
