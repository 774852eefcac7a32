"""The page on which every column of rows, tables and metrics is looked up."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import trainability
from trainability.findings import meanings
from trainability.results import COLUMNS, MEANINGS
from trainability.schemes import DataDependent, UnitSphere
from trainability.study import Study
from trainability.tasks import AbsoluteValue
from trainability.tracking.metrics import curve_metrics, final_metrics

SMALL = Study(
    name="small",
    question="Which columns do tables have?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), DataDependent()], "width": [2, 4]},
    optimizer=trainability.Adam(learning_rate=0.02),
    max_steps=200,
    tolerance=1e-2,
    replicates=256,
)


def rows_table() -> str:
    """Columns of the rows in Markdown, as they are declared."""
    lines = ["| column | values | meaning |", "|---|---|---|"]
    for column in COLUMNS:
        text = MEANINGS[column.name]
        if column.since:
            text += f" Since version {column.since} of the files; in older ones {column.default}."
        lines.append(f"| `{column.name}` | {meanings.values_text(column)} | {text} |")
    return "\n".join(lines)


def tables(storage: Path) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The tables and the rows of a small study that is run here."""
    result = trainability.run(SMALL, storage=storage, ray=False)
    return result.tables, result.rows


def tables_text(made: dict[str, pd.DataFrame]) -> str:
    """What each table holds, and its columns, in Markdown."""
    identity = {column.name for column in COLUMNS if column.same_for_cell}
    text = ""
    for name in dict.fromkeys([*meanings.TABLES, *made]):
        text += f"### {name}.csv\n\n{meanings.TABLES.get(name, '')}\n\n"
        own = meanings.OWN.get(name, {})
        columns = list(made[name].columns if name in made else own)
        if not columns:
            continue
        lines = ["| column | meaning |", "|---|---|"]
        shared = [c for c in columns if c in identity and c not in ("cell", "width", *own)]
        lines += [
            f"| `{column}` | {own.get(column) or meanings.meaning(column) or ''} |"
            for column in columns
            if column not in shared
        ]
        text += "\n".join(lines) + "\n\n"
        if shared:
            text += "And of the rows: " + ", ".join(f"`{column}`" for column in shared) + ".\n\n"
    return text


def metrics_text(rows: pd.DataFrame) -> str:
    """Metrics of a cell's MLflow run in Markdown."""
    cell = rows[rows["cell"] == rows["cell"].iloc[0]]
    names = {**final_metrics(cell, np.nan, []), **curve_metrics(cell)}
    lines = ["| metric | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {meanings.METRICS[name]} |" for name in names]
    return "\n".join(lines)


def write_columns(folder: Path) -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as storage:
        made, rows = tables(Path(storage))
    text = f"""# Every column

Rates and shares lie in [0, 1], steps are updates of the parameters, losses are as the study's loss
declares them, times are in seconds. Intervals are of 95 % each.

## Rows: one per network

In the Parquet files on storage and in `trainability.load(...).rows`; declared in
{{py:mod}}`trainability.columns`. Curves are recorded at the steps 0, 1, 2, 5, 10, 20, 50 and so on,
and at `max_steps`.

{rows_table()}

## Tables of a report

CSV files in the report's folder, and `trainability.load(...).tables` by the name of the file. A
table without rows is not written. Of a column `x`, `x_low` and `x_high` are the ends of its
interval and `x_se` is its standard error.

{tables_text(made)}
## Metrics in MLflow

Of the run of each cell. Where networks have classes, or points are held back, also the means of
`accuracy` and of `validation_...` as `..._mean`.

{metrics_text(rows)}
"""
    (folder / "columns.md").write_text(text, encoding="utf-8")
