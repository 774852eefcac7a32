"""A study of networks that have no one width: where they stand, and what leaves them out."""

import dataclasses

import pandas as pd
import pytest
from html_page import Page
from synthetic_rows import store

from trainability import Adam, Study, load
from trainability.errors import InputError
from trainability.findings.study import find
from trainability.report import write_report
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.study.published import Published
from trainability.tasks import AbsoluteValue

DEEP = Study(
    name="deep",
    question="Do wide first layers help?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), He(bias_std=1.0)], "width": [(16, 4), 4, (4, 16), (8, 8)]},
    depth=3,
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=256,
    published=[
        Published(source="Table 1", quantity="success_rate", scheme=UnitSphere(),
                  values=[((16, 4), 0.5), (8, 0.25), ((8, 8), 0.125)], n=100)
    ],
)  # fmt: skip
SEVERAL = dataclasses.replace(
    DEEP,
    name="several",
    axes={"scheme": [UnitSphere()], "width": [2, 4, 8, (4, 4), (16, 4)]},
    depth=None,
    published=[],
)


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    place = Storage(tmp_path_factory.mktemp("results"))
    for study in (DEEP, SEVERAL):
        for cell in study.cells():
            store(place, study.name, cell, [0])
    return place


def test_cells_stand_at_the_widths_of_their_layers_in_the_order_of_the_study(storage):
    findings = find(DEEP, storage)
    assert (findings.x, findings.curves) == ("widths", ["scheme"])
    assert findings.places == ["(16, 4)", "4", "(4, 16)", "8"]
    assert list(findings.rates["widths"]) == 2 * findings.places
    assert findings.rates["width"].isna().tolist() == 2 * [True, False, True, False]


def test_schemes_are_compared_at_equal_layers_alone(storage):
    table = find(DEEP, storage).comparisons.places
    assert sorted(table["widths"]) == sorted(["(16, 4)", "4", "(4, 16)", "8"])
    assert not table["paired"].any()


def test_networks_of_several_depths_say_all_layers(storage):
    findings = find(SEVERAL, storage)
    assert findings.places == ["(2,)", "(4,)", "(8,)", "(4, 4)", "(16, 4)"]
    assert findings.curves == ["scheme"]


def test_what_has_no_one_width_is_in_no_fit(storage):
    findings = find(SEVERAL, storage)
    assert findings.fits.activity["n_cells"].tolist() == [3]
    shallow = dataclasses.replace(SEVERAL, axes={**SEVERAL.axes, "width": [2, 4, 8]}, depth=2)
    pd.testing.assert_frame_equal(findings.fits.activity, find(shallow, storage).fits.activity)
    deep = find(DEEP, storage).fits
    assert deep.activity.empty and set(deep.widths["width_measured"].dropna()) <= {4, 8}


@pytest.mark.usefixtures("unrendered")
def test_the_report_says_what_it_left_out_and_where_cells_stand(storage):
    for study in (DEEP, SEVERAL):
        report = write_report(study, storage)
        page = (report.folder / "index.html").read_text()
        assert "(16, 4)" in page and "have no one width: no fit over width holds them" in page
        assert ">nan<" not in page and "widthss" not in page
    rates = pd.read_csv(Storage(storage.address).address + "/deep/report/rates.csv")
    assert rates["widths"].tolist() == 2 * ["(16, 4)", "4", "(4, 16)", "8"]


def test_published_numbers_stand_beside_their_layers(storage):
    table = find(DEEP, storage).published
    assert table["where"].str.partition("width ")[2].tolist() == ["(16, 4)", "8", "8"]


def test_a_notebook_asks_for_a_place_by_its_layers(storage):
    loaded = load(DEEP, storage)
    titles = {loaded.plot_losses(at).get_title(loc="left") for at in ((16, 4), "(16, 4)")}
    assert len(titles) == 1 and titles.pop().startswith("Widths (16, 4): ")
    assert loaded.plot_survival((8, 8)).get_title(loc="left").startswith("Widths 8: ")
    with pytest.raises(InputError, match=r"at widths \(3, 3\); wanted one of \(16, 4\), 4, "):
        loaded.plot_losses((3, 3))
    labels = [label.get_text() for label in loaded.plot_success().get_xticklabels()]
    assert labels == ["(16, 4)", "4", "(4, 16)", "8"]


@pytest.mark.usefixtures("unrendered")
def test_where_every_width_has_a_depth_of_its_own_places_are_shapes(tmp_path):
    """Else every curve had one point, and every map its diagonal."""
    study = dataclasses.replace(
        DEEP, name="shapes", axes={"scheme": DEEP.axes["scheme"], "width": [(2, 2), (4, 4, 4)]},
        depth=None, published=[], quantity="collapsed",
    )  # fmt: skip
    place = Storage(tmp_path)
    for cell in study.cells():
        store(place, study.name, cell, [0])
    shapes = find(study, place)
    assert (shapes.x, shapes.places) == ("widths", ["2, depth 3", "4, depth 4"])
    assert set(shapes.rates["curve"]) == {"UnitSphere", "He(bias_std=1)"}
    assert shapes.asked.pairs["places"].tolist() == [2]
    page = Page(write_report(study, place).page.read_text())
    assert "2, depth 3" in page.text and "success_map" not in " ".join(page.links)
    square = dataclasses.replace(
        study, axes={"width": [2, 4], "depth": [3, 4]}, scheme=UnitSphere()
    )
    for cell in square.cells():
        store(place, square.name, cell, [0])
    assert find(square, place).x == "width"
