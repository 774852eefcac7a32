"""Widths of every layer: what may be declared, which are one cell, what rows say of them."""

import dataclasses

import numpy as np
import pytest

from trainability import Adam, Study
from trainability.errors import InputError, StudyError
from trainability.results import SCHEMA
from trainability.schemes import He
from trainability.study import Cell
from trainability.study.widths import width_from_text
from trainability.tasks import AbsoluteValue
from trainability.tracking.metrics import final_metrics
from trainability.trial import Runtime, draw, run_trial


def declared(**changes):
    settings = dict(
        name="tiny",
        question="Is it small?",
        task=AbsoluteValue(n_train=16),
        scheme=He(bias_std=0.5),
        axes={},
        optimizer=Adam(learning_rate=5e-3),
        max_steps=20,
        tolerance=1e-3,
        replicates=256,
    )
    return Study(**(settings | changes))


def shapes(study):
    return [cell.sizes[1:-1] for cell in study.cells()]


def test_a_tuple_has_the_neurons_of_each_layer_and_a_number_of_all():
    study = declared(axes={"width": [(4, 4), (16, 4), 8]}, depth=3)
    assert shapes(study) == [(4, 4), (16, 4), (8, 8)]
    assert [cell.width for cell in study.cells()] == [4, (16, 4), 8]


@pytest.mark.parametrize("depth", [3, None])
def test_equal_layers_are_one_cell_however_they_are_written(depth):
    (number,) = declared(width=8, depth=3).cells()
    (written,) = declared(width=(np.int64(8), 8), depth=depth).cells()
    assert written == number and written.id == number.id
    assert written.columns() == number.columns()


def test_without_a_depth_every_tuple_has_its_own_and_a_number_is_shallow():
    study = declared(axes={"width": [8, (8,) * 2, (2, 3, 4)]})
    assert shapes(study) == [(8,), (8, 8), (2, 3, 4)]
    assert study.depth is None
    assert declared(width=8).depth == declared(axes={"width": [2, 4]}).depth == 2


def test_studies_come_back_from_json_with_their_tuples():
    for study in (
        declared(width=(16, 4)),
        declared(axes={"width": [8, (8, 8), (2, 3, 4)]}),
        declared(axes={"width": [(4, 4), (16, 4), 8]}, depth=3),
    ):
        again = Study.from_json(study.to_json())
        assert again == study
        assert [cell.id for cell in again.cells()] == [cell.id for cell in study.cells()]


BAD = [
    (0, "width must be an int >= 1, got 0"),
    (1.5, "width must be an int >= 1, got 1.5"),
    ((), r"width must be an int >= 1, or a tuple .* such as \(8, 4\), got \(\)"),
    ("8,4", r"such as \(8, 4\), got '8,4'"),
    ([2, 4], r"got \[2, 4\]; did you mean \(2, 4\)\?"),
    ((8, 0), r"from 1 to 1,000,000 for each hidden layer, .* got 0 in \(8, 0\)"),
    ((8, -4), r"got -4 in \(8, -4\)"),
    ((8, 4.0), r"got 4.0 in \(8, 4.0\)"),
    ((8, True), r"got True in \(8, True\)"),
    ((8, "4"), r"got '4' in \(8, '4'\)"),
    (((8, 4), 4), r"got \(8, 4\) in \(\(8, 4\), 4\)"),
    ((10**9, 4), r"got 1000000000 in \(1000000000, 4\)"),
    ((4,) * 10_000, "at most 9,999 layers, got 10,000"),
    ((10**6, 10**6), "at most 33,554,432 weights and biases"),
]


@pytest.mark.parametrize(("width", "message"), BAD, ids=lambda value: str(value)[:20])
def test_what_is_no_width_is_refused_with_one_message(width, message):
    for changes in ({"width": width}, {"axes": {"width": [width]}}):
        with pytest.raises(StudyError, match=message) as caught:
            declared(**changes)
        assert "problems" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"width": (16, 4), "depth": 2},
        {"axes": {"width": [8, (16, 4)]}, "depth": 2},
        {"axes": {"width": [8, (16, 4)], "depth": [2, 3]}},
        {"width": (16, 4), "axes": {"depth": [3, 2]}},
    ],
    ids=str,
)
def test_a_depth_that_contradicts_is_refused_with_one_message(changes):
    message = r"^width \(16, 4\) needs depth 3, got depth 2: a tuple has one number for each"
    with pytest.raises(StudyError, match=message):
        declared(**changes)


def test_a_contradiction_is_told_beside_other_problems():
    with pytest.raises(StudyError, match=r"(?s)2 problems:.*seed must.*needs depth 3, got depth 2"):
        declared(width=(16, 4), depth=2, seed=-1)


def test_one_network_in_two_spellings_is_there_twice():
    with pytest.raises(StudyError, match=r"8 and \(8, 8\) are the same networks at depth 3"):
        declared(axes={"width": [8, (8, 8)]}, depth=3)
    assert len(declared(axes={"width": [8, (8, 8)]}).cells()) == 2  # of depth 2, of depth 3


def test_a_cell_has_as_many_widths_as_layers():
    (cell,) = declared(width=(16, 4)).cells()
    with pytest.raises(InputError, match="needs depth 3, got depth 4"):
        dataclasses.replace(cell, depth=4)


def test_the_order_of_layers_is_identity():
    ids = {cell.id for cell in declared(axes={"width": [(16, 4), (4, 16), 16, 4]}, depth=3).cells()}
    assert len(ids) == 4


def test_rows_have_no_width_where_there_is_not_one():
    cells = declared(axes={"width": [(5, 2), (3, 3)]}, depth=3).cells()
    for cell, width, widths in zip(cells, (None, 3), ("(5, 2)", None), strict=True):
        rows, _ = run_trial("tiny", cell, [0], Runtime())
        assert list(rows.columns) == SCHEMA.names
        assert [rows["width"].isna().all(), rows["widths"].isna().all()] == [not width, not widths]
        assert width in (None, *rows["width"]) and widths in (None, *rows["widths"])
        counts = [
            np.stack(rows[f"{s}_init"].to_list()) for s in ("active", "tentative", "permanent")
        ]
        assert (sum(counts) == cell.widths).all()
        assert draw(cell, [0]).sizes == cell.sizes
        share = rows["undecided_init"].map(sum).sum() / (256 * sum(cell.widths))
        assert final_metrics(rows, 0.5, [])["undecided_share"] == share


def test_no_untrainable_network_of_unequal_layers_succeeds():
    cell = Cell(
        task=AbsoluteValue(n_train=20),
        scheme=He(bias_std=0.5),
        width=(6, 2),
        depth=3,
        optimizer=Adam(learning_rate=0.02),
        batch_size=None,
        max_steps=300,
        tolerance=1e-2,
        seed=0,
    )
    rows, _ = run_trial("law", cell, range(2), Runtime())
    assert rows["success"].any() and not rows["trainable"].all()
    assert not rows.loc[~rows["trainable"], "success"].any()


@pytest.mark.parametrize(
    ("text", "width"),
    [("8", 8), ("8,4", (8, 4)), (" 8, 4 ", (8, 4)), ("(8, 4)", (8, 4)), ("(8,)", (8,))],
)
def test_the_command_line_writes_layers_with_commas(text, width):
    assert width_from_text("--width", text, 100) == width
