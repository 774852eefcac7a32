"""One folder per tuning: tables as CSV, figures as PNG and SVG, and one self-contained page."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import ChoiceLoader, Environment, PackageLoader, select_autoescape

from trainability import plots
from trainability.errors import StorageError
from trainability.provenance import describe_environment
from trainability.storage import Storage
from trainability.tuning.choices import written
from trainability.tuning.declaration import Tuning
from trainability.tuning.figures import draw_figures
from trainability.tuning.objectives import Estimate
from trainability.tuning.optuna_file import optuna_file
from trainability.tuning.result import FinalistScore, Result, answer
from trainability.tuning.tables import candidate_table, finalist_table
from trainability.tuning.wording import heading, interval, number

_DPI = 160
"""Of the page's figures, whose pixels are those of the screen."""
_MOST_COLUMNS = 2
"""Settings that have a column each in the table of finalists; more are written as one text."""


@dataclass(frozen=True)
class Report:
    """A report that was written.

    Args:
        folder: Where.
        page: Its HTML page.
        markdown: Question and answer, for MLflow.
        result: What it says.
    """

    folder: Path
    page: Path
    markdown: str
    result: Result


def write_report(result: Result, storage: Storage, folder: Path | None = None) -> Report:
    """Write what a tuning found as tables, figures and a page, and Optuna's file beside it.

    Args:
        result: The verdict.
        storage: Where its rows are; gets `<tuning>/optuna.db`.
        folder: Where to write; default `<storage>/<tuning>/report`, or `<tuning>-report` in the
            current folder if the storage is not local.

    Raises:
        StorageError: If the folder can't be written.
    """
    name = result.tuning.name
    if folder is None:
        local = Path(storage.address) / name / "report"
        folder = local if storage.is_local else Path(f"{name}-report").resolve()
    storage.write_bytes(f"{name}/optuna.db", optuna_file(result))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and swapped in, so that nobody opens half a report.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".report-") as scratch:
            made = Path(scratch) / "report"
            made.mkdir()
            _write(result, storage, made)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
    except OSError as error:
        raise StorageError(f"the report can't be written to {folder}: {error}") from error
    markdown = f"**{result.tuning.question}**\n\n" + " ".join(answer(result))
    return Report(folder, folder / "index.html", f"{markdown}\n\n`{result.python}`", result)


def shown_finalists(result: Result, of: Sequence[int] | None = None) -> dict[str, Any]:
    """The finalists and the default, as text: header, body.

    Args:
        result: The verdict.
        of: Which objectives; default: all.
    """
    tuning = result.tuning
    chosen = range(len(tuning.objectives)) if of is None else of
    header = list(tuning.vary) if len(tuning.vary) <= _MOST_COLUMNS else ["candidate"]
    for index in chosen:
        header += [heading(tuning.objectives[index]), "minus the default's", "in the search"]
    entries = [*result.finalists, result.default]
    return {"header": header, "body": [_shown(tuning, entry, chosen) for entry in entries]}


def _shown(tuning: Tuning, entry: FinalistScore, of: Sequence[int]) -> list[str]:
    is_default = entry.settings is None
    if len(tuning.vary) > _MOST_COLUMNS:
        cells = [f"{entry.name} (default)" if is_default else entry.name]
    elif entry.settings is None:
        cells = [
            f"{written(tuning.default_of(name))} (default)" if tuning.is_default_of(name) else ""
            for name in tuning.vary
        ]
    else:
        cells = list(tuning.space.texts(entry.settings).values())
    for index in of:
        part = tuning.objectives[index]
        cells += [
            interval(part, entry.values[index]),
            "" if is_default else interval(part, entry.differences[index], sign=True),
            "" if is_default else number(part, entry.observed[index]),
        ]
    return cells


def _write(result: Result, storage: Storage, folder: Path) -> None:
    candidates = candidate_table(result)
    candidates.to_csv(folder / "candidates.csv", index=False)
    finalist_table(result).to_csv(folder / "finalists.csv", index=False)
    (folder / "tuning.json").write_text(result.tuning.to_json(), encoding="utf-8")
    figures = draw_figures(result, candidates)
    for name, figure in figures.items():
        plots.save_all(figure, folder, name, dpi=_DPI)
    environment = Environment(
        # The second has the style that all pages share.
        loader=ChoiceLoader(
            [PackageLoader(f"trainability.{room}", "templates") for room in ("tuning", "report")]
        ),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("page.html").render(
        tuning=result.tuning,
        answer=answer(result),
        python=result.python,
        finalists=shown_finalists(result),
        candidates=_shown_candidates(result, candidates),
        figures={
            name: base64.b64encode((folder / f"{name}.png").read_bytes()).decode()
            for name in figures
        },
        environment=describe_environment(),
        storage=storage.shown,
    )
    (folder / "index.html").write_text(page, encoding="utf-8")


def _shown_candidates(result: Result, candidates: pd.DataFrame) -> dict[str, Any]:
    """The best of the search as text; all of them are in the CSV file."""
    space = result.tuning.space
    objective = result.tuning.objectives[0]
    sign = -1 if objective.maximize else 1
    order = np.argsort(sign * candidates["expected"].to_numpy(), kind="stable")[:20]
    body = [
        [
            *space.texts(result.search.standings[index].settings).values(),
            f"{row['n_networks']:,}",
            interval(objective, Estimate(row["value"], row["low"], row["high"])),
            number(objective, row["expected"]),
            "yes" if row["hopeful"] else "given up",
        ]
        for index, (_, row) in zip(order, candidates.iloc[order].iterrows(), strict=True)
    ]
    return {
        "header": [*space.names, "networks", heading(objective), "expected", "hopeful"],
        "body": body,
    }
