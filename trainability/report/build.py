"""One folder per report: tables as CSV, figures as PNG and SVG, and one self-contained page."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup
from rich.console import Console

from trainability.addresses import has_secrets
from trainability.commands import (
    STORAGE,
    command,
    python_command,
    python_text,
    variables,
    variables_sentence,
)
from trainability.errors import StorageError
from trainability.findings.labels import without_folders
from trainability.findings.provenance import place_name, what_was_run
from trainability.findings.study import LEVEL, Findings, find
from trainability.report.chart import make_chart
from trainability.report.console import show
from trainability.report.figures import main_name
from trainability.report.helper import Helper
from trainability.report.library import Library
from trainability.report.pictures import draw_pictures
from trainability.report.sections import sections
from trainability.report.sentences import answer, progress
from trainability.report.tables import MOST_ROWS
from trainability.storage import Storage
from trainability.study import Study

_ABOVE = 3
"""Sentences of the answer above the main figure; the others stand below it, each said once."""
RELOAD_S = 15
"""How often the page of an unfinished study reads its file again, in seconds."""


@dataclass(frozen=True)
class Report:
    """A report that was written.

    Args:
        folder: Where.
        page: Its HTML page.
        markdown: Question and answer, for MLflow.
        findings: What it says.
        answer: In sentences, as `sentences.answer` has them.
    """

    folder: Path
    page: Path
    markdown: str
    findings: Findings
    answer: list[str]

    def show(self, console: Console) -> None:
        """Print the answer and the rates, for a terminal of 80 columns."""
        show(self.findings, self.answer, console)


def write_report(
    study: Study, storage: Storage, folder: Path | None = None, helper: Helper | None = None
) -> Report:
    """Write what storage holds of a study as tables, figures and a page.

    Args:
        study: The study; it may be unfinished.
        storage: Where its rows are.
        folder: Where to write; default `<storage>/<study>/report`, or `<study>-report` in the
            current folder if the storage is not local.
        helper: Sums up some of the rows, and draws some of the figures.

    Raises:
        InputError: If storage holds nothing of the study.
        StorageError: If the folder can't be written.
    """
    library = Library()
    findings = find(study, storage, None if helper is None else helper.map)
    folder = report_folder(study.name, storage) if folder is None else folder
    sentences = answer(findings)
    replace_folder(folder, lambda made: _write(findings, sentences, storage, made, library, helper))
    parts = filter(None, [f"**{study.question}**", progress(findings), " ".join(sentences)])
    return Report(folder, folder / "index.html", "\n\n".join(parts), findings, sentences)


def report_folder(study: str, storage: Storage) -> Path:
    """Where the report of a study is written if nothing else is said."""
    local = Path(storage.address) / study / "report"
    return local if storage.is_local else Path(f"{study}-report").resolve()


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
            # Renamed and removed later: a page that reloads itself finds the one or the other.
            if folder.exists():
                folder.rename(Path(scratch) / "before")
            made.rename(folder)
    except OSError as error:
        raise StorageError(f"the report can't be written to {folder}: {error}") from error


def render(template: str, **values: object) -> str:
    """A page from its template; of absolute paths in the settings of tasks it shows the names."""
    environment = Environment(
        loader=PackageLoader("trainability.report", "templates"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: without_folders(value) if type(value) is str else value,
    )
    environment.filters["unbroken"] = lambda text: text.replace(" %", "\u00a0%")
    return environment.get_template(template).render(most=MOST_ROWS, **values)


def _write(
    findings: Findings,
    sentences: list[str],
    storage: Storage,
    folder: Path,
    library: Library,
    helper: Helper | None,
) -> None:
    for name, table in findings.tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    figures = draw_pictures(findings, folder, helper)
    study = findings.study
    chart = None
    if findings.is_about_success and not findings.has_one_place:
        chart = make_chart(
            main_name(findings),
            findings.rates,
            findings.fits.activity,
            findings.x,
            LEVEL,
            findings.places,
        )
    code = library.text() if chart else ""
    place = storage.address if not storage.is_local else place_name(storage)
    parts = list(sections(findings, figures, chart if code else None))
    told = {paragraph for part in parts for paragraph in part.text}
    n_above = _ABOVE if parts else len(sentences)
    page = render(
        "page.html",
        study=study,
        answer=sentences[:n_above],
        further=[sentence for sentence in sentences[n_above:] if sentence not in told],
        progress=progress(findings),
        reload_s=None if findings.is_complete else RELOAD_S,
        sections=parts,
        figures=figures,
        library=Markup(code),
        watch=command("report", study.name, storage=place) + " --watch",
        run=what_was_run(findings, storage),
        declared=study.to_json(),
        tables=list(findings.tables),
        storage=place_name(storage),
        commands=[
            command("run", study.name, storage=place),
            command("report", study.name, storage=place),
            _rows_command(study.name, place),
        ],
        before=variables_sentence(variables(storage=storage.address)),
    )
    (folder / "index.html").write_text(page, encoding="utf-8")


def _rows_command(study: str, address: str) -> str:
    """Opens the rows of a study."""
    where, imports = python_text(address), ""
    if has_secrets(address):
        where, imports = f"os.environ[{python_text(STORAGE)}]", "import os; "
    return python_command(
        f"{imports}from trainability.storage import Storage; "
        f"print(Storage({where}).read_rows({python_text(study)}))"
    )
