"""Ways of the fused engine that are faster: each gives the numbers that the plain way gives."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import training_by_loop as loop
from rule_examples import targets_for

from trainability.activations import LeakyReLU
from trainability.losses import BinaryCrossEntropy, CrossEntropy
from trainability.optimizers import Adam
from trainability.training import engine_type
from trainability.training.cpu.compiled import load
from trainability.training.cpu.fused_cpu_engine import plan_for
from trainability.training.cpu.group import Group, tables_of
from trainability.training.cpu.kernel import source
from trainability.training.cpu.plan import EVALUATE
from trainability.training.flat import flattened


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


@pytest.mark.parametrize("sizes", [(1, 3, 1), (3, 4, 4, 2)], ids=str)
@pytest.mark.parametrize("n_lanes", [8, 16])
def test_minibatches_put_together_by_gathers_are_the_same(sizes, n_lanes) -> None:
    """To the last bit, points and order: nothing but where numbers are read changes."""
    n_networks = n_lanes
    nets, task = (
        loop.ensemble(sizes, n_networks),
        loop.problem(sizes, n_networks, Adam(0.01), batch_size=5),
    )
    results = []
    for gathers in (False, True):
        plan = dataclasses.replace(plan_for(sizes, task), lanes=n_lanes, gathers=gathers)
        kernel = load(source(plan), {"evaluate": EVALUATE, "train": plan.arguments}, plan.unroll)
        group = Group(plan, kernel, task, tables_of(task, plan))
        state = np.zeros((1 + plan.n_moments, n_networks, plan.n_parameters), np.float32)
        state[0] = flattened(nets).numpy()
        group.train(state, np.arange(n_networks), 0, 23)
        results.append(state)
    np.testing.assert_array_equal(*results)
    assert (results[0][1:] != 0).any()
