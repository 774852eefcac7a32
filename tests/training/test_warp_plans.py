"""Every kind of plan of the warp engine follows the rules, whatever it is chosen for."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
import training_by_loop as loop

from trainability.optimizers import SGD, Adam
from trainability.seeds import batch_order, order_keys
from trainability.training.cpu.compiled import load
from trainability.training.gpu.choice import block_plan, plan_for, warp_plan
from trainability.training.gpu.orders import shuffle
from trainability.training.gpu.plan import WarpPlan
from trainability.training.gpu.warp_gpu_engine import WarpEngine
from trainability.training.ops.simd import INT, POINTER, Code

SHALLOW, WIDE, DEEP = (1, 5, 1), (2, 21, 2), (2, 4, 4, 4, 3)
UNEQUAL = (2, 3, 9, 1, 5, 2)
PLANS = [
    (SHALLOW, 37, partial(warp_plan, lanes=8)),
    (SHALLOW, 37, partial(warp_plan, lanes=4, points=2, held=False)),
    (WIDE, 37, partial(warp_plan, lanes=16, looped=True)),
    (WIDE, 128, partial(warp_plan, lanes=32, looped=True)),
    (DEEP, 128, partial(warp_plan, lanes=32, looped=True, stored=True)),
    (DEEP, 37, partial(warp_plan, lanes=16, points=1, looped=True, stored=True)),
    (DEEP, 37, partial(warp_plan, lanes=8, stored=True, held=True)),
    (UNEQUAL, 37, partial(warp_plan, lanes=8, stored=True, held=True)),
    (UNEQUAL, 128, warp_plan),
    ((1, 8, 9, 1), 37, block_plan),
    ((2, 9, 13, 8, 3), 130, block_plan),
]


def _name(value: object) -> str:
    """A test's name holds no address, which would differ from process to process."""
    if isinstance(value, partial):
        settings = ", ".join(f"{name}={given}" for name, given in value.keywords.items())
        return f"{value.func.__name__}({settings})"
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize("optimizer", [Adam(0.01), SGD(0.02, momentum=0.9)], ids=str)
@pytest.mark.parametrize("sizes, n_points, plan", PLANS, ids=_name)
def test_the_whole_curve_is_that_of_a_plain_loop(sizes, n_points, plan, optimizer) -> None:
    """The bound is that of the suite over all engines."""
    n_networks, n_steps = 3, 8
    nets = loop.ensemble(sizes, n_networks)
    task = loop.problem(sizes, n_networks, optimizer, n_points=n_points)
    exact, rounded = (
        loop.curves(nets, task, n_steps, dtype) for dtype in (torch.float64, torch.float32)
    )
    training = WarpEngine("cpu", plan=plan).start(nets, task)
    computed = np.empty_like(exact)
    for step in range(n_steps + 1):
        training.advance(step)
        computed[:, step] = training.loss
        assert (training.steps == step).all()
    straying = np.maximum.accumulate((np.abs(rounded - exact) / exact).max(axis=0))
    bound = np.maximum(10 * straying, 100 * 2.0**-24)
    assert (np.abs(computed - exact) / exact < bound).all()


def test_networks_of_blocks_stop_each_for_itself() -> None:
    sizes = (1, 8, 8, 1)
    nets = loop.ensemble(sizes, 6)
    task = loop.problem(sizes, 6, Adam(0.05))
    engine = WarpEngine("cpu", plan=block_plan)
    unstopped = engine.start(nets, task)
    unstopped.advance(20)
    task = dataclasses.replace(task, tolerance=float(np.median(unstopped.loss)))
    nets.weights[0][3] = 1e30
    together = engine.start(nets, task)
    together.advance(20)
    assert together.diverged.tolist() == [False, False, False, True, False, False]
    assert together.succeeded.any() and not (together.succeeded | together.diverged).all()
    alone = engine.start(nets[[4]], task)
    alone.advance(20)
    assert alone.loss[0] == together.loss[4] and alone.steps[0] == together.steps[4]


def test_a_plan_depends_on_the_shape_alone() -> None:
    """It is part of the arithmetic: rows must not depend on how many networks there are."""
    plans = [plan_for(DEEP, loop.problem(DEEP, n, Adam(0.1))) for n in (1, 200)]
    assert plans[0] == plans[1]


def test_layers_of_different_widths_are_not_written_out_at_length() -> None:
    """A warp's kernel has them one by one; one of many lines takes minutes to compile."""
    few, many, same = (1, 12, 4, 8, 1), (1, *[12, 11] * 4, 1), (1, *[12] * 8, 1)
    plans = [plan_for(sizes, loop.problem(sizes, 1, Adam(0.1))) for sizes in (few, many, same)]
    assert isinstance(plans[0], WarpPlan) and not plans[0].looped
    assert plans[1] is None
    assert isinstance(plans[2], WarpPlan) and plans[2].looped


def test_what_outgrows_a_multiprocessor_has_no_plan() -> None:
    assert plan_for((1, 512, 512, 1), loop.problem(SHALLOW, 1, Adam(0.1))) is None
    mini = loop.problem(SHALLOW, 1, Adam(0.1), batch_size=8)
    assert plan_for((1, 64, 64, 1), mini) is None


@pytest.mark.parametrize("n_points", [1, 2, 37])
@pytest.mark.parametrize("epoch", [0, 12345])
def test_threads_shuffle_as_the_streams_say(n_points: int, epoch: int) -> None:
    """A thread's function, run on the CPU: here it writes every third place from the second."""
    arguments = {"key": INT, "epoch": INT, "n": INT, "table": POINTER}
    code = Code(1)
    with code.function("run", arguments) as given:
        first = code.constant(1, INT)
        shuffle(code, given["key"], given["epoch"], given["n"], given["table"], first, 3)
    run = load(str(code), {"run": arguments}, unroll=False)["run"]
    keys = order_keys(3, "any", 1)[:2]
    for row, key in enumerate(keys.view(np.int64)):
        table = np.zeros(3 * n_points + 1, dtype=np.int32)
        run(key=int(key), epoch=epoch, n=n_points, table=table)
        np.testing.assert_array_equal(table[1::3], batch_order(keys, epoch, n_points)[row])
