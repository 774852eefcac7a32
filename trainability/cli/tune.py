"""`trainability tune`: find the settings of an initialization that make training succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

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
    RayOption,
    interruptible,
    launch_options,
    spelled,
)
from trainability.errors import refuse

if TYPE_CHECKING:
    from trainability.storage import Storage
    from trainability.tuning import Tuning

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
    ray: RayOption = None,
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
    options, problems = launch_options(
        address, ray, cpus_per_trial, gpus_per_trial, label, max_concurrent, engine, max_failures
    )
    refuse([*problems, *options.problems(spelled)])
    from trainability.running.surroundings import require_usable
    from trainability.running.tuning import run_tuning
    from trainability.storage import Storage
    from trainability.tuning.loading import load_tunings

    place = Storage(storage)
    tunings = load_tunings(study)
    if dry_run:
        _show_plan(tunings, place)
        return
    place.check_writable()
    require_usable(tracking_uri, place)
    with interruptible():
        for tuning in tunings:
            run_tuning(tuning, study, place, options, tracking_uri, err).written.show(out)
    show_commands(place.address, tracking_uri, browse="ui")


def _show_plan(tunings: list[Tuning], place: Storage) -> None:
    from trainability.tuning.planning import planned

    for tuning in tunings:
        out.print(styled(tuning.name, "bold", "  what would run"), soft_wrap=True)
        for line in planned(tuning, place):
            out.print(line, soft_wrap=True)
