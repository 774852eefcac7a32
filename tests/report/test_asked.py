"""The first sentence of a report is about the quantity that the study asks about."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from html_page import Page
from matplotlib.text import Text
from synthetic_rows import MADE, synthetic_rows

from trainability import Adam, Study
from trainability.analysis.rates import clopper_pearson
from trainability.errors import StudyError
from trainability.findings.study import find
from trainability.report import write_report
from trainability.report.asked import _best_along
from trainability.report.figures import asked_figures, success_panels
from trainability.report.sentences import answer
from trainability.schemes import Glorot, He, UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue, Table

pytestmark = pytest.mark.usefixtures("unrendered")

STUDY = Study(
    name="asked",
    question="Do they collapse?",
    quantity="collapsed",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), He(bias_std=1.0)], "width": [2, 4]},
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)


def stored(study, tmp_path, change=lambda rows, cell: rows):
    storage = Storage(tmp_path)
    for cell in study.cells():
        storage.write_rows(study.name, change(synthetic_rows(study.name, cell, [0]), cell), MADE)
    return storage


def collapse(rows, cell):
    """Of He's networks 192 of 256 collapse, of the others 64, to the mean of the targets."""
    n = 192 if cell.scheme == He(bias_std=1.0) else 64
    best = cell.loss.of_constant(cell.task.data()[1])
    lost = np.arange(256) < n
    loss = np.where(lost, best, rows["final_loss"]).astype(np.float32)
    return rows.assign(collapsed=lost, success=rows["success"] & ~lost, final_loss=loss)


def test_the_answer_is_about_collapse_and_what_it_ends_at(tmp_path):
    storage = stored(STUDY, tmp_path, collapse)
    sentences = answer(find(STUDY, storage))
    assert sentences[0].startswith(
        "Of 2 initializations UnitSphere has the smallest rate of collapse: on average over 2 "
        "combinations of the other axes, 25.0 %, 50.0 percentage points"
    )
    assert "less than He(bias_std=1) (75.0 %), beyond reasonable doubt" in sentences[0]
    assert any(s.startswith("Of the networks that collapsed") and "born dead" in s
               for s in sentences)  # fmt: skip
    assert any("100 % (95 % interval" in s and "at the mean of the targets" in s for s in sentences)
    page = Page(write_report(STUDY, storage).page.read_text())
    assert "The rate of collapse" in page.text


def test_an_axis_of_numbers_that_comes_first_is_answered_first(tmp_path):
    study = dataclasses.replace(STUDY, axes=dict(reversed(STUDY.axes.items())))
    sentences = answer(find(study, stored(study, tmp_path, collapse)))
    low, high = (f"{100 * float(end):.1f}" for end in clopper_pearson(64, 256, 0.95))
    assert sentences[0].startswith(
        f"The rate of collapse is 25.0 % [{low}, {high}] at width 2 and 4 alike "
        "with UnitSphere; 75.0 % ["
    )
    assert sentences[0].endswith("(95 % intervals in brackets, n = 256 networks each).")
    assert sentences[1].startswith("Of 2 initializations UnitSphere has the smallest")


def test_of_several_curves_the_ends_are_named_and_the_largest_there(tmp_path):
    """The first sentence stays short: what lies between the ends stands in the table."""

    def more_with_width(rows, cell):
        few = {2: 16, 4: 32, 8: 64}[cell.width] * (2 if cell.depth == 3 else 1)
        return rows.assign(collapsed=np.arange(256) < few)

    axes = {"width": [2, 4, 8], "scheme": [UnitSphere(), He(bias_std=1.0)], "depth": [2, 3]}
    study = dataclasses.replace(STUDY, axes=axes)
    first, second, *_ = answer(find(study, stored(study, tmp_path, more_with_width)))
    assert first.count(" at width ") == 4 and "width 4" not in first
    assert first.startswith("The rate of collapse is 9.4 % [") and "37.5 % [" in first
    assert first.endswith("(means of 2 cells, 95 % intervals in brackets, n = 512 networks each).")
    assert second.startswith("At width 8 it is at most 50.0 % (95 % interval")
    assert second.endswith("n = 256), of UnitSphere, depth 3.")


