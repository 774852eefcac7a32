"""The fused CPU engine: whole trainings in one compiled function, one network per lane."""

from __future__ import annotations

import math
import threading
from functools import cache
from itertools import pairwise

import numpy as np
import torch

from trainability.networks import Ensemble
from trainability.training.contract import EXTREMES, Engine, Problem
from trainability.training.cpu.compiled import Function, cpu_features, load
from trainability.training.cpu.group import Groups, tables_of
from trainability.training.cpu.kernel import source
from trainability.training.cpu.plan import BLOCK, EVALUATE, Plan
from trainability.training.cpu.tiles import TiledTraining
from trainability.training.flat import flattened, unflattened

# For the length of a chunk. A call cost some 30 microseconds beside the group's work of 1e11
# operations a second; a network that stops leaves its lane idle for half a chunk, and one that
# succeeds takes some 1,000 steps. So the chunk that loses least is the root of
# 2 * 1,000 steps * 3e6 operations / (operations per step). Since small groups
# are taken at once a call costs less, and this was not measured anew.
_CHUNK_SQUARED_TIMES_FLOPS = 6e9
_LEAST_CHUNK = 16
# Groups that a worker loads, trains one after the other, and stores at once: what is done in Python
# costs some 15 microseconds however many there are. Of small networks they fit into its cache.
_TOGETHER = 8
_MOST_PARAMETERS_TOGETHER = 256
_LARGEST_ROW = 32
# Above, a group's weights and gradients, 128 bytes per parameter, outgrow the caches, and
# matrix products win: measured on two cores with 32 MiB of shared cache, at 1-256-256-1 the
# two are equal, at 1-512-512-1 torch is twice as fast, at 1-128-128-128-1 the fused engine.
_LARGEST_FUSED = 2**16
# Where exchanges of the next order are written beside updates: measured, with AVX-512 alone. From
# width 2 to depth 10 and width 5 it is a hundredth to a tenth faster, at depth 4 and width 64 a
# thirtieth slower; so it is without divisions and roots, which are what exchanges fill.
_LANES_FOR_EXCHANGES = 16
_MOST_PARAMETERS_FOR_EXCHANGES = 1024
_MOMENTS_FOR_EXCHANGES = 2
_MOST_EXCHANGES = 4


class FusedCpuEngine(Engine):
    """Networks side by side in the lanes of a vector, the loop over steps inside.

    Args:
        device: "cpu".
        threads: Groups of networks that train at the same time, each on a core.
    """

    name = "fused-cpu"
    meets = frozenset({EXTREMES})
    on_gpu = False

    def __init__(self, device: str = "cpu", threads: int = 1) -> None:
        self.threads = threads

    def rank(self, sizes: tuple[int, ...]) -> int:
        n_parameters = sum(fan_in * out + out for fan_in, out in pairwise(sizes))
        return 2 if n_parameters <= _LARGEST_FUSED else 0

    def machine_obstacle(self) -> str | None:
        return None if has_fma() else "this CPU has no fused multiply-add"

    def rules_obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        if len(sizes) < 3:
            return f"it wants at least one hidden layer, got sizes {sizes}"
        if problem.loss.by_rows and sizes[-1] > _LARGEST_ROW:
            return (
                f"{problem.loss} takes all outputs of a point together, which it holds in "
                f"registers: at most {_LARGEST_ROW}, got {sizes[-1]}"
            )
        return None

    def begin(self, ensemble: Ensemble, problem: Problem) -> FusedCpuTraining:
        return FusedCpuTraining(ensemble, problem, self.threads)


