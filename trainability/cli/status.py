"""`trainability status`: how far a study is, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainability import interrupts
from trainability.checks import counted
from trainability.cli.app import (
    StorageOption,
    StudyArgument,
    app,
    clean,
    err,
    examples,
    out,
    show_commands,
)
from trainability.cli.documents import HashesOption, JsonOption, print_document
from trainability.seeds import BLOCK_SIZE
from trainability.stored import open_study

if TYPE_CHECKING:
    from rich.console import Group

    from trainability.storage import Storage
    from trainability.study import Study

_LOOK_EVERY_S = 2.0


@app.command(
    rich_help_panel="Studies",
    epilog=examples("status absolute_value", "status mine --watch", "status mine --json"),
)
def status(
    study: StudyArgument,
    storage: StorageOption = "results",
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Look again until all is done and nothing runs, or Ctrl-C."),
    ] = False,
    hashes: HashesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show cells, replicates done and to do, success, and failures."""
    chosen, place = open_study(study, storage)
    from trainability.cli.cells import cell_entries
    from trainability.running.stopping import running

    if watch:
        _watch(chosen, place, hashes, as_json)
    entries = cell_entries(chosen, place)
    runs = running(chosen.name, place)
    n_other = _of_other_values(chosen, place)
    if as_json:
        print_document(
            {
                "study": chosen.name,
                "running": [f"process {run.pid} on {run.host}" for run in runs],
                "networks_of_other_values": n_other,
                "cells": entries,
            }
        )
        return
    if not (watch and err.is_terminal and out.is_terminal):  # there it stands already
        out.print(_table(chosen, place, entries, hashes))
    todo = _todo(entries)
    if n_other:
        out.print(
            f"Beside these, {n_other:,} networks of other values are stored under this name: it "
            "was declared otherwise before, and what is stored stays."
        )
    if todo:
        out.print(f"{todo:,} networks to do")
    for run in runs:
        said = "runs now" if run.is_seen else "may run, if that machine is still there"
        out.print(f"{said}: {run}", soft_wrap=True)
    if runs:
        show_commands(place.address, None, study, end="stop")
    if any(run.is_seen for run in runs):
        return
    if todo:
        show_commands(place.address, None, study, run="run")
    else:
        show_commands(place.address, None, study, complete="report")


def _watch(study: Study, place: Storage, hashes: bool, as_json: bool) -> None:
    """Look every two seconds: a table that stays in its place on a terminal, lines elsewhere."""
    from rich.live import Live

    from trainability.cli.cells import cell_entries
    from trainability.running.stopping import running

    in_lines = as_json or not err.is_terminal
    before = ""
    try:
        with interrupts.orderly(), Live(console=err, auto_refresh=False, transient=False) as live:
            while True:
                entries = cell_entries(study, place)
                line = _line(entries)
                if not in_lines:
                    live.update(_table(study, place, entries, hashes), refresh=True)
                elif line != before:
                    err.print(line, soft_wrap=True)
                before = line
                if not _todo(entries) and not running(study.name, place):
                    return
                interrupts.wait(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        err.print("no longer watched; nothing was changed")


def _of_other_values(study: Study, place: Storage) -> int:
    """Networks that are stored under the study's name, and are none of its cells."""
    from trainability.growth import study_cells

    ours = study_cells(study, place)
    blocks = {
        (file.cell, block)
        for file in place.block_files(study.name)
        for block in file.blocks
        if file.cell not in ours
    }
    return len(blocks) * BLOCK_SIZE


def _line(entries: list[dict[str, Any]]) -> str:
    done = sum(entry["replicates_done"] for entry in entries)
    whole = sum(not entry["replicates_to_do"] for entry in entries)
    return f"{whole}/{len(entries)} cells  {done:,}/{done + _todo(entries):,} networks"


def _todo(entries: list[dict[str, Any]]) -> int:
    return sum(entry["replicates_to_do"] for entry in entries)


def _table(study: Study, place: Storage, entries: list[dict[str, Any]], hashes: bool) -> Group:
    from trainability.cli.cells import distinguished
    from trainability.cli.tables import HASHES, Column, new_table, titled
    from trainability.growth import study_cells
    from trainability.report.text import with_interval

    columns = distinguished(study_cells(study, place))
    diverged = any(entry["diverged"] for entry in entries)
    left = ([HASHES] if hashes else []) + list(columns)
    right = ["networks", "success % [95 %]"] + (["diverged"] if diverged else [])
    table = new_table([*left, *map(Column, right)])
    for number, entry in enumerate(entries):
        done = entry["replicates_done"]
        rate = (entry[f"success_rate{end}"] for end in ("", "_low", "_high"))
        table.add_row(
            *([entry["cell"]] if hashes else []),
            *(clean(column[number]) for column in columns.values()),
            f"{done:,}" + (f"/{done + left_:,}" if (left_ := entry["replicates_to_do"]) else ""),
            with_interval(*rate) if done else "-",
            *([f"{entry['diverged']:,}"] if diverged else []),
        )
    table.add_section()
    done = sum(entry["replicates_done"] for entry in entries)
    todo = _todo(entries)
    successes = sum(entry["successes"] for entry in entries)
    whole = sum(not entry["replicates_to_do"] for entry in entries)
    every = "all " * (len(entries) > 1)
    cells = (f"{whole}/" if todo else every) + counted(len(entries), "cell")
    table.add_row(
        cells,
        *[""] * (len(left) - 1),
        f"{done:,}" + (f"/{done + todo:,}" if todo else ""),
        f"{successes:,} of {done:,}" if done else "-",
        *([f"{sum(entry['diverged'] for entry in entries):,}"] if diverged else []),
        style="bold",
    )
    return titled(study.name, table)
