"""Results: one row per replicate; what the columns are, and what a valid table is.

Every column is declared once, in `COLUMNS`: its type, its range, since which version it exists
and what stands in older rows. Schema, check and fill derive from that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from trainability.identity import VERSION
from trainability.seeds import BLOCK_SIZE

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = pa.list_(pa.int32())
_SHARES = pa.list_(pa.float32())
_FLAGS = pa.list_(pa.bool_())
_STATES = ("active", "tentative", "permanent")


@dataclass(frozen=True)
class Column:
    """A column of the rows.

    Args:
        name: Its name.
        type: Its Arrow type; of the entries if it holds lists, one per layer or per checkpoint.
        least: Least value of it, or of every entry; None for texts and truth values.
        one_of: The texts that it may hold; empty for any.
        nullable: Whether a value may be missing.
        nullable_since: The version since which it may; 0 from the beginning.
        nullable_entries: Whether an entry of a list may be missing.
        same_for_cell: Whether all rows of a cell have the same value: it is identity.
        since: The version since which it exists; 0 from the beginning.
        default: Its value in rows of files that are older.
    """

    name: str
    type: pa.DataType
    least: float | None = None
    one_of: tuple[str, ...] = ()
    nullable: bool = False
    nullable_since: int = 0
    nullable_entries: bool = False
    same_for_cell: bool = False
    since: int = 0
    default: Any = None

    def __post_init__(self) -> None:
        assert self.since <= VERSION, f"{self.name}: raise VERSION, which is {VERSION}"


def _identity(name: str, type_: pa.DataType, least: float | None = None, **more: Any) -> Column:
    return Column(name, type_, least, same_for_cell=True, **more)


COLUMNS: tuple[Column, ...] = (
    _identity("study", pa.string()),
    _identity("cell", pa.string()),
    Column("replicate", pa.int64(), 0),
    _identity("task", pa.string()),
    _identity("scheme", pa.string()),
    _identity("width", pa.int32(), 1, nullable=True, nullable_since=2),
    _identity("depth", pa.int32(), 2, nullable=True, nullable_since=3),
    _identity("d_in", pa.int32(), 1),
    _identity("d_out", pa.int32(), 1),
    _identity("n_train", pa.int32(), 1),
    _identity("need", pa.int32(), 0),
    _identity("optimizer", pa.string()),
    _identity("learning_rate", pa.float64(), 0),
    _identity("batch_size", pa.int32(), 1, nullable=True),
    _identity("max_steps", pa.int64(), 1),
    _identity("tolerance", pa.float64(), 0, nullable=True, nullable_since=2),
    _identity("seed", pa.int64(), 0),
    Column("status", pa.string(), one_of=("ok", "diverged")),
    Column("born_dead", pa.bool_()),
    Column("trainable", pa.bool_()),
    Column("active_init", _COUNTS, 0),
    Column("tentative_init", _COUNTS, 0),
    Column("permanent_init", _COUNTS, 0),
    Column("undecided_init", _COUNTS, 0),
    Column("active_final", _COUNTS, 0, nullable=True),
    Column("tentative_final", _COUNTS, 0, nullable=True),
    Column("permanent_final", _COUNTS, 0, nullable=True),
    Column("undecided_final", _COUNTS, 0, nullable=True),
    Column("n_revived", pa.int32(), 0),
    Column("initial_loss", pa.float32(), 0, nullable=True),
    Column("final_loss", pa.float32(), 0, nullable=True),
    Column("steps", pa.int64(), 0),
    Column("success", pa.bool_()),
    Column("loss_curve", pa.list_(pa.float32()), 0, nullable_entries=True),
    Column("active_curve", _COUNTS, 0, nullable_entries=True),
    Column("tentative_curve", _COUNTS, 0, nullable_entries=True),
    Column("permanent_curve", _COUNTS, 0, nullable_entries=True),
    _identity("activation", pa.string(), since=1, default="ReLU()"),
    _identity("loss", pa.string(), since=1, default="MeanSquaredError()"),
    _identity("penalty", pa.string(), since=1, default="none"),
    _identity("target_accuracy", pa.float64(), 0, nullable=True, since=2),
    _identity("n_classes", pa.int32(), 0, since=2, default=0),
    _identity("n_validation", pa.int32(), 0, since=2, default=0),
    Column("accuracy", pa.float64(), 0, nullable=True, since=2),
    Column("validation_loss", pa.float32(), 0, nullable=True, since=2),
    Column("best_validation_loss", pa.float32(), 0, nullable=True, since=2),
    Column("validation_accuracy", pa.float64(), 0, nullable=True, since=2),
    Column("best_validation_accuracy", pa.float64(), 0, nullable=True, since=2),
    _identity("widths", pa.string(), nullable=True, since=2),
    Column("collapsed", pa.bool_(), nullable=True, since=2),
    Column("variance_init", _SHARES, 0, nullable=True, nullable_entries=True, since=3),
    Column("living_init", _SHARES, 0, nullable=True, nullable_entries=True, since=3),
    _identity("network", pa.string(), since=3, default="fully connected"),
    _identity("layers", pa.string(), nullable=True, since=3),
    Column("collapsed_curve", _FLAGS, nullable=True, nullable_entries=True, since=3),
)
"""Columns of the rows, in order.

