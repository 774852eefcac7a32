"""One conformance suite over all engines."""

from __future__ import annotations

import dataclasses
import os
from functools import cache

import numpy as np
import pytest
import torch
import training_by_loop as loop

from trainability.activations import LeakyReLU
from trainability.optimizers import SGD, Adam
from trainability.training import Engine, Training, engine_type
from trainability.training.catalog import engine_modules
from trainability.training.cpu import fused_cpu_engine as fused_cpu
from trainability.training.cpu.fused_cpu_engine import FusedCpuEngine
from trainability.training.torch_engine import TorchEngine

SHALLOW = (1, 5, 1)
DEEP = (2, 4, 4, 4, 3)
UNEQUAL = (2, 3, 9, 1, 5, 2)
OPTIMIZERS = [Adam(learning_rate=0.01), SGD(learning_rate=0.05), SGD(0.02, momentum=0.9)]
# With TRAINABILITY_TEST_DEVICE=cuda the engines that can run on a GPU do.
DEVICE = os.environ.get("TRAINABILITY_TEST_DEVICE", "cpu")
ENGINES = [engine_type(name)(DEVICE) for name in engine_modules()]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("sizes", [SHALLOW, DEEP, UNEQUAL], ids=str)
def test_the_whole_curve_is_that_of_a_plain_loop(engine, sizes, optimizer, batch_size) -> None:
    """Rounding in float32 moves the loop itself away from float64; an engine that adds up in
    another order may stray as far. The bound is 10 times the loop's own straying, taken over
    all networks and all steps up to this one, and never below 100 roundings of the loss.
    """
    n_networks, n_steps = 4, 30
    nets = loop.ensemble(sizes, n_networks)
    task = loop.problem(sizes, n_networks, optimizer, batch_size=batch_size)
    exact, rounded = oracle(sizes, optimizer, batch_size, n_networks, n_steps)
    training = engine.start(nets, task)
    computed = np.empty_like(exact)
    for step in range(n_steps + 1):
        training.advance(step)
        computed[:, step] = training.loss
        assert (training.steps == step).all()
    straying = np.maximum.accumulate((np.abs(rounded - exact) / exact).max(axis=0))
    bound = np.maximum(10 * straying, 100 * 2.0**-24)
    assert (np.abs(computed - exact) / exact < bound).all()


@cache
def oracle(sizes, optimizer, batch_size, n_networks: int, n_steps: int) -> list[np.ndarray]:
    """The curves in float64 and in float32."""
    nets = loop.ensemble(sizes, n_networks)
    task = loop.problem(sizes, n_networks, optimizer, batch_size=batch_size)
    return [loop.curves(nets, task, n_steps, dtype) for dtype in (torch.float64, torch.float32)]


@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_network_stops_at_the_step_where_its_loss_reaches_the_tolerance(
    engine, batch_size
) -> None:
    n_networks, n_steps = 12, 96
    nets = loop.ensemble(SHALLOW, n_networks)
    task = loop.problem(SHALLOW, n_networks, Adam(0.05), batch_size=batch_size)
    per_epoch = task.steps_per_epoch
    unstopped = engine.start(nets, task)
    history = []
    for step in range(0, n_steps + 1, per_epoch):
        unstopped.advance(step)
        history.append(unstopped.loss.copy())
    curve = np.stack(history, axis=1)
    tolerance = float(np.median(curve.min(axis=1)))
    reached = curve <= np.float32(tolerance)
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), reached.shape[1] - 1)
    training = engine.start(nets, dataclasses.replace(task, tolerance=tolerance))
    training.advance(n_steps)
    np.testing.assert_array_equal(training.succeeded, reached.any(axis=1))
    np.testing.assert_array_equal(training.steps, first * per_epoch)
    np.testing.assert_array_equal(training.loss, curve[np.arange(n_networks), first])
    assert training.succeeded.any() and not training.succeeded.all()


