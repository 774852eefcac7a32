"""`trainability birth`: a study that was run, told again from its networks at birth."""

import dataclasses
import json
import re
import shutil

import pytest
from storage.in_process import call

from trainability import Adam, Study
from trainability.activations import Tanh
from trainability.growth import Growth, Point, study_cells
from trainability.schemes import He, UnitSphere
from trainability.storage import Storage
from trainability.stored import declare
from trainability.tasks import AbsoluteValue, RotatedAbsoluteValues
from trainability.trial import Runtime, run_trial

STUDY = Study(
    name="reborn",
    question="Does a birth tell of an end?",
    task=AbsoluteValue(n_train=20),
    scheme=UnitSphere(),
    axes={"width": [1, 2, 3]},
    optimizer=Adam(learning_rate=0.02),
    max_steps=1000,
    tolerance=1e-2,
    replicates=512,
)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A study file, and where its rows are: the one it declares, and a deep one."""
    folder = tmp_path_factory.mktemp("birth")
    place = Storage(folder / "results")
    deep = dataclasses.replace(STUDY, name="deep", axes={"depth": [2, 3]}, width=2, scheme=He())
    flat = dataclasses.replace(
        STUDY, name="flat", axes={}, width=6, task=RotatedAbsoluteValues(n_train=20)
    )
    tanh = dataclasses.replace(STUDY, name="tanh", axes={"width": [2]}, activation=Tanh())
    for study in (STUDY, deep, flat, tanh):
        (folder / f"{study.name}.json").write_text(study.to_json())
        declare(study, [cell.id for cell in study.cells()], place)
        for cell in study.cells():
            # Of deep networks it is only told that nothing is predicted.
            rows, made = run_trial(study.name, cell, [0] if study is deep else [0, 1], Runtime())
            made |= {"finished_at": "1700000000.0", "host": "here"}
            place.write_rows(study.name, rows, made)
    return folder


def test_measured_and_predicted_success_stand_side_by_side(stored, tmp_path):
    options = (stored / "reborn.json", "--storage", stored / "results")
    heard = call("birth", *options, "--json", "--figure", tmp_path / "f.png")
    assert heard.code == 0, heard
    one, two, three = json.loads(heard.out)["birth"]
    assert one["success_rate"] == one["predicted_success"] == one["trainability"] == 0
    assert one["auc"] is None  # without a success there is nothing to predict
    for entry in (two, three):
        assert entry["success_rate_low"] < entry["success_rate"] < entry["success_rate_high"]
        assert entry["race_low"] < entry["success_rate"] < entry["trainability"]
        # .03 by the law, .12 for 5 errors of 512 networks.
        assert abs(entry["predicted_success"] - entry["success_rate"]) < 0.15
        assert entry["auc"] > 0.9 and entry["gap_explained"] > 0.3
    assert (tmp_path / "f.png").stat().st_size > 10_000
    heard = call("birth", *options)
    assert heard.code == 0 and "UnitSphere()" in heard.out
    said = " ".join(heard.out.split())
    # Of rates that stand with their n and interval; AUC and gap are no percentages.
    assert "In percent: success of 512 networks a row [95 % interval]" in said
    assert re.search(r"UnitSphere\(\) +2 +[\d.]+ \[[\d.]+, [\d.]+\] ", heard.out)
    assert said.index("In percent") < said.index("which network succeeds, held out:")
    assert max(map(len, heard.out.splitlines())) <= 80


def test_what_is_not_predicted_says_why(stored):
    options = (stored / "deep.json", "--storage", stored / "results")
    heard = call("birth", *options)
    assert heard.code == 0 and "not predicted where the network is deep" in heard.out, heard
    shallow, deep = json.loads(call("birth", *options, "--json").out)["birth"]
    assert shallow["predicted_success"] > 0 and deep["predicted_success"] is None
    assert deep["not_predicted"] == "the network is deep" and deep["success_rate"] is not None


def test_targets_in_two_dimensions_are_predicted_without_races(stored):
    options = (stored / "flat.json", "--storage", stored / "results")
    (entry,) = json.loads(call("birth", *options, "--json").out)["birth"]
    assert entry["race_low"] is None
    # .05 by the law, .12 for 5 errors of 512 networks.
    assert abs(entry["predicted_success"] - entry["success_rate"]) < 0.17
    heard = call("birth", *options)
    assert heard.code == 0 and "nan" not in heard.out


def test_where_theory_bounds_nothing_no_bound_is_shown(stored):
    options = (stored / "tanh.json", "--storage", stored / "results")
    (entry,) = json.loads(call("birth", *options, "--json").out)["birth"]
    assert entry["trainability"] is None
    heard = call("birth", *options)
    assert heard.code == 0 and "nan" not in heard.out and "100.0" not in heard.out


def test_without_networks_nothing_is_told(stored, tmp_path):
    heard = call("birth", stored / "reborn.json", "--storage", tmp_path / "empty")
    assert heard.code == 2 and "holds no networks of reborn; run it first" in heard.text
    assert not (tmp_path / "empty").exists()
    heard = call(
        "birth", stored / "reborn.json", "--storage", stored / "results", "--figure", "f.pdfx"
    )
    assert heard.code == 2 and "--figure" in heard.text


def test_points_that_refined_the_grid_are_told_too(stored, tmp_path):
    point = Point(STUDY.cells()[1].id, "width", 4)
    folder = tmp_path / "results"
    shutil.copytree(stored / "results", folder)
    place = Storage(folder)
    rule = dataclasses.asdict(Growth(n_blocks=2, refine=0.5))
    grown = {"points": [dataclasses.asdict(point)], "rule": rule}
    place.write_record("reborn", "growth", json.dumps(grown))
    [cell] = [cell for cell in study_cells(STUDY, place).values() if cell.width == 4]
    rows, made = run_trial("reborn", cell, [0, 1], Runtime())
    place.write_rows("reborn", rows, made | {"finished_at": "1700000000.0", "host": "here"})
    options = (stored / "reborn.json", "--storage", folder, "--json")
    widths = [entry["width"] for entry in json.loads(call("birth", *options).out)["birth"]]
    assert sorted(widths) == [1, 2, 3, 4]
