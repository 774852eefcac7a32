"""One folder per study: tables as CSV, figures as PNG and SVG, and one self-contained page."""

from __future__ import annotations

import base64
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, select_autoescape
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from trainability import plots
from trainability.analysis.laws import verdict_table
from trainability.errors import StorageError
from trainability.provenance import describe_environment
from trainability.report.findings import LEVEL, Findings, find
from trainability.report.words import answer, headline
from trainability.storage import Storage
from trainability.study import Study


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
        """Print the answer and the table of rates."""
        console.print(f"\n[bold]{self.findings.study.question}[/]")
        for sentence in answer(self.findings):
            console.print(sentence)
        console.print(_rates_table(self.findings))
        if len(self.findings.activity):
            console.print(_activity_table(self.findings))


def write_report(study: Study, storage: Storage, folder: Path | None = None) -> Report:
    """Write what storage holds of a study as tables, figures and a page.

    Args:
        study: The study; it may be unfinished.
        storage: Where its rows are.
        folder: Where to write; default `<storage>/<study>/report`, or `<study>-report` in the
            current folder if the storage is not local.

    Raises:
        StorageError: If the folder can't be written.
    """
    findings = find(study, storage)
    if folder is None:
        local = Path(storage.address) / study.name / "report"
        folder = local if storage.is_local else Path(f"{study.name}-report").resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Written beside and swapped in, so that nobody opens half a report.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".report-") as scratch:
            made = Path(scratch) / "report"
            made.mkdir()
            _write(findings, storage, made)
            shutil.rmtree(folder, ignore_errors=True)
            made.rename(folder)
    except OSError as error:
        raise StorageError(f"the report can't be written to {folder}: {error}") from error
    markdown = f"**{study.question}**\n\n" + " ".join(answer(findings))
    return Report(folder, folder / "index.html", markdown, findings)


def _write(findings: Findings, storage: Storage, folder: Path) -> None:
    tables = {
        "rates": findings.rates.reset_index(),
        "effective_activity": findings.activity,
        "laws": verdict_table(findings.verdicts),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    figures = _figures(findings)
    for name, figure in figures.items():
        for suffix in ("png", "svg"):
            plots.save(figure, folder / f"{name}.{suffix}")
    environment = Environment(
        loader=PackageLoader("trainability.report", "templates"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("page.html").render(
        study=findings.study,
        answer=answer(findings),
        findings=findings,
        rates=_shown_rates(findings),
        activity=_shown_activity(findings),
        level=LEVEL,
        figures={
            name: base64.b64encode((folder / f"{name}.png").read_bytes()).decode()
            for name in figures
        },
        environment=describe_environment(),
        storage=storage.address,
    )
    (folder / "index.html").write_text(page, encoding="utf-8")


def _figures(findings: Findings) -> dict[str, Figure]:
    rates = findings.rates.copy()
    by = findings.curve_columns
    panel = by[0]
    if len(by) > 1:
        panel = "curve"
        rates["curve"] = rates[by].astype(str).agg(", ".join, axis=1)
    return {
        "success_over_width": plots.success_panels(
            rates, panel=panel, title=headline(findings), level=LEVEL
        )
    }


def _percent(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:.1f} %"


def _shown_rates(findings: Findings) -> dict[str, Any]:
    by = findings.curve_columns
    header = [*by, "width", "n", "success", f"{100 * LEVEL:g} % interval", "trainability",
              "trainable", "born dead"]  # fmt: skip
    body = [
        [
            *(str(row[name]) for name in by),
            str(row["width"]),
            f"{row['n']:,}",
            _percent(row["success_rate"]),
            f"{100 * row['success_rate_low']:.1f} to {100 * row['success_rate_high']:.1f} %",
            _percent(row["trainability"]),
            _percent(row["trainable_rate"]),
            _percent(row["born_dead_rate"]),
        ]
        for _, row in findings.rates.iterrows()
    ]
    return {"header": header, "body": body, "n_text": len(by)}


def _shown_activity(findings: Findings) -> dict[str, Any]:
    if findings.activity.empty:
        return {"header": [], "body": [], "n_text": 0}
    by = findings.curve_columns
    header = [*by, "n", "effective activity q", f"{100 * LEVEL:g} % interval", "born alive 1 - p",
              "fit p-value"]  # fmt: skip
    body = [
        [
            *(str(row[name]) for name in by),
            f"{row['n']:,}",
            f"{row['q']:.4f}",
            f"{row['q_low']:.4f} to {row['q_high']:.4f}",
            f"{row['born_alive']:.4f}",
            f"{row['p_value']:.2g}",
        ]
        for _, row in findings.activity.iterrows()
    ]
    return {"header": header, "body": body, "n_text": len(by)}


def _rates_table(findings: Findings) -> Table:
    return _rich("success over width", _shown_rates(findings))


def _activity_table(findings: Findings) -> Table:
    return _rich(
        "effective activity: success = P(Bin(width, q) >= need)", _shown_activity(findings)
    )


def _rich(title: str, shown: dict[str, Any]) -> Table:
    table = Table(title=title, title_justify="left")
    for index, name in enumerate(shown["header"]):
        table.add_column(name, justify="left" if index < shown["n_text"] else "right")
    for entries in shown["body"]:
        table.add_row(*entries)
    return table
