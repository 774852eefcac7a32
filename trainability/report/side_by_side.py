"""Several studies on one page: in one figure, with tests between them, and side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from trainability import plots
from trainability.commands import command
from trainability.findings.overlay import Overlay, overlay
from trainability.findings.places import in_order, places
from trainability.findings.provenance import place_name
from trainability.findings.study import LEVEL, Findings
from trainability.report.better import confidence, p_value_text
from trainability.report.build import Report, render, replace_folder
from trainability.report.chart import make_chart
from trainability.report.library import Library
from trainability.report.pictures import Picture
from trainability.report.sentences import progress
from trainability.report.tables import TableView
from trainability.report.text import joined, p_text, points, with_interval
from trainability.storage import Storage
from trainability.study.axes import label

_MOST_CURVES = 3
"""Curves of cells that two studies both have which a sentence names; the table has all."""
_OVERLAY = "overlay"
_MOST_LINES = 14
"""Curves in the static figure; the interactive one has all."""


@dataclass(frozen=True)
class SideBySide:
    """A page over several studies.

    Args:
        page: Where it is.
        said: What is to be said between the studies, in sentences.
    """

    page: Path
    said: list[str]


def write_side_by_side(reports: Sequence[Report], storage: Storage) -> SideBySide:
    """Write one page over the reports of several studies.

    Args:
        reports: As `write_report` has written them, of different studies.
        storage: Gets the page in `<study>+<study>`, beside the studies; if it is not local, that
            folder is in the current one.

    Returns:
        Its page, self-contained but for the links to the single reports, and what it says.

    Raises:
        StorageError: If it can't be written.
    """
    library = Library()
    names = [report.findings.study.name for report in reports]
    name = "+".join(names)
    folder = (Path(storage.address) if storage.is_local else Path.cwd()) / name
    studies = [report.findings for report in reports]
    together = overlay(studies)
    tables = {"studies": study_table(studies), "between_studies": together.pooled,
              "between_curves": together.curves, "same_cells": together.same}  # fmt: skip
    tables = {name: table for name, table in tables.items() if len(table)}
    said = between(together)

    def write(made: Path) -> None:
        for file, table in tables.items():
            table.to_csv(made / f"{file}.csv", index=False)
        title = said[0] if said else f"{len(names)} studies"
        picture = Picture.save(_static(together, title), made, _OVERLAY)
        chart = make_chart(_OVERLAY, together.rates, together.activity, together.x, LEVEL)
        code = library.text() if chart else ""
        page = render(
            "side_by_side.html",
            name=name,
            said=said,
            chart=chart if code else None,
            overlay=picture,
            library=Markup(code),
            tables=[_studies(tables["studies"]), *_tests(together), *_same(together)],
            differing=differing_sentence(together),
            studies=[
                {
                    "question": report.findings.study.question,
                    "name": report.findings.study.name,
                    "progress": progress(report.findings),
                    "answer": report.answer,
                    "link": Path(os.path.relpath(report.page, folder)).as_posix(),
                }
                for report in reports
            ],
            command=command(
                "report",
                *names,
                storage=place_name(storage) if storage.is_local else storage.address,
            ),
        )
        (made / "index.html").write_text(page, encoding="utf-8")

    replace_folder(folder, write)
    return SideBySide(folder / "index.html", said)


def between(together: Overlay) -> list[str]:
    """Which study's networks succeed more often, pair by pair of studies, in sentences.

    After these, what two studies have in common to the last network.
    """
    sentences = []
    for row in together.pooled.to_dict("records"):
        a, b = str(row["a"]), str(row["b"])
        gap, low, high = (float(row[f"difference{end}"]) for end in ("", "_low", "_high"))
        if gap < 0:
            a, b, gap, low, high = b, a, -gap, -high, -low
        settings = f"the {row['places']} settings" if row["places"] > 1 else "the one setting"
        pair = together.same[["a", "b"]].isin([a, b]).all(axis=1)
        aside = ", those of the very same networks aside" * bool(pair.any())
        sentences.append(
            f"On average over {settings} that both studied{aside}, {b} succeeds "
            f"{points(gap)} percentage points (95 % interval {points(low)} to {points(high)}) "
            f"more often than {a} (n = {min(row['n_a'], row['n_b']):,} networks each), "
            f"{confidence(row['p_holm'])}: {p_value_text(row['p_holm'])} by a "
            "likelihood-ratio test pooled over them."
        )
    if not sentences:
        but = ", but for networks that are the very same" * bool(len(together.same))
        sentences = [f"The studies have no setting in common at which they could be compared{but}."]
    return [*sentences, *_same_sentences(together)]


def _same_sentences(together: Overlay) -> list[str]:
    """Which cells of two studies are one and the same."""
    texts = []
    for (a, b), part in together.same.groupby(["a", "b"], sort=False):
        curves = part.groupby("curve", sort=False)["place"].agg(list)
        named = [f"{curve} at {together.x} {joined(places)}" for curve, places in curves.items()]
        if len(named) > _MOST_CURVES:
            named = [*named[:_MOST_CURVES], f"of {len(named) - _MOST_CURVES} more curves"]
        one = len(part) == 1
        texts.append(
            f"The {'one cell' if one else f'{len(part)} cells'} that {a} and {b} have "
            f"in common ({joined(named)}) hold{'s' * one} the very same networks, as far as "
            "both have them, from one seed and with all settings alike: "
            f"{'it is' if one else 'they are'} in no comparison."
        )
    return texts


def differing_sentence(together: Overlay) -> str:
    """In which settings studies differ throughout; empty if in none."""
    names = [label(name) for name in together.differing]
    if not names:
        return ""
    of_all = together.rates["study"].nunique()
    return f"{'The two' if of_all == 2 else 'Some of the'} studies differ in {joined(names)}."


def study_table(studies: Sequence[Findings]) -> pd.DataFrame:
    """One row per study and curve: what can be told in one line."""
    rows = []
    for study in studies:
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


def _static(together: Overlay, title: str) -> Any:
    curves = list(dict.fromkeys(together.rates["curve"]))[:_MOST_LINES]
    rates = together.rates[together.rates["curve"].isin(curves)]
    rates = in_order(rates, together.x, places(together.rates, together.x))
    short = title if len(title) < 90 else "Success of the studies, one over the other"
    return plots.plot_success_over_width(
        rates, curve="curve", x=together.x, title=short, level=LEVEL
    )


def _tests(together: Overlay) -> list[TableView]:
    views = []
    for name, table in (("between_studies", together.pooled), ("between_curves", together.curves)):
        if table.empty:
            continue
        own = [str(column) for column in table.columns[: table.columns.get_loc("a")]]
        body = []
        for row in table.to_dict("records"):
            gap, low, high = (100 * row[f"difference{end}"] for end in ("", "_low", "_high"))
            body.append(
                [*(str(row[column]) for column in own), str(row["a"]), str(row["b"]),
                 f"{row['places']}", f"{row['n_a']:,}", f"{row['n_b']:,}",
                 f"{gap:+.1f} [{low:+.1f}, {high:+.1f}]", p_text(row["p_holm"])]
            )  # fmt: skip
        what = f"for each {joined(own)} of both" if own else "over all that both studied"
        views.append(
            TableView(
                name,
                f"Study against study, {what}: how much more often b succeeds than a, in "
                "percentage points on average over their common settings, with its interval of "
                "95 %; p of one likelihood-ratio test that both have one curve, "
                "Holm-corrected over the rows. Networks of the same initialization are compared "
                "pair by pair.",
                [*own, "a", "b", "settings", "n of a", "n of b", "b minus a, points", "p"],
                body,
                n_text=len(own) + 2,
            )
        )
    return views


def _same(together: Overlay) -> list[TableView]:
    if together.same.empty:
        return []
    return [
        TableView(
            "same_cells",
            "Cells of two studies that are one: the same networks from one seed, trained alike. "
            "They are in no comparison of the two.",
            ["a", "b", "curve", together.x, "cell"],
            together.same.astype(str).to_numpy().tolist(),
            n_text=5,
        )
    ]


def _studies(table: pd.DataFrame) -> TableView:
    body = []
    for _, row in table.iterrows():
        q = "-"
        if not pd.isna(row.get("q")):
            q = f"{row['q']:.3f} [{row['q_low']:.3f}, {row['q_high']:.3f}]"
        body.append(
            [
                row["study"],
                row["curve"],
                f"{row['n']:,}",
                with_interval(*(row[f"best_success_rate{end}"] for end in ("", "_low", "_high"))),
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
        "allows it; the effective activity q, the probability with which a neuron becomes useful; "
        "and whether all laws of theory that were tested hold in the study.",
        ["study", "curve", "n", "highest success %", "width for 90 %", "by trainability alone",
         "effective activity q", "laws"],
        body,
        n_text=2,
    )  # fmt: skip
