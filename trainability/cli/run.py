"""`trainability run`: run or resume a study."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Annotated

import typer
from rich.table import Table

from trainability.cli.app import (
    StorageOption,
    StudyArgument,
    TrackingOption,
    app,
    err,
    out,
    stored_study,
)
from trainability.errors import StudyFailed, refuse
from trainability.provenance import describe_environment
from trainability.seeds import BLOCK_SIZE
from trainability.storage import Storage
from trainability.study import Study
from trainability.study.records import did_you_mean
from trainability.training import ENGINES


@app.command()
def run(
    study: StudyArgument,
    replicates: Annotated[
        int | None, typer.Option(help="Networks per cell, instead of the study's number.")
    ] = None,
    storage: StorageOption = "results",
    tracking_uri: TrackingOption = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster; default: RAY_ADDRESS, or an embedded Ray.")
    ] = None,
    cpus_per_trial: Annotated[float, typer.Option(help="CPUs, and threads, of a trial.")] = 1.0,
    gpus_per_trial: Annotated[
        float, typer.Option(help="GPUs of a trial; 0.5 puts two trials on a GPU.")
    ] = 0.0,
    engine: Annotated[str, typer.Option(help=f"{', '.join(ENGINES)}.")] = "auto",
    max_failures: Annotated[
        int, typer.Option(help="How often what fails is tried again before it is given up.")
    ] = 3,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run; start and write nothing.")
    ] = False,
) -> None:
    """Run a study, or what is missing of it: the same command again resumes."""
    problems = []
    if replicates is not None and replicates < 1:
        problems.append(f"--replicates must be >= 1, got {replicates}")
    if not 0 < cpus_per_trial < float("inf"):
        problems.append(f"--cpus-per-trial must be > 0, got {cpus_per_trial:g}")
    if not 0 <= gpus_per_trial < float("inf"):
        problems.append(f"--gpus-per-trial must be >= 0, got {gpus_per_trial:g}")
    if max_failures < 0:
        problems.append(f"--max-failures must be >= 0, got {max_failures}")
    if engine not in ENGINES:
        problems.append(
            f"unknown --engine {engine!r}; wanted one of {', '.join(ENGINES)}"
            f"{did_you_mean(engine, ENGINES)}"
        )
    refuse(problems)
    place = Storage(storage)
    chosen = stored_study(study, place)
    if replicates is not None:
        chosen = dataclasses.replace(chosen, replicates=replicates)
    if dry_run:
        _show_plan(chosen, place)
        return
    place.check_writable()
    _run(chosen, place, study, tracking_uri, address, cpus_per_trial, gpus_per_trial, engine,
         max_failures)  # fmt: skip


def _run(
    study: Study,
    place: Storage,
    text: str,
    tracking_uri: str | None,
    address: str | None,
    cpus_per_trial: float,
    gpus_per_trial: float,
    engine: str,
    max_failures: int,
) -> None:
    # Imported here, so that a study that is refused is refused at once.
    from trainability import tracking
    from trainability.launch import Options, launch
    from trainability.report import write_report

    cells = study.cells()
    networks = study.n_blocks * BLOCK_SIZE
    err.print(
        f"[bold]{study.name}[/]  {len(cells)} cells x {networks:,} networks"
        + (
            f" ({study.replicates:,} rounded up to whole blocks of {BLOCK_SIZE})"
            if networks != study.replicates
            else ""
        )
    )
    place.write_bytes(f"{study.name}/study.json", study.to_json().encode())
    place.write_bytes(
        f"{study.name}/provenance.json", json.dumps(describe_environment(), indent=2).encode()
    )
    uri = tracking.tracking_uri(tracking_uri, place)
    mirror = tracking.Mirror(study, place, uri)
    started = time.monotonic()
    outcome = launch(
        study.name,
        {cell.id: cell for cell in cells},
        {cell.id: study.n_blocks for cell in cells},
        place,
        mirror,
        Options(
            address=address,
            cpus_per_trial=cpus_per_trial,
            gpus_per_trial=gpus_per_trial,
            engine=engine,
            max_failures=max_failures,
        ),
        err,
    )
    for path in outcome.damaged:
        err.print(f"[yellow]damaged, set aside and run again:[/] {path}", soft_wrap=True)
    if outcome.networks:
        seconds = time.monotonic() - started
        err.print(f"{outcome.networks:,} networks trained in {seconds:.1f} s")
    else:
        err.print("nothing was missing")
    err.print("writing the report")
    report = write_report(study, place)
    mirror.add(lambda target: target.log_report(report.folder, report.markdown))
    status = "KILLED" if outcome.interrupted else "FAILED" if outcome.missing else "FINISHED"
    mirror.close(status)
    report.show(out)
    if mirror.trouble:
        err.print(
            f"[yellow]MLflow at {uri} is incomplete ({mirror.trouble}); when it is back:[/] "
            f"trainability sync {text} --storage {place.address}",
            soft_wrap=True,
        )
    if outcome.missing:
        lines = "\n".join(
            f"  {cell}: {len(blocks)} blocks missing; {outcome.failures[cell]}"
            for cell, blocks in outcome.missing.items()
        )
        raise StudyFailed(
            f"{len(outcome.missing)} of {len(cells)} cells are incomplete"
            f"{' (interrupted)' if outcome.interrupted else ''}:\n{lines}\n"
            "the same command runs what is missing"
        )
    out.print(f"report:  {report.page}", soft_wrap=True)
    out.print(f"browse:  trainability ui --storage {place.address}", soft_wrap=True)


def _show_plan(study: Study, place: Storage) -> None:
    from trainability.plan import missing_blocks

    cells = {cell.id: cell for cell in study.cells()}
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
