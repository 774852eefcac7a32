"""Activation, loss and penalty as values and axes of a study."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from rule_examples import ACTIVATIONS, LOSSES, OPTIMIZERS, PENALTIES

from trainability import Adam, Study
from trainability.activations import RELU
from trainability.analysis.expected import expected_trainability
from trainability.errors import StudyError
from trainability.losses.binary_cross_entropy import BinaryCrossEntropy
from trainability.losses.cross_entropy import CrossEntropy
from trainability.losses.huber import Huber
from trainability.losses.mean_absolute_error import MeanAbsoluteError
from trainability.penalties.l1 import L1
from trainability.penalties.l2 import L2
from trainability.schemes import He
from trainability.tasks import AbsoluteValue
from trainability.trial import Runtime, run_trial


def study(**more) -> Study:
    fixed = {
        "name": "rules",
        "question": "What if?",
        "task": AbsoluteValue(n_train=16),
        "scheme": He(bias_std=1.0),
        "width": 4,
        "optimizer": Adam(0.02),
        "max_steps": 60,
        "tolerance": 1e-3,
        "axes": {},
        "replicates": 256,
    }
    return Study(**fixed | more)


@pytest.mark.parametrize("name", ["activation", "loss", "penalty", "optimizer"])
def test_every_rule_makes_the_round_trip_and_a_cell_of_its_own(name) -> None:
    values = {
        "activation": ACTIVATIONS,
        "loss": [loss for loss in LOSSES if loss.target_problem(AbsoluteValue().data()[1]) is None],
        "penalty": PENALTIES,
        "optimizer": OPTIMIZERS,
    }[name]
    declared = study(axes={name: values})
    assert Study.from_json(declared.to_json()) == declared
    assert len({cell.id for cell in declared.cells()}) == len(values)
    assert len({cell.stream_identity for cell in declared.cells()}) == 1


def test_a_default_that_is_written_down_changes_no_id() -> None:
    [plain] = study().cells()
    assert [cell.id for cell in study(axes={"activation": [RELU]}).cells()] == [plain.id]
    assert "activation" not in study().to_json()


def test_a_study_over_all_rules_runs_to_rows() -> None:
    declared = study(
        axes={
            "activation": ACTIVATIONS[:5],
            "loss": [MeanAbsoluteError(), Huber()],
            "penalty": [None, L2(1e-3), L1(1e-3)],
        },
        max_steps=3,
    )
    for cell in declared.cells()[::4]:
        rows, _ = run_trial("rules", cell, [0], Runtime())
        assert (rows["activation"] == str(cell.activation)).all()
        assert (rows["loss"] == str(cell.loss)).all()
        assert set(rows["penalty"]) == {str(cell.penalty or "none")}
        assert not (rows["success"] & ~rows["trainable"]).any()
        if not cell.activation.flat:
            assert (np.stack(rows["active_final"].dropna().to_list()) == 4).all()


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_no_untrainable_network_succeeds_and_theory_is_no_less(activation) -> None:
    """Three times the standard deviation of the binomial is never reached by a bound of 1."""
    [cell] = study(activation=activation, max_steps=400, tolerance=5e-2).cells()
    rows, _ = run_trial("rules", cell, [0, 1], Runtime())
    assert not (rows["success"] & ~rows["trainable"]).any()
    theory, n = float(expected_trainability(cell)), len(rows)
    chance = 6 * np.sqrt(theory * (1 - theory) / n)
    assert rows["trainable"].mean() <= theory + chance
    if not expected_trainability(cell).is_upper_bound:
        assert rows["trainable"].mean() >= theory - chance


def test_a_need_that_is_proven_for_relu_holds_for_nothing_else() -> None:
    [cell] = study().cells()
    assert cell.needs == (2,)
    for rules in ({"activation": ACTIVATIONS[0]}, {"loss": Huber()}):
        other = dataclasses.replace(cell, **rules)
        assert other.needs == (1,)
        assert other.best_loss_below_need == other.loss.of_constant(cell.task.data()[1])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"activation": "gelu"}, "activation must be an activation, such as ReLU.*got 'gelu'"),
        ({"loss": CrossEntropy()}, "one column per class, two or more; got 1"),
        ({"loss": BinaryCrossEntropy()}, r"within \[0, 1\]; got 0\.1.* to 1\.7"),
        ({"axes": {"penalty": [0.1]}}, "penalty must be None or a penalty, .*got 0.1"),
        ({"loss": MeanAbsoluteError(), "tolerance": 1}, "fewer than 1 active neurons can reach"),
    ],
)
def test_what_does_not_fit_is_refused(more, message) -> None:
    with pytest.raises(StudyError, match=message):
        study(**more)
