"""Predicted success beside measured success: which cells, how far off, and what breaks the law."""

import dataclasses
from types import SimpleNamespace
from typing import cast

import numpy as np
import pandas as pd
import pytest
from html_page import Page
from scipy import stats
from synthetic_rows import store

from trainability import Adam, Study
from trainability.analysis.laws import ALPHA
from trainability.errors import StorageError
from trainability.findings.predicting import (
    CLOSE,
    PREDICTED,
    prediction_tests,
    with_predicted_success,
)
from trainability.findings.study import Findings, find
from trainability.report import write_report
from trainability.report.sentences import prediction_sentence
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="foretold",
    question="Is it as theory says?",
    task=AbsoluteValue(n_train=16),
    scheme=UnitSphere(),
    axes={"width": [1, 2], "optimizer": [Adam(learning_rate=0.01), Adam(learning_rate=0.001)]},
    max_steps=1000,
    tolerance=1e-3,
    replicates=256,
)


def rates(successes, predicted, error=0.0, n=10_000):
    """Cells of one curve with some counts of successes."""
    k = np.array(successes)
    table = pd.DataFrame({"curve": "one", "width": range(2, 2 + len(k)), "n": n, "successes": k})
    for end, rate in (("", k / n), ("_low", k / n - 0.01), ("_high", k / n + 0.01)):
        table[f"success_rate{end}"] = rate
    table["predicted_success"], table["predicted_success_se"] = predicted, error
    return table.rename_axis("cell")


def test_success_near_its_prediction_keeps_the_law_and_far_from_it_breaks_it():
    table = prediction_tests(rates([3000, 3299, 2701, 3600, 2400], 0.3), "width", 1, 0.95)
    assert (table["p_value"].iloc[:3] > 0.1).all() and (table["p_holm"].iloc[3:] < ALPHA).all()
    assert table["difference"].tolist() == pytest.approx([0, 0.0299, -0.0299, 0.06, -0.06])
    # The exact tail beyond the prediction and its margin, for two sides.
    exact = 2 * stats.binom.sf(3599, 10_000, 0.3 + CLOSE)
    assert table["p_value"].iloc[3] == pytest.approx(exact, rel=1e-9)
    assert (prediction_tests(rates([3600], 0.3), "width", 3, 0.95)["p_value"] > 2.9 * exact).all()


def test_a_sampled_prediction_gets_the_benefit_of_its_error():
    sharp, blunt = (
        prediction_tests(rates([3600], 0.3, error), "width", 1, 0.95).iloc[0]
        for error in (0.0, 0.01)
    )
    assert sharp["p_holm"] < ALPHA < blunt["p_holm"]
    assert sharp["difference_low"] == pytest.approx(0.05)
    assert blunt["difference_low"] == pytest.approx(0.06 - np.hypot(0.01, 1.96 * 0.01), abs=1e-6)


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    place = Storage(tmp_path_factory.mktemp("results"))
    for cell in STUDY.cells():
        # About the rate that theory predicts at width 2.
        store(place, STUDY.name, cell, [0], 0.58)
    return place


@pytest.mark.usefixtures("unrendered")
def test_the_report_shows_what_is_predicted_and_nothing_else(storage):
    written = write_report(STUDY, storage)
    findings = written.findings
    long = findings.rates["learning_rate"] == 0.01
    assert findings.rates["predicted_success"].notna().equals(long)
    assert len(findings.predictions) == 2
    assert [v.holds for v in findings.verdicts if v.law == PREDICTED] == [True]
    raw = written.page.read_text()
    page = Page(raw)
    assert "Does theory predict success?" in page.text
    assert "theory predicts success to within 3 percentage points of what was" in page.text
    assert " 2 cells that it covers. It is" in page.text
    assert raw.count("predicted success (theory)") == 2  # in what the chart tells of a cell
    assert raw.count("[8, 3, 2, 3]") == 2  # a line on either scale
    assert "the success that theory predicts" in page.text
    file = pd.read_csv(written.folder / "predictions.csv")
    assert file["predicted_success"].tolist() == pytest.approx(
        findings.predictions["predicted_success"].tolist()
    )


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (
            [0.61, 0.68],
            "to within 3 percentage points of what was measured in all 2 cells. It is 2",
        ),
        (
            [0.61, 0.79],
            "of what was measured in 1 of 2 cells. It is 9.0 off at most (made, width 2:",
        ),
        ([0.20, 0.30], "of what was measured in none of 2 cells. It is 40.0 off at most (made, w"),
        ([0.61], "of what was measured in the one cell. It is 1.0 off"),
        ([0.10], "success in the one cell, but not to within 3 percentage points of what was meas"),
    ],
)
def test_a_prediction_that_misses_is_not_said_to_hold(measured, said):
    rates = pd.DataFrame({"success_rate": measured})
    table = rates.assign(
        predicted_success=[0.60, 0.70][: len(rates)], curve="made", width=range(1, len(rates) + 1)
    )
    table["difference"] = table["success_rate"] - table["predicted_success"]
    findings = SimpleNamespace(rates=rates, predictions=table, x="width", place_text=str)
    assert said in prediction_sentence(cast("Findings", findings))


@pytest.mark.usefixtures("unrendered")
def test_where_theory_predicts_nothing_the_report_shows_nothing(storage):
    slow = Adam(learning_rate=0.001)
    short = dataclasses.replace(STUDY, axes={"width": [1, 2]}, optimizer=slow)
    findings = find(short, storage)
    assert findings.predictions.empty and "predictions" not in findings.tables
    assert PREDICTED not in [verdict.law for verdict in findings.verdicts]
    raw = write_report(short, storage).page.read_text()
    assert "predict" not in Page(raw).text and "[8, 3, 2, 3]" not in raw


def test_predictions_are_kept_beside_the_rows_and_made_anew_for_another_law(storage, monkeypatch):
    first = find(STUDY, storage).rates["predicted_success"]
    kept = storage.read_record(STUDY.name, "predicted_success")
    assert len(kept["cells"]) == 2 and first.notna().sum() == 2
    monkeypatch.setattr("trainability.findings.predicting.predict_success", lambda cells: {})
    again = find(STUDY, storage).rates["predicted_success"]
    pd.testing.assert_series_equal(again, first)
    monkeypatch.setattr("trainability.findings.predicting.LAW", -1)
    assert find(STUDY, storage).rates["predicted_success"].isna().all()


def test_a_storage_that_can_not_be_written_is_read_all_the_same(storage, monkeypatch):
    def refuse(*_):
        raise StorageError("read-only")

    storage.delete(f"{STUDY.name}/predicted_success.json")
    monkeypatch.setattr(storage, "read_record", lambda *_, **__: None)
    monkeypatch.setattr(storage, "write_record", refuse)
    cells = {cell.id: cell for cell in STUDY.cells()}
    table = pd.DataFrame(index=pd.Index(cells, name="cell"))
    assert with_predicted_success(table, cells, STUDY.name, storage).notna().sum().sum() == 4