class FusedCpuTraining(TiledTraining):
    """Networks in training as rows of W1, b1, W2, b2, ...; a group is transposed into lanes."""

    def __init__(self, ensemble: Ensemble, problem: Problem, threads: int) -> None:
        self._sizes = ensemble.sizes
        plan = plan_for(self._sizes, problem)
        flops = 6 * plan.n_parameters * (problem.batch_size or len(problem.x)) * plan.lanes
        super().__init__(
            ensemble.n_networks,
            problem,
            tile=plan.lanes,
            chunk=max(_LEAST_CHUNK, math.isqrt(int(_CHUNK_SQUARED_TIMES_FLOPS / flops))),
            threads=threads,
            together=_TOGETHER if plan.n_parameters <= _MOST_PARAMETERS_TOGETHER else 1,
        )
        self._plan = plan
        self._tables = tables_of(problem, plan)
        self._worker = threading.local()
        shape = (1 + plan.n_moments, ensemble.n_networks, plan.n_parameters)
        self._state = np.zeros(shape, dtype=np.float32)
        self._state[0] = flattened(ensemble.to("cpu")).numpy()
        _kernel(plan)

    def ensemble(self) -> Ensemble:
        return unflattened(torch.from_numpy(self._state[0]), self._sizes, self._problem.activation)

    def _prepare_worker(self) -> None:
        kernel = _kernel(self._plan)
        plan, problem, tables = self._plan, self._problem, self._tables
        self._worker.groups = Groups(self._together, plan, kernel, problem, tables)

    def _train(self, rows: np.ndarray, start: int, stop: int) -> None:
        steps, stopped, losses = self._worker.groups.train(self._state, rows, start, stop)
        self.steps[rows] = steps
        self._note(rows[stopped], losses[stopped], steps[stopped])

    def _evaluate(self, rows: np.ndarray) -> None:
        self._note(rows, self._worker.groups.evaluate(self._state, rows), self._step)


def plan_for(sizes: tuple[int, ...], problem: Problem) -> Plan:
    """What the kernel for networks of these sizes is specialized for on this machine."""
    # The chain of operations in an exponential is long: more points at once hide its waiting, if
    # there are registers for them. Measured, from width 2 to 32, at depth 10, and with 10 outputs.
    loss = problem.loss
    few = not loss.by_rows or sizes[-1] <= 4
    points = 8 if loss.functions and few and lanes() == 16 else 4
    n_parameters = sum(fan_in * out + out for fan_in, out in pairwise(sizes))
    return Plan(
        sizes=sizes,
        optimizer=problem.optimizer,
        full_batch=problem.batch_size is None,
        lanes=lanes(),
        points=min(points, problem.batch_size or len(problem.x)),
        activation=problem.activation,
        loss=loss,
        penalty=problem.penalty,
        exchanges=_exchanges(n_parameters, problem),
    )


def _exchanges(n_parameters: int, problem: Problem) -> int:
    """As many exchanges per block of parameters as a step wants, spread over its updates."""
    if problem.batch_size is None or lanes() < _LANES_FOR_EXCHANGES:
        return 0
    if problem.optimizer.n_moments < _MOMENTS_FOR_EXCHANGES:
        return 0
    if n_parameters > _MOST_PARAMETERS_FOR_EXCHANGES:
        return 0
    wanted = round(problem.batch_size * BLOCK / n_parameters)
    return min(max(wanted, 1), _MOST_EXCHANGES)


@cache
def lanes() -> int:
    """Floats in a vector: 16 with AVX-512, else 8."""
    return 16 if cpu_features().get("avx512f") else 8


@cache
def has_fma() -> bool:
    """Whether this CPU has an instruction for multiply-add with one rounding."""
    features = cpu_features()
    return any(features.get(name) for name in ("fma", "neon", "fp-armv8"))


@cache
def _kernel(plan: Plan) -> dict[str, Function]:
    """The compiled functions; those of plans that differ in numbers alone are the same."""
    return _loaded(source(plan), plan.unroll, tuple(plan.arguments.items()))


@cache
def _loaded(text: str, unroll: bool, arguments: tuple[tuple[str, str], ...]) -> dict[str, Function]:
    return load(text, {"evaluate": EVALUATE, "train": dict(arguments)}, unroll)
