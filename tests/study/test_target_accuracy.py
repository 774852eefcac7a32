"""Success by accuracy: how it is declared, and what is refused before anything runs."""

from __future__ import annotations

import gc
from dataclasses import dataclass

import numpy as np
import pytest

from trainability import Adam, Study
from trainability.domains import Points
from trainability.errors import StudyError
from trainability.losses import BinaryCrossEntropy, CrossEntropy, MeanSquaredError
from trainability.schemes import He
from trainability.tasks import AbsoluteValue, Table, Task, TwoMoons, task_types


def study(**more) -> Study:
    fixed = {
        "name": "moons",
        "question": "Can they be told apart?",
        "task": TwoMoons(n_train=21),
        "scheme": He(),
        "width": 4,
        "optimizer": Adam(0.02),
        "max_steps": 60,
        "loss": BinaryCrossEntropy(),
        "axes": {},
    }
    return Study(**fixed | more)


def test_a_target_accuracy_stands_for_the_tolerance() -> None:
    by_accuracy = study(target_accuracy=1)
    [cell] = by_accuracy.cells()
    assert cell.target_accuracy == 1.0 and cell.tolerance is None
    assert cell.columns()["tolerance"] is None and cell.columns()["target_accuracy"] == 1.0
    assert Study.from_json(by_accuracy.to_json()) == by_accuracy
    [by_loss] = study(tolerance=0.1).cells()
    assert "target_accuracy" not in study(tolerance=0.1).to_json()
    assert by_loss.id != cell.id and by_loss.stream_identity == cell.stream_identity


def test_it_is_an_axis_and_cells_without_it_have_the_tolerance() -> None:
    declared = study(axes={"target_accuracy": [None, 0.9, 1]}, tolerance=0.1)
    criteria = [(cell.tolerance, cell.target_accuracy) for cell in declared.cells()]
    assert criteria == [(0.1, None), (None, 0.9), (None, 1.0)]
    assert len({cell.id for cell in declared.cells()}) == 3
    assert Study.from_json(declared.to_json()) == declared


def test_points_that_are_held_back_make_other_cells_of_the_same_networks() -> None:
    cells = [
        study(task=TwoMoons(n_train=21, n_validation=n), tolerance=0.1).cells()[0] for n in (0, 9)
    ]
    assert cells[0].id != cells[1].id
    assert cells[0].stream_identity == cells[1].stream_identity


def odd(wrong: str) -> Task:
    """A task of a user's, wrong in one way; its class goes when it does, from the catalog too."""

    @dataclass(frozen=True)
    class Odd(Task):
        n_train = 4

        @property
        def domain(self) -> Points:
            return Points(self.data()[0])

        @property
        def n_classes(self) -> int:
            return 3 if wrong == "classes" else 2

        def build(self):
            return np.arange(4.0)[:, None], np.array([[0.0], [1.0], [1.0], [0.0]])

        def build_validation(self):
            x, y = np.arange(3.0)[:, None], np.array([[0.0], [1.0], [0.0]])
            if wrong == "shape":
                return x.repeat(2, axis=1), y
            if wrong == "nan":
                return x, y * np.nan
            return x, y + 0.25

    return Odd()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("classes", "n_classes=3 must have 3 columns"),
        ("shape", r"\(M, 1\) and \(M, 1\), got \(3, 2\)"),
        ("nan", "validation points must be finite"),
        ("y", "validation points: .* must be 0 or 1"),
    ],
)
def test_a_task_whose_classes_or_validation_points_are_wrong_is_refused(wrong, message) -> None:
    with pytest.raises(StudyError, match=message):
        study(tolerance=0.1, task=odd(wrong))
    gc.collect()
    assert "Odd" not in task_types()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "tolerance must be a finite number > 0, got None"),
        ({"axes": {"target_accuracy": [0.9, None]}}, "tolerance must be a finite .* got None"),
        ({"target_accuracy": 0.9, "tolerance": 0.1}, "leave one of them out"),
        ({"target_accuracy": 0.9, "axes": {"tolerance": [0.1, 0.2]}}, "leave one of them out"),
        (
            {"axes": {"target_accuracy": [None, 0.9], "tolerance": [0.1, 0.2]}},
            "can't both vary",
        ),
        ({"axes": {"target_accuracy": [1, 1.0]}}, "holds a value twice"),
        *(
            ({"target_accuracy": bad}, "target_accuracy must be None or a share")
            for bad in (0, -0.5, 1.01, 95, "0.9", True, float("nan"))
        ),
        # 11 of 21 points are of class 1.
        ({"target_accuracy": 11 / 21}, "is not above 0.5238, the share of the largest class"),
        ({"target_accuracy": 0.5}, "an untrainable network, whose output is constant"),
        (
            {"target_accuracy": 0.9, "task": AbsoluteValue(), "loss": MeanSquaredError()},
            "target_accuracy wants a task with classes, got AbsoluteValue",
        ),
        (
            {"target_accuracy": 0.9, "task": Table(dataset="digits"), "loss": MeanSquaredError()},
            "wants a task with classes, .* or classes=True",
        ),
        # ln 2 less a little: the entropy of 10 and 11 points.
        ({"tolerance": 0.6921}, "tolerance 0.6921 is not below 0.692, .* fewer than 1 active"),
        (
            {"tolerance": 0.1, "loss": CrossEntropy()},
            "one column per class.*one_hot=True.*what fits: .*BinaryCrossEntropy",
        ),
        (
            {"tolerance": 0.1, "task": Table(dataset="digits", rows=100), "loss": CrossEntropy()},
            r"CrossEntropy\(\) does not fit Table.*classes=True.*what fits: .*MeanSquaredError",
        ),
    ],
)
def test_what_can_not_be_is_refused(more, message) -> None:
    with pytest.raises(StudyError, match=f"(?s){message}"):
        study(**more)


def test_a_share_just_above_that_of_the_largest_class_is_a_target() -> None:
    assert study(target_accuracy=11.01 / 21).cells()


def test_the_mean_squared_error_takes_classes_as_numbers() -> None:
    assert study(target_accuracy=0.9, loss=MeanSquaredError()).cells()
