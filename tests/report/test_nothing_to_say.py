"""Sections and sentences that would say nothing are left out."""

import dataclasses
import io
import json

import numpy as np
import pandas as pd
import pytest
from html_page import Page
from matplotlib.text import Text
from rich.console import Console
from synthetic_rows import MADE, synthetic_rows

from trainability import Adam, Study
from trainability.activations import HardTanh, Identity, ReLU, Tanh
from trainability.findings.study import find
from trainability.findings.verdicts import BOUND
from trainability.penalties import Jumpstart
from trainability.report import write_report, write_side_by_side
from trainability.report.console import pivot
from trainability.report.figures import maps, success_map, success_panels
from trainability.report.matrix import success_matrix
from trainability.report.sentences import answer, headline
from trainability.report.tables import rates_table
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.study.published import Published
from trainability.tasks import AbsoluteValue

pytestmark = pytest.mark.usefixtures("unrendered")

STUDY = Study(
    name="shown",
    question="Is it shown?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), He(bias_std=1.0)], "width": [2, 4]},
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)


def stored(study, tmp_path, change=lambda rows: rows):
    storage = Storage(tmp_path)
    for cell in study.cells():
        storage.write_rows(study.name, change(synthetic_rows(study.name, cell, [0])), MADE)
    return storage


def unlucky(rows):
    """None succeeds, and some of the output varies over the data."""
    varies = [np.array([0.25]) for _ in range(len(rows))]
    return rows.assign(success=False, steps=50, final_loss=np.float32(1.0), variance_init=varies)


def test_a_study_of_birth_in_which_nobody_succeeds_says_nothing_of_success(tmp_path):
    study = dataclasses.replace(STUDY, quantity="variance")
    storage = stored(study, tmp_path, unlucky)
    sentences = answer(find(study, storage))
    assert sentences[-1] == "No network succeeded within 50 steps of training."
    assert not any("initializations" in s and "succe" in s for s in sentences)
    report = write_report(study, storage)
    page = Page(report.page.read_text())
    assert not (report.folder / "success_over_width.png").exists()
    for title in ("Success over", "Scheme against", "Widths needed", "One number for a curve",
                  "How long success", "Why networks fail", "Losses"):  # fmt: skip
        assert title not in page.text.split("Files, and how")[0]
    assert "Cell by cell" in page.text  # what is trainable and born dead stays
    terminal = io.StringIO()
    report.show(Console(file=terminal, width=200))
    assert "25.0 [25.0, 25.0]" in terminal.getvalue()


def test_what_nobody_succeeds_at_is_shown_where_success_is_asked_about(tmp_path):
    storage = stored(STUDY, tmp_path, unlucky)
    page = Page(write_report(STUDY, storage).page.read_text())
    assert "Success over" in page.text and "How long success" in page.text


def test_a_point_alone_is_no_curve_that_one_number_sums_up(tmp_path):
    study = dataclasses.replace(STUDY, axes={"scheme": STUDY.axes["scheme"]}, width=4)
    storage = stored(study, tmp_path)
    assert not any("q =" in sentence for sentence in answer(find(study, storage)))
    page = Page(write_report(study, storage).page.read_text())
    assert "One number for a curve" not in page.text and "Widths needed" not in page.text
    both = Page(write_report(STUDY, stored(STUDY, tmp_path)).page.read_text())
    assert "One number for a curve" in both.text and "Widths needed" in both.text


def test_where_no_neuron_can_be_dead_no_bound_is_claimed(tmp_path):
    study = dataclasses.replace(STUDY, activation=Identity())
    page = Page(write_report(study, stored(study, tmp_path)).page.read_text())
    assert "Theory bounds nothing here: no neuron can be dead." in page.text
    assert "obey theory" not in page.text and "stays below" not in page.text


def test_cells_without_flat_pieces_are_no_evidence_for_a_bound(tmp_path):
    axes = {"width": [2, 4], "activation": [ReLU(), Tanh()]}
    study = dataclasses.replace(STUDY, axes=axes, scheme=STUDY.axes["scheme"][0])
    findings = find(study, stored(study, tmp_path))
    relu = findings.rates[findings.rates["activation"] == "ReLU()"]
    assert list(findings.bounded.index) == list(relu.index) and len(relu) == 2
    assert headline(findings).endswith("theoretical trainability in all 2 cells that it bounds")
    verdict = next(verdict for verdict in findings.verdicts if verdict.law == BOUND)
    assert "all 2 cells" in verdict.verdict and verdict.n == relu["n"].sum()
    # Beside a measured rate of Tanh there is no bound.
    assert sum(line.count("/") for line in pivot(findings)[1:]) == 2


SILENT = {
    "Tanh()": (Tanh(), None, "no neuron can be dead"),
    "HardTanh()": (HardTanh(), None, "no law of HardTanh() is known"),
    "ReLU(), revived": (ReLU(), Jumpstart(0.1), "no death is permanent"),
}
"""Cells of which theory bounds nothing, by why."""


