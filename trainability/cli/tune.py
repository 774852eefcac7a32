"""`trainability tune`: find the settings of an initialization that make training succeed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainability import addresses, interrupts
from trainability.checks import shown
from trainability.cli.app import (
    StorageOption,
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
from trainability.cli.run import interruptible, require_usable
from trainability.errors import StudyError, StudyFailed
from trainability.provenance import describe_environment
from trainability.storage import Storage
from trainability.study.loading import (
    check_declared_once,
    find_study_file,
    load_module,
    read_declaration,
)
from trainability.tuning import Tuning

if TYPE_CHECKING:
    from trainability.launch import Options
    from trainability.study import Cell

TuningArgument = Annotated[
    str,
    typer.Argument(
        metavar="STUDY", help="A file with TUNING = Tuning(...), or a name in [b]studies/[/b]."
    ),
]


@app.command()
def tune(
    study: TuningArgument,
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
    """Tune settings, or whole axes: the same command again resumes."""
    settings = launch_settings(
        address, cpus_per_trial, gpus_per_trial, label, max_concurrent, engine, max_failures
    )
    place = Storage(storage)
    tunings = load_tunings(study)
    if dry_run:
        _show_plan(tunings, place)
        return
    place.check_writable()
    require_usable(tracking_uri, place)
    # Imported here, so that a tuning that is refused is refused at once.
    from trainability.launch import Options

    options = Options(**settings)
    with interruptible(), contextlib.ExitStack() as connection:
        for tuning in tunings:
            _tune(tuning, place, tracking_uri, options, connection)
    show_commands(place.address, tracking_uri, browse="ui")


def _show_plan(tunings: list[Tuning], place: Storage) -> None:
    from trainability.tuning.planning import planned

    for tuning in tunings:
        out.print(styled(tuning.name, "bold", "  what would run"), soft_wrap=True)
        for line in planned(tuning, place):
            out.print(line, soft_wrap=True)


def load_tunings(text: str) -> list[Tuning]:
    """The tunings that a file declares, or the one of a tuning.json.

    Raises:
        StudyError: If there is no such file, or it can't be run as it is declared.
    """
    path: Path = find_study_file(text)
    if path.suffix == ".json":
        return [read_declaration(path, Tuning.from_json)]
    found = getattr(load_module(path), "TUNING", None)
    declared = found if isinstance(found, list | tuple) else [found]
    tunings = [tuning for tuning in declared if isinstance(tuning, Tuning)]
    if not tunings or len(tunings) < len(declared):
        raise StudyError(
            f"{path} declares no tuning; wanted TUNING = Tuning(...), or a list of such, "
            f"got {shown(found)}"
        )
    check_declared_once(path, "TUNING")
    names = [tuning.name for tuning in tunings]
    if len(set(names)) < len(names):
        raise StudyError(f"{path} declares two tunings of one name: {', '.join(names)}")
    return tunings


def _tune(
    tuning: Tuning,
    place: Storage,
    tracking_uri: str | None,
    options: Options,
    connection: contextlib.ExitStack,
) -> None:
    from trainability import tracking
    from trainability.launch import launch, ready
    from trainability.plan import missing_blocks
    from trainability.tuning.loop import run_search
    from trainability.tuning.report import write_report
    from trainability.tuning.result import judge
    from trainability.tuning.wording import written

    settings = " x ".join(tuning.vary)
    networks = f"  {tuning.budget:,} networks to search {settings}, from {written(tuning, None)}"
    err.print(styled(tuning.name, "bold", networks))
    uri = tracking.tracking_uri(tracking_uri, place)
    declaration = tuning.to_json().encode()
    if place.read_bytes(f"{tuning.name}/tuning.json") != declaration:
        # A cluster that can't work on it is refused before anything is written.
        connection.enter_context(ready(tuning.name, place, options))
    interrupts.check()
    place.write_bytes(f"{tuning.name}/tuning.json", declaration)
    place.write_record(tuning.name, "provenance", json.dumps(describe_environment(), indent=2))
    mirror = tracking.Mirror(tuning.study(), place, uri)

    def dispatch(what: str, cells: Mapping[str, Cell], wanted: Mapping[str, int]) -> None:
        if any(missing_blocks(wanted, place.block_files(tuning.name, cells)).values()):
            err.print(what)
            connection.enter_context(ready(tuning.name, place, options))  # kept over all rounds
        outcome = launch(tuning.name, cells, wanted, place, mirror, options, err)
        for path in outcome.damaged:
            err.print(
                styled("damaged, set aside and run again:", "yellow", f" {path}"), soft_wrap=True
            )
        if outcome.interrupted:
            raise KeyboardInterrupt
        if outcome.missing:
            why = next(iter(outcome.failures.values()))
            raise StudyFailed(
                f"{len(outcome.missing)} of {len(cells)} cells are incomplete: {why}; the same "
                "command runs what is missing"
            )

    try:
        found = run_search(tuning, place, dispatch, lambda line: err.print(line, soft_wrap=True))
        err.print("writing the report")
        report = write_report(judge(found), place)
        mirror.add(lambda target: target.log_report(report.folder, report.markdown))
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        mirror.close("KILLED" if interrupted else "FAILED", hurry=True)
        raise
    mirror.close("FINISHED")
    report.show(out)
    if mirror.trouble:
        err.print(
            styled(
                f"MLflow at {addresses.shown(uri)} is incomplete ({mirror.trouble}):",
                "yellow",
                " the same command makes it whole",
            ),
            soft_wrap=True,
        )
