"""A study opened in a notebook: the rows, the report's tables, its figures."""

import dataclasses

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from synthetic_rows import store

import trainability
from trainability import Adam, Study
from trainability.errors import InputError
from trainability.plots import title_of
from trainability.results import SCHEMA
from trainability.schemes import DataDependent, He, UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue

STUDY = Study(
    name="opened",
    question="Does it open?",
    task=AbsoluteValue(n_train=16),
    axes={"scheme": [UnitSphere(), He(bias_std=1.0)], "width": [2, 4, 8]},
    optimizer=Adam(learning_rate=0.02),
    max_steps=50,
    tolerance=1e-3,
    replicates=512,
)
FRAMES = (
    "rates", "effective_activity", "fits", "widths_needed", "comparisons", "verdicts", "failures",
    "survival", "losses", "census",
)  # fmt: skip
CSV = {"fits": "models", "verdicts": "laws"}
DRAWINGS = ("success", "survival", "losses", "census", "schemes", "counts")


def declare(storage, study=STUDY):
    storage.write_bytes(f"{study.name}/study.json", study.to_json().encode())


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    place = Storage(tmp_path_factory.mktemp("results"))
    declare(place)
    for cell in STUDY.cells():
        store(place, STUDY.name, cell, range(2))
    return place


@pytest.fixture(scope="module")
def found(storage):
    return trainability.load("opened", storage=storage.address)


def test_every_network_is_a_row(found):
    assert list(found.rows) == SCHEMA.names and len(found.rows) == 6 * 512
    assert "3,072 networks in 6 of 6 cells" in repr(found)


def test_rates_count_the_rows(found):
    rates = found.rates()
    rows = found.rows.groupby("cell")
    assert rates["n"].to_dict() == rows.size().to_dict()
    for count, column in (("successes", "success"), ("n_trainable", "trainable")):
        assert rates[count].to_dict() == rows[column].sum().to_dict()
    assert (rates["success_rate_low"] < rates["success_rate"]).all()
    assert rates["trainability"].between(0, 1).all()


def test_estimates_agree_with_the_rows(found):
    rates = found.rates()
    last = found.survival().groupby("cell").last()
    assert (1 - last["survival"]).to_dict() == pytest.approx(rates["success_rate"].to_dict())
    failed = found.rows[found.rows["trainable"] & ~found.rows["success"]]
    assert found.failures()["count"].sum() == len(failed)
    assert len(found.comparisons()) == 3 and not found.comparisons()["paired"].any()
    # Synthetic neurons are useful with probability 0.6.
    assert found.effective_activity()["q"].tolist() == pytest.approx([0.6, 0.6], abs=0.05)
    assert found.widths_needed()["success_probability"].unique().tolist() == [0.9, 0.99, 0.999]
    assert found.verdicts()["holds"].dtype == bool
    assert len(found.published()) == 0


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_that_of_the_report_and_the_callers_own(found, name):
    frame = getattr(found, name)()
    before = frame.copy()
    assert isinstance(frame, pd.DataFrame) and len(frame)
    frame["mine"] = 0
    frame.iloc[0, 0] = None
    pd.testing.assert_frame_equal(getattr(found, name)(), before)
    table = found.tables[CSV.get(name, name)]
    pd.testing.assert_frame_equal(table[list(before)], before.reset_index(drop=True))


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_drawn_on_the_axes_given_or_on_its_own(found, name):
    plot = getattr(found, f"plot_{name}")
    ax = Figure().add_subplot()
    assert plot(ax=ax) is ax and ax.get_title(loc="left")
    assert isinstance(plot(), Axes) and plot().figure is not ax.figure


def test_the_headline_figure_is_whole(found):
    titles = [ax.get_title(loc="left") for ax in found.plot_success_panels().axes if ax.axison]
    assert titles == ["UnitSphere", "He(bias_std=1)"]


