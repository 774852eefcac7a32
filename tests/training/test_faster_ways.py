"""Ways of the fused engine that are faster: each trains as torch does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import training_by_loop as loop
from rule_examples import targets_for

from trainability.activations import LeakyReLU
from trainability.losses import BinaryCrossEntropy, CrossEntropy
from trainability.optimizers import Adam
from trainability.penalties import L2
from trainability.training import engine_type
from trainability.training.cpu import fused_cpu_engine


@pytest.mark.parametrize("batch_size", [None, 3, 11])
@pytest.mark.parametrize("slope", [0.1, 2.0])
@pytest.mark.parametrize(
    ("loss", "d_out"),
    [(CrossEntropy(), 2), (CrossEntropy(), 7), (BinaryCrossEntropy(), 2)],
    ids=str,
)
def test_the_fused_engine_trains_as_torch_does(loss, d_out, slope, batch_size) -> None:
    """To rounding: 30 steps of these networks amplify it less than 100 times."""
    sizes = (2, 5, d_out)
    nets = dataclasses.replace(loop.ensemble(sizes, 6), activation=LeakyReLU(slope))
    task = loop.problem(sizes, 6, Adam(0.01), batch_size=batch_size)
    task = dataclasses.replace(
        task, y=targets_for(loss, len(task.x), d_out), loss=loss, activation=nets.activation
    )
    trainings = [engine_type(name)("cpu").start(nets, task) for name in ("fused-cpu", "torch")]
    for step in (0, 30):
        for training in trainings:
            training.advance(step)
        ours, theirs = (training.loss for training in trainings)
        np.testing.assert_allclose(ours, theirs, rtol=100 * 2.0**-24)


@pytest.mark.parametrize("penalty", [None, L2(0.01)], ids=str)
@pytest.mark.parametrize("sizes", [(1, 3, 1), (3, 4, 4, 2)], ids=str)
@pytest.mark.parametrize("exchanges", [1, 5])
def test_exchanges_beside_updates_change_no_bit(exchanges, sizes, penalty, monkeypatch) -> None:
    """Of 37 points, whose last exchanges are fewer than a block has; some steps have none left."""
    plan_for = fused_cpu_engine.plan_for
    task = loop.problem(sizes, 20, Adam(0.01), batch_size=5)
    task = dataclasses.replace(task, penalty=penalty)
    results = []
    for n in (0, exchanges):
        monkeypatch.setattr(
            fused_cpu_engine,
            "plan_for",
            lambda *given, n=n: dataclasses.replace(plan_for(*given), exchanges=n),
        )
        training = engine_type("fused-cpu")("cpu").start(loop.ensemble(sizes, 20), task)
        training.advance(41)
        results.append([part.numpy() for part in training.ensemble().parameters])
    for one_by_one, beside in zip(*results, strict=True):
        np.testing.assert_array_equal(one_by_one, beside)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch_size", [None, 11])
def test_groups_that_a_worker_takes_at_once_change_no_bit(batch_size, threads, monkeypatch) -> None:
    """Of 600 networks, some of which stop before the others: the last group has lanes left."""
    sizes, n = (1, 3, 1), 600
    task = loop.problem(sizes, n, Adam(0.05), batch_size=batch_size, tolerance=0.05)
    task = dataclasses.replace(task, order_keys=np.arange(n, dtype=np.uint64))
    results = []
    for together in (1, 8):
        monkeypatch.setattr(fused_cpu_engine, "_TOGETHER", together)
        engine = engine_type("fused-cpu")("cpu", threads)
        training = engine.start(loop.ensemble(sizes, n), task)
        for step in (0, 100, 1200):
            training.advance(step)
        parameters = [part.numpy() for part in training.ensemble().parameters]
        results.append([training.loss, training.steps, training.succeeded, *parameters])
    assert 0 < results[0][2].sum() < n
    for alone, at_once in zip(*results, strict=True):
        np.testing.assert_array_equal(alone, at_once)


@pytest.mark.parametrize("sizes", [(1, 3, 1), (3, 4, 4, 2)], ids=str)
@pytest.mark.parametrize("n_lanes", [8, 16])
def test_minibatches_put_together_at_once_have_the_points_of_each_network(
    sizes, n_lanes, monkeypatch
) -> None:
    monkeypatch.setattr(fused_cpu_engine, "lanes", lambda: n_lanes)
    nets = loop.ensemble(sizes, n_lanes)
    task = loop.problem(sizes, n_lanes, Adam(0.01), batch_size=5)
    trainings = [engine_type(name)("cpu").start(nets, task) for name in ("fused-cpu", "torch")]
    for training in trainings:
        training.advance(23)
    ours, theirs = (training.ensemble().parameters for training in trainings)
    for parameter, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(parameter, wanted, atol=1e-5)
