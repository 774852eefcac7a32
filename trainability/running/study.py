"""Run or resume a study: all that `trainability run` does, and what a notebook calls."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trainability.checks import counted
from trainability.commands import command
from trainability.errors import StudyFailed
from trainability.launch.options import Options
from trainability.running.job import Job, checked_job
from trainability.running.subscribers import default_console, mirrored, shown_events

if TYPE_CHECKING:
    from rich.console import Console

    from trainability.events import Events, Subscriber
    from trainability.notebook import LoadedStudy
    from trainability.report import Report
    from trainability.storage import Storage
    from trainability.study import Study


def run(
    study: str | Path | Study,
    storage: str | Path | Storage = "results",
    *,
    replicates: int | None = None,
    precision: float | None = None,
    refine: float | None = None,
    tracking_uri: str | None = None,
    address: str | None = None,
    ray: bool | None = None,
    cpus_per_trial: float = 1.0,
    gpus_per_trial: float | None = None,
    labels: Mapping[str, str] | None = None,
    max_concurrent: int | None = None,
    engine: str = "auto",
    max_failures: int = 3,
    report: bool = True,
    progress: bool = True,
    on_event: Subscriber | None = None,
) -> LoadedStudy:
    """Run a study, or what storage lacks of it: the same call again resumes.

    It returns when all networks are trained and stored, MLflow mirrors them and the report is
    written, and leaves nothing running. Ctrl-C ends it in order: what is stored stays. It may be
    called in any thread.

    Args:
        study: A `Study`; a study file; or the name of a study in `studies/`, on storage, or of
            one that comes with the package.
        storage: The folder or address (`s3://`, `gs://`) that holds the results.
        replicates: Networks per cell, >= 1, instead of the study's number; rounded up to whole
            blocks of 256.
        precision: Add networks to each cell until half the width of the 95 % interval of its
            success rate is at most this, in (0, 0.5].
        refine: Add points to the grid until it is known where success crosses this rate, in (0, 1).
        tracking_uri: MLflow's; None for MLFLOW_TRACKING_URI, or an SQLite file in the storage.
        address: A Ray cluster's; None for RAY_ADDRESS; `local` for this machine whatever that says.
        ray: Whether Ray runs the trials (True), or threads or processes of this machine do
            (False). None: Ray if there is an address, if this process is connected to one, if
            trials want GPUs, or if there are minutes of work to do.
        cpus_per_trial: CPUs, and threads, of a trial, > 0.
        gpus_per_trial: GPUs of a trial, from 0 to 1; 0.5 puts two trials on a GPU. None: where
            Ray's nodes have GPUs and there is enough work, trials get a share of one.
        labels: Use only nodes of a cluster that have these labels.
        max_concurrent: Trials that run at once, at most; None for all that fit.
        engine: `auto`, or the name of an engine.
        max_failures: How often what fails is tried again before it is given up.
        report: Whether the report is written: of what there is while it runs for longer than half a
            minute, and at the end.
        progress: Whether progress is shown on stderr.
        on_event: Called with every event of `trainability.events`, in turn. An exception that it
            raises ends the run in order, as Ctrl-C does, and is raised here.

    Returns:
        The study and what was found: rows, rates, tables and figures, and the report's page.

    Raises:
        InputError: If something can't be used as it is given; nothing is started or written then.
        StudyFailed: If cells could not be finished; names them. What is stored stays.
        KeyboardInterrupt: If it was interrupted.
    """
    job = checked_job(
        study,
        storage,
        Options(
            address=address,
            ray=ray,
            cpus_per_trial=cpus_per_trial,
            gpus_per_trial=gpus_per_trial,
            labels={} if labels is None else labels,
            max_concurrent=max_concurrent,
            engine=engine,
            max_failures=max_failures,
        ),
        replicates=replicates,
        precision=precision,
        refine=refine,
        tracking_uri=tracking_uri,
    )
    written = run_job(job, default_console(progress), on_event, report=report)
    from trainability.notebook import LoadedStudy  # loaded while the networks train

    return LoadedStudy(job.study, job.storage, written)


def run_job(
    job: Job,
    console: Console | None,
    on_event: Subscriber | None = None,
    *,
    report: bool = True,
    out: Console | None = None,
) -> Report | None:
    """Run what is checked; see `run`.

    Args:
        job: What to run.
        console: Where progress is shown; None for nowhere.
        on_event: Told of everything that happens.
        report: Whether the report is written.
        out: Where what was found is shown as soon as it is; None for nowhere.

    Returns:
        The report; None only where it is not wanted.
    """
    from trainability.tracking import usable_tracking_uri

    job.storage.check_writable()
    uri = usable_tracking_uri(job.tracking_uri, job.storage)
    with shown_events(console, on_event) as events, contextlib.ExitStack() as end:
        return _run(job, uri, events, end, report, out)


def _run(
    job: Job,
    uri: str,
    events: Events,
    end: contextlib.ExitStack,
    wants_report: bool,
    out: Console | None,
) -> Report | None:
    from trainability.events import Noted, Working
    from trainability.growth import study_cells
    from trainability.seeds import BLOCK_SIZE

    study, place = job.study, job.storage
    cells = study_cells(study, place)
    networks = study.n_blocks * BLOCK_SIZE
    what = f"{study.name}: {counted(len(cells), 'cell')} x {networks:,} networks{job.rounding}"
    events.emit(Working(what=what))
    events.emit(Working(what="loading libraries"))
    from trainability.running.execution import execute
    from trainability.running.live import last_page, live_page

    again = command("sync", job.text, storage=place.address, tracking_uri=job.tracking_uri)
    when, when_interrupted = "when it is back:", "the same command, or,"
    with mirrored(
        study, place, uri, events, again=again, when=when, when_interrupted=when_interrupted
    ) as mirror:
        begun = time.monotonic()
        with live_page(study, place, events) if wants_report else contextlib.nullcontext():
            outcome = execute(job, cells, events, mirror, end)
        if outcome.networks:
            seconds = time.monotonic() - begun
            events.emit(Noted(text=f"{outcome.networks:,} networks trained in {seconds:.1f} s"))
        elif not outcome.missing:
            events.emit(Noted(text="nothing was missing"))
        report = None
        if wants_report and not outcome.interrupted:  # who ends a study gives it little time
            report = last_page(study, place, events)
        if report is not None:
            mirror.add(lambda target: target.log_report(report.folder, report.markdown))
            if out is not None:
                report.show(out)  # nobody waits for MLflow
                out.print(f"report:  {report.page}", soft_wrap=True)
        outcome.require_whole(f"{place.shown}/{study.name}")
    if wants_report and report is None:
        raise StudyFailed(
            "all networks are trained and stored, but the report could not be written"
        )
    events.check()
    return report
