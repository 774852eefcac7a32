"""Run or resume a study: all that `trainability run` does, and what a notebook calls."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from trainability.checks import shown
from trainability.errors import StorageError, StudyFailed, refuse
from trainability.launch.options import Options, Outcome
from trainability.running.surroundings import (
    default_console,
    note_trouble,
    place_problems,
    require_usable,
    shown_events,
)

if TYPE_CHECKING:
    from rich.console import Console

    from trainability.events import Events, Subscriber
    from trainability.growth import Growth
    from trainability.notebook import LoadedStudy
    from trainability.report import Report
    from trainability.storage import Storage
    from trainability.study import Study
    from trainability.tracking import Mirror

_LINES = 20


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
    chosen = prepare(
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
    return chosen.run(default_console(progress), on_event, report=report)


@dataclass(frozen=True)
class Run:
    """What is to be run, checked as far as that is possible without starting anything.

    Args:
        study: The study.
        growth: By what rule it grows.
        storage: Where its rows are.
        options: Runtime options.
        text: How the user names the study.
        tracking_uri: As it was given.
    """

    study: Study
    growth: Growth
    storage: Storage
    options: Options
    text: str
    tracking_uri: str | None

    def run(
        self,
        console: Console | None,
        on_event: Subscriber | None = None,
        *,
        report: bool = True,
        out: Console | None = None,
    ) -> LoadedStudy:
        """Run it; see `run`.

        Args:
            console: Where progress is shown; None for nowhere.
            on_event: Told of everything that happens.
            report: Whether the report is written.
            out: Where what was found is shown as soon as it is; None for nowhere.
        """
        self.storage.check_writable()
        uri = require_usable(self.tracking_uri, self.storage)
        with shown_events(console, on_event) as events, contextlib.ExitStack() as end:
            return _run(self, uri, events, end, report, out)


def prepare(
    study: str | Path | Study,
    storage: str | Path | Storage,
    options: Options,
    *,
    replicates: int | None = None,
    precision: float | None = None,
    refine: float | None = None,
    tracking_uri: str | None = None,
    spelled: Callable[[str], str] = str,
    problems: Sequence[str] = (),
) -> Run:
    """Check all that is given, and find the study.

    Args:
        study: As for `run`, and so the others.
        storage: Where results are.
        options: Runtime options.
        replicates: Networks per cell.
        precision: Half the width of an interval.
        refine: A success rate.
        tracking_uri: MLflow's.
        spelled: How the user writes an option's name.
        problems: What is known to be wrong already.

    Raises:
        InputError: Names all that is wrong.
    """
    from trainability.stored import is_declared_by_a_file, refuse_unknown, stored_study

    problems = list(problems)
    if isinstance(replicates, int) and replicates < 1:
        problems.append(f"{spelled('replicates')} must be >= 1, got {replicates}")
    problems += options.problems(spelled)
    if precision is not None or refine is not None:
        from trainability.growth import growth_problems

        problems += growth_problems(precision, refine, spelled)
    problems += place_problems(storage, tracking_uri)
    if isinstance(study, str | Path):
        refuse(problems)
        refuse_unknown(str(study), storage)  # what there is not is told before NumPy is loaded
    from trainability.study import Study, load_study

    if not isinstance(study, str | Path | Study):
        problems.append(f"study must be a Study, a study file or a name, got {shown(study)}")
    refuse(problems)
    chosen = study if isinstance(study, Study) else None
    if chosen is None and is_declared_by_a_file(str(study)):
        chosen = load_study(str(study))  # one that is refused needs no storage, and no Arrow
    from trainability.growth import Growth
    from trainability.storage import Storage

    place = storage if isinstance(storage, Storage) else Storage(storage)
    chosen = chosen or stored_study(str(study), place)
    if replicates is not None:
        chosen = dataclasses.replace(chosen, replicates=replicates)
    if options.engine != "auto":  # only then, for it loads what trains
        from trainability.families import engine_problems

        refuse(engine_problems(options.engine, chosen.cells()))
    growth = Growth(n_blocks=chosen.n_blocks, precision=precision, refine=refine)
    text = chosen.name if isinstance(study, Study) else str(study)
    return Run(chosen, growth, place, options, text, tracking_uri)


def _run(
    chosen: Run,
    uri: str,
    events: Events,
    end: contextlib.ExitStack,
    wants_report: bool,
    out: Console | None,
) -> LoadedStudy:
    from trainability.events import Noted, Working
    from trainability.growth import study_cells
    from trainability.seeds import BLOCK_SIZE

    study, place = chosen.study, chosen.storage
    networks = study.n_blocks * BLOCK_SIZE
    rounded = f" ({study.replicates:,} rounded up to whole blocks of {BLOCK_SIZE})"
    events.emit(
        Working(
            what=f"{study.name}: {len(study_cells(study, place))} cells x {networks:,} networks"
            + (rounded if networks != study.replicates else "")
        )
    )
    events.emit(Working(what="loading libraries"))
    from trainability import tracking
    from trainability.running.live import live_page
    from trainability.running.rounds import Launcher, launch_rounds

    started = time.monotonic()
    mirror = tracking.Mirror(study, place, uri)
    try:
        live = live_page(study, place, events) if wants_report else contextlib.nullcontext()
        with Launcher(study.name, place, chosen.options, events) as launcher, live:
            outcome = launch_rounds(
                study, chosen.growth, place, launcher, events, mirror,
                lambda: _declare(study, place, events, end),
            )  # fmt: skip
        if outcome.networks:
            seconds = time.monotonic() - started
            events.emit(Noted(text=f"{outcome.networks:,} networks trained in {seconds:.1f} s"))
        elif not outcome.missing:
            events.emit(Noted(text="nothing was missing"))
        report = None
        if wants_report and not outcome.interrupted:  # who ends a study gives it little time
            report = _write_report(study, place, events, mirror)
            if report is not None and out is not None:
                report.show(out)  # nobody waits for MLflow
                out.print(f"report:  {report.page}", soft_wrap=True)
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        mirror.close("KILLED" if interrupted else "FAILED", hurry=interrupted)
        raise
    status = "KILLED" if outcome.interrupted else "FAILED" if outcome.missing else "FINISHED"
    mirror.close(status, hurry=outcome.interrupted)
    when = "the same command, or," if outcome.interrupted else "when it is back:"
    note_trouble(mirror, uri, events, when, "sync", chosen.text, place, chosen.tracking_uri)
    _refuse_incomplete(study, place, outcome)
    if outcome.interrupted:  # between two rounds
        raise KeyboardInterrupt
    if wants_report and report is None:
        raise StudyFailed(
            "all networks are trained and stored, but the report could not be written"
        )
    events.check()
    from trainability.notebook import LoadedStudy

    return LoadedStudy(study, place, report)


def _declare(study: Study, place: Storage, events: Events, end: contextlib.ExitStack) -> None:
    from trainability.events import Noted
    from trainability.growth import study_cells
    from trainability.provenance import describe_environment
    from trainability.running.stopping import stoppable
    from trainability.stored import declare

    # While the networks train, and the kernels leave Python alone.
    threading.Thread(target=_load_report, daemon=True).start()
    for line in declare(study, study_cells(study, place), place):
        events.emit(Noted(text=line))
    place.write_record(study.name, "provenance", json.dumps(describe_environment(), indent=2))
    end.enter_context(stoppable(study.name, place, events))


def _load_report() -> None:
    for module in ("trainability.report.build", "trainability.plots.success"):
        import_module(module)


def _write_report(study: Study, place: Storage, events: Events, mirror: Mirror) -> Report | None:
    """Write the report; None if nothing is stored, or, with a message, if that fails."""
    from trainability.events import Noted, Working
    from trainability.growth import study_cells
    from trainability.report import write_report
    from trainability.report.helper import helping

    try:
        if not place.block_files(study.name, study_cells(study, place)):
            return None
        events.emit(Working(what="writing the report"))
        with helping() as helper:
            report = write_report(study, place, helper=helper)
    except StorageError as error:
        events.emit(Noted(heading="no report:", text=str(error)))
        return None
    mirror.add(lambda target: target.log_report(report.folder, report.markdown))
    return report


def _refuse_incomplete(study: Study, place: Storage, outcome: Outcome) -> None:
    """Raise if cells lack networks; names them."""
    from trainability.growth import study_cells

    if not outcome.missing:
        return
    lines = [
        f"  {cell}: {len(outcome.missing[cell])} blocks missing; {why}"
        for cell, why in outcome.failures.items()
    ]
    if len(lines) > _LINES:
        lines[_LINES:] = [f"  and {len(lines) - _LINES} more: {place.shown}/{study.name}"]
        lines[-1] += "/failures.json"
    n_cells = len(study_cells(study, place))
    message = "\n".join(
        [
            f"{len(outcome.missing)} of {n_cells} cells are incomplete"
            f"{' (interrupted)' if outcome.interrupted else ''}",
            *lines,
            "the same command runs what is missing",
        ]
    )
    raise KeyboardInterrupt(message) if outcome.interrupted else StudyFailed(message)
