"""`trainability run`: run or resume a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trainability.cli.app import (
    StorageOption,
    StudyArgument,
    TrackingOption,
    app,
    err,
    out,
    show_commands,
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

if TYPE_CHECKING:
    from trainability.growth import Growth
    from trainability.storage import Storage
    from trainability.study import Study


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
    from trainability.running.study import prepare

    chosen = prepare(
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
        _show_plan(chosen.study, chosen.storage, chosen.growth)
        return
    with interruptible():
        chosen.run(err, out=out)
    show_commands(chosen.storage.address, tracking_uri, browse="ui")


def _show_plan(study: Study, place: Storage, growth: Growth) -> None:
    from rich.table import Table

    from trainability.growth import next_round, study_cells
    from trainability.plan import missing_blocks
    from trainability.seeds import BLOCK_SIZE

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
            str(cell.scheme) if cell.network is None else f"{cell.scheme}, {cell.network}",
            "" if cell.width is None else str(cell.width),
            "" if cell.depth is None else str(cell.depth),
            *(f"{n * BLOCK_SIZE:,}" for n in counts),
        )
    out.print(table)
    todo = sum(map(len, missing.values())) * BLOCK_SIZE
    rest = ": one round; what comes after it depends on its networks" if growth.grows else ""
    out.print(f"{todo:,} networks to run{rest if todo else ''}", soft_wrap=True)
