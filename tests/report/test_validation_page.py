"""What a study of classes shows: accuracy and validation, and when a network has succeeded."""

from __future__ import annotations

import re

import pytest
from scipy import stats
from synthetic_rows import MADE

from trainability import Adam, Study, load
from trainability.losses import BinaryCrossEntropy
from trainability.report import write_report
from trainability.results import EVALUATED
from trainability.schemes import He
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue, TwoMoons
from trainability.tracking.metrics import final_metrics
from trainability.trial import Runtime, run_trial

pytestmark = pytest.mark.usefixtures("unrendered")

MOONS = Study(
    name="moons",
    question="Can they be told apart?",
    task=TwoMoons(n_train=20, n_validation=30),
    scheme=He(),
    axes={"target_accuracy": [None, 0.9], "width": [2, 4]},
    loss=BinaryCrossEntropy(),
    optimizer=Adam(0.05),
    max_steps=20,
    tolerance=0.05,
    replicates=256,
)


def stored(study, folder):
    storage = Storage(folder)
    for cell in study.cells():
        rows, _ = run_trial(study.name, cell, [0], Runtime())
        storage.write_rows(study.name, rows, MADE)
    return storage


@pytest.fixture(scope="module")
def moons(tmp_path_factory):
    return stored(MOONS, tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def text(moons):
    page = write_report(MOONS, moons).page.read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_means_and_intervals_are_those_of_the_rows(moons):
    found = load(MOONS, moons)
    table = found.tables["measures"].set_index(["cell", "measure"])
    assert len(table) == 4 * len(EVALUATED)
    for (cell, measure), row in table.iterrows():
        values = found.rows.loc[found.rows["cell"] == cell, measure].dropna()
        assert row["n"] == len(values) and row["median"] == pytest.approx(values.median())
        wanted = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        assert row["mean"] == pytest.approx(values.mean())
        assert (row["mean_low"], row["mean_high"]) == pytest.approx(wanted)


def test_the_page_shows_them_and_says_what_success_is(text, moons):
    assert "Accuracy and validation" in text
    cell = MOONS.cells()[0].id
    accuracy = load(MOONS, moons).tables["measures"].set_index(["cell", "measure"])
    shown = f"{100 * accuracy.loc[(cell, 'accuracy'), 'mean']:.1f} ["
    assert shown in text
    assert "its training loss (binary cross entropy) is at most the tolerance" in text
    assert "A network with a target accuracy succeeds when it names the classes" in text
    assert "mean squared" not in text
    assert "Curves differ in target accuracy" in text


def test_curves_and_axes_are_named_by_what_they_show(moons):
    found = load(MOONS, moons)
    assert set(found.rates()["curve"]) == {"tolerance 0.05", "target accuracy 0.9"}
    assert found.plot_losses().get_ylabel() == "loss (binary cross entropy)"


def test_numbers_as_targets_have_no_such_section(tmp_path):
    study = Study(
        name="plain",
        question="Can it?",
        task=AbsoluteValue(n_train=8),
        scheme=He(),
        axes={"width": [2]},
        optimizer=Adam(0.05),
        max_steps=5,
        tolerance=1e-3,
        replicates=256,
    )
    storage = stored(study, tmp_path)
    page = write_report(study, storage).page.read_text(encoding="utf-8")
    assert "Accuracy and validation" not in page and "target accuracy" not in page
    assert "its training loss (mean squared error) is at most the tolerance" in page
    assert "measures" not in load(study, storage).tables
    metrics = final_metrics(load(study, storage).rows, 1.0, [MADE])
    assert not [name for name in metrics if "accuracy" in name or "validation" in name]


def test_metrics_have_the_means(moons):
    rows = load(MOONS, moons).rows
    rows = rows[rows["cell"] == MOONS.cells()[0].id]
    metrics = final_metrics(rows, 1.0, [MADE])
    for name in EVALUATED:
        assert metrics[f"{name}_mean"] == pytest.approx(rows[name].mean())
