"""The cells of a study as rows of a table: what tells them apart, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trainability.cli.tables import Column
from trainability.findings.labels import short
from trainability.growth import stopping_growth, study_cells, wanted_blocks
from trainability.growth.intervals import with_valid_intervals
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE
from trainability.study.axes import AXES, STRATEGIES, label

if TYPE_CHECKING:
    from trainability.storage import Storage
    from trainability.study import Cell, Study

LEVEL = 0.95
_READ = [
    "cell", "replicate", "status", "success", "steps", "trainable", "born_dead", "active_init",
    "collapsed", "depth",
]  # fmt: skip


def distinguished(cells: Mapping[str, Cell]) -> dict[Column, list[str]]:
    """By what cells differ: a column for each axis that varies, its value for each cell.

    Where nothing varies, scheme and width.
    """
    columns = {}
    for name in AXES:
        values = [cell.declared(name) for cell in cells.values()]
        texts = ["-" if value is None else str(value) for value in values]
        if len(set(texts)) > 1 or (len(cells) == 1 and name in ("scheme", "width")):
            columns[name] = texts
    for name in STRATEGIES:
        if len(set(columns.get(name, ()))) > 1:
            names = short(list(dict.fromkeys(columns[name])))
            columns[name] = [names[text] for text in columns[name]]
    return {Column(label(name), name in STRATEGIES): texts for name, texts in columns.items()}


def cell_entries(study: Study, storage: Storage) -> list[dict[str, Any]]:
    """How far each cell of a study is, and how often its networks succeed, for JSON and tables."""
    from trainability.analysis.rates import success_rates

    cells = study_cells(study, storage)
    wanted = wanted_blocks(study, storage, cells)
    missing = missing_blocks(wanted, storage.block_files(study.name, cells))
    rows = storage.read_rows(study.name, list(cells), _READ)
    rates: dict[str, Any] = {}
    if len(rows):
        stopping = stopping_growth(study, storage)
        table, _ = with_valid_intervals(success_rates(rows, level=LEVEL), rows, stopping, LEVEL)
        rates = {str(cell): row for cell, row in table.to_dict("index").items()}
    return [
        {
            "cell": cell.id,
            "scheme": str(cell.scheme),
            "width": cell.width,
            "depth": cell.depth,
            **{
                name: None if (value := cell.declared(name)) is None else str(value)
                for name in AXES
                if name in study.axes and name not in ("scheme", "width", "depth")
            },
            "replicates_done": int(rates.get(cell.id, {}).get("n", 0)),
            "replicates_to_do": len(missing[cell.id]) * BLOCK_SIZE,
            "successes": int(rates.get(cell.id, {}).get("successes", 0)),
            **{
                name: rates.get(cell.id, {}).get(name)
                for name in ("success_rate", "success_rate_low", "success_rate_high")
            },
            "diverged": int(rates.get(cell.id, {}).get("n_diverged", 0)),
        }
        for cell in cells.values()
    ]
