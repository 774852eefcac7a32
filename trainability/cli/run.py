"""`trainability run`: run or resume a study."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

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
    styled,
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
from trainability.commands import command
from trainability.errors import StorageError, StudyFailed
from trainability.growth import Growth, next_round, study_cells
from trainability.plan import missing_blocks
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
        _show_plan(chosen, place, growth)
        return
    place.check_writable()
    require_usable(tracking_uri, place)
    with interruptible():
        _run(chosen, growth, place, study, tracking_uri, options)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """A command that has something to put in order when Ctrl-C, SIGTERM or SIGHUP ends it.

    Raises:
        StudyFailed: If an interrupt was not dealt with inside.
    """
    try:
        with interrupts.orderly():
            yield
    except KeyboardInterrupt as error:
        raise StudyFailed(
            "interrupted; what is stored stays, and the same command goes on"
        ) from error


def require_usable(tracking_uri: str | None, place: Storage) -> None:
    """Refuse a tracking URI that MLflow can't use."""
    from trainability import tracking

    tracking.require_usable(tracking.tracking_uri(tracking_uri, place))


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
    rounded = f" ({study.replicates:,} rounded up to whole blocks of {BLOCK_SIZE})"
    err.print(
        styled(
            study.name,
            "bold",
            f"  {len(cells)} cells x {networks:,} networks"
            + (rounded if networks != study.replicates else ""),
        )
    )
    uri = tracking.tracking_uri(tracking_uri, place)
    started = time.monotonic()
    mirror = tracking.Mirror(study, place, uri)

    def announce() -> None:
        for line in declare(study, cells, place):
            err.print(styled(line, "yellow"), soft_wrap=True)
        place.write_record(study.name, "provenance", json.dumps(describe_environment(), indent=2))

    try:
        outcome = launch_rounds(study, place, growth, mirror, Options(**options), err, announce)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        mirror.close("KILLED" if interrupted else "FAILED", hurry=True)
        raise
    for path in outcome.damaged:
        err.print(styled("damaged, set aside and run again:", "yellow", f" {path}"), soft_wrap=True)
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
    if mirror.trouble:
        again = command("sync", text, storage=place.address, tracking_uri=tracking_uri)
        when = "the same command, or," if outcome.interrupted else "when it is back:"
        err.print(
            styled(
                f"MLflow at {shown(uri)} is incomplete ({mirror.trouble}); {when}",
                "yellow",
                f" {again}",
            ),
            soft_wrap=True,
        )
    if outcome.missing:
        lines = [
            f"  {cell}: {len(outcome.missing[cell])} blocks missing; {why}"
            for cell, why in outcome.failures.items()
        ]
        if len(lines) > _LINES:
            lines[_LINES:] = [f"  and {len(lines) - _LINES} more: {place.shown}/{study.name}"]
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
    show_commands(place.address, tracking_uri, browse="ui")


def _write_report(study: Study, place: Storage, mirror: Mirror) -> Report | None:
    """Write and show the report; None if nothing is stored, or, with a message, if that fails."""
    from trainability.report import write_report

    try:
        if not place.block_files(study.name, study_cells(study, place)):
            return None
        err.print("writing the report")
        report = write_report(study, place)
    except StorageError as error:
        err.print(styled("no report:", "yellow", f" {error}"), soft_wrap=True)
        return None
    mirror.add(lambda target: target.log_report(report.folder, report.markdown))
    report.show(out)
    return report


def _show_plan(study: Study, place: Storage, growth: Growth) -> None:
    cells, part = study_cells(study, place), next_round(study, place, growth)
    wanted = {} if part is None else part.wanted
    cells |= {} if part is None else part.cells
    files = place.block_files(study.name, cells)
    missing = missing_blocks(wanted, files)
    stored: dict[str, set[int]] = {}
    for file in files:
        stored.setdefault(file.cell, set()).update(file.blocks)
    table = Table(title=f"{study.name}: what would run", title_justify="left")
    for name in ("cell", "scheme", "width", "depth", "networks stored", "networks to run"):
        table.add_column(name, justify="left" if name in ("cell", "scheme") else "right")
    for cell in cells.values():
        counts = (len(stored.get(cell.id, ())), len(missing.get(cell.id, ())))
        table.add_row(
            cell.id,
            str(cell.scheme),
            str(cell.width),
            str(cell.depth),
            *(f"{n * BLOCK_SIZE:,}" for n in counts),
        )
    out.print(table)
    todo = sum(map(len, missing.values())) * BLOCK_SIZE
    rest = ": one round; what comes after it depends on its networks" if growth.grows else ""
    out.print(f"{todo:,} networks to run{rest if todo else ''}", soft_wrap=True)
