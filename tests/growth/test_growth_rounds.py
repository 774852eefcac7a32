"""Rounds of a study that grows: the same end, however often it is interrupted."""

import dataclasses
import functools
import itertools
import json

import numpy as np
import pandas as pd
import pytest
from synthetic_rows import store

from trainability import Adam, Study
from trainability.analysis.rates import success_rates
from trainability.analysis.sequences import confidence_sequence
from trainability.growth import (
    Growth,
    planned,
    record_growth,
    stopping_growth,
    stored_growth,
    study_cells,
    wanted_blocks,
)
from trainability.growth.intervals import AT_ALL_TIMES, AT_STOP, EXACT, with_valid_intervals
from trainability.growth.rounds import block_successes, rounds
from trainability.growth.rule import LOST
from trainability.plan import missing_blocks, runs
from trainability.schemes import UnitSphere
from trainability.storage import Storage
from trainability.tasks import AbsoluteValue

GROWTH = Growth(n_blocks=1, precision=0.025, refine=0.9)


@pytest.fixture(scope="module")
def study():
    return Study(
        name="growing",
        question="Does it grow?",
        task=AbsoluteValue(n_train=16),
        axes={"width": [2, 12]},
        scheme=UnitSphere(),
        optimizer=Adam(learning_rate=0.02),
        max_steps=20,
        tolerance=1e-3,
        replicates=256,
    )


def train(study, storage, part):
    missing = missing_blocks(part.wanted, storage.block_files(study.name, part.cells))
    for cell, blocks in missing.items():
        for run in runs(blocks):
            store(storage, study.name, part.cells[cell], run)


def recorded_rounds(study, storage, growth):
    """Rounds as a run asks for them: rule and points are written down before they are trained."""
    record_growth(study.name, storage, growth, ())
    counts = functools.partial(block_successes, study.name, storage)
    for part in rounds(study_cells(study, storage), growth, counts):
        if part.points:
            record_growth(study.name, storage, growth, part.points)
        yield part


def grow(study, storage, growth, n_rounds=100):
    for part in itertools.islice(recorded_rounds(study, storage, growth), n_rounds):
        train(study, storage, part)


def state(study, storage):
    return (
        wanted_blocks(study, storage, study_cells(study, storage)),
        json.loads(storage.read_bytes("growing/growth.json")),
        len(storage.read_rows("growing")),
    )


@pytest.fixture(scope="module")
def grown(study, tmp_path_factory):
    storage = Storage(tmp_path_factory.mktemp("grown"))
    grow(study, storage, GROWTH)
    return storage


def test_every_interval_gets_narrow_and_the_boundary_is_located(study, grown):
    cells = study_cells(study, grown)
    rates = success_rates(grown.read_rows(study.name, list(cells)))
    rates, n_looks = with_valid_intervals(
        rates, grown.read_rows(study.name, list(cells)), GROWTH, 0.95
    )
    half = (rates["success_rate_high"] - rates["success_rate_low"]) / 2
    assert (half <= GROWTH.precision).all() and set(rates["interval"]) == {AT_STOP}
    assert n_looks > 1
    by_width = rates.set_index("width")["success_rate"].sort_index()
    below = by_width[by_width < GROWTH.refine].index.max()
    assert by_width.index[by_width >= GROWTH.refine].min() == below + 1


def test_what_is_next_rests_on_counts_alone(study):
    """Counts in, blocks out: of 256 networks half succeed, until that is known well enough."""
    cells = {cell.id: cell for cell in study.cells()}
    first, second = cells
    counted = {first: [256], second: [128]}
    parts = rounds(cells, Growth(n_blocks=1, precision=0.05), lambda some: {
        cell: counted[cell] for cell in some
    })  # fmt: skip
    assert next(parts).wanted == {first: 1, second: 1}
    assert next(parts).wanted == {second: 2}
    counted[second] = [128, 128]
    assert list(parts) == []


