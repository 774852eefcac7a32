"""`trainability birth`: what at birth decides the success that a study measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from trainability.checks import counted
from trainability.cli.app import StorageOption, StudyArgument, app, err, examples, out
from trainability.cli.documents import JsonOption
from trainability.cli.inputs import FigureOption, figure_problems
from trainability.cli.tables import Column, hanging, new_table, titled
from trainability.cli.working import working
from trainability.commands import command
from trainability.errors import InputError, refuse
from trainability.stored import open_study

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ("task", "scheme")
_COLUMNS = ["cell", "replicate", "success", "trainable"]


@app.command(
    rich_help_panel="Results",
    epilog=examples(
        "birth absolute_value",
        "birth mine --figure birth.png --json",
    ),
)
def birth(
    study: StudyArgument,
    storage: StorageOption = "results",
    figure: FigureOption = None,
    as_json: JsonOption = False,
) -> None:
    """What at birth decides success: a study's networks drawn again, beside how they ended.

    Trains nothing: it needs the study's rows, also of an unfinished study.
    """
    refuse(figure_problems(figure))
    chosen, place = open_study(study, storage)
    from trainability.growth import study_cells

    # Also those that a refinement added to the grid.
    cells = {id_: cell for id_, cell in study_cells(chosen, place).items() if cell.network is None}
    if not cells:
        raise InputError(
            f"the networks of {chosen.name} are copies of a module; birth explains fully connected "
            "ones"
        )
    rows = place.read_rows(chosen.name, list(cells), _COLUMNS)
    if rows.empty:
        raise InputError(
            f"{place.shown} holds no networks of {chosen.name}; run it first: "
            f"{command('run', study, storage=place.address)}"
        )
    # Imported here, so that what is refused is refused at once.
    from trainability.birth.summary import decided_at_birth

    with working(f"drawing {counted(len(rows), 'network')} again, and following them"):
        table = decided_at_birth(cells.values(), rows)
    if figure:
        _draw(table, figure)
    if as_json:
        print(json.dumps({"birth": json.loads(table.to_json(orient="records"))}))
        return
    _show(table, chosen.name)


def _show(table: pd.DataFrame, name: str) -> None:
    from trainability.report.text import with_interval

    tasks = table["task"].nunique() > 1
    sizes = sorted(set(table["n"]))
    each = [] if len(sizes) == 1 else ["n"]
    names = ["scheme", "width", *each, "success", "by law", "races", "bound", "AUC", "gap"]
    columns = [Column(entry, entry in _TEXTS) for entry in (["task"] if tasks else []) + names]
    shown = new_table(columns)
    for row in table.to_dict("records"):
        predicted = row["predicted_success"] == row["predicted_success"]
        bounded = row["trainability"] == row["trainability"]
        raced = row["race_low"] == row["race_low"]
        judged = row["auc"] == row["auc"]
        shown.add_row(
            *([row["task"]] if tasks else []),
            row["scheme"],
            str(row["width"]),
            *(f"{row[name]:,}" for name in each),
            with_interval(*(row[f"success_rate{end}"] for end in ("", "_low", "_high"))),
            f"{100 * row['predicted_success']:.1f}" if predicted else "-",
            f"{100 * row['race_low']:.0f}-{100 * row['race_high']:.0f}" if raced else "-",
            f"{100 * row['trainability']:.1f}" if bounded else "-",
            f"{row['auc']:.3f}" if judged else "-",
            f"{row['gap_explained']:.2f}" if judged else "-",
        )
    out.print(titled(f"{name}: what at birth decides success", shown))
    n = f" of {sizes[0]:,} networks a row" if len(sizes) == 1 else ""
    out.print(f"In percent: success{n} [95 % interval], and, from theory alone:")
    out.print(hanging("  by law", "", "success by the flow of Adam"))
    out.print(hanging("  races ", "", "success, as far as a neuron's race alone decides it"))
    out.print(hanging("  bound ", "", "trainability"))
    out.print("How well features at birth tell which network succeeds, held out:")
    out.print(hanging("  AUC   ", "", "how often the likelier of two is the one; by chance 0.5"))
    gap = "share explained of the deviance that trainability leaves open"
    out.print(hanging("  gap   ", "", gap))
    for reason in sorted(set(table["not_predicted"]) - {""}):
        out.print(f"not predicted where {reason}")


def _draw(table: pd.DataFrame, path: Path) -> None:
    from trainability import plots

    predicted = table[table["predicted_success"].notna()]
    single = predicted[["task", "scheme", "width"]].drop_duplicates()
    if predicted.empty or len(single) < len(predicted) or predicted["task"].nunique() > 1:
        raise InputError(
            "--figure is of one task with predicted success, one cell per scheme and width; "
            "this study has " + ("none" if predicted.empty else "more")
        )
    gap = (predicted["predicted_success"] - predicted["success_rate"]).abs().max()
    title = f"Success is decided at birth: theory alone is within {100 * gap:.1f} points"
    plots.save(plots.predicted_panels(predicted, title=title), path)
    err.print(f"figure: {path}", soft_wrap=True)
