"""What theory says of the cells of a study, as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from trainability.analysis.expected import expected_trainability, has_law, why_unbounded
from trainability.errors import InputError
from trainability.study import Cell
from trainability.theory import (
    active_count_pmf,
    born_dead_lower_bound,
    born_dead_probability,
    born_dead_upper_bound,
)


def expectations(cells: Mapping[str, Cell]) -> pd.DataFrame:
    """Theory, indexed by cell.

    Returns:
        `trainability` with its standard error `trainability_se` and `trainability_method`: NaN
        where theory bounds nothing, and `trainability_method` says why;
        `is_bound`: whether theory gives an upper bound of it only; `born_alive`, the probability
        1 - p that a neuron of the first layer is not born dead; and for deep networks the bounds
        `born_dead_lower` and `born_dead_upper` of the probability to be born dead. What holds
        for ReLU alone is NaN elsewhere.
    """
    rows = {}
    cache: dict[Any, dict[str, Any]] = {}
    for id_, cell in cells.items():
        # Cells that differ in how they are trained share their theory.
        key = (cell.scheme, id(cell.task), cell.width, cell.depth, cell.needs, cell.activation,
               cell.idle, cell.network)  # fmt: skip
        if key not in cache:
            cache[key] = _of(cell)
        rows[id_] = cache[key]
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("cell")


def count_laws(cells: Mapping[str, Cell]) -> dict[str, np.ndarray]:
    """The law of the number of active neurons of the first layer, for cells where it is exact."""
    laws = {}
    cache: dict[Any, np.ndarray | None] = {}
    for id_, cell in cells.items():
        if not has_law(cell):
            continue
        key = (cell.scheme, id(cell.task), cell.widths[0])
        if key not in cache:
            law = active_count_pmf(cell.scheme, cell.task.domain, cell.widths[0])
            cache[key] = None if law.standard_error.any() else law.pmf
        if cache[key] is not None:
            laws[id_] = cache[key]
    return laws


def best_constants(cells: Mapping[str, Cell]) -> dict[str, float]:
    """The loss of the best constant output, by cell."""
    cache: dict[Any, float] = {}
    losses = {}
    for id_, cell in cells.items():
        key = (cell.loss, id(cell.task))
        if key not in cache:
            cache[key] = float(cell.loss.of_constant(cell.task.data()[1]))
        losses[id_] = cache[key]
    return losses


def least_width(cells: Mapping[str, Cell], curves: pd.Series) -> Callable[..., float]:
    """Theory's trainability of a curve at any width, for `fits.widths_needed`; NaN as in a table.

    Args:
        cells: By id.
        curves: The curve of every cell.
    """
    first = {curve: cells[str(cell)] for cell, curve in reversed(list(curves.items()))}

    def trainability(key: tuple[Any, ...], width: int) -> float:
        cell = replace(first[key[0]], width=width)
        return np.nan if why_unbounded(cell) else float(expected_trainability(cell))

    return trainability


def _of(cell: Cell) -> dict[str, Any]:
    expected, unbounded = expected_trainability(cell), why_unbounded(cell)
    return {
        "trainability": np.nan if unbounded else float(expected),
        "trainability_se": expected.standard_error,
        "trainability_method": unbounded or expected.described,
        "is_bound": expected.is_upper_bound and not unbounded,
        "born_alive": 1
        - float(born_dead_probability(cell.scheme, cell.task.domain, cell.widths[0]))
        if has_law(cell)
        else (np.nan if cell.activation.flat or cell.network is not None else 1.0),
        "born_dead_lower": _bound(born_dead_lower_bound, cell),
        "born_dead_upper": _bound(born_dead_upper_bound, cell),
    }


def _bound(bound: Callable[..., Any], cell: Cell) -> float:
    if not has_law(cell) or cell.n_hidden == 1:
        return np.nan
    try:
        return float(bound(cell.scheme, cell.task.domain, cell.widths))
    except InputError:  # it does not hold for this scheme
        return np.nan
