"""Results: one row per replicate; what the columns are, and what a valid table is."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from trainability.seeds import BLOCK_SIZE

_COUNTS = pa.list_(pa.int32())

SCHEMA = pa.schema(
    [
        ("study", pa.string()),
        ("cell", pa.string()),
        ("replicate", pa.int64()),
        ("task", pa.string()),
        ("scheme", pa.string()),
        ("width", pa.int32()),
        ("depth", pa.int32()),
        ("d_in", pa.int32()),
        ("d_out", pa.int32()),
        ("n_train", pa.int32()),
        ("need", pa.int32()),
        ("optimizer", pa.string()),
        ("learning_rate", pa.float64()),
        ("batch_size", pa.int32()),
        ("max_steps", pa.int64()),
        ("tolerance", pa.float64()),
        ("seed", pa.int64()),
        ("status", pa.string()),
        ("born_dead", pa.bool_()),
        ("trainable", pa.bool_()),
        ("active_init", _COUNTS),
        ("tentative_init", _COUNTS),
        ("permanent_init", _COUNTS),
        ("undecided_init", _COUNTS),
        ("active_final", _COUNTS),
        ("tentative_final", _COUNTS),
        ("permanent_final", _COUNTS),
        ("undecided_final", _COUNTS),
        ("n_revived", pa.int32()),
        ("initial_loss", pa.float32()),
        ("final_loss", pa.float32()),
        ("steps", pa.int64()),
        ("success", pa.bool_()),
        ("loss_curve", pa.list_(pa.float32())),
        ("active_curve", _COUNTS),
        ("tentative_curve", _COUNTS),
        ("permanent_curve", _COUNTS),
    ]
)
"""Columns and types of the rows.

Identity: `study` to `seed`; `need` is how many neurons of the first hidden layer must not be
permanently dead. `status` is `ok` or `diverged`. `*_init` and `*_final` hold one count per hidden
layer; `*_final` is null for a diverged network, whose parameters are not finite. `undecided_*`
counts neurons that the census could not settle; they are counted among the dead as the samples
say. `*_curve` holds one value per step of `trial.checkpoints(max_steps)`, neurons summed over the
hidden layers, null from the step at which a network diverged. `batch_size` is null for the full
batch.
"""


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
    # Engines compare in float32, in which .001 is a little more than .001.
    reached = succeeded["final_loss"] <= succeeded["tolerance"].astype("float32")
    assert reached.all(), "success above tolerance"
