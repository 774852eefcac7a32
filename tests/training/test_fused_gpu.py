"""The fused GPU engine in Triton's interpreter: the laws of `test_engines` at tiny sizes.

The interpreter needs some milliseconds per step; the compiler is tried in a process of its own.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys

import numpy as np
import pytest
import torch
import training_by_loop as loop
from test_engines import assert_same, tensors

from trainability.seeds import batch_order, order_keys
from trainability.training import SGD, Adam
from trainability.training.fused_gpu import FusedGpuEngine

SHALLOW = (1, 2, 1)
DEEP = (2, 2, 3, 2)
# Nine points on eight threads: the second pass is filled up.
N_POINTS = 9
ENGINE = FusedGpuEngine("cpu")

# The interpreter computes with numpy, which warns of what a GPU does in silence.
overflow = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value")


@pytest.mark.parametrize(
    "sizes, optimizer, batch_size",
    [
        (SHALLOW, SGD(0.05), None),
        (SHALLOW, Adam(0.01), 3),
        (DEEP, Adam(0.01), None),
        (DEEP, SGD(0.02, momentum=0.9), 4),
    ],
    ids=str,
)
def test_the_whole_curve_is_that_of_a_plain_loop(sizes, optimizer, batch_size) -> None:
    """The bound is that of the suite over all engines."""
    n_networks, n_steps = 3, 6
    nets = loop.ensemble(sizes, n_networks)
    task = loop.problem(sizes, n_networks, optimizer, n_points=N_POINTS, batch_size=batch_size)
    exact, rounded = (
        loop.curves(nets, task, n_steps, dtype) for dtype in (torch.float64, torch.float32)
    )
    training = ENGINE.start(nets, task)
    found = np.empty_like(exact)
    for step in range(n_steps + 1):
        training.advance(step)
        found[:, step] = training.loss
        assert (training.steps == step).all()
    straying = np.maximum.accumulate((np.abs(rounded - exact) / exact).max(axis=0))
    bound = np.maximum(10 * straying, 100 * 2.0**-24)
    assert (np.abs(found - exact) / exact < bound).all()


@pytest.mark.parametrize("batch_size", [None, 4])
def test_networks_stop_where_their_loss_reaches_the_tolerance(batch_size) -> None:
    """One of them at step 0."""
    n_networks, n_steps = 6, 12
    nets = loop.ensemble(SHALLOW, n_networks)
    task = loop.problem(SHALLOW, n_networks, Adam(0.1), n_points=8, batch_size=batch_size)
    unstopped = ENGINE.start(nets, task)
    history = []
    for step in range(0, n_steps + 1, task.steps_per_epoch):
        unstopped.advance(step)
        history.append(unstopped.loss.copy())
    curve = np.stack(history, axis=1)
    tolerance = float(np.median(curve.min(axis=1)))
    reached = curve <= np.float32(tolerance)
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), reached.shape[1] - 1)
    training = ENGINE.start(nets, dataclasses.replace(task, tolerance=tolerance))
    training.advance(n_steps)
    np.testing.assert_array_equal(training.succeeded, reached.any(axis=1))
    np.testing.assert_array_equal(training.steps, first * task.steps_per_epoch)
    np.testing.assert_array_equal(training.loss, curve[np.arange(n_networks), first])
    assert training.succeeded.any() and not training.succeeded.all()


def test_a_network_that_fits_already_takes_no_step() -> None:
    nets = loop.ensemble(SHALLOW, 3)
    task = loop.problem(SHALLOW, 3, Adam(0.05), n_points=4, tolerance=1e-6)
    task = dataclasses.replace(task, y=nets(torch.from_numpy(task.x))[1].numpy())
    training = ENGINE.start(nets, task)
    training.advance(0)
    assert training.succeeded.tolist() == [False, True, False]
    training.advance(3)
    assert training.steps.tolist() == [3, 0, 3]
    for before, after in zip(tensors(nets), tensors(training.ensemble()), strict=True):
        assert torch.equal(before[1], after[1])
        assert not torch.equal(before, after)


@overflow
@pytest.mark.parametrize("batch_size", [None, 4])
def test_a_network_that_diverges_stops_and_harms_no_other(batch_size) -> None:
    """Network 1 starts with weights that overflow, network 2 with one that is not a number."""
    nets = loop.ensemble(SHALLOW, 4)
    task = loop.problem(SHALLOW, 4, SGD(0.01), n_points=8, batch_size=batch_size)
    alone = ENGINE.start(nets, task)
    alone.advance(5)
    nets.weights[0][1] = 1e18
    nets.weights[1][1] = 1e18
    nets.weights[0][2, 0] = torch.nan
    training = ENGINE.start(nets, task)
    training.advance(5)
    assert training.diverged.tolist() == [False, True, True, False]
    assert training.steps.tolist() == [5, 0, 0, 5]
    assert_same(training, alone, rows=[0, 3])


@overflow
def test_a_learning_rate_that_is_too_large_diverges() -> None:
    nets = loop.ensemble(SHALLOW, 4)
    training = ENGINE.start(nets, loop.problem(SHALLOW, 4, SGD(1e5), n_points=4))
    training.advance(20)
    assert training.diverged.any()
    assert (training.steps[training.diverged] < 20).all()
    assert not (training.diverged & training.succeeded).any()


@pytest.mark.parametrize("batch_size", [None, 4])
def test_grouping_and_pieces_change_no_bit(batch_size) -> None:
    """Alone, in several programs of which the last is not full, or in one."""
    n_networks, n_steps = 10, 9
    nets = loop.ensemble(SHALLOW, n_networks)
    task = loop.problem(SHALLOW, n_networks, Adam(0.1), n_points=N_POINTS, batch_size=batch_size)
    unstopped = FusedGpuEngine("cpu", warps=4).start(nets, task)
    unstopped.advance(n_steps)
    task = dataclasses.replace(task, tolerance=float(np.median(unstopped.loss)))
    together = ENGINE.start(nets, task)
    together.advance(n_steps)
    assert together.succeeded.any() and not together.succeeded.all()
    in_pieces = FusedGpuEngine("cpu", warps=4).start(nets, task)
    for until in (0, 2, 5, 5, n_steps) if batch_size is None else (2, n_steps):
        in_pieces.advance(until)
    stays = np.ones(n_networks, dtype=bool)
    if batch_size is not None:
        # Whoever reaches the tolerance where a piece ends within an epoch stops there.
        stays = in_pieces.steps == together.steps
        assert stays.sum() >= n_networks - 2
    assert_same(in_pieces, together, rows=np.flatnonzero(stays))
    rows = [9, 4]
    part = dataclasses.replace(task, order_keys=task.order_keys[rows])
    alone = ENGINE.start(nets[rows], part)
    alone.advance(n_steps)
    assert_same(alone, together, rows=rows)


def test_networks_that_stopped_are_left_out_of_the_next_call(monkeypatch) -> None:
    nets = loop.ensemble(SHALLOW, 4)
    task = loop.problem(SHALLOW, 4, Adam(0.1), n_points=4)
    training = ENGINE.start(nets, task)
    training.advance(0)
    worst = float(np.sort(training.loss)[1:3].mean())
    training = ENGINE.start(nets, dataclasses.replace(task, tolerance=worst))
    sizes = []
    launch = training._launch
    monkeypatch.setattr(
        training,
        "_launch",
        lambda function, n, *rest: (sizes.append(n), launch(function, n, *rest)),
    )
    training.advance(0)
    training.advance(1)
    assert sizes[:2] == [4, 2]


def test_the_order_of_minibatches_is_that_of_the_seeds() -> None:
    from trainability.training.gpu_shuffle import shuffle

    keys, rows = order_keys(0, "shuffle", 0), np.array([255, 3, 4, 77])
    order = torch.empty(2, 7, len(rows), dtype=torch.int32)
    shuffle[(1, 2)](
        torch.from_numpy(keys.view(np.int64)), torch.from_numpy(rows), 4, order, 7, 5, NETWORKS=32
    )
    for epoch in (5, 6):
        wanted = batch_order(keys[rows], epoch, 7)
        np.testing.assert_array_equal(order[epoch - 5].numpy().T, wanted)


def test_what_it_can_not_train_it_says(monkeypatch) -> None:
    task = loop.problem(SHALLOW, 1, Adam(0.1))
    assert ENGINE.obstacle(SHALLOW, task) is None
    assert ENGINE.obstacle((1, 26, 1), task) is None
    assert "at most 80 parameters, got 82" in str(ENGINE.obstacle((1, 27, 1), task))
    assert ENGINE.obstacle((1, 53, 1), dataclasses.replace(task, optimizer=SGD(0.1))) is None
    assert "runs on a GPU, got device 'meta'" in str(FusedGpuEngine("meta").obstacle(SHALLOW, task))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "torch sees no GPU" in str(FusedGpuEngine().obstacle(SHALLOW, task))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "triton is not installed" in str(ENGINE.obstacle(SHALLOW, task))
    monkeypatch.delenv("TRITON_INTERPRET")
    assert "runs on a GPU, got device 'cpu'" in str(ENGINE.obstacle(SHALLOW, task))


COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from trainability.training import gpu_kernel
from trainability.training.gpu_shuffle import shuffle

kernel = gpu_kernel.module(gpu_kernel.source((1, 2, 1), "adam", False), "compiled")
whole = {"n_rows", "n_points", "first_step", "n_steps", "batch_size", "steps_per_epoch"}
kinds = dict.fromkeys([*whole, "first_epoch"], "i32") | {"tolerance": "fp32", "rows": "*i64"}
kinds |= dict.fromkeys(["steps", "live_after", "order"], "*i32") | {"keys": "*i64"}
sizes = {"NETWORKS": 4, "LANES": 8}
for function in (kernel.train, kernel.evaluate, shuffle):
    fixed = {name: sizes[name] for name in function.arg_names if name in sizes}
    signature = {name: kinds.get(name, "*fp32") for name in function.arg_names}
    signature |= dict.fromkeys(fixed, "constexpr")
    options = {"num_warps": 1, "num_stages": 1, "enable_fp_fusion": True}
    source = ASTSource(function, signature, constexprs=fixed)
    code = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
    assert len(code.asm["cubin"])
    print("bar.sync" in code.asm["ptx"], "approx" in code.asm["ptx"])
"""


def test_the_kernels_compile_for_a_gpu_and_approximate_nothing(monkeypatch, tmp_path) -> None:
    """Nor do threads of a warp wait for others. This needs the compiler, but no GPU."""
    monkeypatch.delenv("TRITON_INTERPRET")
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True)
    assert done.stdout.split() == ["False"] * 6, done.stderr