@pytest.mark.parametrize("silent", SILENT)
def test_where_theory_bounds_nothing_no_table_or_figure_shows_a_bound(silent, tmp_path):
    """Of cells that stand beside others whose success it bounds."""
    activation, penalty, reason = SILENT[silent]
    axis = {"activation": [ReLU(), activation]}
    if penalty is not None:
        axis = {"penalty": [None, penalty]}
    scheme = STUDY.axes["scheme"][0]
    study = dataclasses.replace(STUDY, axes={"width": [2, 4], **axis}, scheme=scheme)
    storage = stored(study, tmp_path)
    report = write_report(study, storage)
    findings = report.findings
    column = next(iter(axis))
    last = findings.rates[column].astype(str) == str(axis[column][1])
    rates = findings.rates[last]
    assert findings.rates.loc[~last, "trainability"].between(0, 1, inclusive="neither").all()
    assert rates["trainability"].isna().all() and not rates["is_bound"].any()
    assert list(findings.bounded.index) == list(findings.rates.index[~last])
    # The page's table, its matrix, the interactive figure, the static one, the CSV file.
    rows = rates_table(findings).body
    assert {tuple(row[4:6]) for row in rows if row[0] in set(rates["curve"])} == {("-", reason)}
    matrix = success_matrix(findings)
    assert {entry.theory == "" for name, entries in matrix.rows for entry in entries
            if name in set(rates["curve"])} == {True}  # fmt: skip
    points = json.loads(Page(report.page.read_text()).scripts[0])["data"]["points"]
    of_curve = [point for point in points if point["curve"] in set(rates["curve"])]
    assert len(of_curve) == 2 and all(point["theory"] is None for point in of_curve)
    assert not any("trainability" in line for point in of_curve for line in point["telling"])
    written = pd.read_csv(report.page.parent / "rates.csv")
    written = written[written["curve"].isin(rates["curve"])]
    assert written["trainability"].isna().all()
    assert set(written["trainability_method"]) == {reason}
    assert sum(line.count("/") for line in pivot(findings)[1:]) == 2
    # Models and widths that need a bound are those of the others.
    silent_curves = set(rates["curve"])
    models = findings.fits.models
    assert models.loc[models["curve"].isin(silent_curves), "q"].notna().all()
    assert set(models["curve"]) == set(findings.rates["curve"])
    widths = findings.fits.widths
    is_silent = widths["curve"].isin(silent_curves)
    assert widths.loc[is_silent, "width_trainability"].isna().all()
    assert widths.loc[~is_silent, "width_trainability"].notna().all()
    other = dataclasses.replace(study, name="other", optimizer=Adam(learning_rate=0.05))
    reports = [report, write_report(other, stored(other, tmp_path))]
    beside = write_side_by_side(reports, storage)
    points = json.loads(Page(beside.page.read_text()).scripts[0])["data"]["points"]
    theory = [point["theory"] is None for point in points]
    assert sum(theory) == len(theory) // 2


@pytest.mark.parametrize("silent", SILENT)
def test_the_answer_says_why_theory_bounds_nothing(silent, tmp_path):
    activation, penalty, reason = SILENT[silent]
    study = dataclasses.replace(STUDY, activation=activation, penalty=penalty)
    findings = find(study, stored(study, tmp_path))
    assert f"Theory bounds nothing here: {reason}." in answer(findings)
    assert not any("stays below" in sentence for sentence in answer(findings))
    legend = success_panels(findings).figure.legends
    assert not any("theory" in text.get_text() for one in legend for text in one.get_texts())


def test_a_map_of_cells_that_theory_does_not_bound_has_no_lines(tmp_path):
    axes = {"width": [2, 4], "depth": [2, 3]}
    study = dataclasses.replace(STUDY, axes=axes, scheme=STUDY.axes["scheme"][0], activation=Tanh())
    [(what, rates)] = maps(find(study, stored(study, tmp_path)))
    ax = success_map(what, rates)
    assert "by theory" not in "".join(text.get_text() for text in ax.figure.findobj(Text))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((0.55, 0.6), "All 2 published numbers agree with ours."),
        ((0.55, 0.0), "Of 2 comparisons with published numbers 1 agrees: 0 % beside our "),
        ((0.0, 1.0), "Of 2 comparisons with published numbers none agrees: "),
    ],
)
def test_published_numbers_are_in_the_answer_and_what_all_share_is_said_once(
    tmp_path, values, sentence
):
    published = [
        Published(source="Table 1", quantity="success", value=value, n=20, differs="their data",
                  where={"scheme": scheme, "width": 2})
        for scheme, value in zip(STUDY.axes["scheme"], values, strict=True)
    ]  # fmt: skip
    study = dataclasses.replace(STUDY, published=published)
    storage = stored(study, tmp_path)
    assert any(text.startswith(sentence) for text in answer(find(study, storage)))
    page = Page(write_report(study, storage).page.read_text())
    assert page.text.count("Table 1") == page.text.count("their data") == 1 + len(published)
    assert "Source: Table 1. Quantity: rate of success" in page.text


def test_of_one_curve_times_and_losses_are_shown_place_by_place(tmp_path):
    study = dataclasses.replace(STUDY, axes={"width": [2, 4, 8]}, scheme=UnitSphere())
    page = Page(write_report(study, stored(study, tmp_path)).page.read_text())
    assert "told apart best" not in page.text and any(
        alt.startswith("In the end ") for alt in page.alts
    )
    several = Page(write_report(STUDY, stored(STUDY, tmp_path)).page.read_text())
    assert "told apart best" in several.text
