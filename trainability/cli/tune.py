"""`trainability tune`: find the settings of an initialization that make training succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainability.cli.app import (
    StorageOption,
    TrackingOption,
    app,
    err,
    examples,
    out,
    show_commands,
    study_names,
    styled,
)
from trainability.cli.cost import expected, sentences
from trainability.cli.documents import JsonOption, only_documents, print_document, records
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
from trainability.cli.tables import Column, new_table, titled
from trainability.errors import refuse

if TYPE_CHECKING:
    from trainability.running.tuning import Tuned
    from trainability.storage import Storage
    from trainability.tuning import Tuning

_HEADS = {"minus the default's": "minus the\ndefault's", "in the search": "in the\nsearch"}
"""Headings in two lines."""

TuningArgument = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="A file with TUNING = Tuning(...), or a name in [b]studies/[/b].",
        autocompletion=study_names,
    ),
]


@app.command(
    rich_help_panel="Studies",
    epilog=examples(
        "tune tune_absolute_value",
        "tune tune_absolute_value --dry-run",
        "tune mine --engine torch --storage /data/results",
    ),
)
def tune(
    study: TuningArgument,
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
    as_json: JsonOption = False,
) -> None:
    """Tune settings, or whole axes: the same command again resumes."""
    options, problems = launch_options(
        address, ray, cpus_per_trial, gpus_per_trial, label, max_concurrent, engine, max_failures
    )
    refuse(finish_problems(on_finish))
    from trainability.running.job import checked_tunings

    if not dry_run:
        run_at_end(on_finish, study, storage)
    jobs = checked_tunings(
        study, storage, options, tracking_uri=tracking_uri, spelled=spelled, problems=problems
    )
    place = jobs[0].storage
    if dry_run:
        _show_plan([job.tuning for job in jobs], place, as_json)
        return
    from trainability.running.tuning import run_tuning
    from trainability.tracking import usable_tracking_uri

    place.check_writable()
    usable_tracking_uri(tracking_uri, place)
    done = []
    with interruptible(), only_documents(as_json):
        for job in jobs:
            done.append(run_tuning(job, err))
            if not as_json:
                _show(done[-1])
    if as_json:
        print_document({"storage": place.shown, "tunings": list(map(_document, done))})
    else:
        show_commands(place.address, tracking_uri, browse="ui")


def _show(tuned: Tuned) -> None:
    """Print the answer, the finalists, and the winner as a line to paste."""
    from trainability.tuning.report import shown_finalists
    from trainability.tuning.result import answer

    result = tuned.result
    out.print(f"\n{result.tuning.question}", style="bold")
    for sentence in answer(result):
        out.print(sentence)
    for index, objective in enumerate(result.tuning.objectives):
        shown = shown_finalists(result, [index])
        vary = result.tuning.vary
        texts = {"candidate", *(name for name, part in vary.items() if not part.is_ordered)}
        columns = [Column(_HEADS.get(name) or name, name in texts) for name in shown["header"]]
        table = new_table(columns)
        for entries in shown["body"]:
            table.add_row(*entries)
        out.print(titled(f"{objective.words} on fresh seeds", table))
    out.print(f"report:  {tuned.report}", soft_wrap=True)
    out.print("paste into a study:")
    out.print(f"    {result.python}", soft_wrap=True)


def _document(tuned: Tuned) -> dict[str, Any]:
    """What a tuning found: the winner, and all finalists on fresh seeds with intervals."""
    from trainability.tuning.result import answer

    return {
        "tuning": tuned.result.tuning.name,
        "question": tuned.result.tuning.question,
        "answer": answer(tuned.result),
        "python": tuned.result.python,
        "finalists": records(tuned.finalists()),
        "report": str(tuned.report),
    }


def _show_plan(tunings: list[Tuning], place: Storage, as_json: bool) -> None:
    from trainability.tuning.planning import planned

    plans = {tuning.name: planned(tuning, place) for tuning in tunings}
    costs = {tuning.name: _cost(tuning, place) for tuning in tunings}
    if as_json:
        entries = [
            {"tuning": name, "plan": lines, "expected": costs[name]}
            for name, lines in plans.items()
        ]
        print_document({"storage": place.shown, "tunings": entries})
        return
    for name, lines in plans.items():
        out.print(styled(name, "bold", "  what would run"), soft_wrap=True)
        for line in [*lines, *sentences(costs[name])]:
            out.print(line)


def _cost(tuning: Tuning, place: Storage) -> dict[str, Any]:
    """What all of a tuning takes, the networks included that are stored; of the default's shape."""
    from trainability.tuning.finalists import N_BEST, N_FRONT

    n_last = (N_BEST if len(tuning.objectives) == 1 else N_FRONT) + 2
    cells = {cell.id: cell for width in tuning.widths for cell in [tuning.cell(None, width)]}
    each = tuning.n_evaluations + n_last * tuning.n_fresh_blocks
    return expected(tuning.name, cells, dict.fromkeys(cells, each), place)