def test_a_plan_writes_nothing_and_says_the_next_round(study, grown, tmp_path):
    storage = Storage(tmp_path)
    growth = dataclasses.replace(GROWTH, n_blocks=2)
    plan = planned(study, storage, growth)
    assert list(plan.missing.values()) == [2, 2] and list(plan.stored.values()) == [0, 0]
    assert plan.n_networks == 4 * 256
    storage.write_bytes("growing/growth.json", b'{"rule": {"n_blo')
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert planned(study, Storage(tmp_path), growth).missing == plan.missing
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    whole = planned(study, grown, GROWTH)
    assert whole.n_networks == 0 and list(whole.cells) == list(study_cells(study, grown))
    finer = planned(study, grown, dataclasses.replace(GROWTH, precision=0.02))
    assert finer.n_networks > 0 and finer.stored == whole.stored


def test_nothing_is_wanted_of_a_study_that_has_grown(study, grown):
    before = len(grown.block_files(study.name))
    parts = list(recorded_rounds(study, grown, GROWTH))
    for part in parts:
        assert not any(missing_blocks(part.wanted, grown.block_files(study.name)).values())
    assert len(grown.block_files(study.name)) == before


@pytest.mark.parametrize("n_rounds", [1, 2, 4])
def test_an_interrupted_study_ends_where_an_undisturbed_one_does(study, grown, tmp_path, n_rounds):
    storage = Storage(tmp_path)
    grow(study, storage, GROWTH, n_rounds)
    grow(study, storage, GROWTH, n_rounds)
    grow(study, storage, GROWTH)
    assert state(study, storage) == state(study, grown)


def test_networks_that_are_there_by_chance_change_no_decision(study, grown, tmp_path):
    storage = Storage(tmp_path)
    for cell in study.cells():
        store(storage, study.name, cell, range(40))
    grow(study, storage, GROWTH)
    assert state(study, storage)[:2] == state(study, grown)[:2]


def test_a_smaller_precision_goes_on_from_a_larger_one(study, grown, tmp_path):
    storage = Storage(tmp_path)
    grow(study, storage, dataclasses.replace(GROWTH, precision=0.05))
    grow(study, storage, GROWTH)
    assert state(study, storage)[0] == state(study, grown)[0]


def test_without_wishes_there_is_one_round_and_nothing_is_written(study, tmp_path):
    storage = Storage(tmp_path)
    (only,) = list(recorded_rounds(study, storage, Growth(n_blocks=1)))
    assert only.wanted == {cell.id: 1 for cell in study.cells()}
    assert storage.read_bytes("growing/growth.json") is None


def test_points_of_a_grid_that_has_changed_are_forgotten(study, grown):
    moved = dataclasses.replace(study, axes={"width": [3, 12]})
    cells = study_cells(moved, grown)
    grid = {cell.id for cell in moved.cells()}
    assert grid <= cells.keys()
    # What was added beside the cell of width 2 is gone with it; beside that of 12 nothing was.
    assert {cell.width for cell in cells.values()} <= {3, 12}


def test_a_cell_beyond_its_stop_gets_a_sequence_and_a_fixed_one_its_exact_interval():
    growth = Growth(n_blocks=1, precision=0.05)
    success = np.zeros(1024, dtype=bool)
    rows = pd.DataFrame(
        {"cell": "a", "replicate": range(1024), "status": "ok", "born_dead": False,
         "trainable": True, "steps": 1, "success": success}
    )  # fmt: skip
    rates = success_rates(rows)
    table, _ = with_valid_intervals(rates, rows, growth, 0.95)
    assert table["interval"].tolist() == [AT_ALL_TIMES]
    assert table["success_rate_high"].iloc[0] == pytest.approx(confidence_sequence(0, 1024)[1])
    table, n_looks = with_valid_intervals(rates, rows, None, 0.95)
    assert table["interval"].tolist() == [EXACT] and n_looks == 1


