"""Run or resume a tuning: all that `trainability tune` does, and what a notebook calls."""

from __future__ import annotations

import contextlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainability.commands import command
from trainability.errors import StudyFailed, refuse
from trainability.events import Events, Subscriber, Working
from trainability.launch.options import Options, incomplete
from trainability.running.job import TuningJob, checked_tunings
from trainability.running.subscribers import default_console, mirrored, shown_events

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from trainability.optimizers import Optimizer
    from trainability.schemes import Scheme
    from trainability.storage import Storage
    from trainability.study import Cell
    from trainability.tracking import Mirror
    from trainability.tuning import Tuning
    from trainability.tuning.report import Report
    from trainability.tuning.result import Result


def tune(
    tuning: str | Path | Tuning,
    storage: str | Path | Storage = "results",
    *,
    tracking_uri: str | None = None,
    address: str | None = None,
    ray: bool | None = None,
    cpus_per_trial: float = 1.0,
    gpus_per_trial: float | None = None,
    labels: Mapping[str, str] | None = None,
    max_concurrent: int | None = None,
    engine: str = "auto",
    max_failures: int = 3,
    progress: bool = True,
    on_event: Subscriber | None = None,
) -> Tuned:
    """Tune the settings of a scheme: the same call again resumes.

    Args:
        tuning: A `Tuning`; a file that declares one; or the name of such a file in `studies/`.
        storage: The folder or address (`s3://`, `gs://`) that holds the results.
        tracking_uri: As for `run`, and so all that follow.
        address: A Ray cluster's.
        ray: Whether Ray runs the trials.
        cpus_per_trial: CPUs of a trial.
        gpus_per_trial: GPUs of a trial; None for what the nodes have, if the work pays for it.
        labels: Use only such nodes of a cluster.
        max_concurrent: Trials at once.
        engine: `auto`, or the name of an engine.
        max_failures: Tries after the first.
        progress: Whether progress is shown on stderr.
        on_event: Called with every event of `trainability.events`.

    Returns:
        The settings that won on fresh seeds, tables, and the report's page.

    Raises:
        InputError: If something can't be used as it is given; nothing is started or written then.
            Also if a file declares several tunings; `Tuning` objects can be run one by one.
        StudyFailed: If networks could not be trained. What is stored stays.
        KeyboardInterrupt: If it was interrupted.
    """
    options = Options(
        address=address,
        ray=ray,
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        labels={} if labels is None else labels,
        max_concurrent=max_concurrent,
        engine=engine,
        max_failures=max_failures,
    )
    jobs = checked_tunings(tuning, storage, options, tracking_uri=tracking_uri)
    if len(jobs) > 1:
        names = ", ".join(job.tuning.name for job in jobs)
        refuse([f"{tuning} declares {len(jobs)} tunings ({names}); give tune one Tuning"])
    return run_tuning(jobs[0], default_console(progress), on_event)


@dataclass(frozen=True)
class Tuned:
    """A tuning that was run.

    Args:
        result: All that was found, see `trainability.tuning.result`.
        written: Its report.
    """

    result: Result
    written: Report

    @property
    def report(self) -> Path:
        """The report's page."""
        return self.written.page

    @property
    def answer(self) -> str:
        """What was found, in the sentences of the report."""
        from trainability.tuning.result import answer

        return " ".join(answer(self.result))

    @property
    def scheme(self) -> Scheme:
        """The scheme with the settings that won."""
        return self.result.tuning.chosen(self.result.winner.settings)["scheme"]

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer with the settings that won."""
        return self.result.tuning.chosen(self.result.winner.settings)["optimizer"]

    def finalists(self) -> pd.DataFrame:
        """The best candidates and the default on fresh seeds, with intervals."""
        from trainability.tuning.tables import finalist_table

        return finalist_table(self.result)

    def candidates(self) -> pd.DataFrame:
        """All settings that were tried, with what the search saw of them."""
        from trainability.tuning.tables import candidate_table

        return candidate_table(self.result)

    def __repr__(self) -> str:
        return f"<{self.result.tuning.name}: {self.result.python} report {self.report}>"

    def _repr_html_(self) -> str:
        return (
            f"<p><b>{html.escape(self.result.tuning.question)}</b></p>"
            f"<p>{html.escape(self.answer)}</p>"
            f"{self.finalists().to_html(index=False)}"
            f"<p><code>{html.escape(self.result.python)}</code></p>"
            f"<p>Report: {html.escape(str(self.report))}</p>"
        )


def run_tuning(
    job: TuningJob, console: Console | None, on_event: Subscriber | None = None
) -> Tuned:
    """Run a tuning that is checked; see `tune`.

    Args:
        job: What to tune.
        console: Where progress is shown; None for nowhere.
        on_event: Told of everything that happens.
    """
    from trainability.tracking import usable_tracking_uri

    tuning, place = job.tuning, job.storage
    place.check_writable()
    uri = usable_tracking_uri(job.tracking_uri, place)
    with shown_events(console, on_event) as events, contextlib.ExitStack() as end:
        from trainability.tuning.wording import written

        settings = " x ".join(tuning.vary)
        what = f"{tuning.budget:,} networks to search {settings}, from {written(tuning, None)}"
        events.emit(Working(what=f"{tuning.name}: {what}"))
        events.emit(Working(what="loading libraries"))
        again = command("tune", job.text, storage=place.address, tracking_uri=job.tracking_uri)
        with mirrored(
            tuning.study(), place, uri, events, again=again, when="this makes it whole:"
        ) as mirror:
            tuned = _search(job, events, mirror, end)
        events.check()
        return tuned


def _search(job: TuningJob, events: Events, mirror: Mirror, end: contextlib.ExitStack) -> Tuned:
    from trainability.launch import Launcher
    from trainability.plan import missing_blocks
    from trainability.provenance import describe_environment
    from trainability.running.stopping import stoppable
    from trainability.tuning.loop import run_search
    from trainability.tuning.report import write_report
    from trainability.tuning.result import judge

    tuning, place = job.tuning, job.storage
    events.subscribe(mirror.on_event)
    work = tuning.budget * max(tuning.cell(None, width).operations for width in tuning.widths)
    with Launcher(tuning.name, place, job.options, events, work) as launcher:
        declaration = tuning.to_json().encode()
        if place.read_bytes(f"{tuning.name}/tuning.json") != declaration:
            # Whoever can't work on it refuses before anything is written.
            launcher.get_ready()
        # What another user has declared under this name is kept.
        place.write_record(tuning.name, "tuning", declaration.decode(), keep=True)
        place.write_record(tuning.name, "provenance", json.dumps(describe_environment(), indent=2))
        end.enter_context(stoppable(tuning.name, place, events))

        def dispatch(what: str, cells: Mapping[str, Cell], wanted: Mapping[str, int]) -> None:
            if any(missing_blocks(wanted, place.block_files(tuning.name, cells)).values()):
                events.emit(Working(what=what))
            outcome = launcher.launch(cells, wanted)
            if outcome.interrupted:
                raise KeyboardInterrupt
            if outcome.missing:
                why = next(iter(outcome.failures.values()))
                raise StudyFailed(
                    f"{incomplete(len(outcome.missing), len(cells))}: {why}; the same "
                    "command runs what is missing"
                )

        search = run_search(tuning, place, dispatch, lambda line: events.emit(Working(what=line)))
    events.emit(Working(what="writing the report"))
    result = judge(search)
    report = write_report(result, place)
    mirror.add(lambda target: target.log_report(report.folder, report.markdown))
    return Tuned(result, report)
