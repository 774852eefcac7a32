"""The fused CPU engine: whole trainings in one compiled function, one network per lane."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
import torch

from trainability.networks import Ensemble
from trainability.training.base import Engine, Problem
from trainability.training.compiled import Function, cpu_features, load
from trainability.training.kernel import source
from trainability.training.kernel_plan import EVALUATE, TRAIN, Plan, Rule
from trainability.training.optimizers import Adam, Optimizer
from trainability.training.tiles import TiledTraining

_CACHE_LINE = 64
_CALL_FLOPS = 3e8  # A call of some milliseconds: packing its networks costs little beside it.
_LEAST_CHUNK, _LARGEST_CHUNK = 64, 1024


class FusedCpuEngine(Engine):
    """Networks side by side in the lanes of a vector, the loop over steps inside.

    Args:
        threads: Groups of networks that train at the same time, each on a core.
    """

    name = "fused-cpu"

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def obstacle(self, sizes: tuple[int, ...], problem: Problem) -> str | None:
        if not has_fma():
            return "this CPU has no fused multiply-add"
        if len(sizes) < 3:
            return f"it wants at least one hidden layer, got sizes {sizes}"
        return None

    def start(self, ensemble: Ensemble, problem: Problem) -> FusedCpuTraining:
        return FusedCpuTraining(ensemble, problem, self.threads)


class FusedCpuTraining(TiledTraining):
    """Networks in training as rows of W1, b1, W2, b2, ...; a group is transposed into lanes."""

    def __init__(self, ensemble: Ensemble, problem: Problem, threads: int) -> None:
        self._sizes = (ensemble.d_in, *ensemble.widths, ensemble.d_out)
        plan = plan_for(self._sizes, problem)
        flops = 6 * plan.n_parameters * (problem.batch_size or len(problem.x)) * plan.lanes
        super().__init__(
            ensemble.n_networks,
            problem,
            tile=plan.lanes,
            chunk=min(_LARGEST_CHUNK, max(_LEAST_CHUNK, int(_CALL_FLOPS / flops))),
            threads=threads,
        )
        self._plan = plan
        self._kernel = _kernel(plan)
        tensors = [
            tensor.to("cpu", torch.float32).flatten(1)
            for pair in zip(ensemble.weights, ensemble.biases, strict=True)
            for tensor in pair
        ]
        self._state = np.zeros(
            (1 + plan.n_moments, ensemble.n_networks, plan.n_parameters), dtype=np.float32
        )
        self._state[0] = torch.cat(tensors, dim=1).numpy()
        self._points = _points(problem, plan)
        self._settings = _settings(problem.optimizer)
        self._minibatch = {} if plan.full_batch else _minibatch(problem, plan)

    def ensemble(self) -> Ensemble:
        weights, biases = [], []
        first = 0
        for into, out in pairwise(self._sizes):
            middle, last = first + into * out, first + into * out + out
            rows = torch.from_numpy(self._state[0])
            weights.append(rows[:, first:middle].reshape(-1, out, into).clone())
            biases.append(rows[:, middle:last].clone())
            first = last
        return Ensemble(tuple(weights), tuple(biases))

    def _train(self, rows: np.ndarray, start: int, stop: int) -> None:
        plan, problem = self._plan, self._problem
        state = self._pack(rows)
        losses = _lanes(plan)
        steps, live = _lanes(plan, dtype=np.int32), _lanes(plan, dtype=np.int32)
        live[0, : len(rows)] = 1
        minibatch = self._minibatch
        if minibatch:
            keys = _lanes(plan, dtype=np.uint64)
            keys[0, : len(rows)] = problem.order_keys[rows]
            own = int(minibatch["n_own_passes"]) * plan.points
            minibatch = minibatch | {
                "keys": keys,
                "order": _lanes(plan, len(problem.x), dtype=np.int32),
                "own_x": _lanes(plan, own * plan.sizes[0]),
                "own_y": _lanes(plan, own * plan.sizes[-1]),
            }
        self._kernel["train"](
            **self._points,
            **minibatch,
            **dict(zip(("parameters", "moment", "square"), state, strict=False)),
            outputs=_lanes(plan, plan.n_outputs),
            gradients=_lanes(plan, plan.n_parameters),
            settings=self._settings,
            schedule=_schedule(problem.optimizer, start, stop),
            first_step=start,
            n_steps=stop - start,
            tolerance=problem.tolerance,
            losses=losses,
            steps=steps,
            live=live,
        )
        lanes = slice(len(rows))
        self._state[:, rows] = state[:, :, lanes].transpose(0, 2, 1)
        self.steps[rows] = start + steps[0, lanes]
        stops = live[0, lanes] == 0
        self._note(rows[stops], losses[0, lanes][stops], self.steps[rows[stops]])

    def _evaluate(self, rows: np.ndarray) -> None:
        losses = _lanes(self._plan)
        self._kernel["evaluate"](
            **self._points,
            parameters=self._pack(rows)[0],
            outputs=_lanes(self._plan, self._plan.n_outputs),
            losses=losses,
        )
        self._note(rows, losses[0, : len(rows)], self._step)

    def _pack(self, rows: np.ndarray) -> np.ndarray:
        """Parameters and moments of a group, shape (1 + moments, parameters, lanes)."""
        plan = self._plan
        state = _lanes(plan, (1 + plan.n_moments) * plan.n_parameters)
        state = state.reshape(1 + plan.n_moments, plan.n_parameters, plan.lanes)
        state[:, :, : len(rows)] = self._state[:, rows].transpose(0, 2, 1)
        return state


def plan_for(sizes: tuple[int, ...], problem: Problem) -> Plan:
    """The kernel for networks of these sizes on this machine."""
    optimizer = problem.optimizer
    rule: Rule = "adam"
    if not isinstance(optimizer, Adam):
        rule = "momentum" if optimizer.momentum > 0 else "sgd"
    n_points = problem.batch_size or len(problem.x)
    return Plan(
        sizes=sizes,
        rule=rule,
        full_batch=problem.batch_size is None,
        lanes=lanes(),
        points=min(4, n_points),
    )


@cache
def lanes() -> int:
    """Floats in the widest vector of this CPU, at least 8."""
    return 16 if cpu_features().get("avx512f") else 8


@cache
def has_fma() -> bool:
    """Whether this CPU rounds a multiply-add once without help."""
    features = cpu_features()
    return bool(features.get("fma") or features.get("neon") or features.get("fp-armv8"))


@cache
def _kernel(plan: Plan) -> dict[str, Function]:
    return load(source(plan), {"evaluate": EVALUATE, "train": TRAIN}, plan.unroll)


def _lanes(plan: Plan, n: int = 1, dtype: type = np.float32) -> np.ndarray:
    """Zeros of shape (n, lanes) that begin with a cache line."""
    size = n * plan.lanes * np.dtype(dtype).itemsize
    memory = np.zeros(size + _CACHE_LINE, dtype=np.uint8)
    first = -memory.ctypes.data % _CACHE_LINE
    return memory[first : first + size].view(dtype).reshape(n, plan.lanes)


def _points(problem: Problem, plan: Plan) -> dict[str, np.ndarray | int]:
    """All points, cut into passes. A pass is filled up with a point that counts for nothing."""
    n_points = len(problem.x)
    n_passes = -(-n_points // plan.points)
    index = np.minimum(np.arange(n_passes * plan.points), n_points - 1)
    x, y = (
        np.ascontiguousarray(
            table[index].reshape(n_passes, plan.points, -1).transpose(0, 2, 1), dtype=np.float32
        )
        for table in (problem.x, problem.y)
    )
    scales = _scales(n_points, n_passes, plan)
    return {"x": x, "y": y, "scales": scales, "n_passes": n_passes}


def _minibatch(problem: Problem, plan: Plan) -> dict[str, np.ndarray | int]:
    size = problem.batch_size
    assert size is not None
    n_passes = -(-size // plan.points)
    return {
        "table_x": np.ascontiguousarray(problem.x, dtype=np.float32),
        "table_y": np.ascontiguousarray(problem.y, dtype=np.float32),
        "n_points": len(problem.x),
        "batch_size": size,
        "steps_per_epoch": problem.steps_per_epoch,
        "own_scales": _scales(size, n_passes, plan),
        "n_own_passes": n_passes,
    }


def _scales(n_points: int, n_passes: int, plan: Plan) -> np.ndarray:
    """d loss / d output = scale * (output - target); 0 for points that fill up."""
    scales = np.zeros(n_passes * plan.points, dtype=np.float32)
    scales[:n_points] = 2 / (n_points * plan.sizes[-1])
    return scales.reshape(n_passes, plan.points)


def _settings(optimizer: Optimizer) -> np.ndarray:
    if isinstance(optimizer, Adam):
        beta1, beta2 = optimizer.beta1, optimizer.beta2
        settings = [beta1, 1 - beta1, beta2, 1 - beta2, optimizer.epsilon]
    else:
        settings = [optimizer.momentum, 0, 0, 0, 0]
    return np.array(settings, dtype=np.float32)


@lru_cache(maxsize=8)
def _schedule(optimizer: Optimizer, start: int, stop: int) -> np.ndarray:
    """Per step the negative step size and the factor of the root of the second moment."""
    schedule = np.ones((stop - start, 2))
    schedule[:, 0] = -optimizer.learning_rate
    if isinstance(optimizer, Adam):
        t = np.arange(start + 1, stop + 1)
        schedule[:, 0] /= 1 - optimizer.beta1**t
        schedule[:, 1] = (1 - optimizer.beta2**t) ** -0.5
    return schedule.astype(np.float32)
