"""`trainability run`: run or resume a study."""

from __future__ import annotations

from typing import Annotated

import typer

from trainability.cli.app import (
    StorageOption,
    StudyArgument,
    TrackingOption,
    app,
    err,
    examples,
    out,
    show_commands,
)
from trainability.cli.documents import (
    HashesOption,
    JsonOption,
    only_documents,
    print_document,
    study_document,
)
from trainability.cli.finish import OnFinishOption, finish_problems, run_at_end
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


@app.command(
    rich_help_panel="Studies",
    epilog=examples(
        "run absolute_value",
        "run absolute_value --dry-run",
        "run studies/mine.py --replicates 4096",
        "run mine --precision 0.01 --refine 0.9",
        "run mine --address auto --storage s3://bucket/results",
        "run mine --on-finish 'notify-send trained'",
    ),
)
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
    ray: RayOption = None,
    cpus_per_trial: CpusOption = 1.0,
    gpus_per_trial: GpusOption = "auto",
    label: LabelOption = None,
    max_concurrent: MaxConcurrentOption = None,
    engine: EngineOption = "auto",
    max_failures: MaxFailuresOption = 3,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run; start and write nothing.")
    ] = False,
    on_finish: OnFinishOption = None,
    hashes: HashesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run a study, or what is missing of it: the same command again resumes."""
    options, problems = launch_options(
        address,
        ray,
        cpus_per_trial,
        gpus_per_trial,
        label,
        max_concurrent,
        engine,
        max_failures,
    )
    refuse(finish_problems(on_finish))
    from trainability.running.job import checked_job

    if not dry_run:
        run_at_end(on_finish, study, storage)
    job = checked_job(
        study,
        storage,
        options,
        replicates=replicates,
        precision=precision,
        refine=refine,
        tracking_uri=tracking_uri,
        spelled=spelled,
        problems=problems,
    )
    if dry_run:
        from trainability.cli.dry_run import show_plan

        show_plan(job, hashes, as_json)
        return
    from trainability.running.study import run_job

    with interruptible(), only_documents(as_json):
        report = run_job(job, err, out=None if as_json else out)
    if as_json:
        assert report is not None, "it is wanted, and a run without one ends with an error"
        print_document(study_document(report, job.storage))
    else:
        show_commands(job.storage.address, tracking_uri, browse="ui")
