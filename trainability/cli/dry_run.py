"""What `run --dry-run` shows: what would be trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trainability.checks import counted
from trainability.cli.app import clean, out
from trainability.cli.cells import distinguished
from trainability.cli.cost import expected, sentences
from trainability.cli.documents import print_document
from trainability.cli.tables import HASHES, Column, new_table, titled
from trainability.growth import planned
from trainability.seeds import BLOCK_SIZE

if TYPE_CHECKING:
    from trainability.running.job import Job


def show_plan(job: Job, hashes: bool, as_json: bool) -> None:
    """Show the cells of a study and what would run of them; starts and writes nothing."""
    study, place, growth = job.study, job.storage, job.growth
    plan = planned(study, place, growth)
    cost = expected(study.name, plan.cells, plan.missing, place)
    entries: list[dict[str, Any]] = [
        {
            "cell": cell.id,
            **{name: value for name, value in cell.columns().items() if name in study.axes},
            "scheme": str(cell.scheme),
            "width": cell.width,
            "depth": cell.depth,
            "networks_stored": plan.stored[cell.id] * BLOCK_SIZE,
            "networks_to_run": plan.missing[cell.id] * BLOCK_SIZE,
        }
        for cell in plan.cells.values()
    ]
    todo = plan.n_networks
    rest = "one round; what comes after it depends on its networks" if growth.grows else ""
    if as_json:
        print_document(
            {
                "study": study.name,
                "storage": place.shown,
                "cells": entries,
                "networks_to_run": todo,
                "expected": cost,
                "note": rest or None,
            }
        )
        return
    columns = distinguished(plan.cells)
    left = ([HASHES] if hashes else []) + list(columns)
    table = new_table([*left, Column("stored"), Column("to run")])
    for place_, entry in enumerate(entries):
        texts = ([entry["cell"]] if hashes else []) + [
            clean(column[place_]) for column in columns.values()
        ]
        numbers = (entry["networks_stored"], entry["networks_to_run"])
        table.add_row(*texts, *(f"{n:,}" for n in numbers))
    table.add_section()
    total = sum(entry["networks_stored"] for entry in entries)
    blank = [""] * (len(left) - 1)
    table.add_row(counted(len(entries), "cell"), *blank, f"{total:,}", f"{todo:,}", style="bold")
    out.print(titled(f"{study.name}: what would run", table))
    networks = f"{todo:,} networks to run{job.rounding}"
    out.print(f"{networks}{f': {rest}' if rest and todo else ''}", soft_wrap=True)
    for sentence in sentences(cost):
        out.print(sentence)
