"""`trainability run`: run or resume a study."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from trainability.cli.app import (
    StorageOption,
    StudyArgument,
    TrackingOption,
    app,
    err,
    out,
)
from trainability.cli.launching import (
    AddressOption,
    CpusOption,
    EngineOption,
    GpusOption,
    LabelOption,
    MaxConcurrentOption,
    MaxFailuresOption,
    launch_settings,
)
from trainability.errors import StorageError, StudyFailed
from trainability.precision import Growth, study_cells
from trainability.provenance import describe_environment
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.stored import declare, stored_study
from trainability.study import Study

_LINES = 20

if TYPE_CHECKING:
    from trainability.report import Report
    from trainability.tracking import Mirror


@app.command()
def run(
    study: StudyArgument,
    replicates: Annotated[
        int | None, typer.Option(help="Networks per cell, instead of the study's number.")
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            help="Add networks to each cell until half the width of its 95 % interval is at most "
            "this, such as 0.01."
        ),
    ] = None,
    refine: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Add points to the grid until it is known where success crosses this rate.",
        ),
    ] = None,
    storage: StorageOption = "results",
    tracking_uri: TrackingOption = None,
    address: AddressOption = None,
    cpus_per_trial: CpusOption = 1.0,
    gpus_per_trial: GpusOption = 0.0,
    label: LabelOption = None,
    max_concurrent: MaxConcurrentOption = None,
    engine: EngineOption = "auto",
    max_failures: MaxFailuresOption = 3,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run; start and write nothing.")
    ] = False,
) -> None:
    """Run a study, or what is missing of it: the same command again resumes."""
    problems = []
    if replicates is not None and replicates < 1:
        problems.append(f"--replicates must be >= 1, got {replicates}")
    options = launch_settings(
        address,
        cpus_per_trial,
        gpus_per_trial,
        label,
        max_concurrent,
        engine,
        max_failures,
        *problems,
    )
    place = Storage(storage)
    chosen = stored_study(study, place)
    if replicates is not None:
        chosen = dataclasses.replace(chosen, replicates=replicates)
    growth = Growth(n_blocks=chosen.n_blocks, precision=precision, refine=refine)
    if dry_run:
        _show_plan(chosen, place)
        return
    place.check_writable()
    with interruptible():
        _run(chosen, growth, place, study, tracking_uri, options)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Take SIGTERM, by which `kill`, Slurm and Kubernetes ask for an end, as Ctrl-C.

    Raises:
        StudyFailed: If an interrupt was not dealt with inside.
    """

    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt as error:
        raise StudyFailed(
            "interrupted; what is stored stays, and the same command goes on"
        ) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(
    study: Study,
    growth: Growth,
    place: Storage,
    text: str,
    tracking_uri: str | None,
    options: Mapping[str, Any],
) -> None:
    # Imported here, so that a study that is refused is refused at once.
    from trainability import tracking
    from trainability.cli.growing import launch_rounds
    from trainability.launch import Options

    cells = study_cells(study, place)
    networks = study.n_blocks * BLOCK_SIZE
    err.print(
        f"[bold]{study.name}[/]  {len(cells)} cells x {networks:,} networks"
        + (
            f" ({study.replicates:,} rounded up to whole blocks of {BLOCK_SIZE})"
            if networks != study.replicates
            else ""
        )
    )
    for line in declare(study, cells, place):
        err.print(f"[yellow]{escape(line)}[/]", soft_wrap=True)
    place.write_record(study.name, "provenance", json.dumps(describe_environment(), indent=2))
    uri = tracking.tracking_uri(tracking_uri, place)
    mirror = tracking.Mirror(study, place, uri)
    started = time.monotonic()
    try:
        outcome = launch_rounds(study, place, growth, mirror, Options(**options), err)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        mirror.close("KILLED" if interrupted else "FAILED", hurry=True)
        raise
    for path in outcome.damaged:
        err.print(f"[yellow]damaged, set aside and run again:[/] {escape(path)}", soft_wrap=True)
    if outcome.networks:
        seconds = time.monotonic() - started
        err.print(f"{outcome.networks:,} networks trained in {seconds:.1f} s")
    elif not outcome.missing:
        err.print("nothing was missing")
    report = None
    if not outcome.interrupted:  # who ends a study, a batch system say, gives it little time
        report = _write_report(study, place, mirror)
    status = "KILLED" if outcome.interrupted else "FAILED" if outcome.missing else "FINISHED"
    mirror.close(status, hurry=outcome.interrupted)
    if mirror.trouble and not outcome.interrupted:  # else the same command mends it
        err.print(
            f"[yellow]MLflow at {uri} is incomplete ({escape(mirror.trouble)}); when it is back:"
            f"[/] trainability sync {text} --storage {place.address}",
            soft_wrap=True,
        )
    if outcome.missing:
        lines = [
            f"  {cell}: {len(outcome.missing[cell])} blocks missing; {why}"
            for cell, why in outcome.failures.items()
        ]
        if len(lines) > _LINES:
            lines[_LINES:] = [f"  and {len(lines) - _LINES} more: {place.address}/{study.name}"]
            lines[-1] += "/failures.json"
        raise StudyFailed(
            "\n".join(
                [
                    f"{len(outcome.missing)} of {len(study_cells(study, place))} cells are "
                    f"incomplete"
                    f"{' (interrupted)' if outcome.interrupted else ''}",
                    *lines,
                    "the same command runs what is missing",
                ]
            )
        )
    if outcome.interrupted:  # between two rounds
        raise KeyboardInterrupt
    if report is None:
        raise StudyFailed(
            "all networks are trained and stored, but the report could not be written"
        )
    out.print(f"report:  {report.page}", soft_wrap=True)
    out.print(f"browse:  trainability ui --storage {place.address}", soft_wrap=True)


def _write_report(study: Study, place: Storage, mirror: Mirror) -> Report | None:
    """Write and show the report; None if nothing is stored, or, with a message, if that fails."""
    from trainability.report import write_report

    try:
        if not place.block_files(study.name, study_cells(study, place)):
            return None
        err.print("writing the report")
        report = write_report(study, place)
    except StorageError as error:
        err.print(f"[yellow]no report:[/] {escape(str(error))}", soft_wrap=True)
        return None
    mirror.add(lambda target: target.log_report(report.folder, report.markdown))
    report.show(out)
    return report


def _show_plan(study: Study, place: Storage) -> None:
    from trainability.plan import missing_blocks

    cells = study_cells(study, place)
    missing = missing_blocks(
        dict.fromkeys(cells, study.n_blocks), place.block_files(study.name, cells)
    )
    table = Table(title=f"{study.name}: what would run", title_justify="left")
    for name in ("cell", "scheme", "width", "depth", "networks there", "networks to run"):
        table.add_column(name, justify="left" if name in ("cell", "scheme") else "right")
    for cell in cells.values():
        todo = len(missing[cell.id]) * BLOCK_SIZE
        there = study.n_blocks * BLOCK_SIZE - todo
        table.add_row(
            cell.id, str(cell.scheme), str(cell.width), str(cell.depth), f"{there:,}", f"{todo:,}"
        )
    out.print(table)
