"""A rule is handed its own numbers alone: one that wraps another takes its own from the end.

Kernels have numbers of the penalty behind those of the optimizer, and zeros behind both.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import training_by_loop as loop

from trainability import Adam
from trainability.optimizers import Nesterov
from trainability.penalties import L2
from trainability.training import engine_type
from trainability.training.catalog import engine_modules
from trainability.training.gpu.block_plan import BlockPlan
from trainability.training.gpu.choice import plan_for
from trainability.training.gpu.launch import text_of
from trainability.training.gpu.plan import WarpPlan

SIZES, N_NETWORKS = (2, 5, 1), 3
ENGINES = [engine_type(name)("cpu") for name in engine_modules()]
ENGINES = [engine for engine in ENGINES if not engine.machine_obstacle()]


@dataclass(frozen=True)
class _Exact(Nesterov):
    """Nesterov's, which looks at what it is handed."""

    def update(self, on, parameter, gradient, moments, numbers, factors):
        assert len(numbers) == len(self.numbers()), "numbers of others"
        return super().update(on, parameter, gradient, moments, numbers, factors)


@dataclass(frozen=True)
class _ExactL2(L2):
    def gradient(self, on, parameter, gradient, is_weight, numbers):
        assert len(numbers) == len(self.numbers()), "numbers of others"
        return super().gradient(on, parameter, gradient, is_weight, numbers)


def problems(optimizer, penalty):
    for batch_size in (None, 7):
        plain = loop.problem(SIZES, N_NETWORKS, optimizer, batch_size=batch_size)
        yield dataclasses.replace(plain, penalty=penalty)


@pytest.mark.parametrize("penalty", [None, _ExactL2(1e-3)], ids=str)
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_engines_hand_each_rule_its_own(engine, penalty) -> None:
    nets = loop.ensemble(SIZES, N_NETWORKS)
    plain = L2(1e-3) if penalty else None
    n_trained = 0
    for exact, usual in zip(
        problems(_Exact(0.02), penalty), problems(Nesterov(0.02), plain), strict=True
    ):
        if engine.problem_obstacle(SIZES, exact):
            assert engine.problem_obstacle(SIZES, usual)
            continue
        losses = []
        for problem in (exact, usual):
            training = engine.start(nets, problem)
            training.advance(20)
            losses.append(training.loss)
        np.testing.assert_array_equal(*losses)
        n_trained += 1
    assert n_trained


@pytest.mark.parametrize("penalty", [None, _ExactL2(1e-3)], ids=str)
@pytest.mark.parametrize(
    ("sizes", "kind"), [((2, 5, 1), WarpPlan), ((2, 64, 64, 64, 1), BlockPlan)], ids=str
)
def test_so_do_kernels_of_gpus(sizes, kind, penalty) -> None:
    for problem in problems(_Exact(0.02), penalty):
        plan = plan_for(sizes, problem)
        if kind is BlockPlan and problem.batch_size is not None:
            continue  # which blocks don't train
        assert isinstance(plan, kind) and text_of(plan, threads=True)


def test_such_a_rule_would_notice() -> None:
    with pytest.raises(AssertionError, match="numbers of others"):
        _Exact(0.02).update(None, 0.0, 0.0, [0.0], [0.9, 0.0], [0.1])
    assert Adam(0.02).numbers()
