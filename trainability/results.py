"""Results: one row per replicate; what the columns are, and what a valid table is.

Schema, check and fill derive from the one declaration of every column, in `columns`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from trainability.columns import COLUMNS, Column
from trainability.seeds import BLOCK_SIZE

if TYPE_CHECKING:
    import pandas as pd

_STATES = ("active", "tentative", "permanent")

EVALUATED = (
    "accuracy",
    "validation_loss",
    "best_validation_loss",
    "validation_accuracy",
    "best_validation_accuracy",
)
"""Columns of what is computed of a network beside its training."""

SCHEMA = pa.schema([(column.name, column.type) for column in COLUMNS])
"""Names and types of `COLUMNS`."""

MEANINGS = {column.name: column.meaning for column in COLUMNS}
"""What every column means, for whoever reads the rows."""


def checkpoints(max_steps: int) -> list[int]:
    """Steps at which curves are recorded: 0, then 1, 2, 5 per decade, and `max_steps`.

    >>> checkpoints(30)
    [0, 1, 2, 5, 10, 20, 30]
    """
    steps = [0]
    decade = 1
    while decade < max_steps:
        steps += [factor * decade for factor in (1, 2, 5) if factor * decade < max_steps]
        decade *= 10
    return [*steps, max_steps]


def table_of(rows: pd.DataFrame) -> pa.Table:
    """The rows as an Arrow table of `SCHEMA`, without pandas' own metadata."""
    table = pa.Table.from_pandas(rows, schema=SCHEMA, preserve_index=False)
    return table.replace_schema_metadata(None)


def frame_of(table: pa.Table) -> pd.DataFrame:
    """An Arrow table of rows as a frame; the inverse of `table_of`."""
    return table.to_pandas()


def validate(rows: pd.DataFrame) -> None:
    """Assert what holds of the rows of consecutive whole blocks of one cell."""
    assert list(rows.columns) == SCHEMA.names, "columns differ from the schema"
    assert rows["cell"].nunique() == 1, "rows of several cells"
    first = int(rows["replicate"].iloc[0])
    expected = range(first, first + len(rows))
    assert first % BLOCK_SIZE == 0 and len(rows) % BLOCK_SIZE == 0, "rows are not whole blocks"
    assert rows["replicate"].tolist() == list(expected), "replicates are not consecutive"
    diverged = rows["status"] == "diverged"
    assert (diverged | (rows["status"] == "ok")).all(), "unknown status"
    assert not (diverged & rows["success"]).any(), "a diverged network succeeded"
    succeeded = rows[rows["success"]]
    if rows["tolerance"].notna().all():
        # Engines compare in float32, in which .001 is a little more than .001.
        reached = succeeded["final_loss"] <= succeeded["tolerance"].astype("float32")
        assert reached.all(), "success above tolerance"
    else:
        reached = succeeded["accuracy"] >= succeeded["target_accuracy"]
        assert reached.all(), "success below the target accuracy"


def schema_problem(schema: pa.Schema, version: int) -> str | None:
    """What is wrong with the columns of a file, None if nothing is.

    Args:
        schema: Names and types in the file.
        version: That the file says it has, at most `VERSION`.
    """
    expected = {column.name: column for column in COLUMNS if column.since <= version}
    if unknown := [name for name in schema.names if name not in expected]:
        return f"it has an unknown column {unknown[0]!r}"
    if missing := [name for name in expected if name not in schema.names]:
        return f"it has no column {missing[0]!r}"
    if len(schema.names) != len(expected):
        return "it has a column twice"
    for name, column in expected.items():
        if schema.field(name).type != column.type:
            return f"{name} is of type {schema.field(name).type}, not {column.type}"
    return None


def fill(table: pa.Table, names: Iterable[str]) -> pa.Table:
    """The columns of these names, in order; of a younger column that is missing, its default.

    Args:
        table: Rows, of this or of an older version.
        names: Of columns that are declared.
    """
    declared = {column.name: column for column in COLUMNS}
    arrays = [
        table[name]
        if name in table.column_names
        else pa.chunked_array(
            [pa.array([declared[name].default] * len(table), type=declared[name].type)]
        )
        for name in names
    ]
    return pa.table(arrays, schema=pa.schema([(n, declared[n].type) for n in names]))