def test_a_network_that_fits_already_takes_no_step(engine) -> None:
    nets = loop.ensemble(SHALLOW, 3)
    task = loop.problem(SHALLOW, 3, Adam(0.05), tolerance=1e-6)
    with torch.no_grad():
        task = dataclasses.replace(task, y=nets(torch.from_numpy(task.x))[1].numpy())
    training = engine.start(nets, task)
    training.advance(0)
    assert training.succeeded.tolist() == [False, True, False]
    training.advance(20)
    assert training.steps.tolist() == [20, 0, 20]
    for before, after in zip(tensors(nets), tensors(training.ensemble()), strict=True):
        assert torch.equal(before[1], after[1])
        assert not torch.equal(before, after)


@pytest.mark.parametrize("batch_size", [None, 8])
def test_a_network_that_diverges_stops_and_harms_no_other(engine, batch_size) -> None:
    """Targets and learning rate are tame; network 1 starts with weights that overflow."""
    nets = loop.ensemble(SHALLOW, 3)
    task = loop.problem(SHALLOW, 3, SGD(0.01), batch_size=batch_size)
    alone = engine.start(nets, task)
    alone.advance(40)
    nets.weights[0][1] = 1e18
    nets.weights[1][1] = 1e18
    training = engine.start(nets, task)
    training.advance(40)
    assert training.diverged.tolist() == [False, True, False]
    assert training.steps.tolist() == [40, 0, 40]
    assert not np.isfinite(training.loss[1])
    assert_same(training, alone, rows=[0, 2])


@pytest.mark.parametrize("batch_size", [None, 8])
def test_who_is_said_to_have_succeeded_stops_there(engine, batch_size) -> None:
    """Where success is an accuracy: no loss stops a network, and one that diverged stays so."""
    nets = loop.ensemble(SHALLOW, 4)
    nets.weights[0][3] = 1e18
    nets.weights[1][3] = 1e18
    task = loop.problem(SHALLOW, 4, SGD(0.01), batch_size=batch_size, tolerance=-np.inf)
    alone, training = engine.start(nets, task), engine.start(nets, task)
    for each in (alone, training):
        each.advance(16)
    then, loss = tensors(training.ensemble()), training.loss.copy()
    training.succeed(np.array([False, True, False, True]))
    for each in (alone, training):
        each.advance(40)
    assert training.succeeded.tolist() == [False, True, False, False]
    assert training.diverged.tolist() == [False, False, False, True]
    assert training.steps.tolist() == [40, 16, 40, 0]
    assert training.loss[1] == loss[1]
    for before, after in zip(then, tensors(training.ensemble()), strict=True):
        assert torch.equal(before[1], after[1])
    assert_same(training, alone, rows=[0, 2])


def test_a_learning_rate_that_is_too_large_diverges(engine) -> None:
    nets = loop.ensemble(SHALLOW, 4)
    task = loop.problem(SHALLOW, 4, SGD(1e3))
    training = engine.start(nets, task)
    training.advance(200)
    assert training.diverged.any()
    assert (training.steps[training.diverged] < 200).all()
    assert not (training.diverged & training.succeeded).any()


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("sizes", [SHALLOW, DEEP, UNEQUAL], ids=str)
def test_grouping_changes_no_bit(engine, sizes, batch_size) -> None:
    """Whatever the neighbors and the position, some of which stop along the way."""
    n_networks, n_steps = 150, 60
    nets = loop.ensemble(sizes, n_networks)
    task = loop.problem(sizes, n_networks, OPTIMIZERS[0], batch_size=batch_size)
    unstopped = engine.start(nets, task)
    unstopped.advance(n_steps)
    task = dataclasses.replace(task, tolerance=float(np.median(unstopped.loss)))
    together = engine.start(nets, task)
    together.advance(n_steps)
    assert together.succeeded.any() and not together.succeeded.all()
    for rows in ([7], [149, 20, 3], list(range(1, 150, 2))):
        part = dataclasses.replace(task, order_keys=task.order_keys[rows])
        alone = engine.start(nets[rows], part)
        alone.advance(n_steps)
        assert_same(alone, together, rows=rows)