def test_the_full_batch_is_a_place_among_numbers(tmp_path):
    axes = {"batch_size": [4, None], "scheme": [UnitSphere(), He(bias_std=1.0)]}
    study = dataclasses.replace(STUDY, axes=axes, width=4)
    findings = find(study, stored(study, tmp_path, collapse))
    first = answer(findings)[0]
    assert "at batch size 4 and full batch alike with UnitSphere" in first and "nan" not in first


def test_where_there_is_one_place_every_curve_has_a_row(tmp_path):
    axes = {"scheme": [UnitSphere(), He(bias_std=1.0)], "batch_size": [4, 8, 16, None]}
    study = dataclasses.replace(STUDY, axes=axes, width=4)
    ax = asked_figures(find(study, stored(study, tmp_path, collapse)))["asked"]()
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[0] == "UnitSphere, batch size 4" and names[-1].endswith("full batch")
    assert len(names) == 8
    (points,) = ax.get_lines()
    assert points.get_xydata().tolist() == [[0.25 if at < 4 else 0.75, at] for at in range(8)]


def test_what_no_network_has_is_said(tmp_path):
    study = dataclasses.replace(STUDY, quantity="variance")
    sentences = answer(find(study, stored(study, tmp_path)))
    assert sentences[0].startswith("No network has a mean share of the output")


def test_means_are_compared_with_their_errors(tmp_path):
    def vary(rows, cell):
        shift = 0.1 if cell.scheme == UnitSphere() else 0.0
        rng = np.random.default_rng(cell.width)
        return rows.assign(variance_init=[np.array([v + shift]) for v in rng.random(256)])

    study = dataclasses.replace(STUDY, quantity="variance")
    findings = find(study, stored(study, tmp_path, vary))
    assert answer(findings)[0].startswith("Of 2 initializations UnitSphere has the largest mean")
    row = findings.asked.pairs.iloc[0]
    values = [np.random.default_rng(width).random(256) for width in (2, 4)]
    assert row["difference"] == pytest.approx(-0.1, abs=1e-6)
    se = np.sqrt(2 * sum(v.var(ddof=1) / 256 for v in values)) / 2
    half = row["difference_high"] - row["difference"]
    assert half == pytest.approx(1.959964 * se, rel=1e-4)


def test_the_width_over_samples_needs_several_numbers_of_them(tmp_path):
    tasks = [Table(dataset="diabetes", rows=n) for n in (8, 16)]
    study = dataclasses.replace(
        STUDY, axes={"task": tasks, "width": [2, 4]}, task=None, scheme=He(),
        quantity="minimal_width",
    )  # fmt: skip
    sentences = answer(find(study, stored(study, tmp_path)))
    assert sentences[0].startswith("The width for 90 % success was studied at fewer than 3")


def test_an_unknown_quantity_is_refused():
    with pytest.raises(StudyError, match="Study quantity must be 'success' or"):
        dataclasses.replace(STUDY, quantity="colapsed")


def test_the_quantity_changes_no_cell():
    other = dataclasses.replace(STUDY, quantity="success")
    assert [cell.id for cell in STUDY.cells()] == [cell.id for cell in other.cells()]
    assert Study.from_json(STUDY.to_json()) == STUDY and "quantity" not in other.to_json()


def test_a_study_without_axes_is_answered_by_its_one_cell(tmp_path):
    study = dataclasses.replace(STUDY, axes={}, scheme=UnitSphere(), width=2)
    first = answer(find(study, stored(study, tmp_path, collapse)))[0]
    assert first.startswith("The rate of collapse is 25.0 % (95 % interval") and "n = 256" in first


def test_a_value_that_shares_no_place_with_the_best_is_not_held_against_it(tmp_path):
    def lose(rows, cell):
        width, scheme = cell.width, str(cell.scheme)
        has = {"UnitSphere()": (2, 4), "He(bias_std=1.0)": (2, 4, 8), "Glorot()": (8,)}[scheme]
        loss = {"UnitSphere()": 1.0, "He(bias_std=1.0)": 2.0, "Glorot()": 3.0}[scheme]
        rng = np.random.default_rng(width)
        return rows.assign(variance_init=[
            np.array([-loss + 9 + 0.1 * v]) if width in has else None for v in rng.random(256)
        ])  # fmt: skip

    axes = {"scheme": [UnitSphere(), He(bias_std=1.0), Glorot()], "width": [2, 4, 8]}
    study = dataclasses.replace(STUDY, quantity="variance", axes=axes)
    first = answer(find(study, stored(study, tmp_path, lose)))[0]
    assert first.startswith("Of 3 initializations UnitSphere has the largest")
    assert (
        "than He(bias_std=1)" in first and "Glorot had it at none of the same combinations" in first
    )


