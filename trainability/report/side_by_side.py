"""Several studies on one page: their questions, answers and figures beside each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from trainability.commands import command
from trainability.findings.study import Findings
from trainability.report.build import Picture, Report, render, replace_folder
from trainability.report.sentences import answer, progress
from trainability.report.tables import TableView
from trainability.report.text import percent
from trainability.storage import Storage

_FIGURE = "success_over_width"


def write_side_by_side(reports: Sequence[Report], storage: Storage) -> Path:
    """Write one page over the reports of several studies.

    Args:
        reports: As `write_report` has written them.
        storage: Gets the page in `<study>+<study>`, beside the studies; if it is not local, that
            folder is in the current one.

    Returns:
        The page, self-contained but for the links to the single reports.

    Raises:
        StorageError: If it can't be written.
    """
    names = [report.findings.study.name for report in reports]
    name = "+".join(names)
    folder = (Path(storage.address) if storage.is_local else Path.cwd()) / name
    table = study_table([report.findings for report in reports])

    def write(made: Path) -> None:
        table.to_csv(made / "studies.csv", index=False)
        page = render(
            "side_by_side.html",
            name=name,
            table=_shown(table),
            studies=[
                {
                    "question": report.findings.study.question,
                    "name": report.findings.study.name,
                    "progress": progress(report.findings),
                    "answer": answer(report.findings),
                    "picture": Picture.of(report.folder / f"{_FIGURE}.png"),
                    "link": Path(os.path.relpath(report.page, folder)).as_posix(),
                }
                for report in reports
            ],
            command=command("report", *names, storage=storage.address),
        )
        (made / "index.html").write_text(page, encoding="utf-8")

    replace_folder(folder, write)
    return folder / "index.html"


def study_table(found: Sequence[Findings]) -> pd.DataFrame:
    """One row per study and curve: what can be told in one line."""
    rows = []
    for study in found:
        fits, widths = study.fits.activity, study.fits.widths
        for curve, cells in study.rates.groupby("curve", sort=False):
            best = cells.iloc[cells["success_rate"].argmax()]
            row = {"study": study.study.name, "curve": curve, "cells": len(cells)}
            row |= {"n": int(cells["n"].sum()), "successes": int(cells["successes"].sum())}
            row["best_success_rate"] = best["success_rate"]
            row["best_success_rate_low"] = best["success_rate_low"]
            row["best_success_rate_high"] = best["success_rate_high"]
            row[f"best_at_{study.x}"] = best[study.x]
            if len(widths):
                share = widths[(widths["curve"] == curve) & (widths["success_probability"] == 0.9)]
                row["width_for_90_percent"] = share["width_measured"].min()
                row["width_by_trainability"] = share["width_trainability"].min()
            if len(fits):
                q = fits[fits["curve"] == curve]
                row |= {name: q[name].iloc[0] for name in ("q", "q_low", "q_high") if len(q)}
            row["laws_hold"] = all(verdict.holds for verdict in study.verdicts)
            rows.append(row)
    return pd.DataFrame(rows)


def _shown(table: pd.DataFrame) -> TableView:
    body = []
    for _, row in table.iterrows():
        best = [percent(row[f"best_success_rate{end}"]) for end in ("", "_low", "_high")]
        q = "-"
        if not pd.isna(row.get("q")):
            q = f"{row['q']:.3f} [{row['q_low']:.3f}, {row['q_high']:.3f}]"
        body.append(
            [
                row["study"],
                row["curve"],
                f"{row['n']:,}",
                f"{best[0]} [{best[1]}, {best[2]}]",
                *(
                    "-" if pd.isna(row.get(name)) else f"{row[name]:g}"
                    for name in ("width_for_90_percent", "width_by_trainability")
                ),
                q,
                "hold" if row["laws_hold"] else "broken",
            ]
        )
    return TableView(
        "studies",
        "Highest success rate in percent, with its interval of 95 %; the least studied width whose "
        "interval lies wholly at or above 90 %, beside the least width at which trainability "
        "allows it; the effective activity q; and whether all laws of theory that were tested "
        "hold in the study.",
        ["study", "curve", "n", "highest success %", "width for 90 %", "by trainability alone",
         "effective activity q", "laws"],
        body,
        n_text=2,
    )  # fmt: skip