@pytest.mark.parametrize("batch_size", [None, 8])
def test_pieces_change_no_bit(engine, batch_size) -> None:
    nets = loop.ensemble(SHALLOW, 20)
    task = loop.problem(SHALLOW, 20, OPTIMIZERS[0], batch_size=batch_size, tolerance=0.02)
    at_once = engine.start(nets, task)
    at_once.advance(320)
    pieces = engine.start(nets, task)
    for until in (0, 4, 12, 12, 256, 260, 320):
        pieces.advance(until)
    assert_same(pieces, at_once, rows=range(20))


def test_a_piece_may_end_within_an_epoch(engine) -> None:
    nets = loop.ensemble(SHALLOW, 20)
    task = loop.problem(SHALLOW, 20, OPTIMIZERS[0], batch_size=8)
    at_once = engine.start(nets, task)
    at_once.advance(19)
    pieces = engine.start(nets, task)
    for until in (1, 6, 11, 19):
        pieces.advance(until)
    assert_same(pieces, at_once, rows=range(20))


def test_starting_leaves_the_ensemble_as_it_is(engine) -> None:
    nets = loop.ensemble(SHALLOW, 3)
    copies = [tensor.clone() for tensor in tensors(nets)]
    training = engine.start(nets, loop.problem(SHALLOW, 3, OPTIMIZERS[0]))
    training.advance(5)
    assert all(torch.equal(a, b) for a, b in zip(copies, tensors(nets), strict=True))


def tensors(nets) -> list[torch.Tensor]:
    return [*nets.weights, *nets.biases]


def assert_same(training: Training, wanted: Training, rows) -> None:
    """`found` equals the rows `rows` of `wanted`, or the same rows where both have them all."""
    ours = list(rows) if len(training.loss) == len(wanted.loss) else list(range(len(training.loss)))
    theirs = list(rows)
    for name in ("loss", "steps", "succeeded", "diverged"):
        np.testing.assert_array_equal(getattr(training, name)[ours], getattr(wanted, name)[theirs])
    pairs = zip(tensors(training.ensemble()), tensors(wanted.ensemble()), strict=True)
    assert all(torch.equal(a[ours], b[theirs]) for a, b in pairs)


@pytest.mark.parametrize("kind", [TorchEngine, FusedCpuEngine])
def test_the_number_of_threads_changes_no_bit(kind) -> None:
    nets = loop.ensemble(DEEP, 250)
    task = loop.problem(DEEP, 250, OPTIMIZERS[0], tolerance=0.3)
    trainings = []
    for threads in (1, 2, 3):
        trainings.append(kind(threads=threads).start(nets, task))
        trainings[-1].advance(40)
    assert trainings[0].succeeded.any()
    for training in trainings[1:]:
        assert_same(training, trainings[0], rows=range(250))


@pytest.mark.parametrize("batch_size", [None, 8])
def test_the_width_of_the_vectors_changes_no_bit(monkeypatch, batch_size) -> None:
    """So rows are the same on CPUs with AVX-512 and on others."""
    nets = loop.ensemble(DEEP, 20)
    task = loop.problem(DEEP, 20, OPTIMIZERS[0], batch_size=batch_size)
    trainings = []
    for lanes in (16, 8):
        monkeypatch.setattr(fused_cpu, "lanes", lambda lanes=lanes: lanes)
        trainings.append(FusedCpuEngine().start(nets, task))
        trainings[-1].advance(40)
    assert_same(*trainings, rows=range(20))


def test_networks_that_are_not_those_of_the_problem_are_refused(engine) -> None:
    nets = loop.ensemble(SHALLOW, 3)
    task = dataclasses.replace(loop.problem(DEEP, 3, OPTIMIZERS[0]), activation=LeakyReLU())
    wanted = (
        r"activation: the networks have ReLU\(\), the problem LeakyReLU\(\); "
        "inputs: the networks have 1, the problem 2; outputs: the networks have 1, the problem 3$"
    )
    with pytest.raises(ValueError, match=wanted):
        engine.start(nets, task)
