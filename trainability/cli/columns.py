"""`trainability columns`: what a column of rows, tables or MLflow means."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from trainability.catalogs import did_you_mean
from trainability.checks import shown
from trainability.cli.app import app, clean, examples, out
from trainability.cli.documents import JsonOption, print_document
from trainability.errors import InputError

_ROWS, _TABLES, _METRICS = "rows", "tables", "MLflow"


@app.command(
    rich_help_panel="What there is",
    epilog=examples("columns", "columns success_rate", "columns effective_activity --json"),
)
def columns(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="A column, a table or a metric; default: list them all."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What columns mean: of rows, of a report's tables, and MLflow's metrics.

    Rates and shares lie in [0, 1], steps are updates of the parameters, losses are as the study's
    loss declares them, times are in seconds.
    """
    entries = _entries()
    if name is not None:
        entries = _named(name, entries)
    if as_json:
        print_document({"columns": entries})
        return
    _show(entries)


def _entries() -> list[dict[str, Any]]:
    from trainability.findings import meanings
    from trainability.results import COLUMNS

    rows = [
        {
            "name": column.name,
            "where": _ROWS,
            "type": str(column.type),
            "least": column.least,
            "one_of": list(column.one_of) or None,
            "may_be_missing": column.nullable or column.nullable_entries,
            "values": meanings.values_text(column),
            "meaning": column.meaning,
        }
        for column in COLUMNS
    ]
    own = {f"{table}.csv": texts for table, texts in meanings.OWN.items()}
    others = {_TABLES: meanings.COLUMNS, **own, _METRICS: meanings.METRICS}
    return rows + [
        {"name": name, "where": where, "meaning": text}
        for where, texts in others.items()
        for name, text in texts.items()
    ]


def _named(name: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All that has a name, of which there may be one of each kind; also an end of an interval."""
    from trainability.findings import meanings
    from trainability.results import MEANINGS

    table = name.removesuffix(".csv")
    chosen = [
        entry for entry in entries if name == entry["name"] or f"{table}.csv" == entry["where"]
    ]
    if table in meanings.TABLES:
        text = meanings.TABLES[table]
        chosen.insert(0, {"name": f"{table}.csv", "where": "a table", "meaning": text})
    in_tables = any(entry["where"] not in (_ROWS, _METRICS) for entry in chosen)
    if not in_tables and (text := meanings.meaning(name)) is not None and name not in MEANINGS:
        chosen.append({"name": name, "where": _TABLES, "meaning": text})
    if not chosen:
        names = dict.fromkeys(entry["name"] for entry in entries)
        raise InputError(
            f"there is no column {shown(name)}{did_you_mean(name, [*names, *meanings.TABLES])}; "
            "trainability columns lists them all"
        )
    return chosen


def _show(entries: list[dict[str, Any]]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    for entry in entries:
        kind = ", ".join(filter(None, [entry["where"], entry.get("values")]))
        out.print(Text.assemble((clean(entry["name"]), "bold"), clean(f"  {kind}")))
        out.print(Padding(Text(clean(entry["meaning"])), (0, 0, 0, 4)))