def test_a_chosen_place_curve_and_pair_are_drawn(found):
    assert found.plot_survival(at=8).get_title(loc="left").startswith("Width 8:")
    assert found.plot_census("He(bias_std=1)").get_title(loc="left").startswith("He(bias_std=1):")
    ax = found.plot_schemes(a="He(bias_std=1)", b="UnitSphere")
    assert ax.get_xlabel() == "success rate of He(bias_std=1)"


def test_swapping_a_and_b_swaps_who_is_better(tmp_path):
    place = Storage(tmp_path)
    for cell in STUDY.cells():
        q = 0.8 if isinstance(cell.scheme, He) else 0.3
        store(place, STUDY.name, cell, range(2), q)
    found = trainability.load(STUDY, place)
    schemes = {"a": "UnitSphere", "b": "He(bias_std=1)"}
    assert "better at 3 widths, worse at 0" in title_of(found.plot_schemes(**schemes))
    schemes = {"a": "He(bias_std=1)", "b": "UnitSphere"}
    assert "better at 0 widths, worse at 3" in title_of(found.plot_schemes(**schemes))


def test_width_and_depth_give_a_map(tmp_path):
    study = dataclasses.replace(STUDY, axes={"width": [2, 4], "depth": [3, 4]}, scheme=He())
    place = Storage(tmp_path)
    for cell in study.cells():
        store(place, study.name, cell, [0])
    found = trainability.load(study, place)
    assert found.plot_map().get_ylabel() == "depth"
    assert found.plot_success().get_xlabel() == "width"
    assert found.fits().empty and len(found.widths_needed())
    with pytest.raises(InputError, match="plot_map wants an index below 1, got 1"):
        found.plot_map(1)
    with pytest.raises(InputError, match="plot_schemes wants a study of several schemes"):
        found.plot_schemes()


def test_what_was_not_studied_is_refused_with_what_was(found):
    with pytest.raises(InputError, match="nothing was studied at width 5; wanted one of 2, 4, 8"):
        found.plot_losses(at=5)
    with pytest.raises(InputError, match="no curve 'UnitSpere' .did you mean UnitSphere?"):
        found.plot_census("UnitSpere")
    with pytest.raises(InputError, match="width and depth both vary; use plot_success"):
        found.plot_map()


def test_an_unknown_study_is_refused_with_those_that_are_there(storage):
    with pytest.raises(InputError, match=r"no study 'openned' .did you mean opened\?.*\(opened\)"):
        trainability.load("openned", storage=storage.address)
    with pytest.raises(InputError, match="no study file nosuch.py"):
        trainability.load("nosuch.py", storage=storage.address)


def test_a_study_without_rows_opens_and_says_how_to_get_some(tmp_path):
    place = Storage(tmp_path)
    declare(place)
    found = trainability.load("opened", storage=tmp_path)
    assert list(found.rows) == SCHEMA.names and found.rows.empty
    assert "0 networks in 0 of 6 cells" in repr(found)
    with pytest.raises(InputError, match="no results of opened in .*; first run it: trainability"):
        found.rates()


def test_a_running_study_is_seen_as_it_was_when_asked(tmp_path):
    place = Storage(tmp_path)
    declare(place)
    first, *others = STUDY.cells()
    store(place, STUDY.name, first, [0])
    found = trainability.load("opened", storage=tmp_path)
    assert found.answer.startswith("Unfinished: 256 of 3,072 networks in 1 of 6 cells.")
    for cell in others:
        store(place, STUDY.name, cell, [0])
    assert len(found.rates()) == 1
    assert len(trainability.load("opened", storage=tmp_path).rates()) == 6


def test_cells_that_the_grid_no_longer_holds_are_left_out(storage):
    wider = dataclasses.replace(STUDY, axes={"scheme": [UnitSphere(), DataDependent()]}, width=4)
    found = trainability.load(wider, storage)
    assert set(found.rows["cell"]) == {wider.cells()[0].id}
    assert found.rates()["n"].tolist() == [512]
