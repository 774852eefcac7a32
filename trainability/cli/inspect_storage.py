"""`trainability status`, `report`, `sync` and `ui`: what storage holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from trainability import interrupts
from trainability.addresses import shown
from trainability.cli.app import (
    StorageOption,
    StudyArgument,
    TrackingOption,
    app,
    err,
    out,
    show_commands,
)
from trainability.cli.inputs import JsonOption
from trainability.commands import command, printable
from trainability.errors import InputError, StudyFailed
from trainability.growth import study_cells, wanted_blocks
from trainability.plan import missing_blocks
from trainability.seeds import BLOCK_SIZE
from trainability.storage import BlockFile, Storage
from trainability.stored import stored_study
from trainability.study import Study

if TYPE_CHECKING:
    from trainability.report import Report


@app.command()
def status(
    study: StudyArgument, storage: StorageOption = "results", as_json: JsonOption = False
) -> None:
    """Show cells, replicates done and to do, and failures."""
    place = Storage(storage)
    chosen = stored_study(study, place)
    cells = study_cells(chosen, place)
    missing = missing_blocks(
        wanted_blocks(chosen, place, cells), place.block_files(chosen.name, cells)
    )
    rows = place.read_rows(chosen.name, list(cells), ["cell", "status", "success"])
    grouped = rows.groupby("cell")
    there = grouped.size().to_dict()
    diverged = (rows["status"] == "diverged").groupby(rows["cell"]).sum().to_dict()
    successes = grouped["success"].sum().to_dict()
    entries = [
        {
            "cell": cell.id,
            "scheme": str(cell.scheme),
            "width": cell.width,
            "depth": cell.depth,
            "replicates_done": int(there.get(cell.id, 0)),
            "replicates_to_do": len(missing[cell.id]) * BLOCK_SIZE,
            "successes": int(successes.get(cell.id, 0)),
            "diverged": int(diverged.get(cell.id, 0)),
        }
        for cell in cells.values()
    ]
    if as_json:
        print(json.dumps({"study": chosen.name, "cells": entries}))
        return
    table = Table(title=chosen.name, title_justify="left")
    for name in entries[0]:
        table.add_column(name.replace("_", " "), justify="left" if name == "scheme" else "right")
    for entry in entries:
        table.add_row(*(f"{v:,}" if isinstance(v, int) else str(v) for v in entry.values()))
    out.print(table)
    todo = sum(entry["replicates_to_do"] for entry in entries)
    if todo:
        out.print(f"{todo:,} networks to do")
        show_commands(place.address, None, study, run="run")
    else:
        show_commands(place.address, None, study, complete="report")


@app.command()
def report(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY...",
            help="Study files, or names in [b]studies/[/b] or on storage; several give one more "
            "page with all of them side by side.",
        ),
    ],
    storage: StorageOption = "results",
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Keep the report up to date until the study is complete, or Ctrl-C."
        ),
    ] = False,
) -> None:
    """Write tables, fits, figures and one HTML page from what storage holds."""
    place = Storage(storage)
    studies = list(dict.fromkeys(studies))
    chosen = [stored_study(study, place) for study in studies]
    if watch:
        if len(chosen) > 1:
            raise InputError(
                f"report --watch wants one study, got {len(chosen)}; watch one of them"
            )
        _watch(chosen[0], place)
        return
    for study, text in zip(chosen, studies, strict=True):
        if not place.block_files(study.name, study_cells(study, place)):
            raise InputError(
                f"no results of {study.name} in {place.shown}; first: "
                f"{command('run', text, storage=place.address)}"
            )
    written = [_written(study, place) for study in chosen]
    for one in written:
        one.show(out)
        out.print(f"report:  {one.page}", soft_wrap=True)
    if len(written) > 1:
        from trainability.report import write_side_by_side

        page = write_side_by_side(written, place)
        out.print(f"side by side:  {page}", soft_wrap=True)


def _written(study: Study, place: Storage) -> Report:
    """Its report, written as fast as this machine can."""
    from trainability.report.pictures import helping

    with helping() as helper:
        from trainability.report import write_report

        return write_report(study, place, helper=helper)


def _watch(study: Study, place: Storage) -> None:
    """Write the report again and again; Ctrl-C ends it between two of them."""
    from trainability.report import watch_report

    err.print(f"waiting for results of {study.name} (Ctrl-C ends)", highlight=False)
    try:
        with interrupts.orderly():
            for written in watch_report(study, place, interrupts.wait):
                found = written.findings
                err.print(
                    f"{found.n_networks:,}/{found.n_wanted:,} networks in {len(found.rates)}/"
                    f"{len(found.cells)} cells  {written.page}",
                    soft_wrap=True,
                    highlight=False,
                )
            written.show(out)
            out.print(f"report:  {written.page}", soft_wrap=True)
    except KeyboardInterrupt:
        err.print("no longer watched; the page stays as it is")


@app.command()
def sync(
    study: StudyArgument, storage: StorageOption = "results", tracking_uri: TrackingOption = None
) -> None:
    """Rebuild the MLflow mirror from storage; doing it again changes nothing."""
    from trainability import tracking
    from trainability.report import write_report

    place = Storage(storage)
    chosen = stored_study(study, place)
    cells = study_cells(chosen, place)
    files = place.block_files(chosen.name, cells)
    if not files:
        raise InputError(
            f"no results of {chosen.name} in {place.shown}; first: "
            f"{command('run', study, storage=place.address)}"
        )
    uri = tracking.tracking_uri(tracking_uri, place)
    tracking.require_usable(uri)
    mirror = tracking.Mirror(chosen, place, uri, _begun(place, files))
    missing = missing_blocks(wanted_blocks(chosen, place, cells), files)
    for cell in cells.values():
        if not missing[cell.id]:
            mirror.cell_done(cell)
    written = write_report(chosen, place)
    mirror.add(lambda target: target.log_report(written.folder, written.markdown))
    unfinished = sum(bool(blocks) for blocks in missing.values())
    mirror.close("KILLED" if unfinished else "FINISHED")
    if mirror.trouble:
        raise StudyFailed(f"MLflow at {shown(uri)} could not be written: {mirror.trouble}")
    err.print(
        f"MLflow at {shown(uri)} mirrors {len(cells) - unfinished} of {len(cells)} cells",
        soft_wrap=True,
    )


def _begun(place: Storage, files: list[BlockFile]) -> float:
    """When the first of some blocks was begun, in seconds since 1970."""
    made = (place.provenance(file) for file in files)
    return min(float(entry["finished_at"]) - float(entry["seconds"]) for entry in made)


@app.command()
def ui(
    storage: StorageOption = "results",
    tracking_uri: TrackingOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 5000,
) -> None:
    """Open MLflow's user interface on the storage, for this machine only (127.0.0.1)."""
    from trainability import tracking

    if not 1 <= port <= 65535:
        raise InputError(f"--port must be from 1 to 65535, got {port}")
    uri = tracking.tracking_uri(tracking_uri, Storage(storage))
    remote = uri.startswith(("http://", "https://"))
    server = uri.rstrip("/") if remote else f"http://127.0.0.1:{port}"
    tracking.require_store(uri)
    if not remote:
        tracking.require_free_port(port)
    for name, page in tracking.study_pages(uri, shown(server)).items():
        # As it is: a page of MLflow is named behind the #.
        out.print(Text(printable(f"{name}:  {page}")), soft_wrap=True)
    if remote:
        return
    out.print(f"MLflow on {server} (Ctrl-C ends it)")
    tracking.serve(uri, port)
