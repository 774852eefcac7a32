"""Accuracy and validation: against a forward pass by hand, and against shorter trainings."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from rule_examples import ACTIVATIONS

from trainability import Adam, Study
from trainability.activations import HardTanh, Hermite, ReLU
from trainability.analysis.laws import untrainable_never_succeed
from trainability.arithmetic import ARRAYS
from trainability.losses import BinaryCrossEntropy, CrossEntropy, Huber, MeanSquaredError
from trainability.networks import Ensemble
from trainability.optimizers import SGD
from trainability.results import EVALUATED, validate
from trainability.schemes import He
from trainability.tasks import AbsoluteValue, Table, TwoMoons
from trainability.tasks.classes import class_indices
from trainability.training.evaluation import Evaluation
from trainability.trial import Runtime, checkpoints, draw, run_trial

LOSSES = [BinaryCrossEntropy(), CrossEntropy(), MeanSquaredError()]


def cell_of(**more):
    task = TwoMoons(n_train=21, n_validation=13, one_hot=more.get("loss") == CrossEntropy())
    fixed = {
        "name": "moons",
        "question": "Can they be told apart?",
        "task": task,
        "scheme": He(),
        "width": 4,
        "optimizer": Adam(0.05),
        "max_steps": 100,
        "loss": BinaryCrossEntropy(),
        "axes": {},
    }
    [cell] = Study(**fixed | more).cells()
    return cell


def rows_of(cell, blocks=(0,), engine="auto"):
    rows, _ = run_trial("moons", cell, list(blocks), Runtime(engine=engine))
    validate(rows)
    return rows


def by_hand(ensemble, x, y, loss):
    """Loss and accuracy of every network, by its definition, in float64."""
    losses, shares = [], []
    for r in range(ensemble.n_networks):
        h = x.astype(np.float64)
        layers = list(zip(ensemble.weights, ensemble.biases, strict=True))
        for k, (weight, bias) in enumerate(layers):
            h = h @ weight[r].numpy().astype(float).T + bias[r].numpy()
            h = ensemble.activation.value(ARRAYS, h) if k < len(layers) - 1 else h
        z, target = torch.from_numpy(h), torch.from_numpy(y.astype(float))
        functions = torch.nn.functional
        if loss == CrossEntropy():
            losses.append(float(functions.cross_entropy(z, target)))
        elif loss == BinaryCrossEntropy():
            losses.append(float(functions.binary_cross_entropy_with_logits(z, target)))
        else:
            losses.append(float(functions.mse_loss(z, target)))
        half = 0.0 if loss == BinaryCrossEntropy() else 0.5
        named = h.argmax(axis=1) if h.shape[1] > 1 else h[:, 0] > half
        shares.append(np.mean(named == class_indices(y)))
    return np.array(losses), np.array(shares)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_loss_and_accuracy_are_those_of_a_loop(loss):
    cell = cell_of(loss=loss, tolerance=1e-2, depth=3)
    x, y = cell.task.validation()
    ensemble = draw(cell, [0])[:50]
    evaluate = Evaluation(x, y, cell.sizes, cell.activation, loss, class_indices(y))
    losses, shares = evaluate(ensemble)
    wanted_losses, wanted_shares = by_hand(ensemble, x, y, loss)
    np.testing.assert_allclose(losses, wanted_losses, rtol=1e-5)
    # A point whose outputs are equal to rounding may be named either way; none is here.
    np.testing.assert_array_equal(shares, wanted_shares)


def test_learnable_numbers_are_those_that_training_left():
    cell = cell_of(tolerance=1e-2, depth=3, activation=Hermite(trainable=True))
    x, y = (torch.from_numpy(part) for part in cell.task.validation())
    ensemble = draw(cell, [0])[:50]
    for numbers in ensemble.learnable:
        numbers += torch.randn(numbers.shape, generator=torch.Generator().manual_seed(0)) / 4
    classes = class_indices(y.numpy())
    evaluate = Evaluation(x.numpy(), y.numpy(), cell.sizes, cell.activation, cell.loss, classes)
    losses, shares = evaluate(ensemble)
    z = ensemble(x)
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(
        z, y.expand_as(z), reduction="none"
    )
    np.testing.assert_allclose(losses, wanted.mean(dim=(1, 2)).numpy(), rtol=1e-4)
    named = (z[..., 0] > 0).numpy() == classes
    np.testing.assert_allclose(shares, named.mean(axis=1))


def test_a_large_table_is_evaluated_in_parts(monkeypatch):
    cell = cell_of(tolerance=1e-2, depth=3)
    x, y = TwoMoons(n_train=203).data()
    ensemble = draw(cell, [0])
    results = []
    for most in (4096, 64):
        monkeypatch.setattr("trainability.training.evaluation._MOST_POINTS", most)
        evaluate = Evaluation(x, y, cell.sizes, cell.activation, cell.loss, class_indices(y))
        results.append(evaluate(ensemble))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-6)
    np.testing.assert_array_equal(results[0][1], results[1][1])


def test_how_many_networks_are_evaluated_together_changes_no_bit():
    cell = cell_of(tolerance=1e-2, depth=4, width=5)
    x, y = cell.task.data()
    evaluate = Evaluation(x, y, cell.sizes, cell.activation, cell.loss, class_indices(y))
    ensemble = draw(cell, [0, 1])
    whole = evaluate(ensemble)
    for part in (slice(0, 1), slice(7, 300), slice(3, 512, 5)):
        for got, wanted in zip(evaluate(ensemble[part]), whole, strict=True):
            np.testing.assert_array_equal(got, wanted[part])


@pytest.mark.parametrize("d_out", [1, 2, 5])
@pytest.mark.parametrize("n_points", [5, 7, 85])
@pytest.mark.parametrize("most", [4096, 48])
@pytest.mark.parametrize("width", [6, 64, 100])
@pytest.mark.parametrize("activation", [ReLU(), HardTanh()], ids=str)
def test_a_network_that_is_constant_names_one_class(
    d_out, width, most, n_points, activation, monkeypatch
):
    """To the last bit: outputs that differ by rounding would make two classes of a constant.

    The second layer is dead; what comes behind it makes outputs that are equal to rounding. Matrix
    products of torch round the same row differently among 5 rows of width 64, for example.
    """
    monkeypatch.setattr("trainability.training.evaluation._MOST_POINTS", most)
    rng = np.random.default_rng(d_out)
    sizes = (3, 5, 4, width, d_out)
    weights, biases = [], []
    for k, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        weights.append(torch.from_numpy(rng.standard_normal((300, fan_out, fan_in))).float())
        bias = rng.standard_normal((300, fan_out)) + (-1e3 if k == 1 else 0)
        biases.append(torch.from_numpy(bias).float())
    # Rows of the last layer are one row in another order: outputs that differ by rounding.
    order = np.argsort(rng.random((300, d_out, width)), axis=2)
    weights[-1] = torch.gather(weights[-1][:, :1].repeat(1, d_out, 1), 2, torch.from_numpy(order))
    weights[-2][:] = weights[-2][:, :1]
    biases[-2][:] = biases[-2][:, :1]
    biases[-1][:] = 0.0
    if d_out == 1:
        middle = Ensemble(tuple(weights), tuple(biases), activation)(torch.zeros(1, 3))
        biases[-1][:] = -middle[:, 0]
    ensemble = Ensemble(tuple(weights), tuple(biases), activation)
    x = rng.standard_normal((n_points, 3)).astype(np.float32)
    shares = np.zeros(300)
    for one in range(max(2, d_out)):
        labels = np.full(n_points, one)
        y = np.eye(d_out, dtype=np.float32)[labels % d_out]
        evaluate = Evaluation(x, y, sizes, activation, BinaryCrossEntropy(), labels)
        share = evaluate(ensemble)[1]
        assert set(share) <= {0.0, 1.0}
        shares += share
    assert (shares == 1).all()


@pytest.mark.parametrize("engine", ["torch", "fused-cpu"])
@pytest.mark.parametrize("batch_size", [None, 5])
def test_measures_at_the_end_are_those_of_shorter_trainings(engine, batch_size):
    """The best of all checkpoints is the best end of trainings that stop at them."""
    more = {"batch_size": batch_size, "optimizer": SGD(0.5), "depth": 3}
    whole = rows_of(cell_of(tolerance=1e-5, max_steps=50, **more), engine=engine)
    steps = checkpoints(50)
    ends = [rows_of(cell_of(tolerance=1e-5, max_steps=n, **more), engine=engine) for n in steps[1:]]
    pd.testing.assert_series_equal(ends[-1]["validation_loss"], whole["validation_loss"])
    x, y = cell_of(tolerance=1e-5).task.validation()
    first, first_share = by_hand(draw(cell_of(tolerance=1e-5, **more), [0]), x, y, LOSSES[0])
    for best, now, start, better in (
        ("best_validation_loss", "validation_loss", first, np.minimum),
        ("best_validation_accuracy", "validation_accuracy", first_share, np.maximum),
    ):
        wanted = start
        for end in ends:
            wanted = better(wanted, end[now])
        np.testing.assert_allclose(whole[best], wanted, rtol=1e-5)


@pytest.mark.parametrize("engine", ["torch", "fused-cpu"])
def test_a_network_stops_at_the_checkpoint_where_it_reaches_the_target(engine):
    rows = rows_of(cell_of(target_accuracy=0.85), engine=engine)
    assert 0.1 < rows["success"].mean() < 1
    assert set(rows.loc[rows["success"], "steps"]) <= set(checkpoints(100))
    assert (rows.loc[~rows["success"], "steps"] == 100).all()
    assert (rows["success"] == (rows["accuracy"] >= 0.85)).all()
    assert rows["tolerance"].isna().all()
    # Where it stopped it is what a training of so many steps makes.
    step = int(rows.loc[rows["success"], "steps"].median())
    short = rows_of(cell_of(tolerance=1e-9, max_steps=step), engine=engine)
    stopped = rows["success"] & (rows["steps"] == step)
    assert stopped.any()
    for name in ("final_loss", "accuracy", "validation_loss"):
        pd.testing.assert_series_equal(rows.loc[stopped, name], short.loc[stopped, name])
    # And it was no success at the checkpoint before.
    before = checkpoints(100)[checkpoints(100).index(step) - 1]
    early = rows_of(cell_of(tolerance=1e-9, max_steps=before), engine=engine)
    assert (early.loc[stopped, "accuracy"] < 0.85).all()


def test_points_that_are_held_back_change_no_other_number():
    strict = cell_of(tolerance=1e-2)
    alone = dataclasses.replace(strict, task=dataclasses.replace(strict.task, n_validation=0))
    names = ["cell", "task", "n_validation", *EVALUATED[1:]]
    with_points, without = rows_of(strict), rows_of(alone)
    pd.testing.assert_frame_equal(with_points.drop(columns=names), without.drop(columns=names))
    assert without[list(EVALUATED[1:])].isna().all(axis=None)
    assert with_points[list(EVALUATED)].notna().all(axis=None)


def test_numbers_as_targets_have_no_accuracy_but_may_have_validation():
    plain = rows_of(cell_of(task=AbsoluteValue(8), loss=Huber(), tolerance=1e-3, max_steps=5))
    assert plain[list(EVALUATED)].isna().all(axis=None) and (plain["n_classes"] == 0).all()
    task = Table(dataset="diabetes", rows=40, n_validation=10)
    rows = rows_of(cell_of(task=task, loss=Huber(), tolerance=1e-3, max_steps=5))
    assert rows["validation_loss"].notna().all() and (rows["n_validation"] == 10).all()
    for name in ("accuracy", "validation_accuracy", "best_validation_accuracy"):
        assert rows[name].isna().all()


def test_a_network_that_diverged_has_only_what_was_best_before():
    rows = rows_of(cell_of(loss=MeanSquaredError(), optimizer=SGD(30.0), tolerance=1e-3))
    lost = rows["status"] == "diverged"
    assert lost.any() and not rows.loc[lost, "success"].any()
    now = ["accuracy", "validation_loss", "validation_accuracy"]
    assert rows.loc[lost, now].isna().all(axis=None)
    assert rows.loc[lost, "best_validation_loss"].notna().all()


@pytest.mark.parametrize("activation", [a for a in ACTIVATIONS if a.flat], ids=str)
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_no_untrainable_network_reaches_more_than_the_largest_class(activation, loss):
    """11 of 21 points are of class 1; a constant that names it has 52.4 %."""
    cell = cell_of(
        activation=activation, loss=loss, target_accuracy=0.53, width=1, depth=8, max_steps=200
    )
    rows = rows_of(cell, blocks=[0, 1])
    verdict = untrainable_never_succeed(rows)
    assert verdict.holds
    dead = ~rows["trainable"] & (rows["status"] == "ok")
    assert set(rows.loc[dead, "accuracy"].round(6)) <= {round(10 / 21, 6), round(11 / 21, 6)}
    if activation == ReLU():
        assert verdict.n > 100 and rows["success"].any()


def test_ten_classes_of_a_table_run_to_rows():
    task = Table(dataset="digits", rows=150, classes=True, n_validation=50)
    rows = rows_of(
        cell_of(task=task, loss=CrossEntropy(), width=16, max_steps=50, target_accuracy=0.9)
    )
    assert (rows["n_classes"] == 10).all() and (rows["d_out"] == 10).all()
    assert rows["success"].mean() > 0.9
    assert rows["validation_accuracy"].mean() > 0.5