Identity: `study` to `seed`; `need` is how many neurons of the first hidden layer must not be
permanently dead. `width` is that of all hidden layers; where they differ it is null, and `widths`
has them all as text, such as "(8, 4)", null elsewhere. `status` is `ok` or `diverged`. `*_init` and
`*_final` hold one count per hidden layer; `*_final` is null for a diverged network, whose
parameters are not finite. `undecided_*` counts neurons that the census could not settle; they are
counted among the dead as the samples say. `*_curve` holds one value per step of
`checkpoints(max_steps)`, neurons summed over the hidden layers, null from the step at which a
network diverged. `batch_size` is null for the full batch. A loss that is no number is null.

Success is a loss of at most `tolerance`, or where that is null an accuracy of at least
`target_accuracy` at a checkpoint. `n_classes` is 0 where targets are numbers, `n_validation` where
no points are held back. `accuracy` is the share of the training points whose class the network
names at the end, `validation_*` are of the validation points, `best_*` the least loss and the
largest accuracy at any checkpoint, birth included. They are null where they do not apply, and of
a network that diverged, but for the best ones, of the checkpoints before.

`collapsed` says whether the network is constant on the training points where training left it
(`trial.collapsed`); null where that was not measured, by older code, or is not defined, for a
network that diverged. `collapsed_curve` says the same at every checkpoint.

`variance_init` and `living_init` hold one share per hidden layer, of the network at birth on the
training points (`sensitivity`): the variance of the layer's output over its mean square, and the
points at which every layer so far has an active neuron. Null where older code wrote the row.
`network` is "fully connected", or the user's function with its arguments, of which the networks
are copies. Of those `width` and `depth` are what the function was called with, and null where it
takes none; `need` is 0; `activation` is "as built"; the lists per hidden layer have one entry per
ReLU that can be followed to layers, and `layers` their names, with commas, null where there is
none: then lists are empty. `trainable` is whether nothing shows that training can't succeed.
"""

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

MEANINGS: dict[str, str] = {
    "study": "Name of the study.",
    "cell": "Id of the cell: a hash of its identity.",
    "replicate": "Number of the network within its cell, from 0.",
    "task": "The task, as one writes it.",
    "scheme": "The initialization scheme, as one writes it.",
    "width": "Neurons of each hidden layer; null where they differ, see widths.",
    "depth": "Affine layers; a shallow network has 2.",
    "d_in": "Inputs.",
    "d_out": "Outputs.",
    "n_train": "Training points.",
    "need": "Neurons of the first hidden layer that must not be permanently dead.",
    "optimizer": "The optimizer, as one writes it.",
    "learning_rate": "Its step size, before any schedule.",
    "batch_size": "Points of a minibatch; null for all of them at every step.",
    "max_steps": "Updates after which training ends, in steps.",
    "tolerance": "Training loss at which a network succeeds; null where accuracy decides.",
    "seed": "The study's seed.",
    "status": "ok, or diverged: its loss or parameters are not finite. It counts as a failure.",
    "born_dead": "Whether the network is constant on the domain at birth.",
    "trainable": "Whether at birth enough neurons of every layer are not permanently dead.",
    "active_init": "Neurons at birth that are active, one count per hidden layer.",
    "tentative_init": "Neurons at birth that are tentatively dead, per hidden layer.",
    "permanent_init": "Neurons at birth that are permanently dead, per hidden layer.",
    "undecided_init": "Neurons at birth that the census could not settle, per hidden layer; they "
    "are counted among the dead as the samples say.",
    "active_final": "As active_init where training ended; null for a network that diverged.",
    "tentative_final": "As tentative_init where training ended; null if diverged.",
    "permanent_final": "As permanent_init where training ended; null if diverged.",
    "undecided_final": "As undecided_init where training ended; null if diverged.",
    "n_revived": "Neurons that were dead at birth and are active where training ended.",
    "initial_loss": "Training loss at birth, as the loss declares it.",
    "final_loss": "Training loss where training ended; null if it is no number.",
    "steps": "Updates until the network succeeded, or until training ended, in steps.",
    "success": "Whether it reached the tolerance, or the target accuracy, within max_steps.",
    "loss_curve": "Training loss at every checkpoint; null from where it diverged.",
    "active_curve": "Active neurons of all hidden layers together, at every checkpoint.",
    "tentative_curve": "Tentatively dead neurons likewise.",
    "permanent_curve": "Permanently dead neurons likewise.",
    "activation": "The activation, as one writes it.",
    "loss": "The loss, as one writes it.",
    "penalty": "The penalty, as one writes it, or none.",
    "target_accuracy": "Training accuracy at which a network succeeds; null where loss decides.",
    "n_classes": "Classes; 0 where targets are numbers.",
    "n_validation": "Points that are held back; 0 for none.",
    "accuracy": "Share of the training points whose class the network names at the end.",
    "validation_loss": "Loss on the points that are held back, at the end.",
    "best_validation_loss": "The least of it at any checkpoint, birth included.",
    "validation_accuracy": "Share of the held-back points whose class is named, at the end.",
    "best_validation_accuracy": "The largest of it at any checkpoint, birth included.",
    "widths": "Neurons of every hidden layer as text, where they differ; else null.",
    "collapsed": "Whether the network is constant on the training points where training ended.",
    "collapsed_curve": "The same at every checkpoint; null from where it diverged.",
    "variance_init": "At birth, variance of each hidden layer's output over its mean square.",
    "living_init": "At birth, share of the training points at which each layer so far is active.",
}
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
