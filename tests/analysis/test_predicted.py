"""Of which cells success is predicted, and which are left open."""

import dataclasses
import math

import pytest

from trainability import Adam
from trainability.activations import Tanh
from trainability.analysis.laws import ALPHA
from trainability.analysis.predicted import (
    predict_success,
    predicted_success,
    prediction_obstacle,
)
from trainability.losses import MeanAbsoluteError
from trainability.optimizers import SGD, AdamW
from trainability.optimizers.schedules import Cosine
from trainability.penalties import L2
from trainability.schemes import DataDependent, He, UnitSphere
from trainability.study.cell import Cell
from trainability.tasks import (
    AbsoluteValue,
    BrokenAbsoluteValue,
    RotatedAbsoluteValues,
    Table,
    TwoMoons,
)
from trainability.trial import Runtime, run_trial

CELL = Cell(
    task=AbsoluteValue(n_train=20),
    scheme=UnitSphere(),
    width=3,
    depth=2,
    optimizer=Adam(learning_rate=5e-3),
    batch_size=None,
    max_steps=10_000,
    tolerance=1e-3,
    seed=0,
)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"depth": 3}, "the network is deep"),
        ({"optimizer": SGD(learning_rate=0.1)}, "the optimizer is SGD"),
        ({"optimizer": AdamW(learning_rate=0.1)}, "the optimizer is AdamW"),
        ({"optimizer": Adam(5e-3, schedule=Cosine(10_000))}, "schedule=Cosine"),
        ({"optimizer": Adam(5e-3, epsilon=1.0)}, "epsilon=1.0"),
        ({"penalty": L2(coefficient=1e-4)}, "there is a penalty"),
        ({"batch_size": 5}, "there are minibatches"),
        ({"max_steps": 1000}, "the budget is shorter than 8 / learning rate"),
        ({"optimizer": Adam(0.05)}, "the learning rate is above 0.02"),
        ({"loss": MeanAbsoluteError()}, "the loss is MeanAbsoluteError"),
        ({"activation": Tanh()}, "the activation is Tanh"),
        ({"tolerance": None, "target_accuracy": 1.0, "task": TwoMoons()}, "success is an accuracy"),
        ({"task": AbsoluteValue(n_train=100_000)}, "too large to follow many"),
    ],
)
def test_what_the_law_is_not_of_is_not_predicted(change, why):
    cell = dataclasses.replace(CELL, **change)
    assert why in (prediction_obstacle(cell) or "")
    assert predicted_success(cell) is None


def test_a_cell_of_the_law_is_predicted_below_its_trainability():
    p = predicted_success(CELL)
    assert p is not None and 0.5 < p.value < 0.8
    narrow = predicted_success(dataclasses.replace(CELL, width=1))
    assert narrow is not None and (narrow.value, narrow.standard_error) == (0.0, 0.0)


TASKS = [
    (BrokenAbsoluteValue(n_train=40), He(bias_std=1.0), 4),
    (RotatedAbsoluteValues(n_train=40), He(bias_std=1.0), 4),
    (Table(dataset="diabetes", rows=32), DataDependent(), 8),
]


@pytest.mark.parametrize(("task", "scheme", "width"), TASKS)
@pytest.mark.parametrize("optimizer", [Adam(5e-3), Adam(0.02, beta2=0.99)], ids=str)
def test_the_law_carries_over_to_other_targets_and_settings_of_adam(task, scheme, width, optimizer):
    """Three hinges, two inputs and outputs, real data: .05 and the errors of both beyond chance."""
    steps = round(20 / optimizer.learning_rate)
    cell = dataclasses.replace(
        CELL, task=task, scheme=scheme, width=width, optimizer=optimizer, max_steps=steps
    )
    p, n = predicted_success(cell), 512
    measured = run_trial("one", cell, [0, 1], Runtime())[0]["success"].mean()
    assert p is not None and 0.1 < measured < 0.98
    error = math.hypot(p.standard_error, math.sqrt(measured * (1 - measured) / n))
    assert ALPHA == 1e-6
    assert abs(p.value - measured) < 0.05 + 4.9 * error, (p, measured)


def test_several_cells_are_predicted_at_once_and_the_others_left_out():
    deep, narrow = dataclasses.replace(CELL, depth=3), dataclasses.replace(CELL, width=1)
    predictions = predict_success([CELL, deep, narrow])
    assert predictions == {CELL.id: predicted_success(CELL), narrow.id: predicted_success(narrow)}