def test_of_a_rule_that_is_lost_intervals_hold_however_the_study_grew(study, grown, tmp_path):
    """Exact intervals for a fixed number of networks would claim too much."""
    storage = Storage(tmp_path)
    storage.write_bytes("growing/growth.json", b'{"rule": {"n_blo')
    lost = stored_growth(study, storage)
    rows = grown.read_rows(study.name)
    rates, n_looks = with_valid_intervals(success_rates(rows), rows, lost, 0.95)
    assert set(rates["interval"]) == {AT_ALL_TIMES} and n_looks == rates["n"].max() // 256
    for _, row in rates.iterrows():
        low, high = confidence_sequence(row["successes"], row["n"])
        assert row["success_rate_low"] == pytest.approx(float(low))
        assert row["success_rate_high"] == pytest.approx(float(high))


@pytest.mark.parametrize(
    "point",
    [{"axis": "width", "value": 2.5}, {"axis": "width", "value": 0}, {"axis": "depth", "value": 1},
     {"axis": "task", "value": 3}, {"axis": "width", "value": True}, {"axis": None, "value": 3},
     {"axis": "scheme.bias_std", "value": float("nan")}, {"axis": "width", "value": "3"}],
)  # fmt: skip
def test_points_that_can_not_be_are_damage(study, tmp_path, point, caplog):
    storage = Storage(tmp_path)
    record = {"rule": {"n_blocks": 1}, "points": [{"like": study.cells()[0].id, **point}]}
    storage.write_bytes("growing/growth.json", json.dumps(record).encode())
    assert set(study_cells(study, storage)) == {cell.id for cell in study.cells()}
    assert "growth.json is damaged" in caplog.text


def test_two_users_of_one_name_lose_no_points(study, grown, tmp_path):
    """Of two who write the same file at once the last one has its name."""
    storage, alone = Storage(tmp_path / "both"), Storage(tmp_path / "alone")
    other = dataclasses.replace(study, axes={"width": [2, 20]})
    grow(other, alone, GROWTH)
    mine = recorded_rounds(study, storage, GROWTH)
    train(study, storage, next(mine))
    grow(other, storage, GROWTH)
    for part in mine:
        train(study, storage, part)

    def points(place):
        record = json.loads(place.read_bytes("growing/growth.json"))
        return {tuple(point.values()) for point in record["points"]}

    assert points(alone) - points(grown) and points(grown) - points(alone)
    assert points(storage) == points(alone) | points(grown)
    # Also where the other one writes what it knows, which is not all, at the very last.
    storage.write_record(
        "growing", "growth", alone.read_bytes("growing/growth.json").decode(), True
    )
    assert study_cells(other, storage).keys() >= study_cells(other, alone).keys()
    assert study_cells(study, storage).keys() >= study_cells(study, grown).keys()
    grow(study, storage, GROWTH)
    assert points(storage) == points(alone) | points(grown)
    # A copy that says no more than the file has no use.
    assert len(list((tmp_path / "both" / "growing").glob("growth-*.json"))) == 1


def test_a_rule_without_a_precision_lets_intervals_of_the_one_before_hold(study, tmp_path):
    """Cells stopped where their intervals were narrow: exact ones would claim too much."""
    storage = Storage(tmp_path)
    growth = dataclasses.replace(GROWTH, refine=None)
    grow(study, storage, growth)
    for refine in (0.2, 0.9):
        grow(study, storage, Growth(n_blocks=growth.n_blocks, refine=refine))
        assert stored_growth(study, storage).refine == refine
        assert stopping_growth(study, storage) == growth
    rows = storage.read_rows(study.name)
    rates, _ = with_valid_intervals(
        success_rates(rows), rows, stopping_growth(study, storage), 0.95
    )
    assert set(rates["interval"]) == {AT_STOP, AT_ALL_TIMES}


def test_that_a_rule_was_lost_stays_known(study, tmp_path):
    storage = Storage(tmp_path)
    grow(study, storage, GROWTH)
    for path in (tmp_path / "growing").glob("growth*.json"):
        path.write_bytes(b"{}")
    for growth in (Growth(n_blocks=1), Growth(n_blocks=1, refine=0.9)):
        grow(study, storage, growth)
        assert stopping_growth(study, Storage(tmp_path)) is LOST
    grow(study, storage, GROWTH)
    assert stopping_growth(study, Storage(tmp_path)) == GROWTH