def value_problem(table: pa.Table, study: str, cell: str, first: int) -> str | None:
    """What can't be in the rows of whole blocks of a cell, None if all may be.

    Of files from before files had a checksum, which have the columns of the first release. Only
    what no code has ever written is a problem: ranges, nulls, and laws between columns that
    hold by definition. That an untrainable network never succeeds is not among them: it is what
    studies test.

    Args:
        table: Of `SCHEMA`, not empty.
        study: Name of the study.
        cell: Id of the cell.
        first: Of the replicates.
    """
    return (
        next(filter(None, (_column_problem(table, c) for c in COLUMNS if not c.since)), None)
        or _identity_problem(table, study, cell, first)
        or _law_problem(table)
    )


def _column_problem(table: pa.Table, column: Column) -> str | None:
    values = table[column.name].combine_chunks()
    if values.null_count and (not column.nullable or column.nullable_since):
        return f"{column.name} has missing values"
    if pa.types.is_list(column.type):
        values = values.flatten()
        if values.null_count and not column.nullable_entries:
            return f"{column.name} has missing entries"
    if column.least is not None:
        numbers = values.drop_null().to_numpy(zero_copy_only=False)
        if (low := numbers[numbers < column.least]).size:
            return f"{column.name} is {low[0]:g}, below {column.least:g}"
    if column.one_of and (odd := set(values.unique().to_pylist()) - {*column.one_of}):
        return f"{column.name} is {min(odd)!r}, not {' or '.join(column.one_of)}"
    if column.same_for_cell and len(values.unique()) != 1:
        return f"{column.name} is not the same in all rows"
    return None


def _identity_problem(table: pa.Table, study: str, cell: str, first: int) -> str | None:
    for name, wanted in (("study", study), ("cell", cell)):
        if (got := table[name][0].as_py()) != wanted:
            return f"it holds {name} {got!r}, not {wanted!r}"
    if not np.array_equal(table["replicate"].to_numpy(), first + np.arange(len(table))):
        return "its replicates are not those of its name"
    return None


def _law_problem(table: pa.Table) -> str | None:
    n = len(table)
    width, depth = table["width"][0].as_py(), table["depth"][0].as_py()
    diverged = table["status"].to_numpy() == "diverged"
    success = table["success"].to_numpy()
    steps, budget = table["steps"].to_numpy(), table["max_steps"][0].as_py()
    loss = table["final_loss"].to_numpy()
    tolerance = float(np.float32(table["tolerance"][0].as_py()))
    ended = ~diverged & ~success
    if (success & diverged).any():
        return "a diverged network succeeded"
    if not np.isfinite(loss[~diverged]).all():
        return "the loss of a network that did not diverge is not finite"
    if (loss[success] > tolerance).any() or (loss[ended] < tolerance * (1 - 1e-6)).any():
        return "success and final_loss contradict each other"
    if (steps > budget).any() or (steps[ended] != budget).any():
        return "steps and max_steps contradict each other"
    for end, kept in (("init", np.ones(n, dtype=bool)), ("final", ~diverged)):
        counts = {}
        for name in (*_STATES, "undecided"):
            lists = table[f"{name}_{end}"].combine_chunks()
            if not np.array_equal(lists.is_valid().to_numpy(zero_copy_only=False), kept):
                return f"{name}_{end} and status contradict each other"
            if (lengths := _lengths(lists)) - {depth - 1}:
                return f"{name}_{end} has {max(lengths)} entries for {depth - 1} hidden layers"
            counts[name] = lists.flatten().to_numpy(zero_copy_only=False)
        if (sum(counts[name] for name in _STATES) != width).any():
            return f"the neurons counted at {end} are not {width} in every layer"
        if (counts["undecided"] > width).any():
            return f"undecided_{end} exceeds the width"
    if table["n_revived"].to_numpy().max() > width * (depth - 1):
        return "n_revived exceeds the number of neurons"
    curves = [table[f"{name}_curve"].combine_chunks() for name in ("loss", *_STATES)]
    if len(set.union(*map(_lengths, curves))) != 1:
        return "curves differ in length"
    values = [curve.flatten().to_numpy(zero_copy_only=False).astype(float) for curve in curves]
    total = sum(values[1:])
    if (np.isfinite(total) & (total != width * (depth - 1))).any():
        return "the neurons of a curve do not add up to those of the network"
    return None


def _lengths(lists: pa.ListArray) -> set[int]:
    return set(lists.value_lengths().drop_null().unique().to_pylist())
