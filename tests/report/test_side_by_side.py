"""Studies laid over each other: one figure, tests between them, their answers side by side."""

import dataclasses
import json

import pandas as pd
import pytest
from html_page import Page
from scipy import stats
from synthetic_rows import store

from trainability import Adam, Study
from trainability.findings.overlay import overlay
from trainability.findings.study import find
from trainability.losses import Huber, MeanSquaredError
from trainability.report import write_report, write_side_by_side
from trainability.report.side_by_side import between
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue

pytestmark = pytest.mark.usefixtures("unrendered")

STUDY = Study(
    name="one",
    question="How <wide>?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), He(bias_std=1.0)], "width": [2, 4, 8]},
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
)
FASTER = dataclasses.replace(STUDY, name="two", optimizer=Adam(learning_rate=0.05))
DEEP = dataclasses.replace(STUDY, name="deep", axes={"depth": [3, 5]}, scheme=He(), width=4)


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    place = Storage(tmp_path_factory.mktemp("results"))
    for study, q in ((STUDY, 0.4), (FASTER, 0.7), (DEEP, 0.6)):
        for cell in study.cells():
            store(place, study.name, cell, [0], q)
    return place


def beside(studies, storage):
    made = write_side_by_side([write_report(study, storage) for study in studies], storage)
    return made.page, Page(made.page.read_text())


def test_two_studies_are_in_one_figure_with_a_test_between_them(storage):
    path, page = beside([STUDY, FASTER], storage)
    points = json.loads(page.scripts[0])["data"]["points"]
    assert {point["curve"] for point in points} == {
        f"{name}: {scheme}"
        for name in ("one", "two")
        for scheme in ("UnitSphere", "He(bias_std=1)")
    } and len(points) == 12
    row = pd.read_csv(path.parent / "between_studies.csv").iloc[0]
    assert row[["a", "b", "places", "n_a", "n_b"]].tolist() == ["one", "two", 6, 1536, 1536]
    assert row["difference_low"] > 0 and row["p_holm"] < 1e-6
    text = (
        f"On average over the 6 settings that both studied, two succeeds "
        f"{100 * row['difference']:.1f} percentage points (95 % interval"
    )
    assert text in page.text and "beyond reasonable doubt" in page.text
    assert "The two studies differ in optimizer. Each report says what is not" in page.text
    curves = pd.read_csv(path.parent / "between_curves.csv")
    assert curves["scheme"].tolist() == ["UnitSphere()", "He(bias_std=1.0)"]
    assert curves["places"].tolist() == [3, 3] and (curves["difference"] > 0).all()
    assert "How <wide>?" in page.text and "wide" not in page.tags


def test_the_page_links_to_the_reports_and_loads_nothing(storage):
    path, page = beside([STUDY, DEEP], storage)
    assert all(source.startswith("data:image/png") for source in page.loads)
    assert {"../one/report/index.html", "../deep/report/index.html"} < set(page.links)
    assert all((path.parent / link).is_file() for link in page.links)
    assert "no setting in common" in page.text
    studies = pd.read_csv(path.parent / "studies.csv")
    assert studies["study"].tolist() == ["one", "one", "deep"]
    assert studies["n"].tolist() == [768, 768, 512]
    assert storage.address not in path.read_text()


def test_networks_of_one_initialization_are_compared_pair_by_pair(storage):
    """Studies that differ in the optimizer alone draw the same networks; seeds draw others."""
    elsewhere = dataclasses.replace(FASTER, name="elsewhere", seed=1)
    for cell in elsewhere.cells():
        store(storage, elsewhere.name, cell, [0], 0.7)
    one, faster, other = (find(study, storage) for study in (STUDY, FASTER, elsewhere))
    widths = []
    for studies in ([one, faster], [one, other]):
        row = overlay(studies).pooled.iloc[0]
        assert row["places"] == 6 and row["statistic"] > 1
        widths.append(row["difference_high"] - row["difference_low"])
    assert widths[0] != widths[1]
    assert overlay([one, faster]).differing == ["optimizer"]
    assert overlay([one, other]).differing == ["optimizer", "seed"]


