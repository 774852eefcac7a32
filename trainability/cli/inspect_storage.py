"""`trainability report` and `sync`: what storage holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trainability import interrupts
from trainability.addresses import shown
from trainability.checks import counted
from trainability.cli.app import (
    StorageOption,
    StudyArgument,
    TrackingOption,
    app,
    err,
    examples,
    out,
    study_names,
)
from trainability.cli.documents import (
    JsonOption,
    only_documents,
    print_document,
    study_document,
)
from trainability.commands import command
from trainability.errors import InputError, StudyFailed
from trainability.stored import open_study

if TYPE_CHECKING:
    from trainability.report import Report, SideBySide
    from trainability.storage import BlockFile, Storage
    from trainability.study import Study


@app.command(
    rich_help_panel="Results",
    epilog=examples(
        "report absolute_value",
        "report mine --watch",
        "report mine theirs",
        "report mine --json",
    ),
)
def report(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY...",
            help="Study files, or names in [b]studies/[/b] or on storage; several give one more "
            "page with all of them side by side.",
            autocompletion=study_names,
        ),
    ],
    storage: StorageOption = "results",
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Keep the report up to date until the study is complete, or Ctrl-C."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write tables, fits, figures and one HTML page from what storage holds."""
    studies = list(dict.fromkeys(studies))
    opened = [open_study(study, storage) for study in studies]
    chosen, place = [study for study, _ in opened], opened[0][1]
    if watch:
        if len(chosen) > 1:
            raise InputError(
                f"report --watch wants one study, got {len(chosen)}; watch one of them"
            )
        _watch(chosen[0], place, as_json)
        return
    from trainability.growth import study_cells

    for study, text in zip(chosen, studies, strict=True):
        if not place.block_files(study.name, study_cells(study, place)):
            raise InputError(
                f"no results of {study.name} in {place.shown}; first: "
                f"{command('run', text, storage=place.address)}"
            )
    with only_documents(as_json):
        written = [_written(study, place) for study in chosen]
        beside = None
        if len(written) > 1:
            from trainability.report import write_side_by_side

            beside = write_side_by_side(written, place)
    _show(written, beside, place, as_json)


def _written(study: Study, place: Storage) -> Report:
    """Its report, written as fast as this machine can."""
    from trainability.report.helper import helping

    with helping() as helper:
        from trainability.report import write_report

        return write_report(study, place, helper=helper)


def _show(written: list[Report], beside: SideBySide | None, place: Storage, as_json: bool) -> None:
    """What was found, and where it is written."""
    if as_json:
        documents = [study_document(one, place) for one in written]
        between = {} if beside is None else {"between": beside.said}
        together = None if beside is None else str(beside.page)
        print_document({"studies": documents, **between, "side_by_side": together})
        return
    for one in written:
        one.show(out)
        out.print(f"report:  {one.page}", soft_wrap=True)
    if beside is not None:
        names = " and ".join(one.findings.study.name for one in written)
        out.print(f"\nBetween {names}", style="bold", markup=False, emoji=False)
        for sentence in beside.said:
            out.print(sentence, markup=False, emoji=False)
        out.print(f"side by side:  {beside.page}", soft_wrap=True)


def _watch(study: Study, place: Storage, as_json: bool) -> None:
    """Write the report again and again; Ctrl-C ends it between two of them."""
    from trainability.report import watch_report

    err.print(f"waiting for results of {study.name} (Ctrl-C ends)", highlight=False)
    written = None
    try:
        with interrupts.orderly(), only_documents(as_json):
            for written in watch_report(study, place, interrupts.wait):
                so_far = written.findings
                err.print(
                    f"{so_far.n_networks:,}/{so_far.n_wanted:,} networks in {len(so_far.rates)}/"
                    f"{counted(len(so_far.cells), 'cell')}  {written.page}",
                    soft_wrap=True,
                    highlight=False,
                )
    except KeyboardInterrupt:
        err.print("no longer watched; the page stays as it is")
        return
    if written is not None:
        _show([written], None, place, as_json)


@app.command(
    rich_help_panel="Results",
    epilog=examples("sync mine", "sync mine --tracking-uri http://127.0.0.1:5000"),
)
def sync(
    study: StudyArgument,
    storage: StorageOption = "results",
    tracking_uri: TrackingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rebuild the MLflow mirror from storage; doing it again changes nothing."""
    chosen, place = open_study(study, storage)
    from trainability import tracking
    from trainability.growth import study_cells, wanted_blocks
    from trainability.plan import missing_blocks
    from trainability.report import write_report

    cells = study_cells(chosen, place)
    files = place.block_files(chosen.name, cells)
    if not files:
        raise InputError(
            f"no results of {chosen.name} in {place.shown}; first: "
            f"{command('run', study, storage=place.address)}"
        )
    uri = tracking.usable_tracking_uri(tracking_uri, place)
    with only_documents(as_json):
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
    if as_json:
        print_document(
            {
                "study": chosen.name,
                "storage": place.shown,
                "tracking_uri": shown(uri),
                "cells": len(cells),
                "cells_mirrored": len(cells) - unfinished,
            }
        )
        return
    err.print(
        f"MLflow at {shown(uri)} mirrors {len(cells) - unfinished} of "
        f"{counted(len(cells), 'cell')}",
        soft_wrap=True,
    )


def _begun(place: Storage, files: list[BlockFile]) -> float:
    """When the first of some blocks was begun, in seconds since 1970."""
    made = (place.provenance(file) for file in files)
    return min(float(entry["finished_at"]) - float(entry["seconds"]) for entry in made)