def test_lines_over_a_map_of_collapse_are_named_as_what_they_are(tmp_path):
    """A shallow network that needs two neurons may have one: untrainable, and not born dead."""
    axes = {"width": [2, 4], "depth": [2, 3]}
    study = dataclasses.replace(STUDY, axes=axes, scheme=He(bias_std=1.0))
    findings = find(study, stored(study, tmp_path, collapse))
    ((name, draw),) = asked_figures(findings).items()
    texts = {text.get_text() for text in draw().figure.findobj(Text)}
    assert name == "asked_1" and "rate of collapse" in texts
    assert any("lines: share untrainable at birth by theory" in text for text in texts)


def test_what_is_asked_about_comes_before_success(tmp_path):
    page = Page(write_report(STUDY, stored(STUDY, tmp_path, collapse)).page.read_text())
    assert page.text.index("The rate of collapse") < page.text.index("Success over width")


def test_success_at_one_place_is_a_row_for_each_curve_too(tmp_path):
    axes = {"scheme": [UnitSphere(), He(bias_std=1.0)], "batch_size": [4, None]}
    study = dataclasses.replace(STUDY, axes=axes, width=4)
    report = write_report(study, stored(study, tmp_path, collapse))
    page = Page(report.page.read_text())
    assert page.tags.count("script") == 1  # our own: no chart, no library
    names = [label.get_text() for label in success_panels(report.findings).get_yticklabels()]
    assert names[0] == "UnitSphere, batch size 4" and len(names) == 4


def test_of_one_network_a_cell_no_difference_is_claimed(tmp_path):
    """It has no spread that is known: where all cells have one, each is told by itself."""

    def one(rows, cell):
        has = 1 if cell.width == 2 else 2 if cell.scheme == UnitSphere() else 256
        return rows.assign(variance_init=[np.array([0.1 * n]) if n < has else None
                                          for n in range(256)])  # fmt: skip

    study = dataclasses.replace(STUDY, quantity="variance")
    findings = find(study, stored(study, tmp_path, one))
    [row] = findings.asked.pairs.to_dict("records")
    assert row["places"] == 1 and 0 < row["p_value"] < 1 and row["n_a"] == 2
    assert not any("nan" in sentence for sentence in answer(findings))
    narrow = dataclasses.replace(study, axes={**study.axes, "width": [2]})
    findings = find(narrow, Storage(tmp_path))
    first = answer(findings)[0]
    assert findings.asked.pairs.empty and "nan" not in first and "certain" not in first


def circle(*pairs):
    """Pairs of schemes that were compared at places that are not all the same."""
    names = ["axis", "a", "b", "difference", "p_holm"]
    table = pd.DataFrame([("scheme", *pair) for pair in pairs], columns=names)
    ends = {"difference_low": table["difference"] - 0.1, "difference_high": table["difference"]}
    return table.assign(value_a=1.0, value_b=2.0, places=1, n_a=256, n_b=256, **ends)


def test_who_loses_beyond_doubt_is_not_the_best(tmp_path):
    """It wins by much where few others were, and loses against one."""
    findings = find(STUDY, stored(STUDY, tmp_path, collapse))
    pairs = circle(("He", "Glorot", -9.0, 1e-9), ("He", "LeCun", 1.0, 1e-9))
    text = _best_along(findings, "scheme", pairs)  # of collapse, of which the least is the best
    assert text.startswith("Of 3 initializations Glorot has the smallest")
    turned = circle(("He", "Glorot", 9.0, 1e-9), ("He", "LeCun", -1.0, 1e-9))
    text = _best_along(findings, "scheme", turned)
    assert text.startswith("Of 3 initializations LeCun has the smallest")
    around = circle(("A", "B", 3.0, 1e-9), ("B", "C", 2.0, 1e-9), ("A", "C", -1.0, 1e-9))
    text = _best_along(findings, "scheme", around)
    assert text.startswith("None of 3 initializations has the smallest rate of collapse in all")
    assert text.endswith("A loses least often, but against C.")