def test_the_very_same_networks_are_no_comparison(storage):
    """A study and its copy trained the same cells: their networks are named, and not tested."""
    copy = dataclasses.replace(STUDY, name="copy")
    for cell in copy.cells():
        store(storage, copy.name, cell, [0], 0.4)
    together = overlay([find(study, storage) for study in (STUDY, copy)])
    assert together.pooled.empty and together.curves.empty and len(together.same) == 6
    assert between(together) == [
        "The studies have no setting in common at which they could be compared, but for networks "
        "that are the very same.",
        "The 6 cells that one and copy have in common (UnitSphere at width 2, 4 and 8 and "
        "He(bias_std=1) at width 2, 4 and 8) hold the very same networks, as far as "
        "both have them, from one seed and with all settings alike: they are in no comparison.",
    ]
    path, page = beside([STUDY, copy], storage)
    assert pd.read_csv(path.parent / "same_cells.csv")["curve"].tolist()[::3] == [
        "UnitSphere",
        "He(bias_std=1)",
    ]
    assert "chance" not in page.text and "differ in" not in page.text


def test_only_what_differs_between_studies_that_overlap_is_tested(storage):
    """Half of the schemes, with another optimizer, beside one cell that both have."""
    axes = {"optimizer": [STUDY.optimizer, FASTER.optimizer], "width": [2, 4, 8]}
    one = dataclasses.replace(STUDY, name="overlapping", axes=axes, optimizer=None, scheme=He())
    axes = {**axes, "width": [2]}
    two = dataclasses.replace(one, name="apart", axes=axes, max_steps=60)
    three = dataclasses.replace(one, name="alike", axes=axes)
    for study, q in ((one, 0.4), (two, 0.7), (three, 0.4)):
        for cell in study.cells():
            store(storage, study.name, cell, [0], q)
    together = overlay([find(study, storage) for study in (one, two, three)])
    assert together.pooled[["a", "b", "places"]].to_numpy().tolist() == [
        ["overlapping", "apart", 2],
        ["apart", "alike", 2],
    ]
    assert set(together.same["b"]) == {"alike"} and len(together.same) == 2
    assert "max_steps" in together.differing
    said = between(together)
    assert "aside" not in "".join(said[:2]) and said[2].startswith("The 2 cells that overlapping")


LAYERS = dataclasses.replace(
    STUDY,
    name="layers",
    axes={**STUDY.axes, "width": [(16, 4), 4, (4, 16)], "loss": [MeanSquaredError(), Huber()]},
    depth=3,
)


def test_studies_of_widths_for_each_layer_are_laid_over_each_other(storage):
    axes = {**LAYERS.axes, "loss": [MeanSquaredError()]}  # but for those with whom the page is made
    one = dataclasses.replace(LAYERS, name="one_loss", axes=axes)
    faster = dataclasses.replace(one, optimizer=FASTER.optimizer)
    plain = dataclasses.replace(faster, name="plain", axes={**axes, "width": [4, 8]})
    several = dataclasses.replace(
        faster, name="several", axes={**axes, "width": [4, (4, 4), (16, 4)]}, depth=None
    )
    uneven = dataclasses.replace(LAYERS, name="uneven", axes={**LAYERS.axes, "width": [(16, 4)]})
    again = dataclasses.replace(uneven, name="again", optimizer=FASTER.optimizer)
    for study, q in ((one, 0.4), (plain, 0.8), (several, 0.8), (uneven, 0.4), (again, 0.7)):
        for cell in study.cells():
            store(storage, study.name, cell, [0], q)
    for studies, n_places in (([plain, one], 2), ([several, one], 4)):
        together = overlay([find(study, storage) for study in studies])
        assert f"over the {n_places} settings that both studied" in between(together)[0]
        assert "scheme" in together.curves and "widths" not in together.curves
        assert together.curves["places"].tolist() == [n_places // 2] * 2
    path, page = beside([uneven, again], storage)
    assert "over the 4 settings that both studied" in page.text
    curves = pd.read_csv(path.parent / "between_curves.csv")
    assert {"scheme", "loss"} < set(curves) and "widths" not in curves and len(curves) == 4
    assert curves["places"].tolist() == [1] * 4


def test_networks_that_a_study_trains_with_two_losses_count_once(storage):
    """Their results may all be the same, so half of the likelihood ratio counts."""
    one = dataclasses.replace(STUDY, axes={**STUDY.axes, "loss": [MeanSquaredError(), Huber()]})
    two = dataclasses.replace(one, name="differently", optimizer=FASTER.optimizer, seed=1)
    one = dataclasses.replace(one, name="once")
    for study in (one, two):
        for cell in study.cells():
            store(storage, study.name, cell, [0], 0.55 if study is one else 0.6)
    row = overlay([find(study, storage) for study in (one, two)]).pooled.iloc[0]
    assert row["places"] == 12 and row["statistic"] > 1
    assert row["p_value"] == pytest.approx(stats.chi2.sf(row["statistic"] / 2, 1))
