"""One folder per report: tables as CSV, figures as PNG and SVG, and one self-contained page."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape
from rich.console import Console

from trainability import plots
from trainability.addresses import has_secrets
from trainability.commands import STORAGE, command, python_command, variables, variables_sentence
from trainability.errors import StorageError
from trainability.findings.provenance import what_was_run
from trainability.findings.study import Findings, find
from trainability.report.console import show
from trainability.report.figures import draw
from trainability.report.sections import sections
from trainability.report.sentences import answer, progress
from trainability.report.tables import MOST_ROWS
from trainability.storage import Storage
from trainability.study import Study

_SCALE = 0.93
"""Pixels of a page per pixel of a figure."""


@dataclass(frozen=True)
class Report:
    """A report that was written.

    Args:
        folder: Where.
        page: Its HTML page.
        markdown: Question and answer, for MLflow.
        findings: What it says.
    """

    folder: Path
    page: Path
    markdown: str
    findings: Findings

    def show(self, console: Console) -> None:
        """Print the answer and the rates, for a terminal of 80 columns."""
        show(self.findings, console)


def write_report(study: Study, storage: Storage, folder: Path | None = None) -> Report:
    """Write what storage holds of a study as tables, figures and a page.

    Args:
        study: The study; it may be unfinished.
        storage: Where its rows are.
        folder: Where to write; default `<storage>/<study>/report`, or `<study>-report` in the
            current folder if the storage is not local.

    Raises:
        InputError: If storage holds nothing of the study.
        StorageError: If the folder can't be written.
    """
    found = find(study, storage)
    if folder is None:
        local = Path(storage.address) / study.name / "report"
        folder = local if storage.is_local else Path(f"{study.name}-report").resolve()
    replace_folder(folder, lambda made: _write(found, storage, made))
    parts = [f"**{study.question}**", progress(found), " ".join(answer(found))]
    return Report(folder, folder / "index.html", "\n\n".join(filter(None, parts)), found)


def replace_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """Write a folder beside its place and swap it in, so that nobody opens half a report.

    Raises:
        StorageError: If it can't be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".report-") as scratch:
            made = Path(scratch) / "report"
            made.mkdir()
            write(made)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
    except OSError as error:
        raise StorageError(f"the report can't be written to {folder}: {error}") from error


def render(template: str, **values: object) -> str:
    """A page from its template."""
    environment = Environment(
        loader=PackageLoader("trainability.report", "templates"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = lambda text: text.replace(" %", "\u00a0%")
    return environment.get_template(template).render(most=MOST_ROWS, **values)


@dataclass(frozen=True)
class Picture:
    """A figure inside a page.

    Args:
        data: A PNG file as base64 text.
        width: At which letters have the same size in all figures, in pixels.
    """

    data: str
    width: int

    @classmethod
    def of(cls, path: Path) -> Picture:
        """The picture in a PNG file, whose header holds its width."""
        png = path.read_bytes()
        width = int.from_bytes(png[16:20], "big")
        return cls(base64.b64encode(png).decode(), round(_SCALE * width))


def _write(found: Findings, storage: Storage, folder: Path) -> None:
    for name, table in found.tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    figures = {}
    for name, figure in draw(found):
        figures[name] = Picture.of(plots.save_all(figure, folder, name))
    study = found.study
    page = render(
        "page.html",
        study=study,
        answer=answer(found),
        progress=progress(found),
        sections=list(sections(found, figures)),
        figures=figures,
        run=what_was_run(found, storage),
        declared=study.to_json(),
        tables=list(found.tables),
        storage=storage.shown,
        commands=[
            command("run", study.name, storage=storage.address),
            command("report", study.name, storage=storage.address),
            _rows_command(study.name, storage),
        ],
        before=variables_sentence(variables(storage=storage.address)),
    )
    (folder / "index.html").write_text(page, encoding="utf-8")


def _rows_command(study: str, storage: Storage) -> str:
    """Opens the rows of a study."""
    where, imports = repr(storage.address), ""
    if has_secrets(storage.address):
        where, imports = f"os.environ[{STORAGE!r}]", "import os; "
    return python_command(
        f"{imports}from trainability.storage import Storage; "
        f"print(Storage({where}).read_rows({study!r}))"
    )
