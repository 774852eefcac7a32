"""Of which cells success is predicted, and which are left open."""

import dataclasses
import math
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from trainability import Adam
from trainability.analysis.predicted import (
    SHORTEST_BUDGET,
    predicted_success,
    prediction_obstacle,
    with_predicted_success,
)
from trainability.domains import Box
from trainability.optimizers import SGD, AdamW
from trainability.optimizers.schedules import Cosine
from trainability.penalties import L2
from trainability.schemes import UnitSphere
from trainability.study.cell import Cell
from trainability.tasks import (
    AbsoluteValue,
    BrokenAbsoluteValue,
    LinearTimesSine,
    RotatedAbsoluteValues,
)
from trainability.tasks.base import Task
from trainability.theory.numerics.sign_flow import DURATION

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


@dataclasses.dataclass(frozen=True)
class Wave(Task):
    """Needs more than two hinges, and claims no more than that it needs two."""

    n_train: int = 20
    need: ClassVar[int] = 2
    domain: ClassVar[Box] = Box(1, 3.0)

    def build(self):
        x = np.linspace(-3, 3, self.n_train)[:, None]
        return x, np.sin(3 * x)


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
        ({"max_steps": 1000}, "the budget is shorter than the flow"),
        ({"task": RotatedAbsoluteValues(n_train=20)}, "has 2 inputs"),
        ({"task": LinearTimesSine(n_train=20)}, "is not proven to be 2"),
        ({"task": Wave()}, "two hinges do not make"),
        ({"task": AbsoluteValue(n_train=513)}, "too many points"),
        ({"task": BrokenAbsoluteValue(n_train=20)}, "is not proven to be 2"),
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


def test_the_budget_is_that_of_the_flow():
    assert SHORTEST_BUDGET == DURATION


def test_rates_get_the_prediction_of_their_cells():
    deep = dataclasses.replace(CELL, depth=3)
    rates = pd.DataFrame({"n": [1, 1, 1]}, index=pd.Index([CELL.id, deep.id, "x"], name="cell"))
    with_law = with_predicted_success(rates, [CELL, deep])
    first, *others = with_law["predicted_success"]
    assert first == predicted_success(CELL).value
    assert all(math.isnan(value) for value in others)
    assert (with_law["predicted_success_se"].iloc[0] > 0) and "predicted_success" not in rates
